import pytest

from qua3ck.govern import (
    approvals,
    approve,
    approve_question,
    enrol,
    question_approvals,
    release_entry,
)
from qua3ck.kit.hashes import canonical_json


@pytest.fixture
def released(workspace):
    for name, roles in (("ben", "risk_manager"), ("cleo", "domain_expert"), ("dan", "analyst")):
        enrol(workspace, name, (roles,))
    workspace.ledger.append("release.made", "release 1", {"version": 1, "digest": "ab" * 32})
    return workspace


def _say(workspace, name="ben", decision="approve", version=1, reason="figures checked"):
    return approve(workspace, version, approver=name, decision=decision, reason=reason)


def test_an_approval_countersigns_the_ledger_its_giver_saw(released):
    seen = released.ledger.head()
    given = _say(released)
    assert (given.head_n, given.head_hash) == (seen.n, seen.hash)
    assert (given.approver, given.roles, given.release) == ("ben", ("risk_manager",), "ab" * 32)
    assert approvals(released, 1) == (given,)
    assert released.ledger.verify().ok


def test_every_word_is_kept_in_order(released):
    _say(released)
    _say(released, "cleo", "refuse", reason="the region is too small")
    _say(released, "cleo")
    words = [(one.approver, one.decision) for one in approvals(released, 1)]
    assert words == [("ben", "approve"), ("cleo", "refuse"), ("cleo", "approve")]
    events = [entry.event for entry in released.ledger.entries()[-3:]]
    assert events == ["approval.given", "approval.refused", "approval.given"]


def test_an_approval_of_another_release_under_the_same_number_does_not_count(released):
    _say(released)
    released.ledger.append("release.made", "release 1", {"version": 1, "digest": "cd" * 32})
    assert approvals(released, 1) == ()


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ({"version": 2}, "G011"),
        ({"decision": "perhaps"}, "G012"),
        ({"reason": "  "}, "G012"),
        ({"name": "dan"}, "G002"),
        ({"name": "eve"}, "G001"),
    ],
)
def test_what_is_no_approval_is_refused_and_not_recorded(released, refused, changed, code):
    before = len(released.ledger.entries())
    refused(lambda: _say(released, **changed), code)
    assert len(released.ledger.entries()) == before


def test_nobody_can_sign_for_somebody_whose_key_is_elsewhere(released, refused):
    key = released.keys.folder / "people/ben.pem"
    key.unlink()
    refused(lambda: _say(released), "S031")
    released.keys.identity("ben", create=True)
    refused(lambda: _say(released), "G006")


def _forge(released, by, **changed):
    """Write an approval of ben's that dan, who may write, signed or changed."""
    head = released.ledger.head()
    statement = {
        "what": "qua3ck approval", "version": 1, "release": "ab" * 32, "approver": "ben",
        "decision": "approve", "reason": "r", "head": {"n": head.n, "hash": head.hash}, "at": "t",
    } | changed  # fmt: skip
    signature = released.keys.identity(by, create=False).sign(canonical_json(statement)).hex()
    shown = {key: statement[key] for key in ("version", "approver", "decision", "reason")}
    signed = {"by": "ben", "statement": statement, "signature": signature}
    return shown, signed


@pytest.mark.parametrize("fault", ["signer", "decision", "signature", "head", "missing"])
def test_a_forged_approval_is_refused_and_does_not_verify(released, refused, fault):
    shown, signed = _forge(released, "dan" if fault == "signer" else "ben")
    if fault == "decision":
        shown["decision"] = "refuse"
    if fault == "signature":
        signed["signature"] = "zz"
    if fault == "head":
        shown, signed = _forge(released, "ben", head={"n": 1, "hash": "0" * 64})
    body = shown if fault == "missing" else {**shown, "signed": signed}
    released.ledger.append("approval.given", "1", body)
    refused(lambda: approvals(released, 1), "G013")
    assert not released.ledger.verify().ok


def test_an_old_approval_cannot_be_used_again_after_a_refusal(released, refused):
    _say(released)
    old = released.ledger.entries("approval.given")[-1]
    _say(released, decision="refuse")
    released.ledger.append("approval.given", "1", old.body)
    refused(lambda: approvals(released, 1), "G013")
    assert "replayed" in released.ledger.verify().problems[0]


def test_the_latest_release_of_a_number_is_found(released, refused):
    assert release_entry(released, 1).body["digest"] == "ab" * 32
    assert "released so far: 1" in refused(lambda: release_entry(released, 7), "G011").what


PROMISES = {"kpis": [{"id": "acc", "metric": "accuracy", "at_least": 0.8}], "fairness": []}


def _ask(workspace, name="ben", decision="approve", reason="a fair number", **changed):
    asked = {"question": "ef" * 32, "promises": PROMISES, "named": ("dan",)} | changed
    return approve_question(workspace, approver=name, decision=decision, reason=reason, **asked)


def test_a_signature_under_the_question_is_over_its_numbers_and_the_ledger_seen(released):
    seen = released.ledger.head()
    given = _ask(released)
    assert (given.version, given.question, given.opened) == (None, "ef" * 32, 0)
    assert given.promises["kpis"][0]["at_least"] == "0.8"
    assert (given.head_n, given.head_hash) == (seen.n, seen.hash)
    ((entry, again),) = question_approvals(released.ledger.entries())
    assert (again, entry.event, entry.subject) == (given, "approval.given", "question")
    assert released.ledger.verify().ok
    assert approvals(released, 1) == ()


def test_how_often_the_seal_had_been_opened_is_signed_too(released, refused):
    released.ledger.append("seal.opened", "s1", {"candidate": "c"})
    assert _ask(released).opened == 1
    head = released.ledger.head()
    _, signed = _forge_question(released, head, opened=0)
    body = {"approver": "ben", "decision": "approve", "reason": "r", "signed": signed}
    released.ledger.append("approval.given", "question", body)
    refused(lambda: question_approvals(released.ledger.entries()), "G013")


def test_who_is_named_may_sign_the_question_others_need_a_role_that_may(released, refused):
    assert _ask(released, "dan").roles == ("analyst",)
    refused(lambda: _ask(released, "dan", named=("ben",)), "G002")
    refused(lambda: _ask(released, "eve", named=("eve",)), "G001")
    refused(lambda: _ask(released, reason=" "), "G012")


def _forge_question(released, head, **changed):
    statement = {
        "what": "qua3ck approval", "question": "ef" * 32, "promises": {}, "approver": "ben",
        "decision": "approve", "reason": "r", "head": {"n": head.n, "hash": head.hash}, "at": "t",
        "opened": 0,
    } | changed  # fmt: skip
    signature = released.keys.identity("ben", create=False).sign(canonical_json(statement)).hex()
    return statement, {"by": "ben", "statement": statement, "signature": signature}


def test_a_signature_under_the_question_is_none_under_a_version_nor_the_other_way(
    released, refused
):
    _, signed = _forge_question(released, released.ledger.head())
    body = {"approver": "ben", "decision": "approve", "reason": "r", "signed": signed}
    released.ledger.append("approval.given", "1", body)
    refused(lambda: approvals(released, 1), "G013")
    shown, signed = _forge(released, "ben")
    released.ledger.append("approval.given", "question", {**shown, "signed": signed})
    refused(lambda: question_approvals(released.ledger.entries()), "G013")


def test_nothing_stands_beside_what_was_signed(released, refused):
    _, signed = _forge_question(released, released.ledger.head())
    body = {"approver": "ben", "decision": "approve", "reason": "r", "signed": signed}
    released.ledger.append("approval.given", "question", {**body, "note": "and 0.7 is fine"})
    refused(lambda: question_approvals(released.ledger.entries()), "G013")
