import pytest

from qua3ck.kit.errors import Qua3ckError
from qua3ck.question import (
    Costs,
    FairnessGap,
    Kpi,
    Question,
    check_question,
    check_stop_rule,
    positive_class,
    stop,
)
from qua3ck.question.codes import PAGES


def question(*kpis, **more):
    return Question(
        **{"asks": "a", "decides": "b", "why_now": "c", "risks": "d", "stop_if": ("rows < 1000",),
           "kpis": kpis, **more}
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
