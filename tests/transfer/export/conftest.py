"""A version that was released, exported once for every place."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from qua3ck.kit.hashes import file_digest
from qua3ck.transfer.export import KINDS, Exported, export


@pytest.fixture(scope="session")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project folder as far as a hand-over looks at it, with things that must stay behind."""
    root = tmp_path_factory.mktemp("stock-outs")
    for name, text in {
        "qua3ck.yaml": "project: Stock_outs\n",
        "features.py": "def training_set(tables):\n    return tables\n",
        "contracts/stock.odcs.yaml": "kind: DataContract\n",
        "ledger/chain.jsonl": "{}\n",
        "people/ana.pub": "public\n",
        "releases/2/release.json": "{}",
        "releases/2/environment.json": json.dumps({"python": "3.12.4"}),
        "releases/2/requirements.txt": "numpy==2.3.0 \\\n    --hash=sha256:" + "0" * 64 + "\n",
        "warehouse/silver/stock/part.parquet": "rows of people",
        "raw/ab/cd": "rows of people",
        "sealed/seal-1": "rows of people, sealed",
        "state/gold.json": "{}",
        "mlflow.db": "runs",
    }.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return root


@pytest.fixture(scope="session")
def release(project: Path) -> Any:
    """The version in use, as far as a hand-over looks at it."""
    return SimpleNamespace(
        version=2, path="releases/2", digest=file_digest(project / "qua3ck.yaml")
    )


@pytest.fixture(scope="session")
def exported(
    project: Path, release: Any, tmp_path_factory: pytest.TempPathFactory
) -> Callable[[str], Exported]:
    """Return a function that gives the export of a kind; nobody may change it."""
    folder = tmp_path_factory.mktemp("exports")
    made = {
        kind: export(kind, root=project, project="Stock_outs", release=release, to=folder / kind)
        for kind in KINDS
    }
    return made.__getitem__
