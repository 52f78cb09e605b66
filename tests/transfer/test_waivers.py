"""A reason for living with a finding counts only once those who approve could see it."""

from __future__ import annotations

import json

import pytest

from qua3ck.govern import approve, enrol, open_workspace
from qua3ck.kit.errors import Blocked
from qua3ck.question.records import Risk
from qua3ck.transfer import audit
from qua3ck.transfer import promotion as module
from qua3ck.transfer.promotion import gate_answers
from qua3ck.transfer.section import Transfer
from qua3ck.transfer.security.pins import pins

WHY = "numpy is only imported by the tests"


@pytest.fixture(autouse=True)
def _hashed_lock(monkeypatch):
    """What is installed here may be newer than the lock; that is not what is tested."""
    monkeypatch.setattr(module, "_lock_hashed", lambda folder: True)


@pytest.fixture
def approved(lender):
    """Version 1, reproduced, approved by both, and promotable as it is."""
    lender.release()
    for name in ("risk_manager", "head_of_credit"):
        enrol(lender.workspace, name, ("risk_manager",))
    lender.certify(1)
    sign(lender, "risk_manager", "head_of_credit")
    return lender


def sign(lender, *names, decision="approve"):
    for name in names:
        approve(lender.workspace, 1, approver=name, decision=decision, reason="read it")


def advise(lender, **more):
    """Have an advisory about a locked package come in."""
    pin = pins((lender.root / "releases" / "1" / "requirements.txt").read_text())[0]
    package = {"ecosystem": "PyPI", "name": pin.name}
    known = {
        "id": "MAL-2026-1", "modified": lender.workspace.clock().isoformat(),
        "affected": [{"package": package, "versions": [pin.version]}], **more,
    }  # fmt: skip
    (lender.root / "known.json").write_text(json.dumps(known))
    lender.section = Transfer(advisories="known.json")


def accept(lender, **reasons):
    lender.section = lender.section.model_copy(update={"accept": reasons or {"MAL-2026-1": WHY}})


def security(answers):
    (gate,) = [one for one in answers if one.name == "security"]
    return gate


def test_the_author_alone_cannot_waive_what_came_up_after_the_approvals(approved):
    advise(approved)
    with pytest.raises(Blocked, match="security fail: blocking K024") as refused:
        approved.promote(1)
    assert "qua3ck explain K024" in refused.value.fix
    assert "K026" not in refused.value.fix
    accept(approved)
    for _ in range(2):  # asking again does not make it count
        with pytest.raises(Blocked, match="security fail: blocking K024") as refused:
            approved.promote(1)
    assert "0 of 2 approvals are later" in refused.value.what
    assert "qua3ck approve 1" in refused.value.fix
    assert approved.workspace.ledger.entries("alias.moved") == []
    sign(approved, "risk_manager")
    with pytest.raises(Blocked, match="1 of 2 approvals are later"):
        approved.promote(1)
    sign(approved, "head_of_credit")
    said = security(approved.promote(1).gates).says
    (event,) = approved.workspace.ledger.entries("security.accepted")
    for word in ("K024", "MAL-2026-1", WHY, "analyst", f"ledger entry {event.seq}"):
        assert word in said


def test_it_is_on_record_once_with_who_what_and_why(approved):
    advise(approved)
    accept(approved)
    for _ in range(2):
        with pytest.raises(Blocked):
            approved.promote(1)
    (event,) = approved.workspace.ledger.entries("security.accepted")
    assert event.actor == "analyst"
    assert (event.body["version"], event.body["ids"], event.body["reason"]) == (
        1, ["MAL-2026-1"], WHY,
    )  # fmt: skip
    (told,) = [e for e in audit(approved.workspace, version=1).events if e.seq == event.seq]
    for word in ("K024", "MAL-2026-1", WHY):
        assert word in told.says
    assert told.actor == "analyst"


def test_only_asking_puts_nothing_on_record(approved):
    advise(approved)
    accept(approved)
    before = approved.workspace.ledger.head().n
    release = audit(approved.workspace).releases[0]
    gate = security(gate_answers(approved.workspace, approved.question, release, approved.section))
    assert (gate.answer, "puts on record" in gate.says) == ("fail", True)
    assert approved.workspace.ledger.head().n == before


def test_an_authors_signature_does_not_make_it_count(approved):
    enrol(approved.workspace, "third", ("risk_manager",))
    roles = approved.question.roles.model_copy(update={"approvers": ()})
    approved.question = approved.question.model_copy(update={"roles": roles})
    advise(approved)
    accept(approved)
    with pytest.raises(Blocked):
        approved.promote(1)
    sign(approved, "analyst", "third")
    with pytest.raises(Blocked, match="1 of 2 approvals are later"):
        approved.promote(1)
    sign(approved, "risk_manager")
    assert security(approved.promote(1).gates).answer == "pass"


def test_other_words_are_another_reason(approved):
    advise(approved)
    accept(approved)
    with pytest.raises(Blocked):
        approved.promote(1)
    sign(approved, "risk_manager", "head_of_credit")
    accept(approved, **{"MAL-2026-1": "nobody will notice"})
    with pytest.raises(Blocked, match=r"nobody will notice.*0 of 2 approvals"):
        approved.promote(1)
    accept(approved)
    assert approved.promote(1).version == 1


def test_what_was_accepted_as_a_warning_is_not_accepted_once_it_can_be_exploited(approved):
    advise(approved, id="GHSA-1")
    accept(approved, **{"GHSA-1": "we read no files"})
    approved.promote(1)
    sign(approved, "risk_manager", "head_of_credit")
    assert "accepted K024" in security(approved.promote(1).gates).says
    advise(approved, id="GHSA-1", references=[{"type": "EVIDENCE", "url": "https://x.example"}])
    accept(approved, **{"GHSA-1": "we read no files"})
    with pytest.raises(Blocked, match="0 of 2 approvals are later"):
        approved.promote(1, alias="challenger")


def test_a_reason_that_stood_in_the_approved_version_needs_no_second_signature(approved):
    said = security(approved.promote(1).gates).says
    made = approved.workspace.ledger.entries("release.made")[0]
    assert "a made lender, nobody is scored" in said
    assert f"put on record by analyst, ledger entry {made.seq}" in said
    assert approved.workspace.ledger.entries("security.accepted") == []
    (told,) = [e for e in audit(approved.workspace, version=1).events if e.seq == made.seq]
    assert "analyst accepts K026 transfer.advisories (a made lender, nobody is scored)" in told.says


def test_evidence_that_was_changed_is_not_quoted(approved):
    path = approved.root / "releases" / "1" / "evidence" / "security.json"
    path.chmod(0o644)
    path.write_text(path.read_text().replace("a made lender", "an approved lender"))
    text = "\n".join(audit(approved.workspace, version=1).lines())
    assert "an approved lender" not in text
    assert "security.json is not the released one" in text
    with pytest.raises(Blocked, match=r"files fail: evidence/security\.json was changed"):
        approved.promote(1)


def test_one_approval_is_enough_where_the_class_needs_one(approved):
    risk = Risk(affects="people", domain="music", automated=False)
    approved.question = approved.question.model_copy(update={"risk": risk})
    assert module._class(approved.question) == "limited"
    approved.release_another("Who, of the shops?")
    approved.certify(2)
    approve(approved.workspace, 2, approver="risk_manager", decision="approve", reason="read")
    advise(approved)
    accept(approved)
    with pytest.raises(Blocked, match="0 of 1 approvals are later"):
        approved.promote(2)
    approve(approved.workspace, 2, approver="head_of_credit", decision="approve", reason="read")
    assert security(approved.promote(2).gates).answer == "pass"


def test_for_minimal_risk_it_counts_at_once_and_is_on_record(small_lender):
    small_lender.section = Transfer()
    small_lender.release()
    accept(small_lender, K026="offline")
    said = security(small_lender.promote(1).gates).says
    (event,) = small_lender.workspace.ledger.entries("security.accepted")
    assert f"(offline, put on record by analyst, ledger entry {event.seq})" in said


def test_a_risk_manager_who_promotes_can_put_it_on_record(approved):
    advise(approved)
    accept(approved)
    approved.workspace = open_workspace(approved.root, "consumer-credit", actor="risk_manager")
    with pytest.raises(Blocked, match="put on record by risk_manager"):
        approved.promote(1)


def test_nobody_is_told_to_sign_before_it_is_known_what_is_accepted(lender):
    lender.section = Transfer()
    lender.release()
    with pytest.raises(Blocked) as refused:
        lender.promote(1)
    fix = refused.value.fix
    assert fix.index("reproduce 1") < fix.index("K026") < fix.index("qua3ck approve 1")


def test_a_folder_that_was_changed_is_restored_before_anybody_signs(approved):
    (approved.root / "releases" / "1" / "added.txt").write_text("added")
    with pytest.raises(Blocked) as refused:
        approved.promote(1)
    assert "restore the version's folder" in refused.value.fix
    assert "approve" not in refused.value.fix
    assert approved.workspace.ledger.entries("security.accepted") == []


def test_the_report_and_the_evidence_name_the_reason_and_who_gave_it(approved):
    folder = approved.root / "releases" / "1"
    assert json.loads((folder / "evidence" / "security.json").read_text())["by"] == "analyst"
    page = (folder / "report.html").read_text(encoding="utf-8")
    assert "accepted: a made lender, nobody is scored (analyst)" in page


def test_having_looked_cannot_be_taken_back_by_taking_the_advisories_away(approved):
    said = approved.section
    advise(approved)
    with pytest.raises(Blocked, match="blocking K024"):
        approved.promote(1)
    approved.section = said  # as it was approved: no advisories, and a reason for that
    for _ in range(2):
        with pytest.raises(Blocked, match=r"security undecided: .*0 of 2 approvals are later"):
            approved.promote(1)
    assert len(approved.workspace.ledger.entries("security.accepted")) == 1
    sign(approved, "risk_manager", "head_of_credit")
    assert approved.promote(1).version == 1
