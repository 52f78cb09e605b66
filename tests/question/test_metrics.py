import pytest

from qua3ck.kit import Qua3ckError
from qua3ck.question import METRICS, metric


@pytest.mark.parametrize(
    ("written", "nearest"),
    [("acuracy", "accuracy"), ("roc-auc", "roc_auc"), ("recal", "recall")],
)
def test_an_unknown_metric_is_answered_with_the_nearest_name(written, nearest):
    with pytest.raises(Qua3ckError, match=f'did you mean "{nearest}"') as caught:
        metric(written, where="stock/qua3ck.yaml, question.kpis[0].metric")
    assert caught.value.code == "Q001"
    assert caught.value.exit_code == 2
    assert "stock/qua3ck.yaml" in str(caught.value)
    assert nearest in caught.value.fix


def test_a_word_like_no_metric_gets_the_list_and_no_guess():
    with pytest.raises(Qua3ckError) as caught:
        metric("zzz", where="here")
    assert "did you mean" not in caught.value.what
    assert "recall" in caught.value.fix


@pytest.mark.parametrize("asked", METRICS.values(), ids=METRICS)
def test_every_metric_says_what_it_is(asked):
    assert METRICS[asked.name] is metric(asked.name, where="here") is asked
    assert asked.low < asked.high
    assert asked.tasks
    assert asked.title
    assert asked.unit
    assert asked.definition.endswith(".")


def test_the_metrics_of_the_issue_are_there():
    wanted = """accuracy balanced_accuracy recall precision specificity false_positive_rate f1
    macro_f1 roc_auc average_precision brier log_loss ece cost_per_case rmse mae mape r2
    latency_p50_ms latency_p95_ms latency_p99_ms model_size_mb explainable
    demographic_parity_difference equal_opportunity_difference equalized_odds_difference
    false_positive_rate_difference accuracy_difference error_rate_difference"""
    assert set(wanted.split()) == set(METRICS)


def test_the_list_of_metrics_cannot_be_changed_by_a_caller():
    with pytest.raises(TypeError, match="does not support item assignment"):
        METRICS["accuracy"] = METRICS["recall"]


@pytest.mark.parametrize(
    ("name", "higher"),
    [("accuracy", True), ("rmse", False), ("r2", True), ("brier", False),
     ("false_positive_rate", False), ("latency_p95_ms", False), ("explainable", True)],
)  # fmt: skip
def test_metrics_know_which_side_is_good(name, higher):
    assert METRICS[name].higher_is_better is higher
