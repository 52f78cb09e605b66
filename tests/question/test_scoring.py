from dataclasses import replace

import fairlearn.metrics as fair
import numpy as np
import pytest
import sklearn.metrics as sk

from qua3ck.kit.errors import NotEnoughEvidence
from qua3ck.question import METRICS, Costs, Outcome, score
from qua3ck.question.metrics import metric
from qua3ck.question.ranking import average_precision
from qua3ck.question.scoring import influence_of

RNG = np.random.default_rng(20261121)
N = 400


@pytest.fixture(scope="module")
def binary():
    y = RNG.integers(0, 2, N)
    p = np.round(np.clip(RNG.normal(0.4 + 0.2 * y, 0.2), 0.01, 0.99), 2)
    outcome = Outcome(
        np.where(y == 1, "yes", "no"),
        labels=np.where(p > 0.5, "yes", "no"),
        scores=np.column_stack([1 - p, p]),
        classes=("no", "yes"),
        slices={"sex": RNG.choice(["f", "m", "x"], N)},
        costs=Costs(false_negative=5, false_positive=2),
    )
    return outcome, y, p, (p > 0.5).astype(int)


@pytest.fixture(scope="module")
def three():
    y = RNG.integers(0, 3, N)
    s = RNG.dirichlet((1, 1, 1), N) + np.eye(3)[y] / 2
    s /= s.sum(axis=1, keepdims=True)
    label = s.argmax(axis=1)
    outcome = Outcome(y.astype(str), labels=label.astype(str), scores=s, classes=("0", "1", "2"))
    return outcome, y, s, label


@pytest.mark.parametrize(
    ("name", "judge"),
    [
        ("accuracy", lambda y, _p, d: sk.accuracy_score(y, d)),
        ("balanced_accuracy", lambda y, _p, d: sk.balanced_accuracy_score(y, d)),
        ("recall", lambda y, _p, d: sk.recall_score(y, d)),
        ("precision", lambda y, _p, d: sk.precision_score(y, d)),
        ("specificity", lambda y, _p, d: sk.recall_score(y, d, pos_label=0)),
        ("false_positive_rate", lambda y, _p, d: 1 - sk.recall_score(y, d, pos_label=0)),
        ("f1", lambda y, _p, d: sk.f1_score(y, d)),
        ("macro_f1", lambda y, _p, d: sk.f1_score(y, d, average="macro")),
        ("roc_auc", lambda y, p, _d: sk.roc_auc_score(y, p)),
        ("average_precision", lambda y, p, _d: sk.average_precision_score(y, p)),
        ("brier", lambda y, p, _d: sk.brier_score_loss(y, p)),
        ("log_loss", lambda y, p, _d: sk.log_loss(y, p)),
    ],
)
def test_two_classes_agree_with_scikit_learn(binary, name, judge):
    outcome, y, p, d = binary
    assert score(name, outcome) == pytest.approx(judge(y, p, d), abs=1e-12)


@pytest.mark.parametrize(
    ("name", "judge"),
    [
        ("accuracy", lambda y, _s, d: sk.accuracy_score(y, d)),
        ("balanced_accuracy", lambda y, _s, d: sk.balanced_accuracy_score(y, d)),
        ("macro_f1", lambda y, _s, d: sk.f1_score(y, d, average="macro")),
        ("roc_auc", lambda y, s, _d: sk.roc_auc_score(y, s, multi_class="ovr")),
        ("brier", lambda y, s, _d: sk.brier_score_loss(y, s)),
        ("log_loss", lambda y, s, _d: sk.log_loss(y, s)),
    ],
)
def test_three_classes_agree_with_scikit_learn(three, name, judge):
    outcome, y, s, d = three
    assert score(name, outcome) == pytest.approx(judge(y, s, d), abs=1e-12)


@pytest.mark.parametrize(
    ("name", "judge"),
    [
        ("rmse", sk.root_mean_squared_error),
        ("mae", sk.mean_absolute_error),
        ("mape", sk.mean_absolute_percentage_error),
        ("r2", sk.r2_score),
    ],
)
def test_regressions_agree_with_scikit_learn(name, judge):
    y = RNG.gamma(3, 2, N) + 1
    f = y + RNG.normal(size=N)
    assert score(name, Outcome(y, values=f)) == pytest.approx(judge(y, f), abs=1e-12)


@pytest.mark.parametrize(
    "name",
    ["demographic_parity_difference", "equal_opportunity_difference",
     "equalized_odds_difference"],
)  # fmt: skip
def test_gaps_agree_with_fairlearn(binary, name):
    outcome, y, _p, d = binary
    expected = getattr(fair, name)(y, d, sensitive_features=outcome.slices["sex"])
    assert score(name, outcome, by="sex") == pytest.approx(expected, abs=1e-9)


@pytest.mark.parametrize(
    ("name", "base"),
    [
        ("false_positive_rate_difference", fair.false_positive_rate),
        ("accuracy_difference", sk.accuracy_score),
        ("error_rate_difference", sk.zero_one_loss),
    ],
)
def test_other_gaps_agree_with_fairlearns_frames(binary, name, base):
    outcome, y, _p, d = binary
    frame = fair.MetricFrame(
        metrics=base, y_true=y, y_pred=d, sensitive_features=outcome.slices["sex"]
    )
    assert score(name, outcome, by="sex") == pytest.approx(frame.difference(), abs=1e-9)


def test_cost_per_case_adds_up_by_hand(binary):
    outcome, y, _p, d = binary
    by_hand = (5 * ((y == 1) & (d == 0)).sum() + 2 * ((y == 0) & (d == 1)).sum()) / N
    assert score("cost_per_case", outcome) == pytest.approx(by_hand)


def test_calibration_error_by_hand():
    p = np.array([0.05, 0.05, 0.95, 0.95])
    o = Outcome(
        np.array(["0", "1", "1", "1"]), scores=np.column_stack([1 - p, p]), classes=("0", "1")
    )
    assert score("ece", o) == pytest.approx(0.5 * 0.45 + 0.5 * 0.05)


@pytest.mark.parametrize(
    "name",
    ["accuracy", "recall", "precision", "f1", "macro_f1", "balanced_accuracy", "roc_auc",
     "average_precision", "brier", "log_loss", "ece", "cost_per_case"],
)  # fmt: skip
def test_influence_is_what_a_row_counted_slightly_more_changes(binary, name):
    outcome = binary[0].take(np.arange(60))
    doubled = np.repeat(np.arange(60), 50)
    base = score(name, outcome)
    for row in (0, 7, 31):
        heavier = outcome.take(np.append(doubled, row))
        change = (score(name, heavier) - base) * 50
        assert influence_of(metric(name, where=""), outcome)[row] == pytest.approx(
            change, rel=0.05, abs=2e-4
        )


def test_average_precision_takes_row_counts_as_weights(binary):
    _, y, p, _ = binary
    weights = RNG.integers(0, 4, (3, N)).astype(float)
    expected = [sk.average_precision_score(y, p, sample_weight=w) for w in weights]
    assert average_precision(y == 1, p, weights) == pytest.approx(np.array(expected))


@pytest.mark.parametrize(
    ("name", "change", "reason"),
    [
        ("roc_auc", {"scores": None}, "gives no scores"),
        ("roc_auc", {"truth": np.full(N, "yes")}, "some class has no row"),
        ("recall", {"truth": np.full(N, "no")}, "no row is of the kind"),
        ("precision", {"labels": np.full(N, "no")}, "no row is of the kind"),
        ("brier", {"scores": np.full((N, 2), np.nan)}, "not finite"),
        ("cost_per_case", {"costs": None}, "states no costs"),
        ("model_size_mb", {}, "not measured"),
        ("latency_p99_ms", {}, "No request was timed"),
        ("rmse", {}, "gives no values"),
    ],
)
def test_what_cannot_be_computed_says_why(binary, name, change, reason):
    with pytest.raises(NotEnoughEvidence, match=reason):
        score(name, replace(binary[0], **change))


def test_nothing_is_not_zero():
    nothing = Outcome(np.array([], dtype=str), labels=np.array([], dtype=str), classes=("a", "b"))
    with pytest.raises(NotEnoughEvidence, match="0 rows"):
        score("accuracy", nothing)


def test_mape_of_a_zero_truth_is_refused():
    with pytest.raises(NotEnoughEvidence, match="zero"):
        score("mape", Outcome(np.array([0.0, 1.0]), values=np.array([1.0, 1.0])))


def test_misaligned_arrays_are_refused():
    with pytest.raises(ValueError, match="labels has 2 rows, truth has 3"):
        Outcome(np.array(["a"] * 3), labels=np.array(["a"] * 2), classes=("a", "b"))


def test_every_metric_can_be_scored_on_something(binary, three):
    complete = replace(binary[0], latencies_ms=np.arange(1.0, 9.0), size_mb=2.5, explainable=True)
    numbers = Outcome(np.arange(1.0, 9.0), values=np.arange(2.0, 10.0))
    for name, found in METRICS.items():
        value = score(name, numbers if found.tasks == ("regression",) else complete, by="sex")
        assert found.low <= value <= found.high
