from __future__ import annotations

import dataclasses
import json
import pickle

import pytest

from qua3ck.govern import alias_at, approve, enrol, open_workspace
from qua3ck.govern.people import export_public
from qua3ck.kit.errors import Blocked, Qua3ckError
from qua3ck.question.records import Costs, Kpi, Risk
from qua3ck.store.keys import KeyStore
from qua3ck.transfer import audit, rollback
from qua3ck.transfer import promotion as module
from qua3ck.transfer.promotion import authors
from qua3ck.transfer.section import Transfer
from qua3ck.transfer.telling import Said, told


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


def anybody_may_approve(lender) -> None:
    lender.question = lender.question.model_copy(
        update={"roles": lender.question.roles.model_copy(update={"approvers": ()})}
    )
    lender.conclusion = lender.judge(
        lender.conclusion.__class__(
            **{**vars(lender.conclusion), "question": lender.question.digest}
        )
    )


def test_the_authors_own_approval_does_not_count(lender):
    anybody_may_approve(lender)
    lender.release()
    enrol_two(lender)
    lender.certify(1)
    approve_by(lender, "analyst", "risk_manager")
    with pytest.raises(Blocked, match=r"not by an author \(analyst\)"):
        lender.promote(1)


@pytest.mark.parametrize("event", ["candidate.kept", "verdict.made"])
def test_who_searched_or_judged_is_an_author_whoever_typed_release(lender, event):
    anybody_may_approve(lender)
    enrol(lender.workspace, "searcher", ("owner",))
    enrol(lender.workspace, "releaser", ("ml_engineer",))
    enrol_two(lender)
    own = lender.workspace
    lender.workspace = open_workspace(own.root, own.project, actor="searcher")
    if event == "verdict.made":
        lender.judge(lender.conclusion)
    else:
        lender.workspace.ledger.append(event, lender.candidate.digest, {"loop": "l"})
    lender.workspace = open_workspace(own.root, own.project, actor="releaser")
    lender.release()
    lender.certify(1)
    approve_by(lender, "searcher", "risk_manager")
    lender.workspace = own
    with pytest.raises(Blocked, match=r"1 of 2 .* not by an author \(searcher\)"):
        lender.promote(1)
    approve_by(lender, "head_of_credit")
    assert lender.promote(1).version == 1


def test_a_steward_who_opened_the_seal_to_judge_is_no_author(lender):
    anybody_may_approve(lender)
    enrol(lender.workspace, "steward", ("data_steward",))
    enrol_two(lender)
    roles = lender.question.roles.model_copy(update={"steward": "steward"})
    question = lender.question.model_copy(update={"roles": roles})
    own = lender.workspace
    lender.workspace = open_workspace(own.root, own.project, actor="steward")
    lender.judge(lender.conclusion)
    lender.workspace = own
    release = lender.release()
    assert authors(own, release, question) == {"analyst"}
    assert authors(own, release, lender.question) == {"analyst", "steward"}


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


GUTTED = {
    "costs": ("costs", Costs(false_negative=1.0, false_positive=5.0), "costs of errors"),
    "positive": ("positive", "good", "positive class: bad -> good"),
    "slice": ("kpis", {"slice_by": ("sex",)}, "in every group of sex"),
    "by": ("fairness", {"by": "home"}, "between groups of sex.* -> .* groups of home"),
    "rows": ("fairness", {"min_rows": 5}, "at least 100 rows .*at least 5 rows"),
}


@pytest.mark.parametrize(("part", "to", "told"), GUTTED.values(), ids=GUTTED)
def test_whatever_would_move_the_verdict_blocks_if_it_was_edited_since(lender, part, to, told):
    ready(lender)
    if isinstance(to, dict):
        first, *others = getattr(lender.question, part)
        to = (first.model_copy(update=to), *others)
    lender.question = lender.question.model_copy(update={part: to})
    with pytest.raises(Blocked, match=f"promises undecided: .*{told}") as refused:
        lender.promote(1)
    assert "qua3ck conclude" in refused.value.what
    assert lender.workspace.ledger.entries("alias.moved") == []


def test_another_wording_since_the_verdict_is_no_other_promise(lender):
    ready(lender)
    lender.question = lender.question.model_copy(update={"asks": "Who will not pay back?"})
    assert lender.promote(1).version == 1


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


def test_a_champion_that_goes_by_steps_says_so_in_its_move(small_lender):
    small_lender.release()
    small_lender.release_another("Who else?")
    small_lender.promote(1)
    small_lender.promote(2, steps=(5, 100))
    small_lender.promote(2, steps=(5, 100), alias="shadow")
    _, champion, shadow = small_lender.workspace.ledger.entries("alias.moved")
    assert champion.body["steps"] == [5, 100]
    assert "steps" not in shadow.body


def test_the_first_champion_answers_everybody_at_once_and_is_told_so(small_lender):
    small_lender.release()
    small_lender.promote(1, steps=(5, 100))
    (moved,) = small_lender.workspace.ledger.entries("alias.moved")
    assert "steps" not in moved.body
    assert Said.of(told(moved)) == "champion: nowhere -> version 1 (promote): it holds"


def test_a_version_whose_canary_was_stopped_can_be_promoted_again(small_lender):
    small_lender.release()
    small_lender.promote(1, steps=(5, 100))
    ledger = small_lender.workspace.ledger
    seq = ledger.entries("alias.moved")[-1].seq
    small_lender.promote(1, steps=(5, 100))
    assert len(ledger.entries("alias.moved")) == 1
    ledger.append("canary.stopped", "release 1", {"rollout": seq, "why": "errors"})
    small_lender.promote(1, steps=(5, 100))
    assert len(ledger.entries("alias.moved")) == 2


def ready(lender) -> None:
    """Release, certify and approve version 1."""
    lender.release()
    enrol_two(lender)
    lender.certify(1)
    approve_by(lender, "risk_manager", "head_of_credit")


def security(answers) -> str:
    (gate,) = [one for one in answers if one.name == "security"]
    return gate.says


def test_for_high_risk_somebody_answers_for_vulnerabilities_that_nobody_looked_for(lender):
    ready(lender)
    said = lender.section
    lender.section = Transfer()
    with pytest.raises(Blocked, match=r"security undecided: .*NOT CHECKED: known vuln") as refused:
        lender.promote(1)
    assert "transfer.advisories" in refused.value.fix
    lender.section = said
    moved = lender.promote(1)
    assert "(a made lender, nobody is scored, put on record by analyst" in security(moved.gates)
    body = lender.workspace.ledger.entries("alias.moved")[-1].body
    assert body["gates"]["security"] == "pass"
    assert "a made lender, nobody is scored" in body["security"]


def test_an_advisory_that_came_after_the_release_stops_it(lender):
    from qua3ck.transfer.security.pins import pins

    ready(lender)
    lock = lender.root / "releases" / "1" / "requirements.txt"
    pin = pins(lock.read_text())[0]
    package = {"ecosystem": "PyPI", "name": pin.name}
    known = {
        "id": "MAL-1", "modified": "2026-01-01T00:00:00Z",
        "affected": [{"package": package, "versions": [pin.version]}],
    }  # fmt: skip
    (lender.root / "known.json").write_text(json.dumps(known))
    lender.section = Transfer(advisories="known.json")
    with pytest.raises(Blocked, match="security fail: blocking K024") as refused:
        lender.promote(1)
    assert f"{pin.name} {pin.version}: MAL-1" in refused.value.what
    assert "qua3ck explain K024" in refused.value.fix


def test_for_minimal_risk_the_scan_is_told_and_stops_nothing(small_lender):
    (small_lender.root / "features.py").write_text("eval('1')\n")
    small_lender.release()
    moved = small_lender.promote(1)
    assert "blocking K021 code/features.py, line 1" in security(moved.gates)
    body = small_lender.workspace.ledger.entries("alias.moved")[-1].body
    assert "security" not in body["gates"]
    assert body["told"] == {"security": "fail"}


def test_what_was_put_into_a_version_is_named_and_said_to_be_a_pickle(lender):
    made = lender.release()
    harm = lender.root / made.path / "model" / "readme.txt"
    harm.write_bytes(pickle.dumps(Kpi(id="auc", metric="roc_auc", at_least=0.9)))
    with pytest.raises(Blocked) as refused:
        lender.promote(1)
    assert "model/readme.txt was added" in refused.value.what
    assert "K020 model/readme.txt: It is a pickle" in refused.value.what


def test_the_audit_tells_years_later_what_the_scan_rested_on(lender):
    ready(lender)
    lender.promote(1)
    said = "\n".join(audit(lender.workspace, on="2999-01-01").lines())
    assert "security: pass" in said
    assert "security scan: nothing found that blocks" in said
    assert "a made lender, nobody is scored, put on record by analyst" in said


def replace_key(lender, name: str, tmp_path) -> None:
    """Do what an author may who is the owner: sign as somebody else, with a new key."""
    own = lender.workspace
    lender.workspace = dataclasses.replace(own, keys=KeyStore(tmp_path / "made-up"))
    export_public(lender.workspace.keys, name, tmp_path / f"{name}.pub")
    enrol(own, name, ("risk_manager",), public=tmp_path / f"{name}.pub")


def test_an_author_who_replaced_an_approvers_key_cannot_approve_with_it(lender, tmp_path):
    lender.release()
    enrol_two(lender)
    lender.certify(1)
    approve_by(lender, "head_of_credit")
    own = lender.workspace
    replace_key(lender, "risk_manager", tmp_path)
    approve_by(lender, "risk_manager")
    lender.workspace = own
    with pytest.raises(Blocked, match="the key of risk_manager was put in place") as told:
        lender.promote(1)
    assert "approvals undecided: 1 of 2" in told.value.what
    said = [event.says for event in audit(own).events if event.event == "person.enrolled"]
    assert said[-2:] == [
        "head_of_credit as risk_manager",
        "risk_manager as risk_manager; KEY REPLACED by analyst",
    ]
    words = [event.says for event in audit(own, version=1).events if "signs for" in event.says]
    assert words == [
        "head_of_credit signs for version 1: read the report",
        "risk_manager signs for version 1: read the report; with a key that analyst put in place"
        " of another",
    ]
    enrol(own, "boss", ("owner",))
    boss = open_workspace(own.root, own.project, actor="boss")
    enrol(boss, "risk_manager", ("risk_manager",), public=tmp_path / "risk_manager.pub")
    assert lender.promote(1).version == 1
