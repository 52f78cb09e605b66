from __future__ import annotations

import difflib

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from qua3ck.understand.contract.cells import read_cells
from qua3ck.understand.contract.spelling import edits, misspelt, slips


@pytest.mark.parametrize(
    ("word", "meant"),
    [
        ("birminghxm", "birmingham"),
        ("acuxe care hospixals", "acute care hospitals"),
        ("scip-inx-4", "scip-inf-4"),
    ],
)
def test_a_rare_slip_of_a_common_word_is_found(word, meant):
    assert slips({meant: 100, word: 2}) == {word: meant}


@pytest.mark.parametrize(
    ("word", "other"),
    [
        ("ami-3", "ami-2"),  # two codes
        ("hospital", "hospitals"),  # two forms of a word
        ("heart failure", "heart attack"),
        ("al", "ak"),  # too short to be mistyped
        ("35233", "35235"),  # numbers
    ],
)
def test_what_is_another_word_or_code_is_not(word, other):
    assert slips({other: 500, word: 5}) == {}


def test_a_spelling_that_is_not_rare_is_a_spelling():
    assert slips({"colour": 100, "color": 11}) == {}


def test_where_most_names_occur_once_a_rare_name_is_a_name():
    names = {f"{a}{b}sen": 1 for a in ("Han", "Jan", "Lar") for b in "abcdefghij"}
    assert slips({"Hansen": 12, "Hanson": 1} | names) == {}


def test_words_within_cells_are_compared_too():
    values = [f"{n} patients" for n in range(200)] + ["619 paxients"]
    mask = misspelt(read_cells(pa.chunked_array([pa.array(values)]), "x"))
    assert mask.nonzero()[0].tolist() == [200]


WORDS = st.text("abcd", max_size=9)


@given(WORDS, WORDS)
def test_edits_are_a_distance(one, other):
    far = edits(one, other, 20)
    assert far == edits(other, one, 20)
    assert (far == 0) == (one == other)
    assert abs(len(one) - len(other)) <= far <= max(len(one), len(other))
    assert edits(one, other, 2) == (far if far <= 2 else 3)
    kept = sum(
        block.size
        for block in difflib.SequenceMatcher(None, one, other, False).get_matching_blocks()
    )
    assert far <= len(one) + len(other) - 2 * kept  # another way from one to the other
