from __future__ import annotations

import threading
import warnings
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.base import BaseEstimator
from sklearn.compose import ColumnTransformer
from sklearn.pipeline import Pipeline
from sklearn.utils.parallel import Parallel, delayed

from qua3ck.a3 import adapt, algorithms
from qua3ck.kit.errors import Qua3ckError
from qua3ck.store.releases import prelude
from qua3ck.understand.records import Column, Pinned, Snapshot, Split


def snapshot(*columns: Column, task: Any = "binary") -> Snapshot:
    classes = () if task == "regression" else ("no", "yes")
    return Snapshot(
        id="s",
        project="p",
        sources=(),
        gold=Pinned("gold/training", 1, 10, ""),
        target="y",
        task=task,
        order="independent",
        classes=classes,
        positive=classes[-1] if classes else "",
        time="",
        cluster="",
        columns=(*columns, Column("y", "category", "string", "target")),
        split=Split("random", "content", 0.2, 8, 2),
        seal="",
        code_digest="",
        profile="",
        profile_digest="",
        findings=(),
    )


AGE = Column("age", "number", "int64", "feature", indicator=True)
HOME = Column("home", "category", "string", "feature", distinct=3)
TOWN = Column("town", "category", "string", "feature", distinct=80)
SEEN = Column("seen", "date", "timestamp[us]", "feature")
DAY = Column("day", "date", "date32[day]", "feature")
NOTE = Column("note", "text", "string", "feature")
SEX = Column("sex", "category", "string", "sensitive")


def rows(count: int = 200) -> tuple[pd.DataFrame, np.ndarray]:
    rng = np.random.default_rng(5)
    town = rng.integers(0, 80, count)
    table = pd.DataFrame(
        {
            "age": np.where(rng.random(count) < 0.1, np.nan, rng.integers(18, 90, count)),
            "home": rng.choice(["own", "rent", "other"], count),
            "town": [f"t{number}" for number in town],
            "seen": pd.Timestamp("2024-01-01") + pd.to_timedelta(rng.integers(0, 9000, count), "h"),
            "note": rng.choice(["flood here", "all dry", "flood over there"], count),
        }
    )
    chance = 0.15 + 0.7 * (town % 2)
    return table, np.where(rng.random(count) < chance, "yes", "no").astype(object)


def test_declares_the_features_and_passes_over_the_rest():
    spec = adapt.prelude_spec(snapshot(AGE, SEX, SEEN, DAY), threshold=0.2)
    assert [column["name"] for column in spec["columns"]] == ["age", "seen", "day"]
    assert spec["ignored"] == ["sex", "y"]
    assert spec["threshold"] == 0.2
    assert spec["outputs"] == ["label", "p_no", "p_yes"]
    assert [column["time"] for column in spec["columns"]] == [False, True, False]
    names = [name for name, _ in prelude.inputs(spec)]
    assert "age__missing" in names
    assert "seen__hour" in names
    assert "day__hour" not in names


def test_refuses_a_table_without_features_and_names_that_clash():
    with pytest.raises(Qua3ckError, match="No column is left"):
        adapt.prelude_spec(snapshot(SEX))
    clash = Column("age__missing", "number", "int64", "feature")
    with pytest.raises(Qua3ckError, match='same model input "age__missing"'):
        adapt.prelude_spec(snapshot(AGE, clash))


@pytest.mark.parametrize("name", ["logistic_regression", "gradient_boosting"])
def test_one_hot_for_few_categories_and_target_means_for_many(name: str):
    spec = adapt.prelude_spec(snapshot(AGE, HOME, TOWN, SEEN, NOTE))
    pipeline = adapt.build_pipeline(spec, algorithms.find(name, "binary"), {}, 1)
    encode = pipeline.named_steps["encode"]
    assert isinstance(encode, ColumnTransformer)
    given = {part: columns for part, _, columns in encode.transformers}
    assert given["categories"] == ["home"]
    assert given["many_categories"] == ["town"]
    assert given["text_0"] == "note"


@pytest.mark.parametrize("name", list(algorithms.ALGORITHMS)[:1] + list(algorithms.ALGORITHMS)[2:])
def test_answers_unseen_categories_nulls_and_new_words(name: str):
    spec = adapt.prelude_spec(snapshot(AGE, HOME, TOWN, SEEN, NOTE))
    table, truth = rows()
    pipeline = adapt.build_pipeline(spec, algorithms.find(name, "binary"), {}, 1)
    adapt.fit(pipeline, prelude.prepare(table, spec), truth)
    strange = pd.DataFrame(
        {"age": [None], "home": ["palace"], "town": [None], "seen": [None], "note": ["zebra"]}
    )
    got = adapt.scores(pipeline, prelude.prepare(strange, spec), spec)
    assert got.shape == (1, 2)
    assert got.sum() == pytest.approx(1)


def test_target_means_do_not_leak_the_own_row():
    spec = adapt.prelude_spec(snapshot(TOWN))
    rng = np.random.default_rng(0)
    table = pd.DataFrame({"town": [f"t{n}" for n in range(400)]})
    truth = rng.choice(["no", "yes"], 400).astype(object)
    pipeline = adapt.build_pipeline(spec, algorithms.find("decision_tree", "binary"), {}, 1)
    prepared = prelude.prepare(table, spec)
    adapt.fit(pipeline, prepared, truth)
    encode = adapt.build_pipeline(spec, algorithms.find("decision_tree", "binary"), {}, 1)[0]
    inside = encode.fit_transform(prepared, truth)[:, 0]
    assert abs(np.corrcoef(inside, truth == "yes")[0, 1]) < 0.2


def test_the_pipeline_holds_only_types_that_may_leave_the_house():
    spec = adapt.prelude_spec(snapshot(AGE, HOME, TOWN, SEEN, NOTE))
    for algorithm in algorithms.ALGORITHMS.values():
        if "binary" not in algorithm.tasks:
            continue
        pipeline = adapt.build_pipeline(spec, algorithm, algorithm.defaults[-1], 1)
        types = {type(value).__module__.split(".")[0] for value in pipeline.get_params().values()}
        assert types <= {"sklearn", "lightgbm", "builtins", "numpy"}, algorithm.name


def test_the_choice_of_scale_is_taken_out_of_the_parameters():
    spec = adapt.prelude_spec(snapshot(AGE))
    found = algorithms.find("logistic_regression", "binary")
    pipeline = adapt.build_pipeline(spec, found, {"C": 2.0, "numbers": "power"}, 1)
    assert pipeline[-1].C == 2.0
    assert "PowerTransformer" in repr(pipeline)


def test_records_what_the_libraries_say_instead_of_printing_it(recwarn: pytest.WarningsRecorder):
    spec = adapt.prelude_spec(snapshot(AGE, HOME))
    table, truth = rows(60)
    found = algorithms.find("multilayer_perceptron", "binary")
    pipeline = adapt.build_pipeline(spec, found, {"alpha": 1e-5}, 1)
    pipeline.set_params(model__max_iter=2)
    said = adapt.fit(pipeline, prelude.prepare(table, spec), truth)
    assert len(said) == 1
    assert "converged" in said[0]
    assert len(recwarn) == 0


class Talkative(BaseEstimator):
    """Fits on threads that warn in a given order, with or without the filters they were given."""

    def __init__(self, order: tuple[int, ...] = (0, 1), spoilt: bool = False) -> None:
        self.order = order
        self.spoilt = spoilt

    def fit(self, rows: Any, target: Any) -> Talkative:
        del rows, target
        turns = {one: threading.Event() for one in (*self.order, None)}
        turns[self.order[0]].set()

        def task(number: int) -> None:
            assert turns[number].wait(20)
            warnings.warn(f"thread {number} did not converge", RuntimeWarning, stacklevel=1)
            after = [*self.order, None]
            turns[after[after.index(number) + 1]].set()

        if self.spoilt:  # as another thread's reset leaves it
            warnings.resetwarnings()
        Parallel(n_jobs=2, backend="threading")(delayed(task)(number) for number in (0, 1))
        warnings.warn("and the fit as a whole neither", RuntimeWarning, stacklevel=1)
        return self


def test_what_is_recorded_does_not_depend_on_how_threads_run(recwarn: pytest.WarningsRecorder):
    heard = {
        adapt.fit(Pipeline([("model", Talkative(order, spoilt))]), pd.DataFrame({"x": [1]}), [1])
        for order in ((0, 1), (1, 0))
        for spoilt in (False, True)
    }
    assert heard == {
        (
            "and the fit as a whole neither",
            "thread 0 did not converge",
            "thread 1 did not converge",
        )
    }
    assert len(recwarn) == 0


def test_a_class_missing_from_a_fold_gets_nothing():
    spec = {**adapt.prelude_spec(snapshot(AGE)), "task": "multiclass", "classes": ["a", "b", "c"]}
    table = pd.DataFrame({"age": [1.0, 2.0, 3.0, 4.0] * 5})
    truth = np.array(["a", "c", "c", "a"] * 5, dtype=object)
    pipeline = adapt.build_pipeline(spec, algorithms.find("decision_tree", "multiclass"), {}, 1)
    prepared = prelude.prepare(table, spec)
    adapt.fit(pipeline, prepared, truth)
    assert (adapt.scores(pipeline, prepared, spec)[:, 1] == 0).all()


def test_regression_answers_in_the_targets_unit():
    spec = adapt.prelude_spec(snapshot(AGE, task="regression"))
    table = pd.DataFrame({"age": np.arange(300.0)})
    truth = 5e4 + 100 * np.arange(300.0)
    for name in ("linear_regression", "multilayer_perceptron", "gradient_boosting"):
        found = algorithms.find(name, "regression")
        pipeline = adapt.build_pipeline(spec, found, {}, 1)
        prepared = prelude.prepare(table, spec)
        adapt.fit(pipeline, prepared, truth)
        assert np.corrcoef(adapt.values(pipeline, prepared), truth)[0, 1] > 0.95, name


def older(table: pd.DataFrame) -> pd.DataFrame:
    return table.assign(older=table["age"] * 2, band=np.where(table["age"] > 50, "old", "young"))


def test_a_users_function_adds_numbers_and_categories():
    spec = adapt.prelude_spec(snapshot(AGE, HOME))
    table, truth = rows()
    prepared = prelude.prepare(table, spec)
    found = algorithms.find("logistic_regression", "binary")
    pipeline = adapt.build_pipeline(spec, found, {}, 1, adapt=older, sample=prepared.head())
    given = {part: columns for part, _, columns in pipeline.named_steps["encode"].transformers}
    assert "older" in given["numbers"]
    assert given["categories"] == ["home", "band"]
    adapt.fit(pipeline, prepared, truth)
    assert adapt.scores(pipeline, prepared, spec).shape == (200, 2)


@pytest.mark.parametrize(
    ("function", "words"),
    [
        (lambda table: table["nothing"], "KeyError"),
        (lambda table: table.head(1), "1 rows for a table of 5"),
        (lambda table: 3, "returned int"),
    ],
)
def test_tells_what_a_users_function_did_wrong(function: Any, words: str):
    spec = adapt.prelude_spec(snapshot(AGE))
    prepared = prelude.prepare(rows()[0][["age"]], spec).head()
    found = algorithms.find("logistic_regression", "binary")
    with pytest.raises(Qua3ckError, match=words):
        adapt.build_pipeline(spec, found, {}, 1, adapt=function, sample=prepared)
