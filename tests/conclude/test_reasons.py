from __future__ import annotations

from dataclasses import dataclass, replace

from qua3ck.a3.records import Candidate, Score, Trial
from qua3ck.conclude.reasons import decision_record, reasons, risks
from qua3ck.question.records import Kpi, Question
from qua3ck.understand.records import Column

QUESTION = Question(
    asks="?", decides="x", why_now="x", risks="x", stop_if=("rows < 1",),
    kpis=(Kpi(id="auc", metric="roc_auc", at_least=0.5),),
)  # fmt: skip


def trial(number: int, algorithm: str, auc: float, *, feasible: bool = True) -> Trial:
    return Trial(number, algorithm, {}, "complete", {"auc": auc}, None, feasible, 0.1, 0.1)


CANDIDATE = Candidate(
    digest="c" * 64, artefact="candidates/c", snapshot="s", algorithm="forest",
    params={"trees": 300}, model_format="onnx", why_format="", seed=1,
    scores={"auc": Score(0.83)}, baseline={}, rule={}, gain=Score(0.3), train_score=0.9,
    honest=0.83, optimistic=0.88, seed_sd=0.004, learning_curve=(),
    trials=(trial(0, "forest", 0.83), trial(1, "tree", 0.7), trial(2, "boosting", 0.825),
            trial(3, "boosting", 0.8)),
    influences=(), next_step="", findings=(), code_digest="",
)  # fmt: skip


@dataclass(frozen=True)
class MadeSnapshot:
    columns: tuple[Column, ...] = (Column("secret", "number", "double", "left_out", why="late"),)


def test_the_record_says_why_what_was_close_and_against_what(conclusion, undecided):
    said = " ".join(
        reasons(QUESTION, CANDIDATE, [undecided], conclusion.comparisons, allowed=False)
    )
    assert "forest was kept among" in said
    assert "with a validation auc of 0.8300" in said
    assert "Close: boosting (auc 0.8250)" in said
    assert "tree" not in said
    assert "Against baseline: recall better by 0.33 [0.25, 0.41], better beyond doubt" in said
    assert "may not be released" in said


def test_one_that_may_be_released_says_so(conclusion, undecided):
    passed = replace(undecided, verdict="pass")
    said = reasons(QUESTION, CANDIDATE, [passed], conclusion.comparisons, allowed=True)
    assert said[-1].startswith("It may be released")


def test_open_risks_name_undecided_promises_rare_classes_left_out_columns_and_optimism(undecided):
    part = {"column": "region", "part": "north", "rows": 40, "rate": 0.5, "rest": 0.1, "p": 0.001}
    per_class = {"yes": {"support": 12.0}, "no": {"support": 500.0}}
    said = risks(MadeSnapshot(), CANDIDATE, [undecided], per_class, [part])
    whole = " ".join(said)
    assert "About 430 rows at this recall would pass." in whole
    assert "Class yes is rare: 12 sealed rows." in whole
    assert "region, north: wrong in 0.50 of 40 sealed rows" in whole
    assert "Left out of the model: secret." in whole
    assert "A random split would have promised 0.880 instead of 0.830" in whole
    assert "fits training rows better (0.900)" in whole


def test_the_decision_record_is_a_page_of_its_own(conclusion):
    page = decision_record(conclusion, CANDIDATE)
    assert page.startswith("# Decision: the candidate may not be released\n")
    assert "trees = 300" in page
    assert "- recall 0.83 [0.76, 0.89], wanted >= 0.80: undecided" in page
