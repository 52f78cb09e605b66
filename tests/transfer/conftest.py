"""Facts of an invented lender, made by hand, for the report and the card."""

from __future__ import annotations

import shutil
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from qua3ck.a3.adapt import build_pipeline, fit, prelude_spec
from qua3ck.a3.algorithms import find
from qua3ck.a3.package import package
from qua3ck.a3.records import Candidate, Influence, Score, Trial
from qua3ck.conclude.records import Comparison, Conclusion
from qua3ck.govern import find_release, open_workspace
from qua3ck.kit.errors import Qua3ckError
from qua3ck.kit.findings import Finding
from qua3ck.kit.hashes import digest, file_digest
from qua3ck.kit.verdicts import Verdict
from qua3ck.question.records import Costs, FairnessGap, Kpi, Question, Risk, Roles
from qua3ck.store.releases import prelude
from qua3ck.transfer import make_release, promote
from qua3ck.transfer.report import Facts
from qua3ck.transfer.section import Transfer
from qua3ck.understand.records import Column, Pinned, Snapshot, Split


@dataclass(frozen=True)
class MadeEntry:
    """What a ledger entry shows to a reader."""

    seq: int
    at: str
    actor: str
    event: str
    subject: str
    body: dict[str, Any]
    prev: str
    hash: str


def made_entry(seq: int, event: str, subject: str, **body: Any) -> MadeEntry:
    at = f"2026-03-{2 + seq // 3:02d}T09:{seq:02d}:00.000000Z"
    actor = body.pop("actor", "analyst")
    return MadeEntry(seq, at, actor, event, subject, body, digest(seq - 1), digest(seq))


QUESTION = Question(
    asks="Which applicants will not repay?",
    decides="Loan officers see the score beside the application; a person decides.",
    why_now="Manual review takes nine days.",
    risks="A wrong refusal costs a household its loan; historic decisions may carry bias.",
    stop_if=("rows < 1000", "opened > 1"),
    kpis=(
        Kpi(id="auc", metric="roc_auc", at_least=0.75),
        Kpi(id="brier", metric="brier", at_most=0.19),
        Kpi(id="latency", metric="latency_p99_ms", at_most=50.0),
    ),
    fairness=(
        FairnessGap(id="sex_gap", metric="equal_opportunity_difference", by="sex", at_most=0.1),
    ),
    positive="bad",
    costs=Costs(false_negative=5.0, false_positive=1.0),
    risk=Risk(affects="people", domain="credit", automated=False),
    roles=Roles(owner="analyst", approvers=("risk_manager", "head_of_credit")),
)

SNAPSHOT = Snapshot(
    id=digest("snapshot"),
    project="consumer-credit",
    sources=(Pinned("bronze/applications", 0, 4454, digest("bronze")),),
    gold=Pinned("gold/training", 0, 3563, digest("gold")),
    target="status",
    task="binary",
    order="independent",
    classes=("bad", "good"),
    positive="bad",
    time="",
    cluster="",
    columns=(
        Column("seniority", "number", "int64", "feature", distinct=47, low=0, high=48),
        Column("home", "category", "string", "feature", distinct=6),
        Column("income", "number", "double", "feature", indicator=True, low=6, high=959),
        Column("status", "category", "string", "target"),
        Column("sex", "category", "string", "sensitive"),
        Column("call_duration", "number", "int64", "left_out", why="not known at prediction time"),
    ),
    split=Split("stratified", "content", 0.2, 3563, 891),
    seal="seal-" + digest("seal")[:16],
    code_digest=digest("code"),
    profile="evidence/profile.html",
    profile_digest=digest("profile"),
    findings=(
        Finding("U007", "warn", "applications, 34 of 4454 rows", "34 rows appear twice."),
        Finding("U011", "inform", "call_duration", "Left out as declared."),
    ),
)


def _trials() -> tuple[Trial, ...]:
    names = ("logistic_regression", "random_forest", "gradient_boosting", "decision_tree")
    made = []
    for number in range(24):
        name = names[number % 4]
        auc = 0.79 + 0.012 * (number % 4) + 0.0007 * number - (0.06 if number % 4 == 3 else 0)
        made.append(
            Trial(
                number, name, {"alpha": 0.1 * number}, "pruned" if number % 7 == 6 else "complete",
                {"auc": auc, "brier": 0.17 - 0.001 * number}, auc + 0.02, number % 5 != 4,
                0.4 + 0.1 * (number % 4), 0.05 * (1 + number % 4), digest(number)[:32],
            )
        )  # fmt: skip
    return tuple(made)


CANDIDATE = Candidate(
    digest=digest("candidate"),
    artefact=digest("artefact"),
    snapshot=SNAPSHOT.id,
    algorithm="gradient_boosting",
    params={"learning_rate": 0.0521, "num_leaves": 15, "min_child_samples": 40},
    model_format="onnx",
    why_format="no label differs on 713 real rows, probabilities within 2e-07",
    seed=42,
    scores={"auc": Score(0.8312, 0.812, 0.849), "brier": Score(0.1481, 0.139, 0.157)},
    baseline={"auc": Score(0.5, 0.5, 0.5), "brier": Score(0.2021)},
    rule={"auc": Score(0.701)},
    gain=Score(0.3312, 0.31, 0.35),
    train_score=0.861,
    honest=0.8312,
    optimistic=0.8367,
    seed_sd=0.0021,
    learning_curve=((356, 0.93, 0.771), (890, 0.9, 0.802), (1781, 0.88, 0.82), (2850, 0.86, 0.83)),
    trials=_trials(),
    influences=(
        Influence("records", 0.071, 0.06, 0.082),
        Influence("seniority", 0.042, 0.033, 0.051),
        Influence("income", 0.031, 0.022, 0.04),
        Influence("home", 0.004, -0.002, 0.01),
    ),
    next_step="features: validation still rises with rows, tuning gained 0.004",
    findings=(),
    code_digest=digest("a3 code"),
)  # fmt: skip

PASSING = (
    Verdict("auc", "roc_auc", 0.8372, 0.8103, 0.8612, 0.75, "at_least", "pass", 891,
            method="DeLong on the logit scale"),
    Verdict("brier", "brier", 0.1446, 0.1352, 0.1547, 0.19, "at_most", "pass", 891,
            method="BCa bootstrap"),
    Verdict("latency", "latency_p99_ms", 1.21, 1.02, 1.9, 50.0, "at_most", "pass", 1000,
            unit="requests", method="order statistics"),
)  # fmt: skip

GAP = Verdict(
    "sex_gap", "equal_opportunity_difference", 0.031, 0.0, 0.084, 0.1, "at_most", "pass", 891,
    method="Newcombe",
)  # fmt: skip

CONCLUSION = Conclusion(
    candidate=CANDIDATE.digest,
    snapshot=SNAPSHOT.id,
    question=QUESTION.digest,
    opening=1,
    openings=1,
    rows=891,
    release_allowed=True,
    kpis=PASSING,
    slices=(),
    fairness=(GAP,),
    findings=(
        Finding("C010", "warn", "records = yes, 158 of 891 rows",
                "Rows with records = yes are wrong in 0.41 of the cases, the others in 0.17."),
    ),
    comparisons=(
        Comparison("baseline", "roc_auc", 0.8372, 0.5, 0.3372, 0.31, 0.36, 0.0, "DeLong", "pass"),
        Comparison("rule", "roc_auc", 0.8372, 0.69, 0.1472, 0.11, 0.18, 0.0, "DeLong", "pass"),
        Comparison("champion", "roc_auc", 0.8372, 0.834, 0.0032, -0.006, 0.0121, 0.41, "DeLong",
                   "undecided"),
    ),
    confusion=((187, 64), (98, 542)),
    per_class={
        "bad": {"precision": 0.656, "recall": 0.745, "f1": 0.698, "support": 251.0},
        "good": {"precision": 0.894, "recall": 0.847, "f1": 0.87, "support": 640.0},
    },
    calibration={
        "of": "probability of bad",
        "ece": 0.021,
        "off": 1,
        "bins": [
            {"predicted": (at + 0.5) / 10, "observed": min(1.0, (at + 0.6) / 10),
             "low": max(0.0, at / 10 - 0.05), "high": min(1.0, at / 10 + 0.2), "rows": 89,
             "off": at == 8}
            for at in range(10)
        ],
    },
    errors=(
        {"column": "records", "part": "yes", "rows": 158, "errors": 65, "rate": 0.411, "low": 0.33,
         "high": 0.49, "rest": 0.17, "p": 0.00002},
    ),
    latency_ms={"p50": 0.61, "p95": 0.88, "p99": 1.21, "requests": 1000.0},
    size_mb=0.184,
    reasons=("gradient_boosting had the best validation auc (0.8312) of 21 finished trials.",
             "Close: random_forest (0.8287); the difference is within the seeds' spread."),
    risks=("records = yes: 158 sealed rows, wrong in 0.41 of the cases.",),
    at="2026-03-07T09:14:00.000000Z",
    predictions_digest=digest("predictions"),
    parity={"rows": 891, "labels_differ": 0, "largest_difference": 2.4e-7},
)  # fmt: skip


def made_entries() -> tuple[MadeEntry, ...]:
    promises = [{"id": "auc", "metric": "roc_auc", "at_least": "0.75", "confidence": "0.95"}]
    return (
        made_entry(1, "project.created", "consumer-credit"),
        made_entry(2, "person.enrolled", "risk_manager", roles=["approver"]),
        made_entry(3, "question.set", "consumer-credit", digest=QUESTION.digest, kpis=promises),
        made_entry(4, "source.loaded", "applications", table="bronze/applications", version=0),
        made_entry(5, "seal.made", SNAPSHOT.seal, snapshot=SNAPSHOT.id),
        made_entry(6, "candidate.kept", CANDIDATE.digest),
        made_entry(7, "seal.opened", SNAPSHOT.seal, candidate=CANDIDATE.digest, opening=1),
        made_entry(8, "verdict.made", CANDIDATE.digest, release_allowed=True),
    )


@pytest.fixture
def entry():
    return made_entry


@pytest.fixture
def facts() -> Facts:
    """A high-risk credit model whose every promise holds."""
    return Facts(
        project="consumer-credit",
        version=3,
        question=QUESTION,
        snapshot=SNAPSHOT,
        candidate=CANDIDATE,
        conclusion=CONCLUSION,
        entries=made_entries(),
        risk_class="high",
        risk_reason="credit decisions about people",
        approve="two_person",
    )


@pytest.fixture
def undecided_facts(facts: Facts) -> Facts:
    """The same with a recall that 30 rows can neither confirm nor refute."""
    kpi = Verdict(
        "accuracy", "accuracy", 28 / 30, 0.805, 0.988, 0.95, "at_least", "undecided", 30,
        rows_needed=503, rows_needed_for="fail", method="Clopper-Pearson",
    )  # fmt: skip
    finding = Finding("C003", "block", "accuracy, 30 rows", "accuracy is undecided.")
    conclusion = replace(
        facts.conclusion, release_allowed=False, kpis=(kpi,), fairness=(), findings=(finding,),
        rows=30,
    )  # fmt: skip
    return replace(facts, conclusion=conclusion)


# -- a project on disk, for the modules that make, move and check versions --------------


class MadeTracking:
    """A registry in memory with the calls that K makes; can be out of reach, or be lost."""

    def __init__(self) -> None:
        self.models: dict[str, dict[str, str]] = {}
        self.pointers: dict[str, str] = {}
        self.reachable = True

    def register(self, folder: Path, name: str, *, tags: dict[str, str]) -> str:
        self._ask(name)
        assert (folder / "manifest.json").is_file()
        for number, known in self.models.items():
            if known == tags:
                return number
        number = str(len(self.models) + 1)
        self.models[number] = dict(tags)
        return number

    def set_alias(self, name: str, version: str, alias: str) -> None:
        self._ask(name)
        self.pointers[alias] = str(version)

    def aliases(self, name: str) -> dict[str, str]:
        self._ask(name)
        return dict(self.pointers)

    def release_versions(self, name: str, *, tag: str) -> dict[str, str]:
        self._ask(name)
        return {number: tags[tag] for number, tags in self.models.items()}

    def copies(self, name: str) -> None:
        """Keep no copies that could be looked at, as a server does."""

    def lose(self) -> None:
        self.models.clear()
        self.pointers.clear()

    def _ask(self, name: str) -> None:
        assert name == "consumer-credit"
        if not self.reachable:
            raise Qua3ckError("The MLflow server does not answer", where="uri", fix="start it")


@dataclass
class Lender:
    """A judged candidate in a project folder, and how to make it a version."""

    workspace: Any
    question: Question
    snapshot: Snapshot
    candidate: Candidate
    conclusion: Conclusion
    tracking: Any
    section: Transfer

    @property
    def root(self) -> Path:
        return self.workspace.root

    def judge(self, conclusion: Conclusion) -> Conclusion:
        """Have the ledger say what the conclusion says."""
        body = {
            "candidate": conclusion.candidate,
            "question": conclusion.question,
            "release_allowed": conclusion.release_allowed,
            "openings": conclusion.openings,
        }
        self.workspace.ledger.append("verdict.made", conclusion.candidate, body)
        return conclusion

    def release(self) -> Any:
        return make_release(
            self.question, self.snapshot, self.candidate, self.conclusion, self.workspace,
            tracking=self.tracking, section=self.section,
        )  # fmt: skip

    def release_another(self, asks: str) -> Any:
        """Ask a question of other words and release the same candidate for it."""
        self.question = self.question.model_copy(update={"asks": asks})
        self.conclusion = self.judge(replace(self.conclusion, question=self.question.digest))
        return self.release()

    def certify(self, version: int, *, same: bool = True) -> None:
        """Write what a reproduction would."""
        release = find_release(self.workspace.ledger, version)
        differences = [] if same else ["the predictions differ"]
        body = {
            "version": version,
            "release": release.digest,
            "same": same,
            "differences": differences,
        }
        self.workspace.ledger.append("reproduction.made", f"release {version}", body)

    def promote(self, version: int, reason: str = "it holds", **more: Any) -> Any:
        return promote(
            self.workspace, self.question, version, reason=reason, tracking=self.tracking,
            section=self.section, **more,
        )  # fmt: skip


COLUMNS = (
    Column("income", "number", "double", "feature", indicator=True, low=0, high=100),
    Column("home", "category", "string", "feature", distinct=3, values=("own", "parents", "rent")),
    Column("status", "category", "string", "target"),
)


@pytest.fixture(scope="session")
def lender_artefact(tmp_path_factory) -> tuple[Path, str]:
    """A small fitted model, packaged as it would ship; its folder and digest."""
    rows = applications()
    snapshot = replace(SNAPSHOT, columns=COLUMNS)
    spec = prelude_spec(snapshot)
    prepared = prelude.prepare(rows, spec)
    algorithm = find("logistic_regression", "binary")
    pipelines = []
    for part in (slice(None), slice(0, 90)):
        pipeline = build_pipeline(spec, algorithm, {"C": 1.0, "scale": "standard"}, 7)
        fit(pipeline, prepared.iloc[part], rows["status"].to_numpy()[part])
        pipelines.append(pipeline)
    folder = tmp_path_factory.mktemp("artefact") / "model"
    made = package(
        pipelines[0], spec, folder=folder, held_out=prepared.iloc[90:], training=rows,
        algorithm="logistic_regression", seed=7, twin=pipelines[1],
    )  # fmt: skip
    return folder, made.digest


def applications() -> pd.DataFrame:
    rng = np.random.default_rng(7)
    income = rng.normal(50, 20, 120).round(1)
    bad = rng.random(120) < 1 / (1 + np.exp((income - 45) / 10))
    income[::17] = np.nan
    return pd.DataFrame(
        {
            "income": income,
            "home": rng.choice(["own", "rent", "parents"], 120),
            "status": np.where(bad, "bad", "good"),
        }
    )


@pytest.fixture
def lender(tmp_path, monkeypatch, lender_artefact) -> Lender:
    monkeypatch.setenv("QUA3CK_KEYS", str(tmp_path / "keys"))
    monkeypatch.delenv("QUA3CK_WITNESS", raising=False)
    monkeypatch.delenv("QUA3CK_PASSPHRASE", raising=False)
    root = tmp_path / "shop"
    folder, artefact = lender_artefact
    place = f"candidates/{artefact}"
    shutil.copytree(folder, root / place)
    (root / "evidence").mkdir()
    (root / "evidence" / "profile.html").write_text("<p>profile</p>")
    (root / "features.py").write_text("def training_set(tables):\n    return tables\n")
    (root / "qua3ck.yaml").write_text("project: consumer-credit\n")
    profile = file_digest(root / "evidence" / "profile.html")
    snapshot = replace(SNAPSHOT, columns=COLUMNS, profile_digest=profile)
    made = Lender(
        workspace=open_workspace(root, "consumer-credit", actor="analyst"),
        question=QUESTION,
        snapshot=snapshot,
        candidate=replace(CANDIDATE, digest=artefact, artefact=place),
        conclusion=replace(CONCLUSION, candidate=artefact),
        tracking=MadeTracking(),
        section=Transfer(accept={"K026": "a made lender, nobody is scored"}),
    )
    made.judge(made.conclusion)
    return made


@pytest.fixture
def small_lender(lender: Lender) -> Lender:
    """The same where nobody is affected, so that no approval is due."""
    lender.question = lender.question.model_copy(update={"risk": Risk(affects="nobody")})
    lender.conclusion = lender.judge(replace(lender.conclusion, question=lender.question.digest))
    return lender
