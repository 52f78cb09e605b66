from __future__ import annotations

import sys
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from sklearn.dummy import DummyClassifier
from sklearn.linear_model import LogisticRegression

from qua3ck.a3 import algorithms
from qua3ck.kit.errors import Qua3ckError

pytestmark = pytest.mark.filterwarnings(
    "ignore:Stochastic Optimizer:sklearn.exceptions.ConvergenceWarning"  # adapt.fit records it
)


def target(task: str, raw: np.ndarray) -> np.ndarray:
    if task == "regression":
        return raw * 1000 + 5000
    edges = [0.0] if task == "binary" else [-0.5, 0.5]
    return np.array(list("abc"), dtype=object)[np.digitize(raw, edges)]


def numbers(task: str) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    rows = rng.normal(size=(300, 4))
    return rows, target(task, rows[:, 0] + 0.3 * rng.normal(size=300))


def listed() -> list[tuple[str, Any]]:
    return [
        (name, task)
        for name, algorithm in algorithms.ALGORITHMS.items()
        for task in algorithm.tasks
    ]


def built(algorithm: algorithms.Algorithm, params: Any, task: Any) -> Any:
    own = {name: value for name, value in params.items() if name != algorithms.NUMBERS}
    return algorithm.build(own, 7, task, None)


@pytest.mark.parametrize(("name", "task"), listed())
def test_learns_better_than_chance_with_its_first_default(name: str, task: Any):
    algorithm = algorithms.find(name, task)
    rows, truth = numbers(task)
    model = built(algorithm, algorithm.defaults[0], task)
    score = model.fit(rows[:200], truth[:200]).score(rows[200:], truth[200:])
    assert score > (0.6 if task != "multiclass" else 0.55)


@pytest.mark.parametrize(("name", "task"), listed())
def test_the_same_seed_gives_the_same_model_on_any_number_of_threads(name: str, task: Any):
    algorithm = algorithms.find(name, task)
    rows, truth = numbers(task)
    answers = []
    for threads in (1, 2):
        model = built(algorithm, algorithm.defaults[0], task)
        threaded = isinstance(model.get_params().get("n_jobs"), int)
        if threaded:
            model.set_params(n_jobs=threads)
        model.fit(rows[:200], truth[:200])
        if threaded:
            model.set_params(n_jobs=1)
        ask = model.predict if task == "regression" else model.predict_proba
        answers.append(ask(rows[200:]))
    assert np.array_equal(*answers)


@pytest.mark.parametrize("name", algorithms.ALGORITHMS)
def test_every_default_lies_in_the_space(name: str):
    algorithm = algorithms.ALGORITHMS[name]
    spaces = algorithms.distributions(algorithm)
    assert set(spaces) == set(algorithm.space)
    for params in algorithm.defaults:
        for parameter, value in params.items():
            space = spaces[parameter]
            assert space._contains(space.to_internal_repr(value)), parameter


@pytest.mark.parametrize("name", ["logistic_regression", "linear_regression"])
def test_the_linear_model_is_the_one_the_task_needs(name: str):
    assert algorithms.find(name, "regression").name == "linear_regression"
    assert algorithms.find(name, "binary").name == "logistic_regression"


def test_knows_both_spellings():
    names = ("k_nearest_neighbours", "k_nearest_neighbors")
    assert len({algorithms.find(name, "binary").name for name in names}) == 1


def test_suggests_the_name_that_was_meant():
    with pytest.raises(Qua3ckError, match='did you mean "random_forest"'):
        algorithms.find("random_forrest", "binary")


def test_builds_what_the_users_function_returns():
    def mine(seed: int) -> Any:
        return LogisticRegression(C=seed)

    found = algorithms.find("features.mine", "binary", function=mine)
    model = found.build({}, 3, "binary", None)
    assert (model.C, model.random_state) == (3, 3)
    assert found.space == {}


@pytest.mark.parametrize(
    ("function", "words"),
    [
        (lambda: 3, "returned a int"),
        (lambda: 1 / 0, "ZeroDivisionError"),
        (lambda: algorithms.ALGORITHMS["linear_regression"].build({}, 1, "regression", None), "pr"),
    ],
)
def test_tells_what_a_users_function_did_wrong(function: Any, words: str):
    found = algorithms.find("features.mine", "binary", function=function)
    with pytest.raises(Qua3ckError, match=words):
        found.build({}, 3, "binary", None)


@pytest.mark.parametrize("name", ["nowhere.mine", "json.nothing", "json.__doc__"])
def test_says_that_there_is_no_such_function(name: str):
    with pytest.raises(Qua3ckError, match="function"):
        algorithms.find(name, "binary")


def test_proxies_are_counts_that_grow_with_the_model():
    rows, truth = numbers("binary")
    sizes, times = [], []
    for trees in (10, 40):
        model = algorithms.find("random_forest", "binary").build(
            {"n_estimators": trees}, 1, "binary", None
        )
        model.fit(rows, truth)
        sizes.append(algorithms.size_proxy_mb(model))
        times.append(algorithms.latency_proxy_ms(model))
    assert sizes[1] / sizes[0] == pytest.approx(4, rel=0.2)
    assert times[1] > times[0] > 0


def test_proxies_of_an_unknown_estimator_are_there():
    model = DummyClassifier().fit([[0.0], [1.0]], ["a", "b"])
    assert algorithms.size_proxy_mb(model) > 0
    assert algorithms.latency_proxy_ms(model) > 0


def test_class_weights_reach_every_algorithm_that_says_so():
    rows, truth = numbers("binary")
    for algorithm in algorithms.ALGORITHMS.values():
        if "binary" not in algorithm.tasks or not algorithm.weighs:
            continue
        shares = []
        for weights in (None, {"a": 1.0, "b": 20.0}):
            model = algorithm.build({}, 1, "binary", weights).fit(rows, truth)
            shares.append(model.predict_proba(rows)[:, 1].mean())
        assert shares[1] > shares[0] + 0.02, algorithm.name


def test_a_missing_library_of_the_system_is_said_before_the_search(monkeypatch):
    def find_spec(name, *_):
        if name == "lightgbm":
            raise OSError("libgomp.so.1: cannot open shared object file: No such file")

    finder = SimpleNamespace(find_spec=find_spec)
    monkeypatch.delitem(sys.modules, "lightgbm", raising=False)
    monkeypatch.setattr(sys, "meta_path", [finder, *sys.meta_path])
    with pytest.raises(Qua3ckError, match=r"library libgomp\.so\.1 is missing") as told:
        algorithms.find("gradient_boosting", "binary")
    assert (told.value.code, "libgomp1" in told.value.fix) == ("A022", True)
    assert algorithms.find("random_forest", "binary").name == "random_forest"
