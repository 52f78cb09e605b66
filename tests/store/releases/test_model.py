from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import textwrap
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from qua3ck.kit.errors import Qua3ckError
from qua3ck.store.releases import runner
from qua3ck.store.releases.model import load_model


def test_answers_a_row_alone_as_in_a_batch(artefact: tuple[Path, str], case: Any):
    folder, digest = artefact
    model = load_model(folder, digest=digest)
    whole = model.predict(case.table)
    assert whole.labels is not None
    for size in (1, 2, 7, 100):
        for start in range(0, 60, 13):
            part = model.predict(case.table.iloc[start : start + size])
            assert np.array_equal(part.figures, whole.figures[start : start + size])
            assert part.labels.tolist() == whole.labels[start : start + size].tolist()


def test_answers_arrow_and_pandas_alike(artefact: tuple[Path, str], case: Any):
    folder, digest = artefact
    model = load_model(folder, digest=digest)
    arrow = pa.Table.from_pandas(case.table, preserve_index=False)
    assert np.array_equal(model.predict(arrow).figures, model.predict(case.table).figures)


def test_scores_are_probabilities_in_the_order_of_the_classes(
    artefact: tuple[Path, str], case: Any
):
    folder, digest = artefact
    model = load_model(folder, digest=digest)
    got = model.predict(case.table)
    assert got.figures.shape == (len(case.table), 2)
    assert got.figures.sum(axis=1) == pytest.approx(1, abs=1e-6)
    assert set(got.labels[got.figures[:, 1] > 0.6]) == {"yes"}
    assert list(got.frame(model.manifest)) == ["label", "p_no", "p_yes"]


def test_refuses_rows_that_do_not_fit_and_names_the_problem(artefact: tuple[Path, str], case: Any):
    folder, digest = artefact
    model = load_model(folder, digest=digest)
    with pytest.raises(Qua3ckError, match=r"no number.*1 more"):
        model.predict(case.table.assign(**{"age (years)": "x", "seen on": "y"}))
    with pytest.raises(Qua3ckError, match='"colour" is not known'):
        model.predict(case.table.assign(colour=1))
    model.predict(case.table.assign(outcome=1))


def test_loads_nothing_when_the_digest_differs(artefact: tuple[Path, str], monkeypatch: Any):
    folder, _ = artefact

    def never(*_: Any, **__: Any) -> Any:
        pytest.fail("something was loaded")

    monkeypatch.setattr(runner, "open_graph", never)
    monkeypatch.setattr(runner, "open_pipeline", never)
    with pytest.raises(Qua3ckError, match="not the one that was recorded"):
        load_model(folder, digest="0" * 64)


def test_loads_no_type_from_outside_the_allow_list(tmp_path: Path):
    import skops.io

    skops.io.dump({"call": os.system}, tmp_path / "model.skops")
    with pytest.raises(ValueError, match=r"asks for the type posix\.system"):
        runner.open_pipeline(tmp_path / "model.skops", task="binary")


def test_a_process_that_serves_onnx_holds_no_training_code(
    onnx_artefact: tuple[Path, str], case: Any, tmp_path: Path
):
    folder, digest = onnx_artefact
    case.table.head(3).to_pickle(tmp_path / "rows.pkl")
    code = f"""
        import sys
        from pathlib import Path
        import pandas as pd
        from qua3ck.store.releases.model import load_model
        rows = pd.read_pickle({str(tmp_path / "rows.pkl")!r})
        model = load_model(Path({str(folder)!r}), digest={digest!r})
        assert len(model.predict(rows).labels) == 3
        print(" ".join(sorted({{name.split(".")[0] for name in sys.modules}})))
    """
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code)], capture_output=True, text=True, check=True
    )
    loaded = set(done.stdout.split())
    assert "onnxruntime" in loaded
    assert not loaded & {"sklearn", "lightgbm", "optuna", "mlflow", "skops", "scipy", "skl2onnx"}


def test_each_release_keeps_its_own_user_code(tmp_path: Path):
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    for name, factor in (("a", 2), ("b", 3)):
        (tmp_path / name / "features.py").write_text(f"def scale(t):\n    return t * {factor}\n")
    before = dict(sys.modules)
    with runner._importable(tmp_path / "a", ["features"]):
        import features as first
    with runner._importable(tmp_path / "b", ["features"]):
        import features as second
    assert (first.scale(1), second.scale(1)) == (2, 3)
    assert "features" not in sys.modules or sys.modules["features"] is before["features"]
    assert str(tmp_path / "a") not in sys.path
    assert not list(tmp_path.rglob("__pycache__"))


def test_replaced_model_file_is_refused_even_with_a_matching_manifest(
    onnx_artefact: tuple[Path, str], tmp_path: Path
):
    import hashlib

    folder, digest = onnx_artefact
    copy = tmp_path / "copy"
    shutil.copytree(folder, copy)
    (copy / "model.onnx").write_bytes(b"other")
    said = json.loads((copy / "manifest.json").read_text())
    said["files"]["model.onnx"] = hashlib.sha256(b"other").hexdigest()
    (copy / "manifest.json").write_text(json.dumps(said))
    with pytest.raises(Qua3ckError, match="not the one in the ledger"):
        load_model(copy, digest=digest)


def test_a_column_of_nothing_but_nulls_is_answered(artefact: tuple[Path, str], case: Any):
    folder, digest = artefact
    model = load_model(folder, digest=digest)
    empty = pd.DataFrame({name: [None] for name in model.columns})
    assert model.predict(empty).labels[0] in ("no", "yes")
