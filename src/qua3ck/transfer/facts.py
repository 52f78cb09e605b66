"""What a report and a card are written from; nothing else is looked up."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from qua3ck.a3.records import Candidate
    from qua3ck.conclude.records import Conclusion
    from qua3ck.govern.releases import Release
    from qua3ck.kit.findings import Finding
    from qua3ck.kit.verdicts import Verdict
    from qua3ck.ledger import Entry
    from qua3ck.question.records import Question
    from qua3ck.transfer.security import Scan
    from qua3ck.understand.records import Snapshot

_NEEDED = {"nobody": 0, "one_person": 1, "two_person": 2}


@dataclass(frozen=True)
class Facts:
    """Everything a report or a card is written from; nothing else is looked up.

    ``entries`` is the ledger so far, oldest first. ``release`` is None while the report
    is being put into the release whose digest will cover it. ``approve`` is what the
    risk class or the project file asks for.
    ``licence`` is the model's, as the Hugging Face hub names it. ``security`` is the scan
    made when the version was; None for one that was made before there were scans.
    """

    project: str
    version: int
    question: Question
    snapshot: Snapshot
    candidate: Candidate
    conclusion: Conclusion
    entries: tuple[Entry, ...]
    risk_class: str
    risk_reason: str
    approve: str
    release: Release | None = None
    licence: str = "unknown"
    lang: str = "en"
    security: Scan | None = None

    def verdicts(self) -> tuple[Verdict, ...]:
        """Return every verdict a release needs: KPIs, slices and fairness gaps."""
        return (*self.conclusion.kpis, *self.conclusion.slices, *self.conclusion.fairness)

    def findings(self) -> tuple[Finding, ...]:
        """Return the findings of all phases and of the scan, each once, heaviest first."""
        weights = {"block": 0, "warn": 1, "inform": 2}
        scanned = self.security.findings if self.security else ()
        phases = (
            *(self.snapshot.findings, self.candidate.findings, self.conclusion.findings),
            scanned,
        )
        once: dict[tuple[str, str, str], Finding] = {}
        for phase in phases:
            for finding in phase:
                once.setdefault((finding.code, finding.where, finding.says), finding)
        return tuple(
            sorted(once.values(), key=lambda f: (not f.blocks, weights[f.severity], f.code))
        )

    def approvals(self) -> tuple[Entry, ...]:
        """Return the approvals and refusals of this version."""
        words = ("approval.given", "approval.refused")
        return tuple(
            entry
            for entry in self.entries
            if entry.event in words and entry.subject == str(self.version)
        )

    def reproduced(self) -> bool:
        """Return whether the last certificate of this version says that it came out the same."""
        said = [e.body for e in self.entries if e.event == "reproduction.made"]
        own = [body["same"] for body in said if int(body["version"]) == self.version]
        return bool(own and own[-1])

    def agreed_by_enough(self) -> bool:
        """Return whether as many as are needed have approved, and nobody refuses.

        The gate of a promotion looks closer; here a word too little is asked for, never one
        too many is counted: those who searched, judged or released it are left out.
        """
        named = {self.candidate.digest, str(self.version), f"release {self.version}"}
        made = ("candidate.kept", "verdict.made", "release.made")
        own = {e.actor for e in self.entries if e.event in made and e.subject in named}
        last = {str(e.body.get("approver", e.actor)): e.event for e in self.approvals()}
        allowed = self.question.roles.approvers
        words = [
            word
            for name, word in last.items()
            if name not in own and (not allowed or name in allowed)
        ]
        return "approval.refused" not in words and len(words) >= _NEEDED[self.approve]

    def in_use(self) -> Entry | None:
        """Return the move that put this version into use; None if it is not the champion.

        A version whose canary was stopped is not: it can be tried again.
        """
        moves = [e for e in self.entries if e.event == "alias.moved" and e.subject == "champion"]
        last = moves[-1] if moves else None
        if last is None or last.body.get("version") != self.version:
            return None
        stopped = [e for e in self.entries if e.event == "canary.stopped"]
        return None if any(e.body["rollout"] == last.seq for e in stopped) else last


def source_entry(facts: Facts, event: str, *needles: str) -> Entry | None:
    """Return the last ledger entry of ``event`` that names one of ``needles``, else None."""
    for entry in reversed(facts.entries):
        named = {entry.subject, *map(str, entry.body.values())}
        if entry.event == event and (not needles or named & set(needles)):
            return entry
    return None
