"""A pipeline that is run part by part answers as scikit-learn's whole one does, to the last bit."""

from __future__ import annotations

import copy
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.compose import ColumnTransformer
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import FunctionTransformer

from qua3ck.a3 import adapt, algorithms
from qua3ck.store.releases import prelude, runner

SHAPES = {
    "all kinds": {},
    "without text": {"drop": "note"},
    "many categories": {"distinct": 80},
    "numbers alone": {"keep": ("age (years)", "income")},
    "text alone": {"keep": ("note",)},
}


def shaped(case: Any, keep: tuple[str, ...] = (), drop: str = "", distinct: int = 0) -> Any:
    spec = copy.deepcopy(case.spec)
    names = keep or tuple(c["name"] for c in spec["columns"] if c["name"] != drop)
    spec["columns"] = [c for c in spec["columns"] if c["name"] in names]
    for column in spec["columns"]:
        if column["kind"] == "category":
            column["distinct"] = distinct
    return case._replace(table=case.table[list(names)], spec=spec)


def whole(pipeline: Any, prepared: pd.DataFrame, task: str) -> np.ndarray:
    act = pipeline.predict if task == "regression" else pipeline.predict_proba
    return np.asarray(act(prepared), dtype=np.float64).reshape(len(prepared), -1)


def cells_of(prepared: pd.DataFrame) -> dict[str, np.ndarray]:
    """Return the rows as a server has them: no table."""
    return {name: np.asarray(prepared[name]) for name in prepared}


def never(*_: Any) -> Any:
    pytest.fail("the whole was asked")


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize(
    ("name", "task", "params"),
    [
        ("gradient_boosting", "binary", {"n_estimators": 10}),
        ("gradient_boosting", "multiclass", {"n_estimators": 10}),
        ("gradient_boosting", "regression", {"n_estimators": 10}),
        ("linear_regression", "regression", {}),
        ("logistic_regression", "binary", {}),
        ("logistic_regression", "multiclass", {}),
        ("logistic_regression", "binary", {"numbers": "power"}),
        ("random_forest", "binary", {"n_estimators": 10}),
        ("random_forest", "multiclass", {"n_estimators": 10}),
        ("random_forest", "regression", {"n_estimators": 10}),
        ("k_nearest_neighbors", "binary", {}),
    ],
)
def test_the_parts_answer_as_the_whole(shape, name, task, params, case_of, fit, monkeypatch):
    case = shaped(case_of(task), **SHAPES[shape])
    pipeline = fit(case, name, slice(180), **params)
    run = runner.run_fitted(pipeline, task=task)
    rows = prelude.prepare(strange(case.table[180:]), case.spec)
    wanted = whole(pipeline, rows, task)
    alone = whole(pipeline, rows.iloc[[7, 7]], task)[:1]  # as it is given to any model
    assert np.array_equal(run(rows[:3]), whole(pipeline, rows[:3], task))  # the parts are proven
    with monkeypatch.context() as patched:
        patched.setattr(ColumnTransformer, "transform", never)
        assert np.array_equal(run(rows), wanted)
        assert np.array_equal(run(cells_of(rows)), wanted)
        assert np.array_equal(run(rows.iloc[[7]]), alone)
        assert np.array_equal(run(cells_of(rows.iloc[[7]])), alone)
    assert np.array_equal(whole(pipeline, rows, task), wanted)


def strange(table: pd.DataFrame) -> pd.DataFrame:
    """Return rows of which some hold what training never had."""
    made = table.reset_index(drop=True)
    for name, cell in (("home", "a castle"), ("note", "nobody wrote this"), ("income", np.nan)):
        if name in made:
            made.loc[[1, 7], name] = cell
    if "note" in made:
        made.loc[2, "note"] = ""
    return made


@pytest.mark.parametrize("step", ["_one_hot", "_imputer", "_scaler", "_weigher", "_model"])
def test_parts_that_answer_otherwise_are_not_used(step, case, fit, monkeypatch):
    pipeline = fit(case, "logistic_regression")
    rows = prelude.prepare(case.table[:9], case.spec)
    before = whole(pipeline, rows, "binary")
    made = getattr(runner, step)
    monkeypatch.setattr(
        runner, step, lambda *given: lambda cells: made(*given)(cells) * (1 + 1e-12)
    )
    run = runner.run_fitted(pipeline, task="binary")
    for _ in range(2):
        assert np.array_equal(run(rows), before)


def test_blocks_of_many_rows_are_those_of_a_table(case, fit):
    pipeline = fit(case, "random_forest", n_estimators=5)
    rows = prelude.prepare(pd.concat([case.table] * 5)[: 2 * runner.BLOCK + 1], case.spec)
    run = runner.run_fitted(pipeline, task="binary")
    assert np.array_equal(run(rows), run(cells_of(rows)))
    assert len(run(rows)) == 2 * runner.BLOCK + 1


def older(table: pd.DataFrame) -> pd.DataFrame:
    return table.assign(older=table["age (years)"] * 2)


def test_what_holds_a_users_step_stays_whole(case):
    prepared = prelude.prepare(case.table, case.spec)
    found = algorithms.find("logistic_regression", "binary")
    own = adapt.build_pipeline(case.spec, found, {}, 1, adapt=older, sample=prepared.head())
    adapt.fit(own, prepared, case.target)
    for given in (prepared, cells_of(prepared)):
        assert np.array_equal(
            runner.run_fitted(own, task="binary")(given), whole(own, prepared, "binary")
        )
    inside = Pipeline(
        [
            ("encode", ColumnTransformer([("own", FunctionTransformer(), ["age (years)"])])),
            ("model", found.build({}, 1, "binary", None)),
        ]
    )
    adapt.fit(inside, prepared, case.target)
    assert np.array_equal(
        runner.run_fitted(inside, task="binary")(prepared), whole(inside, prepared, "binary")
    )
