from __future__ import annotations

import ast
import inspect
import json
import os
import subprocess
import sys
import textwrap
from pathlib import Path

from qua3ck.store.releases import prelude, pyfunc, runner
from qua3ck.store.releases.artefact import read_manifest

BLOCKED = """
    import sys

    class Blocked:
        def find_spec(self, name, path=None, target=None):
            if name.split(".")[0] == "qua3ck":
                raise ImportError("qua3ck is blocked")

    sys.meta_path.insert(0, Blocked())
    import io, json, pickle, cloudpickle
    import numpy as np
    import pandas as pd

    def no_pickle(*_, **__):
        raise AssertionError("a pickle was read")

    import mlflow
    for module in (pickle, cloudpickle):
        module.load = module.loads = no_pickle
    mlflow.set_tracking_uri("sqlite:///{db}")
    model = mlflow.pyfunc.load_model("{uri}")
    golden = json.load(open("{golden}"))
    rows = pd.DataFrame(golden["rows"])
    got = model.predict(rows)
    assert list(got) == ["label", "p_no", "p_yes"]
    assert got["label"].tolist() == golden["expected"]["labels"]
    scores = got[["p_no", "p_yes"]].to_numpy()
    assert np.abs(scores - np.array(golden["expected"]["scores"])).max() < 1e-6
    some = rows.tail(3).assign(**{{"age (years)": [20, 30, 40], "income": [1000, 2000, 3000]}})
    whole = model.predict(some)
    floats = some.assign(**{{"age (years)": [20.0, 30.0, 40.0]}})
    assert model.predict(floats).equals(whole)
    nullable = pd.array([1000, None, 3000], dtype="Int64")
    gaps = [some.assign(income=x) for x in ([1000, None, 3000.0], [1000, np.nan, 3000], nullable)]
    answers = [model.predict(one) for one in gaps]
    assert answers[0].equals(answers[1]) and answers[0].equals(answers[2])
    model.predict(some.assign(**{{"age (years)": [20, None, 40]}}))
    dates = some.assign(**{{"seen on": pd.to_datetime(some["seen on"])}})
    assert model.predict(dates).equals(whole)
    model.predict(some.drop(columns="income"))
    try:
        model.predict(some.assign(**{{"age (years)": "old"}}))
    except ValueError as problem:
        assert "no number" in str(problem)
    else:
        raise AssertionError("text was taken for a number")
    print("fine")
"""


LOG = """
    import sys
    from pathlib import Path
    import mlflow
    from qua3ck.store.releases import pyfunc
    place = sys.argv[1]
    mlflow.set_tracking_uri(f"sqlite:///{place}/m.db")
    experiment = mlflow.create_experiment("x", artifact_location=f"{place}/artefacts")
    wanted = pyfunc.files(Path(sys.argv[2]), into=Path(place, "made"))
    with mlflow.start_run(experiment_id=experiment):
        print(mlflow.pyfunc.log_model(name="model", **wanted).model_uri)
"""


def run(code: str, *arguments: str) -> str:
    """Run in a process of its own: MLflow's import leaves warnings and threads behind."""
    plain = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code), *arguments],
        capture_output=True,
        text=True,
        check=False,
        env=plain,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.split()[-1]


def test_any_mlflow_client_can_load_it_without_our_package_or_a_pickle(
    artefact: tuple[Path, str], tmp_path: Path
):
    folder, _ = artefact
    uri = run(LOG, str(tmp_path), str(folder))
    golden = folder / "golden.json"
    assert run(BLOCKED.format(db=tmp_path / "m.db", uri=uri, golden=golden)) == "fine"


def test_the_generated_file_holds_prelude_and_runner_word_for_word(artefact: tuple[Path, str]):
    text = pyfunc.generate(artefact[0])
    ast.parse(text)
    for module in (prelude, runner):
        body = inspect.getsource(module).split("from __future__ import annotations\n")[1]
        assert body in text
    assert "qua3ck" not in text
    assert text == pyfunc.generate(artefact[0])


def test_the_joined_parts_share_no_name():
    names = [
        {
            node.name
            for node in ast.parse(inspect.getsource(module)).body
            if isinstance(node, ast.FunctionDef | ast.ClassDef)
        }
        for module in (prelude, runner)
    ]
    assert not names[0] & names[1]


def test_the_generated_file_pins_the_model_by_its_hash(artefact: tuple[Path, str]):
    manifest = read_manifest(artefact[0])
    assert manifest.files[manifest.model] in pyfunc.generate(artefact[0])


def test_requirements_are_pinned_and_no_more_than_needed(artefact: tuple[Path, str]):
    manifest = read_manifest(artefact[0])
    names = {line.split("==")[0] for line in pyfunc.requirements(manifest)}
    if manifest.kind == "onnx":
        assert names == {"numpy", "onnxruntime", "pandas"}
    else:
        assert names == {"lightgbm", "numpy", "pandas", "scikit-learn", "scipy", "skops"}


def test_the_example_is_made_of_golden_rows(artefact: tuple[Path, str]):
    rows = json.loads((artefact[0] / "golden.json").read_text())["rows"]
    example = pyfunc.input_example(artefact[0])
    assert len(example) == 2
    assert example["note"].tolist() == [row["note"] for row in rows][-2:]
