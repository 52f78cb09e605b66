"""Adding and replacing rows: the files first, then one commit that names them."""

from __future__ import annotations

import shutil
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from qua3ck.kit.errors import Qua3ckError
from qua3ck.store.warehouse.columns import KNOWN, kept_type, refuse_twins
from qua3ck.store.warehouse.commits import metadata
from qua3ck.store.warehouse.current import matching_sql, require_columns, scan_sql
from qua3ck.store.warehouse.engine import Engine, file_list, literal, quoted
from qua3ck.store.warehouse.files import (
    add_action,
    conformed,
    copied,
    flushed,
    moved,
    new_path,
    remove_action,
    same_columns,
    written,
)
from qua3ck.store.warehouse.folder import Folder
from qua3ck.store.warehouse.problems import too_late, unfit

if TYPE_CHECKING:
    import pyarrow as pa

Rows = Any  # a Parquet file, several of them, an Arrow table, or a stream of batches
_NULL = "__HIVE_DEFAULT_PARTITION__"


def append(
    folder: Folder,
    rows: Rows,
    *,
    known: datetime | Callable[[datetime | None], datetime],
    about: Mapping[str, str],
    partition: Sequence[str],
    instead: bool,
    move: bool,
) -> int:
    """See :meth:`Warehouse.append`; the caller holds the table's lock."""
    sources = _sources(rows)
    made: list[Any] = []
    delta = folder.last()
    moment = _moment(known, None if delta is None else folder.said(delta).known)

    def act() -> int:
        delta = folder.last()
        last = folder.said(delta) if delta is not None else None
        if last is not None and last.known is not None and moment <= last.known:
            raise too_late(folder.table, moment, last.known)
        before = None if instead else delta
        schema = _schema(folder, before, sources, known=True)
        columns = _partition(folder, before, schema, partition)
        if not made:
            made.extend(_brought(folder, sources, schema, columns, moment, move=move))
            _refuse_other_known(folder, made, moment)
        said = metadata(
            "load",
            known=moment,
            about=about,
            base=last.base if last and not instead else None,
            first=before is None,
        )
        return folder.commit(
            delta, made, schema, said, partition=columns, instead=instead and delta is not None
        )

    return _or_discard(folder, made, act)


def _moment(
    known: datetime | Callable[[datetime | None], datetime], last: datetime | None
) -> datetime:
    moment = known if isinstance(known, datetime) else known(last)
    if moment.tzinfo is None:
        message = "known needs a time zone"
        raise ValueError(message)
    return moment


def replace(folder: Folder, rows: Rows | None, where: Mapping[str, Any]) -> int:
    """See :meth:`Warehouse.replace`; the caller holds the table's lock."""
    sources = [] if rows is None else _sources(rows)
    made: list[Any] = []
    rest: list[Any] = []

    def act() -> int:
        delta = folder.at(None)
        last = folder.said(delta)
        schema = _schema(folder, delta, sources, known=False)
        require_columns(list(where), schema.names, where=folder.table)
        columns = list(delta.metadata().partition_columns)
        if sources and not made:
            made.extend(_brought(folder, sources, schema, columns, last.known))
        folder.discard(folder.path / one.path for one in rest)
        removes, cut, rest[:] = _without(folder, delta, schema, where)
        base = None if made or cut & folder.base_names(last) else last.base
        said = metadata("replace", known=last.known, base=base)
        return folder.commit(delta, [*made, *rest, *removes], schema, said)

    return _or_discard(folder, made, act, rest)


def split(
    folder: Folder, paths: Sequence[Path], schema: pa.Schema, columns: Sequence[str], kind: str
) -> list[tuple[Path, dict[str, str | None]]]:
    """Write the rows of Parquet files apart by the values of columns; return file and values."""
    _refuse_odd_partition(folder.table, schema, columns)
    into = folder.path / f".split-{uuid.uuid4().hex}"
    by = ", ".join(map(quoted, columns))
    empty = " OR ".join(
        f"{quoted(name)} = ''" for name in columns if str(schema.field(name).type) == "string"
    )
    source = f"SELECT * FROM read_parquet({file_list(paths)}, hive_partitioning=false)"
    try:
        with Engine() as engine:
            if empty and engine.connection.execute(
                f"SELECT count(*) FROM ({source}) WHERE {empty}"
            ).fetchone() != (0,):
                raise _odd_partition(folder.table, columns, "holds empty texts")
            engine.connection.execute(
                f"COPY ({source}) TO {literal(str(into))} "
                f"(FORMAT parquet, COMPRESSION zstd, PARTITION_BY ({by}))"
            )
        return [
            _flat(folder, path, into, columns, kind) for path in sorted(into.rglob("*.parquet"))
        ]
    finally:
        shutil.rmtree(into, ignore_errors=True)


def _flat(
    folder: Folder, path: Path, into: Path, columns: Sequence[str], kind: str
) -> tuple[Path, dict[str, str | None]]:
    spelt = [unquote(part.split("=", 1)[1]) for part in path.relative_to(into).parts[:-1]]
    values = {
        name: None if value == _NULL else value for name, value in zip(columns, spelt, strict=True)
    }
    return path.rename(new_path(folder.path, kind)), values


def _or_discard(
    folder: Folder, made: list[Any], act: Callable[[], int], rest: Sequence[Any] = ()
) -> int:
    try:
        return folder.tried(act)
    except Exception:
        folder.discard(folder.path / one.path for one in (*made, *rest))
        raise


def _brought(
    folder: Folder,
    sources: Sequence[Any],
    schema: pa.Schema,
    columns: Sequence[str],
    known: datetime | None,
    *,
    move: bool = False,
) -> list[Any]:
    """Return what the log will say of the new files, which lie in the folder and on the disk."""
    paths: list[Path] = []
    done: list[tuple[Path, dict[str, str | None]]] = []
    try:
        for one in sources:
            path = _file_of(folder, one, schema, known, move=move)
            paths += [] if path is None else [path]
        done = [(path, {}) for path in paths]
        if columns and paths:
            done = split(folder, paths, schema, columns, "load")
            _unlink(paths)
        flushed(path for path, _ in done)
        return [add_action(path, values) for path, values in done]
    except BaseException:
        _unlink([*paths, *(path for path, _ in done)])
        raise


def _file_of(
    folder: Folder, one: Any, schema: pa.Schema, known: datetime | None, *, move: bool
) -> Path | None:
    import pyarrow.parquet as pq

    if not isinstance(one, Path):
        batches = one.to_batches() if hasattr(one, "to_batches") else one
        return _stream_of(folder, iter(batches), schema, known)
    with pq.ParquetFile(one) as file:
        if file.metadata.num_rows == 0:
            return None
        complete = KNOWN in file.schema_arrow.names or KNOWN not in schema.names
        if not (complete and same_columns(file.schema_arrow, schema)):
            return _stream_of(folder, file.iter_batches(), schema, known)
    return (moved if move else copied)(one, folder.path, "load")


def _stream_of(
    folder: Folder, batches: Iterator[pa.RecordBatch], schema: pa.Schema, known: datetime | None
) -> Path | None:
    checked = conformed(batches, schema, where=folder.table, known=known)
    path, rows = written(checked, schema, folder.path, "load")
    if rows:
        return path
    path.unlink()
    return None


def _schema(folder: Folder, delta: Any, sources: Sequence[Any], *, known: bool) -> pa.Schema:
    """Return the table's columns after these rows are added to it."""
    import pyarrow as pa

    fields = {} if delta is None else {one.name: one for one in folder.schema(delta)}
    for one in sources:
        new_fields = _own_schema(one)
        refuse_twins(new_fields.names, where=folder.table)
        for new in new_fields:
            kind = kept_type(new.type, new.name, where=folder.table)
            old = fields.setdefault(new.name, pa.field(new.name, kind))
            if not _fits(new.type, kind, old.type):
                raise unfit(folder.table, new.name, kind, old.type)
    if known and KNOWN not in fields:
        fields[KNOWN] = pa.field(KNOWN, pa.timestamp("us", "UTC"))
    refuse_twins(list(fields), where=folder.table)
    return pa.schema(list(fields.values()))


def _fits(came: pa.DataType, kind: pa.DataType, table: pa.DataType) -> bool:
    """Return whether a column's values can be stored in the table's type without a change."""
    import pyarrow as pa

    is_type = pa.types
    if kind == table or is_type.is_null(came):
        return True
    if is_type.is_integer(kind) and is_type.is_integer(table):
        return bool(kind.bit_width <= table.bit_width)
    return bool(is_type.is_floating(table) and (is_type.is_integer(kind) or str(kind) == "float"))


def _partition(folder: Folder, delta: Any, schema: pa.Schema, wanted: Sequence[str]) -> list[str]:
    """Return the table's partition columns, which are chosen when it is made."""
    if delta is not None:
        return list(delta.metadata().partition_columns)
    require_columns(wanted, schema.names, where=folder.table, what="partition")
    _refuse_odd_partition(folder.table, schema, wanted)
    return list(wanted)


def _refuse_odd_partition(table: str, schema: pa.Schema, columns: Sequence[str]) -> None:
    for name in columns:
        kind = str(schema.field(name).type)
        if kind not in {"string", "bool", "date32[day]"} and "int" not in kind:
            raise _odd_partition(table, [name], f"is of type {kind}")


def _odd_partition(table: str, columns: Sequence[str], says: str) -> Qua3ckError:
    return Qua3ckError(
        f"A table cannot be kept apart by {', '.join(columns)}: it {says}",
        where=f"warehouse/{table}",
        fix="partition by columns of text (none of them empty), integers, booleans or dates",
        code="S008",
    )


def _refuse_other_known(folder: Folder, actions: Sequence[Any], known: datetime) -> None:
    """Refuse rows that say they were known at another moment than their load."""
    import json

    for one in actions:
        said = json.loads(one.stats)
        ends = {said[end].get(KNOWN) for end in ("minValues", "maxValues")}
        moments = {datetime.fromisoformat(str(end)) for end in ends if end is not None}
        if moments != {known.astimezone(UTC)} or said["nullCount"].get(KNOWN):
            raise unfit(folder.table, KNOWN, "another moment", "the moment of the load")


def _without(
    folder: Folder, delta: Any, schema: pa.Schema, where: Mapping[str, Any]
) -> tuple[list[Any], set[str], list[Any]]:
    """Return the files to remove, the names of those cut, and what is left of these."""
    removes, cut, rest = [], set(), []
    moment = datetime.now(UTC)
    test = matching_sql(where)
    with Engine() as engine:
        for file in folder.files(delta):
            rows = scan_sql(engine, [file], schema, schema.names)
            found = engine.connection.execute(
                f"SELECT count(*) FILTER (WHERE {test}), count(*) FROM ({rows})"
            ).fetchone()
            hits, every = found or (0, 0)
            if hits:
                removes.append(remove_action(file, moment))
            if 0 < hits < every:
                cut.add(file.name)
                path = new_path(folder.path, "rest")
                shown = ", ".join(quoted(n) for n in schema.names if n not in file.partition)
                engine.copy_out(f"SELECT {shown} FROM ({rows}) WHERE NOT ({test})", path)
                rest.append(add_action(path, file.partition))
                flushed([path])
    return removes, cut, rest


def _sources(rows: Rows) -> list[Any]:
    if isinstance(rows, Sequence) and not isinstance(rows, Path):
        return list(rows)
    return [rows]


def _own_schema(one: Any) -> pa.Schema:
    import pyarrow.parquet as pq

    return pq.read_schema(one) if isinstance(one, Path) else one.schema


def _unlink(paths: Sequence[Path]) -> None:
    for path in paths:
        path.unlink(missing_ok=True)
