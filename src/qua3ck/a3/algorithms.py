"""Which algorithms a project may name, how each is built, and what to try first.

Every estimator is a scikit-learn or LightGBM type, so that a release can leave the house
without this package; every one gives the same result for a seed on any number of cores.
"""

from __future__ import annotations

import importlib
import inspect
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from qua3ck.kit.errors import Qua3ckError, did_you_mean
from qua3ck.understand.records import Task

if TYPE_CHECKING:
    from optuna.distributions import BaseDistribution

NUMBERS = "numbers"
Weights = Mapping[str, float] | Literal["balanced"] | None
Build = Callable[[Mapping[str, Any], int, Task, Weights], Any]
_CLASSIFY: tuple[Task, ...] = ("binary", "multiclass")
_ALL: tuple[Task, ...] = (*_CLASSIFY, "regression")


@dataclass(frozen=True)
class Range:
    """Numbers from ``low`` to ``high``, both included; ``log`` searches by factors."""

    low: float
    high: float
    log: bool = False
    whole: bool = False


@dataclass(frozen=True)
class Choice:
    """One of several values."""

    options: tuple[str | float | int | bool | None, ...]


@dataclass(frozen=True)
class Algorithm:
    """One algorithm by the name that a project file uses.

    Attributes
    ----------
    name, title : str
        As in the project file, and as in a report.
    tasks : tuple of str
        What it can be used for.
    build : callable
        ``build(params, seed, task, class_weight)`` returns an unfitted estimator.
        ``class_weight`` is ignored where the algorithm has none (``weighs`` is False).
    space : mapping
        Parameter name to :class:`Range` or :class:`Choice`; empty for a user's function.
        ``numbers`` is not the estimator's: the feature adaptation takes it out.
    defaults : tuple of mappings
        Parameter sets to try before any search, the best quick one first.
    explainable : bool
        Whether a person can follow one decision from the fitted numbers.
    encoding : {"scaled", "tree"}
        What the feature adaptation must do for it.
    weighs : bool
        Whether it takes class weights.
    keeps_rows : bool
        Whether the fitted model holds training rows (a release then carries them).
    """

    name: str
    title: str
    tasks: tuple[Task, ...]
    build: Build
    space: Mapping[str, Range | Choice]
    defaults: tuple[Mapping[str, Any], ...]
    explainable: bool
    encoding: Literal["scaled", "tree"]
    weighs: bool = True
    keeps_rows: bool = False


def find(name: str, task: Task, *, function: Callable[..., Any] | None = None) -> Algorithm:
    """Return the algorithm that a project file names.

    Parameters
    ----------
    name : str
        A name of :data:`ALGORITHMS`; ``logistic_regression`` and ``linear_regression``
        are one entry that means what the task needs; or a dotted name of a function
        that returns a scikit-learn estimator.
    task : {"binary", "multiclass", "regression"}
        What the target asks for.
    function : callable, optional
        The function behind a dotted name, where the caller has loaded it already.

    Raises
    ------
    Qua3ckError
        If there is no such name, it cannot do the task, or what it needs of the system is
        missing.
    """
    plain = _SPELLINGS.get(name, name)
    if plain in ("linear_regression", "logistic_regression"):
        plain = "linear_regression" if task == "regression" else "logistic_regression"
    if plain == "gradient_boosting":
        _refuse_without_openmp()
    if plain in ALGORITHMS:
        return ALGORITHMS[plain]
    if "." in name or function is not None:
        return _from_user(name, function or _load(name))
    raise Qua3ckError(
        f'Unknown algorithm "{name}"{did_you_mean(name, ALGORITHMS)}',
        where="a3.candidates",
        fix=f"use one of: {', '.join(ALGORITHMS)}; or module.function of your own",
    )


def _refuse_without_openmp() -> None:
    """Say before the search what LightGBM lacks: its wheel leaves OpenMP to the system."""
    try:
        importlib.import_module("lightgbm")
    except OSError as problem:
        library = str(problem).partition(":")[0]
        raise Qua3ckError(
            f"gradient_boosting cannot run here: the system's library {library} is missing",
            where="a3.candidates, gradient_boosting (LightGBM)",
            fix="install it (Debian, Ubuntu: apt-get install libgomp1; macOS: brew install libomp),"
            " or leave gradient_boosting out of a3.candidates",
            code="A022",
        ) from problem


def distributions(algorithm: Algorithm) -> dict[str, BaseDistribution]:
    """Return the algorithm's space in Optuna's words."""
    from optuna import distributions as of

    made: dict[str, BaseDistribution] = {}
    for name, wanted in algorithm.space.items():
        if isinstance(wanted, Choice):
            made[name] = of.CategoricalDistribution(wanted.options)
        elif wanted.whole:
            made[name] = of.IntDistribution(int(wanted.low), int(wanted.high), log=wanted.log)
        else:
            made[name] = of.FloatDistribution(wanted.low, wanted.high, log=wanted.log)
    return made


def latency_proxy_ms(pipeline: Any) -> float:
    """Return about how long one row takes, from counts in the fitted pipeline.

    Counts, never a clock: the loop must choose the same candidate on every machine. The
    constants are one core of a 2023 laptop running the packaged model; the real latency
    is measured once, when the sealed rows are opened.
    """
    columns = int(getattr(pipeline, "n_features_in_", 0))
    steps = 0.2 + 0.06 * columns + 2e-6 * _numbers_held(_adapter(pipeline))
    return round(steps + _work_ns(_estimator(pipeline)) * 1e-6, 6)


def size_proxy_mb(pipeline: Any) -> float:
    """Return about how large the packaged model is, in MB, from counts in the pipeline."""
    estimator = _estimator(pipeline)
    nodes = _tree_nodes(estimator)
    held = _numbers_held(_adapter(pipeline))
    held += 0 if nodes else _numbers_held(estimator)
    classes = len(getattr(estimator, "classes_", ()))
    one_tree_per_class = hasattr(estimator, "booster_")
    per_node = 33 + 6 * (classes if classes > 2 and not one_tree_per_class else 1)
    return round((2_000 + nodes * per_node + held * 4) / 1e6, 6)


def _logistic(params: Mapping[str, Any], seed: int, task: Task, weights: Weights) -> Any:
    from sklearn.linear_model import LogisticRegression

    del task
    return LogisticRegression(
        C=params.get("C", 1.0), max_iter=2000, class_weight=weights, random_state=seed
    )


def _linear(params: Mapping[str, Any], seed: int, task: Task, weights: Weights) -> Any:
    from sklearn.linear_model import Ridge

    del task, weights
    return Ridge(alpha=params.get("alpha", 1.0), random_state=seed)


def _tree(params: Mapping[str, Any], seed: int, task: Task, weights: Weights) -> Any:
    from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

    given = {"max_depth": 5, "min_samples_leaf": 10, **params}
    if task == "regression":
        return DecisionTreeRegressor(random_state=seed, **given)
    return DecisionTreeClassifier(random_state=seed, class_weight=weights, **given)


def _neighbors(params: Mapping[str, Any], seed: int, task: Task, weights: Weights) -> Any:
    from sklearn.neighbors import KNeighborsClassifier, KNeighborsRegressor

    del seed, weights
    kind = KNeighborsRegressor if task == "regression" else KNeighborsClassifier
    return kind(algorithm="brute", n_jobs=1, **{"n_neighbors": 15, **params})


def _forest(params: Mapping[str, Any], seed: int, task: Task, weights: Weights) -> Any:
    from sklearn.ensemble import RandomForestClassifier, RandomForestRegressor

    given = {"n_estimators": 100, "min_samples_leaf": 3, **params}
    if task == "regression":
        return RandomForestRegressor(random_state=seed, n_jobs=2, **given)
    return RandomForestClassifier(random_state=seed, n_jobs=2, class_weight=weights, **given)


def _boosting(params: Mapping[str, Any], seed: int, task: Task, weights: Weights) -> Any:
    from lightgbm import LGBMClassifier, LGBMRegressor

    # One thread: on a shared machine OpenMP's waiting threads made it ten times slower.
    fixed: dict[str, Any] = {
        "random_state": seed,
        "deterministic": True,
        "force_row_wise": True,
        "n_jobs": 1,
        "verbosity": -1,
        "subsample_freq": 1,
    }
    if task == "regression":
        return LGBMRegressor(**fixed, **params)
    return LGBMClassifier(class_weight=weights, **fixed, **params)


def _perceptron(params: Mapping[str, Any], seed: int, task: Task, weights: Weights) -> Any:
    from sklearn.compose import TransformedTargetRegressor
    from sklearn.neural_network import MLPClassifier, MLPRegressor
    from sklearn.preprocessing import StandardScaler

    del weights
    given: dict[str, Any] = {"alpha": 1e-2, "learning_rate_init": 3e-3, **params}
    layers = tuple(int(width) for width in str(given.pop("layers", "32")).split("-"))
    fixed: dict[str, Any] = {
        "hidden_layer_sizes": layers,
        "max_iter": 200,
        "n_iter_no_change": 8,
        "random_state": seed,
    }
    if task != "regression":
        return MLPClassifier(**fixed, **given)
    network = MLPRegressor(**fixed, **given)
    return TransformedTargetRegressor(regressor=network, transformer=StandardScaler())


_SCALES = Choice(("standard", "power"))

ALGORITHMS: Mapping[str, Algorithm] = {
    listed.name: listed
    for listed in (
        Algorithm(
            name="logistic_regression",
            title="Logistic regression",
            tasks=_CLASSIFY,
            build=_logistic,
            space={"C": Range(1e-3, 1e2, log=True), NUMBERS: _SCALES},
            defaults=({"C": 1.0, NUMBERS: "standard"}, {"C": 0.3, NUMBERS: "power"}),
            explainable=True,
            encoding="scaled",
        ),
        Algorithm(
            name="linear_regression",
            title="Linear regression (ridge)",
            tasks=("regression",),
            build=_linear,
            space={"alpha": Range(1e-3, 1e3, log=True), NUMBERS: _SCALES},
            defaults=({"alpha": 1.0, NUMBERS: "standard"}, {"alpha": 10.0, NUMBERS: "power"}),
            explainable=True,
            encoding="scaled",
            weighs=False,
        ),
        Algorithm(
            name="decision_tree",
            title="Decision tree",
            tasks=_ALL,
            build=_tree,
            space={
                "max_depth": Range(2, 14, whole=True),
                "min_samples_leaf": Range(1, 100, log=True, whole=True),
            },
            defaults=(
                {"max_depth": 5, "min_samples_leaf": 10},
                {"max_depth": 8, "min_samples_leaf": 40},
            ),
            explainable=True,
            encoding="tree",
        ),
        Algorithm(
            name="k_nearest_neighbors",
            title="k nearest neighbours",
            tasks=_ALL,
            build=_neighbors,
            space={"n_neighbors": Range(3, 75, log=True, whole=True), NUMBERS: _SCALES},
            defaults=(
                {"n_neighbors": 15, NUMBERS: "standard"},
                {"n_neighbors": 40, NUMBERS: "power"},
            ),
            explainable=False,
            encoding="scaled",
            weighs=False,
            keeps_rows=True,
        ),
        Algorithm(
            name="random_forest",
            title="Random forest",
            tasks=_ALL,
            build=_forest,
            space={
                "n_estimators": Range(50, 200, log=True, whole=True),
                "max_depth": Range(4, 24, whole=True),
                "min_samples_leaf": Range(1, 50, log=True, whole=True),
                "max_features": Range(0.1, 1.0),
            },
            defaults=(
                {
                    "n_estimators": 100,
                    "max_depth": 16,
                    "min_samples_leaf": 3,
                    "max_features": 0.35,
                },
                {
                    "n_estimators": 100,
                    "max_depth": 10,
                    "min_samples_leaf": 10,
                    "max_features": 0.5,
                },
            ),
            explainable=False,
            encoding="tree",
        ),
        Algorithm(
            name="gradient_boosting",
            title="Gradient boosting (LightGBM)",
            tasks=_ALL,
            build=_boosting,
            space={
                "n_estimators": Range(50, 500, log=True, whole=True),
                "learning_rate": Range(0.01, 0.3, log=True),
                "num_leaves": Range(4, 64, log=True, whole=True),
                "min_child_samples": Range(5, 100, log=True, whole=True),
                "reg_lambda": Range(1e-3, 10.0, log=True),
                "colsample_bytree": Range(0.4, 1.0),
                "subsample": Range(0.5, 1.0),
            },
            defaults=(
                {
                    "n_estimators": 150,
                    "learning_rate": 0.05,
                    "num_leaves": 15,
                    "min_child_samples": 20,
                    "reg_lambda": 1.0,
                    "colsample_bytree": 0.8,
                    "subsample": 0.8,
                },
                {
                    "n_estimators": 100,
                    "learning_rate": 0.1,
                    "num_leaves": 31,
                    "min_child_samples": 20,
                    "reg_lambda": 0.001,
                    "colsample_bytree": 1.0,
                    "subsample": 1.0,
                },
            ),
            explainable=False,
            encoding="tree",
        ),
        Algorithm(
            name="multilayer_perceptron",
            title="Multilayer perceptron",
            tasks=_ALL,
            build=_perceptron,
            space={
                "layers": Choice(("16", "32", "64", "64-32")),
                "alpha": Range(1e-4, 1.0, log=True),
                "learning_rate_init": Range(5e-4, 2e-2, log=True),
                NUMBERS: _SCALES,
            },
            defaults=(
                {"layers": "32", "alpha": 1e-2, "learning_rate_init": 3e-3, NUMBERS: "standard"},
                {"layers": "16", "alpha": 0.3, "learning_rate_init": 3e-3, NUMBERS: "power"},
            ),
            explainable=False,
            encoding="scaled",
            weighs=False,
        ),
    )
}

_SPELLINGS: Mapping[str, str] = {
    "k_nearest_neighbours": "k_nearest_neighbors",
    "multi_layer_perceptron": "multilayer_perceptron",
}


def _from_user(name: str, function: Callable[..., Any]) -> Algorithm:
    def build(params: Mapping[str, Any], seed: int, task: Task, weights: Weights) -> Any:
        del weights
        return _build_user(name, function, params, seed, task)

    return Algorithm(
        name=name,
        title=f"{name} (own function)",
        tasks=_ALL,
        build=build,
        space={},
        defaults=({},),
        explainable=False,
        encoding="scaled",
        weighs=False,
    )


def _build_user(
    name: str, function: Callable[..., Any], params: Mapping[str, Any], seed: int, task: Task
) -> Any:
    known = inspect.signature(function).parameters
    given = {key: value for key, value in {"seed": seed, "task": task}.items() if key in known}
    try:
        estimator = function(**given, **params)
    except Exception as problem:
        raise Qua3ckError(
            f"{name} raised {type(problem).__name__}: {problem}",
            where=f"a3.candidates, {name}",
            fix=f"make {name}() return an unfitted scikit-learn estimator",
        ) from problem
    needed = ("fit", "predict") if task == "regression" else ("fit", "predict_proba")
    lacks = [method for method in needed if not hasattr(estimator, method)]
    if lacks:
        raise Qua3ckError(
            f"{name} returned a {type(estimator).__name__} without {lacks[0]}()",
            where=f"a3.candidates, {name}",
            fix=f"return a scikit-learn estimator that has {' and '.join(needed)}",
        )
    if "random_state" in estimator.get_params():
        estimator.set_params(random_state=seed)
    return estimator


def _load(name: str) -> Callable[..., Any]:
    module_name, _, attribute = name.rpartition(".")
    try:
        found = getattr(importlib.import_module(module_name), attribute)
    except (ImportError, AttributeError) as problem:
        raise Qua3ckError(
            f'There is no function "{name}": {problem}',
            where="a3.candidates",
            fix=f"define {attribute}() in {module_name}.py beside the project file",
        ) from problem
    if not callable(found):
        raise Qua3ckError(
            f'"{name}" is a {type(found).__name__}, not a function',
            where="a3.candidates",
            fix=f"make {attribute} a function that returns a scikit-learn estimator",
        )
    return found  # type: ignore[no-any-return]  # checked callable above; its own types are unknown


def _estimator(pipeline: Any) -> Any:
    last = pipeline.steps[-1][1] if hasattr(pipeline, "steps") else pipeline
    return getattr(last, "regressor_", last)


def _adapter(pipeline: Any) -> Any:
    return pipeline[:-1] if hasattr(pipeline, "steps") else None


def _work_ns(estimator: Any) -> float:
    """Nanoseconds of one row in the estimator alone."""
    trees = getattr(estimator, "estimators_", None)
    if hasattr(estimator, "booster_"):
        return 45.0 * float(estimator.booster_.num_trees())
    if trees is not None and _tree_nodes(estimator):
        return float(sum(15.0 + 3.0 * tree.tree_.max_depth for tree in _flat(trees)))
    if hasattr(estimator, "tree_"):
        return 15.0 + 3.0 * float(estimator.tree_.max_depth)
    if hasattr(estimator, "_fit_X"):
        rows, width = estimator._fit_X.shape
        return float(rows * (1000 + 4 * width))
    return float(_numbers_held(estimator))


def _tree_nodes(estimator: Any) -> int:
    if hasattr(estimator, "booster_"):
        booster = estimator.booster_
        counts = booster.dump_model()["tree_info"]
        return int(sum(2 * tree["num_leaves"] - 1 for tree in counts))
    if hasattr(estimator, "tree_"):
        return int(estimator.tree_.node_count)
    trees = [t for t in _flat(getattr(estimator, "estimators_", ())) if hasattr(t, "tree_")]
    return int(sum(tree.tree_.node_count for tree in trees))


def _flat(trees: Any) -> Iterator[Any]:
    for tree in trees:
        if hasattr(tree, "fit"):
            yield tree
        else:
            yield from _flat(tree)


def _numbers_held(thing: Any, *, depth: int = 6) -> int:
    """How many numbers (or texts) a fitted object holds in its arrays."""
    if depth == 0 or thing is None or isinstance(thing, str | bytes | int | float | bool):
        return 0
    if hasattr(thing, "nnz"):
        return int(thing.nnz)
    if hasattr(thing, "dtype") and hasattr(thing, "size"):
        if thing.dtype == object:
            return int(thing.size) + sum(_numbers_held(x, depth=depth - 1) for x in thing.flat)
        return int(thing.size)
    if isinstance(thing, Mapping):
        return len(thing) + sum(_numbers_held(x, depth=depth - 1) for x in thing.values())
    if isinstance(thing, list | tuple):
        return sum(_numbers_held(x, depth=depth - 1) for x in thing)
    if hasattr(thing, "__dict__") and hasattr(thing, "get_params"):
        fitted = {
            k: v for k, v in vars(thing).items() if k.endswith("_") or k in ("steps", "_fit_X")
        }
        return sum(_numbers_held(x, depth=depth - 1) for x in fitted.values())
    return 0
