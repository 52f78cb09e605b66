"""The gates before a version goes into use: which are due by risk class, and their answers.

Decides from verdicts, findings, approvals and plain facts alone; whatever is missing is
undecided, and undecided never passes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from qua3ck.govern.approvals import Approval, standing
from qua3ck.govern.roles import MAY, allowed
from qua3ck.kit.findings import Finding
from qua3ck.kit.verdicts import Answer, Verdict

Ask = Literal["nobody", "one_person", "two_person"]

_ALWAYS = ("kpis", "slices", "fairness", "baseline", "findings", "ledger")
MANDATORY: Mapping[str, tuple[str, ...]] = {
    "minimal": _ALWAYS,
    "limited": (*_ALWAYS, "reproduction", "approvals"),
    "high": (*_ALWAYS, "reproduction", "approvals", "lock"),
}
_APPROVALS = {"minimal": 0, "limited": 1, "high": 2}
_ASKED = {None: 0, "nobody": 0, "one_person": 1, "two_person": 2}


@dataclass(frozen=True)
class Gate:
    """One gate's answer, in one sentence."""

    name: str
    answer: Answer
    says: str


def needed_approvals(risk: str, ask: Ask | None) -> int:
    """Return how many persons must approve: the class's number, or more if asked for."""
    return max(_APPROVALS[risk], _ASKED[ask])


def gates(
    *,
    risk: str,
    kpis: Sequence[Verdict],
    slices: Sequence[Verdict],
    fairness: Sequence[Verdict],
    baseline: Answer | None,
    findings: Sequence[Finding],
    ledger: bool | None,
    reproduced: bool | None = None,
    approvals: Sequence[Approval] = (),
    author: str = "",
    approvers: Sequence[str] = (),
    ask: Ask | None = None,
    lock_hashed: bool | None = None,
) -> tuple[Gate, ...]:
    """Return the answer of every gate that the risk class, or ``ask``, makes mandatory.

    Parameters
    ----------
    risk : {"minimal", "limited", "high"}
        From :func:`qua3ck.govern.risk.risk_class`.
    kpis, slices, fairness : sequence of Verdict
        Slices and fairness are empty where none were declared; KPIs never may be.
    baseline : {"pass", "fail", "undecided"} or None
        Whether the candidate is better than the naive baseline beyond doubt.
    findings : sequence of Finding
        Of all phases.
    ledger : bool or None
        Whether the ledger verifies; None if that was not looked at.
    reproduced : bool or None
        The reproduction certificate: true, false (it differs), None (there is none).
    approvals : sequence of Approval
        From :func:`qua3ck.govern.approvals.approvals`.
    author : str
        Who made the release; their own approval does not count.
    approvers : sequence of str
        Names the question allows to approve; empty allows every enrolled approver.
    ask : {"nobody", "one_person", "two_person"} or None
        ``transfer.approve``; may ask for more than the class does, never for less.
    lock_hashed : bool or None
        Whether the environment lock is there and every line of it has a hash.

    Returns
    -------
    tuple of Gate
        In the order of :data:`MANDATORY`.
    """
    needed = needed_approvals(risk, ask)
    answers = {
        "kpis": _verdicts("kpis", kpis, none=("undecided", "no KPI was judged")),
        "slices": _verdicts("slices", slices, none=("pass", "no slices declared")),
        "fairness": _verdicts("fairness", fairness, none=("pass", "no fairness gaps declared")),
        "baseline": _baseline(baseline),
        "findings": _findings(findings),
        "ledger": _fact(
            "ledger",
            ledger,
            yes="the ledger verifies",
            no="the ledger does not verify: qua3ck audit verify",
            unknown="the ledger was not verified",
        ),
        "reproduction": _fact(
            "reproduction",
            reproduced,
            yes="rebuilt and found the same",
            no="the rebuilt version differs",
            unknown="no reproduction certificate: qua3ck reproduce VERSION",
        ),
        "approvals": _approvals(approvals, needed, author=author, approvers=approvers),
        "lock": _fact(
            "lock",
            lock_hashed,
            yes="environment lock with hashes",
            no="the environment lock has lines without a hash",
            unknown="no environment lock in the release",
        ),
    }
    due = list(MANDATORY[risk])
    if needed and "approvals" not in due:
        due.append("approvals")
    return tuple(answers[name] for name in due)


def _verdicts(name: str, verdicts: Sequence[Verdict], *, none: tuple[Answer, str]) -> Gate:
    if not verdicts:
        return Gate(name, *none)
    failed = [one.id for one in verdicts if one.verdict == "fail"]
    open_ones = [one.id for one in verdicts if one.verdict == "undecided"]
    if failed:
        return Gate(name, "fail", f"failed: {', '.join(failed)}")
    if open_ones:
        return Gate(name, "undecided", f"undecided: {', '.join(open_ones)}")
    return Gate(name, "pass", f"all {len(verdicts)} pass")


def _baseline(answer: Answer | None) -> Gate:
    says = {
        "pass": "better than the naive baseline beyond doubt",
        "fail": "worse than the naive baseline beyond doubt",
        "undecided": "not better than the naive baseline beyond doubt",
        None: "not compared with the naive baseline",
    }
    return Gate("baseline", answer or "undecided", says[answer])


def _findings(findings: Sequence[Finding]) -> Gate:
    blocking = sorted({one.code for one in findings if one.blocks})
    if blocking:
        return Gate("findings", "fail", f"blocking: {', '.join(blocking)}")
    accepted = sorted({one.code for one in findings if one.severity == "block"})
    if accepted:
        return Gate("findings", "pass", f"accepted with a reason: {', '.join(accepted)}")
    return Gate("findings", "pass", "no blocking finding")


def _fact(name: str, known: bool | None, *, yes: str, no: str, unknown: str) -> Gate:
    if known is None:
        return Gate(name, "undecided", unknown)
    return Gate(name, "pass", yes) if known else Gate(name, "fail", no)


def _approvals(
    given: Sequence[Approval], needed: int, *, author: str, approvers: Sequence[str]
) -> Gate:
    """Count the latest word of each person who may approve and is not the author."""
    counted = [
        one
        for one in standing(given)
        if allowed(one.roles, "approve")
        and one.approver != author
        and (not approvers or one.approver in approvers)
    ]
    refused = [one.approver for one in counted if one.decision == "refuse"]
    for_it = [one.approver for one in counted if one.decision == "approve"]
    if refused:
        return Gate("approvals", "fail", f"refused by {', '.join(refused)}")
    if len(for_it) >= needed:
        return Gate("approvals", "pass", f"approved by {', '.join(for_it)}")
    who = ", ".join(approvers) or f"a person enrolled as {' or '.join(sorted(MAY['approve']))}"
    own = any(one.approver == author for one in given)
    says = f"{len(for_it)} of {needed} approvals; to be given by {who}"
    return Gate("approvals", "undecided", says + (", not by the author" if own else ""))
