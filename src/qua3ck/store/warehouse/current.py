"""Which rows are current: of each identity the rows of its latest load, unless they are gone.

A window over a whole table costs several times a plain scan. So the rows are taken apart: the
*base*, in which each identity stands once (the first load, or the last fold), loses the
identities that came again in the *tail*; of the tail, the latest load of each identity counts.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from qua3ck.kit.errors import Qua3ckError, did_you_mean
from qua3ck.store.warehouse.columns import GONE, KNOWN, PIECE, storable_schema
from qua3ck.store.warehouse.engine import Engine, constant, file_list, literal, quoted, seen
from qua3ck.store.warehouse.files import DataFile, readable
from qua3ck.store.warehouse.folder import Folder
from qua3ck.store.warehouse.problems import gone, unreadable

if TYPE_CHECKING:
    import pyarrow as pa

POSITION = "file_row_number"


@dataclass(frozen=True)
class Parts:
    """The files of a version: those in which each identity stands once, and those after."""

    base: tuple[DataFile, ...]
    tail: tuple[DataFile, ...]
    schema: pa.Schema
    where: str

    @property
    def names(self) -> list[str]:
        """The columns of the table."""
        return list(self.schema.names)


def parts_of(folder: Folder, version: int | None, by: Sequence[str], engine: Engine) -> Parts:
    """Take a version apart for an identity.

    Raises
    ------
    Qua3ckError
        If there is no such version or column, or files are not there.
    """
    delta = folder.at(version)
    schema = folder.schema(delta)
    require_columns(by, schema.names, where=folder.table, what="identity")
    if not readable(delta):
        return Parts((), (_spooled(folder, delta, engine),), schema, folder.table)
    files = folder.files(delta)
    missing = sum(not file.path.exists() for file in files)
    if missing:
        raise gone(folder.table, int(delta.version()), missing)
    at = folder.said(delta)
    fits = at.base is not None and at.base.by in (None, tuple(by))
    names = folder.base_names(at) if fits and by else set()
    base = tuple(file for file in files if file.name in names)
    tail = tuple(file for file in files if file.name not in names)
    return _without_replaced(Parts(base, tail, schema, folder.table), by)


def current_sql(engine: Engine, parts: Parts, by: Sequence[str], columns: Sequence[str]) -> str:
    """Return the query of the current rows, in no order; null equals null in the identity."""
    here = f" WHERE NOT {quoted(GONE)}" if GONE in parts.names else ""
    shown = ", ".join(map(quoted, columns))
    needed = with_meta([*columns, *by], parts)
    base = scan_sql(engine, parts.base, parts.schema, needed)
    if not parts.tail:
        return f"SELECT {shown} FROM ({base}){here}"
    latest = latest_sql(engine, parts, by, needed)
    if not parts.base:
        return f"SELECT {shown} FROM ({latest}){here}"
    again = f"SELECT DISTINCT {_list(by)} FROM ({scan_sql(engine, parts.tail, parts.schema, by)})"
    return (
        f"SELECT {shown} FROM (SELECT * FROM ({base}) o ANTI JOIN ({again}) n ON {_same(by)}"
        f" UNION ALL SELECT * FROM ({latest})){here}"
    )


def latest_sql(engine: Engine, parts: Parts, by: Sequence[str], columns: Sequence[str]) -> str:
    """Return the query of the tail's rows that are the latest of their identity, gone or not."""
    tail = scan_sql(engine, parts.tail, parts.schema, columns)
    loads = {file.only(KNOWN) for file in parts.tail}
    if KNOWN not in parts.names or (len(loads) == 1 and loads != {None}):
        return tail
    keys, known = _list(by), quoted(KNOWN)
    return (
        f"SELECT o.* FROM ({tail}) o JOIN (SELECT {keys}, max({known}) AS {known} FROM ({tail})"
        f" GROUP BY {keys}) n ON {_same(by)} AND o.{known} IS NOT DISTINCT FROM n.{known}"
    )


def again_sql(engine: Engine, file: DataFile, parts: Parts, by: Sequence[str]) -> str:
    """Return the query of the positions in a base file whose identity came again in the tail."""
    old = scan_sql(engine, [file], parts.schema, by, position=True)
    new = scan_sql(engine, parts.tail, parts.schema, by)
    return (
        f"SELECT {POSITION} FROM ({old}) o SEMI JOIN (SELECT DISTINCT {_list(by)} FROM ({new})) n"
        f" ON {_same(by)} ORDER BY {POSITION}"
    )


def scan_sql(
    engine: Engine,
    files: Sequence[DataFile],
    schema: pa.Schema,
    columns: Sequence[str],
    *,
    position: bool = False,
) -> str:
    """Return the query of all rows of some files in the table's types; with their positions."""
    kinds = {name: sql_type(schema.field(name).type) for name in columns}
    if not files:
        nothing = ", ".join(f"CAST(NULL AS {kinds[name]}) AS {quoted(name)}" for name in columns)
        return f"SELECT {nothing} WHERE false"
    groups: dict[tuple[tuple[str, str | None], ...], list[Path]] = {}
    for file in files:
        groups.setdefault(tuple(file.partition.items()), []).append(file.path)
    return " UNION ALL ".join(
        _group_sql(engine, paths, dict(values), kinds, position=position)
        for values, paths in groups.items()
    )


def matching_sql(where: Mapping[str, Any]) -> str:
    """Return the condition that columns equal values; a list means any of its values."""
    tests = []
    for name, value in where.items():
        among = list(value) if isinstance(value, list | tuple | set | frozenset) else [value]
        each = [f"{quoted(name)} IS NOT DISTINCT FROM {constant(one)}" for one in among]
        tests.append(f"({' OR '.join(each) or 'false'})")
    return " AND ".join(tests) or "true"


def require_columns(
    wanted: Sequence[str], there: Sequence[str], *, where: str, what: str = "column"
) -> None:
    """Refuse a name that is no column of the table."""
    for name in wanted:
        if name not in there:
            raise Qua3ckError(
                f'"{name}" is no column of {where}, asked for as {what}{did_you_mean(name, there)}',
                where=f"warehouse/{where}",
                fix=f"use one of: {', '.join(there)}",
                code="S008",
            )


def sql_type(kind: pa.DataType) -> str:
    """Return the DuckDB type of a stored column."""
    import pyarrow as pa

    if pa.types.is_timestamp(kind):
        return "TIMESTAMP WITH TIME ZONE" if kind.tz else "TIMESTAMP"
    return _SQL[str(kind)]


_SQL = {
    "string": "VARCHAR",
    "bool": "BOOLEAN",
    "int8": "TINYINT",
    "int16": "SMALLINT",
    "int32": "INTEGER",
    "int64": "BIGINT",
    "float": "FLOAT",
    "double": "DOUBLE",
    "date32[day]": "DATE",
}


def with_meta(columns: Sequence[str], parts: Parts) -> list[str]:
    """Return columns, each once, and those that tell which rows are current."""
    needed = dict.fromkeys(columns)
    needed.update(dict.fromkeys(name for name in (KNOWN, GONE) if name in parts.names))
    return list(needed)


def _without_replaced(parts: Parts, by: Sequence[str]) -> Parts:
    """Leave out files whose only piece came again later; then often nothing is left to join.

    Only where the piece is the identity.
    """
    if tuple(by) != (PIECE,):
        return parts
    latest: dict[str, Any] = {}
    for file in (*parts.base, *parts.tail):
        piece, known = file.only(PIECE), file.only(KNOWN)
        if piece is not None and known is not None:
            latest[piece] = max(known, latest.get(piece, known))

    def stays(file: DataFile) -> bool:
        piece, known = file.only(PIECE), file.only(KNOWN)
        return piece is None or known is None or known == latest[piece]

    base = tuple(file for file in parts.base if stays(file))
    tail = tuple(file for file in parts.tail if stays(file))
    every = (*base, *tail)
    if all(file.only(PIECE) is not None and file.only(KNOWN) is not None for file in every):
        return replace(parts, base=every, tail=())
    return replace(parts, base=base, tail=tail)


def _group_sql(
    engine: Engine,
    paths: Sequence[Path],
    values: Mapping[str, str | None],
    kinds: Mapping[str, str],
    *,
    position: bool,
) -> str:
    options = ", union_by_name = true, hive_partitioning = false"
    options += f", {POSITION} = true" if position else ""
    source = f"read_parquet({file_list(paths)}{options})"
    there = engine.described(f"SELECT * FROM {source}")
    shown = [POSITION] if position else []
    for name, kind in kinds.items():
        text = values.get(name)
        if name not in there and text is None:
            value = f"CAST(NULL AS {kind})"
        elif name in values:
            value = f"CAST({literal(str(text))} AS {kind})"
        else:
            here = seen(name, there[name])
            value = here if there[name] == kind else f"CAST({here} AS {kind})"
        shown.append(f"{value} AS {quoted(name)}")
    return f"SELECT {', '.join(shown)} FROM {source}"


def _spooled(folder: Folder, delta: Any, engine: Engine) -> DataFile:
    """Write what only a full Delta reader can read to a file that lasts as long as the engine."""
    import pyarrow as pa

    from qua3ck.store.warehouse.files import conformed, written

    try:
        schema = storable_schema(pa.schema(delta.schema().to_arrow()), where=folder.table)
        batches = pa.RecordBatchReader.from_stream(delta.scan())
        rows = conformed(iter(batches), schema, where=folder.table)
        path, count = written(rows, schema, engine.scratch, "spool")
    except (OSError, ValueError) as problem:
        raise unreadable(folder.table, int(delta.version()), problem) from problem
    return DataFile(path, path.name, path.stat().st_size, count)


def _list(names: Sequence[str]) -> str:
    return ", ".join(map(quoted, names))


def _same(by: Sequence[str]) -> str:
    return " AND ".join(f"o.{quoted(key)} IS NOT DISTINCT FROM n.{quoted(key)}" for key in by)
