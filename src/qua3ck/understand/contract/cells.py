"""A column as its different values and how often each stands: what the detectors look at."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa
    from numpy.typing import NDArray


@dataclass(frozen=True)
class Cells:
    """One column of text cells.

    Attributes
    ----------
    name : str
        The column.
    values : tuple of str
        The different filled values, trimmed, in the order of their first row.
    codes : array of int, shape (n_rows,)
        The position of each cell in ``values``; -1 where it is empty.
    typed : bool
        Whether it came as text; else as numbers, dates or booleans.
    """

    name: str
    values: tuple[str, ...]
    codes: NDArray[np.int64]
    text: bool

    @property
    def rows(self) -> int:
        """How many rows there are."""
        return len(self.codes)

    @cached_property
    def counts(self) -> NDArray[np.int64]:
        """How often each value stands, shape (n_values,)."""
        import numpy as np

        return np.bincount(self.codes[self.codes >= 0], minlength=len(self.values))

    @cached_property
    def filled(self) -> int:
        """How many cells are filled."""
        return int((self.codes >= 0).sum())

    def where(self, chosen: NDArray[np.bool_]) -> NDArray[np.bool_]:
        """Return the rows whose value is chosen; ``chosen`` has shape (n_values,)."""
        import numpy as np

        return np.append(chosen, False)[self.codes]

    def share(self, chosen: NDArray[np.bool_]) -> float:
        """Return the share of filled cells whose value is chosen."""
        return float(self.counts[chosen].sum() / self.filled) if self.filled else 0.0


def read_cells(column: pa.ChunkedArray, name: str) -> Cells:
    """Return a column as :class:`Cells`; a cell of blanks is empty."""
    import numpy as np
    import pyarrow as pa
    import pyarrow.compute as pc

    text = pa.types.is_string(column.type) or pa.types.is_large_string(column.type)
    plain = column.cast(pa.string()).combine_chunks()
    coded = pc.utf8_trim_whitespace(plain).dictionary_encode()
    names = coded.dictionary.to_pylist()
    codes = coded.indices.fill_null(-1).to_numpy(zero_copy_only=False).astype(np.int64)
    if "" in names:
        at = names.index("")
        codes = np.where(codes == at, -1, codes - (codes > at))
        names = names[:at] + names[at + 1 :]
    return Cells(name, tuple(names), codes, text)
