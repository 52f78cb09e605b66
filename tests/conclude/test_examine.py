"""What the process that sees the sealed rows lets out, and what it must have before it looks."""

from __future__ import annotations

import json
import sys
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from late_project import QUESTION, Made

from qua3ck.conclude import examine
from qua3ck.kit.child import answer_of
from qua3ck.kit.errors import Blocked, Qua3ckError
from qua3ck.kit.findings import Finding
from qua3ck.kit.records import as_json
from qua3ck.question.records import Costs, Kpi

SECRET = "Maria, 4711"


def job_of(made: Made, **changed) -> dict:
    return {
        "root": str(made.workspace.root),
        "project": made.workspace.project,
        "actor": made.workspace.actor,
        "at": "2026-03-01T00:00:00Z",
        "budget": 1,
        "level": 1,
        "question": QUESTION.model_dump(mode="json"),
        "snapshot": as_json(made.snapshot),
        "candidate": as_json(made.candidate),
        "champion": None,
        "seed": 7,
    } | changed


def case_of(made: Made, **changed) -> examine._Case:
    return examine._read(job_of(made, **changed))


def test_the_answer_holds_no_row_and_no_value_of_one(made):
    made_of = pd.read_csv(made.workspace.root / "late.csv")
    told = json.dumps(examine.answer(job_of(made)))
    assert json.loads(told)["conclusion"]["rows"] > 100
    incomes = [f"{income:.2f}" for income in made_of["income"]]
    assert not [income for income in incomes if f"{income}," in told or f"{income}]" in told]


@pytest.mark.parametrize("kind", [Qua3ckError, Blocked])
def test_what_the_user_can_mend_leaves_with_its_kind(monkeypatch, kind):
    def refuse(job):
        raise kind("what", where="where", fix="fix", code="U110")

    monkeypatch.setattr(examine, "examine", refuse)
    told = examine.answer({})["error"]
    assert told == {
        "kind": kind.__name__, "what": "what", "where": "where", "fix": "fix", "code": "U110",
    }  # fmt: skip


def test_no_value_leaves_the_child_with_an_exception(monkeypatch):
    def leak(job):
        raise ValueError(f"could not read {job['secret']}")

    monkeypatch.setattr(examine, "examine", leak)
    told = examine.answer({"secret": SECRET})
    assert set(told) == {"crash"}
    assert "ValueError in test_examine.py" in told["crash"]
    assert "Maria" not in json.dumps(told)


def test_as_a_process_it_answers_json_alone_also_to_a_job_it_cannot_read():
    command = [sys.executable, "-P", "-m", "qua3ck.conclude.examine"]
    said, status = answer_of(command, {"question": {"asks": SECRET}})
    assert status == 0
    assert set(json.loads(said)) == {"crash"}
    assert b"Maria" not in said


def test_a_pipeline_that_stops_on_a_sealed_value_is_the_users_to_mend():
    class Stops:
        def predict(self, rows):
            raise KeyError(f"{SECRET}, {len(rows)}")

    with pytest.raises(Qua3ckError) as caught:
        examine._predict(Stops(), pd.DataFrame({"a": [1]}))
    assert caught.value.code == "C017"
    assert "Maria" not in str(caught.value)


def test_a_blocking_finding_of_an_earlier_phase_blocks_here_and_is_named(made):
    leak = Finding("U001", "block", "column income", "income alone gives the target away.")
    mild = Finding("U012", "warn", "column region", "region is empty in half of the rows.")
    accepted = replace(leak, where="column region", accepted="audited in May")
    snapshot = replace(made.snapshot, findings=(leak, mild, accepted))
    found = examine.examine(job_of(made, snapshot=as_json(snapshot)))
    assert all(kpi.verdict == "pass" for kpi in found.kpis)
    assert not found.release_allowed
    earlier = [f for f in found.findings if f.code.startswith("U")]
    assert earlier == [leak]


def test_what_is_compared_is_the_stronger_naive_prediction_at_each_promise(made):
    asked = QUESTION.model_copy(update={"costs": Costs(false_negative=1.0, false_positive=9.0)})
    found = examine.examine(job_of(made, question=asked.model_dump(mode="json")))
    said = {one.metric: one.says for one in found.comparisons if one.against == "baseline"}
    assert said["cost_per_case"] == 'always says "no", the cheaper decision for everybody'
    assert said["accuracy"] != said["cost_per_case"]
    assert "income < 50" in {one.says for one in found.comparisons if one.against == "rule"}


def test_the_size_is_what_ships_without_what_lies_beside_for_comparison(made):
    folder = made.workspace.root / made.candidate.artefact
    before = examine._size_mb(case_of(made))
    files = {p.relative_to(folder).as_posix(): p.stat().st_size for p in folder.rglob("*.*")}
    shipped = sum(size for name, size in files.items() if not name.startswith("reference/"))
    assert any(name.startswith("reference/") for name in files)
    assert before == pytest.approx(shipped / 1e6)


@pytest.mark.parametrize(
    ("algorithm", "clear"),
    [("logistic_regression", True), ("random_forest", False), ("features.mine", False)],
)
def test_of_an_own_estimator_nobody_knows_whether_it_can_be_explained(algorithm, clear):
    case = SimpleNamespace(
        candidate=SimpleNamespace(algorithm=algorithm), snapshot=SimpleNamespace(task="binary")
    )
    assert examine._explainable(case) is clear


def test_a_thousand_requests_are_timed_only_where_a_promise_rests_on_them(made):
    quick = QUESTION.model_copy(
        update={"kpis": (Kpi(id="auc", metric="roc_auc", at_least=0.7),), "fairness": ()}
    )
    assert examine._asks_latency(case_of(made))
    assert not examine._asks_latency(case_of(made, question=quick.model_dump(mode="json")))


def test_in_time_order_the_naive_rival_knows_the_sealed_outcomes_before_each_row(made):
    from qua3ck.a3.baseline import Baseline
    from qua3ck.question.outcome import Outcome

    naive = Baseline(
        "last_value", "binary", ("no", "yes"), "late", label="no", shares=(0.5, 0.5),
        moves=((0.5, 0.5), (0.5, 0.5)), time="day",
    )  # fmt: skip
    trained = pd.DataFrame({"day": [1, 2], "late": ["no", "yes"]})
    sealed = pd.DataFrame({"day": [3, 4, 5], "late": ["no", "no", "yes"]})
    base = Outcome(truth=sealed["late"].to_numpy(), classes=("no", "yes"), positive="yes")
    (judged,) = examine._beaten((naive,), None, base, sealed, trained)
    assert judged.outcome.labels.tolist() == ["yes", "no", "no"]
    assert np.isfinite(judged.outcome.scores).all()
