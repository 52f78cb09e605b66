"""Outcomes whose truth is known, drawn from the generator that a test passes in."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.signal import lfilter
from scipy.special import expit

from qua3ck.question import Outcome, Question

BEFORE: dict[str, Any] = {
    "asks": "Who defaults?",
    "decides": "The officer, at the desk.",
    "why_now": "Losses doubled.",
    "risks": "Somebody is refused wrongly.",
    "stop_if": ("rows < 10",),
}


def scored(truth: NDArray[np.bool_], score: NDArray[np.float64], **more: Any) -> Outcome:
    """Make a binary outcome from scores of any size, decided at 0.5."""
    p = expit(score)
    return Outcome(
        np.where(truth, "yes", "no"),
        labels=np.where(p > 0.5, "yes", "no"),
        scores=np.column_stack([1 - p, p]),
        classes=("no", "yes"),
        **more,
    )


def binary(
    rng: np.random.Generator, rows: int, *, share: float = 0.4, shift: float = 1.5, **more: Any
) -> Outcome:
    """Draw two classes with calibrated normal scores; the AUC is Phi(shift / sqrt(2))."""
    truth = rng.random(rows) < share
    seen = shift * truth + rng.normal(size=rows)
    return scored(truth, np.log(share / (1 - share)) + shift * seen - shift**2 / 2, **more)


def three(rng: np.random.Generator, rows: int, *, shift: float = 1.5) -> Outcome:
    """Draw three classes, each with a normal score of its own; class names do not sort."""
    shares = np.array([0.5, 0.3, 0.2])
    truth = rng.choice(3, size=rows, p=shares)
    odds = np.log(shares) + shift * (
        rng.normal(size=(rows, 3)) + shift * (truth[:, None] == np.arange(3))
    )
    p = np.exp(odds - odds.max(axis=1, keepdims=True))
    p /= p.sum(axis=1, keepdims=True)
    names = np.array(["b", "c", "a"])
    return Outcome(names[truth], labels=names[p.argmax(axis=1)], scores=p, classes=("b", "c", "a"))


def numbers(rng: np.random.Generator, rows: int, **more: Any) -> Outcome:
    """Draw a regression with Laplace errors of scale 1: the RMSE is sqrt(2), the MAE 1."""
    truth = rng.gamma(8.0, 2.0, rows) + 2
    return Outcome(truth, values=truth + rng.laplace(size=rows), **more)


def remembering(rng: np.random.Generator, rows: int, memory: float) -> NDArray[np.float64]:
    """Draw a normal series, variance 1, each value correlated with the one before."""
    kick = rng.normal(size=rows)
    kick[1:] *= np.sqrt(1 - memory**2)
    series: NDArray[np.float64] = lfilter([1.0], [1.0, -memory], kick)
    return series


def of_share(right: int, rows: int, **more: Any) -> Outcome:
    """Make an outcome with an accuracy of ``right / rows``."""
    hits = np.arange(rows) < right
    return Outcome(
        np.full(rows, "yes"), labels=np.where(hits, "yes", "no"), classes=("no", "yes"), **more
    )


@pytest.fixture(scope="session")
def made() -> SimpleNamespace:
    """The draws above, by name."""
    return SimpleNamespace(
        scored=scored,
        binary=binary,
        three=three,
        numbers=numbers,
        remembering=remembering,
        of_share=of_share,
    )


@pytest.fixture(scope="session")
def asking() -> Callable[..., Question]:
    """Make a question from its KPIs and whatever else matters to a test."""

    def ask(*kpis: dict[str, Any], **more: Any) -> Question:
        listed = kpis or ({"id": "right", "metric": "accuracy", "at_least": 0.8},)
        fairness = more.pop("fairness", ())
        return Question.model_validate_json(
            _json({**BEFORE, "kpis": listed, "fairness": fairness, **more})
        )

    return ask


def _json(value: Any) -> str:
    import json

    return json.dumps(value)
