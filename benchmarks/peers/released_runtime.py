"""A runtime for mlserver that serves a release as it is handed over: prelude, graph, threshold.

Runs in mlserver's own environment, with no line of this package: the generated ``model.py`` of a
release needs numpy, pandas and ONNX Runtime. What goes in and out is mlserver's own coding of
tables, one tensor a column.
"""

from __future__ import annotations

import sys
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

from mlserver import MLModel
from mlserver.codecs import PandasCodec
from mlserver.types import InferenceRequest, InferenceResponse


class Released(MLModel):
    """The folder of ``parameters.uri`` holds ``model.py``, ``manifest.json`` and the model."""

    async def load(self) -> bool:
        """Load it as MLflow would, with a stand-in for MLflow."""
        folder = Path(self.settings.parameters.uri)
        kept: list[Any] = []
        stand_in: Any = ModuleType("mlflow")
        stand_in.pyfunc = SimpleNamespace(PythonModel=object)
        stand_in.models = SimpleNamespace(set_model=kept.append)
        sys.modules["mlflow"] = stand_in
        script = folder / "model.py"
        found = spec_from_file_location("released", script)
        found.loader.exec_module(module_from_spec(found))
        files = {"manifest": folder / "manifest.json", "model": folder / "model.onnx"}
        self._released = kept[0]
        self._released.load_context(SimpleNamespace(artifacts=files))
        return True

    async def predict(self, payload: InferenceRequest) -> InferenceResponse:
        """Answer one request."""
        rows = self.decode_request(payload, default_codec=PandasCodec)
        made = self._released.predict(None, rows)
        made["label"] = made["label"].astype(object)  # it knows no text type of pandas 3
        return PandasCodec.encode_response(self.name, made, self.version)
