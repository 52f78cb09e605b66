"""The data dictionary: every published table and column, what it means and where it is from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from qua3ck.understand.publish.flags import LOADED, QUALITY
from qua3ck.understand.publish.star import DATES, Table

if TYPE_CHECKING:
    import pyarrow as pa

_OWN = {
    LOADED: "when the newest record behind this row was loaded (UTC)",
    QUALITY: "ok; incomplete: records behind this row are in quarantine; "
    "unchecked: a source behind it has no contract",
}


_CALENDAR = {
    "date_key": "the day as one number, YYYYMMDD",
    "date": "the day",
    "year": "year of the day",
    "quarter": "quarter of the year, 1 to 4",
    "month": "month of the year, 1 to 12",
    "iso_year": "year to which the ISO week belongs",
    "iso_week": "week of the ISO year, from Monday",
    "weekday": "1 is Monday, 7 is Sunday",
}


def dictionary(
    tables: Sequence[Table], meanings: Mapping[str, str], origins: Mapping[str, str]
) -> pa.Table:
    """Return the dictionary as a table of text.

    Parameters
    ----------
    tables : sequence of Table
        What is published.
    meanings : mapping
        Column name to what it means, as contracts say it.
    origins : mapping
        Column name to the columns it is made from.
    """
    import pyarrow as pa

    lines = [
        {
            "table": table.name,
            "column": field.name,
            "type": str(field.type),
            "key": _part(table, field.name),
            "meaning": _meaning(table, field.name) or meanings.get(field.name, ""),
            "made from": origins.get(field.name, ""),
        }
        for table in tables
        for field in table.rows.schema
    ]
    return pa.Table.from_pylist(lines)


def _meaning(table: Table, column: str) -> str:
    """Return what a column means that publishing added."""
    if table.name == DATES:
        return _CALENDAR.get(column, "")
    if column in table.refers:
        return f"which row of {table.refers[column]}"
    if table.name.startswith("dim_") and column in table.key:
        return "number of this row, made from its values; 0: nothing is known"
    return _OWN.get(column, "")


def _part(table: Table, column: str) -> str:
    if column in table.key:
        return "key"
    if column in table.refers:
        other = table.refers[column]
        return f"refers to {other}.{'date_key' if other == DATES else column}"
    return ""
