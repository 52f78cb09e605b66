"""Cells that look wrong, found without any example of right and wrong; nothing is changed.

Seven detectors, each with its reason: markers and gaps (completeness), units, forms and
residues (validity), rare spellings and far numbers (accuracy), contradictions (consistency).
What they find is a proposal: a person decides. The thresholds are round numbers that say what
they mean (half, nine in ten, one in a hundred), the same for every table.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from qua3ck.kit.findings import Finding
from qua3ck.understand.contract import forms
from qua3ck.understand.contract.cells import Cells, read_cells
from qua3ck.understand.contract.dependencies import (
    Dependency,
    contradictions,
    find_dependencies,
)
from qua3ck.understand.contract.rules import Dimension
from qua3ck.understand.contract.spelling import misspelt
from qua3ck.understand.sources.pieces import ROW

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa
    from numpy.typing import NDArray

_MOST_ROWS = 200_000  # dependencies are looked for in at most so many, evenly spread
_FAR = 10  # interquartile ranges beyond the quartiles
_FEW = 0.01  # more than one in a hundred far away is a long tail, not a slip
_LEAST_ROWS = 20
_EXAMPLES = 5


@dataclass(frozen=True)
class Detector:
    """One way to look at a column, and what it speaks of."""

    kind: str
    dimension: Dimension
    says: str


DETECTORS: tuple[Detector, ...] = (
    Detector("marker", "completeness", "hold a word for nothing instead of being empty"),
    Detector("empty", "completeness", "are empty in a column that is nearly always filled"),
    Detector("unit", "validity", "carry another unit, or one that the others do not"),
    Detector("form", "validity", "are written in a form that hardly any other has"),
    Detector("residue", "validity", "hold what a wrong encoding or a doubled quote left"),
    Detector("spelling", "accuracy", "are one slip away from something far more common"),
    Detector("outlier", "accuracy", "lie farther from the rest than ten times its middle half"),
    Detector("contradiction", "consistency", "contradict what other columns say of their row"),
)


@dataclass(frozen=True)
class Suspects:
    """Suspect cells.

    Attributes
    ----------
    cells : mapping
        (column, kind of detector) to the rows it suspects, shape (n_rows,).
    dependencies : tuple of Dependency
        Which columns were found to fix each other.
    findings : tuple of Finding
        One per column and kind: counts and row numbers, no values.
    """

    cells: dict[tuple[str, str], NDArray[np.bool_]]
    dependencies: tuple[Dependency, ...]
    findings: tuple[Finding, ...]


def find_suspects(rows: pa.Table, *, name: str = "table") -> Suspects:
    """Return the cells of a table that look wrong.

    Parameters
    ----------
    rows : pyarrow.Table
        Best with its cells as received (text); typed columns are looked at as well. A column
        ``_row`` numbers the rows, else they are counted from 1.
    name : str
        What the table is called in findings.

    Notes
    -----
    O(columns^2 * rows) for the dependencies, O(cells) for the rest.
    """
    columns = [read_cells(rows[each], each) for each in rows.column_names if each[0] != "_"]
    found: dict[tuple[str, str], NDArray[np.bool_]] = {}
    for cells in columns:
        for kind, look in _LOOKS.items():
            suspected = look(cells)
            if suspected.any():
                found[cells.name, kind] = suspected
    dependencies = find_dependencies([_thinned(cells) for cells in columns])
    for column, suspected in contradictions(columns, dependencies).items():
        if suspected.any():
            found[column, "contradiction"] = suspected
    numbers = _numbers(rows)
    findings = tuple(_findings(found, dependencies, numbers, name))
    return Suspects(found, tuple(dependencies), findings)


def outliers(cells: Cells) -> NDArray[np.bool_]:
    """Return the rows with a number far from all others, shape (n_rows,).

    More than ten interquartile ranges beyond the quartiles, in at most one cell of a hundred:
    as a weight in grams among weights in kilograms. Where none is negative it must be so for
    their logarithms too: amounts of money have long tails. Why not standard deviations: one
    such cell in a small table widens them until it fits.
    """
    import numpy as np

    nothing = np.zeros(cells.rows, dtype=bool)
    values = np.array([_number(value) for value in cells.values], dtype=float)
    numeric = np.isfinite(values)
    if cells.filled < _LEAST_ROWS or cells.share(numeric) < forms.COVER:
        return nothing
    chosen = numeric & _far(values, cells.counts)
    if (values[numeric] > 0).all():
        chosen &= _far(
            np.log(values, where=numeric, out=np.full_like(values, np.nan)), cells.counts
        )
    few = max(1, _FEW * cells.filled)
    return cells.where(chosen) if cells.counts[chosen].sum() <= few else nothing


def _far(values: NDArray[np.float64], counts: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Return which values lie far outside the middle half of all cells, shape (n_values,)."""
    import numpy as np

    finite = np.isfinite(values)
    low, high = np.quantile(np.repeat(values[finite], counts[finite]), (0.25, 0.75))
    room = _FAR * (high - low)
    if room == 0:
        return np.zeros(len(values), dtype=bool)
    return np.asarray(finite & ((values < low - room) | (values > high + room)))


_LOOKS: dict[str, Callable[[Cells], NDArray[np.bool_]]] = {
    "marker": forms.markers,
    "empty": forms.empty,
    "unit": forms.units,
    "form": forms.odd_forms,
    "residue": forms.residues,
    "spelling": misspelt,
    "outlier": outliers,
}


def _number(value: str) -> float:
    try:
        return float(value)
    except ValueError:
        return float("nan")


def _thinned(cells: Cells) -> Cells:
    """Return at most 200,000 rows of a column, evenly spread."""
    step = -(-cells.rows // _MOST_ROWS)
    return Cells(cells.name, cells.values, cells.codes[::step], cells.text) if step > 1 else cells


def _numbers(rows: pa.Table) -> NDArray[np.int64]:
    import numpy as np

    if ROW in rows.column_names:
        return np.asarray(rows[ROW].to_numpy(), dtype=np.int64)
    return np.arange(1, rows.num_rows + 1)


def _findings(
    found: dict[tuple[str, str], NDArray[np.bool_]],
    dependencies: Sequence[Dependency],
    numbers: NDArray[np.int64],
    name: str,
) -> Iterator[Finding]:
    named = {detector.kind: detector for detector in DETECTORS}
    for (column, kind), suspected in found.items():
        detector, count = named[kind], int(suspected.sum())
        evidence: dict[str, object] = {
            "column": column,
            "kind": kind,
            "dimension": detector.dimension,
            "rows": len(suspected),
            "suspects": count,
            "example_rows": numbers[suspected][:_EXAMPLES].tolist(),
        }
        if kind == "contradiction":
            evidence["fixed_by"] = {
                each.fixes: each.agreement for each in dependencies if each.fixed == column
            }
        yield Finding(
            "U088",
            "inform",
            f"{name}.{column}, {count} of {len(suspected)} rows",
            f"{count} cells of {column} {detector.says}. A person decides; nothing was changed.",
            evidence,
        )
