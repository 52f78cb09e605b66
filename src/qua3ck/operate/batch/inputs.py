"""What is predicted: a source, a gold table, or a file; read as a stream, at one pinned version.

Which rows there are, and in which order, is settled before the first is answered: the
version of a table, or the hash of a file, stands beside every answer.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from qua3ck.kit.errors import Qua3ckError, did_you_mean

if TYPE_CHECKING:
    import pyarrow as pa

    from qua3ck.govern import Workspace
    from qua3ck.operate.batch.records import Asked
    from qua3ck.store.warehouse import Engine
    from qua3ck.understand.section import ColumnType, Source, Understand

FILES = (".csv", ".parquet")
PIECE, ROW = "_piece", "_row"
_MEMORY = "400MB"  # of DuckDB; the rest goes to the disk
_BATCH = 1 << 16  # rows

Opened = Callable[[Sequence[str]], Iterator["pa.RecordBatch"]]


@dataclass(frozen=True)
class Input:
    """What is to be predicted.

    Attributes
    ----------
    name : str
        ``layer/name`` of a table, or a file's path as seen from the project.
    version : int or None
        Of the table.
    digest : str
        SHA-256 (hex) of the table's content, or of the file's bytes.
    rows : int
        How many there are, with those that could not be read.
    schema : pyarrow.Schema
        The columns that there are; ``_piece`` and ``_row`` say where a row came from.
    key : tuple of str
        The columns that the project file declares to tell rows apart.
    stream : callable
        From column names to the rows, always in the same order.
    held : tuple of (int, str, str)
        Row (from 1), column and code of records that could not be read.
    """

    name: str
    version: int | None
    digest: str
    rows: int
    schema: pa.Schema
    key: tuple[str, ...]
    stream: Opened
    held: tuple[tuple[int, str, str], ...] = ()


def is_file(word: str) -> bool:
    """Whether a word names a file and not a table."""
    return word.lower().endswith(FILES)


def open_table(name: str, section: Understand, workspace: Workspace, *, engine: Engine) -> Input:
    """Return a table as it is now, pinned.

    Raises
    ------
    Qua3ckError
        If the project has no such table (U158), or it was not loaded or made yet (O047).
    """
    table, source = _table(name, section)
    warehouse = workspace.warehouse
    version = warehouse.version(table)
    if version is None:
        raise Qua3ckError(
            f"{table} does not exist yet",
            where="qua3ck predict",
            fix="qua3ck load",
            code="O047",
        )
    by = source.identity if source is not None else ()
    rows, content = _counted(table, by, version, workspace)

    def stream(columns: Sequence[str]) -> Iterator[pa.RecordBatch]:
        if by:
            view = warehouse.current_view(
                table, engine=engine, by=by, version=version, columns=columns
            )
        else:
            view = warehouse.view(table, engine=engine, version=version).select(*columns)
        yield from engine.batches(view)

    key = source.key if source is not None else _declared_key(table, section)
    schema = warehouse.schema(table, version=version)
    return Input(table, version, content, rows, schema, key, stream)


def open_file(
    path: Path, asked: Asked, section: Understand, workspace: Workspace, types: Types, into: Path
) -> Input:
    """Return a file's rows; a record of a CSV that cannot be read is held.

    Parameters
    ----------
    types : mapping
        What the columns that the version reads must be.
    into : Path
        A folder for what is staged.

    Raises
    ------
    Qua3ckError
        If it is not there (O048) or cannot be read as declared.
    """
    if not path.is_file():
        there = [one.name for one in path.parent.iterdir()] if path.parent.is_dir() else []
        raise Qua3ckError(
            f"There is no file {path.name}{did_you_mean(path.name, there)}",
            where=str(path),
            fix="correct the path; it starts at the folder in which you type",
            code="O048",
        )
    staged = _staged(path, _how(asked.like, path, section), types, into)
    return _of_parquet(staged[0], _shown(path, workspace.root), staged[1], staged[2], staged[3])


Types = Mapping[str, "ColumnType"]


def types_of(spec: Mapping[str, Any]) -> dict[str, ColumnType]:
    """Return what a text file's cells must be for a version to read them."""
    return {column["name"]: _type_of(column) for column in spec["columns"]}


def _type_of(column: Mapping[str, Any]) -> ColumnType:
    kind, stored = column["kind"], str(column.get("type", ""))
    if kind == "date":
        return "timestamp" if column.get("time") else "date"
    if kind == "bool" or stored == "bool":
        return "boolean"
    if kind == "number":
        return "number"
    if kind == "category" and stored.startswith(("int", "uint")):
        return "integer"
    if kind == "category" and stored.startswith(("float", "double")):
        return "number"
    return "string"


def _table(name: str, section: Understand) -> tuple[str, Source | None]:
    layer, _, rest = name.rpartition("/")
    if rest in section.sources and layer in {"", "silver"}:
        return f"silver/{rest}", section.sources[rest]
    if layer == "gold" or (not layer and rest in section.tables):
        return f"gold/{rest}", None
    from qua3ck.understand.gold.query import unknown_table

    raise unknown_table(name, {*section.sources, *section.tables}, "qua3ck predict")


def _declared_key(table: str, section: Understand) -> tuple[str, ...]:
    declared = section.tables.get(table.removeprefix("gold/"))
    return declared.key if declared is not None else ()


def _counted(table: str, by: Sequence[str], version: int, workspace: Workspace) -> tuple[int, str]:
    """Return the rows of a version and the digest of its content."""
    from qua3ck.understand.gold import built_tables

    warehouse = workspace.warehouse
    for one in built_tables(workspace.root).values():
        if not by and (one.table, one.version) == (table, version):
            return one.rows, one.digest
    last, rows, content = warehouse.snapshot(table, by=tuple(by))
    if last != version:
        raise Qua3ckError(
            f"{table} was loaded again at this moment",
            where="qua3ck predict",
            fix="type the same again",
            code="O047",
        )
    return rows, content


def _how(like: str, path: Path, section: Understand) -> Source:
    """Return how a file is read: as a source declares it, else the strictest way."""
    from qua3ck.understand.loading import known_sources
    from qua3ck.understand.section import Source

    if not like:
        if path.suffix.lower() == ".parquet":
            return Source(kind="parquet", path=path.name)
        return Source(kind="csv", path=path.name)
    (name,) = known_sources([like], section)
    return section.sources[name]


def _staged(
    path: Path, source: Source, types: Types, into: Path
) -> tuple[Path, str, int, tuple[tuple[int, str, str], ...]]:
    from qua3ck.kit.hashes import file_digest
    from qua3ck.understand.sources.pieces import Piece
    from qua3ck.understand.sources.stage import stage

    content = file_digest(path)
    into.mkdir(parents=True, exist_ok=True)
    piece = Piece(path.name, content, path, path.stat().st_size)
    staged = stage(piece, source, dict(types), into, "qua3ck predict")
    held = [
        (one[ROW], one["column"] or "", one["code"])
        for one in staged.held.select([ROW, "column", "code"]).to_pylist()
    ]
    return staged.rows, content, staged.came, tuple(sorted(held))


def _of_parquet(
    rows: Path, name: str, content: str, came: int, held: tuple[tuple[int, str, str], ...]
) -> Input:
    import pyarrow.parquet as pq

    def stream(columns: Sequence[str]) -> Iterator[pa.RecordBatch]:
        with pq.ParquetFile(rows) as file:
            for batch in file.iter_batches(batch_size=_BATCH, columns=list(columns)):
                yield batch.select(list(columns))

    schema = pq.read_schema(rows)
    return Input(name, None, content, came, schema, (), stream, held)


def _shown(path: Path, root: Path) -> str:
    whole = path.resolve()
    return whole.relative_to(root).as_posix() if whole.is_relative_to(root) else path.name


def memory() -> str:
    """Return what DuckDB may use while a table is read."""
    return _MEMORY
