"""How cells are written: units beside numbers, markers for nothing, forms that hardly occur.

A form is what is left of a value when letters become ``a``, digits ``9`` and repetitions one:
``3347938701`` is ``9``, ``37 patients`` is ``9 a``. In a column that keeps to few forms, a
cell of another form was damaged or mistyped.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from qua3ck.understand.contract.cells import Cells
from qua3ck.understand.contract.units import unit_of
from qua3ck.understand.sources.cells import is_known_marker

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

# Half is what makes a form the column's own: it is then more common than all others together.
_OWN = 0.5
COVER = 0.9
_USUAL, _RARE = 0.05, 0.01
_MARKERS_OF_NOTHING = {"?", "-", "--", ".", "n/a", "n.a.", "#n/a", "#na", "nan", "-nan", "null"}
_NUMBER = re.compile(r"^[-+]?(?:\d[\d,.\s]*)?\d(?:[eE][-+]?\d+)?")
_LETTERS = re.compile(r"[^\W\d_]+")
_DIGITS = re.compile(r"\d+([.,]\d+)*")
_RESIDUE = re.compile(
    r"''|\\[\"'nrt]|&(?:amp|lt|gt|quot|nbsp|#\d+);|Ã.|â€|\ufffd|\u00c2[\u00a0-\u00bf]"
)


def form_of(value: str) -> str:
    """Return the form of a value."""
    return re.sub(r"\s+", " ", _DIGITS.sub("9", _LETTERS.sub("a", value)))


def markers(cells: Cells) -> NDArray[np.bool_]:
    """Return the rows with a marker for nothing, shape (n_rows,).

    In a column of numbers every known marker counts; in a column of words only those that are
    no word, since unknown may be an answer.
    """
    known = _mask(cells, is_known_marker)
    numeric = _mask(cells, lambda value: _plain_number(value) and not is_known_marker(value))
    if cells.share(numeric) > _OWN * (1 - cells.share(known)):
        return cells.where(known)
    return cells.where(_mask(cells, lambda value: value.lower() in _MARKERS_OF_NOTHING))


def empty(cells: Cells) -> NDArray[np.bool_]:
    """Return the empty rows of a column that is meant to be filled: nine cells in ten are."""
    import numpy as np

    if cells.rows and cells.filled / cells.rows >= COVER:
        return cells.codes < 0
    return np.zeros(cells.rows, dtype=bool)


def units(cells: Cells) -> NDArray[np.bool_]:
    """Return the rows whose unit is not the column's, shape (n_rows,).

    Of ``0.05`` and ``0.05%`` the way that most cells have is the column's own. Where no
    spelling has more than half (``oz``, ``oz.``, ``ounce``), the column has none, and no cell
    with a unit beside its number can be taken for a number.
    """
    import numpy as np

    nothing = np.zeros(cells.rows, dtype=bool)
    rests = [_rest(value) for value in cells.values]
    known = np.array([rest is not None for rest in rests], dtype=bool)
    if not cells.values or cells.share(known) <= _OWN:
        return nothing
    spelt: Counter[str] = Counter()
    for rest, count in zip(rests, cells.counts.tolist(), strict=True):
        if rest is not None:
            spelt[rest] += count
    if len(spelt) < 2:
        return nothing
    own, most = spelt.most_common(1)[0]
    accepted = {own} if most > _OWN * sum(spelt.values()) else {""}
    return cells.where(np.array([r is not None and r not in accepted for r in rests], dtype=bool))


def odd_forms(cells: Cells) -> NDArray[np.bool_]:
    """Return the rows of a form that hardly occurs in a column of few forms, shape (n_rows,).

    Forms of at least one cell in twenty are usual. If they cover nine cells in ten, a form of
    at most one in a hundred is odd. Only asked of codes and quantities: names may have a hyphen.
    """
    import numpy as np

    forms = [form_of(value) for value in cells.values]
    found: Counter[str] = Counter()
    for form, count in zip(forms, cells.counts.tolist(), strict=True):
        found[form] += count
    usual = {form for form, count in found.items() if count >= _USUAL * cells.filled}
    covered = sum(found[form] for form in usual)
    if not _coded(cells, forms) or covered < COVER * cells.filled:
        return np.zeros(cells.rows, dtype=bool)
    rare = max(1, _RARE * cells.filled)
    odd = {form for form, count in found.items() if count <= rare} - usual
    return cells.where(np.array([form in odd for form in forms], dtype=bool))


def _coded(cells: Cells, forms: Sequence[str]) -> bool:
    """Whether most cells are codes or quantities: with digits, or all as long as each other."""
    import numpy as np

    if not cells.filled:
        return False
    digits = np.array(["9" in form for form in forms], dtype=bool)
    lengths: Counter[int] = Counter()
    for value, count in zip(cells.values, cells.counts.tolist(), strict=True):
        lengths[len(value)] += count
    return cells.share(digits) > _OWN or lengths.most_common(1)[0][1] >= COVER * cells.filled


def residues(cells: Cells) -> NDArray[np.bool_]:
    """Return the rows with what a wrong encoding or a doubled quote left behind."""
    return cells.where(_mask(cells, lambda value: _RESIDUE.search(value) is not None))


def _mask(cells: Cells, test: Callable[[str], bool]) -> NDArray[np.bool_]:
    import numpy as np

    return np.array([test(value) for value in cells.values], dtype=bool)


def _plain_number(value: str) -> bool:
    found = _NUMBER.match(value)
    return found is not None and found.end() == len(value)


def _rest(value: str) -> str | None:
    """Return what stands after the number, empty if nothing; None if it is no known unit."""
    found = _NUMBER.match(value)
    if found is None:
        return None
    rest = value[found.end() :].strip()
    return rest if not rest or unit_of(rest) else None
