"""Check this version by itself: every file by its hash, every golden row by its answer.

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
    rows = 0
    if not problems:  # nothing is run that is not the released file
        rows, problems = replay(folder)
    for problem in problems:
        sys.stdout.write(f"differs: {problem}\n")
    if not problems:
        sys.stdout.write(f"ok: every file and {rows} golden rows agree\n")
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


def replay(folder: Path) -> tuple[int, list[str]]:
    """Return how many golden rows there are, and which are answered differently."""
    import numpy as np
    import pandas as pd

    golden = json.loads((folder / "model" / "golden.json").read_bytes())
    rows = pd.DataFrame(golden["rows"], dtype=object)
    answer = load(folder).predict(None, rows)
    says = []
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
