"""A project with released versions that took seconds to make, for whatever serves them.

The ledger is a real one, the artefacts are real ones; only the gates were not gone through:
releases and alias moves are written as :mod:`qua3ck.transfer` writes them.
"""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from qua3ck.a3.adapt import build_pipeline, fit
from qua3ck.a3.algorithms import find
from qua3ck.a3.package import package
from qua3ck.govern import Workspace, open_workspace
from qua3ck.kit.hashes import digest
from qua3ck.store.releases import prelude
from qua3ck.store.releases.artefact import artefact_digest, read_manifest
from qua3ck.transfer.folder import write_manifest

FILE = """\
project: shop
question:
  asks: Which applicants will not repay?
  decides: A loan officer, who sees the score.
  why_now: Manual review takes nine days.
  risks: A wrong refusal costs a household its loan.
  stop_if: [rows < 50]
  kpis:
    - {{id: right, metric: accuracy, at_least: 0.6}}
    - {{id: latency, metric: latency_p99_ms, at_most: 100}}
  risk: {{affects: nobody, domain: other, automated: false}}
understand:
  sources:
    rows: {{kind: csv, path: rows.csv}}
  target: status
operate:
{operate}
"""
OPERATE = """\
  fallback: {rule: income < 30, then: bad, otherwise: good}
  serve: {port: 0}
"""
SPEC = {
    "version": 1,
    "task": "binary",
    "classes": ["bad", "good"],
    "positive": "bad",
    "threshold": 0.5,
    "ignored": ["applicant", "status"],
    "outputs": ["label", "p_bad", "p_good"],
}


def column(name: str, kind: str, **more: Any) -> dict[str, Any]:
    plain = {"type": "", "indicator": False, "distinct": 0, "values": [], "time": False}
    return {"name": name, "kind": kind, "low": None, "high": None, "words": False, **plain, **more}


COLUMNS = [
    column("income", "number", type="double", indicator=True, low=0.0, high=110.0),
    column("age", "number", type="int64", low=18, high=80),
    column("home", "category", type="string", values=["own", "parents", "rent"], distinct=3),
]


def applications(rows: int = 160, seed: int = 7) -> pd.DataFrame:
    """Return invented applicants; income and home decide, but for noise, who repays."""
    rng = np.random.default_rng(seed)
    income = rng.normal(50, 20, rows).clip(0, 110).round(1)
    bad = rng.random(rows) < 1 / (1 + np.exp((income - 45) / 10))
    income[::17] = np.nan
    return pd.DataFrame(
        {
            "applicant": [f"a{number:04d}" for number in range(rows)],
            "income": income,
            "age": rng.integers(18, 80, rows),
            "home": rng.choice(["own", "rent", "parents"], rows),
            "status": np.where(bad, "bad", "good"),
        }
    )


def make_artefacts(folder: Path, versions: int = 3) -> list[Path]:
    """Fit and package small models that answer differently from one another."""
    return [make_artefact(folder / str(number), number) for number in range(1, versions + 1)]


def make_artefact(place: Path, number: int, *, asks_more: bool = False) -> Path:
    """Fit and package one; one that ``asks_more`` wants a column that nobody sends."""
    table = applications()
    raw = table.drop(columns=["applicant", "status"])
    columns = list(COLUMNS)
    if asks_more:
        raw["employer"] = np.where(raw["age"] % 2 == 0, "state", "own")
        columns.append(column("employer", "category", type="string", values=["own", "state"]))
    spec = {**SPEC, "columns": columns}
    prepared = prelude.prepare(raw, spec)
    params = {"C": 10.0 ** (1 - 2 * number), "scale": "standard"}
    pipeline = build_pipeline(spec, find("logistic_regression", "binary"), params, 7)
    fit(pipeline, prepared.iloc[:120], table["status"].to_numpy()[:120])
    package(
        pipeline, spec, folder=place, held_out=prepared.iloc[120:], training=raw.iloc[:120],
        algorithm="logistic_regression", seed=number,
    )  # fmt: skip
    return place


@dataclass(frozen=True)
class Shop:
    """The project folder, its open workspace, and what is done with versions."""

    root: Path
    workspace: Workspace

    def release(self, artefact: Path) -> int:
        """Make a version of an artefact, as the ledger and the folder would have it."""
        version = len(self.workspace.ledger.entries("release.made")) + 1
        folder = self.root / "releases" / str(version)
        shutil.copytree(artefact, folder / "model")
        candidate = artefact_digest(artefact)
        facts = {"version": version, "candidate": candidate}
        digest_of_all = write_manifest(folder, facts)
        body = {
            **facts,
            "snapshot": digest("snapshot"),
            "question": digest("question"),
            "opening": 1,
            "model_format": read_manifest(artefact).kind,
            "path": f"releases/{version}",
            "digest": digest_of_all,
            "files": digest("files"),
        }
        self.workspace.ledger.append("release.made", f"release {version}", body)
        return version

    def move(
        self, version: int, alias: str = "champion", *, steps: tuple[int, ...] = (), **more: Any
    ) -> int:
        """Point an alias to a version; return the seq of the move."""
        before = [e.body["version"] for e in self.workspace.ledger.entries("alias.moved")
                  if e.body["alias"] == alias]  # fmt: skip
        body = {
            "alias": alias,
            "version": version,
            "from": before[-1] if before else None,
            "kind": "promote",
            "reason": "it holds",
            **({"steps": list(steps)} if steps else {}),
            **more,
        }
        return self.workspace.ledger.append("alias.moved", alias, body).seq

    def append(self, event: str, subject: str = "serving", **body: Any) -> int:
        """Write any other event; return its seq."""
        return self.workspace.ledger.append(event, subject, body).seq


def make_shop(root: Path, artefacts: Sequence[Path] = (), *, operate: str = OPERATE) -> Shop:
    """Open a project in an empty folder, with a version of each artefact; none is in use.

    ``$QUA3CK_KEYS`` must name a folder outside.
    """
    root.mkdir(parents=True, exist_ok=True)
    (root / "qua3ck.yaml").write_text(FILE.format(operate=operate))
    applications().to_csv(root / "rows.csv", index=False)
    shop = Shop(root, open_workspace(root, "shop", actor="ana"))
    for artefact in artefacts:
        shop.release(artefact)
    return shop
