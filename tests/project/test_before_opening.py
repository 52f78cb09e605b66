"""What is found wrong before the seal is opened costs no opening; nothing opens it unasked."""

from __future__ import annotations

import pytest
from stock_project import COLUMNS, as_csv, rows

DROPS = "def training_set(tables):\n    return tables['rows'].drop(columns=['region'])\n"
GAP = "{id: gap, metric: accuracy_difference, by: region, at_most: 0.3}"
KEEPS = "def training_set(tables):\n    return tables['rows']\n"


def events(bench, name):
    """Return how often something stands in the ledger."""
    return len(bench.events(name))


@pytest.mark.parametrize(
    ("old", "new", "place"),
    [
        ("at_least: 0.7}", "at_least: 0.7, slice_by: [region]}", "question.kpis[0].slice_by[0]"),
        ("  risk:", f"  fairness:\n    - {GAP}\n  risk:", "question.fairness[0].by"),
    ],
)
def test_a_group_that_own_code_leaves_out_is_told_before_the_search(at, old, new, place):
    bench = at("begun")
    bench.write(DROPS, "features.py")
    bench.edit("  target: out", "  target: out\n  training: features.training_set")
    bench.edit(old, new)
    bench.type("run").refused('No column "region"', place, "qua3ck.yaml, line", "clinic")
    assert events(bench, "seal.opened") == events(bench, "candidate.kept") == 0
    bench.write(KEEPS, "features.py")
    bench.type("run")
    assert events(bench, "seal.opened") == 1


def leaking():
    """Return rows of which one column gives the target away."""
    return as_csv([[*line, line[-1] + "!"] for line in rows()], (*COLUMNS, "leak"))


@pytest.mark.parametrize("verb", ["run", "conclude", "loop"])
def test_nothing_is_trained_on_a_leak_and_nothing_opened_for_it(at, verb):
    bench = at("begun")
    bench.write(leaking(), "data/rows.csv")
    said = bench.type(verb)
    assert said.code == 1
    assert "U001 column leak" in said.err
    assert "was not opened" in said.err
    assert events(bench, "seal.opened") == events(bench, "candidate.kept") == 0
    bench.edit("  target: out", "  target: out\n  known_at_prediction: {exclude: [leak]}")
    bench.done("run")
    assert events(bench, "seal.opened") == 1


def test_a_leak_that_somebody_answers_for_is_judged(at):
    bench = at("begun")
    bench.write(leaking(), "data/rows.csv")
    bench.edit("  target: out", "  target: out\n  accept: {U001: it is known in the evening}")
    bench.type("run")
    assert events(bench, "verdict.made") == 1


@pytest.mark.parametrize("stage", ["understand", "loop", "conclude"])
def test_release_takes_what_was_judged_and_makes_no_verdict_itself(at, stage):
    bench = at(stage)
    if stage == "conclude":
        bench.edit("trials: 3", "trials: 2")
    before = [events(bench, name) for name in ("candidate.kept", "seal.opened", "verdict.made")]
    bench.type("release").refused("was not judged", "P018", "qua3ck run")
    after = [events(bench, name) for name in ("candidate.kept", "seal.opened", "verdict.made")]
    assert after == before
    assert events(bench, "release.made") == 0
    if stage == "conclude":
        bench.edit("trials: 2", "trials: 3")
        bench.done("release")
