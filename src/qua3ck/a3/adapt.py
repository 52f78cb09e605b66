"""Feature adaptation: the prelude's declaration, and the one scikit-learn pipeline after it.

The prelude (``store.releases.prelude``) makes clean numbers and texts of raw columns; the
pipeline imputes, scales and encodes them and ends with the estimator. Everything in it is
a scikit-learn or LightGBM type, or a user's function from the project's own module, so
that a release needs none of our code.
"""

from __future__ import annotations

import traceback
import warnings
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from qua3ck.a3.algorithms import NUMBERS, Algorithm, Weights
from qua3ck.kit.errors import Qua3ckError
from qua3ck.store.releases import prelude
from qua3ck.understand.records import Column, Snapshot

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    from numpy.typing import NDArray

Spec = dict[str, Any]
MANY_CATEGORIES = 30
_AMONG_THREADS = "sklearn.utils.parallel"


def prelude_spec(snapshot: Snapshot, *, threshold: float = 0.5, words: bool = True) -> Spec:
    """Return the prelude's declaration for a snapshot's features, as plain JSON.

    Parameters
    ----------
    snapshot : Snapshot
        Its ``features()`` become the columns, its other columns the ignored ones.
    threshold : float, in (0, 1), default 0.5
        From which probability of the positive class on a row gets its label (binary).
    words : bool, default True
        Cut texts into words in lower case in the prelude, because no two runtimes cut
        "don't" or "Überflutung" alike. False keeps the text whole for a user's function.

    Raises
    ------
    Qua3ckError
        If there is no feature, or two columns would make the same model input.
    """
    features = snapshot.features()
    if not features:
        raise Qua3ckError(
            "No column is left for the model to learn from",
            where="understand: every column is the target, left out or only for judging",
            fix="keep at least one feature in the training table",
        )
    classes = list(snapshot.classes)
    spec: Spec = {
        "version": 1,
        "task": snapshot.task,
        "classes": classes,
        "positive": snapshot.positive,
        "threshold": float(threshold),
        "columns": [_declared(column, words=words) for column in features],
        "ignored": [c.name for c in snapshot.columns if c.role != "feature"],
        "outputs": ["value"]
        if snapshot.task == "regression"
        else ["label", *(f"p_{name}" for name in classes)],
    }
    _refuse_clashes(spec)
    return spec


def build_pipeline(
    spec: Mapping[str, Any],
    algorithm: Algorithm,
    params: Mapping[str, Any],
    seed: int,
    *,
    class_weight: Weights = None,
    adapt: Callable[[Any], Any] | None = None,
    sample: pd.DataFrame | None = None,
) -> Any:
    """Return an unfitted pipeline that takes what ``prelude.prepare`` makes.

    Parameters
    ----------
    spec : mapping
        From :func:`prelude_spec`.
    algorithm : Algorithm
        From ``algorithms.find``.
    params : mapping
        Names as in ``algorithm.space``. ``numbers`` says how numbers are scaled:
        ``standard``, or ``power`` (Yeo & Johnson 2000, Biometrika 87, 954-959) against
        long tails; the rest goes to the estimator.
    seed : int
        Seeds the estimator and the folds of target encoding.
    class_weight : mapping, "balanced" or None
        For algorithms that weigh classes.
    adapt : callable, optional
        The user's function from prepared table to table, row by row.
    sample : pandas.DataFrame, optional
        A few prepared rows; needed with ``adapt`` to learn which columns it returns.

    Returns
    -------
    sklearn.pipeline.Pipeline
        Fit it with :func:`fit`, on classes as text or on floats.

    Notes
    -----
    Numbers: training median for what is null, then standardised for algorithms that
    measure distance or weight. Categories: one-hot up to 30 values, an unseen one is all
    zeros; above that the cross-fitted target mean (Micci-Barreca 2001, SIGKDD Explor. 3),
    an unseen one gets the overall mean. Text: TF-IDF of words and word pairs.
    """
    from sklearn.compose import ColumnTransformer
    from sklearn.pipeline import Pipeline
    from sklearn.preprocessing import FunctionTransformer

    kinds = dict(prelude.inputs(spec))
    many = _many_categories(spec)
    steps: list[tuple[str, Any]] = []
    if adapt is not None:
        kinds = _adapted_kinds(adapt, sample, kinds)
        steps.append(("adapt", FunctionTransformer(adapt)))
    parts = _parts(kinds, many, algorithm, spec, seed, numbers=params.get(NUMBERS, "standard"))
    steps.append(("encode", ColumnTransformer(parts)))
    own = {name: value for name, value in params.items() if name != NUMBERS}
    estimator = algorithm.build(own, seed, spec["task"], class_weight)
    return Pipeline([*steps, ("model", estimator)])


def fit(
    pipeline: Any,
    prepared: pd.DataFrame,
    target: NDArray[Any],
) -> tuple[str, ...]:
    """Fit a pipeline in place and return what it had to say, each sentence once.

    Parameters
    ----------
    pipeline : sklearn.pipeline.Pipeline
        From :func:`build_pipeline`.
    prepared : pandas.DataFrame, shape (n_rows, n_inputs)
        From ``prelude.prepare``; training rows only.
    target : array, shape (n_rows,)
        Classes as text (object), or floats.

    Returns
    -------
    tuple of str
        Warnings of the libraries (such as "did not converge"), recorded, not printed; by
        :func:`worth_telling`.

    Raises
    ------
    Qua3ckError
        If the user's function or the estimator raises.

    Notes
    -----
    Linear algebra runs on one thread: sums in another order differ in the last bits, and
    a fit must not depend on how many cores a machine has. For the same reason a fitted
    pipeline predicts on one thread: a forest adds its trees up as they come in.

    Filters of warnings belong to the whole process, and the threads of a forest set and reset
    them beside each other. So there is one filter only here, which lets everything through, as
    no filter at all does: whatever those threads leave behind, each text is recorded.
    """
    from threadpoolctl import threadpool_limits

    with warnings.catch_warnings(record=True) as said, threadpool_limits(1, user_api="blas"):
        warnings.resetwarnings()
        warnings.simplefilter("always")
        try:
            pipeline.fit(prepared, target)
        except Exception as problem:
            raise _not_fitted(problem, pipeline, prepared) from problem
    given = pipeline.get_params().items()
    threads = [name for name, value in given if name.endswith("n_jobs") and isinstance(value, int)]
    pipeline.set_params(**dict.fromkeys(threads, 1))
    return worth_telling(" ".join(str(warning.message).split()) for warning in said)


def worth_telling(texts: Iterable[str]) -> tuple[str, ...]:
    """Return warnings in alphabetical order, each once, without what only threads cause.

    Threads warn in whatever order they run; and scikit-learn's advice to its own authors, how
    to pass settings to threads, comes or does not come as these disturb each other.
    """
    return tuple(sorted({text for text in texts if _AMONG_THREADS not in text}))


def scores(pipeline: Any, prepared: pd.DataFrame, spec: Mapping[str, Any]) -> NDArray[np.float64]:
    """Return probabilities of shape (n_rows, n_classes), columns as in ``spec["classes"]``.

    A class that the training rows of a fold did not have gets probability 0.
    """
    from threadpoolctl import threadpool_limits

    with threadpool_limits(1, user_api="blas"):
        raw = pipeline.predict_proba(prepared)
    return prelude.align(raw, [str(c) for c in pipeline.classes_], list(spec["classes"]))


def values(pipeline: Any, prepared: pd.DataFrame) -> NDArray[np.float64]:
    """Return a regression's predictions, shape (n_rows,), in the target's unit."""
    import numpy as np
    from threadpoolctl import threadpool_limits

    with threadpool_limits(1, user_api="blas"):
        raw = pipeline.predict(prepared)
    return np.asarray(raw, dtype=np.float64).reshape(-1)


def _not_fitted(problem: Exception, pipeline: Any, prepared: pd.DataFrame) -> Qua3ckError:
    own = pipeline.named_steps.get("adapt")
    said = str(problem)
    if own is not None:
        said = f"{type(problem).__name__}{_line(problem, own.func)}"
    return Qua3ckError(
        f"{type(pipeline[-1]).__name__} could not be fitted: {said}",
        where=f"a3, {len(prepared)} rows with {prepared.shape[1]} columns",
        fix="look at the columns or the line named above, or leave this candidate out",
    )


def _line(problem: BaseException, function: Callable[..., Any]) -> str:
    """Return where in the user's file it went wrong; the message itself may quote a row."""
    code = getattr(function, "__code__", None)
    frames = traceback.extract_tb(problem.__traceback__)
    own = [frame for frame in frames if code and frame.filename == code.co_filename]
    return f" in {Path(own[-1].filename).name}, line {own[-1].lineno}" if own else ""


def _declared(column: Column, *, words: bool) -> dict[str, Any]:
    return {
        "name": column.name,
        "kind": column.kind,
        "type": column.type,
        "indicator": column.indicator,
        "distinct": column.distinct,
        "values": list(column.values),
        "low": column.low,
        "high": column.high,
        "time": column.kind == "date" and column.type.startswith(("timestamp", "datetime")),
        "words": column.kind == "text" and words,
    }


def _refuse_clashes(spec: Spec) -> None:
    names = [name for name, _ in prelude.inputs(spec)]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise Qua3ckError(
            f'Two columns make the same model input "{twice[0]}"',
            where="the training table",
            fix=f'rename the column "{twice[0]}"; the ending is kept for what is made of dates '
            "and nulls",
        )


def _many_categories(spec: Mapping[str, Any]) -> set[str]:
    return {
        column["name"]
        for column in spec["columns"]
        if column["kind"] == "category"
        and max(int(column.get("distinct") or 0), len(column.get("values", ()))) > MANY_CATEGORIES
    }


def _adapted_kinds(
    adapt: Callable[[Any], Any], sample: pd.DataFrame | None, kinds: Mapping[str, str]
) -> dict[str, str]:
    """Return name and kind of what a user's function returns; its new texts are categories."""
    import pandas as pd
    from pandas.api.types import is_bool_dtype, is_numeric_dtype

    name = getattr(adapt, "__name__", "adapt")
    if sample is None:
        message = "adapt needs a sample of prepared rows"
        raise ValueError(message)
    try:
        made = adapt(sample.copy())
    except Exception as problem:
        raise Qua3ckError(
            f"{name} raised {type(problem).__name__}{_line(problem, adapt)}",
            where=f"a3.adapt, {name}",
            fix=f"make {name} take the prepared table ({', '.join(kinds)}) and return a table",
        ) from problem
    if not isinstance(made, pd.DataFrame) or len(made) != len(sample):
        got = f"{len(made)} rows" if isinstance(made, pd.DataFrame) else type(made).__name__
        raise Qua3ckError(
            f"{name} returned {got} for a table of {len(sample)} rows",
            where=f"a3.adapt, {name}",
            fix=f"make {name} return a pandas.DataFrame with one row for each row it is given",
        )
    found: dict[str, str] = {}
    for column in made.columns:
        number = is_numeric_dtype(made[column]) or is_bool_dtype(made[column])
        kept = kinds.get(str(column), "category")
        found[str(column)] = "number" if number else kept if kept != "number" else "category"
    return found


def _parts(
    kinds: Mapping[str, str],
    many: set[str],
    algorithm: Algorithm,
    spec: Mapping[str, Any],
    seed: int,
    *,
    numbers: str,
) -> list[tuple[str, Any, Any]]:
    from sklearn.model_selection import KFold
    from sklearn.preprocessing import OneHotEncoder, TargetEncoder

    scaled = algorithm.encoding == "scaled"
    counted = [name for name, kind in kinds.items() if kind == "number"]
    few = [name for name, kind in kinds.items() if kind == "category" and name not in many]
    mean = [name for name, kind in kinds.items() if kind == "category" and name in many]
    parts: list[tuple[str, Any, Any]] = []
    if counted:
        scale = numbers if scaled else ""
        parts.append(("numbers", _numbers(scale), counted))
    if few:
        one_hot = OneHotEncoder(handle_unknown="ignore", sparse_output=False)
        parts.append(("categories", one_hot, few))
    if mean:
        target_type = "continuous" if spec["task"] == "regression" else spec["task"]
        encoder = TargetEncoder(
            target_type=target_type, cv=KFold(5, shuffle=True, random_state=seed)
        )
        parts.append(("many_categories", _then(encoder, "standard" if scaled else ""), mean))
    texts = [name for name, kind in kinds.items() if kind == "text"]
    parts += [(f"text_{at}", _words(), name) for at, name in enumerate(texts)]
    return parts


def _numbers(scale: str) -> Any:
    from sklearn.impute import SimpleImputer

    return _then(SimpleImputer(strategy="median", keep_empty_features=True), scale)


def _then(first: Any, scale: str) -> Any:
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import PowerTransformer, StandardScaler

    if not scale:
        return first
    return make_pipeline(first, PowerTransformer() if scale == "power" else StandardScaler())


def _words() -> Any:
    from sklearn.feature_extraction.text import TfidfVectorizer

    return TfidfVectorizer(
        lowercase=False,
        token_pattern=r"\S+",  # noqa: S106 - no password; the prelude has cut the words already
        ngram_range=(1, 2),
        min_df=2,
        max_features=5000,
    )
