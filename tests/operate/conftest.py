"""A small shop for each test; its models are fitted once."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from small_shop import Shop, make_artefact, make_artefacts, make_shop

from qua3ck.operate.records import ServePlan


@pytest.fixture(scope="session")
def artefacts(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Three packaged models that answer differently; nobody may change them."""
    return make_artefacts(tmp_path_factory.mktemp("artefacts"))


@pytest.fixture(scope="session")
def asking_more(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model that wants a column which nobody sends."""
    return make_artefact(tmp_path_factory.mktemp("more") / "model", 1, asks_more=True)


@pytest.fixture
def keys(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The key store of this test, and nothing else in the environment."""
    for name in ("QUA3CK_WITNESS", "QUA3CK_PASSPHRASE", "QUA3CK_NETWORK_SHARE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("QUA3CK_KEYS", str(tmp_path / "keys"))
    monkeypatch.setenv("QUA3CK_ACTOR", "ana")
    return tmp_path / "keys"


@pytest.fixture
def empty_shop(tmp_path: Path, keys: Path) -> Shop:
    """A project with a ledger and no version."""
    return make_shop(tmp_path / "shop")


@pytest.fixture
def shop(tmp_path: Path, keys: Path, artefacts: list[Path]) -> Shop:
    """A project with three versions, of which none is in use."""
    return make_shop(tmp_path / "shop", artefacts)


@pytest.fixture
def plan_of() -> Callable[..., ServePlan]:
    """Return a maker of plans for a shop, on any free port."""

    def build(shop: Shop, **more: Any) -> ServePlan:
        own = {
            "root": str(shop.root),
            "project": "shop",
            "project_id": shop.workspace.project_id,
            "port": 0,
        }
        return ServePlan(**{**own, **more})

    return build
