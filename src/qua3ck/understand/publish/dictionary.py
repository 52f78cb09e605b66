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
            "meaning": _OWN.get(field.name) or meanings.get(field.name, ""),
            "made from": origins.get(field.name, ""),
        }
        for table in tables
        for field in table.rows.schema
    ]
    return pa.Table.from_pylist(lines)


def _part(table: Table, column: str) -> str:
    if column in table.key:
        return "key"
    if column in table.refers:
        other = table.refers[column]
        return f"refers to {other}.{'date_key' if other == DATES else column}"
    return ""
