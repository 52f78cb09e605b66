"""Who agreed to which promises, and whether before or after a result was seen.

Named people sign the question with everything in it that moves a verdict. A signature is over
what stood there that day: a number, a group or a cost that is changed afterwards has to be
signed anew, and both can be read in the ledger and in every report.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from qua3ck.kit.errors import Blocked
from qua3ck.kit.findings import Finding, Severity
from qua3ck.question.promises import Moved, moved, promised

if TYPE_CHECKING:
    from qua3ck.govern import Approval, Workspace
    from qua3ck.ledger import Entry
    from qua3ck.question.records import Question

CODE = "Q011"


@dataclass(frozen=True, repr=False)
class Word:
    """What one person has said to the question; of several words the latest.

    Attributes
    ----------
    decision : str
        ``approve``, ``refuse``, or empty: nothing yet.
    stands : bool
        Whether it was said to the question as it stands, to the letter.
    moved : tuple of Moved
        Promises that are not the ones signed.
    since : int
        Ledger entry with which the person first agreed to the very promises of today;
        -1 if never.
    in_time : bool
        Whether that was before the seal was first opened. True while it has never been.
    reason, at, seq : str, str, int
        Of the latest word; ``seq`` is its ledger entry, -1 if there is none.
    """

    name: str
    decision: str = ""
    stands: bool = False
    moved: tuple[Moved, ...] = ()
    since: int = -1
    in_time: bool = False
    reason: str = ""
    at: str = ""
    seq: int = -1

    def __repr__(self) -> str:
        """Return who said what, in one sentence."""
        return f"{self.name} {self.says()}"

    @property
    def agrees(self) -> bool:
        """Whether the person stands behind the question as it is now."""
        return self.stands and self.decision == "approve"

    def says(self) -> str:
        """Return it as half a sentence, without the name."""
        if not self.decision:
            return "has not agreed to it yet"
        did = "agreed to" if self.decision == "approve" else "refused"
        entry = f"(ledger entry {self.seq}, {self.at[:10]})"
        if not self.stands:
            changed = "; ".join(map(str, self.moved)) or "no promise was changed"
            return f"{did} an earlier one {entry}; since then {changed}"
        if self.decision == "refuse":
            return f"refused it {entry}"
        when = "before the seal was opened" if self.in_time else "AFTER the seal had been opened"
        same = f", its promises with entry {self.since}" if self.since != self.seq else ""
        return f"agreed to it {entry}{same}, {when}"


def named_people(question: Question) -> tuple[str, ...]:
    """Return whom the question names: owner, approvers, steward; each once."""
    roles = question.roles
    listed = (roles.owner, *roles.approvers, roles.steward)
    return tuple(dict.fromkeys(name for name in listed if name))


def agree(
    question: Question, workspace: Workspace, *, approver: str, decision: str, reason: str
) -> Approval:
    """Sign for or against the question as it stands; see ``govern.approve_question``."""
    from qua3ck.govern import approve_question

    return approve_question(
        workspace,
        question.digest,
        promised(question),
        named=named_people(question),
        approver=approver,
        decision=decision,
        reason=reason,
    )


def agreements(question: Question, entries: Sequence[Entry]) -> tuple[Word, ...]:
    """Return the word of everybody who is named, then of others who signed.

    Parameters
    ----------
    question : Question
        As it stands now.
    entries : sequence of Entry
        The whole ledger, oldest first.

    Raises
    ------
    Qua3ckError
        If a signature does not hold: the ledger was tampered with.
    """
    from qua3ck.govern import question_approvals

    now = promised(question)
    opened = next((entry.seq for entry in entries if entry.event == "seal.opened"), len(entries))
    found = {name: Word(name) for name in named_people(question)}
    since: dict[str, int] = {}
    for entry, said in question_approvals(entries):
        name, stands = said.approver, said.question == question.digest
        changed = () if stands else moved(said.promises, now)  # its digest covers all of it
        if said.decision == "approve" and not changed:
            since.setdefault(name, entry.seq)
        found[name] = Word(
            name,
            decision=said.decision,
            stands=stands,
            moved=changed,
            since=since.get(name, -1),
            in_time=-1 < since.get(name, -1) < opened,
            reason=said.reason,
            at=said.at,
            seq=entry.seq,
        )
    return tuple(found.values())


def agreement_findings(
    question: Question, entries: Sequence[Entry], *, risk: str, judged: bool = False
) -> tuple[Finding, ...]:
    """Return one finding on who agreed to the thresholds; none if that is nobody's business.

    Parameters
    ----------
    question : Question
        As it stands now.
    entries : sequence of Entry
        The whole ledger, oldest first.
    risk : {"minimal", "limited", "high"}
        Above minimal it is a warning if somebody named has not agreed, or nobody is named.
    judged : bool, default False
        Whether a result has been seen; who agreed only after that is then counted missing.
    """
    said = agreements(question, entries)
    due = risk != "minimal" and question.risk.affects is not None
    if not due and not any(word.decision for word in said):
        return ()
    missing = [word.name for word in said if not word.agrees or (judged and not word.in_time)]
    told = [*map(repr, said)] or ["nobody is named who could agree to it"]
    cure = " Type: qua3ck approve --question --as NAME --reason WHY" if missing else ""
    severity: Severity = "warn" if due and (missing or not said) else "inform"
    return (
        Finding(
            CODE,
            severity,
            "question.roles",
            f"The question and its thresholds: {'; '.join(told)}.{'' if judged else cure}",
            {
                "missing": missing,
                "agreed": [word.name for word in said if word.agrees],
                "said": told,
            },
        ),
    )


def hold_agreement(question: Question, entries: Sequence[Entry], *, all_first: bool) -> None:
    """Keep the seal shut if a named person refuses the question, or must still sign it.

    Parameters
    ----------
    question : Question
        As it stands now.
    entries : sequence of Entry
        The whole ledger, oldest first.
    all_first : bool
        ``conclude.agreed_first``: everybody named must have agreed.

    Raises
    ------
    Blocked
        Before the opening, so that nothing is spent (Q012).
    """
    named = named_people(question)
    said = [word for word in agreements(question, entries) if word.name in named]
    holding = [word for word in said if word.stands and word.decision == "refuse"]
    if all_first:
        holding = [word for word in said if not word.agrees]
    if not holding and (named or not all_first):
        return
    told = "; ".join(map(repr, holding)) or "nobody is named who could agree to the question"
    raise Blocked(
        f"The seal stays shut: {told}",
        where="conclude.agreed_first" if all_first else "question.roles",
        fix="let them type: qua3ck approve --question --reason WHY; then: qua3ck conclude"
        if named
        else "name them: roles: {approvers: [NAME, NAME]}",
        code="Q012",
    )
