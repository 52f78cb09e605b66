from __future__ import annotations

from itertools import combinations

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qua3ck.understand.contract import duplicates
from qua3ck.understand.contract.duplicates import (
    Pair,
    check_near_across,
    near_pairs,
    near_rows,
)

NAMES = ["Fatima Hassan, Gao", "FATIMA  HASSÁN Gao", "Fatimah Hassan, Gao", "Amadou Diallo, Kayes"]


def jaccard(one: str, other: str) -> float:
    """Share of three-letter pieces in common, said plainly."""
    a, b = ({f" {text} "[at : at + 3] for at in range(len(text))} for text in (one, other))
    return len(a & b) / len(a | b)


def test_case_accents_and_blanks_do_not_count_and_one_letter_hardly():
    pairs = near_pairs(NAMES)
    assert pairs[0] == Pair(0, 1, 1.0)
    assert (pairs[1].first, pairs[1].second) == (0, 2)
    assert 0.75 <= pairs[1].alike < 1
    assert len(pairs) == 2


@settings(max_examples=30, deadline=None)
@given(
    st.lists(st.text("abc", min_size=8, max_size=14), min_size=2, max_size=25, unique=True),
    st.sampled_from([0.5, 0.75, 0.9]),
)
def test_every_pair_that_is_alike_is_found_and_no_other(texts, alike):
    found = {(pair.first, pair.second): pair.alike for pair in near_pairs(texts, alike=alike)}
    truth = {
        (one, other): jaccard(texts[one], texts[other])
        for one, other in combinations(range(len(texts)), 2)
    }
    for pair, share in truth.items():
        if share >= alike:
            assert found.get(pair) == pytest.approx(share)
        else:
            assert pair not in found


def test_few_true_pairs_are_overlooked_among_many():
    random = np.random.default_rng(3)
    words = ["".join(random.choice(list("abcdefghijklmnop"), 30)) for _ in range(1500)]
    slips = [word[:14] + "Z" + word[15:] for word in words[:300]]
    found = {(pair.first, pair.second) for pair in near_pairs([*words, *slips])}
    planted = {(at, 1500 + at) for at in range(300)}
    assert len(planted & found) >= 297
    assert found <= planted


def test_only_rows_of_one_group_are_compared():
    assert near_pairs(["same text here"] * 2, within=["a", "b"]) == []
    assert len(near_pairs(["same text here"] * 2, within=["a", "a"])) == 1


def test_short_texts_are_alike_only_if_they_are_the_same():
    assert near_pairs(["Ana", "Anna"]) == []
    assert near_pairs(["Ana", "ana"]) == [Pair(0, 1, 1.0)]
    assert near_pairs([]) == near_pairs(["alone in here"]) == []


def test_other_scripts_are_compared_too():
    assert len(near_pairs(["محمد أحمد العلي", "محمد احمد العلي", "ሰላም ነው እንዴት"], alike=0.5)) == 1


def test_a_contract_counts_copies_beyond_the_first_and_names_nobody(desk):
    check = "{check: nearDuplicates, columns: [name, village], within: born}"
    table = desk.columns(
        "[{name: name, logicalType: string}, {name: village, logicalType: string}, "
        "{name: born, logicalType: integer}]",
        quality=f"[{{name: near, type: custom, engine: qua3ck, implementation: {check}}}]",
    )
    rows = {
        "name": [
            "Fatima Hassan",
            "Fatimah Hassan",
            "Fatima Hassan",
            "Amadou Diallo",
            "Fatima Hassan",
        ],
        "village": ["Gao Nord", "Gao Nord", "Gao-Nord", "Kayes", "Gao Nord"],
        "born": [2020, 2020, 2020, 2020, 1999],
    }
    seen = desk.check(rows, table)
    assert (seen.measure("near").failing, seen.measure("near").rows) == (2, 5)
    assert seen.blocks == ["U084"]
    assert "Fatima" not in str(seen.checked.blocks)


TRAIN = pa.table({"text": ["the water point is broken again", "food came late"], "n": [1, 2]})
TEST = pa.table(
    {
        "text": [
            "The water-point is broken, again!",
            "the water point is broken agan",
            "all is well",
        ],
        "n": [1, 1, 3],
    }
)


def test_test_rows_that_are_nearly_training_rows_are_told():
    assert near_rows(TRAIN, TEST, ["text"]).tolist() == [True, True, False]
    (finding,) = check_near_across(TRAIN, TEST, ["text", "n"])
    assert (finding.code, finding.severity) == ("U089", "warn")
    assert finding.evidence["rows"] == 2
    assert "water" not in str(finding)


def test_what_must_be_equal_is_and_what_many_say_is_no_copy():
    said, slip = "the water point is broken again", "the water point is broken agan"
    both = pa.table({"text": [said], "place": ["Ahfir"]})
    near = pa.table({"text": [slip] * 2, "place": ["Ahfir", "Bni Drar"]})
    assert near_rows(both, near, ["text"], same=["place"]).tolist() == [True, False]
    usual = pa.table({"text": ["no complaint was made"] * 5 + ["the food came late today"]})
    asked = ["no complaint was made", "no complaint was mad", "the food came late todai"]
    asked = pa.table({"text": asked})
    assert near_rows(usual, asked, ["text"]).tolist() == [False, False, True]


def test_a_test_row_that_repeats_a_near_copy_is_one_too():
    test = pa.table({"text": [*["the water point is broken agan"] * 2, "fine"]})
    assert near_rows(TRAIN, test, ["text"]).tolist() == [True, True, False]


def test_of_very_many_rows_some_are_compared_and_that_is_said(monkeypatch):
    monkeypatch.setattr(duplicates, "_MOST_TEST", 2)
    test = pa.table({"text": ["the water point is broken agan"] * 4})
    (finding,) = check_near_across(TRAIN, test, ["text"])
    assert "(2 of 4 were compared)" in finding.says
    equal = np.array([True, False, False, False])
    (finding,) = check_near_across(TRAIN, test, ["text"], equal=equal)
    assert finding.evidence["rows"] == 1


def test_numbers_alone_are_never_near_copies():
    assert list(check_near_across(TRAIN, TEST, ["n"])) == []
    assert list(check_near_across(TRAIN, TEST.slice(2), ["text"])) == []
