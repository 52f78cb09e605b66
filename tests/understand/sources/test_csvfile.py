from __future__ import annotations

import bz2
import csv
import gzip
import io
import json
import lzma
import subprocess
import sys
import zipfile
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from staging import SHEETS, columns, needs_sheets, refused, staged

from qua3ck.kit.errors import Qua3ckError
from qua3ck.store.warehouse import Warehouse
from qua3ck.understand.sources import encoding, places, records
from qua3ck.understand.sources.pieces import ROW
from qua3ck.understand.sources.places import place_of

Write = Callable[..., Path]


@pytest.fixture
def file(tmp_path: Path) -> Write:
    """Return a function that writes a file, in UTF-8 unless told otherwise."""

    def write(data: bytes | str, name: str = "f.csv", encoding: str = "utf-8") -> Path:
        path = tmp_path / name
        path.write_bytes(data.encode(encoding) if isinstance(data, str) else data)
        return path

    return write


def read(path: Path, **declared: Any) -> dict[str, list[Any]]:
    return columns(path, kind="csv", **declared)


def types(path: Path, **declared: Any) -> list[str]:
    rows, _ = staged(path, kind="csv", **declared)
    return [str(kind) for kind in rows.drop_columns([ROW]).schema.types]


def held(path: Path, **declared: Any) -> list[tuple[Any, ...]]:
    _, made = staged(path, kind="csv", **declared)
    return [tuple(line.values()) for line in made.held.to_pylist()]


def findings(path: Path, **declared: Any) -> list[Any]:
    return list(staged(path, kind="csv", **declared)[1].findings)


def error(path: Path, **declared: Any) -> Qua3ckError:
    return refused(path, kind="csv", **declared)


# -- types -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("cells", "kind"),
    [
        (["1", "-2", "0"], "int64"),
        (["1", "007", "3"], "string"),
        (["1", "99999999999999999999"], "string"),
        (["1", "2.5", "-1e3"], "double"),
        (["1.5", "007.5"], "string"),
        (["0x1F", "1"], "string"),
        (["1e999", "1"], "string"),
        (["1,5", "2"], "string"),
        (["true", "False"], "bool"),
        (["2024-02-29", "1999-12-31"], "date32[day]"),
        (["2023-02-29", "1999-12-31"], "string"),
        (["2024-01-01 10:00", "2024-01-01T10:00:01.5"], "timestamp[us]"),
        (["2024-01-01T10:00Z", "2024-01-01T10:00:00+02:00"], "timestamp[us, tz=UTC]"),
        (["NO", "NA"], "string"),
        (["1", "NA"], "string"),
        (["nan", "inf"], "string"),
        ([" 1", "2 "], "int64"),
        (["", ""], "string"),
    ],
)
def test_a_type_is_given_only_if_every_cell_has_it(file, cells, kind):
    lines = "".join(f'"{cell}",x\n' for cell in cells)
    assert types(file("a,b\n" + lines))[0] == kind


@pytest.mark.parametrize(
    ("last", "kind"),
    [("7", "int64"), ("7.5", "double"), ("about 7", "string"), ("99999999999999999999", "string")],
)
def test_a_last_cell_of_another_kind_is_not_too_late(file, monkeypatch, last, kind):
    """The first block tells the types; a later one may tell otherwise."""
    monkeypatch.setattr(records, "BLOCK", 1000)
    path = file("a,b\n" + "".join(f"{n},\n" for n in range(2000)) + f"{last},2024-01-01\n")
    assert types(path) == [kind, "date32[day]"]
    assert read(path)["a"][0] in {0, "0"}


def test_empty_cells_and_declared_markers_alone_are_null(file):
    got = read(file("country,n,m\nNA,1,-\n,?,2\n?,3,\n"), null=["?"], nulls={"m": ["-"]})
    assert got == {"country": ["NA", None, None], "n": [1, None, 3], "m": [None, 2, None]}


def test_text_keeps_its_blanks_and_zeros(file):
    assert read(file("code,t\n007, x \n012,y\n")) == {"code": ["007", "012"], "t": [" x ", "y"]}


def test_a_quoted_empty_cell_is_null_as_a_bare_one_is(file):
    assert read(file('a,b\n"",1\n,2\n'))["a"] == [None, None]


def test_decimal_and_thousands_marks_are_read_only_where_declared(file):
    path = file("a;b\n1,5;1.200\n-2,25;1.234.567\n")
    assert read(path)["a"] == ["1,5", "-2,25"]
    assert read(path, decimal=",", thousands=".") == {"a": [1.5, -2.25], "b": [1200, 1234567]}
    spaced = file("a;b\n1\u00a0200;1'000\n35;20\n")
    assert read(spaced, thousands=" ")["a"] == [1200, 35]
    assert read(spaced, thousands="'")["b"] == [1000, 20]
    assert read(file("a;b\n1.20;x\n"), decimal=",", thousands=".")["a"] == ["1.20"]


def test_two_purposes_for_one_mark_are_refused(file):
    told = error(file("a\n1,5\n"), decimal=",", thousands=",")
    assert told.code == "U124"


def test_declared_types_are_obeyed(file):
    path = file("a,b,c\n007,1,2024-01-01\n8,2,2024-01-02T03:04\n")
    got = read(path, types={"a": "integer", "b": "string", "c": "timestamp"})
    assert (got["a"], got["b"]) == ([7, 8], ["1", "2"])
    assert [str(moment) for moment in got["c"]] == ["2024-01-01 00:00:00", "2024-01-02 03:04:00"]
    assert 'No column "aa"' in error(path, types={"aa": "integer"}).what


def test_a_type_known_from_before_does_not_drop_leading_zeros(file):
    path = file("a\n007\n8\n")
    rows, made = staged(path, kind="csv", given={"a": "integer"})
    assert rows["a"].to_pylist() == [8]
    assert made.held.to_pylist() == [{"_row": 1, "column": "a", "code": "U033", "raw": "007"}]


# -- dates -------------------------------------------------------------------------------------


def test_layouts_of_dates_are_exact_and_may_be_several(file):
    path = file("d\n2-Jun-06\n11/13/06\n31.02.2007\n2007-12-31\n")
    layouts = {"d": ["%d-%b-%y", "%m/%d/%y", "%Y-%m-%d", "%d.%m.%Y"]}
    rows, made = staged(path, kind="csv", dates=layouts)
    assert [str(day) for day in rows["d"].to_pylist()] == ["2006-06-02", "2006-11-13", "2007-12-31"]
    assert made.held.to_pylist() == [
        {"_row": 3, "column": "d", "code": "U034", "raw": "31.02.2007"}
    ]


def test_a_date_that_two_layouts_read_differently_is_held(file):
    path = file("d\n03/04/2023\n13/04/2023\n04/04/2023\n")
    assert held(path, dates={"d": ["%d/%m/%Y", "%m/%d/%Y"]}) == [(1, "d", "U034", "03/04/2023")]


def test_a_date_in_another_layout_stays_text_and_is_asked_about(file):
    sure = findings(file("day,n\n19.12.2022,1\n01.02.2023,2\n"))
    assert [f.code for f in sure] == ["U035"]
    assert '["%d.%m.%Y"]' in sure[0].says
    open_ = findings(file("day,n\n03/04/2023,1\n05/06/2023,2\n"))
    assert '"%d/%m/%Y" or "%m/%d/%Y"' in open_[0].says
    assert types(file("day,n\n03/04/2023,1\n"))[0] == "string"


def test_a_layout_that_is_none_and_a_date_that_is_declared_a_number_are_refused(file):
    path = file("d\n1\n")
    assert "%q" in error(path, dates={"d": ["%d.%q.%Y"]}).what
    assert error(path, dates={"d": ["%d.%m.%Y"]}, types={"d": "number"}).code == "U124"


# -- delimiter, quotes, header -----------------------------------------------------------------


@pytest.mark.parametrize("mark", [",", ";", "\t", "|"])
def test_the_delimiter_is_the_one_with_equal_counts(file, mark):
    path = file(f'a{mark}b\n"x,;{mark}y"{mark}1\n"two\nlines"{mark}2\n')
    assert read(path)["b"] == [1, 2]


def test_two_fitting_delimiters_are_not_guessed_between(file):
    path = file("a;b,c\n1;2,3\n")
    told = error(path)
    assert told.code == "U102"
    assert "comma and a semicolon" in told.what
    assert read(path, delimiter=";") == {"a": [1], "b,c": ["2,3"]}


def test_a_file_with_another_delimiter_than_declared_is_not_one_column(file):
    told = error(file("a,b\n1,2\n3,4\n"), delimiter=";")
    assert told.code == "U122"
    assert "a comma would" in told.what


def test_one_column_needs_no_delimiter_and_keeps_its_empty_cells(file):
    assert read(file("a\n1\n\n3\n")) == {"a": [1, None, 3]}


@pytest.mark.parametrize("mark", ["§", "\x1f", "~"])
def test_any_character_may_part_cells(file, mark):
    assert read(file(f'a{mark}b\n"x{mark}y"{mark}1\n'), delimiter=mark) == {
        "a": [f"x{mark}y"],
        "b": [1],
    }


def test_blank_lines_hold_no_row_and_line_ends_may_be_any(file):
    path = file("\n\na,b\r\n1,2\r\n\r\n3,4\r5,6\n\r\n")
    assert read(path) == {"a": [1, 3, 5], "b": [2, 4, 6]}
    assert read(file('a,b\r1,"x\ry"\r2,z\r')) == {"a": [1, 2], "b": ["x\ry", "z"]}


def test_a_header_may_have_a_byte_order_mark_quotes_and_line_breaks(file):
    assert read(file('\ufeff"a\nb", c \n1,2\n')) == {"a\nb": [1], "c": [2]}


def test_headers_of_two_lines_are_joined_and_span_to_the_right(file):
    path = file(",2023,,2024,\nid,boys,girls,boys,girls\n1,2,3,4,5\n")
    assert list(read(path, header=2)) == [
        *("id", "2023 boys", "2023 girls", "2024 boys", "2024 girls"),
    ]


def test_lines_before_and_below_the_table_and_comments_are_no_records(file):
    text = "Report\nof May\n\na,b\n# checked\n1,2\n3,4\n\nTotal,6\nSource: us\n"
    assert read(file(text), skip=2, footer=2, comment="#") == {"a": [1, 3], "b": [2, 4]}


def test_a_footer_that_reads_as_a_record_is_not_cut_off(file):
    told = error(file("a,b\n1,2\n3,4\n"), footer=1)
    assert told.code == "U122"
    assert "reads as a record" in told.what


def test_more_lines_skipped_than_there_are_is_said(file):
    assert error(file("a,b\n1,2\n"), skip=5).code == "U122"


def test_names_are_declared_for_columns_without_or_with_equal_ones(file):
    twins = file("a,b,A\n1,2,3\n", "twins.csv")
    told = error(twins)
    assert told.code == "U120"
    assert "Columns 1 and 3" in told.what
    assert "names: [...]" in told.fix
    assert read(twins, names=["a", "b", "c"]) == {"a": [1], "b": [2], "c": [3]}
    assert read(file("1,2\n3,4\n"), header=0, names=["x", "y"]) == {"x": [1, 3], "y": [2, 4]}
    assert list(read(file("1,2\n3,4\n"), header=0)) == ["column_1", "column_2"]
    assert error(twins, names=["a", "b"]).code == "U124"
    assert error(file("_row,b\n1,2\n")).code == "U120"
    assert error(file("a,_Piece\n1,2\n")).code == "U120"


def test_columns_without_a_name_get_one_and_it_is_said(file):
    path = file(",x\n1,5\n2,6\n")
    assert list(read(path)) == ["unnamed_1", "x"]
    assert [f.code for f in findings(path)] == ["U018"]


def test_a_first_line_of_data_is_not_made_the_header_nor_shown(file):
    path = file("4711,2023-05-01,Amina\n4712,2023-05-02,Joseph\n")
    told = error(path)
    assert told.code == "U121"
    assert "Amina" not in str(told)
    assert "4711" not in str(told)
    assert len(read(path, header=0, names=["id", "day", "who"])["id"]) == 2
    missing = error(path, header=1, types={"age": "integer"})
    assert "Amina" not in str(missing)


@pytest.mark.parametrize(
    ("text", "seen"),
    [
        ("place,2024,\n,cases,deaths\nN,5,1\nS,7,0\n", "columns 2, 3"),
        ("place,n,day\nname,count,of report\nN,5,2024-01-02\nS,7,2024-02-02\n", "columns 2, 3"),
        ("place,2024,\n,cases,note\nN,5,a\nS,7,b\n", "column 2"),
    ],
)
def test_a_second_heading_line_is_not_made_a_row(text, seen, file):
    told = error(file(text))
    assert told.code == "U044"
    assert f"the line below reads as a heading, too, above the values of {seen}" in told.what
    assert "line 1 of" in told.where
    assert "declare header: 2" in told.fix
    lines = text.count("\n")
    assert len(next(iter(read(file(text), header=1).values()))) == lines - 1  # taken at its word
    assert len(next(iter(read(file(text), header=2).values()))) == lines - 2


@pytest.mark.parametrize(
    "text",
    [
        "name,n\nAda,pending\nBob,2\nCy,3\nDi,4\n",
        "name,n,m\nAda,n/a,-\nBob,2,1\nCy,3,1\nDi,4,1\n",
        "name,n,m\nAda,,\nBob,2,1\nCy,3,1\n",
        "name,place\nAda,North\nBob,South\nCy,East\n",
        "name,,n\nAda,x,1\nBob,y,2\nCy,z,3\n",
    ],
)
def test_a_first_record_with_a_few_words_is_no_heading(text, file):
    assert len(read(file(text))["name"]) == text.count("\n") - 1


def test_words_in_columns_of_a_known_type_are_held_one_by_one(file):
    path = file("place,n,m\nN,late,late\nS,2,3\nW,4,5\nE,6,7\n")
    types = {"n": "integer", "m": "integer"}
    assert error(path).code == "U044"
    assert [(row, code) for row, _, code, _ in held(path, types=types)] == [(1, "U033")] * 2


def test_years_and_counts_are_names_of_columns(file):
    assert list(read(file("place,2019,2020\nx,1,2\n"))) == ["place", "2019", "2020"]
    assert list(read(file(",0,1,2\nx,1,2,5\n"))) == ["unnamed_1", "0", "1", "2"]


# -- held --------------------------------------------------------------------------------------


def test_ragged_records_are_held_with_number_and_text_and_the_others_go_on(file):
    path = file('a,b\n"x\ny",1\n1,2,3\n4,5\n6\n')
    assert held(path) == [(2, None, "U030", "1,2,3"), (4, None, "U030", "6")]
    assert read(path) == {"a": ["x\ny", "4"], "b": [1, 5]}


def test_ends_that_are_left_out_or_added_count_as_empty_where_declared(file):
    path = file("a,b,c\n1,2\n3\n4,5,6,,\n7,8,9,x\n")
    assert read(path, loose_ends=True) == {
        "a": [1, 3, 4],
        "b": [2, None, 5],
        "c": [None, None, 6],
    }
    assert held(path, loose_ends=True) == [(4, None, "U030", "7,8,9,x")]


@pytest.mark.parametrize("where", [0, 500, 1999])
def test_a_bad_record_anywhere_costs_no_other(file, monkeypatch, where):
    monkeypatch.setattr(records, "BLOCK", 500)
    lines = [f"{n},n{n}" for n in range(2000)]
    lines.insert(where, "too,many,cells")
    path = file("\n".join(["a,b", *lines]))
    rows, made = staged(path, kind="csv")
    assert made.held[ROW].to_pylist() == [where + 1]
    assert rows["a"].to_pylist() == list(range(2000))
    assert rows[ROW].to_pylist() == [n for n in range(1, 2002) if n != where + 1]


def test_an_open_quote_holds_its_line_and_swallows_no_other(file):
    path = file('a,b\n1,x\n2,"y\n3,z\n4,"w"\n5,"u"v\n6,5" pipe\n')
    assert held(path) == [(2, None, "U031", '2,"y'), (5, None, "U031", '5,"u"v')]
    assert read(path)["b"] == ["x", "z", "w", '5" pipe']
    assert read(file('a\tb\n"x\t1\n'), quote="", delimiter="\t")["a"] == ['"x']
    assert "quotes do not close" in error(file('"a,b\n1,2\n'), delimiter=",").what


def test_escaped_quotes_are_read_where_declared(file):
    path = file('a,b\n"say \\"no\\", twice",1\n')
    assert read(path, escape="\\")["a"] == ['say "no", twice']


def test_unreadable_bytes_hold_their_record_and_are_shown(file):
    good = "".join(f"Gödel {n},1\n" for n in range(50)).encode()
    path = file(b"a,b\n" + good + b"J\xfcrgen,2\nx\0y,3\n")
    assert held(path) == [
        (51, None, "U032", r"J\xfcrgen,2"),
        (52, None, "U032", r"x\x00y,3"),
    ]


def test_bytes_that_a_declared_encoding_lacks_hold_their_record(file):
    path = file(b"a,b\n" + b"J\xfcrgen,1\n" * 200 + b"x\x81y,2\n")
    rows, made = staged(path, kind="csv", encoding="cp1252")
    assert made.held["raw"].to_pylist() == [r"x\x81y,2"]
    assert set(rows["a"].to_pylist()) == {"Jürgen"}


def test_a_cell_that_does_not_fit_holds_its_record_once(file):
    path = file("a,b\n1,2\nx,y\n,3\n5,z\n")
    rows, made = staged(path, kind="csv", given={"a": "integer", "b": "number"})
    assert rows.drop_columns([ROW]).to_pydict() == {"a": [1, None], "b": [2.0, 3.0]}
    assert made.came == 4
    assert [tuple(line.values()) for line in made.held.to_pylist()] == [
        (2, "a", "U033", "x"),
        (2, "b", "U033", "y"),
        (4, "b", "U033", "z"),
    ]


def test_records_without_any_value_are_kept_and_counted(file):
    path = file("a,b\n1,2\n,\n , \n3,4\n")
    assert read(path)["a"] == [1, None, None, 3]
    assert [(f.code, f.evidence["records"]) for f in findings(path)] == [("U037", 2)]


@pytest.mark.parametrize(
    ("text", "declared"),
    [
        ("a,b\n1,2\n3,4\n", {}),
        ("top\n\na,b\n1,2\n3,4\n", {"skip": 2}),
        ("a,b\n1,2\n\n3,4\n\n\n5,6\n7,8", {}),
        ("a,b\n\n1,2\n3,4\n", {}),
        ("a,b\n\n1,2\n\n3,4\n\n5,6\n\n7,8\n\n", {}),
        ("a,b\r\n1,2\r\n\r\n3,4\r\n", {}),
        ('a,b\n1,"x\ny"\n3,4\n5,"x\n\ny\n"\n6,7\n', {}),
        ('a,b\n1,x "y" z\n\n3,"x\ny"\n5,6\n', {}),
        ("a,b\n1,2\n1,2,3\n\n3,4", {}),
        ("a,b\n# no\n1,2\n# no\n\n3,4\n", {"comment": "#"}),
        ("a,b\n1,2\n   \n3,4\n", {}),
        ("a\n1\n\n3\n", {}),
        ("a,b\n" + "1,2\n3,4\n\n" * 9 + '5,"\n"\n' * 9 + "6,7", {}),
    ],
)
@pytest.mark.parametrize("small", [False, True], ids=["whole", "in small blocks"])
def test_each_record_is_found_by_the_line_it_begins_in(file, text, declared, small, monkeypatch):
    monkeypatch.setattr(records, "BLOCK", 7 if small else 1 << 20)
    monkeypatch.setattr(records, "_WIDE", 1)
    rows, made = staged(file(text), kind="csv", **declared)
    numbers = sorted([*rows[ROW].to_pylist(), *made.held[ROW].to_pylist()])
    said = [place_of(number, json.loads(json.dumps(made.how))) for number in numbers]
    assert said == [f"line {line}" for line in begun(text, declared)]


def begun(text, declared):
    """Return the lines, from 1, in which records begin: told by Python's own reader."""
    lines = text.splitlines(keepends=True)
    at, found = declared.get("skip", 0), []
    while at < len(lines):
        taken = 0

        def following(at=at):
            nonlocal taken
            for line in lines[at:]:
                taken += 1
                yield line

        cells = next(csv.reader(following()))
        blank = not "".join(cells).strip() and lines[0] != "a\n"
        if not blank and not lines[at].startswith(declared.get("comment", "\0")):
            found.append(at + 1)
        at += taken
    return found[1:]


def test_lines_are_told_as_far_as_they_are_kept(file, monkeypatch):
    monkeypatch.setattr(places, "_MOST", 2)
    _, made = staged(file("a,b\n1,2\n\n3,4\n5,6\n\n\n7,8\n9,1\n"), kind="csv")
    assert [place_of(row, made.how) for row in range(1, 6)] == [
        "line 2",
        "line 4",
        "line 5",
        "line 8",
        "record 5",
    ]


def test_every_second_line_blank_is_one_thing_to_keep(file):
    _, made = staged(file("a,b\n" + "1,2\n\n" * 5000), kind="csv")
    assert made.how["starts"] == [[1, 2, 2]]


# -- the file as a whole -----------------------------------------------------------------------


def test_a_wrong_encoding_names_the_byte(file):
    path = file("name,n\nJürgen,1\n", encoding="cp1252")
    told = error(path)
    assert (told.code, "byte 8" in told.what) == ("U102", True)
    assert "encoding: cp1252" in told.fix
    assert read(path, encoding="cp1252")["name"] == ["Jürgen"]


def test_utf16_is_recognised_and_unknown_encodings_refused(file):
    path = file("a,b\n1,ä\n", encoding="utf-16")
    assert "utf-16" in error(path).fix
    assert read(path, encoding="utf-16") == {"a": [1], "b": ["ä"]}
    assert 'Unknown encoding "utf-9"' in error(path, encoding="utf-9").what
    assert read(file("\ufeffa\n1\n", encoding="utf-16-le"), encoding="utf-16-le") == {"a": [1]}


@pytest.mark.parametrize(
    ("data", "says", "code"),
    [
        ("", "is empty", "U103"),
        ("\n \n", "is empty", "U103"),
        ("a,b\n", "a header and no rows", "U103"),
        ("a;b,c|d\n1;2,3|4,5\n", "cannot be decided", "U102"),
        ("Report of May\n\na,b\n1,2\n", "cannot be decided", "U102"),
        ("a,b,c\n1,2\n3,4\n", "2 of 2 records of f.csv do not have the 3 cells", "U122"),
        ('a,b\n"1,2\n"3,4\n', "2 of 2 records of f.csv have quotes", "U122"),
    ],
)
def test_what_is_no_table_is_refused(file, data, says, code):
    told = error(file(data))
    assert says in told.what
    assert told.code == code


def test_a_table_in_another_layout_is_given_up_early(file, monkeypatch):
    monkeypatch.setattr("qua3ck.understand.sources.csvfile._MANY", 100)
    path = file("a;b\n" + "x;y\n" * 1000)
    told = error(path, given={"a": "number"})
    assert told.code == "U122"
    assert "most for a" in told.what


PACKERS: dict[str, Callable[[bytes], bytes]] = {
    "gz": gzip.compress,
    "bz2": bz2.compress,
    "xz": lzma.compress,
    "zst": lambda data: pa.compress(data, "zstd", asbytes=True),
}


@pytest.mark.parametrize("kind", PACKERS)
def test_packed_files_are_read_and_a_cut_one_is_refused(file, kind):
    text = ("a,b\n" + "".join(f"{n},x{n * n}\n" for n in range(5000))).encode()
    packed = PACKERS[kind](text)
    rows, made = staged(file(packed, f"f.csv.{kind}"), kind="csv")
    assert rows.num_rows == 5000
    assert made.how["packed"] != ""
    told = error(file(packed[: len(packed) // 2], f"cut.csv.{kind}"))
    assert told.code == "U123"


def test_a_zip_holds_one_file(file):
    def zipped(*names: str) -> bytes:
        into = io.BytesIO()
        with zipfile.ZipFile(into, "w") as archive:
            for name in names:
                archive.writestr(name, "a,b\n1,2\n")
        return into.getvalue()

    assert read(file(zipped("x.csv"), "x.zip")) == {"a": [1], "b": [2]}
    assert "2 files" in error(file(zipped("x.csv", "y.csv"), "xy.zip")).what
    assert error(file(zipped("x.csv")[:40], "z.zip")).code == "U123"


def test_a_wide_row_and_a_long_cell_are_read(file, monkeypatch):
    monkeypatch.setattr(records, "BLOCK", 1000)
    path = file("a," + ",".join(f"c{n}" for n in range(3000)) + "\n" + "7" + ",5" * 3000 + "\n")
    assert len(read(path)) == 3001
    assert read(file('a,b\n"' + "x\n" * 5000 + '",1\n2,3\n'))["b"] == [1, 3]


def test_a_file_without_line_ends_is_given_up(file, monkeypatch):
    monkeypatch.setattr(records, "BLOCK", 1000)
    monkeypatch.setattr(records, "LONGEST", 5000)
    monkeypatch.setattr(encoding, "CHUNK", 2000)
    assert error(file("a,b\n1,2\n" + "x" * 600_000), delimiter=",").code == "U122"


def test_a_full_disk_is_said(file, monkeypatch):
    def full(*_: Any, **__: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("pyarrow.parquet.ParquetWriter.write_table", full)
    assert "No space left" in error(file("a\n1\n")).what


def test_a_missing_file_names_the_nearest_one(tmp_path):
    from qua3ck.understand.section import Source
    from qua3ck.understand.sources.pieces import local_pieces

    (tmp_path / "loans.csv").write_text("a\n1\n")
    with pytest.raises(Qua3ckError, match=r'did you mean "loans.csv"') as told:
        local_pieces(Source(kind="csv", path="loan.csv"), tmp_path, place="s")
    assert told.value.code == "U101"


# -- what others write comes back --------------------------------------------------------------

cell = st.text(st.characters(codec="utf-8", exclude_categories=["Cs", "Cc"]), max_size=6)
odd = st.text(st.sampled_from('ab ,;"\n\r\té'), max_size=6)


@given(st.lists(st.tuples(cell, cell), min_size=1, max_size=8))
def test_every_row_and_text_cell_that_pandas_writes_comes_back(tmp_path_factory, rows):
    path = tmp_path_factory.mktemp("csv") / "f.csv"
    frame = pd.DataFrame(rows, columns=["a", "b"])
    path.write_text(frame.to_csv(index=False), encoding="utf-8", newline="")
    got = read(path, delimiter=",", types={"a": "string", "b": "string"})
    for name in ("a", "b"):
        assert [text or "" for text in got[name]] == [
            text if text.strip() else "" for text in frame[name]
        ]


@settings(max_examples=60, deadline=None)
@given(
    rows=st.lists(st.tuples(odd, odd, odd), min_size=1, max_size=6),
    mark=st.sampled_from(",;\t|^"),
    ends=st.sampled_from(["\n", "\r\n", "\r"]),
    code=st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "cp1252", "utf-32"]),
    block=st.sampled_from([1, 7, 50, 1 << 20]),
)
@example(rows=[("", "", "")], mark=",", ends="\r", code="utf-8", block=1)
def test_any_dialect_that_the_csv_module_writes_comes_back(
    tmp_path_factory, rows, mark, ends, code, block
):
    path = tmp_path_factory.mktemp("csv") / "f.csv"
    with path.open("w", encoding=code, newline="") as out:
        writer = csv.writer(out, delimiter=mark, lineterminator=ends, quoting=csv.QUOTE_ALL)
        writer.writerows([("x", "y", "z"), *rows])
    words = dict.fromkeys("xyz", "string")
    declared = code.removesuffix("-sig")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(records, "BLOCK", block)
        patch.setattr(records, "_WIDE", 1)
        got = read(path, delimiter=mark, encoding=declared, types=words)
    back = list(zip(*got.values(), strict=True))
    assert back == [tuple(cell if cell.strip() else None for cell in row) for row in rows]


@needs_sheets
@pytest.mark.parametrize(
    ("name", "declared", "rows", "held_rows"),
    [
        ("bad.csv", {}, 1, 2),
        ("mac_newlines.csv", {}, 2, 0),
        ("test_utf8_bom.csv", {}, 2, 0),
        ("test_latin1.csv", {"encoding": "latin-1"}, 2, 0),
        ("test_utf16_big.csv", {"encoding": "utf-16"}, 2, 0),
        ("dummy.csv.bz2", {}, 1, 0),
        ("test_locale.csv", {"decimal": ",", "thousands": "."}, 1, 0),
        ("test_date_format.csv", {"dates": {"a": ["%d/%m/%Y"]}}, 2, 0),
        ("realdata/ks_1033_data.csv", {}, 1575, 0),
    ],
)
def test_csvkits_examples_are_read(name, declared, rows, held_rows):
    table, made = staged(SHEETS / "csvkit" / name, kind="csv", **declared)
    assert (table.num_rows, made.held.num_rows) == (rows, held_rows)


@needs_sheets
def test_a_file_of_one_zero_byte_record_is_refused():
    assert error(SHEETS / "csvkit" / "null_byte.csv").code == "U122"


NASTY = [
    "x; DROP TABLE rows; --",
    "' OR 1=1 --",
    "a\") FROM read_text('/etc/passwd') --",
    "$(touch here)",
    "{{ 7 * 7 }}",
    "../../up",
    "%s %d",
]


def test_names_that_look_like_commands_are_names(file, tmp_path):
    text = io.StringIO(newline="")
    csv.writer(text).writerows([NASTY, range(len(NASTY))])
    path = file(text.getvalue(), name="it's [1] $(x) ;.csv")
    want = {name: [at] for at, name in enumerate(NASTY)}
    assert read(path, delimiter=",") == want
    warehouse = Warehouse(tmp_path)
    rows, _ = staged(path, kind="csv", delimiter=",")
    warehouse.append("silver/s", rows, known=datetime(2026, 1, 1, tzinfo=UTC))
    got = warehouse.current("silver/s", by=[NASTY[0]])
    assert {name: got[name].to_pylist() for name in NASTY} == want
    assert [one.name for one in tmp_path.iterdir() if one.name == "here"] == []


@pytest.mark.skipif(not Path("/proc/self/status").is_file(), reason="told by Linux only")
def test_wide_rows_are_streamed(tmp_path):
    """Records of a megabyte take no more memory, however many they are."""
    child = (
        "import sys; from pathlib import Path\n"
        "from qua3ck.understand.section import Source\n"
        "from qua3ck.understand.sources.csvfile import stage_csv\n"
        "from qua3ck.understand.sources.pieces import Piece\n"
        "path = Path(sys.argv[1])\n"
        "source = Source(kind='csv', path=path.name, delimiter=',')\n"
        "piece = Piece(path.name, '', path, path.stat().st_size)\n"
        "made = stage_csv(piece, source, types=None, into=path.parent, place='s')\n"
        "lines = Path('/proc/self/status').read_text().splitlines()\n"
        "print(made.came, next(l.split()[1] for l in lines if l.startswith('VmHWM')))\n"
    )
    peaks = []
    for count in (60, 360):
        path = tmp_path / "wide.csv"
        row = ",".join(f"{'word ' * 1000}{n}" for n in range(200))
        with path.open("w") as handle:
            handle.write(",".join(f"c{n}" for n in range(200)) + "\n")
            handle.writelines(f"{row}\n" for _ in range(count))
        command = [sys.executable, "-c", child, str(path)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        came, peak = map(int, done.stdout.split())
        assert came == count
        peaks.append(peak / 1024)
        path.unlink()
    assert peaks[1] < 1.2 * peaks[0] + 50, peaks
