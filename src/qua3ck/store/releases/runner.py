"""Run a released model file on prepared rows: ONNX Runtime, or skops within an allow-list.

This file stands alone like the prelude, beside which its text is copied into every
generated MLflow model: standard library and numpy, and inside the functions onnxruntime
or skops. A table is a pandas one, or a mapping of arrays; pandas is imported only where a
pipeline of skops needs the former and was given the latter. It never reads a pickle.
"""

from __future__ import annotations

import importlib
import math
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Union

import numpy as np

if TYPE_CHECKING:
    import pandas as pd

Cells = Mapping[str, np.ndarray[Any, Any]]  # a table without pandas: each column (n_rows,)
Table = Union["pd.DataFrame", Cells]
Run = Callable[[Table], np.ndarray[Any, Any]]
Feed = dict[str, np.ndarray[Any, Any]]
Step = Callable[[Any], Any]

_TRUSTED = ("sklearn.", "lightgbm.", "numpy.", "scipy.")
_TRUSTED_NAMES = ("collections.OrderedDict", "collections.defaultdict")
_BOOSTED = ("lightgbm.sklearn.LGBMClassifier", "lightgbm.sklearn.LGBMRegressor")
_FORESTS = (
    "sklearn.ensemble._forest.RandomForestClassifier",
    "sklearn.ensemble._forest.RandomForestRegressor",
)
_LOGISTIC = "sklearn.linear_model._logistic.LogisticRegression"
BLOCK = 512
_FEW = 32


def open_graph(data: bytes, kinds: list[tuple[str, str]], *, threads: int = 1) -> Run:
    """Return a function from prepared rows to the graph's output, shape (n_rows, k).

    Parameters
    ----------
    data : bytes
        An ONNX graph whose inputs are ``c0``, ``c1``, ... in the order of ``kinds``.
    kinds : list of (name, kind)
        The prelude's :func:`inputs`.
    threads : int, default 1
        A small model is faster on one, and sums in one order.
    """
    run = open_session(data, threads=threads)

    def block(prepared: Table) -> np.ndarray[Any, Any]:
        feed = {}
        for at, (name, kind) in enumerate(kinds):
            wanted = np.float32 if kind == "number" else object
            feed[f"c{at}"] = np.asarray(prepared[name], dtype=wanted).reshape(-1, 1)
        return np.asarray(run(feed), dtype=np.float64)

    return lambda prepared: _in_blocks(block, prepared)


def open_session(data: bytes, *, threads: int = 1) -> Callable[[Feed], np.ndarray[Any, Any]]:
    """Return a function from a graph's inputs to its output, as they are; see :func:`open_graph`.

    A row alone must be given twice, as :func:`open_graph` does it.
    """
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(data, options, providers=["CPUExecutionProvider"])
    output = [session.get_outputs()[0].name]

    def run(feed: Feed) -> np.ndarray[Any, Any]:
        made: np.ndarray[Any, Any] = session.run(output, feed)[0]
        return made

    return run


def open_pipeline(path: Path, *, task: str, code: Path | None = None) -> Run:
    """Return a function from prepared rows to what the scikit-learn pipeline answers.

    Parameters
    ----------
    path : pathlib.Path
        A skops file whose hash has been checked already.
    task : str
        ``regression`` gives predictions (n_rows, 1), else probabilities (n_rows, k).
    code : pathlib.Path, optional
        The release's own folder of user functions.

    Raises
    ------
    ValueError
        If the file asks for a type outside scikit-learn, LightGBM, numpy, scipy and
        ``code``; nothing of it has been loaded then.
    """
    import skops.io

    own = _own_modules(code)
    wanted = skops.io.get_untrusted_types(file=path)
    refused = foreign_types(wanted, own)
    if refused:
        raise ValueError(
            f"The model file asks for the type {refused[0]}. Where: {path.name}. "
            "Fix: use scikit-learn or LightGBM types, or functions of the project itself."
        )
    with _importable(code, own):
        pipeline = skops.io.load(path, trusted=wanted)
    return run_fitted(pipeline, task=task)


def run_fitted(pipeline: Any, *, task: str) -> Run:
    """Return a function from prepared rows to what a fitted pipeline answers."""
    from threadpoolctl import ThreadpoolController

    answer, short = _whole(pipeline, task), _short(pipeline, task)
    if short is not None:
        answer = _earned(short, answer)
    # Looking for the libraries takes longer than many a model: once is enough, they are loaded.
    libraries = ThreadpoolController()

    def block(prepared: Table) -> np.ndarray[Any, Any]:
        rows = _count(prepared)
        few = rows <= _FEW  # threads that wait for each other cost more than such rows
        with libraries.limit(limits=1, user_api=None if few else "blas"):
            made = np.asarray(answer(prepared), dtype=np.float64)
        return made.reshape(rows, -1)

    return lambda prepared: _in_blocks(block, prepared)


def _earned(short: Run, whole: Run) -> Run:
    """Return the short way if it answers the first rows as the whole does, to the last bit.

    A library of another version may do more than its steps did when this was written. Whoever
    loads a release replays its golden rows first, so they decide.
    """
    chosen: Run | None = None

    def answer(prepared: Table) -> np.ndarray[Any, Any]:
        nonlocal chosen
        if chosen is not None:
            return chosen(prepared)
        made = whole(prepared)
        chosen = short if np.array_equal(short(prepared), made) else whole
        return made

    return answer


def _whole(pipeline: Any, task: str) -> Run:
    answer = pipeline.predict if task == "regression" else pipeline.predict_proba

    def run(prepared: Table) -> np.ndarray[Any, Any]:
        if isinstance(prepared, Mapping):
            import pandas as pd

            prepared = pd.DataFrame(
                {name: pd.Series(cells, dtype=cells.dtype) for name, cells in prepared.items()}
            )
        return np.asarray(answer(prepared))

    return run


def _short(pipeline: Any, task: str) -> Run | None:
    """Return the same answer part by part, without a table; None where that cannot be known.

    scikit-learn's column transformer takes two thirds of a one-row answer to cut a table into
    parts, and what every step checks of its input takes most of the rest. A pipeline that is
    anything but one column transformer over known ones, and a model, is left whole.
    """
    from sklearn.compose import ColumnTransformer

    if len(pipeline.steps) != 2 or type(pipeline[0]) is not ColumnTransformer:
        return None
    parts = []
    for _, fitted, columns in pipeline[0].transformers_:
        if isinstance(fitted, str) and (fitted == "drop" or not len(columns)):
            continue
        steps = _steps(fitted)
        if not steps:
            return None
        parts.append((steps, columns))
    sparse, answer = pipeline[0].sparse_output_, _model(pipeline[1], task)

    def run(prepared: Table) -> np.ndarray[Any, Any]:
        made = []
        for steps, columns in parts:
            cells: Any = _cells(prepared, columns)
            for step in steps:
                cells = step(cells)
            made.append(cells)
        return np.asarray(answer(_beside(made, sparse=sparse)))

    return run


def _cells(prepared: Table, columns: Any) -> np.ndarray[Any, Any]:
    """Return a column (n_rows,), or several as (n_rows, n_columns), without pandas' own types.

    Several lie in memory as pandas lays them, column after column: sums of another order differ
    in the last bit.
    """
    if isinstance(columns, str):
        return np.asarray(prepared[columns])
    return np.array([np.asarray(prepared[name]) for name in columns]).T


def _steps(fitted: Any) -> list[Step]:
    """Return what each step of a fitted transformer does to cells, without its checks of them.

    Empty if one of them is of a type that might look at more than the cells.
    """
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.impute import SimpleImputer
    from sklearn.pipeline import Pipeline
    from sklearn.preprocessing import (
        OneHotEncoder,
        PowerTransformer,
        StandardScaler,
        TargetEncoder,
    )

    known: dict[type, Callable[[Any], Step]] = {
        OneHotEncoder: _one_hot,
        PowerTransformer: _nameless,
        SimpleImputer: _imputer,
        StandardScaler: _scaler,
        TargetEncoder: _nameless,
        TfidfVectorizer: _weigher,
    }
    steps = [step for _, step in fitted.steps] if type(fitted) is Pipeline else [fitted]
    if any(type(step) not in known for step in steps):
        return []
    return [known[type(step)](step) for step in steps]


def _nameless(step: Any) -> Step:
    """Return the transformation of a copy that asks for no column names."""
    from copy import copy

    step = copy(step)
    vars(step).pop("feature_names_in_", None)
    transform: Step = step.transform
    return transform


def _one_hot(encoder: Any) -> Step:
    """Return 1 where a text is its column's category, as rows of zeros for an unseen one."""
    grouped = encoder.min_frequency is not None or encoder.max_categories is not None
    texts = all(type(word) is str for words in encoder.categories_ for word in words)
    if encoder.handle_unknown != "ignore" or encoder.drop is not None or grouped or not texts:
        return _nameless(encoder)
    places: list[dict[str, int]] = []
    width = 0
    for words in encoder.categories_:
        places.append({word: width + at for at, word in enumerate(words)})
        width += len(words)

    def encode(cells: Any) -> Any:
        made = np.zeros((len(cells), width), dtype=encoder.dtype)
        for row, line in zip(made, cells.tolist(), strict=True):
            for known, word in zip(places, line, strict=True):
                at = known.get(word)
                if at is not None:
                    row[at] = 1
        return made

    return encode


def _imputer(imputer: Any) -> Step:
    fill = np.asarray(imputer.statistics_)
    gaps = isinstance(imputer.missing_values, float) and np.isnan(imputer.missing_values)
    plain = gaps and not imputer.add_indicator and fill.dtype.kind == "f"
    if not plain or not np.isfinite(fill).all():
        return _nameless(imputer)

    def impute(cells: Any) -> Any:
        made = cells.copy(order="K")  # in the order in memory in which it came
        empty = np.isnan(made)
        if empty.any():
            made[empty] = np.broadcast_to(fill, made.shape)[empty]
        return made

    return impute


def _scaler(scaler: Any) -> Step:
    mean, scale = scaler.mean_, scaler.scale_
    if not scaler.with_mean or not scaler.with_std:
        return _nameless(scaler)

    def standardise(cells: Any) -> Any:
        made = cells - mean
        made /= scale
        return made

    return standardise


def _weigher(vectorizer: Any) -> Step:
    """Return the weights of each text's words, as rows of length 1."""
    counts = vectorizer.use_idf and not (vectorizer.sublinear_tf or vectorizer.binary)
    if not counts or vectorizer.norm != "l2" or vectorizer.dtype is not np.float64:
        return _nameless(vectorizer)
    analyze, places = vectorizer.build_analyzer(), vectorizer.vocabulary_
    worth = vectorizer.idf_.tolist()

    def weigh(texts: Any) -> Any:
        import scipy.sparse

        weights: list[float] = []
        found: list[int] = []
        ends = [0]
        for text in texts.tolist():
            times = Counter(places[word] for word in analyze(text) if word in places)
            row = [(at, times[at] * worth[at]) for at in sorted(times)]
            square = 0.0
            for _, weight in row:  # sum() corrects its rounding, which scikit-learn does not
                square += weight * weight
            length = math.sqrt(square) or 1.0
            found += [at for at, _ in row]
            weights += [weight / length for _, weight in row]
            ends.append(len(found))
        made = (np.array(weights), np.array(found, dtype=np.int32), np.array(ends, dtype=np.int32))
        return scipy.sparse.csr_matrix(made, shape=(len(texts), len(worth)))

    return weigh


def _model(model: Any, task: str) -> Step:
    """Return what a model answers to numbers; a known one without its checks of them."""
    kind = f"{type(model).__module__}.{type(model).__name__}"
    answer: Step = model.predict if task == "regression" else model.predict_proba
    if kind in _BOOSTED and not callable(model.objective):
        return _boosted(model, answer, task)
    if kind in _FORESTS and model.n_outputs_ == 1:
        return _forest(model, answer, task)
    if kind == _LOGISTIC and len(model.classes_) == 2:
        return _logistic(model)
    return answer


def _logistic(model: Any) -> Step:
    from scipy.special import expit

    weights, base = model.coef_.T, model.intercept_

    def predict(numbers: Any) -> Any:
        made = expit((numbers @ weights + base).reshape(-1))
        return np.vstack([1 - made, made]).T

    return predict


def _boosted(model: Any, answer: Step, task: str) -> Step:
    booster, threads = model.booster_, model.n_jobs
    if type(threads) is not int or threads < 1:
        return answer

    def predict(numbers: Any) -> Any:
        made = booster.predict(numbers, num_threads=threads)
        if task == "regression" or made.ndim == 2:
            return made
        return np.vstack((1.0 - made, made)).transpose()

    return predict


def _forest(model: Any, answer: Step, task: str) -> Step:
    trees = [tree.tree_ for tree in model.estimators_]
    width = 1 if task == "regression" else model.n_classes_

    def predict(numbers: Any) -> Any:
        if not isinstance(numbers, np.ndarray):
            return answer(numbers)
        narrow = numbers.astype(np.float32)
        made = np.zeros((len(narrow), width))
        for tree in trees:
            made += tree.predict(narrow)[:, :width]
        made /= len(trees)
        return made[:, 0] if task == "regression" else made

    return predict


def _beside(parts: list[Any], *, sparse: bool) -> Any:
    if sparse:
        import scipy.sparse

        if len(parts) == 1:
            return parts[0]

        return scipy.sparse.hstack(parts).tocsr()
    return np.hstack([part.toarray() if hasattr(part, "toarray") else part for part in parts])


def foreign_types(names: list[str], own: list[str]) -> list[str]:
    """Return the types that are of no trusted library and of no module in ``own``."""
    trusted = (*_TRUSTED, *(f"{module}." for module in own))
    return [n for n in names if not n.startswith(trusted) and n not in _TRUSTED_NAMES]


def _in_blocks(block: Run, prepared: Table) -> np.ndarray[Any, Any]:
    """Run in blocks of 2 to 512 rows.

    One row alone takes another path through the matrix product than the same row in a
    batch, and differs in the last bit.
    """
    rows = _count(prepared)
    if 2 <= rows <= BLOCK:
        return block(prepared)
    parts = []
    for start in range(0, rows, BLOCK):
        alone = start + 1 == rows
        made = block(_part(prepared, [start, start] if alone else slice(start, start + BLOCK)))
        parts.append(made[:1] if alone else made)
    return np.concatenate(parts)


def _count(prepared: Table) -> int:
    """Return the number of rows."""
    return len(next(iter(prepared.values())) if isinstance(prepared, Mapping) else prepared)


def _part(prepared: Table, places: slice | list[int]) -> Table:
    if isinstance(prepared, Mapping):
        return {name: cells[places] for name, cells in prepared.items()}
    return prepared.iloc[places]


def _own_modules(code: Path | None) -> list[str]:
    return sorted(path.stem for path in code.glob("*.py")) if code and code.is_dir() else []


@contextmanager
def _importable(code: Path | None, own: list[str]) -> Iterator[None]:
    """Let a release's modules be imported from its own folder, and from no other.

    Two releases in one process may each have a ``features.py``: each keeps its own, and
    what was imported under that name before is put back.
    """
    if not own:
        yield
        return
    before = {name: sys.modules.pop(name) for name in own if name in sys.modules}
    keep = sys.dont_write_bytecode
    sys.dont_write_bytecode = True
    sys.path.insert(0, str(code))
    importlib.invalidate_caches()
    try:
        yield
    finally:
        sys.path.remove(str(code))
        sys.dont_write_bytecode = keep
        for name in own:
            sys.modules.pop(name, None)
        sys.modules.update(before)
