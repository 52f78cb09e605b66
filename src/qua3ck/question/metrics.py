"""The metrics a KPI may name: what each means, which side is good, what it needs to be computed.

Definitions follow scikit-learn and, for gaps between groups, Fairlearn; the tests hold them
together to 1e-9. How a metric is computed is in ``scoring``, how sure it is in ``bounds``.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

from qua3ck.kit.errors import Qua3ckError, did_you_mean
from qua3ck.kit.verdicts import Direction

Family = Literal[
    "share", "counts", "ranking", "mean", "calibration", "gap", "latency", "constraint"
]
Needs = Literal["labels", "scores", "values", "timing", "artefact"]
TaskName = Literal["binary", "multiclass", "regression"]
_ALL: tuple[TaskName, ...] = ("binary", "multiclass", "regression")
_CLASSES: tuple[TaskName, ...] = ("binary", "multiclass")
_BINARY: tuple[TaskName, ...] = ("binary",)
_NUMBERS: tuple[TaskName, ...] = ("regression",)


@dataclass(frozen=True)
class Metric:
    """One way to put a number on how well a predictor does.

    Attributes
    ----------
    name : str
        As written in the project file.
    title : str
        As written in a report.
    direction : {"at_least", "at_most"}
        The side of a threshold that is good: ``at_least`` where more is better.
    tasks : tuple of str
        The tasks it is defined for.
    needs : str
        What must have been predicted or measured.
    unit : str
        Unit of the number; ``1`` for a share or an index without a unit.
    low, high : float
        Smallest and largest number it can be.
    family : str
        Decides how its bounds are made.
    definition : str
        One sentence for a reader.
    """

    name: str
    title: str
    direction: Direction
    tasks: tuple[TaskName, ...]
    needs: Needs
    unit: str
    low: float
    high: float
    family: Family
    definition: str

    @property
    def higher_is_better(self) -> bool:
        """Whether a larger number is a better one."""
        return self.direction == "at_least"


def metric(name: str, *, where: str) -> Metric:
    """Return the metric called ``name``.

    Raises
    ------
    Qua3ckError
        If there is none; with the nearest name.
    """
    if name in METRICS:
        return METRICS[name]
    raise Qua3ckError(
        f'Unknown metric "{name}"{did_you_mean(name, METRICS)}',
        where=where,
        fix=f"write one of: {', '.join(METRICS)}; explained by: qua3ck explain metrics",
        code="Q001",
    )


def _share(
    name: str, title: str, direction: Direction, definition: str, tasks: tuple[TaskName, ...]
) -> Metric:
    return Metric(name, title, direction, tasks, "labels", "1", 0, 1, "share", definition)


def _gap(name: str, title: str, definition: str, tasks: tuple[TaskName, ...]) -> Metric:
    return Metric(name, title, "at_most", tasks, "labels", "1", 0, 1, "gap", definition)


def _error(name: str, title: str, unit: str, definition: str) -> Metric:
    return Metric(name, title, "at_most", _NUMBERS, "values", unit, 0, math.inf, "mean", definition)


def _latency(percent: int) -> Metric:
    definition = f"Time within which {percent} % of single-row requests are answered."
    if percent == 50:
        definition = "Median time of a single-row request."
    return Metric(
        f"latency_p{percent}_ms",
        f"latency, {percent}th percentile",
        "at_most",
        _ALL,
        "timing",
        "ms",
        0,
        math.inf,
        "latency",
        definition,
    )


_TABLE = (
    _share("accuracy", "accuracy", "at_least", "Share of rows predicted right.", _CLASSES),
    Metric("balanced_accuracy", "balanced accuracy", "at_least", _CLASSES, "labels", "1", 0, 1,
           "counts", "Mean over the classes of the share of their rows that was found."),
    _share("recall", "recall", "at_least",
           "Share of the rows of the positive class that was found.", _BINARY),
    _share("precision", "precision", "at_least",
           "Share of the rows called positive that are positive.", _BINARY),
    _share("specificity", "specificity", "at_least",
           "Share of the rows not of the positive class that was left alone.", _BINARY),
    _share("false_positive_rate", "false positive rate", "at_most",
           "Share of the rows not of the positive class that was called positive.", _BINARY),
    Metric("f1", "F1", "at_least", _BINARY, "labels", "1", 0, 1, "counts",
           "Harmonic mean of precision and recall: 2 TP / (2 TP + FP + FN)."),
    Metric("macro_f1", "macro F1", "at_least", _CLASSES, "labels", "1", 0, 1, "counts",
           "Mean over the classes of each class's F1."),
    Metric("roc_auc", "ROC AUC", "at_least", _CLASSES, "scores", "1", 0, 1, "ranking",
           "Chance that a positive row is scored above a negative one, ties half; with more"
           " than two classes the mean of each class against the rest."),
    Metric("average_precision", "average precision", "at_least", _BINARY, "scores", "1", 0, 1,
           "ranking", "Precision averaged over the recalls reached by lowering the threshold."),
    Metric("brier", "Brier score", "at_most", _CLASSES, "scores", "1", 0, 2, "mean",
           "Mean squared distance of the predicted probability from what happened; with more"
           " than two classes summed over them (then up to 2)."),
    Metric("log_loss", "log loss", "at_most", _CLASSES, "scores", "nat", 0, math.inf, "mean",
           "Mean of minus the logarithm of the probability given to what happened."),
    Metric("ece", "expected calibration error", "at_most", _CLASSES, "scores", "1", 0, 1,
           "calibration", "Mean distance between predicted probability and observed share over"
           " 10 equal-width bins, weighted by rows; of the positive class, or with more than"
           " two classes of the most probable one."),
    Metric("cost_per_case", "cost per case", "at_most", _BINARY, "labels", "cost", 0, math.inf,
           "mean", "Mean cost of the decisions, from the question's costs; a right one is free."),
    _error("rmse", "root mean squared error", "target",
           "Square root of the mean squared error; large misses weigh most."),
    _error("mae", "mean absolute error", "target", "Mean distance from the truth."),
    _error("mape", "mean absolute percentage error", "1",
           "Mean distance from the truth as a share of the truth (0.1 = 10 %); not for truths"
           " of zero."),
    Metric("r2", "R squared", "at_least", _NUMBERS, "values", "1", -math.inf, 1, "mean",
           "Share of the target's variance that is explained; below zero is worse than the mean."),
    *(_latency(percent) for percent in (50, 95, 99)),
    Metric("model_size_mb", "model size", "at_most", _ALL, "artefact", "MB", 0, math.inf,
           "constraint", "Size of the artefact that would ship."),
    Metric("explainable", "explainable", "at_least", _ALL, "artefact", "1", 0, 1, "constraint",
           "1 if a person can follow how the model decides, else 0."),
    _gap("demographic_parity_difference", "gap in the share called positive",
         "Largest minus smallest share called positive over the groups.", _BINARY),
    _gap("equal_opportunity_difference", "gap in recall",
         "Largest minus smallest recall over the groups.", _BINARY),
    _gap("equalized_odds_difference", "gap in recall or false positive rate",
         "The larger of the gap in recall and the gap in false positive rate.", _BINARY),
    _gap("false_positive_rate_difference", "gap in false positive rate",
         "Largest minus smallest false positive rate over the groups.", _BINARY),
    _gap("accuracy_difference", "gap in accuracy",
         "Largest minus smallest accuracy over the groups.", _CLASSES),
    _gap("error_rate_difference", "gap in error rate",
         "Largest minus smallest error rate over the groups; equals the gap in accuracy.",
         _CLASSES),
)  # fmt: skip

METRICS: Mapping[str, Metric] = MappingProxyType({m.name: m for m in _TABLE})
