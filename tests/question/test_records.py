import json
import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from qua3ck.question import Costs, FairnessGap, Kpi, Question, Risk

KPI = {"id": "right", "metric": "accuracy", "at_least": 0.8}
WHOLE = {
    "asks": "Who defaults?",
    "decides": "The officer, at the desk.",
    "why_now": "Losses doubled.",
    "risks": "Somebody is refused wrongly.",
    "stop_if": ["rows < 10"],
    "kpis": [KPI],
}


def question(**change):
    return Question.model_validate_json(json.dumps({**WHOLE, **change}))


def test_the_digest_is_the_same_in_another_process():
    again = (
        "import sys; from qua3ck.question.records import Question;"
        "print(Question.model_validate_json(sys.stdin.read()).digest, end='')"
    )
    said = subprocess.run(
        [sys.executable, "-c", again], input=json.dumps(WHOLE), capture_output=True, text=True,
        check=True,
    )  # fmt: skip
    assert said.stdout == question().digest
    assert len(said.stdout) == 64


def test_the_digest_does_not_depend_on_the_order_of_keys_or_on_spelling_out_a_default():
    turned = Question.model_validate_json(json.dumps(dict(reversed(WHOLE.items()))))
    assert turned.digest == question().digest
    assert question(fairness=[], positive=None).digest == question().digest
    spelt = {**KPI, "confidence": 0.95, "min_rows": 30}
    assert question(kpis=[spelt]).digest == question().digest
    whole = question(kpis=[{**KPI, "at_least": 1}]).digest
    assert whole == question(kpis=[{**KPI, "at_least": 1.0}]).digest


@pytest.mark.parametrize(
    "change",
    [
        {"asks": "Who pays?"},
        {"stop_if": ["rows < 11"]},
        {"kpis": [{**KPI, "at_least": 0.8000000000000002}]},
        {"kpis": [{**KPI, "confidence": 0.9}]},
        {"kpis": [{"id": "right", "metric": "accuracy", "at_most": 0.8}]},
        {"kpis": [{**KPI, "slice": {"age": 3}}]},
        {"positive": 1},
        {"positive": "1"},
        {"positive": True},
        {"costs": {"false_negative": 2.0}},
        {"risk": {"affects": "people"}},
        {"roles": {"owner": "amina"}},
    ],
)
def test_the_digest_changes_with_whatever_the_question_says(change):
    assert question(**change).digest != question().digest


@pytest.mark.parametrize(
    ("change", "read"),
    [
        ({"asks": "Who pays?"}, False),
        ({"risk": {"affects": "people", "automated": True}}, False),
        ({"roles": {"owner": "amina"}}, False),
        ({"kpis": [{**KPI, "why": "The ministry asks for it."}]}, False),
        ({"kpis": [{**KPI, "at_least": 0.81}]}, True),
        ({"kpis": [{**KPI, "slice": {"age": 3}}]}, True),
        ({"fairness": [{"id": "g", "metric": "accuracy_difference", "by": "s", "at_most": 1}]},
         True),
        ({"positive": 1}, True),
        ({"costs": {"false_negative": 2.0}}, True),
        ({"stop_if": ["trials > 5"]}, True),
    ],
)  # fmt: skip
def test_a_search_is_done_again_for_what_it_reads_of_the_question_and_for_nothing_else(
    change, read
):
    assert (question(**change).searched != question().searched) == read


def test_one_and_the_text_one_and_true_are_three_different_positives():
    digests = {question(positive=value).digest for value in (1, "1", True)}
    assert len(digests) == 3


@pytest.mark.parametrize("threshold", ["0.8", True, None, [0.8]])
def test_a_threshold_is_a_number_and_nothing_is_read_as_one(threshold):
    with pytest.raises(ValidationError):
        question(kpis=[{**KPI, "at_least": threshold}])


@pytest.mark.parametrize(
    "kpi",
    [
        {"id": "right", "metric": "accuracy"},
        {**KPI, "at_most": 0.9},
        {**KPI, "id": "Right"},
        {**KPI, "id": "9right"},
        {**KPI, "metric": ""},
        {**KPI, "confidence": 0.5},
        {**KPI, "confidence": 1.0},
        {**KPI, "confidence": 95},
        {**KPI, "min_rows": 0},
        {**KPI, "min_rows": 30.5},
        {**KPI, "at_leest": 0.8},
        {**KPI, "slice_by": "region"},
    ],
)
def test_a_kpi_that_can_be_misread_is_refused(kpi):
    with pytest.raises(ValidationError):
        question(kpis=[kpi])


@pytest.mark.parametrize("missing", WHOLE)
def test_every_answer_of_the_checklist_is_compulsory(missing):
    rest = {key: value for key, value in WHOLE.items() if key != missing}
    with pytest.raises(ValidationError, match=missing):
        Question.model_validate_json(json.dumps(rest))


@pytest.mark.parametrize(
    "change",
    [{"asks": ""}, {"stop_if": []}, {"stop_if": [""]}, {"kpis": []}, {"why": "x"},
     {"risk": {"affects": "animals"}}, {"costs": {"false_negative": -1}}],
)  # fmt: skip
def test_empty_answers_and_unknown_words_are_refused(change):
    with pytest.raises(ValidationError):
        question(**change)


@given(st.floats(-1e18, 1e18), st.sampled_from(["at_least", "at_most"]))
def test_the_threshold_and_its_side_come_back_as_declared(number, side):
    kpi = Kpi.model_validate({"id": "k", "metric": "rmse", side: number})
    assert (kpi.threshold, kpi.direction) == (number, side)


def test_a_threshold_of_zero_is_a_threshold():
    assert Kpi(id="gain", metric="r2", at_least=0.0).threshold == 0.0
    assert Kpi(id="none", metric="ece", at_most=0.0).direction == "at_most"


def test_records_cannot_be_changed_afterwards():
    asked = question()
    with pytest.raises(ValidationError, match="frozen"):
        asked.kpis[0].at_least = 0.5


def test_what_is_not_said_has_the_documented_default():
    asked = question()
    assert asked.kpis[0].confidence == 0.95
    assert asked.kpis[0].min_rows == 30
    gap = FairnessGap(id="gap", metric="accuracy_difference", by="sex", at_most=0.1)
    assert gap.min_rows == 100
    assert Costs() == Costs(false_negative=1.0, false_positive=1.0)
    assert Risk() == Risk(affects=None, domain="other", automated=False)
