from __future__ import annotations

import pytest

from qua3ck.conclude import threshold_changes
from qua3ck.conclude.findings import change_findings
from qua3ck.question.promises import promised
from qua3ck.question.records import Costs, FairnessGap, Kpi, Question, Risk


def recall(limit: str) -> list[dict[str, str]]:
    return [{"id": "recall", "metric": "recall", "at_least": limit, "confidence": "0.95"}]


def test_a_threshold_moved_before_any_verdict_is_no_change(entry):
    entries = [
        entry(0, "question.set", kpis=recall("0.8")),
        entry(1, "question.set", kpis=recall("0.7")),
    ]
    assert threshold_changes(entries) == ()


def test_a_threshold_moved_after_a_verdict_stays_visible_even_when_moved_back(entry):
    entries = [
        entry(0, "question.set", kpis=recall("0.8")),
        entry(1, "verdict.made"),
        entry(2, "question.set", kpis=recall("0.7")),
        entry(3, "question.set", kpis=recall("0.8")),
    ]
    away, back = threshold_changes(entries)
    assert (away.id, away.seq, away.verdict_seq) == ("recall", 2, 1)
    assert "0.8" in away.before
    assert "0.7" in away.after
    assert (back.before, back.after) == (away.after, away.before)


def test_a_promise_dropped_after_a_verdict_is_a_change_and_a_new_one_is_not(entry):
    gap = [{"id": "gap", "metric": "accuracy_difference", "by": "sex", "at_most": "0.1"}]
    entries = [
        entry(0, "question.set", kpis=recall("0.8"), fairness=gap),
        entry(1, "verdict.made"),
        entry(
            2,
            "question.set",
            kpis=[*recall("0.8"), {"id": "f1", "metric": "f1", "at_least": "0.5"}],
        ),
    ]
    (change,) = threshold_changes(entries)
    assert (change.id, change.after) == ("gap", "")


def test_the_change_becomes_finding_c007_that_names_who(entry):
    entries = [
        entry(0, "question.set", kpis=recall("0.8")),
        entry(1, "verdict.made"),
        entry(2, "question.set", kpis=recall("0.7")),
    ]
    (finding,) = change_findings(threshold_changes(entries))
    assert (finding.code, finding.severity) == ("C007", "warn")
    assert "analyst changed recall" in finding.says


ASKED = Question(
    asks="Who will repay?",
    decides="A person.",
    why_now="Nine days.",
    risks="A loan refused.",
    stop_if=("rows < 10",),
    kpis=(
        Kpi(id="auc", metric="roc_auc", at_least=0.65, slice_by=("age_group", "household")),
        Kpi(id="north", metric="accuracy", at_least=0.7, slice={"region": "north"}),
    ),
    fairness=(FairnessGap(id="gap", metric="accuracy_difference", by="household", at_most=0.1),),
    positive="bad",
    costs=Costs(false_negative=15.0, false_positive=60.0),
    risk=Risk(affects="people", domain="credit"),
)
KPI, NORTH, GAP = *ASKED.kpis, *ASKED.fairness


def swap(one, **changed):
    return one.model_copy(update=changed)


CHANGES = {
    "a slice_by column dropped": (
        {"kpis": (swap(KPI, slice_by=("age_group",)), NORTH)},
        ("auc", "in every group of age_group, household", "in every group of age_group, each"),
    ),
    "another slice": (
        {"kpis": (KPI, swap(NORTH, slice={"region": "south"}))},
        ("north", "where region is north", "where region is south"),
    ),
    "the slice given up": (
        {"kpis": (KPI, swap(NORTH, slice=None))},
        ("north", "where region is north", "accuracy at_least 0.7 at confidence 0.95"),
    ),
    "fewer rows are enough for a slice": (
        {"kpis": (swap(KPI, min_rows=5), NORTH)},
        ("auc", "at least 30 rows", "at least 5 rows"),
    ),
    "a gap between other groups": (
        {"fairness": (swap(GAP, by="age_group"),)},
        ("gap", "between groups of household", "between groups of age_group"),
    ),
    "fewer rows are enough for a group": (
        {"fairness": (swap(GAP, min_rows=5),)},
        ("gap", "at least 100 rows", "at least 5 rows"),
    ),
    "a gap held less surely": (
        {"fairness": (swap(GAP, confidence=0.6),)},
        ("gap", "confidence 0.95", "confidence 0.6"),
    ),
    "other costs": (
        {"costs": Costs(false_negative=15.0, false_positive=21.0)},
        ("costs of errors", "false_positive 60", "false_positive 21"),
    ),
    "costs that differ in the last digit": (
        {"costs": Costs(false_negative=15.0, false_positive=60.0000001)},
        ("costs of errors", "false_positive 60", "false_positive 60.0000001"),
    ),
    "no costs": ({"costs": None}, ("costs of errors", "false_positive 60", "not declared")),
    "the other class": ({"positive": "good"}, ("positive class", "bad", "good")),
    "nobody is affected": (
        {"risk": Risk(affects="nobody", domain="credit")},
        ("risk answers", "affects people", "affects nobody"),
    ),
    "other stop rules": ({"stop_if": ("rows < 5",)}, ("stop rules", "rows < 10", "rows < 5")),
    "another KPI leads": ({"kpis": (NORTH, KPI)}, ("leading KPI", "auc", "north")),
}


@pytest.mark.parametrize(("changed", "told"), CHANGES.values(), ids=CHANGES)
def test_whatever_moves_a_verdict_is_a_change_told_before_and_after(entry, changed, told):
    entries = [
        entry(0, "question.set", **promised(ASKED)),
        entry(1, "verdict.made"),
        entry(2, "question.set", **promised(swap(ASKED, **changed))),
        entry(3, "question.set", **promised(ASKED)),
    ]
    away, back = threshold_changes(entries)
    name, before, after = told
    assert away.id == back.id == name
    assert before in away.before
    assert after in away.after
    assert (back.before, back.after) == (away.after, away.before)
    says = change_findings([away])[0].says
    assert away.before in says
    assert away.after in says


def test_texts_and_reasons_are_no_promise(entry):
    reworded = swap(ASKED, asks="Who pays back?", kpis=(swap(KPI, why="a lender's"), NORTH))
    entries = [
        entry(0, "question.set", **promised(ASKED)),
        entry(1, "verdict.made"),
        entry(2, "question.set", **promised(reworded)),
    ]
    assert threshold_changes(entries) == ()


def old(digest: str) -> dict:
    """Return the body of an entry from before costs, class, and rows per group were kept."""
    now = promised(ASKED)
    kpis = [{key: kpi[key] for key in kpi if key != "min_rows"} for kpi in now["kpis"]]
    gaps = [{key: gap[key] for key in ("id", "metric", "by", "at_most")} for gap in now["fairness"]]
    return {"digest": digest, "kpis": kpis, "fairness": gaps, "stop_if": now["stop_if"]}


def test_what_an_old_entry_does_not_hold_is_said_and_not_guessed(entry):
    entries = [
        entry(0, "question.set", **old("a")),
        entry(1, "verdict.made"),
        entry(2, "question.set", digest="b", **promised(ASKED)),
    ]
    found = {change.id: change for change in threshold_changes(entries)}
    assert set(found) == {"auc", "north", "gap", "costs of errors", "positive class",
                          "risk answers"}  # fmt: skip
    assert found["costs of errors"].before == "not on record then"
    assert found["gap"].before.endswith("confidence, rows per group not on record then")
    says = " ".join(finding.says for finding in change_findings(list(found.values())))
    assert "positive class was not on record then; it is bad" in says
    assert "changed positive class" not in says


def test_the_same_question_recorded_in_full_later_changed_nothing(entry):
    entries = [
        entry(0, "question.set", **old("a")),
        entry(1, "verdict.made"),
        entry(2, "question.set", digest="a", **promised(ASKED)),
    ]
    assert threshold_changes(entries) == ()
