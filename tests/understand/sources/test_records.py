from __future__ import annotations

import csv
import io
import subprocess
import sys
from itertools import islice, repeat
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qua3ck.kit.errors import Qua3ckError
from qua3ck.understand.sources import records
from qua3ck.understand.sources.records import (
    LONGEST,
    Block,
    Dialect,
    blocks,
    one_record,
    parse,
    read_records,
    shown,
)

COMMA = Dialect(",")


def read(data: bytes, *, width: int, chunk: int = 1 << 20, dialect: Dialect = COMMA) -> Any:
    """Return (number, cells) of the records, (number, code, raw) of the others, and the count."""
    rows: list[tuple[int, list[str]]] = []
    wrong: list[tuple[int, str, str]] = []
    count = 0
    chunks = (data[at : at + chunk] for at in range(0, len(data), chunk))
    for block in blocks(chunks, dialect, width, file="f", place="s"):
        parsed = parse(block, dialect, width)
        numbers = range(parsed.count) if parsed.numbers is None else parsed.numbers.tolist()
        cells = (column.to_pylist() for column in parsed.cells)
        rows += [
            (count + n, list(row)) for n, row in zip(numbers, zip(*cells, strict=True), strict=True)
        ]
        wrong += [(count + one.number, one.code, one.raw) for one in parsed.wrong]
        count += parsed.count
    return rows, wrong, count


odd = st.text(st.sampled_from('ab ,"\n\r;é'), max_size=5)


@settings(max_examples=150, deadline=None)
@given(
    table=st.lists(st.lists(odd, min_size=3, max_size=3), min_size=1, max_size=8),
    ends=st.sampled_from(["\n", "\r\n", "\r"]),
    chunk=st.sampled_from([1, 2, 3, 7, 64, 1000]),
)
def test_blocks_cut_anywhere_give_the_same_records(table, ends, chunk):
    text = io.StringIO(newline="")
    csv.writer(text, lineterminator=ends, quoting=csv.QUOTE_ALL).writerows(table)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(records, "BLOCK", chunk)
        patch.setattr(records, "_WIDE", 1)
        rows, wrong, count = read(text.getvalue().encode(), width=3, chunk=chunk)
    assert (rows, wrong, count) == (list(enumerate(table)), [], len(table))


dirty = st.text(st.sampled_from('ab,"\n'), max_size=60)


@settings(max_examples=200, deadline=None)
@given(text=dirty, chunk=st.sampled_from([1, 5, 1000]))
def test_no_record_is_lost_however_dirty(text, chunk):
    """Every line that is not blank is in a record or set aside, whatever the blocks."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(records, "BLOCK", chunk)
        patch.setattr(records, "_WIDE", 1)
        rows, wrong, count = read(text.encode(), width=2, chunk=chunk)
    assert sorted([number for number, _ in rows] + [number for number, *_ in wrong]) == list(
        range(count)
    )
    letters = "".join("".join(cells) for _, cells in rows) + "".join(raw for *_, raw in wrong)
    for letter in "ab":
        assert letters.count(letter) == text.count(letter)


def test_the_plain_path_and_the_exact_one_agree():
    text = 'a,"b, ""c"""\n"x\ny",\n,\n'
    fast = parse(Block(text.encode(), plain=3), COMMA, 2)
    slow = parse(Block(text.encode()), COMMA, 2)
    assert [column.to_pylist() for column in fast.cells] == [
        column.to_pylist() for column in slow.cells
    ]


def test_a_count_that_differs_sends_a_block_to_the_exact_reader():
    parsed = parse(Block(b"1,2\n3,4\n", plain=3), COMMA, 2)
    assert parsed.numbers is not None
    assert parsed.count == 2


@pytest.mark.parametrize(
    ("line", "cells"),
    [
        ('"a", "b, c", d', ["a", "b, c", "d"]),
        ('a, "b" ,c', None),
        ('5" pipe,x', ['5" pipe', "x"]),
        ('"a"b,c', None),
    ],
)
def test_quotes_stand_at_the_ends_of_cells_blanks_before_them_apart(line, cells):
    found, taken = one_record([line], 0, COMMA)
    if cells is None:
        assert found != line.split(",") or taken == 1
    else:
        assert (found, taken) == (cells, 1)


def test_comments_and_loose_ends_are_read_as_declared():
    dialect = Dialect(",", comment="#", loose=True)
    found = read_records("# x\na,b\n\nc\nd,e,,\nf,g,h\n", dialect, 2)
    assert found.rows == [["a", "b"], ["c", ""], ["d", "e"]]
    assert [(one.number, one.code, one.cells) for one in found.wrong] == [(3, "U030", 3)]


def test_what_may_go_on_is_left_over():
    found = read_records('a,b\n"c\n', COMMA, 2, final=False)
    assert (found.count, found.rest) == (1, '"c\n')
    given_up = read_records('a,b\n"c\n', COMMA, 2)
    assert [one.code for one in given_up.wrong] == ["U031"]


@pytest.mark.parametrize("quoted", [False, True])
def test_a_quote_that_nothing_closes_far_and_wide_costs_its_line(monkeypatch, quoted):
    monkeypatch.setattr(records, "BLOCK", 100)
    monkeypatch.setattr(records, "_WIDE", 1)
    monkeypatch.setattr(records, "LONGEST", 1000)
    lines = [f'{n},"x"' if quoted and n < 5 else f"{n},x" for n in range(500)]
    lines[7] = '7,"x'
    rows, wrong, count = read("\n".join(lines).encode(), width=2, chunk=50)
    assert wrong == [(7, "U031", '7,"x')]
    assert ([number for number, _ in rows], count) == ([*range(7), *range(8, 500)], 500)


def test_bytes_that_cannot_be_read_are_shown_as_numbers():
    assert shown(b"J\xfcr\0".decode("utf-8", "surrogateescape")) == r"J\xfcr\x00"


def test_a_line_beyond_all_measure_is_an_error(monkeypatch):
    monkeypatch.setattr(records, "BLOCK", 10)
    monkeypatch.setattr(records, "LONGEST", 100)
    with pytest.raises(Qua3ckError, match="A line of f is longer") as told:
        read(b"x" * 1000, width=2, chunk=20)
    assert told.value.code == "U122"


WIDE = """
import io, sys
import pyarrow as pa, pyarrow.csv
from qua3ck.understand.sources.records import Dialect, blocks, parse

def most():
    with open("/proc/self/status") as told:
        return int(next(line for line in told if line.startswith("VmHWM")).split()[1]) >> 10

line = ",".join(str(n % 10) for n in range(20_000)).encode() + b"\\n"
(block,) = blocks([line * 5], Dialect(","), 20_000, file="f", place="p")
before = most()
parsed = parse(block, Dialect(","), 20_000)
assert (parsed.count, len(parsed.cells)) == (5, 20_000)
print(most() - before)
"""


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="memory is read from /proc")
def test_a_block_of_a_very_wide_table_costs_little_more_than_its_cells():
    """What Arrow keeps per column is there for each block at work: 200 MB, were it as it comes."""
    told = subprocess.run(
        [sys.executable, "-c", WIDE], capture_output=True, text=True, check=True, timeout=60
    )
    assert int(told.stdout) < 120  # MB


@pytest.mark.parametrize("width", [10, 20_000])
def test_blocks_are_bounded_by_bytes_however_wide_their_rows_are(width):
    line = b",".join([b"1234567"] * width) + b"\n"
    endless = repeat(line * max((1 << 20) // len(line), 1))
    cut = islice(blocks(endless, COMMA, width, file="f", place="p"), 2)
    assert all(0 < len(one.text) <= LONGEST // 2 for one in cut)
