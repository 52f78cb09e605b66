"""An application over a small shop, asked without a socket."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from asgi import Client, open_client
from small_shop import make_shop

from qua3ck.operate.records import ServePlan


@pytest.fixture
def client(shop, plan_of) -> Client:
    """Version 1 is the champion; nothing else is declared."""
    shop.move(1)
    return open_client(plan_of(shop))


@pytest.fixture
def client_of(shop, plan_of) -> Callable[..., Client]:
    """Return a maker of clients, with more in the plan; version 1 is the champion."""
    shop.move(1)

    def build(**more: Any) -> Client:
        return open_client(plan_of(shop, **more))

    return build


@pytest.fixture(scope="session")
def steady(artefacts, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    """One for all tests that only ask: version 1 is the champion."""
    folder = tmp_path_factory.mktemp("steady")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("QUA3CK_KEYS", str(folder / "keys"))
        shop = make_shop(folder / "shop", artefacts[:1])
        shop.move(1)
        yield open_client(ServePlan(str(shop.root), "shop", shop.workspace.project_id, port=0))
