"""Answers a year later: who, when, why, on what evidence, and what was in use on a day.

Everything is read from the ledger; ``verify`` holds the ledger and what lies on the disk
against each other.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from qua3ck.govern.releases import Release, find_release, list_releases
from qua3ck.kit.clock import stamp
from qua3ck.kit.errors import Qua3ckError
from qua3ck.kit.hashes import digest, file_digest
from qua3ck.transfer import folder as folders
from qua3ck.transfer import history
from qua3ck.transfer.security.scan import SCANNED
from qua3ck.transfer.telling import Part, Said, told, waived

if TYPE_CHECKING:
    from pathlib import Path

    from qua3ck.govern import AliasMove, Workspace
    from qua3ck.ledger import Entry, Ledger
    from qua3ck.store.tracking import Tracking

_ABOUT_VERSION = (
    "candidate.kept",
    "seal.opened",
    "seal.reread",
    "verdict.made",
    "release.made",
    "release.registered",
    "approval.given",
    "approval.refused",
    "reproduction.made",
    "promotion.refused",
    "security.accepted",
    "alias.moved",
    "canary.stepped",
    "canary.stopped",
    "serving.tried",
)


@dataclass(frozen=True)
class Event:
    """One event in a sentence, with the number of its entry in the ledger."""

    seq: int
    at: str
    actor: str
    event: str
    says: Said


@dataclass(frozen=True, repr=False)
class Audit:
    """What was asked of the ledger, and its answer.

    ``current`` is where each alias points now. ``move`` is the answer to "what was it on
    that day": None if the alias pointed nowhere then or no day was asked for; ``evidence``
    is what stood behind that move: the release's digest and every gate's answer. A rollback
    asks no gate; then the answers are those of the promotion before it, named ``promoted``.
    """

    asked: str
    events: tuple[Event, ...]
    current: Mapping[str, int]
    releases: tuple[Release, ...]
    on: str = ""
    alias: str = ""
    move: AliasMove | None = None
    evidence: Mapping[str, Any] = field(default_factory=dict)

    def __repr__(self) -> str:
        """Return the lines for a terminal."""
        return "\n".join(self.lines())

    def lines(self) -> list[str]:
        """Return the answer for a terminal, result first."""
        shown = list(self._answer())
        shown += [f"{alias} -> version {number}" for alias, number in self.current.items()]
        shown += [_row(event) for event in self.events]
        return [*shown, "next: qua3ck audit verify"]

    def _answer(self) -> Iterator[str]:
        if not self.on:
            return
        move = self.move
        if move is None or move.version is None:
            yield f"{self.alias} on {self.on}: none"
            return
        yield f"{self.alias} on {self.on}: version {move.version}"
        kind = self.evidence.get("kind", "move")
        yield f"  {kind} by {move.actor} at {move.at[:19]}Z, ledger entry {move.seq}"
        yield f"  why: {move.reason}"
        passed = self.evidence.get("promoted")
        if passed:
            yield (
                f"  it passed its gates when it was promoted by {passed['actor']} at"
                f" {passed['at'][:19]}Z, ledger entry {passed['seq']}: {passed['reason']}"
            )
        for name, answer in self.evidence.get("gates", {}).items():
            yield f"  {name}: {answer}"
        if "security" in self.evidence:
            yield f"  security scan: {self.evidence['security']}"


@dataclass(frozen=True, repr=False)
class Verified:
    """What ``audit verify`` found; ``ok`` exactly if there are no problems.

    ``witness`` is how many events the witness saw that saw most, ``copies`` how many
    registered copies were compared; each None if nothing could be looked at.
    """

    ok: bool
    events: int
    releases: int
    problems: tuple[str, ...]
    witness: int | None = None
    copies: int | None = None

    def __repr__(self) -> str:
        """Return the lines for a terminal."""
        return "\n".join(self.lines())

    def lines(self) -> list[str]:
        """Return the result for a terminal, the next thing to type last."""
        if not self.ok:
            differs = [f"differs: {problem}" for problem in self.problems]
            return [*differs, self._witnessed(), "next: qua3ck explain K012"]
        found = f"events {self.events}, versions {self.releases}"
        said = [f"verified: {found}; chain, signatures, head and files agree", self._witnessed()]
        return [*said, self._copied()] if self.releases else said

    def _copied(self) -> str:
        if self.copies is None:
            return (
                "registered copies: none is here to be looked at; what an MLflow server keeps"
                " cannot be watched from here"
            )
        return f"registered copies: {self.copies}, each as it was registered"

    def _witnessed(self) -> str:
        if self.witness is None:
            return (
                "witness: none was looked at; a ledger that was set back as a whole, together"
                " with its head, cannot be seen without one: set QUA3CK_WITNESS to a copy"
            )
        return f"witness: looked at, it saw {self.witness} of {self.events} events"


def audit(
    workspace: Workspace,
    *,
    version: int | None = None,
    alias: str | None = None,
    on: str | None = None,
) -> Audit:
    """Return what the ledger knows, in the order it happened.

    Parameters
    ----------
    workspace : Workspace
        May be open for reading only.
    version : int, optional
        Only what concerns this version: its data, its openings, verdict, approvals, moves.
    alias : str, optional
        Only the moves of this alias; with ``on`` the alias that is asked about (default
        ``champion``).
    on : str, optional
        A day or moment, ISO 8601 in UTC unless it says otherwise; a day means its end. The
        events are then those that concern the version found, up to that moment.

    Raises
    ------
    Qua3ckError
        If the version, alias or date does not exist, or the ledger was tampered with.
    """
    from qua3ck.govern import alias_history

    ledger = workspace.ledger
    entries = ledger.entries()
    move = None
    asked = "everything"
    if alias is not None:
        asked = f"alias {history.known_alias(alias)}"
        entries = [e for e in entries if e.event == "alias.moved" and e.body["alias"] == alias]
    if version is not None:
        release = find_release(ledger, version)
        asked = f"version {version}"
        entries = _concerning(entries, release, workspace)
    if on is not None:
        until = stamp(history.moment(on, where="--on"))
        asked = f"{alias or 'champion'} on {on}"
        past = [one for one in alias_history(ledger, alias or "champion") if one.at <= until]
        move = past[-1] if past else None
        entries = [entry for entry in entries if entry.at <= until]
        if move is not None and move.version is not None and version is None:
            about = find_release(ledger, move.version)
            entries = _concerning(entries, about, workspace)
    return Audit(
        asked=asked,
        events=tuple(_told(entry, workspace) for entry in entries),
        current=history.aliases_now(ledger),
        releases=list_releases(ledger),
        on=on or "",
        alias=alias or "champion",
        move=move,
        evidence=_evidence(ledger, move) if move is not None else {},
    )


def verify(workspace: Workspace, tracking: Tracking | None = None) -> Verified:
    """Hold the ledger against itself, its signatures and witnesses, and the disk against it.

    Parameters
    ----------
    workspace : Workspace
        May be open for reading only.
    tracking : Tracking, optional
        The registry that the project file names; else ``mlflow.db`` in the project folder.
        MLflow is loaded only for copies that were registered before their hashes were kept.

    Returns
    -------
    Verified
        Every problem with its place: a changed, missing or inserted ledger line; a
        version's file that was changed, added or is missing; a version on the disk that
        the ledger does not know; a model that is not the one the verdict was about; a copy
        that MLflow's clients load and that is not what was registered.
    """
    from qua3ck.store.tracking import Tracking

    root = workspace.root
    registry = tracking or Tracking(f"sqlite:///{root / 'mlflow.db'}", root, workspace.project)
    checked = workspace.ledger.verify()
    found = list(checked.problems)
    releases: tuple[Release, ...] = ()
    compared: int | None = None
    if checked.ok:  # nothing may be concluded from a ledger that was tampered with
        releases = list_releases(workspace.ledger)
        for release in releases:
            found += _release_problems(workspace, release)
        found += _unrecorded(workspace, releases)
        found += _certificate_problems(workspace)
        compared, differing = _copy_problems(workspace, registry)
        found += differing
    events, told = checked.events, tuple(found)
    return Verified(not found, events, len(releases), told, checked.witness, compared)


def _release_problems(workspace: Workspace, release: Release) -> Iterator[str]:
    folder = workspace.root / release.path
    for problem in folders.problems(folder, release.digest):
        yield f"{release.path}: {problem}"
    judged = {
        entry.body.get("candidate")
        for entry in workspace.ledger.entries("verdict.made")
        if entry.body.get("release_allowed") is True
    }
    if release.candidate not in judged:
        yield f"{release.path}: no verdict in the ledger allows its candidate"


def _copy_problems(workspace: Workspace, registry: Tracking) -> tuple[int | None, list[str]]:
    """Return how many registered copies there are to look at, and what is wrong with them."""
    from qua3ck.transfer import copies

    try:
        seen = copies.compare(workspace, registry)
    except Qua3ckError as problem:
        return None, [f"registered copies: {problem.what} ({problem.where})"]
    found = [f"{one.place}: {problem}" for one in seen or () for problem in one.problems]
    return len(seen) if seen else None, found


def _certificate_problems(workspace: Workspace) -> Iterator[str]:
    """Hold the last certificate of each version against its digest in the ledger."""
    last = {
        entry.body["path"]: entry.body["certificate"]
        for entry in workspace.ledger.entries("reproduction.made")
        if "certificate" in entry.body
    }
    for name, wanted in last.items():
        path = workspace.root / name
        try:
            found = digest(json.loads(path.read_bytes())) if path.is_file() else ""
        except ValueError:
            found = ""
        if found != wanted:
            says = "not the certificate in the ledger" if path.is_file() else "is missing"
            yield f"{name}: {says}"


def _unrecorded(workspace: Workspace, releases: tuple[Release, ...]) -> Iterator[str]:
    known = {release.version for release in releases}
    for version, path in folders.version_folders(workspace.root).items():
        if version not in known:
            where = path.relative_to(workspace.root)
            manifest = path / folders.MANIFEST
            own = file_digest(manifest)[:12] if manifest.is_file() else "none"
            yield f"{where}: not in the ledger (manifest {own}); never released, may be deleted"


def _evidence(ledger: Ledger, move: AliasMove) -> dict[str, Any]:
    """Return what stood behind a move; behind a rollback stands the version's last promotion."""
    body = ledger.entries()[move.seq].body
    keys = ("kind", "release", "gates", "gates_digest", "security")
    found = {key: body[key] for key in keys if key in body}
    if found.get("gates"):
        return found
    before = [
        entry
        for entry in ledger.entries("alias.moved", subject=move.alias)
        if entry.seq < move.seq and entry.body["version"] == move.version
        if entry.body.get("gates")
    ]
    if not before:
        return found
    last = before[-1]
    promoted = {"seq": last.seq, "at": last.at, "actor": last.actor, "reason": last.body["reason"]}
    asked = ("gates", "gates_digest", "security")
    answers = {key: last.body[key] for key in asked if key in last.body}
    return {**found, **answers, "promoted": promoted}


def _concerning(entries: Sequence[Entry], release: Release, workspace: Workspace) -> list[Entry]:
    """Return what a version rests on and what was done with it: from its data to its moves."""
    from qua3ck.kit.records import load
    from qua3ck.understand.records import Snapshot

    behind = {release.question, release.snapshot}
    for opened in workspace.ledger.entries("seal.opened"):
        if opened.body["candidate"] == release.candidate:
            behind.add(opened.body["seal"])
    record = workspace.root / release.path / "records" / "snapshot.json"
    pinned = load(Snapshot, record).sources if record.is_file() else ()
    loads = {entry.seq for entry in history.loads_behind(entries, pinned)}
    return [e for e in entries if e.seq in loads or _concerns(e, release, behind)]


def _concerns(entry: Entry, release: Release, behind: set[str]) -> bool:
    if entry.subject == "question" and entry.event in {"approval.given", "approval.refused"}:
        return entry.body["signed"]["statement"]["question"] in behind
    if entry.event not in _ABOUT_VERSION:
        return entry.event in {"question.set", "seal.made"} and bool(behind & _texts(entry))
    body = entry.body
    if "version" in body:
        return bool(body["version"] == release.version or body.get("from") == release.version)
    return release.candidate in _texts(entry)


def _texts(entry: Entry) -> set[str]:
    return {entry.subject, *(value for value in entry.body.values() if isinstance(value, str))}


def _told(entry: Entry, workspace: Workspace) -> Event:
    parts = told(entry)
    if entry.event == "person.enrolled":
        parts += _other_key(entry, workspace)
    if entry.event in {"approval.given", "approval.refused"}:
        parts += _signed_with(entry, workspace)
    if entry.event == "release.made":
        parts += _accepted_with(workspace.root / entry.body["path"], entry)
    return Event(entry.seq, entry.at, entry.actor, entry.event, Said.of(parts))


def _other_key(enrolment: Entry, workspace: Workspace) -> Iterator[Part]:
    """Yield that a person's key is another than before, if it is."""
    given = workspace.ledger.entries("person.enrolled", subject=enrolment.subject)
    keys = [one.body["signed"]["statement"]["signing"] for one in given if one.seq <= enrolment.seq]
    if keys[-1] != keys[-2:][0]:
        yield Part("other_key", {"who": enrolment.actor})


def _signed_with(word: Entry, workspace: Workspace) -> Iterator[Part]:
    """Yield that a word was given with a key that others put in place, if it was."""
    from qua3ck.govern.people import key_givers

    by = key_givers(workspace.ledger.entries(), word.body["approver"], before=word.seq)
    if by:
        yield Part("with_other_key", {"who": ", ".join(by)})


def _accepted_with(folder: Path, made: Entry) -> Iterator[Part]:
    """Yield what whoever made a version accepted in it; its evidence has it, not the event."""
    from qua3ck.transfer.security.waivers import released_with

    manifest = folder / folders.MANIFEST
    known = manifest.is_file() and file_digest(manifest) == made.body["digest"]
    wanted = folders.read_manifest(folder)["files"].get(SCANNED) if known else "unknown"
    if wanted is None:
        return  # made before versions were scanned
    scanned = folder / SCANNED
    if not scanned.is_file() or file_digest(scanned) != wanted:
        yield Part("scan_changed", {"file": SCANNED})
        return
    all_ = [
        waived(one.code, one.where, one.evidence, one.accepted) for one in released_with(folder)
    ]
    for number, one in enumerate(all_):
        if number:
            yield Part("accepts.more", {"next": one})
        else:
            yield Part("accepts", {"who": made.actor, "first": one})


def _row(event: Event) -> str:
    return f"{event.seq:>5}  {event.at[:19]}Z  {event.actor:<14} {event.event:<18} {event.says}"
