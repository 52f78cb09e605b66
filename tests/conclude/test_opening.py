"""The whole phase on a small project: seal, judgement in the child, record, ledger."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

import pytest
from late_project import QUESTION, Made, copied, make_candidate

from qua3ck.conclude import conclude
from qua3ck.conclude import opening as module
from qua3ck.conclude.opening import Judge, _run
from qua3ck.conclude.records import Conclusion
from qua3ck.conclude.section import Conclude
from qua3ck.kit.errors import Qua3ckError
from qua3ck.kit.records import as_json
from qua3ck.project.asking import set_question
from qua3ck.question.records import Question


@pytest.fixture(scope="module")
def concluded(original, tmp_path_factory) -> tuple[Path, Conclusion]:
    """Conclude once; every test that begins there gets a copy."""
    base, snapshot, candidate = original
    to = tmp_path_factory.mktemp("concluded")
    with pytest.MonkeyPatch.context() as patch:
        return to, Made(copied(base, to, patch), snapshot, candidate).conclude()


@pytest.fixture
def judged(original, concluded, tmp_path, monkeypatch) -> Made:
    _, snapshot, candidate = original
    return Made(copied(concluded[0], tmp_path, monkeypatch), snapshot, candidate)


@pytest.fixture
def first(concluded) -> Conclusion:
    return concluded[1]


def with_threshold(limit: float) -> Question:
    first, *others = QUESTION.kpis
    kpis = (first.model_copy(update={"at_least": limit}), *others)
    return QUESTION.model_copy(update={"kpis": kpis})


def test_the_candidate_is_judged_in_one_opening_and_the_ledger_says_so(judged, first):
    made, found = judged, first
    assert found.release_allowed
    assert (found.opening, found.openings, found.rows) == (1, 1, made.snapshot.split.rows_test)
    assert {kpi.verdict for kpi in found.kpis} == {"pass"}
    assert [part.id for part in found.slices] == [
        "accuracy[region=north]", "accuracy[region=south]",
    ]  # fmt: skip
    assert {comparison.against for comparison in found.comparisons} == {"baseline", "rule"}
    assert sum(map(sum, found.confusion)) == found.rows
    assert found.latency_ms["requests"] >= 500
    assert found.parity["holds"]
    (opened,) = made.events("seal.opened")
    (verdict,) = made.events("verdict.made")
    assert opened.seq < verdict.seq
    assert verdict.body["predictions"] == found.predictions_digest
    assert verdict.body["question"] == QUESTION.digest
    assert verdict.body["kpis"][0]["threshold"] == "0.7"


def test_the_score_is_what_another_library_computes_on_the_same_rows(judged, first):
    from sklearn.metrics import accuracy_score, roc_auc_score

    from qua3ck.store.releases.model import load_model
    from qua3ck.understand import reread_seal

    made, found = judged, first
    rows = reread_seal(made.snapshot, made.workspace, candidate=made.candidate.digest).rows
    model = load_model(made.workspace.root / made.candidate.artefact, digest=made.candidate.digest)
    said = model.predict(rows)
    positive = list(made.snapshot.classes).index("yes")
    assert found.kpis[0].value == pytest.approx(
        roc_auc_score(rows["late"] == "yes", said.scores[:, positive])
    )
    assert found.kpis[1].value == pytest.approx(accuracy_score(rows["late"], said.labels))


def test_concluding_again_gives_the_kept_record_without_another_look(judged, first):
    made = judged
    events = len(made.workspace.ledger.entries())
    again = made.conclude()
    assert as_json(again) == as_json(first)
    assert len(made.workspace.ledger.entries()) == events


def test_an_edited_record_is_not_believed(judged, first):
    made = judged
    (path,) = (made.workspace.root / "evidence" / "conclusions").glob("*.json")
    path.write_text(path.read_text().replace('"rows": 210', '"rows": 999'))
    again = made.conclude()
    assert (again.rows, again.reread) == (first.rows, True)


def test_a_torn_record_is_made_again(judged, first):
    (path,) = (judged.workspace.root / "evidence" / "conclusions").glob("*.json")
    path.write_text("{torn")
    assert judged.conclude().predictions_digest == first.predictions_digest


def test_a_crash_between_opening_and_verdict_costs_no_opening(made):
    from qua3ck.understand import open_seal

    open_seal(made.snapshot, made.workspace, candidate=made.candidate.digest, openings=1)
    found = made.conclude()
    assert (found.opening, found.reread) == (1, True)
    assert "C014" in {finding.code for finding in found.findings}
    assert len(made.events("seal.opened")) == len(made.events("seal.reread")) == 1
    assert not made.conclude().reread or len(made.events("seal.reread")) == 1


def test_a_threshold_changed_after_the_verdict_is_judged_anew_and_stays_visible(judged):
    made = judged
    harder = with_threshold(0.99)
    set_question(harder, made.workspace)
    found = made.conclude(harder)
    assert not found.release_allowed
    assert (found.opening, found.reread) == (1, True)
    codes = {finding.code for finding in found.findings}
    assert {"C002", "C007", "C014"} <= codes
    set_question(QUESTION, made.workspace)
    back = made.conclude()
    assert back.release_allowed
    assert [finding.code for finding in back.findings].count("C007") == 2
    assert len(made.events("seal.opened")) == 1


def test_raising_the_openings_judges_anew_at_the_stricter_level_for_good(judged, first):
    made = judged
    stricter = made.conclude(openings=5)
    assert stricter.kpis[0].confidence == pytest.approx(0.99)
    assert stricter.kpis[0].low < first.kpis[0].low
    assert len(made.events("seal.opened")) == 1


def test_a_budget_that_was_used_and_lowered_again_does_not_make_the_verdict_milder(made):
    from qua3ck.understand import open_seal

    open_seal(made.snapshot, made.workspace, candidate=made.candidate.digest, openings=5)
    assert made.conclude(openings=1).kpis[0].confidence == pytest.approx(0.99)


def test_a_verdict_on_other_sealed_rows_is_not_taken_for_this_one(judged, first):
    other = replace(judged.candidate, snapshot="another snapshot")
    path = module._path(judged.workspace, judged.candidate, QUESTION.digest, 1)
    assert path.is_file()
    assert module._path(judged.workspace, other, QUESTION.digest, 1) != path


def test_another_candidate_is_refused_when_the_budget_is_spent(judged):
    made = judged
    other = make_candidate(made.snapshot, made.workspace, algorithm="decision_tree")
    with pytest.raises(Qua3ckError):
        Made(made.workspace, made.snapshot, other).conclude()
    assert len(made.events("seal.opened")) == 1


def test_a_candidate_of_another_snapshot_is_refused(made):
    stranger = replace(made, candidate=replace(made.candidate, snapshot="another"))
    with pytest.raises(Qua3ckError, match="another snapshot") as caught:
        stranger.conclude()
    assert caught.value.code == "C015"


def test_a_damaged_artefact_costs_no_opening(made):
    folder = made.workspace.root / made.candidate.artefact
    (folder / "model.onnx").write_bytes(b"damaged")
    with pytest.raises(Qua3ckError, match=r"model\.onnx was changed"):
        made.conclude()
    assert made.events("seal.opened") == []


def test_a_weakened_baseline_is_found_before_the_opening(made):
    path = made.workspace.root / "evidence" / f"candidate-{made.candidate.digest}.json"
    evidence = json.loads(path.read_text())
    evidence["rivals"]["baseline"]["shares"] = [0.99, 0.01]
    path.write_text(json.dumps(evidence))
    with pytest.raises(Qua3ckError) as caught:
        made.conclude()
    assert caught.value.code == "C018"
    assert made.events("seal.opened") == []


def test_the_champion_is_compared_in_the_same_opening(made):
    other = make_candidate(made.snapshot, made.workspace, algorithm="decision_tree")
    release = made.workspace.root / "releases" / "1"
    shutil.copytree(made.workspace.root / other.artefact, release / "model")
    body = {"path": "releases/1", "candidate": other.digest, "version": 1, "digest": "d"}
    made.workspace.ledger.append("release.made", "release 1", body)
    found = made.conclude(champion=release)
    assert "champion" in {comparison.against for comparison in found.comparisons}
    assert len(made.events("seal.opened")) == 1


def test_a_champion_that_the_ledger_does_not_know_is_not_loaded(made):
    found = made.conclude(champion=made.workspace.root / "releases" / "9")
    assert "C013" in {finding.code for finding in found.findings}
    assert "champion" not in {comparison.against for comparison in found.comparisons}


def test_a_judge_that_was_started_ahead_gives_the_same_verdict(made):
    with Judge() as judge:
        judge.start()
        found = conclude(
            Conclude(openings=1), QUESTION, made.snapshot, made.candidate, made.workspace,
            champion=None, seed=7, judge=judge,
        )  # fmt: skip
    path = next((made.workspace.root / "evidence" / "conclusions").glob("*.json"))
    path.unlink()
    again = made.conclude()
    assert found.predictions_digest == again.predictions_digest
    assert found.kpis[0] == again.kpis[0]


def test_a_judge_that_is_never_asked_ends_with_the_run():
    with Judge() as judge:
        judge.start()
        waiting = judge._process
        assert waiting.poll() is None
    assert waiting.returncode is not None


def test_a_killed_judge_is_told_apart_and_can_be_run_again(tmp_path, monkeypatch):
    script = tmp_path / "killed"
    script.write_text("#!/bin/sh\nkill -9 $$\n")
    script.chmod(0o755)
    monkeypatch.setattr("qua3ck.conclude.opening.sys.executable", str(script))
    with pytest.raises(Qua3ckError, match="status -9") as caught:
        _run({}, Judge(), where="candidate")
    assert caught.value.code == "C016"
