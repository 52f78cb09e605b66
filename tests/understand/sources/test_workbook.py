from __future__ import annotations

import io
import re
import zipfile

import pytest
from openpyxl import Workbook
from openpyxl.utils import get_column_letter
from openpyxl.utils.datetime import CALENDAR_MAC_1904
from python_calamine import CalamineWorkbook
from staging import SHEETS, needs_sheets

from qua3ck.understand.sources import workbook as looked
from qua3ck.understand.sources.workbook import (
    column_letters,
    column_number,
    format_of,
    is_locked,
    look_into,
)

NOT_COMPUTED = "formula without a value"


def saved(path, cells, *, epoch=None, title="Data"):
    book = Workbook()
    if epoch is not None:
        book.epoch = epoch
    sheet = book.active
    sheet.title = title
    for place, value in cells.items():
        sheet[place] = value
    book.save(path)
    return path


def without_places(path):
    """Write a workbook again as some programs do: cells that do not say where they stand."""
    made = io.BytesIO()
    with zipfile.ZipFile(path) as old, zipfile.ZipFile(made, "w") as new:
        for name in old.namelist():
            data = old.read(name)
            if "worksheets/sheet" in name:
                data = re.sub(rb'<c r="[A-Z0-9]+"', b"<c", data)
            new.writestr(name, data)
    path.write_bytes(made.getvalue())
    return path


def test_errors_and_formulas_without_a_value_are_found_where_they_stand(tmp_path):
    cells = {"A1": "x", "B2": "#DIV/0!", "AA7": "#REF!", "C3": "=1/0", "D4": "=A1", "E5": 0}
    found = look_into(saved(tmp_path / "a.xlsx", cells), "Data").errors
    assert found == {
        (2, 2): "#DIV/0!",
        (7, 27): "#REF!",
        (3, 3): NOT_COMPUTED,
        (4, 4): NOT_COMPUTED,
    }


def test_a_cell_that_does_not_say_where_it_stands_is_found_by_counting(tmp_path):
    path = saved(tmp_path / "a.xlsx", {"A1": "x", "B1": "#DIV/0!", "A2": "=1/0", "B2": 5})
    assert look_into(without_places(path), "Data").errors == {
        (1, 2): "#DIV/0!",
        (2, 1): NOT_COMPUTED,
    }


def test_errors_are_found_wherever_the_sheet_is_cut_into_chunks(tmp_path, monkeypatch):
    wanted = {(line, 2): "#N/A" for line in range(1, 200, 7)}
    cells = {f"A{line}": "=A1" if line == 50 else f"text {line}" for line in range(1, 200)}
    cells |= {f"B{line}": "#N/A" for line, _ in wanted}
    path = saved(tmp_path / "a.xlsx", cells)
    for size in (97, 1000, 10_000):
        monkeypatch.setattr(looked, "_CHUNK", size)
        assert look_into(path, "Data").errors == {**wanted, (50, 1): NOT_COMPUTED}


def test_a_formula_whose_value_is_an_empty_text_has_one(tmp_path):
    path = tmp_path / "a.xlsx"
    saved(path, {"A1": "=1+1"})
    made = io.BytesIO()
    with zipfile.ZipFile(path) as old, zipfile.ZipFile(made, "w") as new:
        for name in old.namelist():
            data = old.read(name).replace(b'<c r="A1">', b'<c r="A1" t="str">')
            new.writestr(name, data)
    path.write_bytes(made.getvalue())
    assert look_into(path, "Data").errors == {}


def test_the_date_system_is_told(tmp_path):
    assert not look_into(saved(tmp_path / "a.xlsx", {"A1": 1}), "Data").from_1904
    mac = saved(tmp_path / "b.xlsx", {"A1": 1}, epoch=CALENDAR_MAC_1904)
    assert look_into(mac, "Data").from_1904


@needs_sheets
@pytest.mark.parametrize("name", ["test", "sheets", "test_skip_lines"])
def test_old_and_new_workbooks_of_the_same_content_tell_the_same_date_system(name):
    for ending in (".xls", ".xlsx"):
        path = SHEETS / "csvkit" / f"{name}{ending}"
        sheet = CalamineWorkbook.from_path(path).sheet_names[0]
        assert look_into(path, sheet).from_1904


@needs_sheets
def test_errors_are_found_in_the_binary_formats(tmp_path):
    """True and false there are turned into errors: no program here writes these formats."""
    old = bytearray((SHEETS / "calamine" / "base.xls").read_bytes())
    at = old.index(b"\x05\x02\x08\x00")  # BOOLERR
    old[at + 10 : at + 12] = b"\x07\x01"
    (tmp_path / "a.xls").write_bytes(old)
    found = look_into(tmp_path / "a.xls", "Sheet1").errors
    assert list(found.values()) == ["#DIV/0!"]
    assert next(iter(found)) in {(2, 4), (2, 5)}

    made = tmp_path / "a.xlsb"
    with (
        zipfile.ZipFile(SHEETS / "calamine" / "base.xlsb") as parts,
        zipfile.ZipFile(made, "w") as new,
    ):
        for name in parts.namelist():
            data = parts.read(name)
            if name.endswith("sheet1.bin"):
                at = data.index(b"\x04\x09\x03\x00\x00\x00")  # BrtCellBool in column D
                data = data[:at] + b"\x03" + data[at + 1 : at + 10] + b"\x17" + data[at + 11 :]
            new.writestr(name, data)
    assert look_into(made, "Sheet1").errors == {(2, 4): "#REF!"}


def test_errors_are_found_in_open_documents(tmp_path):
    cells = (
        '<table:table-row table:number-rows-repeated="2"><table:table-cell/></table:table-row>'
        '<table:table-row><table:table-cell table:number-columns-repeated="3"/>'
        '<table:table-cell calcext:value-type="error"><text:p>#DIV/0!</text:p>'
        "</table:table-cell></table:table-row>"
    )
    names = 'xmlns:table="t" xmlns:calcext="c" xmlns:text="x" xmlns:office="o"'
    other = '<table:table table:name="Other"><table:table-row/></table:table>'
    made = (
        f'<office:document-content {names}>{other}<table:table table:name="Data">{cells}'
        "</table:table></office:document-content>"
    )
    with zipfile.ZipFile(tmp_path / "a.ods", "w") as parts:
        parts.writestr("content.xml", made)
    assert look_into(tmp_path / "a.ods", "Data").errors == {(3, 4): "#DIV/0!"}
    assert look_into(tmp_path / "a.ods", "Other").errors == {}


@needs_sheets
def test_the_content_says_the_format_and_whether_it_is_locked(tmp_path):
    for ending in ("xlsx", "xlsb", "xls", "ods"):
        base = SHEETS / "calamine" / f"base.{ending}"
        renamed = tmp_path / "renamed"
        renamed.write_bytes(base.read_bytes())
        assert format_of(renamed) == ending
        assert not is_locked(renamed)
        assert is_locked(SHEETS / "calamine" / f"password.{ending}")


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (b"", "empty"),
        (b"a,b\n1,2\n", "text"),
        ("é".encode() * 3000, "text"),
        (b"<html><table>", "text"),
        (b"\x00\x01\xff\xfe" * 50, "unknown"),
        (b"PK\x03\x04 and nothing that follows", "zip"),
    ],
)
def test_what_is_no_workbook_is_known_by_its_content(tmp_path, content, kind):
    (tmp_path / "a.xlsx").write_bytes(content)
    assert format_of(tmp_path / "a.xlsx") == kind
    assert not is_locked(tmp_path / "a.xlsx")


@pytest.mark.parametrize("number", [1, 2, 26, 27, 52, 702, 703, 16384])
def test_columns_are_lettered_as_spreadsheets_do(number):
    assert column_letters(number) == get_column_letter(number)
    assert column_number(get_column_letter(number)) == number
