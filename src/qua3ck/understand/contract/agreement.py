"""Whether the columns that came are the columns agreed: missing, new, of another type."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from qua3ck.kit.errors import did_you_mean
from qua3ck.kit.findings import Finding

if TYPE_CHECKING:
    import pyarrow as pa

    from qua3ck.understand.contract.odcs import ContractTable

# What may stand where another type was agreed: nothing is lost in reading it so.
_ALSO = {"number": {"integer"}, "timestamp": {"date"}}


def compare_columns(schema: pa.Schema, table: ContractTable) -> Iterator[Finding]:
    """Yield a finding per kind of difference; a missing column or another type blocks.

    Columns whose names begin with ``_`` are ours and not compared. A contract that lists no
    columns agrees on none.
    """
    if not table.columns:
        return
    found = {field.name: type_name(field.type) for field in schema if field.name[0] != "_"}
    agreed = {column.name: column.type for column in table.columns}
    missing = [name for name in agreed if name not in found]
    new = [name for name in found if name not in agreed]
    other = {
        name: {"agreed": wanted, "found": found[name]}
        for name, wanted in agreed.items()
        if name in found and wanted and found[name] not in {wanted, *_ALSO.get(wanted, ())}
    }
    if missing:
        listed = ", ".join(f'"{name}"{did_you_mean(name, new)}' for name in missing)
        yield _finding(table, "block", f"Agreed columns are missing: {listed}", missing=missing)
    if other:
        listed = ", ".join(
            f"{name} is {each['found']} instead of {each['agreed']}" for name, each in other.items()
        )
        yield _finding(table, "block", f"Columns have another type: {listed}", types=other)
    if new:
        listed = ", ".join(f'"{name}"' for name in new)
        yield _finding(
            table,
            "warn",
            f"Columns that nobody agreed on: {listed}; declare them in the contract, or leave "
            "them out at the source",
            new=new,
        )


def type_name(kind: pa.DataType) -> str:
    """Return a type by the word a project file has for it."""
    import pyarrow as pa

    words: dict[str, Any] = {
        "string": pa.types.is_string,
        "integer": pa.types.is_integer,
        "number": pa.types.is_floating,
        "boolean": pa.types.is_boolean,
        "date": pa.types.is_date,
        "timestamp": pa.types.is_timestamp,
    }
    large = pa.types.is_large_string(kind) or pa.types.is_string_view(kind)
    return "string" if large else next((w for w, test in words.items() if test(kind)), str(kind))


def _finding(table: ContractTable, severity: Any, says: str, **difference: Any) -> Finding:
    (what,) = difference.values()
    return Finding(
        "U085",
        severity,
        f"{table.name}, {len(what)} column{'' if len(what) == 1 else 's'}",
        f"{says}.",
        {**difference, "contract": table.where(*table.keys, "properties")},
    )
