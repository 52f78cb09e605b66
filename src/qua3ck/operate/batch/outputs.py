"""Where answers go: a table of the layer ``predictions``, or one file; all of a run or nothing."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from qua3ck.kit.errors import Qua3ckError
from qua3ck.operate.batch.inputs import is_file

if TYPE_CHECKING:
    import pyarrow as pa

    from qua3ck.govern import Workspace
    from qua3ck.store.warehouse import Warehouse

LAYER, HELD = "predictions", "_held"
ABOUT = "qua3ck.prediction"


@dataclass(frozen=True)
class Kept:
    """What a destination holds of a run; ``version`` is None for a file."""

    version: int | None
    facts: Mapping[str, Any]


class Output(Protocol):
    """A destination."""

    name: str

    def last(self, source: str) -> Kept | None:
        """Return the last run over an input that is there, whole; None if there is none."""

    def commit(
        self,
        rows: Sequence[Path],
        held: Sequence[Path],
        facts: Mapping[str, Any],
        schemas: tuple[pa.Schema, pa.Schema],
    ) -> int | None:
        """Put a run there; return the version it made."""

    def bytes_digest(self) -> str:
        """Return the hash of a file's bytes; empty for a table."""


def open_output(to: str, workspace: Workspace) -> Output:
    """Return a destination by what was typed.

    Raises
    ------
    Qua3ckError
        If it is a table of another layer, or its name is kept for what is held (O050).
    """
    if is_file(to):
        return _File(Path(to).expanduser().absolute(), workspace)
    layer, _, name = to.rpartition("/")
    if layer not in {"", LAYER} or not name or name.endswith(HELD):
        raise Qua3ckError(
            f'Predictions cannot be written to "{to}"',
            where="--to",
            fix=f"name a table ({LAYER}/scores), or a file that ends in .parquet or .csv; "
            f"names that end in {HELD} are for rows that are held",
            code="O050",
        )
    return _Table(f"{LAYER}/{name}", workspace.warehouse, workspace)


class _Table:
    """A table of the warehouse: each run is one load, the last one of an input is current."""

    def __init__(self, name: str, warehouse: Warehouse, workspace: Workspace) -> None:
        self.name = name
        self._warehouse = warehouse
        self._workspace = workspace

    def last(self, source: str) -> Kept | None:
        kept = self._last(self.name, source)
        held = self._last(f"{self.name}{HELD}", source)
        if held is None or held.facts["predicted"]:
            return kept
        if kept is not None and kept.facts["at"] > held.facts["at"]:
            return kept
        return Kept(None, held.facts)  # nothing could be answered, so there is no load of answers

    def commit(
        self,
        rows: Sequence[Path],
        held: Sequence[Path],
        facts: Mapping[str, Any],
        schemas: tuple[pa.Schema, pa.Schema],
    ) -> int | None:
        del schemas
        source, run = facts["source"], facts["run"]
        beside = f"{self.name}{HELD}"
        before = self._last(beside, source)
        if held and (before is None or before.facts["run"] != run):
            self._append(beside, held, facts)
        return self._append(self.name, rows, facts) if rows else None

    def bytes_digest(self) -> str:
        return ""

    def _append(self, table: str, paths: Sequence[Path], facts: Mapping[str, Any]) -> int:
        from qua3ck.store.warehouse import next_known

        about = {ABOUT: json.dumps(dict(facts), ensure_ascii=False, sort_keys=True)}
        now = self._workspace.clock()
        return self._warehouse.append(
            table, list(paths), known=lambda last: next_known(now, last), about=about
        )

    def _last(self, table: str, source: str) -> Kept | None:
        from qua3ck.understand.loading.past import in_force

        for load in reversed(in_force(self._warehouse, table)):
            if ABOUT in load.about:
                facts = json.loads(load.about[ABOUT])
                if facts["source"] == source:
                    return Kept(load.version, facts)
        return None


class _File:
    """One file, written beside and renamed; what is held goes to ``<name>.held.<ending>``.

    A text file cannot say what it rests on, so what the ledger has of its bytes counts.
    """

    def __init__(self, path: Path, workspace: Workspace) -> None:
        self._path = path
        self._workspace = workspace
        inside = path.is_relative_to(workspace.root)
        self.name = path.relative_to(workspace.root).as_posix() if inside else path.name

    def last(self, source: str) -> Kept | None:
        from qua3ck.kit.hashes import file_digest

        made = self._workspace.ledger.entries("predictions.made", subject=self.name)
        if not made or not self._path.is_file():
            return None
        facts = made[-1].body
        same = facts["source"] == source and facts.get("bytes") == file_digest(self._path)
        return Kept(None, facts) if same else None

    def commit(
        self,
        rows: Sequence[Path],
        held: Sequence[Path],
        facts: Mapping[str, Any],
        schemas: tuple[pa.Schema, pa.Schema],
    ) -> int | None:
        del facts
        _write(self._path, rows, schemas[0])
        beside = self._path.with_suffix(f".held{self._path.suffix}")
        if held:
            _write(beside, held, schemas[1])
        else:
            beside.unlink(missing_ok=True)
        return None

    def bytes_digest(self) -> str:
        from qua3ck.kit.hashes import file_digest

        return file_digest(self._path)


def _write(path: Path, parts: Sequence[Path], schema: pa.Schema) -> None:
    """Write parts as one file of the path's kind; whole or not at all."""
    import os

    shown = schema.remove(schema.get_field_index("_piece"))
    shown = shown.remove(shown.get_field_index("_row"))
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        with beside.open("wb") as handle, _writer(path, handle, shown) as writer:
            for batch in _batches(parts, shown):
                writer.write_batch(batch)
        with beside.open("rb+") as finished:
            os.fsync(finished.fileno())
        beside.replace(path)
    finally:
        beside.unlink(missing_ok=True)


def _writer(path: Path, handle: Any, schema: pa.Schema) -> Any:
    if path.suffix.lower() == ".parquet":
        import pyarrow.parquet as pq

        return pq.ParquetWriter(handle, schema, compression="zstd")
    from pyarrow import csv

    return csv.CSVWriter(handle, schema)


def _batches(parts: Sequence[Path], schema: pa.Schema) -> Iterator[pa.RecordBatch]:
    import pyarrow.parquet as pq

    for part in parts:
        with pq.ParquetFile(part) as file:
            yield from file.iter_batches(columns=schema.names)
