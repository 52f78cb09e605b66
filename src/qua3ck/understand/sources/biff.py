"""The two binary workbook formats, read only for what calamine keeps to itself.

That is: which cells hold an error, which date system counts, whether a password locks the
file. Source: Microsoft Open Specifications MS-CFB (the container), MS-XLS, MS-XLSB.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass, field

OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
ERRORS = {
    0x00: "#NULL!",
    0x07: "#DIV/0!",
    0x0F: "#VALUE!",
    0x17: "#REF!",
    0x1D: "#NAME?",
    0x24: "#NUM!",
    0x2A: "#N/A",
    0x2B: "#GETTING_DATA",
}
Cells = dict[tuple[int, int], str]
"""(line, column), both from 1, to the text of the error."""

_FREE = 0xFFFFFFFF
_END_OF_CHAIN = 0xFFFFFFF0  # this and above are no sectors
_BOF, _EOF, _BOUNDSHEET, _DATEMODE, _FILEPASS = 0x0809, 0x000A, 0x0085, 0x0022, 0x002F
_FORMULA, _BOOLERR = 0x0006, 0x0205
_ROW, _CELL_ERROR, _FORMULA_ERROR, _WORKBOOK, _SHEET = 0, 3, 11, 153, 156


@dataclass
class Book:
    """What was found: per sheet the error cells; the date system; a password."""

    errors: dict[str, Cells] = field(default_factory=dict)
    from_1904: bool = False
    locked: bool = False


def read_xls(raw: bytes) -> Book:
    """Return what an old workbook (xls), or one encrypted as a whole, says.

    Raises
    ------
    struct.error, IndexError, KeyError
        If it is not what it seems to be.
    """
    streams = _streams(raw)
    if "EncryptedPackage" in streams:
        return Book(locked=True)
    name = next(name for name in ("Workbook", "Book") if name in streams)
    stream = _stream(raw, streams[name], streams)
    book, offsets = Book(), {}
    for kind, body, _ in _records(stream, 0):
        if kind == _FILEPASS:
            return Book(locked=True)
        if kind == _DATEMODE:
            book.from_1904 = body[:1] == b"\x01"
        elif kind == _BOUNDSHEET:
            offsets[_sheet_name(body)] = struct.unpack_from("<I", body)[0]
        elif kind == _EOF:
            break
    book.errors = {name: _xls_errors(stream, offset) for name, offset in offsets.items()}
    return book


def is_whole(raw: bytes) -> bool:
    """Whether all sectors that are in use lie inside the file."""
    if len(raw) < 512 or struct.unpack_from("<H", raw, 0x1E)[0] not in {9, 12}:
        return False
    try:
        fat = _fat(raw)
    except (struct.error, IndexError):
        return False
    used = max((at for at, following in enumerate(fat) if following != _FREE), default=-1)
    return len(raw) > (used + 1) * _sector_size(raw)


def xlsb_sheets(workbook: bytes) -> tuple[dict[str, str], bool]:
    """Return sheet name to relation id, and whether dates count from 1904."""
    sheets, from_1904 = {}, False
    for kind, body in _parts(workbook):
        if kind == _WORKBOOK:
            from_1904 = bool(body[0] & 1)
        elif kind == _SHEET:
            relation, end = _wide(body, 8)
            name, _ = _wide(body, end)
            sheets[name] = relation
    return sheets, from_1904


def xlsb_errors(sheet: bytes) -> Cells:
    """Return the error cells of one sheet's part."""
    found: Cells = {}
    line = 0
    for kind, body in _parts(sheet):
        if kind == _ROW:
            line = int(struct.unpack_from("<I", body)[0]) + 1
        elif kind in {_CELL_ERROR, _FORMULA_ERROR}:
            column = int(struct.unpack_from("<I", body)[0]) + 1
            found[line, column] = ERRORS.get(body[8], "#ERROR")
    return found


# -- the container of xls ------------------------------------------------------


@dataclass(frozen=True)
class _Entry:
    start: int
    size: int


def _streams(raw: bytes) -> dict[str, _Entry]:
    """Return the directory: stream name to where it starts; ``""`` is the root."""
    first = struct.unpack_from("<I", raw, 0x30)[0]
    directory = b"".join(_sector(raw, at) for at in _chain(_fat(raw), first))
    found = {}
    for at in range(0, len(directory) - 127, 128):
        length, kind = struct.unpack_from("<HB", directory, at + 0x40)
        start, size = struct.unpack_from("<II", directory, at + 0x74)
        name = directory[at : at + max(length - 2, 0)].decode("utf-16-le", "replace")
        if kind:
            found["" if kind == 5 else name] = _Entry(start, size)
    return found


def _stream(raw: bytes, entry: _Entry, streams: dict[str, _Entry]) -> bytes:
    small = struct.unpack_from("<I", raw, 0x38)[0]
    if entry.size >= small:
        parts = [_sector(raw, at) for at in _chain(_fat(raw), entry.start)]
        return b"".join(parts)[: entry.size]
    root = streams[""]
    inner = b"".join(_sector(raw, at) for at in _chain(_fat(raw), root.start))
    first = struct.unpack_from("<I", raw, 0x3C)[0]
    table = b"".join(_sector(raw, at) for at in _chain(_fat(raw), first))
    fat = struct.unpack(f"<{len(table) // 4}I", table)
    size = 1 << struct.unpack_from("<H", raw, 0x20)[0]
    parts = [inner[at * size : (at + 1) * size] for at in _chain(fat, entry.start)]
    return b"".join(parts)[: entry.size]


def _fat(raw: bytes) -> tuple[int, ...]:
    sectors = [at for at in struct.unpack_from("<109I", raw, 0x4C) if at < _END_OF_CHAIN]
    following = struct.unpack_from("<I", raw, 0x44)[0]
    seen: set[int] = set()
    while following < _END_OF_CHAIN and following not in seen:
        seen.add(following)
        more = struct.unpack(f"<{_sector_size(raw) // 4}I", _sector(raw, following))
        sectors += [at for at in more[:-1] if at < _END_OF_CHAIN]
        following = more[-1]
    table = b"".join(_sector(raw, at) for at in sectors)
    return struct.unpack(f"<{len(table) // 4}I", table[: len(table) // 4 * 4])


def _chain(fat: tuple[int, ...], start: int) -> Iterator[int]:
    seen: set[int] = set()
    while start < len(fat) and start not in seen:
        seen.add(start)
        yield start
        start = fat[start]


def _sector_size(raw: bytes) -> int:
    return 1 << int(struct.unpack_from("<H", raw, 0x1E)[0])


def _sector(raw: bytes, number: int) -> bytes:
    size = _sector_size(raw)
    return raw[(number + 1) * size : (number + 2) * size]


# -- the records of xls --------------------------------------------------------


def _records(stream: bytes, at: int) -> Iterator[tuple[int, bytes, int]]:
    """Yield kind, body and nesting depth of the records from ``at`` to the end of that part."""
    depth = 0
    while at + 4 <= len(stream):
        kind, size = struct.unpack_from("<HH", stream, at)
        depth += (kind == _BOF) - (kind == _EOF)
        yield kind, stream[at + 4 : at + 4 + size], depth
        if depth <= 0:
            return
        at += 4 + size


def _sheet_name(body: bytes) -> str:
    count = body[6]
    if len(body) == 7 + count:  # Excel 95 has no flag byte
        return body[7:].decode("cp1252", "replace")
    if body[7] & 1:
        return body[8 : 8 + 2 * count].decode("utf-16-le", "replace")
    return body[8 : 8 + count].decode("latin-1")


def _xls_errors(stream: bytes, offset: int) -> Cells:
    found: Cells = {}
    for kind, body, depth in _records(stream, offset):
        if depth != 1 or kind not in {_BOOLERR, _FORMULA}:
            continue
        code = _error_code(kind, body)
        if code is not None:
            line, column = struct.unpack_from("<HH", body)
            found[line + 1, column + 1] = ERRORS.get(code, "#ERROR")
    return found


def _error_code(kind: int, body: bytes) -> int | None:
    if kind == _BOOLERR:
        return body[6] if body[7] == 1 else None
    is_error = body[6] == 2 and body[12:14] == b"\xff\xff"
    return body[8] if is_error else None


# -- the records of xlsb -------------------------------------------------------


def _parts(raw: bytes) -> Iterator[tuple[int, bytes]]:
    at = 0
    while at < len(raw):
        kind, at = _varint(raw, at, 2)
        size, at = _varint(raw, at, 4)
        yield kind, raw[at : at + size]
        at += size


def _varint(raw: bytes, at: int, most: int) -> tuple[int, int]:
    value = 0
    for place in range(most):
        byte = raw[at + place]
        # Kinds keep their continuation bit out of the value, as sizes do.
        value |= (byte & 0x7F) << (7 * place)
        if not byte & 0x80:
            return value, at + place + 1
    return value, at + most


def _wide(body: bytes, at: int) -> tuple[str, int]:
    count = struct.unpack_from("<I", body, at)[0]
    end = at + 4 + 2 * count
    return body[at + 4 : end].decode("utf-16-le", "replace"), end
