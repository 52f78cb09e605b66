"""The section ``a3`` of the project file: candidates, the rule to beat, the budget."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field


class _Declared(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class Budget(_Declared):
    """When tuning ends: trials give the same result on every machine, minutes do not."""

    trials: Annotated[int, Field(ge=1, le=100_000)] = 30
    minutes: Annotated[float, Field(gt=0, le=43_200)] | None = None  # 30 days


class A3(_Declared):
    """The whole section.

    ``candidates`` are algorithm names, or dotted names of functions that return a
    scikit-learn estimator. ``adapt`` names a function from table to table, applied row
    by row inside the pipeline. ``rule`` is a one-line rule such as ``balance > 1000``.
    """

    candidates: Annotated[tuple[str, ...], Field(min_length=1)] = (
        "logistic_regression",
        "random_forest",
        "gradient_boosting",
    )
    rule: str | None = None
    adapt: str | None = None
    budget: Budget = Budget()
    folds: Annotated[int, Field(ge=2, le=20)] = 5
    seed: Annotated[int, Field(ge=0, le=2_000_000_000)] = 42  # what all learners take
