"""Check this version by itself: files, schema, verdict, golden rows, and what it must refuse.

Files by their hash; every golden row by its answer (the same here as where it was made);
the answers by the schema (a label that exists, probabilities that add up to 1); the KPIs by
the verdict on the sealed rows, which is the least that was promised; and rows that do not
fit (a column too many, one too few, a word for a number) by being refused.

Usage: ``python check_release.py [DIGEST]``, with the packages of ``requirements.txt`` that
the model needs (numpy, pandas and onnxruntime, or scikit-learn and skops). Neither qua3ck
nor MLflow has to be installed. DIGEST is the version's digest as the signed ledger has it;
without it the files are only held against the list beside them.

Exit code 0 if everything agrees, 1 if not.
"""

from __future__ import annotations

import hashlib
import json
import sys
import types
from pathlib import Path
from typing import Any

sys.dont_write_bytecode = True
MANIFEST = "release.json"


def main(words: list[str]) -> int:
    """Check the folder this file lies in; print what was found."""
    folder = Path(__file__).resolve().parent
    digest = words[0] if words else ""
    problems = file_problems(folder, digest)
    rows = refused = 0
    if not problems:  # nothing is run that is not the released file
        model = load(folder)
        rows, problems = replay(folder, model)
        refused, accepted = refusals(folder, model)
        problems += [*broken_promises(folder), *accepted]
    for problem in problems:
        sys.stdout.write(f"differs: {problem}\n")
    if not problems:
        sys.stdout.write(
            f"ok: every file and {rows} golden rows agree, the KPIs passed,"
            f" {refused} wrong inputs are refused\n"
        )
    return 1 if problems else 0


def file_problems(folder: Path, digest: str) -> list[str]:
    """Return which files were changed, added or are missing."""
    if digest and sha256(folder / MANIFEST) != digest:
        return [f"{MANIFEST} is not the one in the ledger"]
    listed = json.loads((folder / MANIFEST).read_bytes())["files"]
    found = {
        path.relative_to(folder).as_posix(): path for path in folder.rglob("*") if path.is_file()
    }
    found.pop(MANIFEST)
    says = [f"{name} is missing" for name in listed if name not in found]
    says += [f"{name} was added" for name in sorted(found) if name not in listed]
    says += [
        f"{name} was changed"
        for name, path in sorted(found.items())
        if name in listed and sha256(path) != listed[name]
    ]
    return says


def broken_promises(folder: Path) -> list[str]:
    """Return which KPIs, slices and gaps did not pass on the sealed rows."""
    said = json.loads((folder / "records" / "conclusion.json").read_bytes())
    verdicts = [*said["kpis"], *said["slices"], *said["fairness"]]
    found = [f"{one['id']} is {one['verdict']}" for one in verdicts if one["verdict"] != "pass"]
    return found if said["release_allowed"] else [*found, "the verdict allowed no release"]


def refusals(folder: Path, model: Any) -> tuple[int, list[str]]:
    """Return how many kinds of wrong rows are refused, and which are not."""
    import pandas as pd

    columns = json.loads((folder / "schema.json").read_bytes())["inputs"]
    golden = json.loads((folder / "model" / "golden.json").read_bytes())
    row = pd.DataFrame(golden["rows"][:1], dtype=object)
    wrong = {"a column that nobody knows": row.assign(nobody_knows_this=1)}
    for column in columns:
        name = column["name"]
        if not column["indicator"]:
            wrong[f"no column {name}"] = row.drop(columns=[name])
        if column["kind"] in {"number", "bool", "date"}:
            wrong[f"a word in column {name}"] = row.assign(**{name: "what?"})
    wrong["no rows"] = row.iloc[:0]
    accepted = []
    for what, rows in wrong.items():
        try:
            model.predict(None, rows)
        except ValueError:
            continue
        accepted.append(f"{what} is not refused")
    return len(wrong) - len(accepted), accepted


def replay(folder: Path, model: Any) -> tuple[int, list[str]]:
    """Return how many golden rows there are, and which are answered differently or oddly."""
    import numpy as np
    import pandas as pd

    golden = json.loads((folder / "model" / "golden.json").read_bytes())
    rows = pd.DataFrame(golden["rows"], dtype=object)
    answer = model.predict(None, rows)
    says = misfits(folder, answer)
    for name, wanted in golden["expected"].items():
        if name == "labels":
            same = [a == b for a, b in zip(answer["label"].tolist(), wanted, strict=True)]
        else:
            numbers = answer.drop(columns=["label"], errors="ignore").to_numpy(dtype=float)
            want = np.asarray(wanted, dtype=float).reshape(len(rows), -1)
            gap = np.abs(numbers - want) / np.maximum(np.abs(want), 1.0)
            same = (gap.max(axis=1) <= golden["tolerance"]).tolist()
        says += [f"golden row {at + 1}: other {name}" for at, one in enumerate(same) if not one]
    return len(rows), says


def misfits(folder: Path, answer: Any) -> list[str]:
    """Return what of the answers does not keep to the schema."""
    schema = json.loads((folder / "schema.json").read_bytes())
    if answer.columns.tolist() != schema["outputs"]:
        return [f"answers have the columns {answer.columns.tolist()}, not {schema['outputs']}"]
    if schema["task"] == "regression":
        return []
    shares = answer.drop(columns=["label"]).to_numpy(dtype=float)
    known = set(answer["label"]) <= set(schema["classes"])
    sums = bool(((shares >= 0).all(axis=1) & (abs(shares.sum(axis=1) - 1) < 1e-5)).all())
    return [*([] if known else ["a label is no class"]),
            *([] if sums else ["probabilities do not add up to 1"])]  # fmt: skip


def load(folder: Path) -> Any:
    """Return the released model from its generated file, without MLflow."""
    kept: list[Any] = []
    stand_in: Any = types.ModuleType("mlflow")
    stand_in.pyfunc = types.SimpleNamespace(PythonModel=object)
    stand_in.models = types.SimpleNamespace(set_model=kept.append)
    module = types.ModuleType("released_model")
    text = (folder / "model.py").read_text(encoding="utf-8")
    before = sys.modules.get("mlflow")
    sys.modules["mlflow"] = stand_in
    try:
        exec(compile(text, "model.py", "exec"), module.__dict__)  # noqa: S102 - hash was checked
    finally:
        del sys.modules["mlflow"]
        if before is not None:
            sys.modules["mlflow"] = before
    model_folder = folder / "model"
    kind = json.loads((model_folder / "manifest.json").read_bytes())
    files = {"manifest": model_folder / "manifest.json", "model": model_folder / kind["model"]}
    if (model_folder / "code").is_dir():
        files["code"] = model_folder / "code"
    kept[0].load_context(types.SimpleNamespace(artifacts=files))
    return kept[0]


def sha256(path: Path) -> str:
    """Return the SHA-256 (hex) of a file."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
