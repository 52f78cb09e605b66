import hashlib
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qua3ck.ledger.entries import FIRST_PREV, decode, encode

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


def _line(body):
    return encode(seq=3, at="t", actor="ana", event="e", subject="s", body=body, prev=FIRST_PREV)


@given(body=st.dictionaries(st.text(), JSON, max_size=4))
def test_any_body_is_one_line_and_comes_back(body):
    entry, line = _line(body)
    assert line.count(b"\n") == 1
    assert decode(line[:-1]) == vars(entry)
    assert entry.body == body


def test_the_hash_is_sha256_over_the_stored_bytes_of_the_rest():
    entry, line = _line({"größe": 1})
    rest = line.removesuffix(f',"hash":"{entry.hash}"}}\n'.encode()) + b"}"
    assert hashlib.sha256(rest).hexdigest() == entry.hash
    assert json.loads(rest).keys() | {"hash"} == json.loads(line).keys()


def test_a_float_is_stored_as_its_decimal_text():
    assert _line({"share": 0.1})[0].body == {"share": "0.1"}


@given(at=st.integers(0, 10_000), change=st.integers(1, 255))
def test_no_byte_of_a_line_can_be_changed_unseen(at, change):
    line = bytearray(_line({"rows": 12})[1][:-1])
    line[at % len(line)] ^= change
    assert decode(bytes(line)) is None


@pytest.mark.parametrize("line", [b"", b"{}", b"[]", b"x" * 200, b"[" * 100_000])
def test_what_is_no_event_is_none(line):
    assert decode(line) is None
