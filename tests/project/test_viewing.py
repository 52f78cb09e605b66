"""What is read for a view; tests/app look at the same through the view itself."""

from __future__ import annotations

import pytest
from stock_project import PERSON

from qua3ck.kit.errors import Blocked, Qua3ckError
from qua3ck.project import open_project


@pytest.fixture
def released(at):
    return open_project(at("promote").root)


def test_the_mark_changes_with_the_ledger_and_with_the_file_and_with_nothing_else(released):
    before = released.mark()
    released.evidence(1)
    assert released.mark() == before
    released.approve(1, reason="read")
    after = released.mark()
    assert after != before
    file = released.root / "qua3ck.yaml"
    file.write_text(file.read_text() + "\n")
    assert released.mark() != after


def test_reading_needs_no_key_and_writes_nothing(released, monkeypatch, tmp_path):
    monkeypatch.setenv("QUA3CK_KEYS", str(tmp_path / "none"))
    before = {path: path.stat().st_mtime_ns for path in released.root.rglob("*") if path.is_file()}
    released.evidence(1)
    released.profile(1)
    released.tables()
    released.gates(1)
    released.traffic()
    after = {path: path.stat().st_mtime_ns for path in released.root.rglob("*") if path.is_file()}
    assert after == before


def test_evidence_is_that_of_the_release_with_the_ledger_of_today(released):
    facts = released.evidence(1)
    assert facts.release.version == 1
    assert facts.conclusion.release_allowed
    assert facts.entries[-1].event == "alias.moved"
    assert released.evidence(1, lang="de").lang == "de"


def test_evidence_of_a_changed_version_is_refused(released):
    record = released.root / "releases" / "1" / "records" / "question.json"
    record.chmod(0o644)
    record.write_text(record.read_text() + " ")
    with pytest.raises(Blocked) as caught:
        released.evidence(1)
    assert caught.value.code == "K004"


def test_the_model_is_proven_before_it_is_loaded(released):
    assert released.model(1).digest == released.releases()[0].candidate
    graph = next((released.root / "releases" / "1" / "model").glob("model.*"))
    graph.chmod(0o644)
    graph.write_bytes(graph.read_bytes()[:-1] + b"x")
    with pytest.raises(Qua3ckError, match="was changed"):
        released.model(1)


@pytest.mark.parametrize("harm", ["edit", "remove"])
def test_figures_of_the_training_rows_are_those_of_the_released_page(released, harm):
    assert "stock" in released.profile(1)
    figures = next((released.root / "evidence").glob("profile-*.json"))
    if harm == "edit":
        figures.write_text(figures.read_text().replace("quantiles", "quantilez"))
    else:
        figures.unlink()
    with pytest.raises(Qua3ckError) as caught:
        released.profile(1)
    assert caught.value.code == "P016"


def test_a_column_that_looks_personal_is_hidden_until_a_contract_says_otherwise(released):
    assert "contact" in released.hidden_columns()
    assert "stock" not in released.hidden_columns()


def test_a_report_in_another_language_lies_beside_and_the_released_one_stays(released):
    path = released.report(1)
    before = path.read_bytes()
    german = released.report(1, language="de")
    assert german == released.root / "state" / "report-1.de.html"
    assert '<html lang="de">' in german.read_text()
    assert PERSON not in german.read_text()
    assert released.report(1).read_bytes() == before
    assert released.verify().ok


def test_a_project_may_ask_for_german_reports(at):
    bench = at("conclude")
    file = bench.root / "qua3ck.yaml"
    file.write_text("language: de\n" + file.read_text())
    project = open_project(bench.root)
    project.release()
    assert '<html lang="de">' in project.report(1).read_text()
    assert project.verify().ok


def test_who_answers_is_the_champion_and_before_any_ledger_nobody(released, tmp_path):
    routing, rollout = released.routing()
    assert [(arm.name, arm.version, arm.share) for arm in routing.arms] == [("champion", 1, 1.0)]
    assert rollout is None
    (tmp_path / "new").mkdir()
    (tmp_path / "new" / "qua3ck.yaml").write_bytes((released.root / "qua3ck.yaml").read_bytes())
    assert open_project(tmp_path / "new").routing()[0].arms == ()


def test_a_language_that_there_is_not_is_said_with_those_there_are(at):
    bench = at("new")
    file = bench.root / "qua3ck.yaml"
    file.write_text("language: french\n" + file.read_text())
    with pytest.raises(Qua3ckError, match="french") as caught:
        open_project(bench.root)
    assert "en, de" in caught.value.fix
