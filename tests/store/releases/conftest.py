"""A small table with every kind of column, and artefacts made of it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import pytest

from qua3ck.a3 import adapt, algorithms, package
from qua3ck.store.releases import prelude

WORDS = ["flood", "über", "Straße", "rescue", "don't", "water", "house", "50%", "naïve", "team"]


class Case(NamedTuple):
    table: pd.DataFrame
    target: np.ndarray
    spec: dict[str, Any]


def column(name: str, kind: str, **more: Any) -> dict[str, Any]:
    plain = {"type": "", "indicator": False, "distinct": 0, "values": [], "time": False}
    return {"name": name, "kind": kind, "low": None, "high": None, "words": False, **plain, **more}


def make_case(task: str = "binary", rows: int = 240) -> Case:
    rng = np.random.default_rng(3)
    noise = rng.normal(size=rows)
    table = pd.DataFrame(
        {
            "age (years)": rng.integers(18, 80, rows),
            "income": np.where(rng.random(rows) < 0.2, np.nan, rng.lognormal(8, 1, rows)),
            "home": rng.choice(["own", "rent", "Überlingen", None], rows),
            "seen on": pd.Timestamp("2024-01-01")
            + pd.to_timedelta(rng.integers(0, 500, rows), "D"),
            "member": rng.random(rows) < 0.4,
            "note": [" ".join(rng.choice(WORDS, rng.integers(2, 9))) for _ in range(rows)],
        }
    )
    raw = table["age (years)"] / 20 + (table["home"] == "rent") + noise
    if task == "regression":
        target = raw.to_numpy(dtype=float)
    else:
        names = ["no", "yes"] if task == "binary" else ["high", "low", "mid"]
        cuts = pd.qcut(raw, len(names), labels=names)
        target = np.array([str(cut) for cut in cuts], dtype=object)
    classes = [] if task == "regression" else sorted(set(target))
    spec = {
        "version": 1,
        "task": task,
        "classes": classes,
        "positive": "yes" if task == "binary" else "",
        "threshold": 0.5,
        "ignored": ["outcome"],
        "columns": [
            column("age (years)", "number", type="int64"),
            column("income", "number", type="double", indicator=True),
            column("home", "category", type="string", indicator=True, values=["own", "rent"]),
            column("seen on", "date", type="timestamp[us]"),
            column("member", "bool", type="bool"),
            column("note", "text", type="string", words=True),
        ],
    }
    return Case(table, target, spec)


def fitted(case: Case, name: str, rows: slice = slice(None), **params: Any) -> Any:
    algorithm = algorithms.find(name, case.spec["task"])
    pipeline = adapt.build_pipeline(case.spec, algorithm, params, 7)
    adapt.fit(pipeline, prelude.prepare(case.table[rows], case.spec), case.target[rows])
    return pipeline


@pytest.fixture(scope="session")
def case() -> Case:
    return make_case()


@pytest.fixture(scope="session")
def case_of() -> Callable[[str], Case]:
    return make_case


@pytest.fixture(scope="session")
def fit() -> Callable[..., Any]:
    return fitted


@pytest.fixture(scope="session", params=["onnx", "skops"])
def artefact(request: pytest.FixtureRequest, case: Case, tmp_path_factory: Any) -> tuple[Path, str]:
    folder = tmp_path_factory.mktemp(request.param) / "artefact"
    return folder, write(case, folder, request.param)


def write(case: Case, folder: Path, form: Any, **params: Any) -> str:
    pipeline = fitted(case, "gradient_boosting", slice(180), n_estimators=15, **params)
    made = package.package(
        pipeline,
        case.spec,
        folder=folder,
        held_out=prelude.prepare(case.table[180:], case.spec),
        training=case.table[:180],
        algorithm="gradient_boosting",
        seed=1,
        choice=package.Choice(form, "as the test asks"),
    )
    assert made.model_format == form
    return made.digest


@pytest.fixture(scope="session")
def onnx_artefact(case: Case, tmp_path_factory: Any) -> tuple[Path, str]:
    folder = tmp_path_factory.mktemp("one") / "artefact"
    return folder, write(case, folder, "onnx")
