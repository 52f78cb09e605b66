"""What stays the same during one load of one source, and what a load says when it is done."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from qua3ck.kit.errors import Qua3ckError
from qua3ck.kit.findings import Finding
from qua3ck.understand.loading.held import Waivers
from qua3ck.understand.section import Source

if TYPE_CHECKING:
    import ibis

    from qua3ck.store.raw import RawStore
    from qua3ck.store.warehouse import Warehouse
    from qua3ck.store.warehouse.engine import Engine
    from qua3ck.understand.contract.odcs import ContractTable
    from qua3ck.understand.loading.answers import Answer
    from qua3ck.understand.section import ColumnType

Tell = Callable[[str, float], None]


def silent(text: str, share: float) -> None:
    """Say nothing of progress."""
    del text, share


@dataclass(frozen=True)
class Task:
    """A load's surroundings.

    ``into`` is an empty folder of its own; ``now`` the load's moment; ``reading`` the digest
    of how the source is read; ``ignored`` the columns that may be absent; ``agreed`` the table
    of its contract; ``others`` all sources; ``answers`` those to held records; ``took`` the
    seconds of each step, filled as it goes on; ``only`` the records that are read of a piece
    that is kept, where not all of them are: the answered ones of a feed of changes.
    """

    name: str
    source: Source
    root: Path
    warehouse: Warehouse
    raw: RawStore
    engine: Engine
    into: Path
    now: datetime
    reading: str
    waivers: Waivers
    ignored: frozenset[str]
    agreed: ContractTable | None
    others: Mapping[str, Source]
    answers: Sequence[Answer]
    tell: Tell
    took: dict[str, float] = field(default_factory=dict)
    only: dict[str, frozenset[int]] = field(default_factory=dict)

    @property
    def used(self) -> dict[str, tuple[str, ...]]:
        """What findings were accepted for, by code."""
        return {code: tuple(dict.fromkeys(what)) for code, what in self.waivers.used.items()}

    @property
    def agreed_columns(self) -> tuple[str, ...]:
        """The columns that the contract names."""
        return self.agreed.names if self.agreed else ()

    @property
    def agreed_types(self) -> dict[str, ColumnType]:
        """The types that the contract declares."""
        if self.agreed is None:
            return {}
        return {column.name: column.type for column in self.agreed.columns if column.type}

    def references(self, name: str) -> ibis.Table | None:
        """Return what is current of another source; None if nothing of it was loaded."""
        from qua3ck.understand.loading.past import silver
        from qua3ck.understand.loading.reading import identity_of

        if name not in self.others or self.warehouse.version(silver(name)) is None:
            return None
        by = identity_of(self.warehouse, name, self.others[name])
        return self.warehouse.current_view(silver(name), engine=self.engine, by=by)

    @property
    def place(self) -> str:
        """The source's place in the project file."""
        return f"understand.sources.{self.name}"


@dataclass(frozen=True)
class Refused:
    """A piece, or (with no name) a whole source, that was not loaded: what, where, fix."""

    piece: str
    what: str
    where: str
    fix: str
    code: str | None = None

    def error(self) -> Qua3ckError:
        """Return it as an error, for whoever cannot go on without it."""
        return Qua3ckError(self.what, where=self.where, fix=self.fix, code=self.code)


def refused(piece: str, problem: Qua3ckError) -> Refused:
    """Return why a piece was not loaded."""
    return Refused(piece, problem.what, problem.where, problem.fix, problem.code)


@dataclass(frozen=True)
class Counts:
    """A load in rows: ``came`` is ``loaded`` and ``held``, ``loaded`` the sum of the next five."""

    came: int
    loaded: int
    held: int
    new: int
    changed: int
    unchanged: int
    superseded: int
    withdrawn: int
    deleted: int


@dataclass(frozen=True)
class Load:
    """What one load of one source did.

    Attributes
    ----------
    source : str
    version, known : int or None, str
        Of the table after the load; None and empty if the load changed nothing.
    there, pieces : int
        Pieces that are there now; pieces that were read and loaded.
    came, loaded, held : int
        Records; ``came = loaded + held``.
    new, changed, unchanged, superseded, withdrawn, deleted : int
        Rows, against what was current. ``loaded`` is the sum of the first five: those whose
        key is in a later piece, too, and those that say that they were deleted, among them.
    rows : int
        Current rows after the load.
    waiting : int
        Records that wait in quarantine after the load.
    seconds, size : float, int
        How long it took, and how many bytes were read.
    held_pieces : tuple of Refused
        Pieces that were not loaded, and why.
    failed : Refused or None
        Why nothing could be done at all; only where several sources were asked for.
    accepted : mapping
        Code to what it was accepted for.
    body : mapping
        What the ledger is told; empty if nothing changed.
    unrecorded : tuple of mapping
        What earlier loads should have told the ledger and did not, oldest first.
    """

    source: str
    version: int | None = None
    known: str = ""
    there: int = 0
    pieces: int = 0
    came: int = 0
    loaded: int = 0
    held: int = 0
    new: int = 0
    changed: int = 0
    unchanged: int = 0
    superseded: int = 0
    withdrawn: int = 0
    deleted: int = 0
    rows: int = 0
    waiting: int = 0
    seconds: float = 0.0
    size: int = 0
    findings: tuple[Finding, ...] = ()
    held_pieces: tuple[Refused, ...] = ()
    failed: Refused | None = None
    accepted: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    body: Mapping[str, Any] = field(default_factory=dict)
    unrecorded: tuple[Mapping[str, Any], ...] = ()
