"""Quality over time: per load and dimension, how much was looked at and how much of it failed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from qua3ck.understand.contract.rules import DIMENSIONS, Dimension

if TYPE_CHECKING:
    import pyarrow as pa


@dataclass(frozen=True)
class DimensionScore:
    """One load in one dimension.

    Attributes
    ----------
    at : str
        The moment of the load, ISO 8601 in UTC.
    dimension : str
        One of the six.
    looked_at, failing : int
        Rows times rules; an empty table is looked at nowhere, and nothing of it passed.
    """

    at: str
    dimension: Dimension
    looked_at: int
    failing: int

    @property
    def share(self) -> float:
        """The share that passed, in [0, 1]; of nothing looked at, nothing passed."""
        return 1 - self.failing / self.looked_at if self.looked_at else 0.0


def scores_by_load(quality: pa.Table) -> tuple[DimensionScore, ...]:
    """Return the scores of each load, oldest first, dimensions in their usual order.

    Parameters
    ----------
    quality : pyarrow.Table
        The table ``quality/<source>``: one row per rule and piece of a load, with ``_known``,
        ``dimension``, ``rows``, ``failing``, ``answer``. What was not applicable has no part in
        a score.
    """
    import pyarrow.compute as pc

    asked = quality.filter(pc.not_equal(quality["answer"], "not applicable"))
    grouped = asked.group_by(["_known", "dimension"]).aggregate(
        [("rows", "sum"), ("failing", "sum")]
    )
    order: Mapping[str, int] = {name: at for at, name in enumerate(DIMENSIONS)}
    lines = sorted(grouped.to_pylist(), key=lambda line: (line["_known"], order[line["dimension"]]))
    return tuple(
        DimensionScore(
            at=line["_known"].isoformat(),
            dimension=line["dimension"],
            looked_at=int(line["rows_sum"]),
            failing=int(line["failing_sum"]),
        )
        for line in lines
    )
