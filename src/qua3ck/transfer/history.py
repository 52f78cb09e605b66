"""Where an alias points and pointed before, which loads a version rests on, days as moments.

MLflow's alias table knows no actor, no time and no past; the ledger is what counts.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from qua3ck.kit.errors import Qua3ckError, did_you_mean

if TYPE_CHECKING:
    from qua3ck.ledger import Entry, Ledger
    from qua3ck.understand.records import Pinned

ALIASES = ("champion", "challenger", "shadow", "staging", "production")


def aliases_now(ledger: Ledger) -> dict[str, int]:
    """Return where each alias points; one that was taken away is left out."""
    from qua3ck.govern import alias_history

    last = {move.alias: move.version for move in alias_history(ledger)}
    return {alias: version for alias, version in last.items() if version is not None}


def version_before(ledger: Ledger, alias: str) -> int | None:
    """Return the version a rollback goes to; None if there is none.

    Promotions pile up and each rollback takes off what is above its version, so that two
    rollbacks in a row go back two versions and not to and fro. A version whose canary was
    stopped was never in use for everybody, and is passed over.
    """
    stopped = {int(entry.body["rollout"]) for entry in ledger.entries("canary.stopped")}
    pile: list[tuple[int | None, bool]] = []
    for entry in ledger.entries("alias.moved"):
        if entry.body["alias"] != alias:
            continue
        version = entry.body.get("version")
        if entry.body.get("kind") == "rollback":
            del pile[-1:]
            while pile and pile[-1][0] != version:
                del pile[-1:]
        else:
            pile.append((version, entry.seq not in stopped))
    older = [version for version, settled in pile[:-1] if version is not None and settled]
    return older[-1] if older else None


def loads_behind(entries: Sequence[Entry], pinned: Iterable[Pinned]) -> Iterator[Entry]:
    """Yield, for each pinned table, the last load into it that the pinned version has.

    Not one that was undone: a table that was brought back rests on what it rested on then.
    """
    acts = [entry for entry in entries if entry.event in {"source.loaded", "table.restored"}]
    for table in pinned:
        into = [entry for entry in acts if entry.body.get("table") == table.table]
        behind: dict[int, Entry] = {}
        for entry in sorted(into, key=lambda one: int(one.body["version"])):
            version = int(entry.body["version"])
            if entry.event == "source.loaded":
                behind[version] = entry
            else:
                earlier = [at for at in behind if at <= int(entry.body["to"])]
                behind |= {version: behind[max(earlier)]} if earlier else {}
        seen = [at for at in behind if at <= table.version]
        yield from [behind[max(seen)]] if seen else []


def moment(text: str, *, where: str) -> datetime:
    """Return a day (its last instant, UTC) or a moment as a time with its zone.

    Raises
    ------
    Qua3ckError
        If it is not ISO 8601 (K015).
    """
    try:
        read = datetime.fromisoformat(text)
    except ValueError as problem:
        raise Qua3ckError(
            f'"{text}" is not a date',
            where=where,
            fix="write it as 2025-04-03, or with a time as 2025-04-03T14:00:00Z",
            code="K015",
        ) from problem
    read = read if read.tzinfo else read.replace(tzinfo=UTC)
    whole_day = "T" not in text and " " not in text
    return read + timedelta(days=1, microseconds=-1) if whole_day else read


def known_alias(alias: str) -> str:
    """Return ``alias`` if it is one of the few there are.

    Raises
    ------
    Qua3ckError
        If it is not (K013).
    """
    if alias in ALIASES:
        return alias
    raise Qua3ckError(
        f'Unknown alias "{alias}"{did_you_mean(alias, ALIASES)}',
        where="--alias",
        fix=f"use one of: {', '.join(ALIASES)}",
        code="K013",
    )
