from __future__ import annotations

import dataclasses
import json
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from a3_project import credit, question

from qua3ck.a3 import refit, rivals
from qua3ck.kit.errors import Blocked, Qua3ckError
from qua3ck.store.releases.model import load_model
from qua3ck.store.warehouse import content_digest
from qua3ck.understand.seal import open_rows, seal_body, seal_rows

KILLER = Path(__file__).parents[2] / "prove" / "kill_loop.py"


def log_of(project):
    (path,) = (project.root / "loop").glob("*/trials.jsonl")
    return path


def test_the_same_again_gives_the_same_bytes_and_a_cut_log_goes_on(small):
    one = small(credit(), trials=6, rule="debt > 1300")
    first = one.run()
    log, whole = log_of(one), log_of(one).read_bytes()
    assert one.run() == first, "what has ended is not done again"
    lines = whole.splitlines(keepends=True)
    log.write_bytes(b"".join(lines[:3]) + lines[3][:40])
    log.with_name("candidate.json").unlink()
    shutil.rmtree(one.root / "candidates")
    again = one.run()
    assert log.read_bytes() == whole
    assert again.digest == first.digest
    assert {**vars(again), "trials": (), "run_id": ""} == {
        **vars(first),
        "trials": (),
        "run_id": "",
    }
    kept = one.workspace.ledger.entries("candidate.kept")
    assert [entry.subject for entry in kept] == [first.digest]
    model = load_model(one.root / first.artefact, digest=first.digest)
    assert set(model.predict(credit(20)).labels) <= {"yes", "no"}


def test_a_candidate_is_made_again_to_the_byte(small, tmp_path):
    project = small(credit(), trials=2)
    made = project.run()
    again = refit(
        made,
        project.snapshot,
        project.workspace,
        a3=project.a3,
        question=project.question,
        folder=tmp_path / "again",
    )
    assert again.digest == made.digest
    assert again.scores == dict(made.scores)
    assert again.honest == made.honest


def test_what_has_to_be_beaten_is_kept_and_was_scored_first(small):
    project = small(credit(), trials=2, rule="debt > 1300")
    made = project.run()
    beaten = rivals(made, project.root)
    assert beaten.baseline.kind == "majority"
    assert beaten.rule.text == "debt > 1300"
    assert made.baseline["auc"].value == pytest.approx(0.5, abs=0.06)
    assert made.rule["auc"].value > 0.55
    runs = _runs(project)
    assert [name for name, _ in runs[:3]] == ["naive baseline", "rule", "000 logistic_regression"]
    (project.root / "evidence" / f"candidate-{made.digest}.json").unlink()
    with pytest.raises(Qua3ckError) as caught:
        rivals(made, project.root)
    assert caught.value.code == "A017"


def _runs(project):
    import mlflow

    client = mlflow.MlflowClient(project.tracking().uri)
    (experiment,) = client.search_experiments(filter_string="name = 'small'")
    found = client.search_runs([experiment.experiment_id], max_results=100)
    trials = [run for run in found if run.data.tags["qua3ck.kind"] == "trial"]
    return [
        (run.info.run_name, run)
        for run in sorted(trials, key=lambda run: int(run.data.tags["qua3ck.trial"]))
    ]


def test_every_trial_is_a_run_with_params_scores_by_kpi_and_where_it_came_from(small):
    project = small(credit(), trials=3)
    made = project.run()
    runs = dict(_runs(project))
    assert len(runs) == 4, "three trials and the baseline"
    for trial in made.trials:
        run = runs[f"{trial.number:03d} {trial.algorithm}"]
        assert run.info.run_id == trial.run_id
        assert run.info.status == "FINISHED"
        assert run.data.metrics["auc"] == pytest.approx(trial.scores["auc"])
        assert run.data.params["algorithm"] == trial.algorithm
        assert set(trial.params) <= set(run.data.params)
        assert run.data.tags["qua3ck.snapshot"] == project.snapshot.id
        assert run.data.tags["qua3ck.code"] == made.code_digest
        assert run.data.tags["mlflow.parentRunId"] == made.run_id


def test_a_run_that_a_kill_left_without_its_note_is_not_counted_twice(small):
    project = small(credit(), trials=3)
    project.run()
    folder = log_of(project).parent
    noted = (folder / "runs.jsonl").read_bytes().splitlines(keepends=True)
    (folder / "runs.jsonl").write_bytes(b"".join(noted[:-1]) + noted[-1][:7])
    (folder / "candidate.json").unlink()
    project.run()
    assert len(_runs(project)) == 4


def test_stop_if_ends_the_loop_and_the_ledger_says_so(small):
    few = small(credit(60), asked=question(stop_if=("rows < 1000",)))
    with pytest.raises(Blocked, match="rows < 1000") as caught:
        few.run()
    assert caught.value.code == "A013"
    (entry,) = few.workspace.ledger.entries("loop.stopped")
    assert entry.body["rules"] == ["rows < 1000"]
    assert not (few.root / "loop").exists()


def test_stop_if_is_asked_again_with_what_was_reached(small):
    project = small(credit(120), asked=question(stop_if=("auc < 0.99",)), trials=2)
    with pytest.raises(Blocked, match=r"auc < 0\.99"):
        project.run()
    assert not project.workspace.ledger.entries("candidate.kept")


def test_openings_that_stop_the_loop_are_counted_per_row_over_all_seals(small):
    project = small(credit(120), asked=question(stop_if=("opened > 0",)), trials=1)

    def sealed(*names: str) -> str:
        rows = pa.table({"name": names})
        made = seal_rows(
            rows,
            content_digest(rows),
            {"content": list(names)},
            root=project.root,
            keys=project.workspace.keys,
            key=bytes(range(32)),
            steward=None,
        )
        project.workspace.ledger.append("seal.made", made.id, seal_body(made))
        return made.id

    first, grown, other = sealed("a", "b"), sealed("b", "c"), sealed("d")
    open_rows(project.workspace, first, candidate="c1", openings=1)
    project.snapshot = dataclasses.replace(project.snapshot, seal=grown)
    with pytest.raises(Blocked, match="opened > 0"):
        project.run()
    (entry,) = project.workspace.ledger.entries("loop.stopped")
    assert entry.body["facts"]["opened"] == "1.0"
    project.snapshot = dataclasses.replace(project.snapshot, seal=other)
    assert project.run().trials


def test_a_trial_count_can_stop_the_search(small):
    project = small(credit(120), asked=question(stop_if=("trials > 1",)), trials=4)
    with pytest.raises(Blocked):
        project.run()
    assert len(log_of(project).read_bytes().splitlines()) == 2


def test_files_that_were_changed_after_the_loop_are_refused(small):
    project = small(credit(), trials=1)
    made = project.run()
    (project.root / made.artefact / "golden.json").write_text("{}")
    with pytest.raises(Qua3ckError) as caught:
        project.run()
    assert caught.value.code == "A017"


def test_explainable_as_a_kpi_is_a_limit(small):
    rng = np.random.default_rng(0)
    rows = pd.DataFrame({"a": rng.normal(size=400), "b": rng.normal(size=400)})
    rows["late"] = np.where(np.sin(3 * rows["a"]) * rows["b"] > 0, "yes", "no")
    asked = question(
        {"id": "auc", "metric": "roc_auc", "at_least": 0.6},
        {"id": "clear", "metric": "explainable", "at_least": 1},
    )
    made = small(
        rows, asked=asked, candidates=("gradient_boosting", "logistic_regression"), trials=2
    ).run()
    assert made.algorithm == "logistic_regression"
    best = max(made.trials, key=lambda trial: trial.scores["auc"])
    assert best.algorithm == "gradient_boosting"
    assert not best.feasible
    assert "A004" in {finding.code for finding in made.findings}


def test_costs_move_the_threshold_and_the_candidate_says_so(small):
    asked = question(
        {"id": "cost", "metric": "cost_per_case", "at_most": 2.0},
        costs={"false_negative": 8.0, "false_positive": 1.0},
    )
    project = small(credit(400), asked=asked, trials=2)
    made = project.run()
    found = {finding.code: finding for finding in made.findings}
    assert found["A018"].evidence["threshold"] < 0.3
    model = load_model(project.root / made.artefact, digest=made.digest)
    assert model.manifest.spec["threshold"] == found["A018"].evidence["threshold"]
    assert rivals(made, project.root).baseline.kind in ("cheapest", "majority")


def test_time_order_is_held_against_the_last_value_and_a_random_split(small):
    rng = np.random.default_rng(1)
    steps = np.cumsum(rng.normal(size=300))
    rows = pd.DataFrame({"day": np.arange(300), "x": rng.normal(size=300), "late": steps})
    asked = question({"id": "mae", "metric": "mae", "at_most": 1.0})
    made = small(
        rows,
        task="regression",
        order="time",
        time="day",
        asked=asked,
        candidates=("linear_regression", "decision_tree"),
        trials=2,
    ).run()
    codes = {finding.code for finding in made.findings}
    assert {"A003", "A004"} <= codes
    assert made.gain.value < 0
    assert made.baseline["mae"].value == pytest.approx(0.8, abs=0.2)
    assert "features" in made.next_step


def test_groups_and_three_classes(small):
    rng = np.random.default_rng(2)
    rows = pd.DataFrame({"house": np.arange(300) // 5, "x": rng.normal(size=300)})
    rows["y"] = rng.normal(size=300)
    kind = np.select([rows["x"] > 0.5, rows["y"] > 0.3], ["a", "b"], "c")
    made = small(
        rows.assign(late=kind),
        task="multiclass",
        order="grouped",
        cluster="house",
        asked=question({"id": "right", "metric": "accuracy", "at_least": 0.7}),
        trials=2,
    ).run()
    assert made.scores["right"].value > 0.7
    assert "A003" in {finding.code for finding in made.findings}
    assert made.optimistic > 0.7
    assert made.influences[0].column in ("x", "y")


def test_the_users_own_estimator_and_features(small, tmp_path):
    root = tmp_path / "project"
    root.mkdir()
    (root / "own_features.py").write_text(
        "def forest(seed):\n"
        "    from sklearn.ensemble import ExtraTreesClassifier\n"
        "    return ExtraTreesClassifier(n_estimators=20, random_state=seed)\n\n"
        "def ratio(table):\n"
        "    return table.assign(ratio=table['debt'] / (table['income'].abs() + 1))\n\n"
        "def wrong(seed):\n"
        "    raise RuntimeError('no')\n"
    )
    given = {"adapt": "own_features.ratio", "trials": 3}
    project = small(credit(), candidates=("own_features.forest", "own_features.wrong"), **given)
    made = project.run()
    assert made.algorithm == "own_features.forest"
    assert made.model_format == "skops"
    assert (project.root / made.artefact / "code" / "own_features.py").is_file()
    failed = next(finding for finding in made.findings if finding.code == "A009")
    assert "own_features.py, line 9" in failed.says
    assert made.code_digest != project.snapshot.code_digest


def test_nothing_is_printed_and_progress_is_told(small, capfd):
    project = small(credit(), trials=2)
    told = []
    project.workspace = dataclasses.replace(
        project.workspace, progress=lambda *step: told.append(step)
    )
    project.run()
    out, err = capfd.readouterr()
    assert (out, err) == ("", "")
    assert {phase for phase, *_ in told} == {"A3"}
    assert [done for *_, done, _ in told] == sorted(done for *_, done, _ in told)
    assert told[-1][2] == told[-1][3]


def test_a_table_larger_than_a_trial_needs_is_said_to_be_cut(small, monkeypatch):
    monkeypatch.setattr("qua3ck.a3.loop.TRIAL_ROWS", 150)
    made = small(credit(400), trials=2).run()
    found = next(finding for finding in made.findings if finding.code == "A006")
    assert found.evidence["of"] == 400
    assert 140 <= found.evidence["rows"] <= 155


def test_a_loop_killed_at_random_ends_as_an_undisturbed_one(tmp_path):
    done = subprocess.run(
        [sys.executable, str(KILLER), "--kills", "2", "--folder", str(tmp_path), "--seed", "5"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    said = json.loads(done.stdout.splitlines()[-1])
    assert said["killed"] == 2
    assert said["same"]
