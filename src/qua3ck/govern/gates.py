"""The gates before a version goes into use: which are due by risk class, and their answers.

Decides from verdicts, findings, approvals and plain facts alone; whatever is missing is
undecided, and undecided never passes.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from qua3ck.govern.approvals import Approval, standing
from qua3ck.govern.roles import MAY, allowed
from qua3ck.kit.findings import Finding
from qua3ck.kit.verdicts import Answer, Verdict

Ask = Literal["nobody", "one_person", "two_person"]

_ALWAYS = ("kpis", "slices", "fairness", "baseline", "findings", "ledger")
MANDATORY: Mapping[str, tuple[str, ...]] = {
    "minimal": _ALWAYS,
    "limited": (*_ALWAYS, "reproduction", "approvals", "security"),
    "high": (*_ALWAYS, "reproduction", "approvals", "lock", "security"),
}
TOLD: Mapping[str, tuple[str, ...]] = {"minimal": ("security",), "limited": (), "high": ()}
_APPROVALS = {"minimal": 0, "limited": 1, "high": 2}
_ASKED = {None: 0, "nobody": 0, "one_person": 1, "two_person": 2}


@dataclass(frozen=True)
class Gate:
    """One gate's answer, in one sentence.

    ``needed`` is false for a gate that the risk class does not ask for: its answer is told
    beside the others and stops nothing.
    """

    name: str
    answer: Answer
    says: str
    needed: bool = True

    @property
    def stops(self) -> bool:
        """Whether a promotion must wait for this gate."""
        return self.needed and self.answer != "pass"


@dataclass(frozen=True)
class Waiver:
    """Where it stands why somebody lives with a finding of the security scan.

    ``seq`` is the ledger entry by which ``by`` put it on record; None and empty while it is
    on none. ``released`` if it stands in the version's own evidence: every approval of the
    version is about that too, so that none has to be given again.
    """

    finding: Finding
    by: str = ""
    seq: int | None = None
    released: bool = False


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
    authors: Collection[str] = (),
    approvers: Sequence[str] = (),
    ask: Ask | None = None,
    lock_hashed: bool | None = None,
    security: Sequence[Finding] | None = None,
    waivers: Sequence[Waiver] = (),
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
    authors : collection of str
        Who made the version; their own approvals do not count.
    approvers : sequence of str
        Names the question allows to approve; empty allows every enrolled approver.
    ask : {"nobody", "one_person", "two_person"} or None
        ``transfer.approve``; may ask for more than the class does, never for less.
    lock_hashed : bool or None
        Whether the environment lock is there and every line of it has a hash.
    security : sequence of Finding or None
        Of the scan of the version's folder; None if it was not scanned. One whose evidence
        has ``not_checked`` says what could not be looked at, and why.
    waivers : sequence of Waiver
        Where the reasons in ``security`` are on record; see :func:`security_gate`.

    Returns
    -------
    tuple of Gate
        In the order of :data:`MANDATORY`; then those of :data:`TOLD`, which stop nothing.
    """
    needed = needed_approvals(risk, ask)
    counted = _counted(approvals, authors=authors, approvers=approvers)
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
        "approvals": _and_told(
            _approvals(counted, needed, _own(approvals, authors), approvers=approvers),
            _replaced(approvals, authors),
        ),
        "lock": _fact(
            "lock",
            lock_hashed,
            yes="environment lock with hashes",
            no="the environment lock has lines without a hash",
            unknown="no environment lock in the release",
        ),
        "security": security_gate(
            security, risk=risk, waivers=waivers, approvals=counted, needed=needed
        ),
    }
    due = list(MANDATORY[risk])
    if needed and "approvals" not in due:
        due.append("approvals")
    told = [replace(answers[name], needed=False) for name in TOLD[risk]]
    return (*(answers[name] for name in due), *told)


def security_gate(
    findings: Sequence[Finding] | None,
    *,
    risk: str,
    waivers: Sequence[Waiver] = (),
    approvals: Sequence[Approval] = (),
    needed: int = 0,
) -> Gate:
    """Return the answer to the scan of a version's folder, by risk class.

    Parameters
    ----------
    findings : sequence of Finding or None
        None if it was not scanned.
    risk : {"minimal", "limited", "high"}
        What was not checked never counts as passed: for high risk the answer is undecided
        until it is checked or accepted with a reason; else the gate says what it rests on.
    waivers : sequence of Waiver
        Where the reasons are on record. Where the gate can stop anything, a reason counts
        only if the approvers saw it: in the version's evidence, or on record before at least
        ``needed`` of the ``approvals`` were given. Else the author alone could waive what
        came up after the others had signed.
    approvals : sequence of Approval
        The words that count: the last of each person who may approve and is no author.
    needed : int
        How many must be later than a reason that came after the version.

    Returns
    -------
    Gate
        ``needed`` is false where the class is only told.
    """
    needs = "security" in MANDATORY[risk]
    if findings is None:
        return Gate("security", "undecided", "the version was not scanned", needs)
    pairs = [(one, _waiver(one, waivers)) for one in findings if one.accepted]
    waiting = [
        (one, waiver) for one, waiver in pairs if needs and not _was_seen(waiver, approvals, needed)
    ]
    unseen = [one for one, _ in waiting]
    judged = [replace(one, accepted="") if one in unseen else one for one in findings]
    answer: Answer = "pass"
    if any(one.blocks for one in judged):
        answer = "fail"
    elif risk == "high" and any(
        one.evidence.get("not_checked") and not one.accepted for one in judged
    ):
        answer = "undecided"
    parts = [
        *_found(judged),
        _reasons([pair for pair in pairs if pair not in waiting]),
        *(_not_yet(one, waiver, approvals, needed) for one, waiver in waiting),
    ]
    return Gate("security", answer, "; ".join(part for part in parts if part), needs)


def _found(judged: Sequence[Finding]) -> tuple[str, str, str]:
    """Return what blocks, what is warned of, and what nobody looked at or answers for."""
    blocking = [f"{one.code} {one.where}: {one.says.rstrip('.')}" for one in judged if one.blocks]
    warned = [one for one in judged if one.severity == "warn" and not one.accepted]
    missing = [str(one.evidence.get("not_checked", "")) for one in judged if not one.accepted]
    said = ", ".join(filter(None, missing))
    return (
        _listed("blocking", blocking) or "nothing found that blocks",
        _listed("warned of", [f"{one.code} {one.where}" for one in warned]),
        f"NOT CHECKED: {said}" if said else "",
    )


def _waiver(finding: Finding, waivers: Sequence[Waiver]) -> Waiver:
    return next((one for one in waivers if one.finding == finding), Waiver(finding))


def _was_seen(waiver: Waiver, approvals: Sequence[Approval], needed: int) -> bool:
    return waiver.released or len(_later(waiver, approvals)) >= max(needed, 1)


def _later(waiver: Waiver, approvals: Sequence[Approval]) -> list[str]:
    """Return who approved over a ledger that had the waiver: the head covers all before it."""
    seq = waiver.seq
    if seq is None:
        return []
    return [one.approver for one in approvals if one.decision == "approve" and one.head_n > seq]


def _listed(what: str, findings: Sequence[str]) -> str:
    """Return the first three findings, the others by number."""
    more = [f"and {len(findings) - 3} more"] if len(findings) > 3 else []
    return f"{what} {', '.join([*findings[:3], *more])}" if findings else ""


def _reasons(pairs: Sequence[tuple[Finding, Waiver]]) -> str:
    said = [_reason(finding, waiver) for finding, waiver in pairs]
    return f"accepted {', '.join(said)}" if said else ""


def _reason(finding: Finding, waiver: Waiver) -> str:
    """Return what is accepted, why, and who put that on record."""
    missing = finding.evidence.get("not_checked")
    what = f"{finding.code} NOT CHECKED: {missing}" if missing else _what(finding)
    by = f", put on record by {waiver.by}, ledger entry {waiver.seq}" if waiver.by else ""
    return f"{what} ({finding.accepted}{by})"


def _what(finding: Finding) -> str:
    ids = finding.evidence.get("ids", ())
    return " ".join([finding.code, finding.where, *ids[:1]])


def _not_yet(finding: Finding, waiver: Waiver, approvals: Sequence[Approval], needed: int) -> str:
    says = f"does not count yet: {_reason(finding, waiver)}"
    if waiver.seq is None:
        return f"{says}, which qua3ck promote puts on record, for the approvers to see"
    later = _later(waiver, approvals)
    return (
        f"{says}, as {len(later)} of {max(needed, 1)} approvals are later than that: to be given"
        " again with qua3ck approve VERSION"
    )


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


def _counted(
    given: Sequence[Approval], *, authors: Collection[str], approvers: Sequence[str]
) -> tuple[Approval, ...]:
    """Return the latest word of each person who may approve and is not an author.

    A word is nobody's if only authors enrolled the key that gave it, in place of another.
    """
    own_key = [one for one in given if not _key_of_authors(one, authors)]
    return tuple(
        one
        for one in standing(own_key)
        if allowed(one.roles, "approve")
        and one.approver not in authors
        and (not approvers or one.approver in approvers)
    )


def _key_of_authors(one: Approval, authors: Collection[str]) -> bool:
    return bool(one.key_by) and set(one.key_by) <= set(authors)


def _replaced(given: Sequence[Approval], authors: Collection[str]) -> str:
    """Return whose key an author put in place of another, and what makes their word count."""
    keys = {one.approver: one.key_by for one in given if _key_of_authors(one, authors)}
    said = [
        f"the key of {name} was put in place of another by an author ({', '.join(by)}), and counts"
        f" once another owner enrols it too: qua3ck enrol {name} --role ROLE --public {name}.pub"
        for name, by in keys.items()
    ]
    return "; ".join(said)


def _own(given: Sequence[Approval], authors: Collection[str]) -> list[str]:
    return sorted({one.approver for one in given if one.approver in authors})


def _and_told(gate: Gate, further: str) -> Gate:
    return replace(gate, says=f"{gate.says}; {further}") if further else gate


def _approvals(
    counted: Sequence[Approval], needed: int, own: Sequence[str], *, approvers: Sequence[str]
) -> Gate:
    """Count the words that count; ``own`` are the authors who approved their own version."""
    refused = [one.approver for one in counted if one.decision == "refuse"]
    for_it = [one.approver for one in counted if one.decision == "approve"]
    if refused:
        return Gate("approvals", "fail", f"refused by {', '.join(refused)}")
    if len(for_it) >= needed:
        return Gate("approvals", "pass", f"approved by {', '.join(for_it)}")
    who = ", ".join(approvers) or f"a person enrolled as {' or '.join(sorted(MAY['approve']))}"
    says = f"{len(for_it)} of {needed} approvals; to be given by {who}"
    return Gate(
        "approvals", "undecided", says + (f", not by an author ({', '.join(own)})" if own else "")
    )
