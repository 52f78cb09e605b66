"""What the catalogue says of a table, before it is drawn."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from qua3ck.understand.contract.history import DimensionScore

Freshness = Literal["fresh", "late", "once", "unknown", "absent"]


@dataclass(frozen=True)
class ColumnFacts:
    """One column: ``made_from`` names columns, ``rule`` is the expression that makes it."""

    name: str
    type: str
    meaning: str = ""
    classification: str = ""
    made_from: tuple[str, ...] = ()
    rule: str = ""


@dataclass(frozen=True)
class TableFacts:
    """One source or gold table.

    Attributes
    ----------
    name, layer : str
        ``layer`` is ``source`` or ``gold``.
    says : str
        What it is about.
    who : mapping
        Owner, licence, cadence, contact, as far as declared.
    rows, held, version : int
        Current rows, records that wait in quarantine, the version of the table.
    unread : int
        Of those in quarantine, records held while they were read: no rule has looked at them,
        and they are in no figure of ``quality``.
    loaded : str
        When it was loaded or made last; empty if never.
    fresh : {"fresh", "late", "once", "unknown", "absent"}
        Held against the cadence declared; ``once`` promises nothing more, ``absent`` was never
        loaded. A gold table is as fresh as the worst of the sources behind it.
    reads : tuple of str
        The tables it is made from.
    quality : tuple of DimensionScore
        Oldest first.
    sample : tuple of mapping
        A few rows, only of columns that may be shown; ``no_sample`` says why there is none.
    """

    name: str
    layer: Literal["source", "gold"]
    says: str = ""
    who: Mapping[str, str] = field(default_factory=dict)
    rows: int = 0
    held: int = 0
    unread: int = 0
    version: int = 0
    loaded: str = ""
    fresh: Freshness = "unknown"
    columns: tuple[ColumnFacts, ...] = ()
    reads: tuple[str, ...] = ()
    quality: tuple[DimensionScore, ...] = ()
    sample: tuple[Mapping[str, Any], ...] = ()
    no_sample: str = ""
