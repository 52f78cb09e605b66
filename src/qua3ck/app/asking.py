"""What is asked in the view and what was answered: once, logged, and shown as it was logged."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from qua3ck.app.fields import Value
from qua3ck.app.visit import Visit
from qua3ck.kit.errors import Qua3ckError

if TYPE_CHECKING:
    from qua3ck.operate.records import Fallback
    from qua3ck.store.releases.model import Model
    from qua3ck.store.releases.rows import Strange

Table = Mapping[str, Sequence[Any]]


@dataclass(frozen=True)
class Given:
    """An answer as it was logged, or why there is none.

    Attributes
    ----------
    mark : tuple
        Which model was asked, and since when serving was switched off: an answer given before
        either changed is no longer shown.
    table : mapping
        What was asked about, column to values.
    outputs : mapping
        Name to values; empty where there was no answer.
    version : int
        Who answered; 0 for the declared fallback.
    request_id : str
        Under which it is logged.
    problem : Qua3ckError or None
        Why there is no answer.
    """

    mark: tuple[str, int]
    table: Table = field(default_factory=dict)
    outputs: Mapping[str, list[Any]] = field(default_factory=dict)
    version: int = 0
    request_id: str = ""
    problem: Qua3ckError | None = None

    @property
    def by_model(self) -> bool:
        """Whether a model answered."""
        return self.problem is None and self.version > 0

    @property
    def row(self) -> Mapping[str, Value]:
        """The first row that was asked about."""
        return {name: cells[0] for name, cells in self.table.items()}

    @property
    def first(self) -> Mapping[str, Any]:
        """What was answered to it."""
        return {name: cells[0] for name, cells in self.outputs.items()}


def mark(visit: Visit, model: Model) -> tuple[str, int]:
    """Return what an answer given now holds for."""
    off = switched_off(visit)
    return model.digest, -1 if off is None else off.since


def switched_off(visit: Visit) -> Fallback | None:
    """Return what answers instead of a model, while serving is switched off."""
    return visit.reader.routing()[0].off


def ask(visit: Visit, model: Model, table: Table, rows: int) -> Given:
    """Return the answer to rows, given as a server would and logged; a refusal is one too."""
    now, ident = mark(visit, model), uuid4().hex
    try:
        made = visit.reader.desk().answer(
            visit.version or 0, table, rows, request_id=ident, off=switched_off(visit)
        )
    except Qua3ckError as problem:
        return Given(now, table, problem=problem)
    outputs = {name: list(cells) for name, cells in made.outputs.items()}
    return Given(now, table, outputs, made.version, ident)


def refused(visit: Visit, table: Table, rows: int) -> list[Strange]:
    """Return everything a server would refuse of readable rows; nothing while it is off."""
    if switched_off(visit) is not None:
        return []
    return visit.reader.desk().refused(visit.version or 0, table, rows)
