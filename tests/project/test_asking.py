"""What is asked, and how often it may be looked at, stands in the ledger with every change."""

import pytest

from qua3ck.govern import open_workspace
from qua3ck.project.asking import set_openings, set_question
from qua3ck.question.records import Kpi, Question


@pytest.fixture
def workspace(tmp_path, monkeypatch):
    monkeypatch.setenv("QUA3CK_KEYS", str(tmp_path / "keys"))
    (tmp_path / "project").mkdir()
    return open_workspace(tmp_path / "project", "demo", actor="ana")


def _asked(threshold):
    kpi = Kpi(id="acc", metric="accuracy", at_least=threshold)
    told = {"asks": "a", "decides": "b", "why_now": "c", "risks": "d", "stop_if": ("rows < 1",)}
    return Question(kpis=(kpi,), **told)


def test_a_question_is_set_once_and_a_change_after_a_verdict_names_the_verdict(workspace):
    set_question(_asked(0.9), workspace)
    set_question(_asked(0.9), workspace)
    verdict = workspace.ledger.append("verdict.made", "c1", {})
    set_question(_asked(0.8), workspace)
    first, second = workspace.ledger.entries("question.set")
    assert first.body["after_verdicts"] == []
    assert second.body["after_verdicts"] == [verdict.seq]
    assert second.body["kpis"][0]["at_least"] == "0.8"


def test_raising_the_budget_of_openings_is_an_event(workspace):
    for openings in (1, 1, 3):
        set_openings(openings, workspace)
    told = [entry.body for entry in workspace.ledger.entries("openings.declared")]
    assert told == [{"m": 1, "from": None}, {"m": 3, "from": 1}]


def test_a_question_that_an_older_ledger_kept_in_part_is_recorded_in_full_once(workspace):
    question = _asked(0.9)
    kpis = [{"id": "acc", "metric": "accuracy", "at_least": "0.9", "confidence": "0.95"}]
    workspace.ledger.append("question.set", "demo", {"digest": question.digest, "kpis": kpis})
    set_question(question, workspace)
    set_question(question, workspace)
    told = [entry.body for entry in workspace.ledger.entries("question.set")]
    assert [("costs" in body, body["digest"]) for body in told] == [
        (False, question.digest),
        (True, question.digest),
    ]
