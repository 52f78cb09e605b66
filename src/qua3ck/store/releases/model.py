"""Load a released model after proving its bytes, and predict with it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from qua3ck.kit.errors import Qua3ckError
from qua3ck.store.releases.artefact import CODE, Manifest, verify

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    import pyarrow as pa
    from numpy.typing import NDArray

    from qua3ck.store.releases.runner import Run


@dataclass(frozen=True)
class Prediction:
    """What a model answers, one entry per row.

    ``labels`` (n_rows,) and ``scores`` (n_rows, n_classes, in the order of the model's
    ``classes``) for a classification, ``values`` (n_rows,) for a regression.
    """

    labels: NDArray[Any] | None
    scores: NDArray[np.float64] | None
    values: NDArray[np.float64] | None

    @property
    def figures(self) -> NDArray[np.float64]:
        """The scores, or the values as one column: shape (n_rows, k)."""
        found = self.scores if self.values is None else self.values.reshape(-1, 1)
        if found is None:
            message = "a prediction has scores or values"
            raise ValueError(message)
        return found

    def frame(self, manifest: Manifest) -> pd.DataFrame:
        """Return the one output schema: ``label`` and ``p_<class>``, or ``value``."""
        import pandas as pd

        if self.values is not None:
            return pd.DataFrame({"value": self.values})
        made: dict[str, Any] = {"label": self.labels}
        scores = self.scores
        if scores is not None:
            made.update({f"p_{c}": scores[:, at] for at, c in enumerate(manifest.classes)})
        return pd.DataFrame(made)


class Model:
    """A proven artefact that can predict; built by :func:`load_model`."""

    def __init__(self, manifest: Manifest, run: Run, digest: str) -> None:
        self.manifest = manifest
        self.digest = digest
        self._run = run

    def __repr__(self) -> str:
        """Return one line for a notebook."""
        said = self.manifest
        return f"Model({said.algorithm}, {said.task}, {said.kind}, {self.digest[:12]})"

    @property
    def columns(self) -> tuple[str, ...]:
        """The raw columns that the model reads."""
        return tuple(column["name"] for column in self.manifest.spec["columns"])

    def predict(self, table: pa.Table | pd.DataFrame) -> Prediction:
        """Return the answer for every row; the same for a row alone and in any batch.

        Parameters
        ----------
        table : pyarrow.Table or pandas.DataFrame
            Raw rows. Columns of the training table that are no features are passed over;
            unknown ones are refused.

        Raises
        ------
        Qua3ckError
            If the table does not fit the model; every problem is named.
        """
        from qua3ck.store.releases import prelude

        frame, spec = _as_frame(table), self.manifest.spec
        problems = prelude.check_names(frame, spec)
        if problems:
            raise _do_not_fit(problems)
        try:
            prepared = prelude.prepare(frame, spec)
        except ValueError as problem:
            raise _do_not_fit(prelude.check(frame, spec)) from problem
        return self.answer(prepared)

    def answer(self, prepared: pd.DataFrame) -> Prediction:
        """Return the answer for rows that the prelude has prepared already."""
        return answer(self._run(prepared), self.manifest)


def load_model(folder: Path, *, digest: str) -> Model:
    """Return the model of an artefact, after every byte of it was proven.

    Parameters
    ----------
    folder : pathlib.Path
        A candidate's or a release's artefact.
    digest : str
        Its digest as the signed ledger has it.

    Raises
    ------
    Qua3ckError
        If a byte differs, or the model file asks for types that are not allowed.
    """
    manifest = verify(folder, digest=digest)
    run = run_graph(folder, manifest) if manifest.kind == "onnx" else run_pipeline(folder, manifest)
    return Model(manifest, run, digest)


def run_graph(folder: Path, manifest: Manifest) -> Run:
    """Return a function from prepared rows to the raw output of a verified ONNX file."""
    from qua3ck.store.releases import prelude, runner

    return runner.open_graph((folder / "model.onnx").read_bytes(), prelude.inputs(manifest.spec))


def run_pipeline(folder: Path, manifest: Manifest, *, name: str = "model.skops") -> Run:
    """Return a function from prepared rows to the raw output of a verified skops file."""
    from qua3ck.store.releases import runner

    try:
        return runner.open_pipeline(folder / name, task=manifest.task, code=folder / CODE)
    except ValueError as problem:
        raise Qua3ckError(
            str(problem).split(" Where: ", maxsplit=1)[0],
            where=str(folder / name),
            fix="use scikit-learn or LightGBM types, or functions of the project itself",
        ) from problem


def answer(raw: NDArray[np.float64], manifest: Manifest) -> Prediction:
    """Return labels and scores, or values, from a model file's raw output."""
    from qua3ck.store.releases import prelude

    if manifest.task == "regression":
        return Prediction(labels=None, scores=None, values=raw.reshape(-1))
    scores = prelude.align(raw, list(manifest.trained_classes), list(manifest.classes))
    return Prediction(labels=prelude.decide(scores, manifest.spec), scores=scores, values=None)


def _do_not_fit(problems: list[str]) -> Qua3ckError:
    more = f" (and {len(problems) - 1} more)" if len(problems) > 1 else ""
    what, _, rest = problems[0].partition(" Where: ")
    where, _, fix = rest.partition(" Fix: ")
    return Qua3ckError(f"The rows do not fit the model: {what}{more}", where=where, fix=fix)


def _as_frame(table: pa.Table | pd.DataFrame) -> pd.DataFrame:
    import pandas as pd

    if isinstance(table, pd.DataFrame):
        return table
    if hasattr(table, "to_pandas"):
        frame: pd.DataFrame = table.to_pandas(integer_object_nulls=True)
        return frame
    raise Qua3ckError(
        f"A {type(table).__name__} is not a table",
        where="predict",
        fix="give a pandas.DataFrame or a pyarrow.Table",
    )
