"""A released project, made once; every test that changes something gets a copy."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from filelock import FileLock

sys.path.insert(0, str(Path(__file__).parent))

from desk_project import Desk, make

from qua3ck.app.reading import Reader
from qua3ck.app.visit import Visit


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> Iterator[Desk]:
    """Return the project; nobody may change it. Workers that test in parallel share one."""
    with pytest.MonkeyPatch.context() as patch:
        alone = worker_id == "master"
        base = tmp_path_factory.getbasetemp()
        place = (base if alone else base.parent) / "desk"
        patch.setenv("QUA3CK_KEYS", str(place / "keys"))
        patch.setenv("QUA3CK_ACTOR", "ana")
        place.mkdir(exist_ok=True)
        with FileLock(place / ".lock"):
            if not (place / ".made").exists():
                make(place)
                (place / ".made").touch()
        yield Desk(place / "project", place / "keys")


@pytest.fixture
def desk(made: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Desk:
    """Return a copy that may be changed, with its keys."""
    copy = made.copy(tmp_path)
    monkeypatch.setenv("QUA3CK_KEYS", str(copy.keys))
    monkeypatch.setenv("QUA3CK_ACTOR", "ana")
    return copy


@pytest.fixture
def reader(made: Desk, monkeypatch: pytest.MonkeyPatch) -> Reader:
    """Return what reads the project that nobody may change."""
    monkeypatch.setenv("QUA3CK_KEYS", str(made.keys))
    monkeypatch.setenv("QUA3CK_ACTOR", "ana")
    return Reader(made.root)


@pytest.fixture
def visit(reader: Reader) -> Visit:
    """Return the owner's visit to the version in use."""
    return Visit(reader, "ana", ("owner",), "en", 1, "champion")
