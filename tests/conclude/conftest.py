"""Verdicts and conclusions made by hand."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from late_project import Made, copied, make_project

from qua3ck.a3.records import Candidate
from qua3ck.conclude.records import Comparison, Conclusion
from qua3ck.kit.verdicts import Verdict
from qua3ck.understand.records import Snapshot


@dataclass(frozen=True)
class MadeEntry:
    """What a ledger entry shows to a reader."""

    seq: int
    at: str
    actor: str
    event: str
    subject: str
    body: dict[str, Any]
    prev: str = ""
    hash: str = ""


@pytest.fixture
def entry():
    def make(seq: int, event: str, **body: Any) -> MadeEntry:
        return MadeEntry(seq, f"2026-03-0{seq + 1}T00:00:00Z", "analyst", event, "p", body)

    return make


@pytest.fixture
def undecided() -> Verdict:
    return Verdict(
        "recall", "recall", 0.832, 0.7614, 0.8871, 0.8, "at_least", "undecided", 95,
        rows_needed=430, rows_needed_for="pass", method="Clopper-Pearson",
    )  # fmt: skip


@pytest.fixture
def conclusion(undecided) -> Conclusion:
    gain = Comparison("baseline", "recall", 0.832, 0.5, 0.332, 0.25, 0.41, 0.0, "McNemar", "pass")
    return Conclusion(
        candidate="c" * 64, snapshot="s" * 64, question="q" * 64, opening=1, openings=1, rows=95,
        release_allowed=False, kpis=(undecided,), slices=(), fairness=(), findings=(),
        comparisons=(gain,), confusion=((40, 5), (8, 42)), per_class={}, calibration={},
        errors=(), latency_ms={"p50": 0.5, "p95": 0.6, "p99": float("nan"), "requests": 500.0},
        size_mb=0.1, reasons=("Chosen by validation.",), risks=(), at="2026-03-01T00:00:00Z",
        predictions_digest="p" * 64,
    )  # fmt: skip


@pytest.fixture(scope="session")
def original(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Snapshot, Candidate]:
    """Make the project once; every test gets a copy of folder and keys."""
    base = tmp_path_factory.mktemp("original")
    return base, *make_project(base)


@pytest.fixture
def made(original, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Made:
    base, snapshot, candidate = original
    return Made(copied(base, tmp_path, monkeypatch), snapshot, candidate)
