from __future__ import annotations

import random
import struct

import pytest
from staging import SHEETS, needs_sheets

from qua3ck.understand.sources.biff import OLE, is_whole, read_xls, xlsb_errors, xlsb_sheets
from qua3ck.understand.sources.workbook import DAMAGE


def part(kind: int, body: bytes) -> bytes:
    """Return one record of an xlsb part."""
    code = bytes([kind]) if kind < 128 else bytes([kind & 0x7F | 0x80, kind >> 7])
    return code + bytes([len(body)]) + body


def wide(text: str) -> bytes:
    return struct.pack("<I", len(text)) + text.encode("utf-16-le")


def test_parts_of_a_binary_workbook_are_read_record_by_record():
    workbook = part(153, b"\x01\x00\x00\x00") + part(
        156, struct.pack("<II", 0, 1) + wide("rId2") + wide("Daten ä")
    )
    assert xlsb_sheets(workbook) == ({"Daten ä": "rId2"}, True)
    row = struct.pack("<I", 4) + b"\x00" * 8
    error = struct.pack("<I", 2) + b"\x00" * 4 + b"\x2a"
    formula = struct.pack("<I", 3) + b"\x00" * 4 + b"\x99" + b"\x00" * 6
    assert xlsb_errors(part(0, row) + part(3, error) + part(11, formula)) == {
        (5, 3): "#N/A",
        (5, 4): "#ERROR",
    }


@needs_sheets
@pytest.mark.parametrize("name", ["calamine/base.xls", "csvkit/test.xls", "csvkit/dummy.xls"])
def test_an_old_workbook_is_whole_until_its_end_is_missing(name):
    raw = (SHEETS / name).read_bytes()
    assert is_whole(raw)
    assert not is_whole(raw[: len(raw) // 2])
    assert not is_whole(raw[:600])
    assert not is_whole(OLE)


@needs_sheets
def test_damage_ends_in_a_known_error_and_never_in_an_endless_chain():
    raw = (SHEETS / "csvkit" / "test.xls").read_bytes()
    dice = random.Random(5)  # noqa: S311 - the same damage each time
    read = 0
    for _ in range(150):
        damaged = bytearray(raw)
        for _ in range(20):
            damaged[dice.randrange(len(raw))] = dice.randrange(256)
        try:
            book = read_xls(bytes(damaged))
        except DAMAGE:
            continue
        read += 1
        lines = [line for cells in book.errors.values() for line, _ in cells]
        assert max(lines, default=1) <= 65_536
    assert read > 0
