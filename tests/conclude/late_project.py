"""A small project with a judged question, a snapshot and a packaged candidate: also for copies."""

from __future__ import annotations

import json
import shutil
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from qua3ck.a3.records import Candidate, Score, Trial
from qua3ck.conclude import conclude
from qua3ck.conclude.section import Conclude
from qua3ck.govern import Workspace, open_workspace
from qua3ck.kit.records import as_json
from qua3ck.project.asking import set_question
from qua3ck.question.records import FairnessGap, Kpi, Question
from qua3ck.understand import Source, Understand, take_snapshot, training_rows
from qua3ck.understand.records import Snapshot

QUESTION = Question(
    asks="Who pays late?",
    decides="A clerk calls.",
    why_now="Too many reminders.",
    risks="A call too many.",
    stop_if=("rows < 10",),
    kpis=(
        Kpi(id="auc", metric="roc_auc", at_least=0.7),
        Kpi(id="accuracy", metric="accuracy", at_least=0.5, slice_by=("region",), min_rows=20),
        Kpi(id="latency", metric="latency_p99_ms", at_most=2000.0),
        Kpi(id="size", metric="model_size_mb", at_most=50.0),
    ),
    fairness=(
        FairnessGap(id="gap", metric="accuracy_difference", by="region", at_most=0.9, min_rows=20),
    ),
    positive="yes",
)


@dataclass(frozen=True)
class Made:
    """A project with its snapshot and a candidate, and what it takes to conclude."""

    workspace: Workspace
    snapshot: Snapshot
    candidate: Candidate

    def conclude(self, question: Question = QUESTION, *, openings: int = 1, champion=None):
        return conclude(
            Conclude(openings=openings), question, self.snapshot, self.candidate, self.workspace,
            champion=champion, seed=7,
        )  # fmt: skip

    def events(self, name: str) -> list:
        return self.workspace.ledger.entries(name)


def write_rows(path: Path, rows: int = 700) -> None:
    random = np.random.default_rng(5)
    income = random.normal(50, 10, rows).round(2)
    region = random.choice(["north", "south"], rows)
    chance = 1 / (1 + np.exp(-(income - 50) / 4))
    late = np.where(random.uniform(size=rows) < chance, "no", "yes")
    frame = pd.DataFrame({"income": income, "region": region, "late": late})
    frame.to_csv(path, index=False)


def make_candidate(
    snapshot: Snapshot, workspace: Workspace, *, algorithm: str = "logistic_regression"
) -> Candidate:
    from qua3ck.a3 import Rivals
    from qua3ck.a3.adapt import build_pipeline, fit, prelude_spec
    from qua3ck.a3.algorithms import find
    from qua3ck.a3.baseline import class_names, fit_rule, naive_for
    from qua3ck.a3.package import choose_format, package
    from qua3ck.store.releases import prelude

    rows = training_rows(snapshot, workspace)
    spec = prelude_spec(snapshot)
    prepared, target = prelude.prepare(rows, spec), class_names(rows[snapshot.target])
    part = len(rows) * 4 // 5

    def fitted(count: int):
        pipeline = build_pipeline(spec, find(algorithm, "binary"), {}, 1)
        fit(pipeline, prepared.iloc[:count], target[:count])
        return pipeline

    twin = fitted(part)
    folder = workspace.root / "candidates" / algorithm
    folder.parent.mkdir(exist_ok=True)
    packed = package(
        fitted(len(rows)), spec, folder=folder, held_out=prepared.iloc[part:], training=rows,
        algorithm=algorithm, seed=1, twin=twin,
        choice=choose_format(twin, spec, prepared.iloc[part:]),
    )  # fmt: skip
    candidate = Candidate(
        digest=packed.digest, artefact=f"candidates/{algorithm}", snapshot=snapshot.id,
        algorithm=algorithm, params={}, model_format=packed.model_format,
        why_format=packed.why, seed=1, scores={"auc": Score(0.8)}, baseline={"auc": Score(0.5)},
        rule={}, gain=Score(0.3), train_score=0.8, honest=0.8, optimistic=0.8, seed_sd=0.0,
        learning_curve=(),
        trials=(Trial(0, algorithm, {}, "complete", {"auc": 0.8}, 0.8, True, 1, 1),),
        influences=(), next_step="", findings=(), code_digest="",
    )  # fmt: skip
    (baseline,) = naive_for(QUESTION, snapshot, rows)
    beaten = Rivals(baseline, fit_rule("income < 50", snapshot, rows))
    evidence = workspace.root / "evidence" / f"candidate-{candidate.digest}.json"
    evidence.write_text(json.dumps({"rivals": as_json(beaten)}))
    return candidate


def make_project(base: Path) -> tuple[Snapshot, Candidate]:
    """Make the project and its keys below ``base``."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("QUA3CK_KEYS", str(base / "keys"))
        root = base / "project"
        root.mkdir()
        write_rows(root / "late.csv")
        workspace = open_workspace(root, "late", actor="analyst")
        section = Understand(sources={"late": Source(kind="csv", path="late.csv")}, target="late")
        snapshot = take_snapshot(section, QUESTION, test_share=0.3, seed=1, workspace=workspace)
        set_question(QUESTION, workspace)
        return snapshot, make_candidate(snapshot, workspace)


def copied(base: Path, to: Path, patch: pytest.MonkeyPatch) -> Workspace:
    """Copy project and keys, and open the copy."""
    shutil.copytree(base / "keys", to / "keys")
    shutil.copytree(base / "project", to / "project")
    patch.setenv("QUA3CK_KEYS", str(to / "keys"))
    return open_workspace(to / "project", "late", actor="analyst")
