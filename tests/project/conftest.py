"""The stock project, taken through the whole line once; every test gets a copy of a stage."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from stock_project import FILE, Bench, as_csv, rows


@pytest.fixture(scope="session")
def stages(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Bench]]:
    """Return the project as it is after each verb; nobody may change these."""
    with pytest.MonkeyPatch.context() as patch:
        place = tmp_path_factory.mktemp("line")
        bench = Bench(place / "project", place / "keys")
        patch.setenv("QUA3CK_KEYS", str(bench.keys))
        patch.setenv("QUA3CK_ACTOR", "ana")
        bench.write(FILE)
        bench.write(as_csv(rows()), "data/rows.csv")
        made: dict[str, Bench] = {}
        bench.keys.mkdir(mode=0o700)
        made["new"] = bench.copy(place / "new")
        bench.done("enrol", "ana", "--role", "owner")
        bench.keep_split()
        made["begun"] = bench.copy(place / "begun")
        for verb in ("understand", "loop", "conclude", "release", "promote"):
            bench.done(verb, *(["--reason", "it passed"] if verb == "promote" else []))
            made[verb] = bench.copy(place / verb)
        yield made


@pytest.fixture
def at(
    stages: dict[str, Bench], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Callable[[str], Bench]:
    """Return a function that gives a copy of the project as it is after a verb."""

    def copied(stage: str) -> Bench:
        bench = stages[stage].copy(tmp_path)
        monkeypatch.setenv("QUA3CK_KEYS", str(bench.keys))
        monkeypatch.setenv("QUA3CK_ACTOR", "ana")
        return bench

    return copied
