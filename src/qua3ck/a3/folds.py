"""Which training rows check which: validation folds that follow the declared split.

A validation figure is honest only if the rows that check are as far from the rows that
train as the sealed rows will be: other groups where groups were declared, later moments
where time was, and never an identical row.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from qua3ck.kit.errors import Qua3ckError

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    from numpy.typing import NDArray

    from qua3ck.understand.records import Snapshot


@dataclass(frozen=True)
class Fold:
    """Positions of the rows that train and of the rows that check; never the same ones."""

    train: NDArray[np.intp]
    check: NDArray[np.intp]


def make_folds(
    snapshot: Snapshot, rows: pd.DataFrame, *, count: int, seed: int
) -> tuple[Fold, ...]:
    """Return the validation folds of a snapshot's training rows.

    Parameters
    ----------
    snapshot : Snapshot
        ``order`` decides: stratified, grouped by ``cluster``, or forward in ``time``.
    rows : pandas.DataFrame
        The training rows.
    count : int
        Folds wanted; fewer come back where there are fewer groups or moments.
    seed : int
        Seeds the shuffle; folds forward in time need none.

    Returns
    -------
    tuple of Fold
        At least one. Forward folds check later rows than they train on, moments kept
        together; rows of the first block are never checked. Where ``cluster`` is declared
        beside time, rows of groups that are checked do not train.

    Raises
    ------
    Qua3ckError
        If there is only one group, or only one moment, or no fold can train on two classes.
    """
    if snapshot.order == "time":
        folds = _forward(snapshot, rows, count=count)
    else:
        folds = _shuffled(snapshot, rows, unit=units(snapshot, rows), count=count, seed=seed)
    usable = tuple(fold for fold in folds if _can_train(snapshot, rows, fold))
    if usable:
        return usable
    raise Qua3ckError(
        "No validation fold has training rows of two classes",
        where=f"a3, {len(rows)} training rows, order: {snapshot.order}",
        fix="load more rows of the rarer class, or of earlier moments or more groups",
        code="A010",
    )


def random_folds(
    snapshot: Snapshot, rows: pd.DataFrame, *, count: int, seed: int
) -> tuple[Fold, ...]:
    """Return folds that ignore time and groups: the optimistic split, shown but not used."""
    import numpy as np

    return tuple(
        fold
        for fold in _shuffled(snapshot, rows, unit=np.arange(len(rows)), count=count, seed=seed)
        if _can_train(snapshot, rows, fold)
    )


def units(snapshot: Snapshot, rows: pd.DataFrame) -> NDArray[np.intp]:
    """Return for every row the number of the unit that must stay on one side.

    The unit is the declared group or entity, else the row's content without its target: rows
    that say the same never check each other.
    """
    import pandas as pd

    if snapshot.cluster and snapshot.cluster in rows.columns:
        codes, _found = pd.factorize(rows[snapshot.cluster], use_na_sentinel=False)
        return codes.astype("intp")
    told = [column.name for column in snapshot.columns if column.role != "target"]
    content = rows[[name for name in told if name in rows.columns]]
    hashed = pd.util.hash_pandas_object(content, index=False)
    codes, _found = pd.factorize(hashed)
    return codes.astype("intp")


def thin(folds: tuple[Fold, ...], *, rows: int, seed: int, forward: bool) -> tuple[Fold, ...]:
    """Return folds cut to about ``rows`` rows in all, so that a trial stays affordable.

    The latest training rows are kept where time decides, else rows drawn at random; both
    stay within their fold, so no row changes sides.
    """
    import numpy as np

    rng = np.random.default_rng(seed)
    made = []
    for fold in folds:
        total = len(fold.train) + len(fold.check)
        share = min(1.0, rows / total)
        train, check = (int(np.ceil(len(part) * share)) for part in (fold.train, fold.check))
        made.append(
            Fold(
                fold.train[-train:] if forward else _drawn(fold.train, train, rng),
                _drawn(fold.check, check, rng),
            )
        )
    return tuple(made)


def _drawn(positions: NDArray[np.intp], count: int, rng: np.random.Generator) -> NDArray[np.intp]:
    import numpy as np

    if count >= len(positions):
        return positions
    picked: NDArray[np.intp] = positions[np.sort(rng.permutation(len(positions))[:count])]
    return picked


def _shuffled(
    snapshot: Snapshot, rows: pd.DataFrame, *, unit: NDArray[np.intp], count: int, seed: int
) -> list[Fold]:
    import numpy as np

    distinct = int(unit.max()) + 1 if len(unit) else 0
    if distinct < 2:
        raise Qua3ckError(
            f"There is only {distinct} group among the training rows; no other is left to check",
            where=f"a3, column {snapshot.cluster or snapshot.target}",
            fix="load rows of more groups, or declare another group column",
            code="A010",
        )
    at = _assign(unit, _stratum(snapshot, rows, unit, distinct), min(count, distinct), seed)
    where = [np.flatnonzero(at == fold) for fold in range(min(count, distinct))]
    return [Fold(np.flatnonzero(at != fold), check) for fold, check in enumerate(where)]


def _stratum(
    snapshot: Snapshot, rows: pd.DataFrame, unit: NDArray[np.intp], distinct: int
) -> NDArray[np.intp]:
    """Return each unit's rarest class, so that rare classes are spread first."""
    import numpy as np
    import pandas as pd

    if snapshot.task == "regression":
        return np.zeros(distinct, dtype=np.intp)
    codes, _found = pd.factorize(rows[snapshot.target].astype(str), sort=True)
    counts = np.bincount(codes)
    rank = np.empty(len(counts), dtype=np.intp)
    rank[np.argsort(counts, kind="stable")] = np.arange(len(counts))
    rarest = np.full(distinct, len(counts), dtype=np.intp)
    np.minimum.at(rarest, unit, rank[codes])
    return rarest


def _assign(
    unit: NDArray[np.intp], stratum: NDArray[np.intp], count: int, seed: int
) -> NDArray[np.intp]:
    """Return the fold of every row: within a stratum, large units first, to the emptiest fold."""
    import numpy as np

    sizes = np.bincount(unit, minlength=len(stratum))
    shuffled = np.random.default_rng(seed).permutation(len(stratum))
    order = shuffled[np.lexsort((-sizes[shuffled], stratum[shuffled]))]
    total = [0] * count
    chosen = np.empty(len(stratum), dtype=np.intp)
    before, within = -1, [0] * count
    for one in order:
        if stratum[one] != before:
            before, within = int(stratum[one]), [0] * count
        to = min(range(count), key=lambda fold: (within[fold], total[fold], fold))
        chosen[one] = to
        within[to] += int(sizes[one])
        total[to] += int(sizes[one])
    return chosen[unit]


def _forward(snapshot: Snapshot, rows: pd.DataFrame, *, count: int) -> list[Fold]:
    import numpy as np

    moment = moments(snapshot, rows)
    order = np.argsort(moment, kind="stable")
    ordered = moment[order]
    wanted = [round(len(order) * part / (count + 1)) for part in range(1, count + 1)]
    starts = sorted({_block_start(ordered, at) for at in wanted} - {0, len(order)})
    if not starts:
        raise Qua3ckError(
            "All training rows have the same moment; nothing is later to check with",
            where=f"a3, column {snapshot.time}",
            fix="load rows of more moments, or do not declare time",
            code="A010",
        )
    ends = [*starts[1:], len(order)]
    found = (Fold(order[:start], order[start:end]) for start, end in zip(starts, ends, strict=True))
    return list(_without_checked_groups(snapshot, rows, found))


def moments(snapshot: Snapshot, rows: pd.DataFrame) -> NDArray[np.int64]:
    """Return the rank of every row's moment, ties equal; a row without one comes first."""
    import numpy as np
    import pandas as pd

    codes, _found = pd.factorize(rows[snapshot.time], sort=True)
    return codes.astype(np.int64)


def _block_start(ordered: NDArray[np.int64], near: int) -> int:
    """Return where the moment at position ``near`` begins, so that ties stay together."""
    import numpy as np

    return int(np.searchsorted(ordered, ordered[min(near, len(ordered) - 1)], side="left"))


def _without_checked_groups(
    snapshot: Snapshot, rows: pd.DataFrame, folds: Iterator[Fold]
) -> Iterator[Fold]:
    import numpy as np

    for fold in folds:
        if not snapshot.cluster or snapshot.cluster not in rows.columns:
            yield fold
            continue
        group = rows[snapshot.cluster].to_numpy()
        kept = fold.train[~np.isin(group[fold.train], group[fold.check])]
        yield Fold(kept, fold.check)


def _can_train(snapshot: Snapshot, rows: pd.DataFrame, fold: Fold) -> bool:
    if len(fold.train) == 0 or len(fold.check) == 0:
        return False
    if snapshot.task == "regression":
        return len(fold.train) > 1
    target = rows[snapshot.target].iloc[fold.train]
    return bool((target != target.iloc[0]).any())
