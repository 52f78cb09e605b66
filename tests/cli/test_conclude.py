from __future__ import annotations

import json

import pytest

from qua3ck.cli.main import main

FILE = """\
project: visits
question:
  asks: Which sites will need a second visit?
  decides: The inspector plans the week; a person decides every visit.
  why_now: Second visits are planned too late.
  risks: A visit that is not planned delays a site by weeks.
  stop_if: [STOP]
  kpis: [{id: right, metric: accuracy, at_least: 0.5}]
  risk: {affects: organisation, domain: other, automated: false}
understand:
  sources: {sites: {kind: csv, path: sites.csv}}
  target: second
a3: {candidates: [logistic_regression], budget: {trials: 1}, folds: 2}
conclude: {test_share: 0.4, openings: 2}
"""


@pytest.fixture
def visits(tmp_path, monkeypatch):
    """Return a function that makes a project whose promise holds, with a stop rule."""
    monkeypatch.setenv("QUA3CK_KEYS", str(tmp_path / "keys"))
    monkeypatch.setenv("QUA3CK_ACTOR", "ana")
    (tmp_path / "keys").mkdir(mode=0o700)

    def make(rule):
        root = tmp_path / "visits"
        root.mkdir()
        (root / "qua3ck.yaml").write_text(FILE.replace("STOP", rule))
        cells = [(at * 37 % 101, at * 53 % 89) for at in range(300)]
        rows = [
            f"{age},{area},{'yes' if age + area * 31 % 60 > 75 else 'no'}" for age, area in cells
        ]
        (root / "sites.csv").write_text("\n".join(["age,area,second", *rows]) + "\n")
        return root

    return make


def test_a_stop_rule_that_the_opening_itself_fulfils_is_said_at_once(visits, capsys):
    root = visits("opened > 0")
    assert main(["run", str(root)]) == 1
    said = capsys.readouterr().out
    assert "C  right" in said
    assert (
        "blocked: every KPI, slice and gap holds, but the question says to stop: opened > 0" in said
    )
    assert said.splitlines()[-1] == "next: qua3ck explain A013"
    assert main(["release", str(root)]) == 1
    assert "A013" in capsys.readouterr().err


def test_json_names_the_rules_that_stop_a_release(visits, capsys):
    root = visits("opened > 0")
    assert main(["conclude", str(root), "--json"]) == 1
    said = json.loads(capsys.readouterr().out)
    assert (said["release_allowed"], said["stopped"]) == (True, ["opened > 0"])


def test_without_such_a_rule_a_release_is_offered(visits, capsys):
    root = visits("opened > 1")
    assert main(["conclude", str(root)]) == 0
    assert capsys.readouterr().out.splitlines()[-1].startswith("next: qua3ck release")
