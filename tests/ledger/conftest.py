from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path

import pytest

from qua3ck.ledger import Ledger
from qua3ck.store.keys import KeyStore


@pytest.fixture
def keys(tmp_path: Path) -> KeyStore:
    return KeyStore(tmp_path / "keys")


@pytest.fixture
def make(tmp_path: Path, keys: KeyStore) -> Callable[..., Ledger]:
    """Return a maker of ledgers in one folder, signed by one person, with a ticking clock."""
    ticks = count()

    def clock() -> datetime:
        return datetime(2026, 1, 1, tzinfo=UTC) + timedelta(seconds=next(ticks))

    def build(**changed: object) -> Ledger:
        me = keys.identity("ana", create=True)
        settings = {
            "actor": "ana",
            "sign": me.sign,
            "keys": lambda name: me.public.signing if name == "ana" else None,
            "clock": clock,
            "witness": tmp_path / "elsewhere" / "head.json",
        }
        return Ledger(tmp_path / "ledger", **(settings | changed))

    return build


@pytest.fixture
def ledger(make: Callable[..., Ledger]) -> Ledger:
    """Return a ledger of five events."""
    made = make()
    for number in range(5):
        made.append("source.loaded", f"table{number}", {"rows": number, "share": 0.1})
    return made
