from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from qua3ck.kit.errors import Qua3ckError
from qua3ck.store.releases import prelude
from qua3ck.store.releases.model import Prediction
from qua3ck.store.releases.parity import compare, parity


def classified(p: list[float], labels: list[str]) -> Prediction:
    scores = np.column_stack([1 - np.array(p), p])
    return Prediction(np.array(labels, dtype=object), scores, None)


def test_holds_only_for_equal_labels_and_near_probabilities():
    one = classified([0.2, 0.7], ["n", "y"])
    assert compare(one, classified([0.200009, 0.7], ["n", "y"])).holds
    assert not compare(one, classified([0.20002, 0.7], ["n", "y"])).holds
    assert compare(one, classified([0.2, 0.7], ["y", "y"])).labels_differ == 1
    assert not compare(one, classified([float("nan"), 0.7], ["n", "y"])).holds


def test_never_holds_without_rows():
    none = classified([], [])
    assert not compare(none, none).holds


def test_regression_is_relative_to_the_value_or_the_spread():
    def values(*numbers: float) -> Prediction:
        return Prediction(None, None, np.array(numbers))

    assert compare(values(1e6, 2e6), values(1e6 + 5, 2e6)).holds
    assert not compare(values(1e6, 2e6), values(1e6 + 50, 2e6)).holds
    assert compare(values(0.0, 2e6), values(5.0, 2e6)).holds
    assert compare(values(3.0, 3.0), values(3.0, 3.0)).holds


def test_compares_the_shipped_graph_with_the_trained_pipeline(
    onnx_artefact: tuple[Path, str], case: Any
):
    folder, digest = onnx_artefact
    found = parity(folder, prelude.prepare(case.table, case.spec), digest=digest)
    assert found is not None
    assert found.holds
    assert found.rows == len(case.table)
    assert 0 < found.largest < 1e-5


def test_nothing_to_compare_where_the_pipeline_ships(artefact: tuple[Path, str], case: Any):
    folder, digest = artefact
    form = json.loads((folder / "manifest.json").read_text())["kind"]
    found = parity(folder, prelude.prepare(case.table[:5], case.spec), digest=digest)
    assert (found is None) == (form == "skops")


def test_proves_the_artefact_first(onnx_artefact: tuple[Path, str], case: Any, tmp_path: Path):
    folder, digest = onnx_artefact
    copy = tmp_path / "copy"
    shutil.copytree(folder, copy)
    (copy / "reference" / "model.skops").write_bytes(b"")
    with pytest.raises(Qua3ckError, match="was changed"):
        parity(copy, prelude.prepare(case.table[:5], case.spec), digest=digest)
