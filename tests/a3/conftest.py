"""Small projects for the loop: a real workspace, gold rows written straight to the warehouse."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

sys.path.insert(0, str(Path(__file__).parent))

from a3_project import Small, make_project

from qua3ck.store.tracking import Tracking


@pytest.fixture(scope="session")
def empty_database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """MLflow needs two seconds for its tables; once is enough."""
    folder = tmp_path_factory.mktemp("tracking")
    Tracking(f"sqlite:///{folder / 'mlflow.db'}", folder, "nobody").aliases("nothing")
    return folder / "mlflow.db"


@pytest.fixture
def small(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, empty_database: Path
) -> Callable[..., Small]:
    monkeypatch.setenv("QUA3CK_KEYS", str(tmp_path / "keys"))
    monkeypatch.setenv("QUA3CK_ACTOR", "analyst")

    def build(rows: pd.DataFrame, **given: Any) -> Small:
        root = tmp_path / "project"
        root.mkdir(exist_ok=True)
        shutil.copyfile(empty_database, root / "mlflow.db")
        return make_project(root, rows, **given)

    return build
