import json
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from pyarrow import csv

from qua3ck.govern import Workspace, open_workspace
from qua3ck.question.records import Kpi, Question
from qua3ck.understand import Snapshot, Understand, take_snapshot
from qua3ck.understand.taking import Job, take


@pytest.fixture(autouse=True)
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a folder in which ana works, with her own key store."""
    monkeypatch.setenv("QUA3CK_KEYS", str(tmp_path / "keys"))
    monkeypatch.setenv("QUA3CK_ACTOR", "ana")
    for name in ("QUA3CK_WITNESS", "QUA3CK_PASSPHRASE", "QUA3CK_NETWORK_SHARE"):
        monkeypatch.delenv(name, raising=False)
    return tmp_path


def declared(**section: Any) -> Understand:
    return Understand.model_validate_json(json.dumps(section))


def asked(**further: Any) -> Question:
    return Question(
        asks="Who pays back?",
        decides="A person",
        why_now="Slow",
        risks="Wrong refusals",
        stop_if=("rows < 10",),
        kpis=(Kpi(id="acc", metric="accuracy", at_least=0.9),),
        **further,
    )


@dataclass
class Bench:
    """A project folder to try things in."""

    root: Path
    workspace: Workspace

    def csv(self, rows: pa.Table | dict[str, Any], name: str = "rows.csv") -> None:
        table = rows if isinstance(rows, pa.Table) else pa.table(rows)
        csv.write_csv(table, self.root / name)

    def code(self, text: str, name: str = "features.py") -> None:
        (self.root / name).write_text(text)

    def section(self, **further: Any) -> Understand:
        source = {"kind": "csv", "path": "rows.csv"}
        return declared(**({"sources": {"rows": source}, "target": "y"} | further))

    def job(self, section: Understand, **further: Any) -> Job:
        facts = {
            "positive": None,
            "wanted": (),
            "test_share": 0.2,
            "seed": 1,
            "steward": None,
        } | further
        return Job(str(self.root), "demo", "ana", section, **facts)

    def take(self, section: Understand | None = None, **further: Any) -> dict[str, Any]:
        """Do the child's work here, in this process: quick, and test rows can be looked at."""
        return take(self.job(section or self.section(), **further), self.workspace, lambda _: None)

    def snapshot(self, section: Understand | None = None, **further: Any) -> Snapshot:
        options = {"test_share": 0.2, "seed": 1} | further
        question = options.pop("question", None) or asked()
        return take_snapshot(
            section or self.section(), question, workspace=self.workspace, **options
        )

    def reopened(self, **further: Any) -> Workspace:
        return open_workspace(self.root, "demo", **further)


@pytest.fixture
def bench(place: Path) -> Bench:
    ticks = count()

    def clock() -> datetime:
        return datetime(2026, 1, 1, tzinfo=UTC) + timedelta(minutes=next(ticks))

    root = place / "project"
    return Bench(root, open_workspace(root, "demo", clock=clock))


@pytest.fixture
def codes() -> Callable[[Any], list[str]]:
    """Return a function that lists the codes of findings, as records or as JSON."""

    def listed(findings: Any) -> list[str]:
        return [f["code"] if isinstance(f, dict) else f.code for f in findings]

    return listed


@pytest.fixture
def own_modules(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    """Forget the modules that user code in the test's folder brought in."""
    monkeypatch.setattr(sys, "path", list(sys.path))
    yield
    for name, module in list(sys.modules.items()):
        if str(tmp_path) in str(getattr(module, "__file__", "")):
            del sys.modules[name]
