"""Each converter that is ours, against scikit-learn or LightGBM on rows made to part them."""

from __future__ import annotations

from typing import Any

import numpy as np
import onnx
import onnxruntime
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.compose import ColumnTransformer, TransformedTargetRegressor
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.neighbors import KNeighborsClassifier, KNeighborsRegressor
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import OneHotEncoder, PowerTransformer, StandardScaler, TargetEncoder

from qua3ck.a3 import convert

N = 200
FLOATS = st.floats(width=32, allow_nan=False, allow_infinity=False)
DOUBLES = st.floats(-3e38, 3e38, allow_nan=False)


def spec_of(table: pd.DataFrame, task: str = "binary") -> dict[str, Any]:
    """Return the prelude's declaration of a table that is prepared already."""
    kinds = ["number" if table[name].dtype.kind == "f" else "category" for name in table]
    columns = [
        {"name": name, "kind": kind, "indicator": False, "time": False, "words": False}
        for name, kind in zip(table, kinds, strict=True)
    ]
    return {"task": task, "classes": [], "columns": columns}


def answers(pipeline: Any, table: pd.DataFrame, task: str = "binary") -> np.ndarray:
    """Return what the graph says, asked through ONNX Runtime alone."""
    graph = convert.to_onnx(pipeline, spec_of(table, task))
    session = onnxruntime.InferenceSession(graph, providers=["CPUExecutionProvider"])
    fed = {}
    for at, name in enumerate(table):
        cells = table[name].to_numpy()
        kept = cells.astype(np.float32) if cells.dtype.kind == "f" else cells.astype(object)
        fed[f"c{at}"] = kept.reshape(-1, 1)
    (only,) = session.run(None, fed)
    return np.asarray(only)


def piped(table: pd.DataFrame, target: Any, step: Any, model: Any) -> Pipeline:
    made = Pipeline([("encode", ColumnTransformer([("all", step, list(table))])), ("model", model)])
    return made.fit(table, target)


def single(values: np.ndarray) -> np.ndarray:
    """Return doubles that a float32 holds exactly, as the prelude gives them."""
    return values.astype(np.float32).astype(np.float64)


def truth(table: pd.DataFrame) -> np.ndarray:
    first = table.iloc[:, 0]
    return np.where(first > first.median(), "yes", "no").astype(object)


@given(FLOATS, DOUBLES)
def test_a_threshold_in_float32_parts_the_same_numbers(x: float, threshold: float):
    (floored,) = convert._floor32([threshold])
    assert floored == np.float32(floored)
    assert (x <= threshold) == (np.float32(x) <= np.float32(floored))


@pytest.mark.parametrize("step", [StandardScaler(), PowerTransformer()])
def test_years_and_large_sums_are_scaled_in_double(step: Any):
    rng = np.random.default_rng(1)
    table = pd.DataFrame(
        {
            "year": single(rng.integers(1990, 2025, N).astype(float)),
            "sum": single(1e7 + rng.normal(0, 3, N)),
            "loss": single(rng.normal(-2, 5, N)),
        }
    )
    pipeline = piped(table, truth(table), step, LogisticRegression(max_iter=2000))
    assert np.abs(answers(pipeline, table) - pipeline.predict_proba(table)).max() < 1e-6


@pytest.mark.parametrize("power", [0.0, 1.0, 2.0, -1.3, 0.5])
def test_every_branch_of_yeo_johnson_is_the_same(power: float):
    values = np.concatenate([-np.logspace(-6, 3, 60), [0.0], np.logspace(-6, 3, 60)])
    table = pd.DataFrame({"x": single(values)})
    pipeline = piped(table, values, PowerTransformer(), Ridge())
    pipeline[0].named_transformers_["all"].lambdas_[:] = power
    wanted = pipeline.predict(table)
    got = answers(pipeline, table, "regression").reshape(-1)
    assert np.abs(got - wanted).max() <= 1e-5 * max(1.0, np.abs(wanted).max())


def test_numbers_on_a_boosted_trees_own_thresholds_go_the_same_way():
    from lightgbm import LGBMClassifier

    rng = np.random.default_rng(2)
    table = pd.DataFrame({"x": single(rng.normal(size=600)), "z": single(rng.normal(size=600))})
    target = np.where(table["x"] * table["z"] > 0, "yes", "no").astype(object)
    model = LGBMClassifier(n_estimators=30, min_child_samples=2, verbosity=-1, n_jobs=1)
    pipeline = piped(table, target, "passthrough", model)
    cuts = {float(t) for t in model.booster_.trees_to_dataframe()["threshold"].dropna()}
    near = np.array([cut for cut in sorted(cuts) if abs(cut) > 1e-30]).astype(np.float32)
    around = [near, np.nextafter(near, np.inf), np.nextafter(near, -np.inf), np.zeros(1)]
    probes = np.concatenate(around)
    asked = pd.DataFrame({"x": probes.astype(float), "z": probes[::-1].astype(float)})
    assert len(asked) > 300
    assert np.abs(answers(pipeline, asked) - pipeline.predict_proba(asked)).max() < 1e-6


@pytest.mark.parametrize("classes", [2, 3])
def test_many_categories_become_their_target_means_also_unseen_ones(classes: int):
    rng = np.random.default_rng(3)
    table = pd.DataFrame(
        {name: rng.choice([f"{name}{n}" for n in range(40)], N).astype(object) for name in "ab"}
    )
    target = rng.choice(["x", "y", "z"][:classes], N).astype(object)
    encoder = TargetEncoder(target_type="binary" if classes == 2 else "multiclass")
    pipeline = piped(table, target, encoder, LogisticRegression())
    asked = pd.concat([table, pd.DataFrame({"a": ["new", "ä"], "b": ["", "b1"]}, dtype=object)])
    got = answers(pipeline, asked, "multiclass")
    assert got.shape == (N + 2, classes)
    assert np.abs(got - pipeline.predict_proba(asked)).max() < 1e-6


@pytest.mark.parametrize("task", ["binary", "regression"])
def test_neighbours_far_from_zero_are_the_same_neighbours(task: str):
    rng = np.random.default_rng(4)
    table = pd.DataFrame({"x": single(1e4 + rng.normal(size=N)), "z": single(rng.normal(size=N))})
    numbers = task == "regression"
    target = rng.normal(size=N) if numbers else truth(table)
    kind = KNeighborsRegressor if numbers else KNeighborsClassifier
    pipeline = piped(table, target, StandardScaler(), kind(n_neighbors=7, algorithm="brute"))
    wanted = pipeline.predict(table) if numbers else pipeline.predict_proba(table)
    assert np.abs(answers(pipeline, table, task).reshape(wanted.shape) - wanted).max() < 1e-5


def test_a_target_that_was_scaled_comes_back_in_its_own_unit():
    rng = np.random.default_rng(5)
    table = pd.DataFrame({"x": single(rng.normal(size=N))})
    price = 250_000 + 40_000 * table["x"].to_numpy() + rng.normal(0, 1000, N)
    model = TransformedTargetRegressor(regressor=Ridge(), transformer=StandardScaler())
    pipeline = piped(table, price, StandardScaler(), model)
    got = answers(pipeline, table, "regression").reshape(-1)
    assert np.abs(got / pipeline.predict(table) - 1).max() < 1e-6


def test_columns_whose_names_a_converter_would_make_one_stay_apart():
    rng = np.random.default_rng(6)
    names = ["size (cm)", "size_cm_", "size.cm.", "größe", "1st"]
    table = pd.DataFrame({name: single(rng.normal(size=N)) for name in names})
    target = np.where(table["size (cm)"] - table["size_cm_"] > 0, "yes", "no").astype(object)
    pipeline = piped(table, target, StandardScaler(), LogisticRegression())
    assert np.abs(answers(pipeline, table) - pipeline.predict_proba(table)).max() < 1e-6
    assert list(pipeline.feature_names_in_) == names  # the trained pipeline keeps its names


def test_a_graph_has_one_output_and_is_the_same_bytes_again():
    rng = np.random.default_rng(7)
    table = pd.DataFrame({"x": single(rng.normal(size=N)), "c": rng.choice(["a", "b"], N)})
    table["c"] = table["c"].astype(object)
    made = Pipeline(
        [
            (
                "encode",
                ColumnTransformer(
                    [
                        ("n", StandardScaler(), ["x"]),
                        ("c", OneHotEncoder(handle_unknown="ignore", sparse_output=False), ["c"]),
                    ]
                ),
            ),
            ("model", LogisticRegression()),
        ]
    ).fit(table, truth(table))
    first, again = (convert.to_onnx(made, spec_of(table)) for _ in range(2))
    assert first == again
    graph = onnx.load_from_string(first).graph
    assert [out.name for out in graph.output] == [convert.OUTPUT_SCORES]
    assert [given.name for given in graph.input] == ["c0", "c1"]


def test_a_table_too_large_for_a_graph_is_refused(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(convert, "_LARGEST_TABLE", 100)
    table = pd.DataFrame({"x": np.arange(200.0)})
    pipeline = piped(table, truth(table), "passthrough", KNeighborsClassifier(algorithm="brute"))
    with pytest.raises(NotImplementedError, match="too many training rows"):
        convert.to_onnx(pipeline, spec_of(table))
