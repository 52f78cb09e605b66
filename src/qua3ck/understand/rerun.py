"""Whether the training function lets the test rows' targets into the training rows.

The function is run again in a fresh process on sources in which only the test rows' targets
were changed. If its training rows differ in one byte, it has used them: a mean over all rows,
an encoding of categories by their targets, a value from the future.

Every test row gets another value that occurs, so that also a single neighbour's target shows,
and counts and means change: a mere permutation would leave the mean over all rows as it was.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from qua3ck.kit.findings import Finding
from qua3ck.understand.behind import Behind
from qua3ck.understand.membership import Membership
from qua3ck.understand.rowkeys import row_texts
from qua3ck.understand.section import Understand
from qua3ck.understand.split import before, unit_digests

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa
    from numpy.typing import NDArray

    from qua3ck.understand.gold.query import Origin

THROUGH = "through gold tables"
_ENOUGH = 0.5  # of the test rows must be found in the sources for the answer to count
_LEAST_DISTINCT = 2
_FEW = 20
_DRAWS = 20


@dataclass(frozen=True)
class Traced:
    """Where test rows come from in one source: row positions, and the column of the target."""

    source: str
    column: str
    positions: tuple[int, ...]
    by: str


def trace(
    tables: Mapping[str, pa.Table],
    made: pa.Table,
    test: NDArray[np.bool_],
    section: Understand,
    membership: Membership,
    *,
    key: bytes,
) -> tuple[Traced, ...]:
    """Return for each source that holds the target which of its rows became test rows.

    Parameters
    ----------
    tables : mapping
        The sources.
    made : pyarrow.Table
        The training table, all rows.
    test : array of bool, shape (n_rows,)
        Its test rows.
    """
    found = []
    for name, source in tables.items():
        traced = _trace_one(name, source, made, test, section, membership=membership, key=key)
        if traced is not None:
            found.append(traced)
    return tuple(found)


def trace_behind(
    tables: Mapping[str, pa.Table],
    made: pa.Table,
    test: NDArray[np.bool_],
    section: Understand,
    membership: Membership,
    behind: Mapping[str, Behind],
    *,
    key: bytes,
) -> tuple[Traced, ...]:
    """Return what :func:`trace` does where gold tables stand between sources and training table.

    Of the source columns that the target comes from, those are taken that do not also decide
    on which side of the split a row is.

    Parameters
    ----------
    behind : mapping
        Column of the training table to what is behind it; see :func:`columns_behind`.
    """
    import numpy as np

    _, _, column = membership.unit.partition(":")
    deciding = [column] if column else [c for c in membership.columns if c != section.target]
    fixed = {one for name in deciding for one in _columns(behind, name)}
    found = []
    for name, source in tables.items():
        targets = [one for one in _columns(behind, section.target) - fixed if one.table == name]
        if not targets:
            continue
        view = _as_made(name, source, made, behind, [*deciding, *made.column_names])
        rows = _test_rows(view, made, test, section, membership=membership, key=key)
        if rows is None or not rows[0].any():
            continue
        positions = tuple(np.flatnonzero(rows[0]).tolist())
        found += [
            Traced(name, one.column, positions, f"{rows[1]}, {THROUGH}")
            for one in sorted(targets, key=lambda one: one.column)
        ]
    return tuple(found)


def _columns(behind: Mapping[str, Behind], name: str) -> frozenset[Origin]:
    return behind[name].columns if name in behind else frozenset()


def _as_made(
    name: str,
    source: pa.Table,
    made: pa.Table,
    behind: Mapping[str, Behind],
    wanted: Sequence[str],
) -> pa.Table:
    """Return the columns of a source that were passed on, under the training table's names."""
    import pyarrow as pa

    taken: dict[str, str] = {}
    for column in dict.fromkeys(wanted):
        origins = _columns(behind, column)
        for origin in origins if len(origins) == 1 else ():
            one = origin.table == name and origin.column not in taken.values()
            alike = pa.table({column: source[origin.column]}) if one else None
            if alike is not None and _shared_columns(alike, made, ""):
                taken[column] = origin.column
    return pa.table({column: source[own] for column, own in taken.items()})


def enough(traced: Sequence[Traced], tests: int) -> bool:
    """Whether so many test rows were found in the sources that the answer counts."""
    return any(len(one.positions) >= max(1, _ENOUGH * tests) for one in traced)


def redraw(
    tables: Mapping[str, pa.Table], traced: Sequence[Traced], *, seed: int
) -> dict[str, pa.Table]:
    """Return the sources with other targets in the traced rows; everything else as it was."""
    changed = dict(tables)
    for one in traced:
        source = changed[one.source]
        at = source.column_names.index(one.column)
        column = _redrawn(source[one.column].combine_chunks(), one.positions, seed)
        changed[one.source] = source.set_column(at, one.column, column)
    return changed


def training_side(
    made: pa.Table, section: Understand, membership: Membership, *, key: bytes
) -> pa.Table:
    """Return the rows of a training table that the first split put on the training side."""
    import numpy as np

    if section.time:
        early = before(membership.cutoff, made, section.time)
        if section.group:
            groups = row_texts(made, [section.group]).to_numpy(zero_copy_only=False)
            early &= ~np.isin(groups, np.unique(groups[~early]))
        return made.filter(early)
    digests = unit_digests(made, membership.unit, membership.columns, key=key)
    return made.filter(membership.sides(digests)[1])


def leak_finding(function: str, *, same: bool, repeats: bool, changed: int) -> Finding | None:
    """Return what the second run says; None if nothing leaks.

    Parameters
    ----------
    same : bool
        Whether the training rows were byte-identical with other test targets.
    repeats : bool
        Whether they are when nothing was changed.
    changed : int
        How many test rows had another target.
    """
    if same:
        return None
    if not repeats:
        return Finding(
            "U015",
            "block",
            f"understand.training, {function}",
            f"{function} gives other training rows each time, on the same sources: nothing can "
            "be reproduced or checked for leaks. Set a seed, and sort what comes from a set.",
            {"function": function},
        )
    return Finding(
        "U014",
        "block",
        f"understand.training, {function}",
        f"{function} lets the targets of test rows into the training rows: with {changed} of "
        "them changed, the training rows changed. Compute means, encodings and lags from "
        "earlier or training rows only.",
        {"function": function, "changed": changed},
    )


def not_applicable(function: str, why: str) -> Finding:
    """Return the answer that the question could not be asked; it never counts as passed."""
    return Finding(
        "U023",
        "warn",
        f"understand.training, {function}",
        f"Whether {function} leaks test targets could not be tested: {why}.",
        {"function": function, "why": why},
    )


def _trace_one(
    name: str,
    source: pa.Table,
    made: pa.Table,
    test: NDArray[np.bool_],
    section: Understand,
    *,
    membership: Membership,
    key: bytes,
) -> Traced | None:
    import numpy as np

    rows = _test_rows(source, made, test, section, membership=membership, key=key)
    where = _target_column(source, made, section.target)
    if rows is None or where is None or not rows[0].any():
        return None
    return Traced(name, where, tuple(np.flatnonzero(rows[0]).tolist()), rows[1])


def _test_rows(
    source: pa.Table,
    made: pa.Table,
    test: NDArray[np.bool_],
    section: Understand,
    *,
    membership: Membership,
    key: bytes,
) -> tuple[NDArray[np.bool_], str] | None:
    """Return which rows of a source became test rows, and by what they were found."""
    kind, _, column = membership.unit.partition(":")
    if kind == "time" and column in source.column_names:
        here = ~before(membership.cutoff, source, column)
        by = f"time {column}"
    elif kind in {"group", "entity"} and column in source.column_names:
        digests = unit_digests(source, membership.unit, membership.columns, key=key)
        here, _ = membership.sides(digests)
        by = f"{kind} {column}"
    else:
        shared = _shared_columns(source, made, section.target)
        if not shared:
            return None
        if section.target in membership.columns and section.target in source.column_names:
            shared = [*shared, section.target]
        here = _by_content(source, made, test, shared)
        by = f"content of {len(shared)} columns"
    return here, by


def _shared_columns(source: pa.Table, made: pa.Table, target: str) -> list[str]:
    """Return the columns that the function passed on unchanged."""
    import pyarrow.compute as pc

    both = [c for c in made.column_names if c in source.column_names and c != target]
    kept = []
    for name in both:
        texts = row_texts(made, [name])
        known = pc.is_in(texts, value_set=row_texts(source, [name]).unique())
        if known.true_count >= 0.999 * len(texts):
            kept.append(name)
    return kept


def _by_content(
    source: pa.Table, made: pa.Table, test: NDArray[np.bool_], shared: Sequence[str]
) -> NDArray[np.bool_]:
    """Return which source rows look like test rows and like no training row."""
    import numpy as np
    import pyarrow.compute as pc

    texts = row_texts(made, shared)
    own = row_texts(source, shared)
    tests, trains = texts.filter(test).unique(), texts.filter(~test).unique()
    found = pc.and_not(pc.is_in(own, value_set=tests), pc.is_in(own, value_set=trains))
    return np.asarray(found.to_numpy(zero_copy_only=False), dtype=bool)


def _target_column(source: pa.Table, made: pa.Table, target: str) -> str | None:
    """Return the source column that the target comes from.

    The one of its name; else a column that is not passed on and that settles the target
    wherever rows can be matched by what was passed on.
    """
    if target in source.column_names:
        return target
    shared = _shared_columns(source, made, target)
    if not shared:
        return None
    rows = _matched(source, made, shared)
    if rows is None:
        return None
    for name in source.column_names:
        if name not in made.column_names and _settles(rows[0][name], rows[1][target]):
            return str(name)
    return None


def _matched(
    source: pa.Table, made: pa.Table, shared: Sequence[str]
) -> tuple[pa.Table, pa.Table] | None:
    """Return source and training rows, pairwise, where the shared columns name one row."""
    import numpy as np
    import pyarrow as pa
    import pyarrow.compute as pc

    here, there = row_texts(source, shared), row_texts(made, shared)
    once = [_single(here), _single(there)]
    texts = here.filter(once[0])
    at = pc.index_in(there.filter(once[1]), value_set=texts)
    known = at.is_valid().to_numpy(zero_copy_only=False)
    if known.sum() < 10:
        return None
    left = np.flatnonzero(once[0])[at.drop_null().to_numpy(zero_copy_only=False)]
    right = np.flatnonzero(once[1])[known]
    return source.take(pa.array(left)), made.take(pa.array(right))


def _single(texts: pa.Array) -> NDArray[np.bool_]:
    import numpy as np

    coded = texts.dictionary_encode().indices.to_numpy(zero_copy_only=False)
    return np.asarray(np.bincount(coded)[coded] == 1, dtype=bool)


def _settles(values: pa.ChunkedArray, target: pa.ChunkedArray) -> bool:
    import pyarrow as pa
    import pyarrow.compute as pc

    pair = pa.table({"value": values, "target": target})
    alone = int(pc.count_distinct(row_texts(pair, ["value"])).as_py())
    both = int(pc.count_distinct(row_texts(pair, ["value", "target"])).as_py())
    outcomes = int(pc.count_distinct(row_texts(pair, ["target"])).as_py())
    few = alone <= 0.5 * len(values) or outcomes > 0.5 * len(values)
    return alone == both and alone >= _LEAST_DISTINCT and few


def _redrawn(column: pa.Array, positions: Sequence[int], seed: int) -> pa.Array:
    import numpy as np
    import pyarrow as pa

    random = np.random.default_rng(seed)
    coded = column.dictionary_encode()
    codes = coded.indices.fill_null(-1).to_numpy(zero_copy_only=False).copy()
    at = np.array(positions, dtype=np.int64)
    at = at[codes[at] >= 0]
    if len(at) == 0:
        return column
    codes[at] = _others(codes[at], coded.dictionary, random)
    indices = pa.array(np.where(codes < 0, 0, codes), mask=codes < 0, type=pa.int32())
    return pa.DictionaryArray.from_arrays(indices, coded.dictionary).dictionary_decode()


def _others(codes: NDArray[Any], values: pa.Array, random: np.random.Generator) -> NDArray[Any]:
    """Return another value for every row, such that no count and no mean stays as it was.

    Quantities come from the upper end. Few values are exchanged for one another; where that
    cannot change the counts (two classes of equal size), one row keeps its own.
    """
    import numpy as np
    import pyarrow.compute as pc

    kinds = len(values)
    order = pc.array_sort_indices(values).to_numpy(zero_copy_only=False)
    if kinds > _FEW:
        upper = order[int(0.7 * kinds) :]
        drawn = random.choice(upper, len(codes))
        return np.asarray(np.where(drawn == codes, order[0], drawn))
    size = _sizes(values)
    for _ in range(_DRAWS):
        drawn = (codes + random.integers(1, kinds, len(codes))) % kinds
        if not np.isclose(size[drawn].sum(), size[codes].sum()):
            return np.asarray(drawn)
    drawn[len(codes) // 2] = codes[len(codes) // 2]
    return np.asarray(drawn)


def _sizes(values: pa.Array) -> NDArray[np.float64]:
    """Return numbers as they are; for other values numbers no two sums of which are alike."""
    import numpy as np
    import pyarrow as pa

    if pa.types.is_integer(values.type) or pa.types.is_floating(values.type):
        return np.asarray(values.to_numpy(zero_copy_only=False), dtype=np.float64)
    return np.asarray(np.sqrt(np.arange(2.0, len(values) + 2)))
