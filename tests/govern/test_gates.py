import itertools

import pytest

from qua3ck.govern import Approval, gates, needed_approvals
from qua3ck.govern.gates import MANDATORY
from qua3ck.kit import Finding, Verdict


def _verdict(answer="pass", name="auc"):
    return Verdict(
        id=name, metric="roc_auc", value=0.8, low=0.7, high=0.9, threshold=0.75,
        direction="at_least", verdict=answer, n=100,
    )  # fmt: skip


def _word(name, decision="approve", roles=("risk_manager",)):
    return Approval(
        version=1, release="ab", approver=name, roles=roles, decision=decision, reason="r",
        at="t", head_n=1, head_hash="h",
    )  # fmt: skip


GOOD = {
    "risk": "high",
    "kpis": [_verdict()],
    "slices": [],
    "fairness": [_verdict(name="sex_gap")],
    "baseline": "pass",
    "findings": [Finding("U001", "warn", "here", "so")],
    "ledger": True,
    "reproduced": True,
    "approvals": [_word("ben"), _word("cleo")],
    "author": "ana",
    "lock_hashed": True,
}


def _answers(**changed):
    return {gate.name: gate.answer for gate in gates(**(GOOD | changed))}


def test_everything_in_order_passes_every_gate_of_each_class():
    for risk in MANDATORY:
        found = _answers(risk=risk)
        assert tuple(found) == MANDATORY[risk]
        assert set(found.values()) == {"pass"}


BAD = {
    "kpis": [_verdict("undecided")],
    "slices": [_verdict("fail")],
    "fairness": [_verdict("undecided")],
    "baseline": "undecided",
    "findings": [Finding("U001", "block", "here", "so")],
    "ledger": False,
    "reproduced": False,
    "approvals": [_word("ben")],
    "lock_hashed": False,
}


@pytest.mark.parametrize("fault", BAD)
def test_one_fault_closes_exactly_its_gate(fault):
    names = {"reproduced": "reproduction", "lock_hashed": "lock"}
    found = _answers(**{fault: BAD[fault]})
    assert {name for name, answer in found.items() if answer != "pass"} == {names.get(fault, fault)}


@pytest.mark.parametrize(
    "missing",
    [{"kpis": []}, {"baseline": None}, {"ledger": None}, {"reproduced": None},
     {"approvals": []}, {"lock_hashed": None}],
)  # fmt: skip
def test_what_is_missing_never_passes(missing):
    assert "undecided" in _answers(**missing).values()


def test_a_higher_class_never_asks_for_less():
    assert set(MANDATORY["minimal"]) <= set(MANDATORY["limited"]) <= set(MANDATORY["high"])


@pytest.mark.parametrize(
    ("risk", "ask", "needed"),
    [("minimal", None, 0), ("minimal", "two_person", 2), ("limited", "nobody", 1),
     ("limited", "two_person", 2), ("high", "nobody", 2), ("high", "one_person", 2)],
)  # fmt: skip
def test_the_file_may_ask_for_more_approvals_but_not_for_fewer(risk, ask, needed):
    assert needed_approvals(risk, ask) == needed
    given = [_word(f"p{number}") for number in range(needed)]
    assert _answers(risk=risk, ask=ask, approvals=given).get("approvals", "pass") == "pass"
    if needed:
        assert _answers(risk=risk, ask=ask, approvals=given[1:])["approvals"] == "undecided"


@pytest.mark.parametrize(
    "second",
    [_word("ben"), _word("ana"), _word("dora", roles=("analyst",)), _word("dora", roles=())],
    ids=["same person", "the author", "a role that may not", "no role"],
)
def test_only_two_distinct_approvers_who_are_not_the_author_count(second):
    assert _answers(approvals=[_word("ben"), second])["approvals"] == "undecided"


def test_a_refusal_closes_the_gate_until_the_same_person_approves():
    words = [_word("ben"), _word("cleo"), _word("cleo", "refuse")]
    assert _answers(approvals=words)["approvals"] == "fail"
    assert _answers(approvals=[*words, _word("cleo")])["approvals"] == "pass"


def test_only_the_persons_the_question_names_count():
    assert _answers(approvers=("ben", "cleo"))["approvals"] == "pass"
    assert _answers(approvers=("ben", "dora"))["approvals"] == "undecided"


def test_an_accepted_finding_passes_and_is_still_named():
    accepted = Finding("U001", "block", "here", "so", accepted="known since 2020")
    (gate,) = [one for one in gates(**(GOOD | {"findings": [accepted]})) if one.name == "findings"]
    assert (gate.answer, "U001" in gate.says) == ("pass", True)


def test_more_evidence_against_never_opens_a_gate():
    faults = list(BAD.items())
    for size in (1, 2):
        for chosen in itertools.combinations(faults, size):
            closed = sum(answer != "pass" for answer in _answers(**dict(chosen)).values())
            assert closed == size
