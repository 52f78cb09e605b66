from __future__ import annotations

import io
import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from staging import JSON_SUITE, needs_suite

from qua3ck.understand.sources import jsontext
from qua3ck.understand.sources.jsontext import (
    NotJson,
    Number,
    Single,
    Twice,
    elements,
    parse,
    pointer_parts,
    written,
)

finite = st.floats(allow_nan=False, allow_infinity=False)
values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text() | finite,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


def plain(value):
    """Return a parsed value as Python's own reader gives it."""
    if isinstance(value, Number):
        return json.loads(value)
    if isinstance(value, dict):
        return {key: plain(one) for key, one in value.items()}
    return [plain(one) for one in value] if isinstance(value, list) else value


def streamed(text, path=()):
    return list(elements(io.StringIO(text, newline="").read, list(path)))


def suite():
    folder = JSON_SUITE / "test_parsing"
    return sorted(folder.glob("*.json")) if folder.is_dir() else []


@needs_suite
@pytest.mark.parametrize("chunk", [1, 5, 1 << 20])
def test_the_suites_files_are_accepted_and_refused_as_their_names_say(monkeypatch, chunk):
    monkeypatch.setattr(jsontext, "_CHUNK", chunk)
    files = suite()
    assert len(files) == 318
    for file in files:
        if chunk == 1 and file.stat().st_size > 3000:
            continue
        for read in (parse, streamed):
            try:
                read(file.read_bytes().decode("utf-8-sig"))
                accepted = True
            except (NotJson, UnicodeDecodeError):
                accepted = False
            if file.name[0] in "yn":
                assert accepted == (file.name[0] == "y"), file.name


@given(values)
def test_what_pythons_json_writes_comes_back(value):
    text = json.dumps(value)
    assert plain(parse(text)) == json.loads(text)
    assert json.loads(written(parse(text))) == json.loads(text)


@settings(max_examples=40)
@given(st.lists(values, max_size=5), st.integers(1, 9), st.sampled_from([None, 2]))
def test_a_list_read_in_small_chunks_is_the_list(rows, chunk, indent):
    before = jsontext._CHUNK
    jsontext._CHUNK = chunk
    try:
        assert [plain(one) for one in streamed(json.dumps(rows, indent=indent))] == rows
        inside = json.dumps({"a": 1, "b": {"c": rows, "d": [2]}, "e": [3]}, indent=indent)
        assert [plain(one) for one in streamed(inside, ["b", "c"])] == rows
    finally:
        jsontext._CHUNK = before


@pytest.mark.parametrize("text", ["1e400", "123456789012345678901234567890", "-0", "1.10"])
def test_a_number_stays_what_was_written(text):
    assert parse(f"[{text}]") == [text]
    assert isinstance(parse(text), Number)
    assert written(parse(f"[{text}]")) == f"[{text}]"


def test_a_key_given_twice_is_seen_unless_it_says_the_same():
    twice = parse('{"a": 1, "b": 2, "a": 2}')
    assert isinstance(twice, Twice)
    assert written(twice) == '{"a": 1, "b": 2, "a": 2}'
    assert not isinstance(parse('{"a": 1, "a": 1}'), Twice)


@pytest.mark.parametrize(
    ("text", "at"),
    [("", 0), ("[1,]", 3), ('{"a" 1}', 5), ("[1] x", 4), ("NaN", 0), ("[" * 100_000, 0)],
)
def test_what_is_no_json_is_told_with_its_place(text, at):
    with pytest.raises(NotJson) as told:
        parse(text)
    assert told.value.at == at
    with pytest.raises(NotJson):
        streamed(text)


@pytest.mark.parametrize(
    "text",
    ['{"a": [1, 2], "b": }', '{"a": [1, 2]} x', '{"a": [1, 2', '{"a": [1], "a": [2]}', "{a: [1]}"],
)
def test_a_text_is_read_to_its_end_also_behind_the_list(text):
    with pytest.raises(NotJson):
        streamed(text, ["a"])


def test_what_stands_at_a_path_is_said_if_it_is_no_list():
    (found,) = streamed('{"a": {"b": 5}}', ["a", "b"])
    assert isinstance(found, Single)
    assert found.value == "5"
    assert streamed('{"a": [], "b": 1}', ["a"]) == []
    assert streamed('{"b": 1}', ["a"]) == []
    assert streamed("[1]", ["a"]) == []


def test_pointers_are_those_of_rfc_6901():
    assert pointer_parts("") == []
    assert pointer_parts("/a~1b/~0/*/") == ["a/b", "~", "*", ""]
    with pytest.raises(ValueError, match="starts with a slash"):
        pointer_parts("a")
