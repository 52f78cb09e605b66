"""Known vulnerabilities of the locked packages, from advisories that lie on the disk.

The form is OSV, the one of osv.dev and of the Python Packaging Advisory Database: a JSON
file, a folder of them, or the zip export of an ecosystem. Nothing is asked of the network.
Source: https://ossf.github.io/osv-schema/
"""

from __future__ import annotations

import json
import re
import zipfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

from qua3ck.transfer.security.pins import Pin

if TYPE_CHECKING:
    from packaging.version import Version

_ECOSYSTEM = "PyPI"
_LARGEST = 1 << 24


@dataclass(frozen=True)
class Known:
    """One vulnerability of one locked package.

    ``ids`` are all its names, the advisory's own first. ``exploitable`` has the reason why
    it counts as known to be exploitable, empty if it does not. ``fixed`` are the versions
    that cure it.
    """

    package: str
    version: str
    ids: tuple[str, ...]
    exploitable: str
    fixed: tuple[str, ...]


@dataclass(frozen=True)
class Advisories:
    """What was read: how many advisories, when the newest was changed, and what is unreadable.

    ``newest`` is a date (ISO 8601) up to the day of asking, or empty: one dated in the future
    would keep old advisories fresh for ever. ``unread`` counts files and entries that could
    not be read or compared, which are then not known to be harmless.
    """

    count: int
    newest: str
    known: tuple[Known, ...]
    unread: int


def look_up(path: Path, pins: Sequence[Pin], *, today: date) -> Advisories:
    """Return what the advisories say of the pinned packages.

    Parameters
    ----------
    path : Path
        A JSON file, a folder with such files at any depth, or a zip of them.
    pins : sequence of Pin
        Those without a version are passed over: nobody knows what would be installed.
    today : date
        In UTC; later days are no answer to how new the advisories are.

    Raises
    ------
    OSError
        If it is not there or cannot be read.
    """
    locked = {pin.name: pin.version for pin in pins if pin.version}
    count = unread = 0
    newest = ""
    found: list[Known] = []
    for text in _texts(path):
        advisory = _parsed(text)
        if advisory is None:
            unread += 1
            continue
        count += 1
        newest = max(newest, _day(str(advisory["modified"]), today))
        if advisory.get("withdrawn"):
            continue
        hits, failed = _hits(advisory, locked)
        found += hits
        unread += failed
    return Advisories(count, newest, tuple(_joined(found)), unread)


def holds_any(path: Path) -> bool:
    """Whether there is at least one advisory; reads no further than that.

    Raises
    ------
    OSError
        If it is not there or cannot be read.
    """
    return any(_parsed(text) is not None for text in _texts(path))


def _day(modified: str, today: date) -> str:
    """Return the day of a change; empty if it cannot be read or has not come yet."""
    try:
        day = date.fromisoformat(modified[:10])
    except ValueError:
        return ""
    return day.isoformat() if day <= today else ""


def _texts(path: Path) -> Iterator[bytes]:
    """Yield the text of each advisory; what is too large is given as nothing, and so unread."""
    if path.is_dir():
        for each in sorted(path.rglob("*.json")):
            yield each.read_bytes()
    elif zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as archive:
            for member in archive.infolist():
                if member.filename.endswith(".json"):
                    yield archive.read(member) if member.file_size <= _LARGEST else b""
    else:
        yield path.read_bytes()


def _parsed(text: bytes) -> Mapping[str, Any] | None:
    """Return an advisory; None if it is none."""
    try:
        said = json.loads(text)
    except ValueError:
        return None
    if not isinstance(said, dict) or not said.get("id") or not said.get("modified"):
        return None
    return said if isinstance(said.get("affected", []), list) else None


def _hits(advisory: Mapping[str, Any], locked: Mapping[str, str]) -> tuple[list[Known], int]:
    from packaging.utils import canonicalize_name

    found: list[Known] = []
    failed = 0
    for affected in advisory.get("affected", []):
        try:
            package = affected.get("package", {})
            if str(package.get("ecosystem", "")).partition(":")[0] != _ECOSYSTEM:
                continue
            name = canonicalize_name(str(package["name"]))
            if name not in locked or not is_affected(affected, locked[name]):
                continue
        except (ValueError, KeyError, TypeError, AttributeError):
            failed += 1
            continue
        ids = (str(advisory["id"]), *map(str, advisory.get("aliases") or ()))
        why = exploitable(advisory, affected)
        found.append(Known(name, locked[name], ids, why, _fixed(affected)))
    return found, failed


def is_affected(affected: Mapping[str, Any], version: str) -> bool:
    """Whether a version is listed, or lies in a range, of one ``affected`` entry.

    Raises
    ------
    packaging.version.InvalidVersion
        If a version cannot be compared; the entry then says nothing about this one.

    Notes
    -----
    The evaluation of the OSV schema: events in order of their versions, ``introduced`` opens,
    ``fixed`` closes at that version, ``last_affected`` after it, ``limit`` ends the range.
    """
    from packaging.version import InvalidVersion, Version

    own = Version(version)
    for listed in affected.get("versions") or ():
        try:
            if Version(listed) == own:
                return True
        except InvalidVersion:
            if listed == version:
                return True
    ranges = [one for one in affected.get("ranges") or () if one.get("type") != "GIT"]
    if not ranges and not affected.get("versions"):
        return True  # a package without any version named is meant as a whole
    return any(_in_range(one.get("events") or (), own) for one in ranges)


def _in_range(events: Iterable[Mapping[str, str]], own: Version) -> bool:
    from packaging.version import Version

    steps: list[tuple[Version, int, str]] = []
    for event in events:
        for kind, said in event.items():
            if kind == "limit" and said == "*":
                continue
            order = {"introduced": 0, "last_affected": 2}.get(kind, 1)
            steps.append((Version("0.dev0" if said == "0" else said), order, kind))
    inside = False
    for at, _, kind in sorted(steps):
        if kind == "introduced" and own >= at:
            inside = True
        elif (kind in {"fixed", "limit"} and own >= at) or (kind == "last_affected" and own > at):
            inside = False
    return inside


def exploitable(advisory: Mapping[str, Any], affected: Mapping[str, Any]) -> str:
    """Return why a vulnerability counts as known to be exploitable; empty if it does not.

    A malicious package; an exploit that the advisory shows or reports; or a CVSS vector that
    says: by anybody over the network, without an account and without anybody's help, with
    high damage. A bare score is not used: what counts is who can do it.
    """
    if str(advisory["id"]).startswith("MAL-"):
        return "the package is malicious"
    if any(one.get("type") == "EVIDENCE" for one in advisory.get("references") or ()):
        return "the advisory shows an exploit"
    listed = [*(advisory.get("severity") or ()), *(affected.get("severity") or ())]
    for vector in (str(one.get("score", "")) for one in listed):
        parts = dict(re.findall(r"([A-Za-z]+):([A-Za-z]+)", vector))
        if parts.get("E") in {"A", "H", "F"}:
            return "exploits are in use"
        if _by_anybody(parts):
            return "anybody can over the network, without an account"
    return ""


def _by_anybody(parts: Mapping[str, str]) -> bool:
    if parts.get("Au", "") == "N":  # CVSS 2
        easy = (parts.get("AV"), parts.get("AC")) == ("N", "L")
        return easy and "C" in (parts.get("C"), parts.get("I"), parts.get("A"))
    easy = [parts.get(key) for key in ("AV", "AC", "PR", "UI")] == ["N", "L", "N", "N"]
    damage = {parts.get(key) for key in ("C", "I", "A", "VC", "VI", "VA")}
    return easy and parts.get("AT", "N") == "N" and "H" in damage


def _fixed(affected: Mapping[str, Any]) -> tuple[str, ...]:
    ranges = [one for one in affected.get("ranges") or () if one.get("type") != "GIT"]
    events = [event for one in ranges for event in one.get("events") or ()]
    return tuple(dict.fromkeys(str(event["fixed"]) for event in events if "fixed" in event))


def _joined(found: Iterable[Known]) -> Iterator[Known]:
    """Yield each vulnerability once: several databases list the same one under other names."""
    groups: list[Known] = []
    for one in sorted(found, key=lambda known: (known.package, known.ids)):
        same = [g for g in groups if g.package == one.package and set(g.ids) & set(one.ids)]
        groups = [group for group in groups if group not in same]
        ids = dict.fromkeys(name for group in (*same, one) for name in group.ids)
        why = next((group.exploitable for group in (*same, one) if group.exploitable), "")
        fixed = dict.fromkeys(at for group in (*same, one) for at in group.fixed)
        groups.append(Known(one.package, one.version, tuple(ids), why, tuple(fixed)))
    yield from sorted(groups, key=lambda known: (known.package, known.ids))
