from __future__ import annotations

import json

import pytest
from openpyxl import Workbook
from staging import staged

from qua3ck.understand.sources import places
from qua3ck.understand.sources.places import place_of


def found(path, how, column="a"):
    """Return the cells of a column, each found again in the file by its row's place."""
    rows, made = staged(path, **how)
    return {place_of(row["_row"], made.how): row[column] for row in rows.to_pylist()}


def test_a_row_of_a_spreadsheet_is_found_by_its_line_past_blank_ones(tmp_path, monkeypatch):
    sheet = (book := Workbook()).active
    lines = [["t"], [None], ["a"], [1], [2], [None], [None], [3], ["#N/A"], [4]]
    for line in lines:
        sheet.append(line)
    book.save(tmp_path / "a.xlsx")
    declared = {"kind": "excel", "skip": 1}
    assert found(tmp_path / "a.xlsx", declared) == {
        f"line {at}": line[0] for at, line in enumerate(lines, 1) if isinstance(line[0], int)
    }
    monkeypatch.setattr(places, "_MOST", 1)
    assert list(found(tmp_path / "a.xlsx", declared)) == [
        "line 4",
        "line 5",
        "record 3",
        "record 5",
    ]


@pytest.mark.parametrize(
    ("name", "text", "declared", "places"),
    [
        ("a.ndjson", '{"a": 1}\n\n{"a": 2}\n', {}, ["line 1", "line 3"]),
        ("a.json", '[{"a": 1},\n{"a": 2}]', {}, ["record 1", "record 2"]),
        ("a.ndjson", '{"r": [{"a": 1}, {"a": 2}]}', {"records": "/r"}, ["record 1", "record 2"]),
    ],
)
def test_a_line_is_only_said_where_rows_are_lines(tmp_path, name, text, declared, places):
    (tmp_path / name).write_text(text)
    assert list(found(tmp_path / name, {"kind": "json", **declared})) == places


def test_what_is_kept_with_a_load_is_enough(tmp_path):
    (tmp_path / "a.csv").write_text("d,Jan,Feb\nN,1,2\n")
    steps = [{"unpivot": {"left": ["d"], "top": ["m"]}}]
    _, made = staged(tmp_path / "a.csv", kind="csv", tidy=steps)
    kept = json.loads(json.dumps(dict(made.how)))
    assert [place_of(row, kept) for row in (200002, 200003, 200000)] == [
        "line 2, column B",
        "line 2, column C",
        "line 2",
    ]
    _, made = staged(tmp_path / "a.csv", kind="csv", tidy=[{"columns": ["d"]}])
    assert place_of(2, made.how) == "line 2"
