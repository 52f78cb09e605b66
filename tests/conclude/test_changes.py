from __future__ import annotations

from qua3ck.conclude import threshold_changes
from qua3ck.conclude.findings import change_findings


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
