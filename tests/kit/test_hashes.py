import pytest
from hypothesis import given
from hypothesis import strategies as st

from qua3ck.kit.hashes import canonical_json, decimals, digest, tree_digest


def test_a_float_is_refused_until_it_is_written_as_a_decimal():
    with pytest.raises(TypeError, match="float"):
        canonical_json({"a": [1, {"b": 0.1}]})
    assert canonical_json(decimals({"a": [1, {"b": 0.1}]})) == b'{"a":[1,{"b":"0.1"}]}'


@given(st.dictionaries(st.text(), st.integers() | st.text() | st.booleans() | st.none()))
def test_the_order_of_keys_does_not_matter(facts):
    backwards = dict(reversed(list(facts.items())))
    assert digest(facts) == digest(backwards)


def test_a_tree_changes_with_a_byte_and_with_a_name(tmp_path):
    one, two = tmp_path / "a.txt", tmp_path / "b.txt"
    one.write_text("x")
    first = tree_digest([one], root=tmp_path)
    one.write_text("y")
    changed = tree_digest([one], root=tmp_path)
    one.rename(two)
    assert len({first, changed, tree_digest([two], root=tmp_path)}) == 3
