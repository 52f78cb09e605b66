"""What calamine does not tell of a workbook, so that nothing of it is lost without a word.

A cell with a formula error (``#DIV/0!``), and a formula that no program has computed yet,
come out of calamine as empty cells. Here they are found. So are the date system (serial 0 is
the end of 1899, or 1904) and the reason why a file cannot be opened.
"""

from __future__ import annotations

import re
import struct
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Literal
from xml.etree import ElementTree as ET

from qua3ck.understand.sources.biff import (
    OLE,
    Cells,
    is_whole,
    read_xls,
    xlsb_errors,
    xlsb_sheets,
)

Format = Literal["xlsx", "xlsb", "ods", "xls", "text", "empty", "zip", "unknown"]

_CHUNK = 1 << 23  # bytes of a sheet looked at together
_ERROR = re.compile(rb"""<(?:\w+:)?c\s[^>]*\bt=["']e["'][^>]*>""")
_VALUE = re.compile(rb"<(?:\w+:)?v[^>]*>([^<]*)<")
_UNCOMPUTED = re.compile(
    rb"(?:</(?:\w+:)?f>|<(?:\w+:)?f\b[^>]*/>)\s*"
    rb"(?:<(?:\w+:)?v\s*/>|<(?:\w+:)?v>\s*</(?:\w+:)?v>)?\s*</(?:\w+:)?c>"
)
_OPENS = re.compile(rb"<(?:\w+:)?c[\s>]")
_TAG = re.compile(rb"<(?:\w+:)?c\b[^>]*>")
_PLACE = re.compile(rb"""\br=["']([A-Z]{1,3})([0-9]{1,7})["']""")
_TEXT_RESULT = re.compile(rb"""\bt=["'](?:str|inlineStr|s)["']""")
_UNKNOWN_PLACE = (0, 0)
DAMAGE = (
    *(zipfile.BadZipFile, zlib.error, struct.error, ET.ParseError, NotImplementedError),
    *(ValueError, KeyError, IndexError, StopIteration, EOFError, OSError),
)
"""What reading a workbook that is not built as it should be may raise."""


@dataclass(frozen=True)
class Told:
    """What was found out about a sheet besides its values.

    ``errors`` maps (line, column), from 1, to what stands there: an error, or
    ``formula without a value``. ``from_1904`` is the date system.
    """

    errors: Cells = field(default_factory=dict)
    from_1904: bool = False


def format_of(path: Path) -> Format:
    """Return what a file's content says it is, whatever it is called."""
    with path.open("rb") as handle:
        head = handle.read(4096)
    if not head:
        return "empty"
    if head[:8] == OLE:
        return "xls"
    if head[:4] == b"PK\x03\x04":
        return _kind_of_zip(path)
    try:
        head.decode("utf-8")
    except UnicodeDecodeError as problem:
        return "text" if problem.start > len(head) - 4 else "unknown"
    return "text" if b"\0" not in head else "unknown"


def is_locked(path: Path) -> bool:
    """Whether a password is needed to read the workbook; False if nobody can tell."""
    try:
        kind = format_of(path)
        if kind == "xls":
            return read_xls(path.read_bytes()).locked
        if kind == "ods":
            with zipfile.ZipFile(path) as parts:
                manifest = "META-INF/manifest.xml"
                return manifest in parts.namelist() and b"encryption-data" in parts.read(manifest)
    except DAMAGE:
        pass  # so damaged that it does not say
    return False


def refuse_cut_off(path: Path) -> None:
    """Raise for an old workbook whose end is missing, before it leads others astray.

    Raises
    ------
    ValueError
        If its directory of sectors points behind its end.
    """
    if not is_whole(path.read_bytes()):
        message = "the file is cut off"
        raise ValueError(message)


def look_into(path: Path, sheet: str) -> Told:
    """Return the error cells of a sheet and the workbook's date system.

    Parameters
    ----------
    path : Path
        A workbook that calamine has read.
    sheet : str
        The sheet's name.

    Raises
    ------
    ValueError, KeyError, struct.error, zipfile.BadZipFile
        If the file is not built as its format asks.
    """
    match format_of(path):
        case "xlsx":
            return _look_into_xlsx(path, sheet)
        case "xlsb":
            return _look_into_xlsb(path, sheet)
        case "ods":
            return Told(_ods_errors(path, sheet))
        case _:
            book = read_xls(path.read_bytes())
            return Told(book.errors.get(sheet, {}), book.from_1904)


def column_number(letters: str) -> int:
    """Return 1 for A, 27 for AA."""
    number = 0
    for letter in letters.upper():
        number = number * 26 + ord(letter) - 64
    return number


def column_letters(number: int) -> str:
    """Return A for 1, AA for 27."""
    letters = ""
    while number:
        number, rest = divmod(number - 1, 26)
        letters = chr(65 + rest) + letters
    return letters


def _kind_of_zip(path: Path) -> Format:
    try:
        with zipfile.ZipFile(path) as parts:
            names = set(parts.namelist())
    except DAMAGE:
        return "zip"
    if any(name.endswith("workbook.bin") for name in names):
        return "xlsb"
    if any(name.endswith("workbook.xml") for name in names):
        return "xlsx"
    return "ods" if "content.xml" in names else "zip"


def _look_into_xlsx(path: Path, sheet: str) -> Told:
    with zipfile.ZipFile(path) as parts:
        home = next(name for name in parts.namelist() if name.endswith("workbook.xml"))
        book = ET.fromstring(parts.read(home))  # noqa: S314 - expat expands no outside entity
        properties = next((e for e in book.iter() if e.tag.endswith("}workbookPr")), None)
        flag = "" if properties is None else properties.get("date1904", "")
        relation = next(
            value
            for element in book.iter()
            if element.tag.endswith("}sheet") and element.get("name") == sheet
            for key, value in element.attrib.items()
            if key.endswith("}id")
        )
        with parts.open(_target(parts, home, relation)) as handle:
            errors = _xlsx_errors(handle)
    if _UNKNOWN_PLACE in errors:
        errors = _errors_by_openpyxl(path, sheet)
    return Told(errors, flag in {"1", "true", "on"})


def _look_into_xlsb(path: Path, sheet: str) -> Told:
    with zipfile.ZipFile(path) as parts:
        home = next(name for name in parts.namelist() if name.endswith("workbook.bin"))
        sheets, from_1904 = xlsb_sheets(parts.read(home))
        part = _target(parts, home, sheets[sheet])
        return Told(xlsb_errors(parts.read(part)), from_1904)


def _target(parts: zipfile.ZipFile, home: str, relation: str) -> str:
    """Return the name of the part that a relation of the workbook points to."""
    folder, _, name = home.rpartition("/")
    prefix = f"{folder}/" if folder else ""
    listed = ET.fromstring(parts.read(f"{prefix}_rels/{name}.rels"))  # noqa: S314
    found = {element.get("Id"): element.get("Target", "") for element in listed}
    target = found[relation]
    return target.lstrip("/") if target.startswith("/") else prefix + target


def _xlsx_errors(handle: IO[bytes]) -> Cells:
    found: Cells = {}
    for chunk in _whole_rows(handle):
        for match in _ERROR.finditer(chunk):
            value = _VALUE.search(chunk, match.end())
            text = value[1].decode("utf-8", "replace") if value else "#ERROR"
            found[_place(match[0])] = text
        for match in _UNCOMPUTED.finditer(chunk):
            opened = list(_OPENS.finditer(chunk, _back(chunk, match.start()), match.start()))
            tag = _TAG.match(chunk, opened[-1].start()) if opened else None
            if tag and not _TEXT_RESULT.search(tag[0]) and not _ERROR.match(tag[0]):
                found[_place(tag[0])] = "formula without a value"
    return found


def _whole_rows(handle: IO[bytes]) -> Iterator[bytes]:
    """Yield pieces of a sheet's XML that end where a row ends."""
    kept = b""
    while chunk := handle.read(_CHUNK):
        kept += chunk
        cut = kept.rfind(b"row>")
        if cut >= 0:
            yield kept[: cut + 4]
            kept = kept[cut + 4 :]
    yield kept


def _back(chunk: bytes, at: int) -> int:
    """Return where the cell before ``at`` ended, so that its own start lies behind."""
    return max(chunk.rfind(b"c>", 0, at), chunk.rfind(b"row ", 0, at), 0)


def _place(tag: bytes) -> tuple[int, int]:
    match = _PLACE.search(tag)
    if match is None:
        return _UNKNOWN_PLACE
    return int(match[2]), column_number(match[1].decode())


def _errors_by_openpyxl(path: Path, sheet: str) -> Cells:
    """Return the error cells of a sheet whose cells do not say where they stand: slow."""
    from openpyxl import load_workbook

    book = load_workbook(path, read_only=True, data_only=True)
    formulas = load_workbook(path, read_only=True)
    found: Cells = {}
    pairs = zip(book[sheet].iter_rows(), formulas[sheet].iter_rows(), strict=True)
    for line, (values, written) in enumerate(pairs, 1):
        for column, (cell, formula) in enumerate(zip(values, written, strict=True), 1):
            if cell.data_type == "e":
                found[line, column] = str(cell.value)
            elif formula.data_type == "f" and cell.value is None:
                found[line, column] = "formula without a value"
    book.close()
    formulas.close()
    return found


def _ods_errors(path: Path, sheet: str) -> Cells:
    with zipfile.ZipFile(path) as parts:
        with parts.open("content.xml") as handle:
            if not any(b'"error"' in chunk for chunk in _overlapping(handle)):
                return {}
        with parts.open("content.xml") as handle:
            return _ods_error_cells(handle, sheet)


def _overlapping(handle: IO[bytes]) -> Iterator[bytes]:
    tail = b""
    while chunk := handle.read(_CHUNK):
        yield tail + chunk
        tail = chunk[-16:]


def _ods_error_cells(handle: IO[bytes], sheet: str) -> Cells:
    found: Cells = {}
    line = column = 1
    inside = False
    for event, element in ET.iterparse(handle, events=("start", "end")):  # noqa: S314
        name = element.tag.rsplit("}", 1)[-1]
        facts = {key.rsplit("}", 1)[-1]: value for key, value in element.attrib.items()}
        if name == "table":
            inside = event == "start" and facts.get("name") == sheet
            line = 1
        elif inside and event == "end" and name in {"table-cell", "covered-table-cell"}:
            if any(k.endswith("}value-type") and v == "error" for k, v in element.attrib.items()):
                found[line, column] = "".join(element.itertext()) or "#ERROR"
            column += int(facts.get("number-columns-repeated", "1"))
        elif inside and event == "end" and name == "table-row":
            line += int(facts.get("number-rows-repeated", "1"))
            column = 1
            element.clear()
    return found
