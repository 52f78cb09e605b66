from __future__ import annotations

import json
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qua3ck.kit.errors import Qua3ckError
from qua3ck.kit.yaml12 import Dialect, read_yaml

STRICT = Dialect("list", unreadable="X1", changed="X2", start="write one")
LENIENT = Dialect("list", unreadable="X1", changed="X2", start="write one", refuse_dates=False)
TEXT = st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"]))
NUMBERS = st.integers() | st.floats(allow_nan=False, allow_infinity=False)
PLAIN = st.recursive(
    st.none() | st.booleans() | NUMBERS | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=10,
)


# Each line is ten times the one before.
MANY = "a: &a [1,1,1,1,1,1,1,1,1,1]\n" + "\n".join(
    f"{there}: &{there} [{','.join([f'*{here}'] * 10)}]" for here, there in pairwise("abcdefg")
)


@pytest.fixture
def read(tmp_path):
    def reading(text, dialect=STRICT):
        path = tmp_path / "list.yaml"
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return read_yaml(path, dialect)

    return reading


@settings(max_examples=50, deadline=None)
@given(PLAIN)
def test_json_is_yaml(tmp_path_factory, value):
    path = tmp_path_factory.mktemp("y") / "x.yaml"
    path.write_text(json.dumps({"x": value}, ensure_ascii=False))
    assert read_yaml(path, STRICT)[0] == {"x": value}


def test_words_stay_words_and_every_value_has_its_place(read):
    data, places = read("a:\n  - NO\n  - yes\nb: {c: 1.5, d: ~}\n")
    assert data == {"a": ["NO", "yes"], "b": {"c": 1.5, "d": None}}
    assert places.where("a", 1).endswith("line 3, column 5, a[1]")
    assert places.where("b", "c", "deeper").endswith("line 4, column 5, b.c.deeper")
    assert places.holds("b", "d")
    assert not places.holds("b", "e")


@pytest.mark.parametrize("text", ["012", "1_000", "2024-03-01"])
def test_what_yaml_would_change_is_refused(read, text):
    with pytest.raises(Qua3ckError, match="would be read as") as problem:
        read(f"a: {text}")
    assert problem.value.code == "X2"
    assert f'quote it: "{text}"' in problem.value.fix


def test_a_date_may_stay_text(read):
    assert read("a: 2024-03-01", LENIENT)[0] == {"a": "2024-03-01"}
    with pytest.raises(Qua3ckError):
        read("a: 012", LENIENT)


@pytest.mark.parametrize(
    ("text", "what"),
    [
        (b"\xff\xfe", "not UTF-8"),
        ("", "The list is empty"),
        ("a: [", "cannot be read as YAML"),
        ("a: 1\na: 2", "there twice"),
        ("a: &x [*x]", "nested deeper"),
        ("[" * 5000, "nested deeper"),
        ("[" * 5000 + "]" * 5000, "nested deeper"),
        ("{b:\n " * 5000, "nested deeper"),
        ("- " * 5000 + "a", "nested deeper"),
        (MANY, "over 100,000 values"),
    ],
)
def test_what_cannot_be_read_is_told(read, text, what):
    with pytest.raises(Qua3ckError, match=what) as problem:
        read(text)
    assert problem.value.code == "X1"


def test_brackets_that_are_never_closed_are_told_with_the_line(read):
    with pytest.raises(Qua3ckError, match="nested deeper than 60 levels") as problem:
        read("a:\n" + "  [\n" * 5000)
    assert problem.value.where.endswith("line 61")
    assert "never closed" in problem.value.fix
