"""What is on record about a version's data: from its project file, contracts, ledger, profile.

Nothing is made up here and no row is read: what was never written down stays empty, and the
datasheet says so.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from qua3ck.kit.hashes import file_digest
from qua3ck.transfer.history import loads_behind

if TYPE_CHECKING:
    from qua3ck.ledger import Entry
    from qua3ck.store.warehouse import Warehouse
    from qua3ck.understand import Pinned, Snapshot, Source, Understand
    from qua3ck.understand.contract.history import DimensionScore
    from qua3ck.understand.contract.odcs import ContractTable


@dataclass(frozen=True)
class AgreedFacts:
    """A source's contract: its version, its file with the hash, and what it says in words.

    ``classified`` counts the columns of each classification; those without one stand under
    an empty name.
    """

    path: str
    version: str
    digest: str
    row: str
    purpose: str
    usage: str
    limitations: str
    classified: Mapping[str, int]


@dataclass(frozen=True)
class SourceFacts:
    """One source at the version that the snapshot pinned.

    ``declared`` is None where the project file does not name it. ``held`` are the records in
    quarantine after the load behind it, None if the ledger does not say. ``quality`` are the
    scores of that load.
    """

    name: str
    pinned: Pinned
    declared: Source | None
    loaded_at: str
    held: int | None
    loads: int
    agreed: AgreedFacts | None
    quality: tuple[DimensionScore, ...]


@dataclass(frozen=True)
class MadeFacts:
    """One gold table as it was declared: how it is made and of what, and its last making."""

    name: str
    says: str
    how: str
    reads: tuple[str, ...]
    rows: int | None
    version: int | None


@dataclass(frozen=True)
class Sheet:
    """Everything a datasheet is written from besides the records of the version.

    ``section`` is None where the project file has no part ``understand`` that can be read.
    ``profile`` is empty where the profile's figures are not the ones behind its page.
    """

    section: Understand | None
    sources: tuple[SourceFacts, ...]
    made: tuple[MadeFacts, ...] = ()
    profile: Mapping[str, Any] = field(default_factory=dict)


def gather(
    project_file: Path,
    snapshot: Snapshot,
    *,
    root: Path,
    warehouse: Warehouse,
    entries: Sequence[Entry],
) -> Sheet:
    """Return what is on record about the data of a snapshot.

    Parameters
    ----------
    project_file : Path
        The copy in the version's folder, so that sheet and version say the same.
    root : Path
        The project's folder, with contracts and evidence.
    entries : sequence of Entry
        The ledger so far, oldest first.

    Raises
    ------
    Qua3ckError
        If a contract that the project file names cannot be read.
    """
    section = _section(project_file)
    loads = {entry.body.get("table"): entry for entry in loads_behind(entries, snapshot.sources)}
    sources = tuple(
        _source(pinned, section, loads.get(pinned.table), entries, root, warehouse)
        for pinned in snapshot.sources
    )
    return Sheet(section, sources, _made(section, entries, root), _profile(snapshot, root))


def _section(project_file: Path) -> Understand | None:
    from ruamel.yaml import YAML

    from qua3ck.understand import Understand

    if not project_file.is_file():
        return None
    said = YAML(typ="safe").load(project_file.read_text(encoding="utf-8"))
    part = said.get("understand") if isinstance(said, dict) else None
    return Understand.model_validate_json(json.dumps(part)) if part else None


def _source(
    pinned: Pinned,
    section: Understand | None,
    load: Entry | None,
    entries: Sequence[Entry],
    root: Path,
    warehouse: Warehouse,
) -> SourceFacts:
    name = pinned.table.partition("/")[2] or pinned.table
    declared = section.sources.get(name) if section else None
    held = load.body.get("held") if load is not None else None
    into = [
        e for e in entries if e.event == "source.loaded" and e.body.get("table") == pinned.table
    ]
    return SourceFacts(
        name=name,
        pinned=pinned,
        declared=declared,
        loaded_at=load.at if load is not None else "",
        held=held if isinstance(held, int) else None,
        loads=len(into),
        agreed=_agreed(name, declared, root),
        quality=_quality(name, load, warehouse),
    )


def _agreed(name: str, declared: Source | None, root: Path) -> AgreedFacts | None:
    from qua3ck.understand.contract.odcs import read_contract

    if declared is None or declared.contract is None:
        return None
    path = root / declared.contract
    contract = read_contract(path)
    table: ContractTable = contract.table(name)
    said = contract.model.description
    words = Counter((column.model.classification or "").lower() for column in table.columns)
    return AgreedFacts(
        path=declared.contract,
        version=contract.model.version or "",
        digest=file_digest(path),
        row=table.model.description or "",
        purpose=(said.purpose or "") if said else "",
        usage=(said.usage or "") if said else "",
        limitations=(said.limitations or "") if said else "",
        classified=dict(sorted(words.items())),
    )


def _quality(name: str, load: Entry | None, warehouse: Warehouse) -> tuple[DimensionScore, ...]:
    """Return the scores of the load behind the snapshot, not those of a later one."""
    from qua3ck.understand.contract.history import scores_by_load

    table = f"quality/{name}"
    known = load.body.get("known") if load is not None else None
    if not known or warehouse.version(table) is None:
        return ()
    moment = datetime.fromisoformat(str(known))
    scores = scores_by_load(warehouse.read(table))
    return tuple(score for score in scores if datetime.fromisoformat(score.at) == moment)


def _made(
    section: Understand | None, entries: Sequence[Entry], root: Path
) -> tuple[MadeFacts, ...]:
    from qua3ck.understand.gold.query import read_query

    if section is None:
        return ()
    last = {entry.subject: entry.body for entry in entries if entry.event == "table.made"}
    found = []
    for name, table in section.tables.items():
        place = f"understand.tables.{name}"
        reads = read_query(root / table.sql, place=place).reads if table.sql else table.reads
        body = last.get(name, {})
        how = table.sql or f"{table.function}()"
        found.append(MadeFacts(name, table.says, how, reads, body.get("rows"), body.get("version")))
    return tuple(found)


def _profile(snapshot: Snapshot, root: Path) -> Mapping[str, Any]:
    """Return the profile's figures if they are those whose hash stands on its page."""
    page = root / snapshot.profile
    figures = page.with_suffix(".json")
    if not (page.is_file() and figures.is_file()):
        return {}
    written = figures.read_bytes()
    if file_digest(page) != snapshot.profile_digest:
        return {}
    if hashlib.sha256(written).hexdigest() not in page.read_text(encoding="utf-8"):
        return {}
    said: Mapping[str, Any] = json.loads(written)
    return said
