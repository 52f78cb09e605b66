"""A release in MLflow's form: one generated file that needs neither this package nor a pickle.

MLflow calls it "models from code": ``model.py`` holds the text of the prelude and of the
runner, and a class that loads ``model.onnx`` or ``model.skops`` after checking its hash.
``mlflow.onnx`` would be shorter, but refuses tables that mix text and numbers.
"""

from __future__ import annotations

import inspect
from pathlib import Path
from typing import TYPE_CHECKING, Any

from qua3ck.store.releases import artefact, golden, prelude, runner

if TYPE_CHECKING:
    import pandas as pd
    from mlflow.models import ModelSignature

_FUTURE = "from __future__ import annotations\n"

_HEAD = '''"""Generated; do not edit. One released model, loadable by any MLflow client.

Release artefact {digest}.
The first part is the release's prelude, the second its runner, the third the MLflow model.
"""

from __future__ import annotations
'''

_MODEL = '''
import hashlib
import json
from pathlib import Path

import mlflow
import pandas as pd

MODEL_SHA256 = "{model_sha}"
MANIFEST_SHA256 = "{manifest_sha}"


def _proven(path, wanted):
    """Return a file's bytes, or refuse: nothing is loaded that is not the release's."""
    data = Path(path).read_bytes()
    if hashlib.sha256(data).hexdigest() != wanted:
        raise ValueError(
            f"{{Path(path).name}} is not the released file: its hash differs. "
            f"Where: {{path}}. Fix: download the model version again."
        )
    return data


class ReleasedModel(mlflow.pyfunc.PythonModel):
    """Raw rows in; ``label`` and one ``p_<class>`` per class out, or ``value``."""

    def load_context(self, context):
        """Check both hashes, then load the model file."""
        files = context.artifacts
        self.manifest = json.loads(_proven(files["manifest"], MANIFEST_SHA256))
        self.spec = self.manifest["spec"]
        data = _proven(files["model"], MODEL_SHA256)
        if self.manifest["kind"] == "onnx":
            self.run = open_graph(data, inputs(self.spec))
            return
        code = Path(files["code"]) if "code" in files else None
        for name, wanted in self.manifest["files"].items():
            if name.startswith("code/"):
                _proven(code / name.removeprefix("code/"), wanted)
        self.run = open_pipeline(Path(files["model"]), task=self.spec["task"], code=code)

    def predict(self, context, model_input: pd.DataFrame, params=None) -> pd.DataFrame:
        """Return one row per row given; raises ValueError that names every problem."""
        rows = pd.DataFrame(model_input)
        for column in self.spec["columns"]:
            if column["indicator"] and column["name"] not in rows.columns:
                rows[column["name"]] = None
        problems = check(rows, self.spec)
        if problems:
            raise ValueError("\\n".join(problems))
        raw = self.run(prepare(rows, self.spec))
        if self.spec["task"] == "regression":
            return pd.DataFrame({{"value": raw.reshape(-1)}}, index=rows.index)
        classes = self.manifest["classes"]
        scores = align(raw, self.manifest["trained_classes"], classes)
        made = {{"label": decide(scores, self.spec)}}
        made.update({{f"p_{{name}}": scores[:, at] for at, name in enumerate(classes)}})
        return pd.DataFrame(made, index=rows.index)


mlflow.models.set_model(ReleasedModel())
'''


def generate(folder: Path) -> str:
    """Return the text of ``model.py`` for an artefact.

    Parameters
    ----------
    folder : pathlib.Path
        An artefact; its model file and manifest are pinned by their hashes in the text.
    """
    from qua3ck.kit.hashes import file_digest

    manifest = artefact.read_manifest(folder)
    head = _HEAD.format(digest=artefact.artefact_digest(folder))
    tail = _MODEL.format(
        model_sha=manifest.files[manifest.model],
        manifest_sha=file_digest(folder / artefact.MANIFEST),
    )
    parts = [inspect.getsource(module).replace(_FUTURE, "") for module in (prelude, runner)]
    return "\n\n".join([head, *parts, tail])


def signature(manifest: artefact.Manifest) -> ModelSignature:
    """Return the hand-built signature: every input column by name, the one output schema.

    Notes
    -----
    MLflow has no type that takes both 3 and 3.0 (its ``double`` refuses int64, its ``long``
    refuses float and null), none that takes a date as text or as a date. Such columns are
    declared as ``Any`` and checked by the prelude, whose message says what to send. A
    column that had nulls in training may be left out: it then counts as null.
    """
    from mlflow.models import ModelSignature
    from mlflow.types import ColSpec, DataType, Schema
    from mlflow.types.schema import AnyType

    given = [
        ColSpec(
            type=DataType.string if _is_text(column) else AnyType(),
            name=column["name"],
            required=not column["indicator"],
        )
        for column in manifest.spec["columns"]
    ]
    made = [
        ColSpec(type=DataType.string if name == "label" else DataType.double, name=name)
        for name in manifest.outputs
    ]
    return ModelSignature(inputs=Schema(given), outputs=Schema(made))


def input_example(folder: Path) -> pd.DataFrame:
    """Return two golden rows without nulls, as a client would send them."""
    rows, _ = golden.read_golden(folder)
    whole = rows[rows.notna().all(axis=1)]
    return (whole if len(whole) else rows).tail(2).reset_index(drop=True).infer_objects()


def requirements(manifest: artefact.Manifest) -> list[str]:
    """Return the pinned packages that loading needs, besides MLflow itself."""
    return [f"{name}=={pin}" for name, pin in sorted(manifest.versions.items())]


def files(folder: Path, *, into: Path) -> dict[str, Any]:
    """Return what ``mlflow.pyfunc.log_model`` needs, as its keyword arguments.

    Parameters
    ----------
    folder : pathlib.Path
        An artefact.
    into : pathlib.Path
        An empty folder for the generated ``model.py``, kept until the model is logged.

    Returns
    -------
    dict
        ``python_model``, ``artifacts``, ``pip_requirements``, ``signature``,
        ``input_example``, ``metadata``. Given requirements spare MLflow ten seconds of
        guessing.
    """
    manifest = artefact.read_manifest(folder)
    into.mkdir(parents=True, exist_ok=True)
    script = into / "model.py"
    script.write_text(generate(folder), encoding="utf-8")
    listed = {
        "manifest": folder / artefact.MANIFEST,
        "model": folder / manifest.model,
        "golden": folder / artefact.GOLDEN,
    }
    if (folder / artefact.CODE).is_dir():
        listed["code"] = folder / artefact.CODE
    return {
        "python_model": str(script),
        "artifacts": {name: str(path) for name, path in listed.items()},
        "pip_requirements": [f"mlflow=={_mlflow_version()}", *requirements(manifest)],
        "signature": signature(manifest),
        "input_example": input_example(folder),
        "metadata": {
            "artefact": artefact.artefact_digest(folder),
            "columns": {c["name"]: c["kind"] for c in manifest.spec["columns"]},
        },
    }


def _mlflow_version() -> str:
    from importlib.metadata import version

    return version("mlflow")


def _is_text(column: dict[str, Any]) -> bool:
    plain = column["type"].lower()
    spelled = any(word in plain for word in ("str", "object", "utf8", "text", "dictionary"))
    return column["kind"] == "text" or (column["kind"] == "category" and spelled)
