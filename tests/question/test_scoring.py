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


WEIGHED = {
    "accuracy": lambda o, w: sk.accuracy_score(o.truth, o.labels, sample_weight=w),
    "balanced_accuracy": lambda o, w: sk.balanced_accuracy_score(
        o.truth, o.labels, sample_weight=w
    ),
    "recall": lambda o, w: sk.recall_score(o.is_positive, o.called_positive, sample_weight=w),
    "precision": lambda o, w: sk.precision_score(o.is_positive, o.called_positive, sample_weight=w),
    "f1": lambda o, w: sk.f1_score(o.is_positive, o.called_positive, sample_weight=w),
    "macro_f1": lambda o, w: sk.f1_score(o.truth, o.labels, average="macro", sample_weight=w),
    "roc_auc": lambda o, w: sk.roc_auc_score(o.is_positive, o.scores[:, 1], sample_weight=w),
    "average_precision": lambda o, w: sk.average_precision_score(
        o.is_positive, o.scores[:, 1], sample_weight=w
    ),
    "brier": lambda o, w: sk.brier_score_loss(o.is_positive, o.scores[:, 1], sample_weight=w),
    "log_loss": lambda o, w: sk.log_loss(o.is_positive, o.scores, sample_weight=w),
    "rmse": lambda o, w: sk.root_mean_squared_error(o.truth, o.values, sample_weight=w),
    "mae": lambda o, w: sk.mean_absolute_error(o.truth, o.values, sample_weight=w),
    "mape": lambda o, w: sk.mean_absolute_percentage_error(o.truth, o.values, sample_weight=w),
    "r2": lambda o, w: sk.r2_score(o.truth, o.values, sample_weight=w),
}


@pytest.mark.parametrize("name", WEIGHED)
def test_a_rows_influence_is_what_scikit_learn_does_with_its_weight(name, made):
    rng = np.random.default_rng(4)
    outcome = made.binary(rng, 200) if "binary" in METRICS[name].tasks else made.numbers(rng, 200)
    influence = influence_of(METRICS[name], outcome)
    assert influence.sum() == pytest.approx(0, abs=1e-8)
    for row in (0, 7, 123, 199):
        up, down = np.ones(200), np.ones(200)
        up[row], down[row] = 1 + 1e-5, 1 - 1e-5
        moved = (WEIGHED[name](outcome, up) - WEIGHED[name](outcome, down)) / 2e-5
        assert influence[row] == pytest.approx(moved, abs=1e-7)


@pytest.mark.parametrize("name", ["macro_f1", "balanced_accuracy", "roc_auc", "log_loss"])
def test_classes_may_stand_in_any_order(name, made):
    outcome = made.three(np.random.default_rng(2), 300)
    assert outcome.classes == ("b", "c", "a")
    by_name = np.argsort(outcome.classes)
    judge = {
        "macro_f1": lambda o, _s: sk.f1_score(o.truth, o.labels, average="macro"),
        "balanced_accuracy": lambda o, _s: sk.balanced_accuracy_score(o.truth, o.labels),
        "roc_auc": lambda o, s: sk.roc_auc_score(o.truth, s, multi_class="ovr"),
        "log_loss": lambda o, s: sk.log_loss(o.truth, s, labels=sorted(o.classes)),
    }[name]
    wanted = judge(outcome, outcome.scores[:, by_name])
    assert score(name, outcome) == pytest.approx(wanted, abs=1e-9)


def test_the_calibration_error_of_several_classes_looks_at_the_most_probable():
    p = np.array([[0.7, 0.2, 0.1], [0.7, 0.2, 0.1], [0.1, 0.1, 0.8]])
    outcome = Outcome(np.array(["a", "b", "c"]), scores=p, classes=("a", "b", "c"))
    assert score("ece", outcome) == pytest.approx((abs(1.4 - 1) + abs(0.8 - 1)) / 3)


@pytest.mark.parametrize(
    ("percent", "wanted"), [(50, 100), (95, 190), (99, 198)], ids=["p50", "p95", "p99"]
)
def test_a_latency_is_one_that_was_measured_and_that_share_stayed_within(percent, wanted, made):
    times = np.random.default_rng(0).permutation(np.arange(1.0, 201.0))
    outcome = made.of_share(1, 1, latencies_ms=times)
    assert score(f"latency_p{percent}_ms", outcome) == wanted


def test_a_declared_positive_class_turns_recall_into_specificity(made):
    outcome = made.binary(np.random.default_rng(1), 300)
    turned = replace(outcome, positive="no")
    assert score("recall", turned) == score("specificity", outcome)
    missed = score("false_positive_rate", turned)
    assert missed == pytest.approx(1 - score("recall", outcome))


@pytest.mark.parametrize(
    "name", [m.name for m in METRICS.values() if m.needs in {"labels", "scores"}]
)
def test_a_perfect_predictor_reaches_the_good_end_of_every_metric(name):
    truth = np.array(["no", "yes"] * 20)
    hit = (truth[:, None] == ["no", "yes"]).astype(float)
    perfect = Outcome(
        truth, labels=truth, scores=hit, classes=("no", "yes"), costs=Costs(),
        slices={"half": np.arange(40) < 20},
    )  # fmt: skip
    asked = METRICS[name]
    wanted = asked.high if asked.higher_is_better else asked.low
    assert score(name, perfect, by="half") == pytest.approx(wanted, abs=1e-12)


def test_a_row_of_an_undeclared_class_is_never_right():
    truth = np.array(["a", None, np.nan, "new"], dtype=object)
    labels = np.array(["a", None, np.nan, "other"], dtype=object)
    assert score("accuracy", Outcome(truth, labels=labels, classes=("a", "b"))) == 0.25


NO, YES = np.array(["no"] * 5), np.array(["yes"] * 5)
ODD = np.array(["no", "yes", "x", "no", "no"])
HALF = np.full((5, 2), 0.5)
PAIR = ("no", "yes")
REFUSED = [
    ("specificity", Outcome(YES, labels=NO, classes=PAIR), "no row is of the kind"),
    ("f1", Outcome(NO, labels=NO, classes=PAIR), "divides by nothing"),
    ("average_precision", Outcome(NO, scores=HALF, classes=PAIR), "some class has no row"),
    ("roc_auc", Outcome(ODD, scores=HALF, classes=PAIR), "a class that was not declared"),
    ("log_loss", Outcome(ODD, scores=HALF, classes=PAIR), "a class that was not declared"),
    ("macro_f1", Outcome(ODD, labels=NO, classes=PAIR), "a class that was not declared"),
    ("accuracy", Outcome(YES, scores=HALF, classes=PAIR), "gives no labels"),
    ("accuracy", Outcome(YES, labels=YES), "names no classes"),
    ("brier", Outcome(YES, scores=HALF * np.inf, classes=PAIR), "not finite"),
    ("f1", Outcome(YES, labels=YES, classes=("no", "perhaps", "yes")), "two classes, here are 3"),
    ("rmse", Outcome(np.ones(2), values=np.array([1.0, np.nan])), "not finite"),
    ("rmse", Outcome(np.array([1.0, np.nan]), values=np.ones(2)), "true values are not finite"),
    ("rmse", Outcome(np.array([]), values=np.array([])), "0 rows"),
    ("r2", Outcome(np.ones(3), values=np.arange(3.0)), "true values are the same"),
    ("explainable", Outcome(YES), "not measured"),
]


@pytest.mark.parametrize(
    ("name", "outcome", "reason"), REFUSED, ids=[f"{r[0]}: {r[2]}" for r in REFUSED]
)
def test_what_does_not_exist_is_refused_under_its_code(name, outcome, reason):
    with pytest.raises(NotEnoughEvidence, match=reason) as caught:
        score(name, outcome)
    assert caught.value.code == "Q003"
