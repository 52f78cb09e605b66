"""Who agreed to which thresholds, and whether a result was known by then."""

from __future__ import annotations

import pytest

from qua3ck.govern import enrol, open_workspace
from qua3ck.kit.errors import Blocked
from qua3ck.question.agreement import agree, agreement_findings, agreements, hold_agreement
from qua3ck.question.records import Costs, FairnessGap, Kpi, Question, Risk, Roles

ASKED = Question(
    asks="Who will repay?",
    decides="A person.",
    why_now="Nine days.",
    risks="A loan refused.",
    stop_if=("rows < 10",),
    kpis=(Kpi(id="auc", metric="roc_auc", at_least=0.8),),
    fairness=(FairnessGap(id="gap", metric="accuracy_difference", by="sex", at_most=0.1),),
    risk=Risk(affects="people", domain="credit"),
    roles=Roles(owner="ana", approvers=("rosa",)),
)


@pytest.fixture
def workspace(tmp_path, monkeypatch):
    monkeypatch.setenv("QUA3CK_KEYS", str(tmp_path / "keys"))
    made = open_workspace(tmp_path / "project", "demo", actor="ana")
    enrol(made, "rosa", ("risk_manager",))
    return made


def asked(limit: float = 0.8, **changed) -> Question:
    kpis = (ASKED.kpis[0].model_copy(update={"at_least": limit}),)
    return ASKED.model_copy(update={"kpis": kpis, **changed})


def sign(workspace, question=ASKED, name="rosa", decision="approve"):
    return agree(question, workspace, approver=name, decision=decision, reason="read")


def words(workspace, question=ASKED):
    return {word.name: word for word in agreements(question, workspace.ledger.entries())}


def finding(workspace, question=ASKED, *, risk="high", judged=False):
    (found,) = agreement_findings(question, workspace.ledger.entries(), risk=risk, judged=judged)
    return found


def open_seal(workspace):
    workspace.ledger.append("seal.opened", "s1", {"candidate": "c"})


def test_everybody_named_is_listed_and_who_said_nothing_has_not_agreed(workspace):
    sign(workspace)
    said = words(workspace)
    assert list(said) == ["ana", "rosa"]
    assert (said["ana"].agrees, said["rosa"].agrees) == (False, True)
    assert repr(said["ana"]) == "ana has not agreed to it yet"
    assert repr(said["rosa"]).endswith("before the seal was opened")


def test_a_threshold_moved_afterwards_is_shown_from_what_was_signed_to_what_is_asked(workspace):
    sign(workspace)
    word = words(workspace, asked(0.7, fairness=()))["rosa"]
    assert not word.agrees
    assert [(name, "0.8" in then, "0.7" in now) for name, then, now in word.moved] == [
        ("auc", True, True),
        ("gap", False, False),
    ]
    assert "auc: roc_auc at_least 0.8" in word.says()
    assert "gap: accuracy_difference at_most 0.1" in word.says()
    assert word.says().endswith("each of at least 100 rows -> not asked")


def test_another_wording_needs_a_new_signature_but_moves_no_threshold(workspace):
    sign(workspace)
    word = words(workspace, asked(asks="Who will pay back?"))["rosa"]
    assert (word.agrees, word.moved) == (False, ())
    assert word.says().endswith("since then no promise was changed")


def test_who_agrees_after_the_seal_was_opened_agreed_too_late(workspace):
    sign(workspace)
    open_seal(workspace)
    sign(workspace, name="ana")
    said = words(workspace)
    assert (said["rosa"].in_time, said["ana"].in_time) == (True, False)
    assert said["ana"].agrees
    assert "AFTER the seal had been opened" in said["ana"].says()


def test_signing_another_wording_late_keeps_the_same_thresholds_in_time_and_others_not(workspace):
    first = sign(workspace)
    open_seal(workspace)
    reworded = asked(asks="Who will pay back?")
    sign(workspace, reworded)
    word = words(workspace, reworded)["rosa"]
    assert (word.agrees, word.in_time, word.since) == (True, True, first.head_n)
    sign(workspace, asked(0.7))
    word = words(workspace, asked(0.7))["rosa"]
    assert (word.agrees, word.in_time) == (True, False)


GUTTED = {
    "costs": {"costs": Costs(false_negative=15.0, false_positive=21.0)},
    "positive": {"positive": "good"},
    "risk": {"risk": Risk(affects="nobody")},
    "stop": {"stop_if": ("rows < 5",)},
    "slice": {"kpis": (ASKED.kpis[0].model_copy(update={"slice_by": ("sex",)}),)},
    "by": {"fairness": (ASKED.fairness[0].model_copy(update={"by": "age"}),)},
    "rows": {"fairness": (ASKED.fairness[0].model_copy(update={"min_rows": 5}),)},
}


@pytest.mark.parametrize("changed", GUTTED.values(), ids=GUTTED)
def test_who_signs_another_promise_once_the_seal_is_open_signs_late(workspace, changed):
    sign(workspace)
    sign(workspace, name="ana")
    open_seal(workspace)
    gutted = asked(**changed)
    word = words(workspace, gutted)["ana"]
    assert word.moved
    assert " -> " in word.says()
    sign(workspace, gutted)
    sign(workspace, gutted, name="ana")
    said = words(workspace, gutted)
    assert [(word.agrees, word.in_time) for word in said.values()] == [(True, False)] * 2
    found = finding(workspace, gutted, risk="high", judged=True)
    assert found.evidence["missing"] == ["ana", "rosa"]


def test_a_signature_from_before_all_was_on_record_holds_for_the_same_question_only(workspace):
    """Its digest covers every word; of another question nobody can tell what was the same."""
    from qua3ck.govern import approve_question

    kept = {
        "kpis": [{"id": "auc", "metric": "roc_auc", "at_least": "0.8", "confidence": "0.95"}],
        "fairness": [{"id": "gap", "metric": "accuracy_difference", "at_most": "0.1"}],
    }
    approve_question(
        workspace, ASKED.digest, kept, named=("rosa",), approver="rosa", decision="approve",
        reason="read",
    )  # fmt: skip
    open_seal(workspace)
    word = words(workspace)["rosa"]
    assert (word.agrees, word.in_time, word.moved) == (True, True, ())
    reworded = asked(asks="Who will pay back?")
    assert "costs of errors: not on record then -> " in words(workspace, reworded)["rosa"].says()
    sign(workspace, reworded)
    assert not words(workspace, reworded)["rosa"].in_time


def test_the_latest_word_counts(workspace):
    sign(workspace)
    sign(workspace, decision="refuse")
    assert not words(workspace)["rosa"].agrees
    assert "refused it" in words(workspace)["rosa"].says()


def test_above_minimal_it_is_a_warning_until_all_have_agreed_in_time(workspace):
    assert finding(workspace).severity == "warn"
    sign(workspace)
    found = finding(workspace)
    assert (found.severity, found.evidence["missing"]) == ("warn", ["ana"])
    assert "qua3ck approve --question" in found.says
    open_seal(workspace)
    sign(workspace, name="ana")
    assert finding(workspace).severity == "inform"
    late = finding(workspace, judged=True)
    assert (late.severity, late.evidence["missing"]) == ("warn", ["ana"])
    assert finding(workspace, risk="limited", judged=True).severity == "warn"
    assert finding(workspace, risk="minimal", judged=True).severity == "inform"


def test_that_nobody_is_named_is_told_above_minimal_only(workspace):
    alone = asked(roles=Roles())
    assert "nobody is named" in finding(workspace, alone).says
    assert agreement_findings(alone, workspace.ledger.entries(), risk="minimal") == ()
    unanswered = asked(roles=Roles(), risk=Risk())
    assert agreement_findings(unanswered, workspace.ledger.entries(), risk="high") == ()


def hold(workspace, question=ASKED, *, all_first=False):
    hold_agreement(question, workspace.ledger.entries(), all_first=all_first)


def test_a_refusal_keeps_the_seal_shut_until_it_is_taken_back_or_the_question_changes(workspace):
    hold(workspace)
    sign(workspace, decision="refuse")
    with pytest.raises(Blocked, match="rosa refused it") as held:
        hold(workspace)
    assert held.value.code == "Q012"
    hold(workspace, asked(0.85))
    sign(workspace)
    hold(workspace)


def test_all_named_must_agree_first_where_that_is_asked(workspace):
    sign(workspace)
    with pytest.raises(Blocked, match="ana has not agreed"):
        hold(workspace, all_first=True)
    sign(workspace, name="ana")
    hold(workspace, all_first=True)
    with pytest.raises(Blocked, match="rosa agreed to an earlier one"):
        hold(workspace, asked(0.7), all_first=True)
    with pytest.raises(Blocked, match="nobody is named"):
        hold(workspace, asked(roles=Roles()), all_first=True)


def test_somebody_who_is_not_named_cannot_hold_the_seal(workspace):
    enrol(workspace, "malik", ("domain_expert",))
    sign(workspace, name="malik", decision="refuse")
    hold(workspace, all_first=False)
    assert "malik" in words(workspace)
