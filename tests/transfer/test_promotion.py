from __future__ import annotations

import pytest

from qua3ck.govern import alias_at, approve, enrol, open_workspace
from qua3ck.kit.errors import Blocked, Qua3ckError
from qua3ck.question.records import Kpi, Risk
from qua3ck.transfer import promotion as module
from qua3ck.transfer import rollback


@pytest.fixture(autouse=True)
def _hashed_lock(monkeypatch):
    """What is installed here may be newer than the lock; that is not what is tested."""
    monkeypatch.setattr(module, "_lock_hashed", lambda folder: True)


def enrol_two(lender) -> None:
    for name in ("risk_manager", "head_of_credit"):
        enrol(lender.workspace, name, ("risk_manager",))


def approve_by(lender, *names: str, decision: str = "approve") -> None:
    for name in names:
        approve(lender.workspace, 1, approver=name, decision=decision, reason="read the report")


def test_a_high_risk_version_needs_certificate_and_two_persons(lender):
    lender.release()
    enrol_two(lender)
    with pytest.raises(Blocked) as refused:
        lender.promote(1)
    assert (refused.value.exit_code, refused.value.code) == (1, "K006")
    assert "reproduction undecided" in refused.value.what
    assert "approvals undecided: 0 of 2" in refused.value.what
    lender.certify(1)
    approve_by(lender, "risk_manager")
    with pytest.raises(Blocked, match="1 of 2"):
        lender.promote(1)
    approve_by(lender, "head_of_credit")
    moved = lender.promote(1, reason="first version that holds")
    assert {gate.answer for gate in moved.gates} == {"pass"}
    assert (moved.alias, moved.version, moved.before) == ("champion", 1, None)
    assert alias_at(lender.workspace.ledger, "champion") == 1
    assert lender.tracking.pointers == {"champion": "1"}
    assert lender.workspace.ledger.verify().ok


def test_the_authors_own_approval_does_not_count(lender):
    lender.question = lender.question.model_copy(
        update={"roles": lender.question.roles.model_copy(update={"approvers": ()})}
    )
    lender.conclusion = lender.judge(
        lender.conclusion.__class__(
            **{**vars(lender.conclusion), "question": lender.question.digest}
        )
    )
    lender.release()
    enrol_two(lender)
    lender.certify(1)
    approve_by(lender, "analyst", "risk_manager")
    with pytest.raises(Blocked, match="not by the author"):
        lender.promote(1)


def test_a_refusal_is_recorded_with_every_answer(lender):
    lender.release()
    with pytest.raises(Blocked):
        lender.promote(1)
    body = lender.workspace.ledger.entries("promotion.refused")[-1].body
    assert body["version"] == 1
    assert body["gates"]["kpis"] == "pass"
    assert body["gates"]["approvals"] == "undecided"
    assert lender.workspace.ledger.entries("alias.moved") == []


def test_no_risk_needs_nobody_but_the_verdicts(small_lender):
    small_lender.release()
    assert small_lender.promote(1).mirrored
    body = small_lender.workspace.ledger.entries("alias.moved")[-1].body
    assert body["reason"] == "it holds"
    assert body["from"] is None
    assert "approvals" not in body["gates"]


def test_the_section_may_ask_for_more_than_the_class(small_lender):
    small_lender.release()
    small_lender.section = small_lender.section.model_copy(update={"approve": "one_person"})
    with pytest.raises(Blocked, match="0 of 1 approvals"):
        small_lender.promote(1)


def test_lowering_the_risk_answers_later_does_not_open_a_gate(lender):
    lender.release()
    lender.question = lender.question.model_copy(update={"risk": Risk(affects="nobody")})
    with pytest.raises(Blocked, match="approvals"):
        lender.promote(1)


def test_promises_changed_since_the_verdict_block(small_lender):
    small_lender.release()
    kpis = (Kpi(id="auc", metric="roc_auc", at_least=0.9),)
    small_lender.question = small_lender.question.model_copy(update={"kpis": kpis})
    with pytest.raises(Blocked, match="promises undecided"):
        small_lender.promote(1)


def test_a_later_verdict_that_takes_it_back_blocks(small_lender):
    from dataclasses import replace

    small_lender.release()
    small_lender.judge(replace(small_lender.conclusion, release_allowed=False))
    with pytest.raises(Blocked, match="judged again"):
        small_lender.promote(1)


def test_a_budget_of_openings_raised_since_the_verdict_blocks(small_lender):
    release = small_lender.release()
    ledger = small_lender.workspace.ledger
    ledger.append("openings.declared", "lender", {"m": 1, "from": None})
    small_lender.promote(release.version)
    ledger.append("openings.declared", "lender", {"m": 9, "from": 1})
    with pytest.raises(Blocked, match="budget of 1 openings, and 9 were declared"):
        small_lender.promote(release.version, alias="challenger")


def test_a_changed_file_blocks(small_lender):
    made = small_lender.release()
    path = small_lender.root / made.path / "model" / "model.onnx"
    path.chmod(0o644)
    path.write_bytes(path.read_bytes() + b"\0")
    with pytest.raises(Blocked, match=r"model/model\.onnx was changed"):
        small_lender.promote(1)


def test_a_certificate_that_differs_blocks(lender):
    lender.release()
    lender.certify(1, same=True)
    lender.certify(1, same=False)
    with pytest.raises(Blocked, match="reproduction fail"):
        lender.promote(1)


@pytest.mark.parametrize(
    ("words", "code"),
    [({"version": 4}, "K005"), ({"alias": "champoin"}, "K013"), ({"reason": "  "}, "K014")],
)
def test_mistakes_are_told(small_lender, words, code):
    small_lender.release()
    with pytest.raises(Qua3ckError) as told:
        small_lender.promote(**{"version": 1, **words})
    assert told.value.code == code


def test_who_may_not_promote_is_told_before_any_gate(small_lender):
    small_lender.release()
    enrol(small_lender.workspace, "engineer", ("data_engineer",))
    small_lender.workspace = open_workspace(small_lender.root, "consumer-credit", actor="engineer")
    with pytest.raises(Qua3ckError, match='"engineer" may not promote'):
        small_lender.promote(1)
    assert small_lender.workspace.ledger.entries("promotion.refused") == []


def test_promoting_what_is_there_already_moves_nothing(small_lender):
    small_lender.release()
    first = small_lender.promote(1)
    again = small_lender.promote(1)
    assert again.at == first.at
    assert len(small_lender.workspace.ledger.entries("alias.moved")) == 1


def test_rollback_goes_back_step_by_step_and_not_to_and_fro(small_lender):
    for number, asks in enumerate(("Who?", "Who else?", "Who then?"), start=1):
        small_lender.release_another(asks)
        small_lender.promote(number)
    back = rollback(small_lender.workspace, reason="worse", tracking=small_lender.tracking)
    assert (back.before, back.version) == (3, 2)
    back = rollback(small_lender.workspace, reason="still", tracking=small_lender.tracking)
    assert (back.before, back.version) == (2, 1)
    assert small_lender.tracking.pointers == {"champion": "1"}
    with pytest.raises(Qua3ckError, match="is back at version 1, where it began") as told:
        rollback(small_lender.workspace, reason="more", tracking=small_lender.tracking)
    assert told.value.code == "K007"
    assert "qua3ck promote 3" in told.value.fix


def test_the_only_version_has_nothing_before_it(small_lender):
    small_lender.release()
    small_lender.promote(1)
    with pytest.raises(Qua3ckError, match="has only pointed to version 1"):
        rollback(small_lender.workspace, reason="worse", tracking=small_lender.tracking)


def test_rollback_to_a_changed_version_is_refused(small_lender):
    for number, asks in enumerate(("Who?", "Who else?"), start=1):
        small_lender.release_another(asks)
        small_lender.promote(number)
    (small_lender.root / "releases" / "1" / "added.txt").write_text("added")
    with pytest.raises(Blocked, match=r"added\.txt was added"):
        rollback(small_lender.workspace, reason="worse", tracking=small_lender.tracking)
    assert alias_at(small_lender.workspace.ledger, "champion") == 2


def test_nothing_ever_promoted_has_nothing_to_roll_back_to(small_lender):
    with pytest.raises(Qua3ckError, match="never pointed anywhere"):
        rollback(small_lender.workspace, reason="why", tracking=small_lender.tracking)


def test_a_risk_manager_who_may_not_run_is_told_the_gates(lender):
    lender.release()
    enrol_two(lender)
    lender.workspace = open_workspace(lender.root, "consumer-credit", actor="risk_manager")
    with pytest.raises(Blocked, match="approvals undecided"):
        lender.promote(1)
    entry = lender.workspace.ledger.entries("promotion.refused")[-1]
    assert entry.actor == "risk_manager"
