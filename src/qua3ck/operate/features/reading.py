"""Feature values by key, as training would have joined them; loaded by serving processes.

A key that is not in the table has no values: every column is null, as a left join leaves it
in training, and it is said for which rows that is so. The moment up to which the values are
known goes with them. Needs neither pandas nor the rooms that load and train.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from qua3ck.kit.errors import Qua3ckError
from qua3ck.store.releases.prelude import as_text, is_null

if TYPE_CHECKING:
    from qua3ck.operate.features.stores import Store

FORM = 1


@dataclass(frozen=True)
class Told:
    """What a feature table says about itself.

    Attributes
    ----------
    name : str
        In the project file.
    key, columns : tuple of str
        What it is asked by, and what it gives.
    table, version : str, int
        The table of the warehouse it was written from, and that table's version.
    known : str
        The moment of the last load in it; empty where the table has none. ISO 8601.
    as_of : str
        The moment it was asked for; empty for the present.
    written : str
        When it was written.
    rows : int
        How many keys it has.
    """

    name: str
    key: tuple[str, ...]
    columns: tuple[str, ...]
    table: str
    version: int
    known: str
    as_of: str
    written: str
    rows: int

    def age(self, now: datetime) -> float:
        """Return the seconds since what it holds was known, else since it was written."""
        since = datetime.fromisoformat(self.as_of or self.known or self.written)
        return max(0.0, (now.astimezone(UTC) - since).total_seconds())


class Features:
    """The feature tables of a project, read by key.

    Parameters
    ----------
    store : Store
        From :func:`qua3ck.operate.features.stores.open_store`.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self._tables: dict[str, Told] = {}
        self.refresh()

    def refresh(self) -> None:
        """Look again which tables there are; cheap enough for every few seconds."""
        self._tables = {name: told_of(name, facts) for name, facts in self._store.tables().items()}

    def told(self) -> tuple[Told, ...]:
        """Return what each table says about itself."""
        return tuple(self._tables.values())

    def read(self, name: str, keys: Sequence[Sequence[Any]]) -> list[dict[str, Any] | None]:
        """Return of each key the values by column, None for a key that is not there.

        Parameters
        ----------
        name : str
            A feature table.
        keys : sequence of sequences
            Of each row the values of the key's columns.

        Raises
        ------
        Qua3ckError
            If there is no such table (O061), or the store does not answer (O062).
        """
        return self._read(name, keys)[1]

    def complete(
        self, given: Mapping[str, Sequence[Any]], rows: int
    ) -> tuple[dict[str, Sequence[Any]], dict[str, list[int]]]:
        """Add to the columns of a request those that its keys stand for.

        Parameters
        ----------
        given : mapping
            Column to its values, each a sequence of ``rows`` Python values.
        rows : int
            How many.

        Returns
        -------
        tuple of (dict, dict)
            The columns, with the features added and without the keys that no model reads;
            and for each table the rows (from 0) whose key it does not have. A column that
            the request brings itself is left as it is.
        """
        made = dict(given)
        missing: dict[str, list[int]] = {}
        for name, told in self._tables.items():
            wanted = [column for column in told.columns if column not in given]
            if not wanted or any(column not in given for column in told.key):
                continue
            keys = list(zip(*(given[column] for column in told.key), strict=True))
            now, found = self._read(name, keys)
            wanted = [column for column in now.columns if column not in given]
            for column in wanted:
                made[column] = [None if one is None else one[column] for one in found]
            gone = [at for at, one in enumerate(found) if one is None]
            if gone and rows:
                missing[name] = gone
        return made, missing

    def keys(self) -> frozenset[str]:
        """Return the columns that a request may bring only to be looked up by."""
        return frozenset(column for told in self._tables.values() for column in told.key)

    def _read(
        self, name: str, keys: Sequence[Sequence[Any]]
    ) -> tuple[Told, list[dict[str, Any] | None]]:
        texts = [key_text(key) for key in keys]
        asked = [text for text in texts if text is not None]
        facts, rows = self._store.read(name, asked)
        told = told_of(name, facts)
        found = iter(rows)
        read = [None if text is None else next(found) for text in texts]
        return told, [None if row is None else values_of(row, told.columns) for row in read]


def key_text(key: Sequence[Any]) -> str | None:
    """Return a key as the text it is kept by; None where a part of it is null.

    5, 5.0 and "5" are one key, as they are one category to a model; so are a date and its
    midnight. A null matches nothing, as in a join.
    """
    parts = [None if is_null(value) else as_text(value) for value in key]
    return None if None in parts else json.dumps(parts, ensure_ascii=False)


def row_text(values: Sequence[Any]) -> str:
    """Return the values of a row as text that keeps each number to the last bit."""
    return json.dumps([_plain(value) for value in values], ensure_ascii=False, allow_nan=True)


def values_of(row: str, columns: Sequence[str]) -> dict[str, Any]:
    """Return the values of a row by column."""
    return dict(zip(columns, json.loads(row), strict=True))


def told_of(name: str, facts: Mapping[str, Any]) -> Told:
    """Return a table's facts as a record.

    Raises
    ------
    Qua3ckError
        If a newer version of this program wrote it.
    """
    if facts.get("form") != FORM:
        raise Qua3ckError(
            f'The feature table "{name}" was written by another version of qua3ck',
            where=f"operate.features.{name}",
            fix="write it again: qua3ck publish --online",
            code="O061",
        )
    return Told(
        name=name,
        key=tuple(facts["key"]),
        columns=tuple(facts["columns"]),
        table=facts["table"],
        version=facts["version"],
        known=facts["known"],
        as_of=facts["as_of"],
        written=facts["written"],
        rows=facts["rows"],
    )


def _plain(value: Any) -> Any:
    if value is None or isinstance(value, bool | int | float | str):
        return value
    return value.isoformat()
