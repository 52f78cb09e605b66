"""Run a released model file on prepared rows: ONNX Runtime, or skops within an allow-list.

This file stands alone like the prelude, beside which its text is copied into every
generated MLflow model: standard library and numpy, and inside the functions onnxruntime
or skops; a table is a pandas one, which this file itself never imports. It never reads a
pickle.
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    import pandas as pd

Run = Callable[["pd.DataFrame"], np.ndarray[Any, Any]]
Feed = dict[str, np.ndarray[Any, Any]]

_TRUSTED = ("sklearn.", "lightgbm.", "numpy.", "scipy.")
_TRUSTED_NAMES = ("collections.OrderedDict", "collections.defaultdict")
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

    def block(prepared: pd.DataFrame) -> np.ndarray[Any, Any]:
        feed = {}
        for at, (name, kind) in enumerate(kinds):
            wanted = np.float32 if kind == "number" else object
            feed[f"c{at}"] = prepared[name].to_numpy(dtype=wanted).reshape(-1, 1)
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

    encode, model = _taken_apart(pipeline)
    answer = model.predict if task == "regression" else model.predict_proba
    # Looking for the libraries takes longer than many a model: once is enough, they are loaded.
    libraries = ThreadpoolController()

    def block(prepared: pd.DataFrame) -> np.ndarray[Any, Any]:
        few = len(prepared) <= _FEW  # threads that wait for each other cost more than such rows
        with libraries.limit(limits=1, user_api=None if few else "blas"):
            made = np.asarray(answer(encode(prepared)), dtype=np.float64)
        return made.reshape(len(prepared), -1)

    return lambda prepared: _in_blocks(block, prepared)


def _taken_apart(pipeline: Any) -> tuple[Callable[[pd.DataFrame], Any], Any]:
    """Return a function from prepared rows to the model's input, and the model.

    The same fitted transformers get the same numbers as from scikit-learn's column transformer,
    which takes two thirds of a one-row answer to cut a table into parts of it. A pipeline that
    is anything but one column transformer over known ones, and a model, is left whole.
    """
    from sklearn.compose import ColumnTransformer

    whole = (lambda prepared: prepared), pipeline
    if len(pipeline.steps) != 2 or type(pipeline[0]) is not ColumnTransformer:
        return whole
    parts = []
    for _, fitted, columns in pipeline[0].transformers_:
        if isinstance(fitted, str) and (fitted == "drop" or not len(columns)):
            continue
        steps = _nameless(fitted)
        if not steps:
            return whole
        parts.append((steps, columns))
    sparse = pipeline[0].sparse_output_

    def encode(prepared: pd.DataFrame) -> Any:
        made = []
        for steps, columns in parts:
            cells: Any = _cells(prepared, columns)
            for step in steps:
                cells = step.transform(cells)
            made.append(cells)
        return _beside(made, sparse=sparse)

    return encode, pipeline[1]


def _cells(prepared: pd.DataFrame, columns: Any) -> np.ndarray[Any, Any]:
    """Return a column (n_rows,), or several as (n_rows, n_columns), without pandas' own types.

    Several lie in memory as pandas lays them, column after column: sums of another order differ
    in the last bit.
    """
    if isinstance(columns, str):
        return np.asarray(prepared[columns])
    return np.stack([np.asarray(prepared[name]) for name in columns]).T


def _nameless(fitted: Any) -> list[Any]:
    """Return a fitted transformer's steps as copies that ask for no column names.

    Empty if one of them is of a type that might look at more than the cells.
    """
    from copy import copy

    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.impute import SimpleImputer
    from sklearn.pipeline import Pipeline
    from sklearn.preprocessing import (
        OneHotEncoder,
        PowerTransformer,
        StandardScaler,
        TargetEncoder,
    )

    steps = [step for _, step in fitted.steps] if type(fitted) is Pipeline else [fitted]
    plain = (
        OneHotEncoder,
        PowerTransformer,
        SimpleImputer,
        StandardScaler,
        TargetEncoder,
        TfidfVectorizer,
    )
    if not all(type(step) in plain for step in steps):
        return []
    copies = [copy(step) for step in steps]
    for step in copies:
        vars(step).pop("feature_names_in_", None)
    return copies


def _beside(parts: list[Any], *, sparse: bool) -> Any:
    if sparse:
        import scipy.sparse

        return scipy.sparse.hstack(parts).tocsr()
    return np.hstack([part.toarray() if hasattr(part, "toarray") else part for part in parts])


def foreign_types(names: list[str], own: list[str]) -> list[str]:
    """Return the types that are of no trusted library and of no module in ``own``."""
    trusted = (*_TRUSTED, *(f"{module}." for module in own))
    return [n for n in names if not n.startswith(trusted) and n not in _TRUSTED_NAMES]


def _in_blocks(block: Run, prepared: pd.DataFrame) -> np.ndarray[Any, Any]:
    """Run in blocks of 2 to 512 rows.

    One row alone takes another path through the matrix product than the same row in a
    batch, and differs in the last bit.
    """
    parts = []
    for start in range(0, len(prepared), BLOCK):
        rows = prepared.iloc[start : start + BLOCK]
        alone = len(rows) == 1
        made = block(prepared.iloc[[start, start]] if alone else rows)
        parts.append(made[:1] if alone else made)
    return np.concatenate(parts)


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
