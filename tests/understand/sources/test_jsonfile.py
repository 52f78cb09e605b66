from __future__ import annotations

import datetime as dt
import gzip
import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from staging import JSON_SUITE, SHEETS, columns, needs_sheets, needs_suite, refused, staged

from qua3ck.kit.errors import Qua3ckError
from qua3ck.understand.sources import jsonfile

VISITS = [
    {"id": 1, "at": {"lat": 1.5, "who": {"name": "Ada"}}, "lines": [{"drug": "ORS", "n": 2}]},
    {"id": 2, "at": None, "lines": [{"drug": "zinc"}, {"drug": "ORS", "n": 1}]},
    {"id": 3, "tags": ["a", "b"], "lines": []},
]


def saved(folder, content, name="a.json"):
    path = folder / name
    data = (
        content
        if isinstance(content, bytes)
        else (content if isinstance(content, str) else json.dumps(content)).encode()
    )
    path.write_bytes(data)
    return path


def read(folder, content, name="a.json", **declared):
    return columns(saved(folder, content, name), kind="json", **declared)


# -- flattening --------------------------------------------------------------------------------


def test_objects_are_flattened_and_lists_of_objects_left_to_a_table_of_their_own(tmp_path):
    rows, made = staged(saved(tmp_path, VISITS), kind="json")
    assert rows.to_pydict() == {
        "id": [1, 2, 3],
        "at_lat": [1.5, None, None],
        "at_who_name": ["Ada", None, None],
        "tags": [None, None, '["a", "b"]'],
        "_row": [1, 2, 3],
    }
    assert [finding.code for finding in made.findings] == ["U047"]
    assert made.how["left out"] == {"lines": 3}
    assert "records: /*/lines" in made.findings[0].says
    deep = {"data": [{"a": {"b": [{"c": 1}]}, "d": 2}]}
    _, made = staged(saved(tmp_path, deep), kind="json", records="/data")
    assert "records: /data/*/a/b" in made.findings[0].says
    assert read(tmp_path, deep, records="/data/*/a/b") == {"c": [1]}


def test_a_list_of_objects_is_a_table_that_carries_its_keys(tmp_path):
    document = {"period": "2024-01", "visits": VISITS}
    carry = {"visit": "/visits/*/id", "who": "/visits/*/at/who/name", "period": "/period"}
    made = read(tmp_path, document, records="/visits/*/lines", carry=carry)
    assert made == {
        "drug": ["ORS", "zinc", "ORS"],
        "n": [2, None, 1],
        "visit": [1, 2, 2],
        "who": ["Ada", None, None],
        "period": ["2024-01"] * 3,
    }


def test_lists_in_lists_are_followed_down(tmp_path):
    deep = [{"a": 1, "b": [{"c": 2, "d": [{"e": 3}, {"e": 4}]}, {"c": 5, "d": [{"e": 6}]}]}]
    made = read(tmp_path, deep, records="/*/b/*/d", carry={"a": "/*/a", "c": "/*/b/*/c"})
    assert made == {"e": [3, 4, 6], "a": [1, 1, 1], "c": [2, 2, 5]}
    assert read(tmp_path, {"x": deep}, records="x.*.b.*.d") == {"e": [3, 4, 6]}


def test_lines_may_hold_envelopes_of_records(tmp_path):
    lines = [{"p": 1, "rows": [{"v": 1}, {"v": 2}]}, {"p": 2, "rows": [{"v": 3}]}]
    text = "\n".join(map(json.dumps, lines))
    made = read(tmp_path, text, "a.ndjson", records="/rows", carry={"p": "/p"})
    assert made == {"v": [1, 2, 3], "p": [1, 1, 2]}


def test_a_single_object_is_one_record_unless_it_holds_lists_of_objects(tmp_path):
    assert read(tmp_path, {"a": 1, "b": {"c": 2}}) == {"a": [1], "b_c": [2]}
    assert read(tmp_path, {"data": {"a": 1}}, records="/data") == {"a": [1]}
    told = refused(saved(tmp_path, {"pager": {}, "units": [{"id": 1}]}), kind="json")
    assert (told.code, told.fix) == ("U132", "write records: /units")


def test_a_list_of_plain_values_is_a_column(tmp_path):
    assert read(tmp_path, [1, 2, 3]) == {"value": [1, 2, 3]}


# -- types --------------------------------------------------------------------------------------


def test_json_says_itself_what_is_a_number_and_what_is_text(tmp_path):
    rows = [
        {"n": 1, "x": 1.5, "id": "1", "ok": True, "word": "true", "day": "2024-02-29", "mix": 1},
        {"n": 2, "x": 2, "id": "2", "ok": None, "word": "false", "day": "", "mix": "n/a"},
    ]
    assert read(tmp_path, rows) == {
        "n": [1, 2],
        "x": [1.5, 2.0],
        "id": ["1", "2"],
        "ok": [True, None],
        "word": ["true", "false"],
        "day": [dt.date(2024, 2, 29), None],
        "mix": ["1", "n/a"],
    }
    assert read(tmp_path, rows, types={"id": "integer", "n": "string"})["id"] == [1, 2]


@pytest.mark.parametrize("number", ["1e400", "12345678901234567890123", "-9223372036854775809"])
def test_a_number_that_fits_no_type_stays_text_to_the_digit(tmp_path, number):
    assert read(tmp_path, f'[{{"a": {number}}}]') == {"a": [number]}


def test_a_declared_type_holds_what_does_not_fit(tmp_path):
    path = saved(tmp_path, [{"a": 1}, {"a": "x"}, {"b": 2}])
    rows, made = staged(path, kind="json", given={"a": "integer"})
    assert rows["a"].to_pylist() == [1, None]
    assert made.held.to_pylist() == [{"_row": 2, "column": "a", "code": "U033", "raw": "x"}]


def test_null_markers_and_layouts_of_dates_count_here_too(tmp_path):
    rows = [{"a": "-", "d": "29.02.2024"}, {"a": "x", "d": "01.03.2024"}]
    made = read(tmp_path, rows, null=["-"], dates={"d": ["%d.%m.%Y"]})
    assert made == {"a": [None, "x"], "d": [dt.date(2024, 2, 29), dt.date(2024, 3, 1)]}


# -- lines --------------------------------------------------------------------------------------


def test_a_damaged_line_is_held_with_its_number_and_the_others_go_on(tmp_path):
    text = b'{"a": 1}\n{"a": 2\n\n{"a": NaN}\n{"a": "\xff"}\n{"a": 5}'
    rows, made = staged(saved(tmp_path, text, "a.jsonl"), kind="json")
    assert rows.to_pydict() == {"a": [1, 5], "_row": [1, 6]}
    assert made.held.to_pylist() == [
        {"_row": 2, "column": None, "code": "U045", "raw": '{"a": 2'},
        {"_row": 4, "column": None, "code": "U045", "raw": '{"a": NaN}'},
        {"_row": 5, "column": None, "code": "U045", "raw": '{"a": "\\xff"}'},
    ]
    assert made.how["layout"] == "lines"


@pytest.mark.parametrize("name", ["a.json", "a.ndjson", "a.jsonl.gz"])
def test_lines_are_known_by_their_content_or_the_name(tmp_path, name):
    data = b'{"a": 1}\n{"a": 2}\n{"b": 3}\n'
    packed = gzip.compress(data) if name.endswith(".gz") else data
    assert read(tmp_path, packed, name) == {"a": [1, 2, None], "b": [None, None, 3]}


def test_a_document_over_several_lines_is_not_taken_for_lines(tmp_path):
    assert read(tmp_path, json.dumps(VISITS, indent=1))["id"] == [1, 2, 3]
    text = '{"data": [\n{"a": 1},\n{"a": 2}\n]}'
    assert read(tmp_path, text, records="/data") == {"a": [1, 2]}


@pytest.mark.parametrize(
    "record",
    [
        '{"a": 1, "a": 2}',
        '{"a_b": 1, "a": {"b": 2}}',
        '{"a": "\\ud800"}',
        '{"\\ud800": 1}',
        "[1, 2]",
        "null",
        "true",
        '{"a": ' + "[" * 5000 + "]" * 5000 + "}",
    ],
    ids=["twice", "one name", "surrogate", "surrogate key", "list", "null", "true", "deep"],
)
def test_a_record_that_is_not_a_clear_one_is_held(tmp_path, record):
    rows, made = staged(saved(tmp_path, f'{{"x": 1}}\n{record}\n', "a.ndjson"), kind="json")
    assert rows.to_pydict() == {"x": [1], "_row": [1]}
    assert [line["code"] for line in made.held.to_pylist()] in (["U045"], ["U046"])
    assert made.held["raw"][0].as_py()


# -- documents ----------------------------------------------------------------------------------


@needs_suite
def test_every_file_of_the_suite_is_read_held_or_refused():
    """``y_`` files that are no records (a lone number) are JSON all the same: never U131."""
    for folder in ("test_parsing", "test_transform"):
        for file in sorted((JSON_SUITE / folder).glob("*.json")):
            try:
                staged(file, kind="json")
                code = ""
            except Qua3ckError as told:
                code = told.code
            if file.name.startswith("n_"):
                assert code == "U131", file.name
            elif file.name.startswith("y_"):
                assert code in {"", "U103", "U132"}, file.name
            else:
                assert code in {"", "U102", "U103", "U131", "U132"}, file.name


@pytest.mark.parametrize(
    ("content", "declared", "code", "says"),
    [
        ("NaN", {}, "U131", "is no JSON: it has NaN, which JSON does not know"),
        ("", {}, "U131", "is no JSON"),
        ("<html>", {}, "U131", "character 1"),
        ('[{"a": 1}, {"a": 2},]', {}, "U131", "character 21"),
        (b'[{"a": "\xff"}]', {}, "U131", "is not in the declared encoding"),
        ("[]", {}, "U103", "holds no records"),
        ('{"data": []}', {"records": "/data"}, "U103", "holds no records"),
        ('{"date": [{"a": 1}]}', {"records": "/data"}, "U132", "stand at /date"),
        ('{"data": 5}', {"records": "/data"}, "U132", "no list of records"),
        ("5", {}, "U132", "no list of records"),
        ("[1]", {"records": "/a/*/b", "carry": {"k": "/b/*/k"}}, "U132", "not lie on the way"),
        ("[1]", {"records": "/a/*/b", "carry": {"k": "/a/*/b/*/k"}}, "U132", "not lie on the"),
        ('[{"a": 1}, {"A": 2}]', {}, "U133", 'called alike: "a" and "A"'),
        ('[{"_row": 1}]', {}, "U133", "called alike"),
        ('[{"a": 1}]', {"types": {"b": "integer"}}, "U102", 'No column "b"'),
    ],
)
def test_a_document_that_cannot_be_read_as_declared_is_told(
    tmp_path, content, declared, code, says
):
    told = refused(saved(tmp_path, content), kind="json", **declared)
    assert told.code == code
    assert says in told.what


def test_other_encodings_are_declared(tmp_path):
    data = json.dumps([{"a": "é"}], ensure_ascii=False).encode("utf-16")
    assert read(tmp_path, data, encoding="utf-16") == {"a": ["é"]}
    assert read(tmp_path, b'\xef\xbb\xbf[{"a": 1}]') == {"a": [1]}


def test_a_long_document_is_read_piece_by_piece(tmp_path, monkeypatch):
    monkeypatch.setattr(jsonfile, "_BATCH", 7)
    rows = [{"n": i, "late": "x"} if i > 90 else {"n": i} for i in range(100)]
    made = read(tmp_path, {"meta": {"rows": [1]}, "rows": rows}, records="/rows")
    assert made == {"n": list(range(100)), "late": [None] * 91 + ["x"] * 9}
    mixed = [{"n": 1 if i < 50 else "one"} for i in range(100)]
    assert read(tmp_path, mixed)["n"] == ["1"] * 50 + ["one"] * 50


def test_a_key_that_a_page_lacks_is_an_empty_column(tmp_path):
    path = saved(tmp_path, [{"a": 1}])
    declared = {"kind": "http", "url": "https://example.org/x"}
    rows, _ = staged(path, given={"a": "integer", "b": "date"}, **declared)
    assert rows.to_pydict() == {"a": [1], "b": [None], "_row": [1]}
    assert str(rows.schema.field("b").type) == "date32[day]"
    empty = staged(saved(tmp_path, "{}"), given={"a": "integer"}, records="/x", **declared)[0]
    assert empty.num_rows == 0


leaf = st.none() | st.booleans() | st.integers(-(2**63), 2**63 - 1) | st.text(max_size=4)
key = st.text("abcd", min_size=1, max_size=2)


@settings(deadline=None, max_examples=30)
@given(st.lists(st.dictionaries(key, leaf, max_size=4), min_size=1, max_size=6))
def test_every_leaf_comes_back_as_text_under_its_name(tmp_path_factory, records):
    folder = tmp_path_factory.mktemp("j")
    names = sorted({name for record in records for name in record})
    made = read(folder, records, types=dict.fromkeys(names, "string"))
    for name in names:
        for at, record in enumerate(records):
            value = record.get(name)
            wanted = json.dumps(value) if isinstance(value, bool | int) else value
            assert (made[name][at] or "").strip() == (wanted or "").strip()


@needs_sheets
@pytest.mark.parametrize("name", ["testjson", "testjson_multiline", "testjson_nested"])
def test_csvkits_files_are_what_csvkit_made_of_them(name):
    import csv

    made = columns(SHEETS / "csvkit" / f"{name}.json", kind="json")
    text = (SHEETS / "csvkit" / f"{name}_converted.csv").read_text(encoding="utf-8")
    heading, *lines = csv.reader(text.splitlines())
    assert list(made) == [name.replace("/", "_") for name in heading]
    for at, cells in enumerate(made.values()):
        for cell, line in zip(cells, lines, strict=True):
            shown = "" if cell is None else getattr(cell, "isoformat", lambda c=cell: str(c))()
            assert shown.lstrip("0") == line[at].lstrip("0")
