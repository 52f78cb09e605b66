import pytest
from pydantic import ValidationError

from qua3ck.kit.errors import Qua3ckError
from qua3ck.question import (
    Costs,
    FairnessGap,
    Kpi,
    Question,
    Risk,
    check_question,
    check_stop_rule,
    positive_class,
    stop,
)
from qua3ck.question.codes import PAGES


def question(*kpis, **more):
    return Question(
        **{"asks": "a", "decides": "b", "why_now": "c", "risks": "d", "stop_if": ("rows < 1000",),
           "kpis": kpis, "risk": Risk(affects="people"), **more}
    )  # fmt: skip


ACCURACY = Kpi(id="acc", metric="accuracy", at_least=0.9)
RMSE = Kpi(id="err", metric="rmse", at_most=3.0)


@pytest.mark.parametrize(
    ("code", "asked", "known", "says"),
    [
        ("Q002", question(ACCURACY), {"prevalence": 0.03}, "97.0%"),
        ("Q004", question(ACCURACY, ACCURACY), {}, "2 times"),
        ("Q004", question(Kpi(id="rows", metric="accuracy", at_least=0.9)), {}, "choose another"),
        ("Q005", question(Kpi(id="g", metric="accuracy_difference", at_most=0.1)), {}, "fairness"),
        ("Q005", question(Kpi(id="c", metric="cost_per_case", at_most=1)), {}, "needs costs"),
        ("Q005", question(Kpi(id="t", metric="latency_p99_ms", at_most=9, slice_by=("r",))), {},
         "no slices"),
        ("Q005", question(ACCURACY, fairness=(
            FairnessGap(id="f", metric="recall", by="sex", at_most=0.1),)), {}, "no difference"),
        ("Q006", question(RMSE), {"task": "binary"}, "roc_auc"),
        ("Q006", question(ACCURACY), {"task": "regression"}, "rmse"),
        ("Q007", question(Kpi(id="a", metric="accuracy", at_least=95)), {}, "mean 0.95?"),
        ("Q007", question(ACCURACY, fairness=(
            FairnessGap(id="f", metric="accuracy_difference", by="sex", at_most=10),)), {},
         "mean 0.1?"),
        ("Q008", question(Kpi(id="a", metric="accuracy", at_most=0.9)), {}, "at_least: 0.9"),
        ("Q009", question(ACCURACY, positive="bad"), {"classes": ("0", "1")}, "positive class"),
    ],
)  # fmt: skip
def test_each_mistake_is_found_and_said(code, asked, known, says):
    found = [f for f in check_question(asked, **known) if f.code == code]
    assert len(found) == 1
    assert found[0].blocks
    assert says in found[0].says


def test_a_sound_question_has_no_findings():
    gap = FairnessGap(id="gap", metric="equal_opportunity_difference", by="sex", at_most=0.1)
    cost = Kpi(id="cost", metric="cost_per_case", at_most=1)
    asked = question(ACCURACY, cost, fairness=(gap,), costs=Costs(false_negative=5), positive=1)
    known = {"task": "binary", "classes": ("0", "1"), "prevalence": 0.02}
    assert check_question(asked, **known) == ()
    assert check_question(question(ACCURACY), prevalence=0.3) == ()


@pytest.mark.parametrize(
    ("risk", "sensitive", "by", "says"),
    [
        (Risk(), (), None, "Nobody has said"),
        (Risk(affects="organisation"), ("sex",), None, "attributes of persons: sex"),
        (Risk(affects="nobody"), (), "age", "attributes of persons: age"),
    ],
)
def test_whom_a_number_hits_is_asked_for_and_held_against_the_columns(risk, sensitive, by, says):
    gaps = (FairnessGap(id="gap", metric="accuracy_difference", by=by, at_most=0.1),) if by else ()
    asked = question(ACCURACY, fairness=gaps, risk=risk)
    (found,) = check_question(asked, sensitive=sensitive)
    assert (found.code, found.severity) == ("Q010", "warn")
    assert says in found.says


def test_an_unknown_metric_is_an_error():
    with pytest.raises(Qua3ckError, match="acuracy"):
        check_question(question(Kpi(id="a", metric="acuracy", at_least=0.9)))


def test_stop_rules_fire_on_facts_and_kpis_and_wait_for_what_is_not_known_yet():
    rules = ("rows < 1000", "acc < 0.6 and opened >= 1", "minutes > 60")
    asked = question(ACCURACY, stop_if=rules)
    assert stop(asked, {"rows": 500}) == ("rows < 1000",)
    assert stop(asked, {"rows": 5000}) == ()
    assert stop(asked, {"rows": 5000, "acc": 0.5, "opened": 1}) == ("acc < 0.6 and opened >= 1",)


def test_a_stop_rule_about_no_fact_is_an_error():
    with pytest.raises(Qua3ckError, match=r'"row".*did you mean "rows"'):
        check_stop_rule(question(ACCURACY), "row < 10", where="question.stop_if[0]")
    with pytest.raises(Qua3ckError, match="cannot be read"):
        check_stop_rule(question(ACCURACY), "rows <", where="question.stop_if[0]")
    with pytest.raises(Qua3ckError, match='"row"'):
        stop(question(ACCURACY, stop_if=("row < 10",)), {"rows": 5})


@pytest.mark.parametrize(
    ("classes", "declared", "expected"),
    [(("no", "yes"), None, "yes"), (("0", "1"), None, "1"), (("bad", "good"), "bad", "bad"),
     (("0", "1"), 0, "0"), ((), None, "")],
)  # fmt: skip
def test_the_positive_class_is_the_declared_or_the_last(classes, declared, expected):
    assert positive_class(classes, declared) == expected


def test_each_code_has_one_page():
    codes = [page.code for page in PAGES]
    assert codes == sorted(set(codes))


@pytest.mark.parametrize("side", ["at_least", "at_most"])
def test_a_threshold_that_no_number_meets_or_all_do_is_found(side):
    kpi = Kpi(id="err", metric="rmse", **{side: -1.0})
    assert "Q007" in {f.code for f in check_question(question(kpi))}


@pytest.mark.parametrize("threshold", [float("nan"), float("inf"), float("-inf")])
@pytest.mark.parametrize("side", ["at_least", "at_most"])
def test_a_threshold_that_is_no_number_makes_no_kpi(threshold, side):
    with pytest.raises(ValidationError, match=side):
        Kpi(id="err", metric="rmse", **{side: threshold})


def test_a_threshold_at_the_end_of_the_range_is_a_threshold():
    for number in (0.0, 1.0):
        assert check_question(question(Kpi(id="a", metric="accuracy", at_least=number))) == ()


@pytest.mark.parametrize(
    ("prevalence", "others", "found"),
    [(0.0499, (), True), (0.05, (), False), (0.01, ("recall",), False),
     (0.01, ("latency_p95_ms",), True), (0.01, ("roc_auc",), False)],
)  # fmt: skip
def test_accuracy_may_stand_alone_unless_the_class_is_rare(prevalence, others, found):
    sides = {"latency_p95_ms": "at_most"}
    more = [Kpi(id=f"k{i}", metric=m, **{sides.get(m, "at_least"): 0.5})
            for i, m in enumerate(others)]  # fmt: skip
    codes = {f.code for f in check_question(question(ACCURACY, *more), prevalence=prevalence)}
    assert codes == ({"Q002"} if found else set())


def test_a_kpi_and_a_gap_may_not_share_an_id():
    gap = FairnessGap(id="acc", metric="accuracy_difference", by="sex", at_most=0.1)
    assert [f.code for f in check_question(question(ACCURACY, fairness=(gap,)))] == ["Q004"]


def test_every_mistake_is_reported_at_once_and_none_quotes_a_class():
    wrong = question(
        Kpi(id="rows", metric="accuracy", at_most=95), RMSE, positive="Mrs Kamau",
    )  # fmt: skip
    found = check_question(wrong, task="binary", classes=("no", "yes"))
    assert {f.code for f in found} == {"Q004", "Q006", "Q007", "Q008", "Q009"}
    assert not any("Kamau" in f.says for f in found)
    assert all(f.where.startswith("question, ") for f in found)


def test_stop_rules_wait_until_all_they_name_is_known():
    asked = question(ACCURACY, stop_if=("gain < 0 or opened > 1",))
    assert stop(asked, {"opened": 2}) == ()
    assert stop(asked, {"opened": 2, "gain": 0.1}) == ("gain < 0 or opened > 1",)


def test_a_stop_rule_about_a_number_that_is_not_known_stops_and_says_so():
    asked = question(ACCURACY, stop_if=("gain < 0", "gain < 0 or rows > 1", "rows < 1"))
    fired = stop(asked, {"gain": float("nan"), "rows": 5})
    assert fired == ("gain < 0 (not applicable: gain is unknown)", "gain < 0 or rows > 1")
    assert stop(asked, {"gain": 0.2, "rows": 1}) == ()
