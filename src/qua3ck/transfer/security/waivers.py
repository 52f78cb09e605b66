"""Where it stands that somebody lives with a finding of the scan: who, why, and since when.

What was accepted when the version was made stands in its own evidence, so that whoever
approves the version saw it. What is accepted later is put on record by an event, and counts
once the approvals are later than that.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from qua3ck.govern import release_entry
from qua3ck.govern.gates import Waiver
from qua3ck.kit.records import load
from qua3ck.transfer.security.scan import ADVISORIES, SCANNED, Scan

if TYPE_CHECKING:
    from pathlib import Path

    from qua3ck.govern import Release, Workspace
    from qua3ck.kit.findings import Finding

ACCEPTED = "security.accepted"
_PROMOTIONS = frozenset({"promotion.refused", "alias.moved"})


def released_with(folder: Path) -> tuple[Finding, ...]:
    """Return what had a reason when the version was made, from its evidence.

    Parameters
    ----------
    folder : Path
        ``releases/<version>/``; to be believed only if its files are the released ones.

    Returns
    -------
    tuple of Finding
        Empty for a version that was made before there were scans.
    """
    path = folder / SCANNED
    seen = load(Scan, path).findings if path.is_file() else ()
    return tuple(finding for finding in seen if finding.accepted)


def waivers(
    workspace: Workspace, release: Release, findings: Sequence[Finding]
) -> tuple[Waiver, ...]:
    """Return where each reason among the findings of a scan is on record.

    Parameters
    ----------
    workspace : Workspace
        May be open for reading only; the version's files must have been checked.
    release : Release
        The version that was scanned.
    findings : sequence of Finding
        Of a scan of it now.

    Returns
    -------
    tuple of Waiver
        One for each finding that has a reason. It is on record only if the same finding,
        as heavy as now, is there with the same reason; that nobody looked only if that was
        said after the last time somebody did, or taking the advisories away would undo
        what they had told.
    """
    made = release_entry(workspace, release.version)
    before = {_key(one) for one in released_with(workspace.root / release.path)}
    events = [e for e in workspace.ledger.entries() if e.body.get("release") == release.digest]
    looked = max(
        (e.seq for e in events if e.event in _PROMOTIONS and e.body.get(ADVISORIES)), default=-1
    )
    later = [(_told(entry.body), entry) for entry in events if entry.event == ACCEPTED]
    found = []
    for finding in findings:
        if not finding.accepted:
            continue
        key = _key(finding)
        since = looked if finding.evidence.get("not_checked") else -1
        on = [entry for told, entry in later if told == key and entry.seq > since]
        if key in before and since < 0:
            found.append(Waiver(finding, made.actor, made.seq, released=True))
        elif on:
            found.append(Waiver(finding, on[0].actor, on[0].seq))
        else:
            found.append(Waiver(finding))
    return tuple(found)


def put_on_record(
    workspace: Workspace, release: Release, known: Sequence[Waiver]
) -> tuple[Waiver, ...]:
    """Write an event for each reason that is nowhere on record; return where all stand now."""
    return tuple(_recorded(workspace, release, known))


def _recorded(workspace: Workspace, release: Release, known: Sequence[Waiver]) -> Iterator[Waiver]:
    for waiver in known:
        if waiver.seq is not None:
            yield waiver
            continue
        finding = waiver.finding
        body = {
            "version": release.version,
            "release": release.digest,
            "code": finding.code,
            "severity": finding.severity,
            "where": finding.where,
            "ids": list(finding.evidence.get("ids", ())),
            "says": finding.says,
            "reason": finding.accepted,
        }
        entry = workspace.ledger.append(ACCEPTED, f"release {release.version}", body)
        yield Waiver(finding, entry.actor, entry.seq)


_Key = tuple[str, str, str, str, str]


def _key(finding: Finding) -> _Key:
    """Return what makes two reasons the same: about the same, as heavy, in the same words.

    An advisory that has become exploitable since is another finding than the one that was
    accepted as a warning. What it is cured by may change without anybody having to sign.
    """
    advisory = str(next(iter(finding.evidence.get("ids", ())), ""))
    return finding.code, finding.severity, finding.where, advisory, finding.accepted


def _told(body: Mapping[str, Any]) -> _Key:
    advisory = str(next(iter(body["ids"]), ""))
    return body["code"], body["severity"], body["where"], advisory, body["reason"]
