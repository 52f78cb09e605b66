"""What U hands on: a pinned, hashed snapshot with its split, its seal and its findings."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from qua3ck.kit.findings import Finding

Task = Literal["binary", "multiclass", "regression"]
Order = Literal["independent", "grouped", "time"]
Kind = Literal["number", "category", "text", "date", "bool"]


@dataclass(frozen=True)
class Pinned:
    """One table at one version of the warehouse, with the hash of its content."""

    table: str
    version: int
    rows: int
    digest: str


@dataclass(frozen=True)
class Column:
    """One column of the training table and the part it plays.

    ``role``: ``feature`` is given to the model; ``sensitive`` is only looked at by the
    judge; ``left_out`` carries its reason in ``why``. ``indicator`` says that training
    rows had nulls, so that the prelude adds ``<name>__missing``. ``values`` holds the
    values seen of a category (at most 1,000), ``low`` and ``high`` the range seen of a
    number or (as days since 1970) of a date.
    """

    name: str
    kind: Kind
    type: str
    role: Literal["feature", "target", "time", "group", "entity", "sensitive", "left_out"]
    why: str = ""
    indicator: bool = False
    distinct: int = 0
    values: tuple[str, ...] = ()
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True)
class Split:
    """How test rows were told from training rows.

    ``unit`` names what is hashed: ``group:<column>``, ``entity:<column>``, ``content``;
    or ``time:<column>``. ``cutoff`` is the first moment (ISO 8601) of the test rows of a
    split by time.
    """

    method: Literal["stratified", "random", "group", "time"]
    unit: str
    share: float
    rows_train: int
    rows_test: int
    left_out: int = 0
    cutoff: str = ""


@dataclass(frozen=True)
class Snapshot:
    """A pinned version of the tables a product is made from; test rows only as a seal.

    ``gold`` holds the training rows alone. ``classes`` are the target's values as text,
    sorted, the positive one last for a binary task; empty for regression. ``positive``
    is the class that binary metrics are about. ``order`` decides the folds and the kind
    of interval: ``time`` needs ``time``, ``grouped`` needs ``cluster``, the column whose
    values name the groups.
    """

    id: str
    project: str
    sources: tuple[Pinned, ...]
    gold: Pinned
    target: str
    task: Task
    order: Order
    classes: tuple[str, ...]
    positive: str
    time: str
    cluster: str
    columns: tuple[Column, ...]
    split: Split
    seal: str
    code_digest: str
    profile: str
    profile_digest: str
    findings: tuple[Finding, ...]

    def __repr__(self) -> str:
        """Return what was split and found, in two lines."""
        split, codes = self.split, sorted({finding.code for finding in self.findings})
        return (
            f"Snapshot {self.id[:12]}: {self.task} of {self.target}, "
            f"{len(self.features())} features\n"
            f"{split.rows_train} rows to learn from, {split.rows_test} sealed "
            f"({split.method}, by {split.unit}), findings: {', '.join(codes) or 'none'}"
        )

    def features(self) -> tuple[Column, ...]:
        """Return the columns that a model is given, in table order."""
        return tuple(column for column in self.columns if column.role == "feature")
