import itertools
from dataclasses import replace

import pytest

from qua3ck.govern import Approval, gates, needed_approvals
from qua3ck.govern.gates import MANDATORY, TOLD, Waiver
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
    "authors": {"ana"},
    "lock_hashed": True,
    "security": [Finding("K021", "warn", "code/f.py", "so")],
}

NOT_CHECKED = Finding("K026", "inform", "here", "so", {"not_checked": "known vulnerabilities"})


def _answers(**changed):
    return {gate.name: gate.answer for gate in gates(**(GOOD | changed))}


def test_everything_in_order_passes_every_gate_of_each_class():
    for risk in MANDATORY:
        found = _answers(risk=risk)
        assert tuple(found) == (*MANDATORY[risk], *TOLD[risk])
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
    "security": [Finding("K020", "block", "model/x", "so")],
}


@pytest.mark.parametrize("fault", BAD)
def test_one_fault_closes_exactly_its_gate(fault):
    names = {"reproduced": "reproduction", "lock_hashed": "lock"}
    found = _answers(**{fault: BAD[fault]})
    assert {name for name, answer in found.items() if answer != "pass"} == {names.get(fault, fault)}


@pytest.mark.parametrize(
    "missing",
    [{"kpis": []}, {"baseline": None}, {"ledger": None}, {"reproduced": None},
     {"approvals": []}, {"lock_hashed": None}, {"security": None}],
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
    ids=["same person", "an author", "a role that may not", "no role"],
)
def test_only_two_distinct_approvers_who_are_no_authors_count(second):
    assert _answers(approvals=[_word("ben"), second])["approvals"] == "undecided"


def test_a_refusal_closes_the_gate_until_the_same_person_approves():
    words = [_word("ben"), _word("cleo"), _word("cleo", "refuse")]
    assert _answers(approvals=words)["approvals"] == "fail"
    assert _answers(approvals=[*words, _word("cleo")])["approvals"] == "pass"


def test_only_the_persons_the_question_names_count():
    assert _answers(approvers=("ben", "cleo"))["approvals"] == "pass"
    assert _answers(approvers=("ben", "dora"))["approvals"] == "undecided"


@pytest.mark.parametrize(
    ("givers", "answer"), [((), "pass"), (("ana",), "undecided"), (("ana", "owner"), "pass"),
                           (("owner",), "pass")],
)  # fmt: skip
def test_a_key_that_only_authors_put_in_place_of_another_gives_no_word_that_counts(givers, answer):
    words = [_word("ben"), replace(_word("cleo"), key_by=givers)]
    assert _answers(approvals=words)["approvals"] == answer


def test_the_word_of_such_a_key_is_told_and_does_not_take_back_what_the_first_one_said():
    fake = replace(_word("cleo"), key_by=("ana",))
    told = {gate.name: gate for gate in gates(**(GOOD | {"approvals": [_word("ben"), fake]}))}
    says = told["approvals"].says
    assert "the key of cleo was put in place of another by an author (ana)" in says
    assert "another owner" in says
    words = [_word("ben"), _word("mia"), _word("cleo", "refuse"), fake]
    assert _answers(approvals=words)["approvals"] == "fail"


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


def _security(risk, *findings, **more):
    found = gates(**(GOOD | {"risk": risk, "security": findings} | more))
    (gate,) = [one for one in found if one.name == "security"]
    return gate


@pytest.mark.parametrize(("risk", "stops"), [("minimal", False), ("limited", True), ("high", True)])
def test_the_security_scan_stops_limited_and_high_and_is_told_to_minimal(risk, stops):
    gate = _security(risk, Finding("K020", "block", "model/x", "It is a pickle."))
    assert (gate.answer, gate.needed, gate.stops) == ("fail", stops, stops)
    assert "K020 model/x: It is a pickle" in gate.says


@pytest.mark.parametrize(
    ("risk", "answer"), [("minimal", "pass"), ("limited", "pass"), ("high", "undecided")]
)
def test_what_was_not_checked_is_said_and_never_passes_for_high_risk(risk, answer):
    gate = _security(risk, NOT_CHECKED)
    assert gate.answer == answer
    assert "NOT CHECKED: known vulnerabilities" in gate.says


ACCEPTED = Finding("K021", "block", "code/f.py", "so", accepted="a constant")


def test_somebody_may_answer_for_what_was_not_checked_and_the_gate_still_says_so():
    finding = replace(NOT_CHECKED, accepted="a laptop without internet")
    known = Waiver(finding, "ana", 3, released=True)
    gate = _security("high", finding, waivers=[known])
    assert gate.answer == "pass"
    assert "NOT CHECKED: known vulnerabilities (a laptop without internet, put on" in gate.says
    assert _security("high", finding).answer == "undecided"


def test_an_accepted_security_finding_passes_with_its_reason_and_a_name():
    known = Waiver(ACCEPTED, "ana", 3, released=True)
    gate = _security("high", ACCEPTED, waivers=[known])
    assert gate.answer == "pass"
    assert "K021 code/f.py (a constant, put on record by ana, ledger entry 3)" in gate.says


@pytest.mark.parametrize(
    ("risk", "heads", "answer"),
    [("high", (5, 6), "pass"), ("high", (4, 6), "fail"), ("high", (4, 4), "fail"),
     ("limited", (4, 6), "pass"), ("limited", (4, 4), "fail"), ("minimal", (4, 4), "pass")],
)  # fmt: skip
def test_a_later_reason_counts_once_enough_approvals_are_over_a_head_that_has_it(
    risk, heads, answer
):
    """A head of n covers the entries 0 to n - 1."""
    names = ("ben", "cleo")
    words = [replace(_word(name), head_n=n) for name, n in zip(names, heads, strict=True)]
    found = gates(
        **(GOOD | {"risk": risk, "security": [ACCEPTED], "approvals": words}),
        waivers=[Waiver(ACCEPTED, "ana", 4)],
    )
    said = {gate.name: gate for gate in found}
    assert said["security"].answer == answer
    assert ("does not count yet" in said["security"].says) == (answer == "fail")


@pytest.mark.parametrize(
    "word",
    [_word("ana"), _word("dora", roles=("analyst",)), _word("cleo", "refuse")],
    ids=["an author", "a role that may not", "a refusal"],
)
def test_only_words_that_count_as_approvals_make_a_later_reason_count(word):
    words = [replace(one, head_n=9) for one in (_word("ben"), word)]
    waivers = [Waiver(ACCEPTED, "ana", 4)]
    assert _security("high", ACCEPTED, approvals=words, waivers=waivers).answer == "fail"


def test_a_reason_on_no_record_does_not_count():
    assert _security("high", ACCEPTED).answer == "fail"
    assert _security("high", ACCEPTED, waivers=[Waiver(ACCEPTED)]).answer == "fail"
    other = replace(ACCEPTED, accepted="another")
    waivers = [Waiver(other, "ana", 3, released=True)]
    assert _security("high", ACCEPTED, waivers=waivers).answer == "fail"


def test_many_blocking_findings_are_counted():
    gate = _security("high", *(Finding("K020", "block", f"f{n}", "so") for n in range(9)))
    assert "and 6 more" in gate.says
