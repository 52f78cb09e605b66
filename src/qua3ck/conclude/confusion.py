"""Which class was taken for which, and what that means for each class by itself."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


def confusion(
    truth: NDArray[np.str_], labels: NDArray[np.str_], classes: Sequence[str]
) -> tuple[tuple[int, ...], ...]:
    """Return counts with truth in rows and decision in columns, both in the order of ``classes``.

    Parameters
    ----------
    truth, labels : array of str, shape (n_rows,)
        What was and what was decided.
    classes : sequence of str
        All classes; one without a row gives zeros, it is not left out.
    """
    import numpy as np

    place = {name: number for number, name in enumerate(classes)}
    counts = np.zeros((len(classes), len(classes)), dtype=int)
    for was, said in zip(truth, labels, strict=True):
        counts[place[str(was)], place[str(said)]] += 1
    return tuple(tuple(int(count) for count in row) for row in counts)


def per_class(
    counts: Sequence[Sequence[int]], classes: Sequence[str]
) -> dict[str, dict[str, float]]:
    """Return precision, recall, F1 (each in [0, 1]) and support (rows) for every class.

    A share of nothing is left out of the mapping rather than called zero: precision where
    the class was never decided, recall where it never occurred.
    """
    figures: dict[str, dict[str, float]] = {}
    for number, name in enumerate(classes):
        right = counts[number][number]
        decided = sum(row[number] for row in counts)
        support = sum(counts[number])
        figures[name] = {"support": float(support)}
        if decided:
            figures[name]["precision"] = right / decided
        if support:
            figures[name]["recall"] = right / support
        if decided + support:
            figures[name]["f1"] = 2 * right / (decided + support)
    return figures
