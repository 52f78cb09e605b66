"""Gold tables: made of the sources in the order in which they need each other.

A table is made again only if its query or function, or the content of what it reads, has
changed. Each making is a version of ``gold/<name>`` that remembers the versions it was made of.

What a query makes goes to the table as it comes, over inputs that lie in files: memory does not
grow with rows. A function is given its tables in memory, as pandas wants them.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from qua3ck.kit.errors import Qua3ckError
from qua3ck.kit.hashes import digest, file_digest
from qua3ck.kit.records import as_json, from_json, write_atomic
from qua3ck.store.warehouse import Engine, Warehouse, storable, storable_schema
from qua3ck.understand.gold.query import (
    Query,
    qualified,
    read_query,
    sql_columns,
    unknown_table,
)
from qua3ck.understand.loading import identity_of, map_current, read_current, silver
from qua3ck.understand.section import GoldTable, Understand
from qua3ck.understand.usercode import as_table, call, code_digest, find_function

if TYPE_CHECKING:
    import pyarrow as pa

PLACE = "understand.tables"
STATE = "state/gold.json"
TRAINING = "training"
Tell = Callable[[str], None]


@dataclass(frozen=True)
class Input:
    """What a gold table was made of: a source's current rows, or another gold table.

    ``by`` are the columns that make a row of a source the same row; empty for a gold table.
    """

    name: str
    table: str
    version: int
    digest: str
    by: tuple[str, ...] = ()


@dataclass(frozen=True)
class Built:
    """One gold table as it stands.

    ``key`` is the digest of everything it rests on; ``fresh`` says that this run made it.
    """

    name: str
    table: str
    version: int
    rows: int
    digest: str
    key: str
    made_of: tuple[Input, ...]
    seconds: float = 0.0
    fresh: bool = False


def in_order(section: Understand, root: Path) -> tuple[tuple[str, tuple[str, ...]], ...]:
    """Return the gold tables with what each reads, none before what it needs.

    Raises
    ------
    Qua3ckError
        If a query cannot be read, a table is not known, or tables need each other in a circle.
    """
    reads = {name: _reads(name, table, root) for name, table in section.tables.items()}
    known = {*section.sources, *section.tables}
    for name, needed in reads.items():
        _refuse_name(name, section)
        for one in needed:
            if one not in known:
                raise unknown_table(one, known - {name}, f"{PLACE}.{name}")
    return tuple((name, reads[name]) for name in _sorted(reads))


def build_tables(
    section: Understand,
    sources: Mapping[str, Input],
    *,
    root: Path,
    warehouse: Warehouse,
    tell: Tell = lambda _: None,
) -> tuple[Built, ...]:
    """Make the gold tables that are stale; return all of them.

    Parameters
    ----------
    section : Understand
        The section of the project file.
    sources : mapping
        Each source's name to what is current of it.
    root : Path
        The project folder.

    Raises
    ------
    Qua3ckError
        If a query or function fails or returns no rows; tables made before stay.
    """
    before = _remembered(root)
    built: dict[str, Built] = {}
    for name, reads in in_order(section, root):
        inputs = tuple(_input(one, sources, built) for one in reads)
        key = _key(section.tables[name], inputs, root)
        kept = before.get(name)
        if kept is not None and kept.key == key and warehouse.version(kept.table) is not None:
            built[name] = kept
            continue
        tell(f"making {name}")
        built[name] = _make(name, section, inputs, key, root=root, warehouse=warehouse)
        _remember(root, {**before, **built})
    return tuple(built.values())


def made_in_memory(
    section: Understand, tables: Mapping[str, pa.Table], *, root: Path, warehouse: Warehouse
) -> dict[str, pa.Table]:
    """Return the sources and all gold tables made of them; nothing is kept.

    This is how the leak test sees what a gold table would be with other test targets.
    """
    made = dict(tables)
    for name, reads in in_order(section, root):
        given = {one: made[one] for one in reads}
        made[name] = _rows(name, section.tables[name], given, root=root, warehouse=warehouse)
    return made


def read_input(
    one: Input, section: Understand, warehouse: Warehouse, *, meta: bool = False
) -> pa.Table:
    """Return the rows that an input had at the version pinned.

    ``meta`` adds, for a source, the columns that say where each row came from.
    """
    if one.by:
        source = section.sources[one.name]
        return read_current(warehouse, one.name, source, version=one.version, meta=meta)
    return warehouse.read(one.table, version=one.version)


def map_input(
    one: Input, section: Understand, warehouse: Warehouse, *, engine: Engine, meta: bool = False
) -> pa.Table:
    """Return the rows of :func:`read_input` in a file that lasts as long as the engine."""
    if one.by:
        source = section.sources[one.name]
        return map_current(
            warehouse, one.name, source, engine=engine, version=one.version, meta=meta
        )
    return warehouse.mapped(one.table, engine=engine, version=one.version)


def current_inputs(section: Understand, root: Path, warehouse: Warehouse) -> dict[str, Input]:
    """Return what is current of every source that was ever loaded."""
    known = {
        (one.table, one.version): one
        for built in _remembered(root).values()
        for one in built.made_of
    }
    found = {}
    for name, source in section.sources.items():
        table = silver(name)
        version = warehouse.version(table)
        if version is None:
            continue
        by = identity_of(warehouse, name, source)
        kept = known.get((table, version))  # hashing a large table again takes its time
        if kept is None or kept.by != by:
            _, _, content = warehouse.snapshot(table, by=by)
            kept = Input(name, table, version, content, by)
        found[name] = kept
    return found


def queried(query: Query, given: Mapping[str, pa.Table], warehouse: Warehouse) -> pa.Table:
    """Return what a query makes of tables; on one thread, so that sums are always the same.

    Raises
    ------
    Qua3ckError
        If it names a table or column that is not there, or cannot be run.
    """
    return warehouse.query(_text(query, given), {one: given[one] for one in query.reads}, threads=1)


def _text(query: Query, given: Mapping[str, pa.Table]) -> str:
    """Return a query as the engine takes it, every column named by its table."""
    columns = {name: sql_columns(rows.schema) for name, rows in given.items()}
    return qualified(query, columns).sql(dialect="duckdb")


def built_tables(root: Path) -> dict[str, Built]:
    """Return the gold tables that were made last, by name."""
    return _remembered(root)


def query_of(name: str, table: GoldTable, root: Path) -> Query | None:
    """Return the query that makes a table; None if a function does."""
    return read_query(root / table.sql, place=f"{PLACE}.{name}.sql") if table.sql else None


def _reads(name: str, table: GoldTable, root: Path) -> tuple[str, ...]:
    query = query_of(name, table, root)
    return table.reads if query is None else query.reads


def _sorted(reads: Mapping[str, tuple[str, ...]]) -> Iterator[str]:
    from graphlib import CycleError, TopologicalSorter

    graph = {name: [one for one in needed if one in reads] for name, needed in reads.items()}
    try:
        yield from TopologicalSorter(graph).static_order()
    except CycleError as problem:
        circle = " reads ".join(reversed(problem.args[1]))
        raise Qua3ckError(
            f"Tables need each other in a circle: {circle}",
            where=PLACE,
            fix="let one of them read the sources instead",
            code="U159",
        ) from None


def _refuse_name(name: str, section: Understand) -> None:
    fit = name and all(letter.isalnum() or letter in "-_" for letter in name)
    if fit and name != TRAINING and name not in section.sources:
        return
    taken = "is the name of a source" if name in section.sources else "cannot be used"
    raise Qua3ckError(
        f'"{name}" cannot be the name of a table: it {taken}',
        where=f"{PLACE}.{name}",
        fix=f'use letters, digits, - and _ only, and neither a source\'s name nor "{TRAINING}"',
        code="U159",
    )


def _input(name: str, sources: Mapping[str, Input], built: Mapping[str, Built]) -> Input:
    if name in sources:
        return sources[name]
    if name not in built:
        raise Qua3ckError(
            f'The source "{name}" has not been loaded yet',
            where=f"understand.sources.{name}",
            fix=f"qua3ck load . {name}",
            code="U158",
        )
    one = built[name]
    return Input(name, one.table, one.version, one.digest)


def _key(table: GoldTable, inputs: tuple[Input, ...], root: Path) -> str:
    how = {"sql": file_digest(root / table.sql)} if table.sql else _function_key(table, root)
    return digest({**how, "inputs": [[one.name, one.digest] for one in inputs]})


def _function_key(table: GoldTable, root: Path) -> dict[str, str]:
    dotted = table.function or ""
    find_function(dotted, root, place=PLACE)  # imported, so that its module counts
    return {"function": dotted, "code": code_digest(root)}


def _make(
    name: str,
    section: Understand,
    inputs: tuple[Input, ...],
    key: str,
    *,
    root: Path,
    warehouse: Warehouse,
) -> Built:
    start = time.perf_counter()
    table = f"gold/{name}"
    note = json.dumps({"key": key, "made_of": [[o.table, o.version] for o in inputs]})
    query = query_of(name, section.tables[name], root)
    if query is None:
        given = {one.name: read_input(one, section, warehouse) for one in inputs}
        rows = _rows(name, section.tables[name], given, root=root, warehouse=warehouse)
        count = rows.num_rows
        version, fingerprint = warehouse.write(table, rows, note=note)
    else:
        with Engine(threads=1, reach=()) as engine:  # one thread: sums are always the same
            mapped = {one.name: map_input(one, section, warehouse, engine=engine) for one in inputs}
            made = _Stream(engine.asked(_text(query, mapped), mapped), name)
            version, fingerprint = warehouse.write(table, made.reader(), note=note)
        count = made.rows
    seconds = round(time.perf_counter() - start, 3)
    return Built(name, table, version, count, fingerprint, key, inputs, seconds, fresh=True)


class _Stream:
    """What a query makes, on its way into a table: counted, and refused if it is empty."""

    def __init__(self, made: pa.RecordBatchReader, name: str) -> None:
        storable_schema(made.schema, where=f"{PLACE}.{name}")
        self._made, self._name = made, name
        self.rows = 0

    def reader(self) -> pa.RecordBatchReader:
        import pyarrow as pa

        return pa.RecordBatchReader.from_batches(self._made.schema, self._counted())

    def _counted(self) -> Iterator[pa.RecordBatch]:
        for batch in self._made:
            self.rows += batch.num_rows
            yield batch
        if self.rows == 0:
            raise _empty(self._name)


def _rows(
    name: str, table: GoldTable, given: Mapping[str, pa.Table], *, root: Path, warehouse: Warehouse
) -> pa.Table:
    place = f"{PLACE}.{name}"
    query = query_of(name, table, root)
    if query is not None:
        made = queried(query, given, warehouse)
    else:
        dotted = table.function or ""
        frames = {one: rows.to_pandas(date_as_object=False) for one, rows in given.items()}
        function = find_function(dotted, root, place=place)
        result = call(function, (frames,), dotted=dotted, root=root, place=place)
        made = as_table(result, dotted=dotted, place=place)
    if made.num_rows == 0:
        raise _empty(name)
    return storable(made, where=place)


def _empty(name: str) -> Qua3ckError:
    return Qua3ckError(
        f"The table {name} is empty: 0 rows",
        where=f"{PLACE}.{name}",
        fix="look at the filters and joins of its query; an empty table never counts as made",
        code="U160",
    )


def _remembered(root: Path) -> dict[str, Built]:
    from pydantic import ValidationError

    try:
        kept = json.loads((root / STATE).read_bytes())
        return {name: from_json(Built, one) for name, one in kept.items()}
    except (FileNotFoundError, ValueError, AttributeError, ValidationError):
        return {}  # nothing usable is remembered: every table is simply made again


def _remember(root: Path, built: Mapping[str, Built]) -> None:
    facts = {name: {**as_json(one), "fresh": False} for name, one in built.items()}
    write_atomic(root / STATE, json.dumps(facts, indent=1).encode())
