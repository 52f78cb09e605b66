from __future__ import annotations

import json
from dataclasses import replace

from qua3ck.conclude import lines, to_json
from qua3ck.conclude.words import what_would_decide
from qua3ck.kit.findings import Finding


def test_lines_show_result_interval_wanted_verdict_and_rows(conclusion):
    shown = lines(conclusion)
    assert shown[0].split("  ") == [
        "C", "recall", "0.83", "[0.76, 0.89]", "wanted >= 0.80", "undecided", "(95 rows)",
    ]  # fmt: skip
    assert shown[1] == "C  better than baseline: recall by 0.33 [0.25, 0.41]  yes"


def test_lines_end_with_the_reason_and_the_next_thing_to_type(conclusion):
    finding = Finding("C003", "block", "recall", "recall is undecided.")
    *_, reason, following = lines(replace(conclusion, findings=(finding,)))
    assert reason == (
        "blocked: recall of 0.76 would fit as well. About 430 rows at this recall would pass."
    )
    assert following == "next: qua3ck explain C003"


def test_a_failed_promise_is_named_before_an_undecided_one(conclusion, undecided):
    failed = replace(undecided, id="f1", value=0.3, low=0.2, high=0.4, verdict="fail")
    shown = lines(replace(conclusion, kpis=(undecided, failed)))
    assert shown[-2] == (
        "blocked: f1 is 0.30 [0.20, 0.40]; wanted >= 0.80. Also: recall undecided."
    )


def test_sentences_are_parted_by_a_full_stop(conclusion, undecided):
    few = replace(undecided, low=None, high=None, says="too few blocks: 10, it needs 20")
    lost = Finding("C001", "block", "auc", "The candidate may be no better than the baseline.")
    shown = lines(replace(conclusion, kpis=(few,), findings=(lost,)))
    assert shown[-2] == "blocked: too few blocks: 10, it needs 20. Also: C001."


def test_every_reason_is_named_the_first_in_full_and_a_finding_by_its_code(conclusion, undecided):
    gap = replace(undecided, id="sex_gap", verdict="fail")
    findings = (
        Finding("C003", "block", "recall", "recall is undecided."),
        Finding("C005", "block", "sex_gap", "sex_gap fails."),
        Finding("C001", "block", "auc", "The candidate may be no better than the baseline."),
        Finding("U001", "block", "column late", "late alone gives the target away."),
    )
    shown = lines(replace(conclusion, fairness=(gap,), findings=findings))
    assert shown[-2].startswith("blocked: sex_gap is 0.83 [0.76, 0.89]; wanted >= 0.80. Also: ")
    assert shown[-2].endswith("Also: recall undecided, C001, U001.")
    assert not any("late alone" in line for line in shown[:-2])  # its own phase has said it


def test_an_allowed_conclusion_ends_with_release(conclusion):
    assert lines(replace(conclusion, release_allowed=True))[-2:] == [
        "allowed: every KPI, slice and gap holds.", "next: qua3ck release",
    ]  # fmt: skip


def test_a_blocking_finding_of_another_phase_is_the_reason(conclusion, undecided):
    passed = replace(undecided, verdict="pass")
    leak = Finding("C006", "block", "model.onnx", "What ships differs.")
    shown = lines(replace(conclusion, kpis=(passed,), findings=(leak,)))
    assert shown[-2:] == ["blocked: What ships differs.", "next: qua3ck explain C006"]


def test_no_number_of_rows_is_said_where_none_would_decide(undecided):
    assert "No number" in what_would_decide(replace(undecided, rows_needed=None))
    assert what_would_decide(replace(undecided, verdict="pass")) == ""


def test_json_has_the_documented_shape_and_no_nan(conclusion):
    made = to_json(conclusion)
    assert list(made)[:5] == ["release_allowed", "opening", "kpis", "slices", "findings"]
    documented = {
        "id", "metric", "value", "low", "high", "threshold", "verdict", "n", "rows_needed",
    }  # fmt: skip
    assert documented <= set(made["kpis"][0])
    assert made["latency_ms"]["p99"] is None
    json.dumps(made, allow_nan=False)
