"""Publishing: the declared gold tables as stars, flagged, in every form the file names.

Columns that a contract classifies as anything but public or internal are left out; to hand one
out, the contract must say so.
"""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from qua3ck.kit.errors import Qua3ckError, did_you_mean
from qua3ck.understand.contract.said import SaidColumn, SaidTable
from qua3ck.understand.gold.build import Built, query_of
from qua3ck.understand.gold.query import Columns, Origin, origins
from qua3ck.understand.publish.dictionary import dictionary
from qua3ck.understand.publish.files import FORMATS, refuse_long, write_files
from qua3ck.understand.publish.flags import flagged
from qua3ck.understand.publish.postgres import write_postgres
from qua3ck.understand.publish.star import Table, calendar, split
from qua3ck.understand.publish.stored import Stored
from qua3ck.understand.section import Publish, Understand

if TYPE_CHECKING:
    import pyarrow as pa

    from qua3ck.store.warehouse import Warehouse

PLACE = "understand.publish"


@dataclass(frozen=True)
class Handed:
    """What was published: rows per table, the files and database tables, what was left out."""

    rows: Mapping[str, int]
    files: tuple[Path, ...]
    tables: tuple[str, ...]
    left_out: tuple[str, ...]


def publish(
    section: Understand,
    built: Mapping[str, Built],
    said: Mapping[str, SaidTable],
    columns: Columns,
    *,
    root: Path,
    warehouse: Warehouse,
    title: str,
) -> Handed:
    """Write the declared tables wherever ``understand.publish`` says.

    Parameters
    ----------
    built : mapping
        The gold tables as they stand.
    said : mapping
        What the contracts say of the sources.
    columns : mapping
        Every source's and gold table's columns with their types in SQL.
    title : str
        The name of the Excel workbook.

    Raises
    ------
    Qua3ckError
        If nothing is declared, a table is not there, or a target refuses.
    """
    wanted = section.publish
    if wanted is None:
        raise Qua3ckError(
            "Nothing is declared to be published",
            where=PLACE,
            fix="add publish: {tables: {NAME: {}}, to: [excel]} under understand:",
            code="U163",
        )
    _refuse_strange(wanted, section)
    if "excel" in wanted.to:
        refuse_long({name: built[name].rows for name in wanted.tables if name in built})
    with tempfile.TemporaryDirectory(prefix="qua3ck-") as scratch:
        tables, words, left_out = _stars(
            wanted, section, built, said, columns, root, warehouse, Path(scratch)
        )
        files, written = _written(wanted, tables, words, root=root, title=title)
    counts = {table.name: table.rows.num_rows for table in tables}
    return Handed(counts, files, written, tuple(left_out))


def _stars(
    wanted: Publish,
    section: Understand,
    built: Mapping[str, Built],
    said: Mapping[str, SaidTable],
    columns: Columns,
    root: Path,
    warehouse: Warehouse,
    scratch: Path,
) -> tuple[list[Table], pa.Table, list[str]]:
    """Return the calendar, dimensions and facts, their dictionary, and what was left out."""
    tables: list[Table] = []
    left_out: list[str] = []
    made_from: dict[str, str] = {}
    meanings: dict[str, str] = {}
    for name, star in wanted.tables.items():
        place = f"{PLACE}.tables.{name}"
        behind = behind_columns(name, section, built, columns, root)
        with flagged(name, section, built, root=root, warehouse=warehouse) as rows:
            hidden = sorted(c for c in rows.schema.names if private(behind.get(c, ()), said))
            shown = _without(rows, hidden)
            new = split(name, shown, star, folder=scratch, place=place)
        left_out += [f"{name}.{column}" for column in hidden]
        for column, found in behind.items():
            made_from[column] = ", ".join(f"{one.table}.{one.column}" for one in found)
            meaning = _said_of(found[0], said).meaning if len(found) == 1 else ""
            meanings[column] = meaning or meanings.get(column, "")
        tables = _conformed(tables, new, place)
    days = calendar(tables)
    dimensions = sorted(tables, key=lambda table: bool(table.refers) or not _is_dimension(table))
    tables = [*([days] if days else []), *dimensions]
    return tables, dictionary(tables, meanings, made_from), left_out


def _without(rows: pa.RecordBatchReader, hidden: Sequence[str]) -> pa.RecordBatchReader:
    import pyarrow as pa

    shown = [name for name in rows.schema.names if name not in hidden]
    schema = pa.schema([rows.schema.field(name) for name in shown])
    return pa.RecordBatchReader.from_batches(schema, (batch.select(shown) for batch in rows))


def _written(
    wanted: Publish, tables: Sequence[Table], words: pa.Table, *, root: Path, title: str
) -> tuple[tuple[Path, ...], tuple[str, ...]]:
    """Write the tables to every target; return the files and the tables of databases."""
    files: tuple[Path, ...] = ()
    kinds = [kind for kind in wanted.to if kind in FORMATS]
    if kinds:
        folder = root / wanted.folder
        files = write_files(tables, words, folder=folder, kinds=kinds, title=title)
    databases = [one.removeprefix("env:") for one in wanted.to if one.startswith("env:")]
    written: list[str] = []
    for variable in databases:
        written += write_postgres(tables, words, variable=variable, schema=wanted.db_schema)
    return files, tuple(written)


def private(behind: Sequence[Origin], said: Mapping[str, SaidTable]) -> bool:
    """Return whether a column stays in the house: one behind it is classified as such."""
    return any(_said_of(one, said).private for one in behind)


def _said_of(one: Origin, said: Mapping[str, SaidTable]) -> SaidColumn:
    table = said.get(one.table)
    return table.columns.get(one.column, SaidColumn()) if table else SaidColumn()


def _conformed(before: list[Table], new: tuple[Table, ...], place: str) -> list[Table]:
    """Put two facts' dimensions of one name together: equal values have equal keys."""
    import pyarrow as pa

    found = {table.name: table for table in before}
    for table in new:
        twin = found.get(table.name)
        if twin is None:
            found[table.name] = table
            continue
        if isinstance(table.rows, Stored) or isinstance(twin.rows, Stored):
            message = f"two tables of facts are called {table.name}"
            raise TypeError(message)
        if twin.rows.schema != table.rows.schema:
            raise Qua3ckError(
                f"Two tables declare {table.name} with other columns",
                where=f"{place}.dimensions",
                fix="give both the same columns in the same order, or other names",
                code="U162",
            )
        rows = pa.concat_tables([twin.rows, table.rows]).to_pandas()
        rows = rows.drop_duplicates(list(table.key)).sort_values(list(table.key))
        kept = pa.Table.from_pandas(rows, schema=table.rows.schema, preserve_index=False)
        found[table.name] = Table(table.name, kept, table.key, table.refers)
    return list(found.values())


def _is_dimension(table: Table) -> bool:
    return table.name.startswith("dim_")


def behind_columns(
    name: str, section: Understand, built: Mapping[str, Built], columns: Columns, root: Path
) -> dict[str, tuple[Origin, ...]]:
    """Return the source columns behind each column, through all the tables on the way.

    Of a table that a function makes, every column counts as made from all that it is given.
    """
    query = query_of(name, section.tables[name], root)
    if query is not None:
        direct = origins(query, columns)
    else:
        given = [Origin(one.name, c) for one in built[name].made_of for c in columns[one.name]]
        direct = {
            column: tuple(o for o in given if o.column == column) or tuple(given)
            for column in columns[name]
        }
    further = {
        one.name: behind_columns(one.name, section, built, columns, root)
        for one in built[name].made_of
        if not one.by
    }
    return {
        column: tuple(
            sorted(
                {
                    deep
                    for one in found
                    for deep in (
                        further[one.table].get(one.column, ()) if one.table in further else (one,)
                    )
                },
                key=lambda o: (o.table, o.column),
            )
        )
        for column, found in direct.items()
    }


def _refuse_strange(wanted: Publish, section: Understand) -> None:
    for name in wanted.tables:
        if name not in section.tables:
            raise Qua3ckError(
                f'No gold table "{name}"{did_you_mean(name, section.tables)}',
                where=f"{PLACE}.tables.{name}",
                fix=f"declare it under understand.tables, or use: {', '.join(section.tables)}",
                code="U158",
            )
    for target in wanted.to:
        if target not in FORMATS and not target.startswith("env:"):
            raise Qua3ckError(
                f'Cannot publish to "{target}"{did_you_mean(target, FORMATS)}',
                where=f"{PLACE}.to",
                fix="write parquet, csv, excel, or env:NAME where NAME holds a database's URL",
                code="U163",
            )
