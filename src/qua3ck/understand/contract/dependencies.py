"""Columns that fix each other, and the cells that contradict what the others fix.

Where rows with one brewery nearly always have one city, a brewery with another city in one row
of twelve is a suspect. Which columns fix which is found in the table itself, as an approximate
functional dependency: rows that share the first column agree in the second, beyond what
chance would give.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from qua3ck.understand.contract.cells import Cells

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

# "Almost perfect" agreement beyond chance: J. Landis & G. Koch (1977), Biometrics 33, 159-174.
LEAST_AGREEMENT = 0.8
_LEAST_GROUP = 3  # of two rows that differ nobody knows which is right
_LEAST_ROWS = 0.1
_MOST_DIFFERENT = 0.9
_FRACTION = re.compile(r"[-+]?\d*\.\d*[1-9]\d*")


@dataclass(frozen=True)
class Dependency:
    """One column that fixes another.

    Attributes
    ----------
    fixes, fixed : str
        The columns.
    agreement : float
        Share of rows that have their group's most common value, corrected for chance, up to 1.
    """

    fixes: str
    fixed: str
    agreement: float


def find_dependencies(columns: Sequence[Cells]) -> list[Dependency]:
    """Return the pairs of columns of which the first nearly fixes the second.

    Notes
    -----
    O(columns^2 * rows). Agreement is measured over groups of at least three rows and corrected
    for chance like Cohen's kappa: (seen - expected) / (1 - expected), where expected is what
    the second column shows when it is shuffled. Without that every column would fix one that
    is nearly constant.
    """
    measured = {cells.name for cells in columns if _is_measured(cells)}
    found = []
    for one in columns:
        groups = _groups(one)
        if groups is None:
            continue
        for other in columns:
            if other is not one and len(other.values) > 1 and other.name not in measured:
                agreement = _agreement(groups, other)
                if agreement >= LEAST_AGREEMENT:
                    found.append(Dependency(one.name, other.name, round(agreement, 4)))
    return found


def contradictions(
    columns: Sequence[Cells], dependencies: Sequence[Dependency]
) -> dict[str, NDArray[np.bool_]]:
    """Return by column the rows in which most columns that fix it say something else.

    Each dependency has one vote where the row's group has a clear majority. A cell is suspect
    if more votes are against it than for it; so a mistyped key does not make all other cells
    of its row suspect.
    """
    import numpy as np

    named = {cells.name: cells for cells in columns}
    votes: dict[str, NDArray[np.int64]] = {}
    for each in dependencies:
        groups = _groups(named[each.fixes])
        other = named[each.fixed]
        if groups is None:
            continue
        usual, sure = _majority(groups, other)
        against = sure & (other.codes != usual)
        agreeing = sure & (other.codes == usual)
        vote = votes.setdefault(each.fixed, np.zeros(other.rows, dtype=np.int64))
        vote += against.astype(np.int64) - agreeing.astype(np.int64)
    return {name: (vote > 0) & (named[name].codes >= 0) for name, vote in votes.items()}


def _is_measured(cells: Cells) -> bool:
    """Whether most values are numbers with a fraction: a measurement is fixed by nothing."""
    fractions = sum(_FRACTION.fullmatch(value) is not None for value in cells.values)
    return 2 * fractions > len(cells.values)


def _groups(cells: Cells) -> NDArray[np.int64] | None:
    """Return the group of each row, -1 where it has none or too few companions."""
    import numpy as np

    if len(cells.values) < 2 or len(cells.values) > _MOST_DIFFERENT * cells.rows:
        return None
    large = cells.counts >= _LEAST_GROUP
    group = np.where(cells.where(large), cells.codes, -1)
    return group if (group >= 0).sum() >= _LEAST_ROWS * cells.rows else None


def _majority(
    groups: NDArray[np.int64], other: Cells
) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """Return for each row its group's most common value, and whether that has over half."""
    import numpy as np

    both = (groups >= 0) & (other.codes >= 0)
    usual = np.full(other.rows, -1, dtype=np.int64)
    sure = np.zeros(other.rows, dtype=bool)
    if not both.any():
        return usual, sure
    width = len(other.values)
    pair, count = np.unique(groups[both] * width + other.codes[both], return_counts=True)
    group, value = pair // width, pair % width
    order = np.lexsort((count, group))
    last = np.flatnonzero(np.diff(group[order], append=-1))
    size = np.bincount(group, weights=count)
    best = np.full(int(groups.max()) + 1, -1, dtype=np.int64)
    clear = np.zeros(len(best), dtype=bool)
    top = order[last]
    best[group[top]] = value[top]
    clear[group[top]] = (count[top] > size[group[top]] / 2) & (size[group[top]] >= _LEAST_GROUP)
    inside = groups >= 0
    usual[inside] = best[groups[inside]]
    sure[inside] = clear[groups[inside]]
    return usual, sure & (other.codes >= 0)


def _agreement(groups: NDArray[np.int64], other: Cells) -> float:
    """Return the share of rows with their group's most common value, corrected for chance."""
    import numpy as np

    seen = _share_of_majority(groups, other.codes, len(other.values))
    random = np.random.default_rng(len(groups))
    inside = (groups >= 0) & (other.codes >= 0)
    if not inside.any():
        return 0.0
    mixed = other.codes.copy()
    mixed[inside] = random.permutation(other.codes[inside])
    chance = _share_of_majority(groups, mixed, len(other.values))
    return (seen - chance) / (1 - chance) if chance < 1 else 0.0


def _share_of_majority(groups: NDArray[np.int64], codes: NDArray[np.int64], width: int) -> float:
    import numpy as np

    both = (groups >= 0) & (codes >= 0)
    pair, count = np.unique(groups[both] * width + codes[both], return_counts=True)
    group = pair // width
    order = np.lexsort((count, group))
    last = np.flatnonzero(np.diff(group[order], append=-1))
    return float(count[order][last].sum() / both.sum()) if both.any() else 0.0
