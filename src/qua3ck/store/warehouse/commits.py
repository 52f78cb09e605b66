"""What a version of a table says about itself: which load it was, and which rows are folded.

Each of our commits carries, beside its files: the act, the moment known at its last load, and
the version whose files are the folded base. A version that somebody else wrote carries
nothing; its base is then taken as unknown, which is slower to read and never wrong.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from qua3ck.kit.clock import stamp

OTHER = "other"
_SELF = "self"
_TICK = timedelta(microseconds=1)


@dataclass(frozen=True)
class Base:
    """The version whose files hold each identity once; None in ``by`` fits every identity."""

    version: int
    by: tuple[str, ...] | None


@dataclass(frozen=True)
class Version:
    """One version of a table.

    Attributes
    ----------
    version : int
        Its number.
    act : str
        load, replace, fold, restore, columns, write; other if another program wrote it.
    known : datetime or None
        UTC; the moment of the last load it holds.
    at : datetime or None
        UTC; when it was written, by the clock of the machine that wrote.
    about : mapping
        What the caller noted.
    base : Base or None
        What is folded in it.
    digest : str
        Of the content, where the whole table was written.
    mark : str
        Of this commit alone.
    """

    version: int
    act: str
    known: datetime | None
    at: datetime | None = None
    about: Mapping[str, str] = field(default_factory=dict)
    base: Base | None = None
    digest: str = ""
    mark: str = ""

    @property
    def changes(self) -> bool:
        """Whether it may have changed what is current; folding and new columns do not."""
        return self.act not in {"fold", "columns"}


def next_known(now: datetime, *last: datetime | None) -> datetime:
    """Return the moment of a new load: now, but always later than every load before.

    The clock of a laptop may stand still or go back; the order of loads must not.
    """
    moment = now.astimezone(UTC)
    for one in last:
        if one is not None and moment <= one:
            moment = one + _TICK
    return moment


def versions(table: Path, last: int) -> list[Version]:
    """Return a table's versions up to ``last``, oldest first.

    ``known`` is carried over versions that other programs wrote. Read from the log itself:
    the history of delta-rs 1.6 gives other versions' lines if opened at an old version.
    """
    known: datetime | None = None
    found = []
    for number in range(last + 1):
        one = version_at(table, number)
        if one is not None:
            known = one.known or known
            found.append(replace(one, known=known))
    return found


def newest(table: Path, version: int) -> Version:
    """Return what a version says about itself; if it says nothing, what is known before it."""
    one = version_at(table, version)
    if one is not None and one.act != OTHER:
        return one
    before = [each.known for each in versions(table, version)]
    return Version(version, OTHER, before[-1] if before else None)


def version_at(table: Path, version: int) -> Version | None:
    """Return what one line of the log says; None if another program cleaned it away."""
    path = table / "_delta_log" / f"{version:020d}.json"
    try:
        with path.open(encoding="utf-8") as handle:
            for line in handle:
                said = json.loads(line).get("commitInfo")
                if said is not None:
                    return _version(said, version)
    except FileNotFoundError:
        return None
    return Version(version, OTHER, None)


def metadata(
    act: str,
    *,
    known: datetime | None,
    about: Mapping[str, str] | None = None,
    base: Base | None = None,
    folds: Sequence[str] | None = None,
    first: bool = False,
) -> dict[str, str]:
    """Return what a commit carries.

    Parameters
    ----------
    base : Base, optional
        Carried over from the version before.
    folds : sequence of str, optional
        This version is itself a folded base for this identity.
    first : bool
        This version is the first load, and so a base for every identity.
    """
    said = {"qua3ck.act": act, "qua3ck.about": json.dumps(dict(about or {}))}
    if known is not None:
        said["qua3ck.known"] = stamp(known)
    if folds is not None or first:
        said["qua3ck.base"] = _SELF
        said["qua3ck.by"] = json.dumps(list(folds) if folds is not None else None)
    elif base is not None:
        said["qua3ck.base"] = str(base.version)
        said["qua3ck.by"] = json.dumps(base.by)
    return said


def _version(entry: Mapping[str, Any], number: int) -> Version:
    written = entry.get("timestamp")
    known = entry.get("qua3ck.known")
    digest = str(entry.get("qua3ck.digest", ""))
    return Version(
        version=number,
        act=str(entry.get("qua3ck.act") or ("write" if digest else OTHER)),
        known=None if known is None else datetime.fromisoformat(str(known)),
        at=None if written is None else datetime.fromtimestamp(int(written) / 1000, UTC),
        about=json.loads(entry.get("qua3ck.about", "{}")),
        base=_base(entry, number),
        digest=digest,
        mark=str(entry.get("qua3ck.mark", "")),
    )


def _base(entry: Mapping[str, Any], number: int) -> Base | None:
    said = entry.get("qua3ck.base")
    if said is None:
        return None
    by = json.loads(entry.get("qua3ck.by", "null"))
    return Base(number if said == _SELF else int(said), None if by is None else tuple(by))
