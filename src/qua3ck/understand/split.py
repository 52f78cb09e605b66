"""Which rows are sealed as test rows: by a keyed hash of the unit within strata, or by time.

The side of a unit depends on the project's key and the unit alone, so new and corrected data
never move a row. The share is exact the first time: in each stratum the lowest hashes are
taken until round(share * rows) rows are reached; later units fall by that stratum's cutoff.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal

from qua3ck.kit.errors import Qua3ckError, did_you_mean
from qua3ck.kit.findings import Finding
from qua3ck.understand.membership import Membership
from qua3ck.understand.records import Split
from qua3ck.understand.rowkeys import as_fraction, keyed_digests, row_texts
from qua3ck.understand.section import Understand
from qua3ck.understand.target import Target, class_texts

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa
    from numpy.typing import NDArray

_UNIT = "unit"
_COARSE, _LEAST_COARSE = 0.5, 50  # share of rows that differ; rows from which it is looked at


@dataclass(frozen=True)
class Sides:
    """The split of a table: masks of shape (n_rows,), what is to be kept, what was noticed."""

    test: NDArray[np.bool_]
    train: NDArray[np.bool_]
    split: Split
    membership: Membership
    findings: tuple[Finding, ...]


def split_rows(
    rows: pa.Table,
    section: Understand,
    target: Target,
    *,
    share: float,
    key: bytes,
    kept: Membership | None,
    sources: Collection[str] = (),
) -> Sides:
    """Tell test rows from training rows.

    Parameters
    ----------
    rows : pyarrow.Table
        The whole training table.
    section : Understand
        Declares ``time``, ``group`` or ``entity``; the first of them that is there decides.
    target : Target
        Its classes are the strata; a regression has one stratum.
    share : float, in (0, 1)
        Of the rows, to be sealed.
    key : bytes
        The project's, never changed.
    kept : Membership or None
        What the first split and all since have decided.
    sources : collection of str
        The sources' columns: where they suffice to tell rows apart, features that the training
        function adds or drops later move nothing.

    Raises
    ------
    Qua3ckError
        If a declared column is missing or has gaps, or one side would be empty.
    """
    for name in (section.time, section.group, section.entity):
        if name is not None:
            _require_filled(rows, name, section)
    unit = unit_of(section)
    moved = _redefined(kept, unit, share)
    columns = tuple(kept.columns if kept else content_columns(rows, target.name, sources))
    if kept is None or kept.unit != unit:
        kept = Membership(unit, share, columns)
    if section.time is not None:
        sides = _by_time(rows, section, kept)
    else:
        sides = _by_hash(rows, target, kept, key=key)
    if not sides.test.any() or not sides.train.any():
        if section.time and section.group and not sides.train.any():
            raise _nobody_left(section.group)
        raise _one_sided(rows.num_rows, share, unit)
    return replace(sides, findings=(*moved, *sides.findings))


def unit_of(section: Understand) -> str:
    """Return what is told apart: ``time:<c>``, ``group:<c>``, ``entity:<c>`` or ``content``."""
    if section.time:
        return f"time:{section.time}"
    if section.group:
        return f"group:{section.group}"
    return f"entity:{section.entity}" if section.entity else "content"


def unit_columns(unit: str, kept: Sequence[str]) -> list[str]:
    """Return the columns whose values make a unit; ``kept`` are those of ``content``."""
    kind, _, column = unit.partition(":")
    return list(kept) if kind == "content" else [column]


def unit_digests(
    rows: pa.Table, unit: str, columns: Sequence[str], *, key: bytes
) -> NDArray[np.bytes_]:
    """Return the keyed digest of each row's unit, shape (n_rows,).

    Raises
    ------
    Qua3ckError
        If a column that the first split rested on is gone.
    """
    wanted = unit_columns(unit, columns)
    gone = [name for name in wanted if name not in rows.column_names]
    if gone:
        raise Qua3ckError(
            f'The column "{gone[0]}" has vanished from the training table; which rows are '
            "sealed was decided with it",
            where="understand.training",
            fix=f'bring the column back; to keep it from the model write columns: {{"{gone[0]}": '
            "ignore}; or declare entity:, so that rows are told apart by that",
            code="U104",
        )
    return keyed_digests(row_texts(rows, wanted), key=key, purpose=f"{_UNIT}:{unit}")


def row_digests(
    rows: pa.Table, section: Understand, membership: Membership, *, key: bytes
) -> dict[str, list[str]]:
    """Return the keyed digests (hex) under which openings of each row are counted.

    ``content``: the row without its target. ``entity``: its entity (and moment), where one is
    declared. Both, so that declaring an entity later does not make opened rows look new.
    """
    named = {"content": [c for c in membership.columns if c in rows.column_names]}
    if section.entity:
        named["entity"] = [section.entity, *([section.time] if section.time else [])]
    return {
        kind: [
            digest.decode()
            for digest in keyed_digests(row_texts(rows, columns), key=key, purpose=f"row:{kind}")
        ]
        for kind, columns in named.items()
        if columns
    }


def content_columns(rows: pa.Table, target: str, sources: Collection[str]) -> list[str]:
    """Return the columns that make a row's content: all but the target and row numbers.

    Those that the sources have are enough if they tell rows apart nearly as well as all do.
    Where most rows repeat, and only the target tells them apart (a quantity measured for few
    kinds of things), it belongs to the content.
    """
    import pyarrow.compute as pc

    named = [name for name in sorted(rows.column_names) if name != target]
    own = [name for name in named if not is_row_number(rows[name])] or named

    def told_apart(columns: list[str]) -> int:
        return int(pc.count_distinct(row_texts(rows, columns)).as_py())

    different = told_apart(own)
    given = [name for name in own if name in sources]
    if given and given != own and told_apart(given) >= 0.99 * different:
        own = given
    coarse = rows.num_rows >= _LEAST_COARSE and different < _COARSE * rows.num_rows
    if coarse and told_apart([*own, target]) >= _COARSE * rows.num_rows:
        return [*own, target]
    return own


def is_row_number(column: pa.ChunkedArray) -> bool:
    """Whether a column only counts the rows; with it, no two rows would be identical."""
    import pyarrow as pa
    import pyarrow.compute as pc

    rows = len(column)
    if rows < 3 or not pa.types.is_integer(column.type) or column.null_count:
        return False
    ends = pc.min_max(column)
    span = int(ends["max"].as_py()) - int(ends["min"].as_py()) + 1
    return bool(span == rows and pc.count_distinct(column).as_py() == rows)


def times(rows: pa.Table, name: str) -> NDArray[Any]:
    """Return a time column as numbers that sort: microseconds since 1970, or its own numbers.

    Raises
    ------
    Qua3ckError
        If it is neither date, timestamp, number, nor ISO 8601 text.
    """
    import numpy as np
    import pyarrow as pa

    column = rows[name].combine_chunks()
    if pa.types.is_integer(column.type) or pa.types.is_floating(column.type):
        return np.asarray(column.to_numpy(zero_copy_only=False))
    zone = getattr(column.type, "tz", None)
    try:
        moments = column.cast(pa.timestamp("us", zone))
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError):
        raise Qua3ckError(
            f'The time column "{name}" is {column.type} and cannot be read as moments',
            where="understand.time",
            fix="write it as 2024-03-01 or 2024-03-01T10:00, or declare types: for the source",
            code="U105",
        ) from None
    return np.asarray(moments.view(pa.int64()).to_numpy(zero_copy_only=False))


def as_cutoff(value: Any, rows: pa.Table, name: str) -> str:
    """Return a moment in the form it is kept: ISO 8601, or the number."""
    import numpy as np
    import pyarrow as pa

    kind = rows[name].type
    if pa.types.is_integer(kind) or pa.types.is_floating(kind):
        return repr(value.item())
    return str(np.datetime64(int(value), "us"))


def before(cutoff: str, rows: pa.Table, name: str) -> NDArray[np.bool_]:
    """Return for each row whether it lies before the cutoff, shape (n_rows,)."""
    import numpy as np
    import pyarrow as pa

    kind = rows[name].type
    moments = times(rows, name)
    if pa.types.is_integer(kind) or pa.types.is_floating(kind):
        limit: Any = float(cutoff)
    else:
        limit = np.datetime64(cutoff, "us").astype(np.int64)
    return np.asarray(moments < limit, dtype=bool)


def _by_time(rows: pa.Table, section: Understand, kept: Membership) -> Sides:
    import numpy as np

    name = section.time or ""
    cutoff = kept.cutoff or as_cutoff(_cut(times(rows, name), kept.share), rows, name)
    early = before(cutoff, rows, name)
    test = ~early
    train = early
    findings: tuple[Finding, ...] = ()
    if section.group and test.any():
        train, findings = _without_later_groups(rows, section.group, test)
    split = Split(
        method="time",
        unit=f"time:{name}",
        share=kept.share,
        rows_train=int(train.sum()),
        rows_test=int(test.sum()),
        left_out=int((~test & ~train).sum()),
        cutoff=cutoff,
    )
    return Sides(test, np.asarray(train), split, replace(kept, cutoff=cutoff), findings)


def _cut(moments: NDArray[Any], share: float) -> Any:
    """Return the distinct moment at which the share of later rows comes nearest to ``share``."""
    import numpy as np

    values, first = np.unique(np.sort(moments), return_index=True)
    later = 1 - first / len(moments)
    order = np.argsort(np.abs(later[1:] - share), kind="stable")
    if len(order) == 0:
        raise Qua3ckError(
            "The time column has one value only, so nothing is later than anything",
            where="understand.time",
            fix="declare another column as time:, or leave time: out",
            code="U105",
        )
    return values[1:][order[0]]


def _without_later_groups(
    rows: pa.Table, group: str, test: NDArray[np.bool_]
) -> tuple[NDArray[np.bool_], tuple[Finding, ...]]:
    """Leave out training rows whose group goes on after the cutoff."""
    import numpy as np

    codes = row_texts(rows, [group]).dictionary_encode().indices.to_numpy(zero_copy_only=False)
    later = np.zeros(codes.max() + 1, dtype=bool)
    later[codes[test]] = True
    train = ~test & ~later[codes]
    gone = int((~test & ~train).sum())
    if not gone:
        return train, ()
    before_cutoff = int((~test).sum())
    found = Finding(
        "U020",
        "warn" if gone > 0.2 * before_cutoff else "inform",
        f"column {group}, {gone} of {before_cutoff} rows before the cutoff",
        f"{gone} training rows were left out because their group also has test rows.",
        {"rows": gone, "of": before_cutoff},
    )
    return train, (found,)


def _by_hash(rows: pa.Table, target: Target, kept: Membership, *, key: bytes) -> Sides:
    import numpy as np

    unit = kept.unit
    digests = unit_digests(rows, unit, kept.columns, key=key)
    units, position, sizes = np.unique(digests, return_inverse=True, return_counts=True)
    strata = _strata(rows, target, position, len(units))
    cutoffs = kept.cutoffs
    if cutoffs:
        chosen = _by_cutoff(units, strata, kept)
    else:
        chosen, cutoffs = _first_choice(units, sizes, strata, kept.share, exact=unit == "content")
    test = chosen[position]
    membership = replace(
        kept,
        cutoffs=cutoffs,
        test=kept.test | frozenset(units[chosen].tolist()),
        train=kept.train | frozenset(units[~chosen].tolist()),
    )
    method: Literal["stratified", "random", "group"] = "stratified"
    if unit.startswith("group:"):
        method = "group"
    elif target.task == "regression":
        method = "random"
    split = Split(
        method=method,
        unit=unit,
        share=kept.share,
        rows_train=int((~test).sum()),
        rows_test=int(test.sum()),
    )
    findings = (*_no_entity(unit), *_coarse(kept, sizes, target.name))
    return Sides(test, ~test, split, membership, findings)


def _strata(
    rows: pa.Table, target: Target, position: NDArray[np.int64], count: int
) -> NDArray[np.str_]:
    """Return each unit's most frequent class, the first in order of text on a tie."""
    import numpy as np

    if target.task == "regression":
        return np.full(count, "all")
    coded = class_texts(rows[target.name]).dictionary_encode()
    names = np.array(coded.dictionary.to_pylist(), dtype=str)
    order = np.argsort(names)
    rank = np.empty(len(names), dtype=np.int64)
    rank[order] = np.arange(len(names))
    codes = rank[coded.indices.to_numpy(zero_copy_only=False)]
    seen = np.bincount(position * len(names) + codes, minlength=count * len(names))
    most: NDArray[np.str_] = names[order][seen.reshape(count, len(names)).argmax(axis=1)]
    return most


def _first_choice(
    units: NDArray[np.bytes_],
    sizes: NDArray[np.int64],
    strata: NDArray[np.str_],
    share: float,
    *,
    exact: bool,
) -> tuple[NDArray[np.bool_], Mapping[str, str]]:
    """Take the lowest hashes of each stratum until its share of rows is reached."""
    import numpy as np

    chosen = np.zeros(len(units), dtype=bool)
    fractions = as_fraction(units)
    cutoffs = {}
    for stratum in np.unique(strata):
        members = np.flatnonzero(strata == stratum)
        members = members[np.argsort(fractions[members], kind="stable")]
        wanted = round(share * int(sizes[members].sum()))
        taken = _take(sizes[members], wanted, exact=exact)
        chosen[members[taken]] = True
        last = float(fractions[members[taken]].max()) if taken.any() else 0.0
        cutoffs[str(stratum)] = repr(last)
    return chosen, cutoffs


def _take(sizes: NDArray[np.int64], wanted: int, *, exact: bool) -> NDArray[np.bool_]:
    """Return which units, in the order given, make up ``wanted`` rows as nearly as can be.

    ``exact`` passes over a unit that would not fit any more, such as a pair of duplicates;
    without it the first units are taken up to the nearest sum, so that large groups are not
    kept out of the test rows.
    """
    import numpy as np

    taken = np.zeros(len(sizes), dtype=bool)
    if not exact:
        sums = np.concatenate([[0], np.cumsum(sizes)])
        taken[: int(np.abs(sums - wanted).argmin())] = True
        return taken
    rows = 0
    for place, size in enumerate(sizes.tolist()):
        if rows + size <= wanted:
            taken[place] = True
            rows += size
        if rows == wanted:
            break
    return taken


def _by_cutoff(
    units: NDArray[np.bytes_], strata: NDArray[np.str_], kept: Membership
) -> NDArray[np.bool_]:
    """Keep known units where they are; let new ones fall by their stratum's cutoff."""
    import numpy as np

    test, train = kept.sides(units)
    limits = {stratum: float(limit) for stratum, limit in kept.cutoffs.items()}
    limit = np.array([limits.get(stratum) or kept.share for stratum in strata.tolist()])
    return np.asarray(np.where(test | train, test, as_fraction(units) <= limit), dtype=bool)


def _require_filled(rows: pa.Table, name: str, section: Understand) -> None:
    import numpy as np

    part = next(p for p in ("time", "group", "entity") if getattr(section, p) == name)
    if name not in rows.column_names:
        raise Qua3ckError(
            f'No column "{name}" in the training table{did_you_mean(name, rows.column_names)}',
            where=f"understand.{part}",
            fix=f"use one of: {', '.join(rows.column_names[:20])}",
            code="U105",
        )
    gaps = np.flatnonzero(rows[name].is_null().to_numpy())
    if len(gaps):
        shown = ", ".join(str(row + 1) for row in gaps[:5])
        raise Qua3ckError(
            f'The {part} column "{name}" is empty in {len(gaps)} of {rows.num_rows} rows: '
            f"rows {shown}{' ...' if len(gaps) > 5 else ''}",
            where=f"understand.{part}",
            fix=f"fill them in the training function, or leave these rows out there; "
            f"a row without {part} cannot be put on a side",
            code="U105",
        )


def _redefined(kept: Membership | None, unit: str, share: float) -> tuple[Finding, ...]:
    if kept is None or (kept.unit == unit and kept.share == share):
        return ()
    if kept.unit == unit:
        says = (
            f"The share of test rows stays at {kept.share}, as the first split decided; "
            f"{share} has no effect on rows that have a side."
        )
        return (Finding("U021", "inform", "conclude.test_share", says, {"kept": kept.share}),)
    says = (
        f"Rows were told apart by {kept.unit} and are now by {unit}: some have changed sides. "
        "Openings are still counted for every row that was opened before."
    )
    return (Finding("U021", "warn", unit, says, {"before": kept.unit, "now": unit}),)


def _no_entity(unit: str) -> tuple[Finding, ...]:
    if unit != "content":
        return ()
    says = (
        "No entity is declared: a row's side is decided by its content, so a later correction "
        "of a cell can move that row across the split. Declare entity: to prevent it."
    )
    return (Finding("U016", "inform", "understand.entity", says),)


def _coarse(kept: Membership, sizes: NDArray[np.int64], target: str) -> tuple[Finding, ...]:
    rows = int(sizes.sum())
    if kept.unit != "content":
        return ()
    where = f"training table, {rows} rows"
    if target in kept.columns:
        says = (
            "Most rows are told apart by the target alone, so it counts as part of their content: "
            "a corrected target can move a row. Declare entity: to prevent it."
        )
        return (Finding("U022", "inform", where, says, {"different": len(sizes), "rows": rows}),)
    if rows < _LEAST_COARSE or len(sizes) >= _COARSE * rows:
        return ()
    says = (
        f"Only {len(sizes)} different rows among {rows}: identical rows stay on one side, so "
        "the test rows hold a few whole patterns and no others. Declare entity: with a column "
        "that names each row, if rows are independent."
    )
    return (Finding("U022", "warn", where, says, {"different": len(sizes), "rows": rows}),)


def _nobody_left(group: str) -> Qua3ckError:
    return Qua3ckError(
        f'Every value of "{group}" also occurs at or after the cutoff in time, so no training '
        "row is left: a group is never on both sides",
        where="understand.time and understand.group",
        fix=f'drop group: if the same values of "{group}" will be predicted again later; '
        "drop time: if new ones will",
        code="U103",
    )


def _one_sided(rows: int, share: float, unit: str) -> Qua3ckError:
    return Qua3ckError(
        f"{rows} rows cannot be split by {unit} so that both sides have rows",
        where="understand",
        fix=f"bring more rows, declare a finer group, or raise conclude.test_share above {share}",
        code="U103",
    )
