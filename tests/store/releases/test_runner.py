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


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize(
    ("name", "task", "params"),
    [
        ("gradient_boosting", "binary", {"n_estimators": 10}),
        ("logistic_regression", "multiclass", {}),
        ("logistic_regression", "binary", {"numbers": "power"}),
        ("random_forest", "regression", {"n_estimators": 10}),
        ("k_nearest_neighbors", "binary", {}),
    ],
)
def test_the_parts_answer_as_the_whole(shape, name, task, params, case_of, fit, recwarn):
    case = shaped(case_of(task), **SHAPES[shape])
    pipeline = fit(case, name, slice(180), **params)
    run = runner.run_fitted(pipeline, task=task)
    rows = prelude.prepare(case.table[180:], case.spec)
    assert np.array_equal(run(rows), whole(pipeline, rows, task))
    alone = whole(pipeline, rows.iloc[[7, 7]], task)[:1]  # as it is given to any model
    assert np.array_equal(run(rows.iloc[[7]]), alone)
    assert [str(one.message) for one in recwarn] == []


def test_the_whole_is_not_asked_and_not_changed(case, fit, monkeypatch):
    pipeline = fit(case, "gradient_boosting", n_estimators=5)
    rows = prelude.prepare(case.table[:3], case.spec)
    before = whole(pipeline, rows, "binary")
    run = runner.run_fitted(pipeline, task="binary")
    assert list(pipeline[0].feature_names_in_) == list(rows.columns)
    with monkeypatch.context() as patched:
        patched.setattr(ColumnTransformer, "transform", lambda *_: pytest.fail("cut up a table"))
        assert np.array_equal(run(rows), before)
    assert np.array_equal(whole(pipeline, rows, "binary"), before)


def older(table: pd.DataFrame) -> pd.DataFrame:
    return table.assign(older=table["age (years)"] * 2)


def test_what_holds_a_users_step_stays_whole(case):
    prepared = prelude.prepare(case.table, case.spec)
    found = algorithms.find("logistic_regression", "binary")
    own = adapt.build_pipeline(case.spec, found, {}, 1, adapt=older, sample=prepared.head())
    adapt.fit(own, prepared, case.target)
    assert np.array_equal(
        runner.run_fitted(own, task="binary")(prepared), whole(own, prepared, "binary")
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
