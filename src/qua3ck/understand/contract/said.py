"""What the contracts say of each column for readers: its meaning, and whether it may leave."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from qua3ck.understand.contract.odcs import read_contract
from qua3ck.understand.section import Source, Understand

_MAY_LEAVE = {"public", "internal"}
NOT_SHOWN = "(not shown: classified)"  # in the place of a value that stays in the house


@dataclass(frozen=True)
class SaidColumn:
    """One column of a source, as its contract has it; empty texts where it says nothing."""

    meaning: str = ""
    classification: str = ""

    @property
    def private(self) -> bool:
        """Whether it is classified as something that stays in the house."""
        return bool(self.classification) and self.classification.lower() not in _MAY_LEAVE

    @property
    def shown(self) -> bool:
        """Whether single values may be shown: only what is classified as public or internal."""
        return self.classification.lower() in _MAY_LEAVE


@dataclass(frozen=True)
class SaidTable:
    """One source, as its contract has it."""

    meaning: str
    columns: Mapping[str, SaidColumn]


def said_of(section: Understand, root: Path) -> dict[str, SaidTable]:
    """Return what contracts say of the sources that have one.

    Raises
    ------
    Qua3ckError
        If a contract cannot be read or has no table of the source's name.
    """
    return {
        name: _said(name, root / source.contract)
        for name, source in section.sources.items()
        if source.contract is not None
    }


def said_of_source(name: str, source: Source, root: Path) -> Mapping[str, SaidColumn]:
    """Return what the contract of one source says of its columns; empty without a contract.

    Raises
    ------
    Qua3ckError
        If the contract cannot be read or has no table of the source's name.
    """
    return _said(name, root / source.contract).columns if source.contract is not None else {}


def _said(name: str, path: Path) -> SaidTable:
    table = read_contract(path).table(name)
    columns = {
        column.name: SaidColumn(
            column.model.description or column.model.businessName or "",
            column.model.classification or "",
        )
        for column in table.columns
    }
    return SaidTable(table.model.description or "", columns)
