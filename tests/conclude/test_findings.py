from __future__ import annotations

from dataclasses import replace

import pytest

from qua3ck.conclude import codes
from qua3ck.conclude.findings import (
    comparison_findings,
    no_champion,
    promise_findings,
    read_again,
    row_findings,
)

QUIET = {"parity": {}, "calibration": {}, "per_class": {}, "errors": (), "rows": 90}


@pytest.mark.parametrize(
    ("kind", "answer", "code"),
    [
        ("kpis", "fail", "C002"),
        ("kpis", "undecided", "C003"),
        ("slices", "fail", "C004"),
        ("slices", "undecided", "C004"),
        ("fairness", "undecided", "C005"),
    ],
)
def test_a_promise_that_is_not_kept_blocks_with_its_own_code(undecided, kind, answer, code):
    parts = {"kpis": (), "slices": (), "fairness": (), kind: (replace(undecided, verdict=answer),)}
    (finding,) = promise_findings(**parts)
    assert (finding.code, finding.blocks) == (code, True)
    assert "[0.76, 0.89], wanted >= 0.80" in finding.says


def test_a_promise_that_is_kept_gives_nothing_to_find(undecided):
    passed = replace(undecided, verdict="pass")
    assert promise_findings((passed,), (passed,), (passed,)) == ()


@pytest.mark.parametrize(
    ("against", "code", "blocks"),
    [("baseline", "C001", True), ("rule", "C008", False), ("champion", "C009", False)],
)
@pytest.mark.parametrize("answer", ["undecided", "fail"])
def test_no_gain_blocks_only_against_the_baseline(conclusion, against, code, blocks, answer):
    (gain,) = conclusion.comparisons
    (finding,) = comparison_findings([replace(gain, against=against, verdict=answer)])
    assert (finding.code, finding.blocks) == (code, blocks)


def test_a_gain_beyond_doubt_is_no_finding_and_a_missing_one_says_why(conclusion):
    (gain,) = conclusion.comparisons
    assert comparison_findings([gain]) == ()
    none = replace(gain, low=None, high=None, verdict="undecided", method="too few rows")
    (finding,) = comparison_findings([none])
    assert finding.says.endswith("too few rows.")


def test_what_ships_must_be_what_was_trained():
    parity = {"rows": 90, "labels_differ": 2, "largest_difference": 0.4, "holds": False}
    (finding,) = row_findings(**{**QUIET, "parity": parity})
    assert (finding.code, finding.blocks) == ("C006", True)
    assert row_findings(**{**QUIET, "parity": {**parity, "holds": True}}) == ()


def test_concentrated_errors_calibration_and_absent_classes_are_warned_about():
    part = {"column": "region", "part": "north", "rows": 40, "rate": 0.5, "rest": 0.1, "p": 0.001}
    seen = {
        "errors": (part, {**part, "part": "south"}, {**part, "p": 0.3}),
        "calibration": {"off": 2, "bins": [{}] * 9, "of": "probability of yes", "ece": 0.1},
        "per_class": {"yes": {"support": 12.0}, "no": {"support": 0.0}},
    }
    found = row_findings(**{**QUIET, **seen})
    assert sorted(finding.code for finding in found) == ["C010", "C011", "C012"]
    assert not any(finding.blocks for finding in found)
    (errors,) = [finding for finding in found if finding.code == "C010"]
    assert (
        errors.says == "Errors concentrate in region, north: 0.50, elsewhere 0.10; and in 1 more."
    )
    assert len(errors.evidence["parts"]) == 2


def test_notes_about_the_reading_do_not_block():
    assert (read_again("a crash").code, read_again("a crash").severity) == ("C014", "inform")
    assert (no_champion("gone.").code, no_champion("gone.").blocks) == ("C013", False)


def test_codes_have_pages_in_order():
    assert [page.code for page in codes.PAGES] == [f"C{n:03d}" for n in range(1, 19)]
