import pytest

from qua3ck.kit.errors import Qua3ckError
from qua3ck.question import METRICS, metric


def test_a_misspelt_metric_gets_the_nearest_name_the_place_and_the_list():
    with pytest.raises(Qua3ckError) as caught:
        metric("acuracy", where="stock/qua3ck.yaml, line 7")
    assert 'did you mean "accuracy"' in caught.value.what
    assert caught.value.where == "stock/qua3ck.yaml, line 7"
    assert "macro_f1" in caught.value.fix


@pytest.mark.parametrize("name", METRICS)
def test_every_metric_is_explained_in_a_sentence(name):
    found = metric(name, where="here")
    assert found.name == name
    assert found.definition.endswith(".")
    assert found.low < found.high
    assert found.tasks


def test_an_unknown_metric_has_a_code_and_a_far_word_gets_no_guess():
    with pytest.raises(Qua3ckError) as caught:
        metric("zzz", where="here")
    assert "did you mean" not in caught.value.what
    assert caught.value.code == "Q001"
    assert caught.value.exit_code == 2


def test_the_metrics_of_the_documentation_are_there():
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
