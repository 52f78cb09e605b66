"""What a predictor said about rows whose truth is known: all that a metric may look at."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from qua3ck.question.records import Costs, Scalar

MISSING = "(missing)"


def positive_class(classes: tuple[str, ...], declared: Scalar | None = None) -> str:
    """Return the class that recall, precision and the like are about.

    The declared one as text, else the last of the sorted classes: ``yes`` of no/yes, ``1``
    of 0/1, ``True`` of False/True. An empty text for a regression.
    """
    if declared is not None:
        return str(declared)
    return sorted(classes)[-1] if classes else ""


@dataclass(frozen=True)
class Outcome:
    """Truth and prediction, row by row, with what tells rows apart.

    Attributes
    ----------
    truth : array, shape (n_rows,)
        Class names (compared as text) or, for a regression, numbers.
    labels : array, shape (n_rows,), or None
        Predicted class names, already decided with the model's threshold.
    scores : array of float, shape (n_rows, n_classes), or None
        Predicted probabilities, columns in the order of ``classes``.
    values : array of float, shape (n_rows,), or None
        Predicted numbers of a regression, in the target's unit.
    classes : tuple of str
        Every class name; empty for a regression.
    positive : str
        The class that binary metrics are about; empty means the last when sorted.
    clusters : array, shape (n_rows,), or None
        Group of each row; rows of one group are not independent.
    order : array, shape (n_rows,), or None
        Moment of each row; neighbours in time are not independent.
    slices : mapping of str to array, shape (n_rows,)
        Columns that slices and fairness gaps look at.
    latencies_ms : array of float, shape (n_requests,), or None
        Measured time per request; has a length of its own.
    size_mb : float or None
        Size of the artefact that would ship.
    explainable : bool or None
        Whether the artefact counts as explainable.
    costs : Costs or None
        What wrong decisions cost.
    """

    truth: NDArray[Any]
    labels: NDArray[Any] | None = None
    scores: NDArray[np.float64] | None = None
    values: NDArray[np.float64] | None = None
    classes: tuple[str, ...] = ()
    positive: str = ""
    clusters: NDArray[Any] | None = None
    order: NDArray[Any] | None = None
    slices: Mapping[str, NDArray[Any]] = field(default_factory=dict)
    latencies_ms: NDArray[np.float64] | None = None
    size_mb: float | None = None
    explainable: bool | None = None
    costs: Costs | None = None

    def __post_init__(self) -> None:
        """Refuse arrays of different lengths: a silent misalignment would be a wrong number."""
        named = {
            "labels": self.labels,
            "scores": self.scores,
            "values": self.values,
            "clusters": self.clusters,
            "order": self.order,
            **{f"slices[{name!r}]": column for name, column in self.slices.items()},
        }
        for name, array in named.items():
            if array is not None and len(array) != self.rows:
                message = f"{name} has {len(array)} rows, truth has {self.rows}"
                raise ValueError(message)
        if self.scores is not None and self.scores.shape[1:] != (len(self.classes),):
            message = f"scores have shape {self.scores.shape}, classes are {len(self.classes)}"
            raise ValueError(message)

    @property
    def rows(self) -> int:
        """How many rows there are."""
        return len(self.truth)

    @property
    def positive_index(self) -> int:
        """Column of the positive class in ``scores``."""
        return self.classes.index(self.positive or positive_class(self.classes))

    @cached_property
    def truth_codes(self) -> NDArray[np.intp]:
        """True class of each row as its place in ``classes``; -1 for an unknown name."""
        return _codes(self.truth, self.classes)

    @cached_property
    def label_codes(self) -> NDArray[np.intp]:
        """Predicted class of each row as its place in ``classes``; -1 for an unknown name."""
        labels = self.labels if self.labels is not None else np.array([], dtype=str)
        return _codes(labels, self.classes)

    @cached_property
    def is_positive(self) -> NDArray[np.bool_]:
        """Whether each row's true class is the positive one."""
        return np.equal(self.truth_codes, self.positive_index)

    @cached_property
    def called_positive(self) -> NDArray[np.bool_]:
        """Whether each row was predicted to be of the positive class."""
        return np.equal(self.label_codes, self.positive_index)

    @cached_property
    def is_right(self) -> NDArray[np.bool_]:
        """Whether each row's class was predicted; a row of an undeclared class never is."""
        return np.equal(self.truth_codes, self.label_codes) & (self.truth_codes >= 0)

    def take(self, rows: NDArray[Any]) -> Outcome:
        """Return the part of the outcome that a mask or an index array picks.

        Latencies are dropped: a request is timed for the whole model, never for a slice.
        """

        def part(array: NDArray[Any] | None) -> NDArray[Any] | None:
            return None if array is None else np.asarray(array)[rows]

        return replace(
            self,
            truth=np.asarray(self.truth)[rows],
            labels=part(self.labels),
            scores=part(self.scores),
            values=part(self.values),
            clusters=part(self.clusters),
            order=part(self.order),
            slices={name: np.asarray(column)[rows] for name, column in self.slices.items()},
            latencies_ms=None,
        )


def names_of(column: NDArray[Any]) -> NDArray[np.str_]:
    """Return a column's values as text, missing ones as ``(missing)``: a group of their own."""
    values = np.asarray(column)
    if values.dtype.kind in "iubUS":
        return values.astype(str)
    texts = values.astype(str)
    with np.errstate(invalid="ignore"):
        missing = np.array([value is None or value != value for value in values.tolist()])  # noqa: PLR0124 - NaN, NaT and NA alike differ from themselves
    return np.where(missing | np.isin(texts, ["NaT", "<NA>"]), MISSING, texts)


def _codes(values: NDArray[Any], classes: tuple[str, ...]) -> NDArray[np.intp]:
    names = np.asarray(values).astype(str)
    known = np.array(classes, dtype=str)
    if not len(known):
        return np.full(len(names), -1, dtype=np.intp)
    by_name = np.argsort(known)
    place = np.minimum(np.searchsorted(known[by_name], names), len(known) - 1)
    codes = by_name[place]
    return np.where(known[codes] == names, codes, -1)
