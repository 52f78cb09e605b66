"""Time and groups that nobody declared: rows that know something about their neighbours.

Every test compares with what a shuffled table would show and asks for five standard
deviations, so that a hundred clean tables raise nothing.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from qua3ck.kit.findings import Finding
from qua3ck.understand.checks.view import View, ranks
from qua3ck.understand.columns import IDENTIFIER, looks_like_unit, numbers
from qua3ck.understand.records import Column

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

DEVIATIONS = 5.0
_LEAST_EFFECT = 0.05
_LEAST_ROWS = 60
_LEAST_OF_CLASS = 30
_SHUFFLES = 60
_LEAST_GROUPS = 10
_SAME = 0.95
_RICH = 0.6


def check_structure(view: View) -> Iterator[Finding]:
    """Yield undeclared time structure and undeclared groups."""
    if view.rows < _LEAST_ROWS:
        return
    if view.section.time is None:
        yield from _dates(view)
    undeclared = view.section.group is None and view.section.entity is None
    if undeclared and view.section.time is None:
        yield from _row_order(view)
    if undeclared:
        yield from _groups(view)


def likeness(
    truth: NDArray[Any], *, classes: int, seed: int, pairs: NDArray[np.bool_] | None = None
) -> tuple[float, float]:
    """Return how alike neighbouring rows are, and how many standard deviations beyond chance.

    Parameters
    ----------
    truth : array, shape (n_rows,)
        Class numbers or floats, in the order to be judged.
    classes : int
        0 for a regression.
    pairs : array of bool, shape (n_rows - 1,), optional
        Which neighbours count; all by default.

    Returns
    -------
    tuple of float
        Effect in [-1, 1] (agreement beyond chance, or correlation of ranks; 0 = chance) and
        its deviations from the mean over shuffled rows.
    """
    import numpy as np

    keep = np.ones(len(truth) - 1, dtype=bool) if pairs is None else pairs
    count = int(keep.sum())
    if count < _LEAST_OF_CLASS:
        return 0.0, 0.0
    if not classes:
        ranked = _scaled_ranks(truth)
        effect = float((ranked[:-1] * ranked[1:])[keep].mean())
        return effect, effect * float(np.sqrt(count))
    counts = np.bincount(truth, minlength=classes)
    if np.sort(counts)[-2] < _LEAST_OF_CLASS:
        return 0.0, 0.0
    random = np.random.default_rng(seed)
    chance = np.array([_equal(random.permutation(truth), keep) for _ in range(_SHUFFLES)])
    seen, usual, spread = _equal(truth, keep), chance.mean(), chance.std(ddof=1)
    effect = (seen - usual) / max(1 - usual, 1e-9)
    return float(effect), float((seen - usual) / spread) if spread else 0.0


def _dates(view: View) -> Iterator[Finding]:
    import numpy as np

    for column in view.columns:
        if column.role not in {"feature", "left_out"} or not _is_moment(column):
            continue
        if column.distinct < 3 or view.section.columns.get(column.name) == "ignore":
            continue
        # Equal moments in any order: a table sorted otherwise must not show through them.
        mixed = np.random.default_rng(view.seed).permutation(view.rows)
        order = mixed[np.argsort(numbers(view.train[column.name])[mixed], kind="stable")]
        effect, beyond = _likeness(view, order)
        follows = beyond >= DEVIATIONS and effect >= _LEAST_EFFECT
        says = (
            f"The target changes along {column.name}; a random split would let the model look "
            f"into the future. Declare time: {column.name}."
            if follows
            else f"{column.name} holds dates and no time is declared. If predictions are made "
            f"for later rows, declare time: {column.name}."
        )
        yield Finding(
            "U010",
            "warn" if follows else "inform",
            f"column {column.name}, {view.rows} training rows",
            says,
            {"column": column.name, "effect": round(effect, 3), "deviations": round(beyond, 1)},
        )


def _row_order(view: View) -> Iterator[Finding]:
    import numpy as np

    if _is_sorted(view):
        return
    effect, beyond = _likeness(view, np.arange(view.rows))
    if beyond < DEVIATIONS or effect < _LEAST_EFFECT:
        return
    yield Finding(
        "U010",
        "warn",
        f"row order, {view.rows} training rows",
        "Rows that follow each other have more similar targets than chance allows: they seem to "
        "be in time order or in groups. Declare time: or group:; a random split is too kind.",
        {"column": "", "effect": round(effect, 3), "deviations": round(beyond, 1)},
    )


def _likeness(view: View, order: NDArray[np.int64]) -> tuple[float, float]:
    return likeness(view.truth[order], classes=len(view.target.classes), seed=view.seed)


def _is_sorted(view: View) -> bool:
    """Whether the rows were sorted by the target or by a column of few values.

    Neighbours are then alike without any time: that is how textbook tables are stored.
    """
    import numpy as np

    truth = view.truth
    changes = int((truth[1:] != truth[:-1]).sum())
    if view.target.classes and changes < 3 * len(view.target.classes):
        return True
    if not view.target.classes and _monotone(np.asarray(truth, dtype=float)):
        return True
    return any(
        column.distinct < 0.5 * view.rows and _monotone(_codes(view, column))
        for column in view.features
        if column.distinct > 1 and column.kind != "text"
    )


def _monotone(values: NDArray[np.float64]) -> bool:
    import numpy as np

    steps = np.diff(values[~np.isnan(values)])
    if len(steps) == 0 or not steps.any():
        return False
    return bool((steps >= 0).mean() > 0.995 or (steps <= 0).mean() > 0.995)


def _groups(view: View) -> Iterator[Finding]:
    """Look for a column whose values name groups of rows that belong together."""
    import numpy as np

    codes = {
        column.name: _codes(view, column)
        for column in view.columns
        if column.role in {"feature", "sensitive"} and column.kind in {"number", "category"}
    }
    measured = {column.name for column in view.columns if column.type == "double"}
    unnamed: list[tuple[int, Finding]] = []
    same = {name: _chance_of_equal(values) for name, values in codes.items()}
    for column in view.features:
        if not _could_group(column, view.rows) or column.name not in codes:
            continue
        key = codes[column.name]
        order = np.argsort(key, kind="stable")
        pairs = key[order][1:] == key[order][:-1]
        fixed = [
            other
            for other, values in codes.items()
            if other != column.name
            and same[other] <= _RICH
            and _goes_along(values, order, pairs, measured=other in measured)
        ]
        classes = len(view.target.classes)
        truth = view.truth[order]
        effect, beyond = likeness(truth, classes=classes, seed=view.seed, pairs=pairs)
        alike = beyond >= DEVIATIONS and effect >= _LEAST_EFFECT
        named = looks_like_unit(column.name)
        if named:
            yield _grouped(view, column, effect, fixed, warn=alike or bool(fixed))
        elif alike and len(fixed) >= 2:
            unnamed.append((len(fixed), _grouped(view, column, effect, fixed, warn=True)))
    if unnamed:  # several columns of one group tell the same story: the fullest is enough
        yield max(unnamed, key=lambda found: found[0])[1]


def _could_group(column: Column, rows: int) -> bool:
    if column.kind not in {"number", "category"} or column.why == IDENTIFIER:
        return False
    repeats = rows / max(column.distinct, 1)
    if looks_like_unit(column.name):
        return column.distinct >= _LEAST_GROUPS and repeats >= 1.3
    return column.distinct >= 2 * _LEAST_GROUPS and 2 <= repeats <= 100


def _goes_along(
    values: NDArray[np.float64],
    order: NDArray[np.int64],
    pairs: NDArray[np.bool_],
    *,
    measured: bool,
) -> bool:
    """Whether a column is the same within groups without being another name of the group.

    A measurement (decimal numbers) names nothing, even if it differs between all groups.
    """
    sorted_values = values[order]
    equal = sorted_values[1:] == sorted_values[:-1]
    if not pairs.any() or equal[pairs].mean() < _SAME:
        return False
    groups = int((~pairs).sum()) + 1
    return measured or len(set(sorted_values.tolist())) < 0.9 * groups


def _grouped(view: View, column: Column, effect: float, fixed: list[str], *, warn: bool) -> Finding:
    alike = f"; {', '.join(fixed[:3])} are the same within each" if fixed else ""
    says = (
        f"{column.name} repeats: {column.distinct} values in {view.rows} rows{alike}. If its "
        f"rows belong together (one person, one place), declare group: {column.name}."
    )
    return Finding(
        "U011",
        "warn" if warn else "inform",
        f"column {column.name}, {view.rows} training rows",
        says,
        {
            "column": column.name,
            "distinct": column.distinct,
            "effect": round(effect, 3),
            "same_within": fixed[:5],
        },
    )


def _codes(view: View, column: Column) -> NDArray[np.float64]:
    """Return a column as numbers whose order is the values' order, -1 where empty."""
    import numpy as np

    if column.kind in {"number", "date", "bool"}:
        return np.nan_to_num(numbers(view.train[column.name]), nan=-1e300)
    coded = view.train[column.name].combine_chunks().dictionary_encode()
    names = np.array(coded.dictionary.to_pylist(), dtype=str)
    rank = np.empty(len(names))
    rank[np.argsort(names)] = np.arange(len(names))
    indices = coded.indices.fill_null(-1).to_numpy(zero_copy_only=False)
    return np.asarray(np.where(indices >= 0, rank[indices] if len(names) else -1.0, -1.0))


def _chance_of_equal(values: NDArray[np.float64]) -> float:
    import numpy as np

    counts = np.unique(values, return_counts=True)[1]
    return float(((counts / len(values)) ** 2).sum())


def _is_moment(column: Column) -> bool:
    if column.kind == "date":
        return True
    years = column.low is not None and column.low >= 1900 and (column.high or 0) <= 2100
    named = re.search(r"(^|[_\-. ])year$", column.name, re.IGNORECASE) is not None
    return column.kind == "number" and named and years


def _equal(truth: NDArray[Any], keep: NDArray[np.bool_]) -> float:
    return float((truth[1:] == truth[:-1])[keep].mean())


def _scaled_ranks(truth: NDArray[Any]) -> NDArray[np.float64]:
    """Return ranks scaled to mean 0 and variance 1."""
    import numpy as np

    ranked = ranks(truth)
    spread = ranked.std()
    return np.asarray((ranked - ranked.mean()) / (spread if spread else 1.0))
