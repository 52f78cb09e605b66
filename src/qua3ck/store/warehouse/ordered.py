"""Current rows in one order, as a stream, mostly without sorting.

The order is that of the declared key, else of pieces and their rows: so neither the history of
loads nor folding shows in it. Sorting ten million rows takes four times as long as reading
them; but a folded base lies on disk in order, and most first loads do. Then only the few rows
of the tail are sorted, and put in where they belong, one row group of the base at a time.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from qua3ck.store.warehouse.columns import GONE, KNOWN, PIECE, ROW
from qua3ck.store.warehouse.current import (
    Parts,
    again_sql,
    current_sql,
    latest_sql,
    with_meta,
)
from qua3ck.store.warehouse.engine import Engine, quoted
from qua3ck.store.warehouse.files import FOLDED, DataFile

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa
    from numpy.typing import NDArray

_FEW = 1_000_000  # rows of a tail that are held in memory
_MANY, _SMALL = 16, 5_000  # groups, and rows in one: so many small ones are sorted as quickly
_SHARE = 4  # a tail of more than a fourth of the base is sorted with it

Place = tuple[Any, ...]  # the values of the columns of the order, or of the first of them


@dataclass(frozen=True)
class _Group:
    """One row group of a base file.

    ``start`` is the position of its first row in the file; ``rises_by`` the column whose values
    must grow if its rows lie in order, None if they are known to.
    """

    file: DataFile
    number: int
    start: int
    rises_by: str | None


@dataclass(frozen=True)
class _Part:
    """The rows of one group, and which of them count."""

    rows: pa.RecordBatch
    alive: NDArray[np.bool_]
    rising: bool


def in_order(
    engine: Engine, parts: Parts, by: Sequence[str], columns: Sequence[str]
) -> Iterator[pa.RecordBatch]:
    """Yield the current rows by key, then piece, row and load, in bounded memory.

    Null comes last. Tables with none of these columns come in no order.
    """
    order = order_of(parts, by)
    came = sum(_FEW + 1 if file.rows is None else file.rows for file in parts.tail)
    base = sum(file.rows or 0 for file in parts.base)
    groups = _groups(parts, order)
    small = groups is not None and len(groups) > _MANY and base < len(groups) * _SMALL
    if groups is None or small or came > min(_FEW, base // _SHARE):
        yield from engine.stream(_sorted_sql(engine, parts, by, columns, order))
        return
    needed = with_meta([*columns, *order], parts)
    tail = None
    if came:
        sql = _tail_sql(engine, parts, by, needed, order)
        tail = engine.connection.sql(sql).to_arrow_table()
    for batch in _merged(_alive(engine, parts, by, needed, groups), tail, order):
        yield batch.select(columns)


def order_of(parts: Parts, by: Sequence[str]) -> list[str]:
    """Return the columns that the current rows of an identity are ordered by."""
    keys = [] if tuple(by) == (PIECE,) else [*by]
    about = [name for name in (PIECE, ROW, KNOWN) if name in parts.names]
    return list(dict.fromkeys([*keys, *about]))


def _sorted_sql(
    engine: Engine, parts: Parts, by: Sequence[str], columns: Sequence[str], order: Sequence[str]
) -> str:
    rows = current_sql(engine, parts, by, list(dict.fromkeys([*columns, *order])))
    return f"SELECT {_list(columns)} FROM ({rows})" + _order_by(order)


def _tail_sql(
    engine: Engine, parts: Parts, by: Sequence[str], columns: Sequence[str], order: Sequence[str]
) -> str:
    rows = latest_sql(engine, parts, by, list(dict.fromkeys([*columns, *by])))
    here = f" WHERE NOT {quoted(GONE)}" if GONE in parts.names else ""
    return f"SELECT {_list(columns)} FROM ({rows}){here}" + _order_by(order)


def _order_by(order: Sequence[str]) -> str:
    each = ", ".join(f"{quoted(name)} ASC NULLS LAST" for name in order)
    return f" ORDER BY {each}" if order else ""


def _list(columns: Sequence[str]) -> str:
    return ", ".join(map(quoted, columns))


# -- whether the base lies in order ---------------------------------------------------


def _groups(parts: Parts, order: Sequence[str]) -> list[_Group] | None:
    """Return the row groups of the base in order; None if they do not lie in order."""
    import pyarrow as pa

    kinds = [parts.schema.field(name).type for name in order]
    if not order or any(pa.types.is_floating(kind) for kind in kinds):
        return None  # what comes before or after a NaN is not said in any file
    if len(parts.base) == 1 and parts.base[0].name.startswith(FOLDED):
        return _numbered(parts.base[0], None)
    found = [_apart(file, order) for file in parts.base]
    ends = sorted((one for one in found if one is not None), key=lambda one: one[0])
    if len(ends) < len(found) or not all(_before(a[1], b[0]) for a, b in pairwise(ends)):
        return None
    return [group for *_, groups in ends for group in groups]


def _apart(file: DataFile, order: Sequence[str]) -> tuple[Place, Place, list[_Group]] | None:
    """Return the ends of a file whose row groups lie in order, and these; else None.

    Columns that have one value in the whole file do not count; of the next one, the values of
    each group must all come before those of the group after it.
    """
    import pyarrow.parquet as pq

    meta = pq.read_metadata(file.path)
    same: list[Any] = []
    for name in order:
        ends = [_ends(meta.row_group(number), name) for number in range(meta.num_row_groups)]
        if not ends or None in ends:
            return None
        known = [one for one in ends if one is not None]
        least, most = known[0][0], known[-1][1]
        if all(one == (least, least) for one in known):
            same.append(least)
            continue
        rising = all(one[1] < two[0] for one, two in pairwise(known))
        return ((*same, least), (*same, most), _numbered(file, name)) if rising else None
    return tuple(same), tuple(same), _numbered(file, None)


def _ends(group: Any, name: str) -> tuple[Any, Any] | None:
    """Return the smallest and largest value of a column in a row group without nulls."""
    for at in range(group.num_columns):
        column = group.column(at)
        said = column.statistics
        if column.path_in_schema == name and said is not None:
            complete = said.has_min_max and said.has_null_count and said.null_count == 0
            return (said.min, said.max) if complete else None
    return None


def _before(one: Place, other: Place) -> bool:
    """Return whether a place certainly comes before another, as far as both are known."""
    for mine, theirs in zip(one, other, strict=False):
        if mine != theirs:
            return bool(mine < theirs)
    return False


def _numbered(file: DataFile, rises_by: str | None) -> list[_Group]:
    import pyarrow.parquet as pq

    meta = pq.read_metadata(file.path)
    start, groups = 0, []
    for number in range(meta.num_row_groups):
        groups.append(_Group(file, number, start, rises_by))
        start += meta.row_group(number).num_rows
    return groups


# -- reading and merging ---------------------------------------------------------------


def _alive(
    engine: Engine,
    parts: Parts,
    by: Sequence[str],
    columns: Sequence[str],
    groups: Sequence[_Group],
) -> Iterator[_Part]:
    """Yield each group with the rows marked that did not come again and are not gone."""
    import numpy as np

    replaced: dict[str, NDArray[np.int64]] = {}
    for group, rows in _read_ahead(groups, parts, columns):
        name = group.file.name
        if name not in replaced:
            replaced = {name: _replaced(engine, group.file, parts, by)}
        low, high = np.searchsorted(replaced[name], [group.start, group.start + rows.num_rows])
        alive = np.ones(rows.num_rows, dtype=np.bool_)
        alive[replaced[name][low:high] - group.start] = False
        if GONE in parts.names:
            alive &= ~rows[GONE].fill_null(False).to_numpy(zero_copy_only=False)
        yield _Part(rows, alive, group.rises_by is None or _rises(rows[group.rises_by]))


def _merged(
    alive: Iterator[_Part], tail: pa.Table | None, order: Sequence[str]
) -> Iterator[pa.RecordBatch]:
    """Put the rows of the tail, which are in order, between those of the base."""
    import pyarrow as pa

    tail = None if tail is None else tail.combine_chunks()
    places = [] if tail is None else _Places(tail, order)
    done = 0
    for part in alive:
        rows, alive_rows = part.rows, part.alive
        if not part.rising:
            sorting = _sorting(rows, order)
            rows, alive_rows = rows.take(sorting), alive_rows[sorting.to_numpy()]
        last = _Places(rows, order)[rows.num_rows - 1]
        upto = bisect_right(places, last, lo=done)
        if tail is not None and upto > done:
            yield _between(rows, alive_rows, tail.slice(done, upto - done), order)
            done = upto
        else:
            yield rows if alive_rows.all() else rows.filter(pa.array(alive_rows))
    if tail is not None:
        yield from tail.slice(done).to_batches()


def _between(
    rows: pa.RecordBatch, alive: NDArray[np.bool_], tail: pa.Table, order: Sequence[str]
) -> pa.RecordBatch:
    """Merge two runs that each are in order; of the first, only the rows that are alive.

    All cells are copied once, whatever is left out and put in.
    """
    import numpy as np
    import pyarrow as pa

    came = tail.combine_chunks().to_batches()[0]
    kept = np.flatnonzero(alive)
    keys = rows.select(list(order))
    if len(kept) < rows.num_rows:
        keys = keys.filter(pa.array(alive))
    added = np.arange(came.num_rows, dtype=np.int64)
    new = _insertions(keys, came, order) + added
    old = np.ones(len(kept) + len(added), dtype=np.bool_)
    old[new] = False
    merged = np.empty(len(old), dtype=np.int64)
    merged[old], merged[new] = kept, rows.num_rows + added
    return pa.concat_batches([rows, came]).take(pa.array(merged))


def _insertions(
    rows: pa.RecordBatch, came: pa.RecordBatch, order: Sequence[str]
) -> NDArray[np.int64]:
    """Return, per row that came, before which of the rows it belongs.

    The first column of the order mostly decides; where it does not, the next one is looked at
    among the rows that are equal so far.
    """
    import numpy as np

    found = np.empty(came.num_rows, dtype=np.int64)
    open_runs = [(0, rows.num_rows, 0, came.num_rows, 0)]
    while open_runs:
        low, high, first, after, level = open_runs.pop()
        if level == len(order) or low == high:
            found[first:after] = high if level == len(order) else low
            continue
        old = rows[order[level]].slice(low, high - low)
        new = came[order[level]].slice(first, after - first)
        if old[0].equals(old[-1]) and new[0].equals(new[-1]) and old[0].equals(new[0]):
            open_runs.append((low, high, first, after, level + 1))  # one value in all of them
            continue
        left, right = _search(_comparable(old), _comparable(new))
        found[first:after] = low + left
        for start, end in _runs(left, right):
            spot = low + int(left[start]), low + int(right[start])
            open_runs.append((*spot, first + start, first + end, level + 1))
    return found


def _search(
    old: tuple[Any, int], new: tuple[Any, int]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return where equal values begin and end, nulls being equal and last."""
    import numpy as np

    (values, nulls), (wanted, missing) = old, new
    left = np.searchsorted(values, wanted, side="left")
    right = np.searchsorted(values, wanted, side="right")
    ends = np.full(missing, len(values), dtype=np.int64)
    return np.concatenate([left, ends]), np.concatenate([right, ends + nulls])


def _runs(left: NDArray[np.int64], right: NDArray[np.int64]) -> Iterator[tuple[int, int]]:
    """Yield the runs of rows that equal the same rows, some of them."""
    import numpy as np

    tied = np.flatnonzero(left < right)
    if not len(tied):
        return
    cuts = np.flatnonzero((np.diff(tied) > 1) | (np.diff(left[tied]) > 0)) + 1
    for run in np.split(tied, cuts):
        yield int(run[0]), int(run[-1]) + 1


def _comparable(column: pa.Array) -> tuple[Any, int]:
    """Return the values of a column in order as numpy compares them, and how many nulls follow."""
    import pyarrow as pa

    nulls = column.null_count
    kept = column.slice(0, len(column) - nulls) if nulls else column
    if pa.types.is_date32(kept.type):
        kept = kept.cast(pa.int32())
    elif pa.types.is_timestamp(kept.type):
        kept = kept.cast(pa.int64())
    return kept.to_numpy(zero_copy_only=False), nulls


def _rises(column: pa.Array) -> bool:
    values, nulls = _comparable(column)
    return not nulls and bool((values[1:] > values[:-1]).all())


def _sorting(rows: pa.RecordBatch, order: Sequence[str]) -> pa.Array:
    import pyarrow.compute as pc

    return pc.sort_indices(rows, [(name, "ascending") for name in order])


class _Places(Sequence[Place]):
    """Where rows belong, as Python compares it, null coming last; each is made when looked at."""

    def __init__(self, rows: pa.RecordBatch | pa.Table, order: Sequence[str]) -> None:
        self._columns = [rows[name] for name in order]
        self._count = int(rows.num_rows)

    def __len__(self) -> int:
        return self._count

    def __getitem__(self, at: Any) -> Any:
        values = [column[at].as_py() for column in self._columns]
        return tuple((value is None, value) for value in values)


def _read_ahead(
    groups: Sequence[_Group], parts: Parts, columns: Sequence[str]
) -> Iterator[tuple[_Group, pa.RecordBatch]]:
    """Yield groups that hold rows, each read while the one before is worked on."""
    from concurrent.futures import ThreadPoolExecutor

    with ThreadPoolExecutor(1) as reader:
        coming = [reader.submit(_read, group, parts, columns) for group in groups[:1]]
        for at, group in enumerate(groups):
            rows = coming.pop().result()
            coming += [
                reader.submit(_read, after, parts, columns) for after in groups[at + 1 : at + 2]
            ]
            if rows.num_rows:
                yield group, rows


def _replaced(engine: Engine, file: DataFile, parts: Parts, by: Sequence[str]) -> NDArray[np.int64]:
    """Return the positions in a base file of the rows that came again, in order."""
    import numpy as np

    if not parts.tail:
        return np.array([], dtype=np.int64)
    found = engine.connection.sql(again_sql(engine, file, parts, by)).to_arrow_table()
    positions: NDArray[np.int64] = found.column(0).to_numpy().astype(np.int64)
    return positions


def _read(group: _Group, parts: Parts, columns: Sequence[str]) -> pa.RecordBatch:
    """Return one row group in the table's types."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    with pq.ParquetFile(group.file.path) as file:
        there = [name for name in columns if name in file.schema_arrow.names]
        rows = file.read_row_group(group.number, columns=there)
    made = []
    for name in columns:
        kind = parts.schema.field(name).type
        if name in group.file.partition:
            value = pa.scalar(group.file.partition[name], pa.string()).cast(kind)
            made.append(pa.repeat(value, rows.num_rows))
        elif name in there:
            column = rows[name].combine_chunks()
            made.append(column if column.type == kind else column.cast(kind))
        else:
            made.append(pa.nulls(rows.num_rows, kind))
    fields = [parts.schema.field(name) for name in columns]
    return pa.RecordBatch.from_arrays(made, schema=pa.schema(fields))
