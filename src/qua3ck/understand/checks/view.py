"""The training rows as all checks see them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from qua3ck.understand.records import Column
from qua3ck.understand.section import Understand
from qua3ck.understand.target import Target

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa
    from numpy.typing import NDArray


@dataclass(frozen=True)
class View:
    """Training rows, their target as numbers, and what is known of their columns.

    ``truth`` has shape (n_rows,): class numbers, or the target itself for a regression.
    """

    train: pa.Table
    columns: tuple[Column, ...]
    target: Target
    truth: NDArray[Any]
    section: Understand
    seed: int

    @property
    def rows(self) -> int:
        """How many training rows there are."""
        return int(self.train.num_rows)

    @property
    def features(self) -> tuple[Column, ...]:
        """The columns that a model is given."""
        return tuple(column for column in self.columns if column.role == "feature")


def ranks(values: NDArray[Any]) -> NDArray[np.float64]:
    """Return ranks from 1, equal values sharing their mean rank, shape (n_rows,)."""
    import numpy as np

    _, position, counts = np.unique(values, return_inverse=True, return_counts=True)
    return np.asarray((np.cumsum(counts) - (counts - 1) / 2)[position])
