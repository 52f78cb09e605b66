"""What columns of text might be after all: noticed while reading, said as findings, not acted on.

A number with a few markers in between, a date in a layout that nobody declared, a number with
a decimal comma: as text they have lost their order. A person knows which it is.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from qua3ck.kit.findings import Finding
from qua3ck.understand.sources.cells import Marks, almost_number, read_cells
from qua3ck.understand.sources.columns import Column, bare
from qua3ck.understand.sources.dates import Guess, guess_layouts

if TYPE_CHECKING:
    import pyarrow as pa

OTHER_MARKS = (
    *(Marks(",", None), Marks(".", ","), Marks(",", "."), Marks(".", " "), Marks(",", " ")),
    *(Marks(".", "'"), Marks(",", "'"), Marks(".", None)),
)
_MOST = 50  # different cells that are no numbers: beyond, the column is text
_SAMPLE = 5000  # different cells looked at for dates
_MOSTLY = 0.9
_GLANCE = 100  # cells looked at before all


@dataclass
class _Tracked:
    """Counts of a text column that began like numbers."""

    numbers: int = 0
    others: Counter[str] | None = field(default_factory=Counter)


Counted = Mapping[str, tuple[int, dict[str, int] | None]]


class Suspicions:
    """What is noticed about text columns of one file.

    Parameters
    ----------
    columns : sequence of Column
        With the kinds that were inferred.
    cells : sequence of array of string
        The cells of the first block.
    marks : Marks
        As declared.
    """

    def __init__(
        self, columns: Sequence[Column], cells: Sequence[pa.Array], marks: Marks, *, place: str
    ) -> None:
        self._marks, self._place = marks, place
        self._tracked: dict[str, _Tracked] = {}
        self._found: list[Finding] = []
        for column, text in zip(columns, cells, strict=True):
            if not column.inferred or column.kind != "string":
                continue
            _, trimmed = bare(text, column)
            filled = trimmed.drop_null()
            if not len(filled):
                continue
            found = self._about(column.name, filled)
            self._found += found
            if not found and _numbers(filled, marks)[0] >= 0.5 * len(filled):
                self._tracked[column.name] = _Tracked()

    @property
    def tracked(self) -> frozenset[str]:
        """The columns whose cells are to be counted in every block."""
        return frozenset(self._tracked)

    def count(self, column: Column, text: pa.Array) -> tuple[int, dict[str, int] | None]:
        """Return how many cells of a block are numbers, and which others there are."""
        _, trimmed = bare(text, column)
        return _numbers(trimmed.drop_null(), self._marks)

    def add(self, counted: Counted) -> None:
        """Take in the counts of a block."""
        for name, (numbers, others) in counted.items():
            one = self._tracked[name]
            one.numbers += numbers
            if one.others is not None and others is not None:
                one.others.update(others)
                if len(one.others) <= _MOST:
                    continue
            one.others = None

    def findings(self, rows: int) -> list[Finding]:
        """Return what was noticed in a file of so many rows."""
        found = list(self._found)
        for name, one in self._tracked.items():
            if one.others is None:
                continue
            said = almost_number(dict(one.others), one.numbers, rows, name=name, place=self._place)
            found += [said] if said else []
        return found

    def _about(self, name: str, filled: pa.Array) -> list[Finding]:
        possible = other_marks(filled, self._marks)
        if possible:
            return [_numbers_written(name, possible, self._place)]
        different = filled.unique().slice(0, _SAMPLE).to_pylist()
        glance = guess_layouts(different[:_GLANCE])
        if glance.dates < 0.5 * len(different[:_GLANCE]):
            return []
        guess = guess_layouts(different)
        if guess.dates >= _MOSTLY * len(different):
            return [_dates_written(name, guess, self._place)]
        return []


def other_marks(filled: pa.Array, marks: Marks) -> list[Marks]:
    """Return the marks under which all cells would be numbers; several if these would differ."""
    head = filled.slice(0, _GLANCE)
    likely = [one for one in OTHER_MARKS if read_cells(head, "number", one)[1] is None]
    fitting: dict[Marks, pa.Array] = {}
    for one in likely:
        values, misfits = read_cells(filled, "number", one)
        known = any(values.equals(other) for other in fitting.values())
        if one != marks and misfits is None and not known:
            fitting[one] = values
    return list(fitting)


def _numbers(filled: pa.Array, marks: Marks) -> tuple[int, dict[str, int] | None]:
    """Return how many texts are numbers, and the counts of others; None if too many differ."""
    _, misfits = read_cells(filled, "number", marks)
    if misfits is None:
        return len(filled), {}
    others = filled.filter(misfits).value_counts()
    numbers = len(filled) - misfits.true_count
    if len(others) > _MOST:
        return numbers, None
    names, counts = others.field("values").to_pylist(), others.field("counts").to_pylist()
    return numbers, dict(zip(names, counts, strict=True))


def _numbers_written(name: str, possible: Sequence[Marks], place: str) -> Finding:
    ways = []
    for marks in possible:
        declare = [f'decimal: "{marks.decimal}"'] if marks.decimal != "." else []
        declare += [f'thousands: "{marks.thousands}"'] if marks.thousands is not None else []
        ways.append(", ".join(declare))
    asks = "No cell tells which: ask who wrote them, and declare" if len(ways) > 1 else "Declare"
    return Finding(
        "U036",
        "warn",
        f"{place}, column {name}",
        f"The cells look like numbers written with other marks; as text they have lost their "
        f"order. {asks} {'; or '.join(ways)}; or types: {{{name}: string}} if they are text.",
        {"possible": [[marks.decimal, marks.thousands] for marks in possible]},
    )


def _dates_written(name: str, guess: Guess, place: str) -> Finding:
    written = [*guess.sure, *(one for group in guess.open for one in group[:1])]
    listed = ", ".join(f'"{one}"' for one in written)
    if guess.open:
        orders = " or ".join(f'"{one}"' for one in guess.open[0])
        asks = f"No cell tells whether it is {orders}: ask who wrote them, and declare"
    else:
        asks = "Declare"
    return Finding(
        "U035",
        "warn",
        f"{place}, column {name}",
        f"The cells look like dates, and are read as text without order. {asks} "
        f"dates: {{{name}: [{listed}]}}, or types: {{{name}: string}} if they are text.",
        {"layouts": list(guess.sure), "undecided": [list(group) for group in guess.open]},
    )
