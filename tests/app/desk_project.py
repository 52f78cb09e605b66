"""A small project that has been taken all the way, as the view shows one."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

import numpy as np

from qua3ck.cli.main import main

FILE = """\
project: permits
question:
  asks: Which building permits will need a second visit?
  decides: The inspector plans the week; a person decides every visit.
  why_now: Second visits are planned too late.
  risks: A visit that is not planned delays a site by weeks.
  stop_if: [rows < 50]
  kpis:
    - {id: right, metric: accuracy, at_least: 0.55, slice_by: [district]}
    - {id: brier, metric: brier, at_most: 0.25}
  risk: {affects: organisation, domain: other, automated: false}
understand:
  sources:
    permits: {kind: csv, path: data/permits.csv, owner: building office, cadence: daily}
  target: second
  sensitive: [district]
a3:
  candidates: [logistic_regression]
  budget: {trials: 3}
  folds: 2
conclude: {test_share: 0.3, openings: 2}
"""
LATER = FILE.replace(
    "  sensitive: [district]\n", "  sensitive: [district]\n  columns: {storeys: ignore}\n"
)
COLUMNS = ("area", "storeys", "use", "heritage", "filed_on", "contact_phone", "district", "second")


def rows() -> list[str]:
    """Return 500 permits; large sites and old houses need a second visit, but for noise."""
    random = np.random.default_rng(7)
    made = [",".join(COLUMNS)]
    for number in range(500):
        area = float(random.gamma(4, 60))
        storeys = int(random.integers(1, 9))
        use = str(random.choice(["home", "shop", "office"], p=[0.6, 0.25, 0.15]))
        if number in {3, 40, 77, 120, 200}:
            use = "lighthouse"  # so few that it would name its owners
        heritage = bool(random.random() < 0.3)
        filed = date(2024, 1, 1) + timedelta(days=int(random.integers(0, 700)))
        phone = int(random.integers(100, 900))
        district = str(random.choice(["north", "south"]))
        pull = area / 120 + storeys / 4 + 1.5 * heritage + random.normal(0, 0.9)
        second = "yes" if pull > 3.6 else "no"
        made.append(
            f"{area:.1f},{storeys},{use},{str(heritage).lower()},{filed},{phone},{district},{second}"
        )
    return made


@dataclass(frozen=True)
class Desk:
    """A copy of the project, and its keys."""

    root: Path
    keys: Path

    def type(self, *words: str) -> None:
        """Run a command line that must end well."""
        verb, *rest = words
        assert main([verb, str(self.root), *rest]) == 0

    def copy(self, place: Path) -> Desk:
        shutil.copytree(self.root, place / "project")
        shutil.copytree(self.keys, place / "keys")
        return Desk(place / "project", place / "keys")


def make(place: Path) -> Desk:
    """Take the project to two versions, the first of them in use."""
    desk = Desk(place / "project", place / "keys")
    (desk.root / "data").mkdir(parents=True)
    desk.keys.mkdir(mode=0o700)
    (desk.root / "qua3ck.yaml").write_text(FILE, encoding="utf-8")
    (desk.root / "data" / "permits.csv").write_text("\n".join(rows()) + "\n", encoding="utf-8")
    desk.type("run")
    desk.type("release")
    desk.type("promote", "1", "--reason", "plans the week")
    for name, role in (("rosa", "risk_manager"), ("dora", "auditor"), ("emil", "domain_expert")):
        assert main(["enrol", name, str(desk.root), "--role", role]) == 0
    assert main(["approve", "1", str(desk.root), "--as", "rosa", "--reason", "read"]) == 0
    (desk.root / "qua3ck.yaml").write_text(LATER, encoding="utf-8")
    desk.type("run")
    desk.type("release")
    return desk
