from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path

import pytest

from qua3ck.govern import Workspace, open_workspace


@pytest.fixture(autouse=True)
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a folder in which ana works, with her own key store and no further witness."""
    monkeypatch.setenv("QUA3CK_KEYS", str(tmp_path / "keys"))
    monkeypatch.setenv("QUA3CK_ACTOR", "ana")
    for name in ("QUA3CK_WITNESS", "QUA3CK_PASSPHRASE", "QUA3CK_NETWORK_SHARE"):
        monkeypatch.delenv(name, raising=False)
    return tmp_path


@pytest.fixture
def reopen(place: Path) -> Callable[..., Workspace]:
    """Return a function that opens the project, with a clock that ticks by minutes."""
    ticks = count()

    def clock() -> datetime:
        return datetime(2026, 1, 1, tzinfo=UTC) + timedelta(minutes=next(ticks))

    def opening(**changed: object) -> Workspace:
        return open_workspace(place / "project", "demo", **({"clock": clock} | changed))

    return opening


@pytest.fixture
def workspace(reopen: Callable[..., Workspace]) -> Workspace:
    """Return a fresh project of ana, its owner."""
    return reopen()


@pytest.fixture
def refused() -> Callable[[Callable[[], object], str], object]:
    """Return a function that expects a three-part error with a code, and returns it."""
    from qua3ck.kit import Qua3ckError

    def expect(act: Callable[[], object], code: str) -> Qua3ckError:
        with pytest.raises(Qua3ckError) as caught:
            act()
        assert caught.value.code == code, caught.value
        assert all((caught.value.what, caught.value.where, caught.value.fix))
        return caught.value

    return expect
