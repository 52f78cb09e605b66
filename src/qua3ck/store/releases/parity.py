"""Whether two forms of one model say the same about the same real rows."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from qua3ck.store.releases.artefact import REFERENCE, verify
from qua3ck.store.releases.model import Prediction, answer, run_graph, run_pipeline

if TYPE_CHECKING:
    import pandas as pd

TOLERANCE = 1e-5


@dataclass(frozen=True)
class Parity:
    """The trained pipeline and the graph made of it, side by side.

    Attributes
    ----------
    rows : int
        Real rows compared.
    labels_differ : int
        Rows on which the decided label differs; 0 for a regression.
    largest : float
        Largest gap of a probability; for a regression of a value, relative to the value
        or to the spread of the values, whichever is larger.
    tolerance : float
        The largest gap that is accepted.
    """

    rows: int
    labels_differ: int
    largest: float
    tolerance: float = TOLERANCE

    @property
    def holds(self) -> bool:
        """Whether both forms may be called one model; never without rows."""
        return self.rows > 0 and self.labels_differ == 0 and self.largest <= self.tolerance

    @property
    def says(self) -> str:
        """One sentence for a reader."""
        if self.rows == 0:
            return "There were no rows to compare the graph with the trained pipeline on."
        return (
            f"On {self.rows} real rows {self.labels_differ} labels differ and the largest gap "
            f"is {self.largest:.1e} (accepted: 0 and {self.tolerance:.0e})."
        )


def compare(reference: Prediction, other: Prediction) -> Parity:
    """Return how far ``other`` is from ``reference``; NaN anywhere is an infinite gap."""
    import numpy as np

    gaps = np.abs(reference.figures - other.figures)
    if reference.labels is None:
        spread = np.std(reference.figures)
        scale = np.maximum(np.abs(reference.figures), spread if spread > 0 else 1.0)
        return Parity(len(gaps), 0, _largest(gaps / scale))
    differ = int(np.sum(reference.labels != other.labels))
    return Parity(len(gaps), differ, _largest(gaps))


def parity(folder: Path, prepared: pd.DataFrame, *, digest: str) -> Parity | None:
    """Compare the ONNX file that ships with the trained pipeline kept beside it.

    Parameters
    ----------
    folder : pathlib.Path
        An artefact.
    prepared : pandas.DataFrame
        Prepared rows that the pipeline was not fitted on; the sealed ones, in the
        opening that also judges the candidate.
    digest : str
        The artefact's digest.

    Returns
    -------
    Parity or None
        None where the pipeline itself ships: there is nothing to compare.
    """
    manifest = verify(folder, digest=digest)
    if manifest.kind != "onnx":
        return None
    return compare(
        answer(run_pipeline(folder, manifest, name=REFERENCE)(prepared), manifest),
        answer(run_graph(folder, manifest)(prepared), manifest),
    )


def _largest(gaps: object) -> float:
    import numpy as np

    array = np.asarray(gaps, dtype=np.float64)
    if array.size == 0:
        return 0.0
    return float(np.max(array)) if np.isfinite(array).all() else float("inf")
