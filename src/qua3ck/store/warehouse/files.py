"""The data files of a table: brought in whole, described for the log, listed per version.

All lie flat in the table's folder; partition values stand in the log alone, as the protocol
asks. A file that no commit names is garbage, which :mod:`sweeping` removes.
"""

from __future__ import annotations

import json
import os
import shutil
import uuid
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from qua3ck.store.warehouse.columns import KNOWN, PIECE, storable
from qua3ck.store.warehouse.problems import unfit

if TYPE_CHECKING:
    import pyarrow as pa

OURS = "q3-"
LOAD, REST, FOLD = "load", "rest", "fold"
FOLDED = f"{OURS}{FOLD}-"  # rows in the order of pieces and their rows
_INDEXED = 32  # columns with statistics, as the protocol's default
_LONG = 256  # characters of a text in the statistics
_EXACT = ("DuckDB", "parquet-cpp")  # writers that never cut a text in their statistics ...
_CUT = 15  # ... others may cut it to 64 bytes
_GROUP = 122_880  # rows; what DuckDB reads at once
_READABLE = {"timestampNtz", "v2Checkpoint", "vacuumProtocolCheck"}


@dataclass(frozen=True)
class DataFile:
    """One Parquet file of a version.

    Attributes
    ----------
    path : Path
        Where it lies.
    name : str
        As the log names it.
    size : int
        Bytes.
    rows : int or None
        None if its writer did not say.
    partition : mapping
        Partition column to value as text.
    least, most : mapping
        Of columns whose smallest and largest value its writer noted.
    """

    path: Path
    name: str
    size: int
    rows: int | None
    partition: Mapping[str, str | None] = field(default_factory=dict)
    least: Mapping[str, Any] = field(default_factory=dict)
    most: Mapping[str, Any] = field(default_factory=dict)

    def only(self, column: str) -> Any:
        """Return the one value that a column has in this file; None if it has several."""
        least = self.least.get(column)
        exact = self.name.startswith(OURS) or not isinstance(least, str) or len(least) < _CUT
        return least if exact and least == self.most.get(column) else None


def readable(delta: Any) -> bool:
    """Return whether the files may be read as they lie there.

    Deletion vectors and column mapping need a reader that knows them.
    """
    protocol = delta.protocol()
    mapped = delta.metadata().configuration.get("delta.columnMapping.mode", "none")
    strange = set(protocol.reader_features or ()) - _READABLE
    return mapped == "none" and not strange


def listed(delta: Any, folder: Path) -> list[DataFile]:
    """Return the files of the version that ``delta`` is opened at, by name."""
    import pyarrow as pa

    rows = pa.table(delta.get_add_actions(flatten=True))
    columns = list(delta.metadata().partition_columns)
    wanted = [
        name
        for name in rows.column_names
        if name.endswith((f".{PIECE}", f".{KNOWN}")) or name.startswith("partition.")
    ]
    plain = rows.select(["path", "size_bytes", "num_records", *wanted])
    found = [_listed(one, columns, folder) for one in plain.to_pylist()]
    return sorted(found, key=lambda file: file.name)


def _listed(said: Mapping[str, Any], columns: Sequence[str], folder: Path) -> DataFile:
    name = unquote(str(said["path"]))
    ends: dict[str, dict[str, Any]] = {"min": {}, "max": {}}
    for end, values in ends.items():
        for column in (PIECE, KNOWN):
            value = said.get(f"{end}.{column}")
            if value is not None:
                values[column] = value
    return DataFile(
        path=folder / name,  # an absolute name stays absolute
        name=name,
        size=int(said["size_bytes"]),
        rows=said["num_records"],
        partition={column: _as_text(said[f"partition.{column}"]) for column in columns},
        least=ends["min"],
        most=ends["max"],
    )


def _as_text(value: Any) -> str | None:
    if value is None:
        return None
    if isinstance(value, bool):
        return "true" if value else "false"
    return value.isoformat() if isinstance(value, date) else str(value)


def new_path(folder: Path, kind: str) -> Path:
    """Return a path for a new data file."""
    return folder / f"{OURS}{kind}-{uuid.uuid4().hex}.parquet"


def copied(path: Path, folder: Path, kind: str) -> Path:
    """Bring a Parquet file in as it is, byte for byte, without decoding it."""
    into = new_path(folder, kind)
    with _or_nothing(into):
        shutil.copyfile(path, into)
    return into


def moved(path: Path, folder: Path, kind: str) -> Path:
    """Bring a Parquet file in as it is by another name; as a copy where that cannot be."""
    into = new_path(folder, kind)
    try:
        return path.rename(into)
    except OSError:  # on another disk, or somebody reads it; what else is wrong, copying tells
        return copied(path, folder, kind)


def written(
    batches: Iterator[pa.RecordBatch], schema: pa.Schema, folder: Path, kind: str
) -> tuple[Path, int]:
    """Write a stream of batches as one file of ``schema``; return it and its rows."""
    import pyarrow.parquet as pq

    into = new_path(folder, kind)
    rows = 0
    options = {"compression": "zstd", "compression_level": 1}
    with _or_nothing(into), pq.ParquetWriter(into, schema, **options) as writer:
        for group in _grouped(batches):
            rows += group.num_rows
            writer.write_table(group, row_group_size=_GROUP)
    return into, rows


def _grouped(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.Table]:
    """Yield batches in lots that make a row group; a small or empty one reads badly."""
    import pyarrow as pa

    waiting: list[pa.RecordBatch] = []
    count = 0
    for batch in batches:
        if batch.num_rows:
            waiting.append(batch)
            count += batch.num_rows
        if count >= _GROUP:
            yield pa.Table.from_batches(waiting)
            waiting, count = [], 0
    if waiting:
        yield pa.Table.from_batches(waiting)


@contextmanager
def _or_nothing(path: Path) -> Iterator[None]:
    """Leave no half of a file behind."""
    try:
        yield
    except BaseException:
        path.unlink(missing_ok=True)
        raise


def conformed(
    batches: Iterator[pa.RecordBatch],
    schema: pa.Schema,
    *,
    where: str,
    known: datetime | None = None,
) -> Iterator[pa.RecordBatch]:
    """Yield batches in the columns of ``schema``: stored types, missing ones null.

    A column ``_known`` that the batches lack is filled with ``known``.
    """
    import pyarrow as pa

    for batch in batches:
        rows = storable(pa.Table.from_batches([batch]), where=where)
        columns = []
        for one in schema:
            if one.name in rows.column_names:
                columns.append(_cast(rows[one.name].combine_chunks(), one, where))
            elif one.name == KNOWN and known is not None:
                columns.append(pa.repeat(pa.scalar(known, one.type), rows.num_rows))
            else:
                columns.append(pa.nulls(rows.num_rows, one.type))
        yield pa.RecordBatch.from_arrays(columns, schema=schema)


def _cast(column: pa.Array, wanted: pa.Field, where: str) -> pa.Array:
    import pyarrow as pa

    try:
        return column if column.type == wanted.type else column.cast(wanted.type)
    except pa.ArrowInvalid as problem:  # a whole number too large for a float
        raise unfit(where, wanted.name, column.type, wanted.type) from problem


def same_columns(own: pa.Schema, schema: pa.Schema) -> bool:
    """Return whether a file with columns ``own`` can be taken in as it is."""
    kinds = {field.name: field.type for field in schema}
    return all(_same_bytes(one.type, kinds[one.name]) for one in own)


def _same_bytes(old: pa.DataType, new: pa.DataType) -> bool:
    import pyarrow as pa

    plain = old.value_type if pa.types.is_dictionary(old) else old
    text = pa.types.is_large_string(plain) or pa.types.is_string_view(plain)
    return bool(plain == new or (text and pa.types.is_string(new)))


def add_action(path: Path, partition: Mapping[str, str | None] | None = None) -> Any:
    """Return what the log says of a new file: its size, rows and the ends of its columns."""
    import pyarrow.parquet as pq
    from deltalake.transaction import AddAction

    size = path.stat().st_size
    return AddAction(
        path=path.name,
        size=size,
        partition_values=dict(partition or {}),
        modification_time=int(path.stat().st_mtime * 1000),
        data_change=True,
        stats=json.dumps(_statistics(pq.read_metadata(path))),
    )


def remove_action(file: DataFile, moment: datetime) -> Any:
    """Return what the log says of a file that the next version no longer has."""
    from deltalake.transaction import RemoveAction

    return RemoveAction(
        path=file.name,
        data_change=True,
        deletion_timestamp=int(moment.timestamp() * 1000),
        size=file.size,
        partition_values=dict(file.partition),
    )


def _statistics(meta: Any) -> dict[str, Any]:
    """Return rows, nulls and ends per column, only where they are exact."""
    least: dict[str, Any] = {}
    most: dict[str, Any] = {}
    nulls: dict[str, int] = {}
    longest = _LONG if str(meta.created_by).startswith(_EXACT) else _CUT
    for at in _indexed(meta):
        name = meta.schema.column(at).name
        parts = [
            meta.row_group(group).column(at).statistics for group in range(meta.num_row_groups)
        ]
        if not parts or any(part is None for part in parts):
            continue
        if all(part.has_null_count for part in parts):
            nulls[name] = sum(part.null_count for part in parts)
        ends = _ends([part for part in parts if part.num_values], longest)
        if ends is not None:
            least[name], most[name] = ends
    return {
        "numRecords": meta.num_rows,
        "minValues": least,
        "maxValues": most,
        "nullCount": nulls,
    }


def _indexed(meta: Any) -> list[int]:
    """Return the columns to describe: the first ones, and always those about the load."""
    names = [meta.schema.column(at).name for at in range(meta.num_columns)]
    return [at for at, name in enumerate(names) if at < _INDEXED or name in (PIECE, KNOWN)]


def _ends(parts: Sequence[Any], longest: int) -> tuple[Any, Any] | None:
    if not parts or not all(part.has_min_max for part in parts):
        return None
    first = parts[0].min
    if isinstance(first, bool) or not isinstance(first, int | str | date):
        return None  # floats: their ends say nothing of NaN; others are not worth it
    low, high = min(part.min for part in parts), max(part.max for part in parts)
    if isinstance(first, str) and max(len(low), len(high)) > longest:
        return None
    return _plain(low), _plain(high)


def _plain(value: Any) -> Any:
    """Return a value as the log spells it; microseconds are kept, so that they are exact."""
    if isinstance(value, datetime):
        text = value.isoformat(timespec="microseconds")
        return text.replace("+00:00", "Z")
    return value.isoformat() if isinstance(value, date) else value


def flushed(paths: Iterable[Path]) -> None:
    """Have files, and their names, on the disk: a power cut must not take what a commit names."""
    folders = set()
    for path in paths:
        folders.add(path.parent)
        with path.open("rb") as handle:
            os.fsync(handle.fileno())
    for folder in folders:
        if os.name == "nt":  # a folder cannot be opened there
            return
        number = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(number)
        finally:
            os.close(number)
