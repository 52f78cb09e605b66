from __future__ import annotations

import csv
import io
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qua3ck.kit.errors import Qua3ckError
from qua3ck.understand.sources import records
from qua3ck.understand.sources.records import (
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
    given_up = read_records('a,b\n"c\n', COMMA, 2, final=False, forced=True)
    assert [one.code for one in given_up.wrong] == ["U031"]


def test_bytes_that_cannot_be_read_are_shown_as_numbers():
    assert shown(b"J\xfcr\0".decode("utf-8", "surrogateescape")) == r"J\xfcr\x00"


def test_a_line_beyond_all_measure_is_an_error(monkeypatch):
    monkeypatch.setattr(records, "BLOCK", 10)
    monkeypatch.setattr(records, "LONGEST", 100)
    with pytest.raises(Qua3ckError, match="A line of f is longer") as told:
        read(b"x" * 1000, width=2, chunk=20)
    assert told.value.code == "U122"
