"""Small projects for the loop: a real workspace, gold rows written straight to the warehouse."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

sys.path.insert(0, str(Path(__file__).parent))

from a3_project import Small, make_project


@pytest.fixture
def small(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Small]:
    monkeypatch.setenv("QUA3CK_KEYS", str(tmp_path / "keys"))
    monkeypatch.setenv("QUA3CK_ACTOR", "analyst")

    def build(rows: pd.DataFrame, **given: Any) -> Small:
        return make_project(tmp_path / "project", rows, **given)

    return build
