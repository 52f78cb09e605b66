"""Run a released model file on prepared rows: ONNX Runtime, or skops within an allow-list.

This file stands alone like the prelude, beside which its text is copied into every
generated MLflow model: standard library, numpy and pandas, and inside the functions
onnxruntime or skops. It never reads a pickle.
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

Run = Callable[[pd.DataFrame], np.ndarray[Any, Any]]

_TRUSTED = ("sklearn.", "lightgbm.", "numpy.", "scipy.")
_TRUSTED_NAMES = ("collections.OrderedDict", "collections.defaultdict")
_BLOCK = 512


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
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(data, options, providers=["CPUExecutionProvider"])
    output = [session.get_outputs()[0].name]

    def block(prepared: pd.DataFrame) -> np.ndarray[Any, Any]:
        feed = {}
        for at, (name, kind) in enumerate(kinds):
            wanted = np.float32 if kind == "number" else object
            feed[f"c{at}"] = prepared[name].to_numpy(dtype=wanted).reshape(-1, 1)
        return np.asarray(session.run(output, feed)[0], dtype=np.float64)

    return lambda prepared: _in_blocks(block, prepared)


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
    answer = pipeline.predict if task == "regression" else pipeline.predict_proba

    def block(prepared: pd.DataFrame) -> np.ndarray[Any, Any]:
        from threadpoolctl import threadpool_limits

        with threadpool_limits(1, user_api="blas"):
            made = np.asarray(answer(prepared), dtype=np.float64)
        return made.reshape(len(prepared), -1)

    return lambda prepared: _in_blocks(block, prepared)


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
    for start in range(0, len(prepared), _BLOCK):
        rows = prepared.iloc[start : start + _BLOCK]
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
