from __future__ import annotations

import csv
import datetime as dt
import io
import math
import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from openpyxl import Workbook
from openpyxl.utils.datetime import CALENDAR_MAC_1904
from staging import SHEETS, columns, needs_sheets, refused, staged

from qua3ck.kit.errors import Qua3ckError

DAY = dt.date(2024, 2, 29)
at = dt.datetime.fromisoformat


def saved(path, *sheets, merged=(), epoch=None, hidden=()):
    """Write sheets, each a name and its lines; return the file."""
    book = Workbook()
    book.remove(book.active)
    if epoch is not None:
        book.epoch = epoch
    for name, lines in sheets:
        sheet = book.create_sheet(name)
        for line in lines:
            sheet.append(line)
        for cells in merged:
            sheet.merge_cells(cells)
        if name in hidden:
            sheet.sheet_state = "hidden"
    book.save(path)
    return path


def read(path, **declared):
    return columns(path, kind="excel", **declared)


def one(path, lines, **declared):
    return read(saved(path / "a.xlsx", ("Data", lines)), **declared)


# -- cells --------------------------------------------------------------------------------------


def test_cells_come_as_what_they_are(tmp_path):
    made = one(
        tmp_path,
        [
            ["whole", "number", "text", "flag", "day", "moment", "code", "clock"],
            [1, 1.5, "Ada ", True, DAY, at("2024-02-29T13:05"), "007", dt.time(8, 30)],
            [2**53, 2, "Bob", False, None, at("2024-03-01T00:00"), "12", dt.timedelta(hours=30)],
        ],
    )
    assert made == {
        "whole": [1, 2**53],
        "number": [1.5, 2.0],
        "text": ["Ada", "Bob"],
        "flag": [True, False],
        "day": [DAY, None],
        "moment": [at("2024-02-29T13:05"), at("2024-03-01T00:00")],
        "code": ["007", "12"],
        "clock": ["08:30:00", "30:00:00"],
    }


def test_numbers_that_are_text_are_read_as_text_is(tmp_path):
    lines = [["a", "b"], ["1.234,5", 1.5], ["2,5", 2000]]
    assert one(tmp_path, lines, decimal=",", thousands=".") == {
        "a": [1234.5, 2.5],
        "b": [1.5, 2000.0],
    }


def test_a_declared_type_holds_what_does_not_fit(tmp_path):
    path = saved(tmp_path / "a.xlsx", ("Data", [["a", "b"], [1, "x"], ["n/a", "y"], [3, "z"]]))
    rows, made = staged(path, kind="excel", given={"a": "integer"})
    assert rows.to_pydict() == {"a": [1, 3], "b": ["x", "z"], "_row": [1, 3]}
    assert made.held.to_pylist() == [{"_row": 2, "column": "a", "code": "U033", "raw": "n/a"}]
    assert refused(path, kind="excel", types={"aa": "integer"}).what.startswith('No column "aa"')


@pytest.mark.parametrize(
    ("epoch", "serials", "days"),
    [
        (None, [1, 59, 61, 45351], ["1900-01-01", "1900-02-28", "1900-03-01", "2024-02-29"]),
        (CALENDAR_MAC_1904, [0, 43889], ["1904-01-01", "2024-02-29"]),
    ],
)
def test_numbers_that_count_days_become_dates_where_dates_are_declared(
    tmp_path, epoch, serials, days
):
    lines = [["day", "n"], *([serial, 0] for serial in serials)]
    path = saved(tmp_path / "a.xlsx", ("Data", lines), epoch=epoch)
    assert [str(day) for day in read(path, types={"day": "date"})["day"]] == days
    assert read(path)["day"] == serials


def test_the_29th_of_february_1900_is_held_because_it_never_was(tmp_path):
    path = saved(tmp_path / "a.xlsx", ("Data", [["d"], [60], [61], [61.25], [-3]]))
    rows, made = staged(path, kind="excel", types={"d": "date"})
    assert rows["_row"].to_pylist() == [2]
    assert [line["_row"] for line in made.held.to_pylist()] == [1, 3, 4]
    moments = staged(path, kind="excel", types={"d": "timestamp"})[0]["d"].to_pylist()
    assert moments == [at("1900-03-01T00:00"), at("1900-03-01T06:00")]


def test_dates_of_either_system_are_the_same_days(tmp_path):
    lines = [["d"], [DAY], [dt.date(1999, 12, 31)]]
    both = [
        read(saved(tmp_path / f"{i}.xlsx", ("Data", lines), epoch=epoch))
        for i, epoch in enumerate((None, CALENDAR_MAC_1904))
    ]
    assert both[0] == both[1] == {"d": [DAY, dt.date(1999, 12, 31)]}


def test_a_record_with_a_formula_error_is_held_and_never_an_empty_cell(tmp_path):
    lines = [["a", "b"], [1, 2], ["#DIV/0!", 3], [4, "=1+1"], [5, 6]]
    path = saved(tmp_path / "a.xlsx", ("Data", lines))
    rows, made = staged(path, kind="excel")
    assert rows.to_pydict() == {"a": [1, 5], "b": [2, 6], "_row": [1, 4]}
    assert made.held.to_pylist() == [
        {"_row": 2, "column": "a", "code": "U040", "raw": "#DIV/0!"},
        {"_row": 3, "column": "b", "code": "U040", "raw": "formula without a value"},
    ]
    assert made.how["formula errors"] == 2


@pytest.mark.parametrize("declared", [{"null": ["#DIV/0!"]}, {"nulls": {"a": ["#DIV/0!"]}}])
def test_an_error_that_is_declared_as_no_value_is_none(tmp_path, declared):
    lines = [["a", "b"], [1, 2], ["#DIV/0!", 3]]
    assert one(tmp_path, lines, **declared) == {"a": [1, None], "b": [2, 3]}


value = st.one_of(
    st.none(),
    st.integers(-(2**53), 2**53),
    st.floats(-1e300, 1e300).map(lambda number: float(f"{number:.14g}")),
    st.booleans(),
    st.text(st.characters(min_codepoint=32, max_codepoint=0x2FFF, categories=["L", "N", "P"])),
    st.datetimes(at("1900-03-01T00:00"), at("9999-12-30T00:00")).map(
        lambda moment: moment.replace(microsecond=0)
    ),
)


@settings(deadline=None, max_examples=15)
@given(st.lists(st.tuples(value, value), min_size=1, max_size=6))
def test_what_openpyxl_writes_comes_back_cell_by_cell(tmp_path_factory, lines):
    path = tmp_path_factory.mktemp("x") / "a.xlsx"
    # header: declared, as a word above two numbers would be asked about
    text = {"types": {"a": "string", "b": "string"}, "header": 1}
    lines = [pair for pair in lines if any(_shown(cell) for cell in pair)] or [(1, 2)]
    saved(path, ("Data", [["a", "b"], *[[_plain(cell) for cell in pair] for pair in lines]]))
    rows, made = staged(path, kind="excel", **text)
    faulty = {line["_row"] for line in made.held.to_pylist()}
    assert all(str(lines[row - 1]).count("#") for row in faulty)
    got = {row["_row"]: (row["a"] or "", row["b"] or "") for row in rows.to_pylist()}
    for number, pair in enumerate(lines, 1):
        if number not in faulty:
            assert got[number] == tuple(_shown(cell) for cell in pair)


def _plain(cell):
    """Keep texts texts: openpyxl makes formulas of those that begin like one."""
    return cell.lstrip("=") if isinstance(cell, str) else cell


def _shown(cell) -> str:
    match cell:
        case None:
            return ""
        case bool():
            return str(cell).lower()
        case dt.datetime():
            midnight = cell.time() == dt.time(0)
            return cell.date().isoformat() if midnight else cell.isoformat()
        case float():
            return str(int(cell)) if cell.is_integer() and abs(cell) < 2**63 else repr(cell)
        case _:
            return str(_plain(cell)).strip()


# -- sheets -------------------------------------------------------------------------------------


def test_the_only_sheet_with_rows_is_read_and_it_is_said(tmp_path):
    sheets = [("Cover", []), ("Data", [["a"], [1]]), ("lists", [["x"], ["y"]])]
    path = saved(tmp_path / "a.xlsx", *sheets, hidden={"lists"})
    rows, made = staged(path, kind="excel")
    assert rows["a"].to_pylist() == [1]
    assert [finding.code for finding in made.findings] == ["U042"]
    assert '"Data"' in made.findings[0].says
    assert 'hidden: "lists"' in made.findings[0].says
    assert made.how["sheet"] == "Data"
    assert read(path, sheet="lists") == {"x": ["y"]}


def test_several_sheets_with_rows_are_named(tmp_path):
    sheets = [("Jan", [["a"], [1]]), ("Feb", [["a"], [2]]), ("x", [["a"], [3]])]
    path = saved(tmp_path / "a.xlsx", *sheets, hidden={"x"})
    told = refused(path, kind="excel")
    assert told.code == "U128"
    assert '"Jan", "Feb" (hidden: "x")' in told.what
    assert told.fix.endswith('sheet: "Jan"')
    assert read(path, sheet="Feb") == {"a": [2]}
    assert read(path, sheet=2) == {"a": [2]}


@pytest.mark.parametrize(
    ("wanted", "says"), [("Fab", "no sheet 'Fab'; did you mean \"Feb\""), (3, "no sheet 3")]
)
def test_a_sheet_that_is_not_there_is_told_with_those_that_are(tmp_path, wanted, says):
    path = saved(tmp_path / "a.xlsx", ("Jan", [["a"], [1]]), ("Feb", [["a"], [2]]))
    told = refused(path, kind="excel", sheet=wanted)
    assert says in told.what
    assert "Jan, Feb; or a number from 1 to 2" in told.fix


@pytest.mark.parametrize(
    ("cells", "expected"),
    [
        ("B2:C4", {"a": [1, 2], "b": ["x", "y"]}),
        ("b2:c", {"a": [1, 2, 9], "b": ["x", "y", "z"]}),
        ("$B$2:$B$3", {"a": [1]}),
        ("2:3", {"unnamed_1": ["l"], "a": [1], "b": ["x"], "c": [True]}),
        ("C2", {"b": ["x", "y", "z"], "c": [True, False, True]}),
        ("B:B", {"title": ["a", "1", "2", "9"]}),
    ],
)
def test_a_range_chooses_cells_as_a_spreadsheet_names_them(tmp_path, cells, expected):
    lines = [
        [None, "title", None, None],
        [None, "a", "b", "c"],
        ["l", 1, "x", True],
        ["l", 2, "y", False],
        [None, 9, "z", True],
    ]
    assert one(tmp_path, lines, range=cells) == expected


@pytest.mark.parametrize("cells", ["", "ä1", "B2:A1", "A1:B2:C3", "5-9"])
def test_what_is_no_range_is_refused(tmp_path, cells):
    path = saved(tmp_path / "a.xlsx", ("Data", [["a"], [1]]))
    told = refused(path, kind="excel", range=cells)
    assert (told.code, told.where) == ("U128", "understand.sources.s.range")


# -- headings -----------------------------------------------------------------------------------


def test_a_merged_heading_stands_above_all_its_columns(tmp_path):
    lines = [["Place", "2023", None, "2024", "Note"], [None, "boys", "girls", "boys", None]]
    path = saved(
        tmp_path / "a.xlsx", ("Data", [*lines, ["Ada", 1, 2, 3, "x"]]), merged=["B1:C1", "A1:A2"]
    )
    assert read(path, header=2) == {
        "Place": ["Ada"],
        "2023 boys": [1],
        "2023 girls": [2],
        "2024 boys": [3],
        "Note": ["x"],
    }


GROUPED = [
    ["district", "2023", None, "2024", None],
    [None, "cases", "deaths", "cases", "deaths"],
    *([name, n, 0, n + 1, 1] for n, name in enumerate(("North", "South", "East", "West"))),
]


@pytest.mark.parametrize(
    ("lines", "merged", "seen", "typed"),
    [
        (GROUPED, ("B1:C1", "D1:E1"), "line 1 has merged cells (B1:C1, D1:E1)", "header: 2"),
        (GROUPED, ("B1:C1",), "line 2 reads as a heading, too, above the values of", "header: 2"),
        (GROUPED, (), "columns B, C, D, E", "header: 2"),
        (GROUPED[:1] + GROUPED[2:], ("A1:A2",), "(A1:A2)", "header: 2"),
        ([["Stock in May"], *GROUPED[1:]], (), "columns B, C, D, E", "skip: 1"),
        ([["Stock in May"], ["a", "b"], ["x", "y"], ["z", "w"]], ("A1:B1",), "A1:B1", "skip: 1"),
        (
            [["name", None, None], [None, 2023, 2024], ["x", 5, 6], ["y", 7, 8], ["z", 8, 9]],
            (),
            "columns B, C",
            "header: 2",
        ),
    ],
)
def test_a_heading_of_more_lines_than_are_declared_is_held_and_said(
    lines, merged, seen, typed, tmp_path
):
    path = saved(tmp_path / "a.xlsx", ("Data", lines), merged=merged)
    told = refused(path, kind="excel")
    assert told.code == "U044"
    assert seen in told.what
    assert typed in told.fix
    assert columns(path, kind="excel", header=1)  # declared, it is taken at its word


def test_declared_as_it_says_a_heading_of_two_lines_is_read(tmp_path):
    path = saved(tmp_path / "a.xlsx", ("Data", GROUPED), merged=("B1:C1", "D1:E1"))
    made = read(path, header=2)
    assert made["2023 deaths"] == [0, 0, 0, 0]
    assert made["district"] == ["North", "South", "East", "West"]


@pytest.mark.parametrize(
    "lines",
    [
        [["name", "n"], ["Ada", "pending"], ["Bob", 2], ["Cy", 3], ["Di", 4]],
        [["name", "n", "m"], ["Ada", "n/a", "-"], ["Bob", 2, 1], ["Cy", 3, 1], ["Di", 4, 1]],
        [["name", "n", "m"], ["Ada", None, None], ["Bob", 2, 1], ["Cy", 3, 1], ["Di", 4, 1]],
        [["name", "place"], ["Ada", "North"], ["Bob", "South"], ["Cy", "East"]],
        [["name", None, "n"], ["Ada", "x", 1], ["Bob", "y", 2], ["Cy", "z", 3]],
    ],
)
def test_a_row_with_a_few_words_is_no_heading(lines, tmp_path):
    assert len(one(tmp_path, lines)["name"]) == len(lines) - 1


def test_merged_cells_in_the_rows_are_none_of_the_heading(tmp_path):
    lines = [["name", "n"], ["Ada", 1], [None, 2], ["Cy", 3]]
    path = saved(tmp_path / "a.xlsx", ("Data", lines), merged=("A2:A3",))
    assert read(path)["n"] == [1, 2, 3]


def test_lines_above_and_below_the_table_are_left_out_and_counted(tmp_path):
    lines = [["Report"], [None], ["a", "b"], [1, 2], [None], [3, 4], ["Source: WHO"], ["p. 1"]]
    path = saved(tmp_path / "a.xlsx", ("Data", lines))
    rows, made = staged(path, kind="excel", skip=2, footer=2)
    assert rows.to_pydict() == {"a": [1, 3], "b": [2, 4], "_row": [1, 2]}
    assert made.how["lines"] == {
        "all": 8,
        "skipped": 2,
        "blank": 1,
        "footer": 2,
        "heading": 1,
        "records": 2,
    }


def test_a_column_without_a_heading_is_kept_and_said(tmp_path):
    path = saved(tmp_path / "a.xlsx", ("Data", [["a", None, "c", None], [1, 2, 3, None]]))
    rows, made = staged(path, kind="excel")
    assert rows.column_names == ["a", "unnamed_2", "c", "_row"]
    assert [finding.code for finding in made.findings] == ["U018"]


def test_declared_names_take_the_place_of_headings(tmp_path):
    lines = [["x", "x"], [1, 2]]
    path = saved(tmp_path / "a.xlsx", ("Data", lines))
    assert read(path, names=["a", "b"]) == {"a": [1], "b": [2]}
    assert refused(path, kind="excel").what == 'The sheet has two columns called "x"'
    assert "3 names" in refused(path, kind="excel", names=["a", "b", "c"]).what
    assert one(tmp_path, [[1, 2]], header=0) == {"column_1": [1], "column_2": [2]}


# -- files --------------------------------------------------------------------------------------


@needs_sheets
@pytest.mark.parametrize("ending", ["xlsx", "xls", "xlsb", "ods"])
def test_a_locked_workbook_says_what_to_do(ending):
    told = refused(SHEETS / "calamine" / f"password.{ending}", kind="excel")
    assert told.code == "U127"
    assert "save a copy without the password" in told.fix


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "is empty"),
        (b"a,b\n1,2\n", "is text inside"),
        (b"\x00\x01\xff\xfe" * 50, "is no workbook inside"),
        (b"PK\x03\x04 cut off", "is damaged or no workbook"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1 cut off", "is damaged or no workbook"),
    ],
)
def test_what_is_no_workbook_is_refused_by_its_content(tmp_path, content, says):
    (tmp_path / "a.xlsx").write_bytes(content)
    told = refused(tmp_path / "a.xlsx", kind="excel")
    assert says in told.what
    assert told.code == "U129"


@pytest.mark.parametrize(
    ("lines", "says"), [([], "has no rows in its 1 sheets"), ([["a"]], "has a heading and no rows")]
)
def test_an_empty_sheet_never_counts_as_loaded(tmp_path, lines, says):
    told = refused(saved(tmp_path / "a.xlsx", ("Data", lines)), kind="excel")
    assert says in told.what
    assert told.code == "U129"


@needs_sheets
@pytest.mark.parametrize("ending", ["xlsx", "xls", "xlsb", "ods"])
def test_a_workbook_that_was_cut_off_or_changed_is_told_or_read_but_never_a_crash(
    tmp_path, ending, capfd
):
    whole = (SHEETS / "calamine" / f"any_sheets.{ending}").read_bytes()
    for part in range(1, 12):
        data = bytearray(whole[: len(whole) * part // 12])
        (tmp_path / f"a.{ending}").write_bytes(data)
        assert refused(tmp_path / f"a.{ending}", kind="excel").code == "U129"
        data = bytearray(whole)
        data[len(whole) * part // 12] ^= 0xFF
        (tmp_path / f"a.{ending}").write_bytes(data)
        try:
            staged(tmp_path / f"a.{ending}", kind="excel")
        except Qua3ckError as told:
            assert told.code in {"U127", "U128", "U129"}  # noqa: PT017 - either is right
    assert "panicked" not in capfd.readouterr().err


def test_a_missing_package_says_what_to_install(tmp_path, monkeypatch):
    path = saved(tmp_path / "a.xlsx", ("Data", [["a"], [1]]))
    monkeypatch.setitem(sys.modules, "python_calamine", None)
    told = refused(path, kind="excel")
    assert told.fix == 'python -m pip install "qua3ck[excel]"'


@needs_sheets
@pytest.mark.parametrize(
    ("name", "expected", "declared"),
    [
        ("test.xls", "testxls", {}),
        ("test.xlsx", "testxlsx", {}),
        ("test_skip_lines.xls", "testxls", {}),
        ("test_skip_lines.xlsx", "testxlsx", {"skip": 3}),
        ("dummy.xls", "testxls_unicode", {}),
        ("dummy.xlsx", "testxlsx_unicode", {}),
        ("sheets.xls", "testxls_unicode", {"sheet": "ʤ"}),
        ("sheets.xlsx", "testxlsx_unicode", {"sheet": 3}),
        ("sheets.xlsx", "testxlsx", {"sheet": "data"}),
    ],
)
def test_csvkits_workbooks_are_what_csvkit_made_of_them(name, expected, declared):
    text = (SHEETS / "csvkit" / f"{expected}_converted.csv").read_text(encoding="utf-8")
    heading, *lines = csv.reader(io.StringIO(text))
    made = read(SHEETS / "csvkit" / name, **declared)
    assert [n for n in made if not n.startswith("unnamed_")] == [n for n in heading if n != "h"]
    for place, column in enumerate(made.values()):
        for cell, wanted in zip(column, (line[place] for line in lines), strict=True):
            assert _equal(cell, wanted), (heading[place], cell, wanted)


def _equal(cell, wanted: str) -> bool:
    if cell is None or wanted == "":
        return cell is None and wanted == ""
    if isinstance(cell, bool):
        return str(cell) == wanted
    if isinstance(cell, int | float):
        return math.isclose(cell, float(wanted), rel_tol=0)
    if isinstance(cell, dt.date):
        return cell.isoformat() == wanted
    return str(cell) == wanted
