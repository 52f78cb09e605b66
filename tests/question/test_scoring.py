import numpy as np
import pytest
from sklearn import metrics as judge

from qua3ck.kit import NotEnoughEvidence, Qua3ckError
from qua3ck.question import METRICS, Costs, Outcome, score
from qua3ck.question.scoring import influence_of

SEEDS = [1, 2, 3]


def truth(o):
    return o.truth == "yes"


def called(o):
    return o.labels == "yes"


def chance(o):
    return o.scores[:, 1]


BINARY = {
    "accuracy": lambda o, w=None: judge.accuracy_score(o.truth, o.labels, sample_weight=w),
    "balanced_accuracy": lambda o, w=None: judge.balanced_accuracy_score(
        o.truth, o.labels, sample_weight=w
    ),
    "recall": lambda o, w=None: judge.recall_score(truth(o), called(o), sample_weight=w),
    "precision": lambda o, w=None: judge.precision_score(truth(o), called(o), sample_weight=w),
    "specificity": lambda o, w=None: judge.recall_score(~truth(o), ~called(o), sample_weight=w),
    "false_positive_rate": lambda o, w=None: (
        1 - judge.recall_score(~truth(o), ~called(o), sample_weight=w)
    ),
    "f1": lambda o, w=None: judge.f1_score(truth(o), called(o), sample_weight=w),
    "macro_f1": lambda o, w=None: judge.f1_score(
        o.truth, o.labels, average="macro", sample_weight=w
    ),
    "roc_auc": lambda o, w=None: judge.roc_auc_score(truth(o), chance(o), sample_weight=w),
    "average_precision": lambda o, w=None: judge.average_precision_score(
        truth(o), chance(o), sample_weight=w
    ),
    "brier": lambda o, w=None: judge.brier_score_loss(truth(o), chance(o), sample_weight=w),
    "log_loss": lambda o, w=None: judge.log_loss(truth(o), o.scores, sample_weight=w),
    "cost_per_case": lambda o, w=None: np.average(
        5.0 * (truth(o) & ~called(o)) + 2.0 * (~truth(o) & called(o)), weights=w
    ),
}
NUMBERS = {
    "rmse": judge.root_mean_squared_error,
    "mae": judge.mean_absolute_error,
    "mape": judge.mean_absolute_percentage_error,
    "r2": judge.r2_score,
}
THREE = {
    "accuracy": lambda o: judge.accuracy_score(o.truth, o.labels),
    "balanced_accuracy": lambda o: judge.balanced_accuracy_score(o.truth, o.labels),
    "macro_f1": lambda o: judge.f1_score(o.truth, o.labels, average="macro"),
    "roc_auc": lambda o: judge.roc_auc_score(
        o.truth, in_order(o), multi_class="ovr", average="macro"
    ),
    "brier": lambda o: judge.brier_score_loss(
        o.truth, in_order(o), labels=sorted(o.classes), scale_by_half=False
    ),
    "log_loss": lambda o: judge.log_loss(o.truth, in_order(o), labels=sorted(o.classes)),
}
BY_HAND = {"ece", "latency_p50_ms", "latency_p95_ms", "latency_p99_ms", "model_size_mb",
           "explainable"}  # fmt: skip


def in_order(o):
    return o.scores[:, np.argsort(o.classes)]


@pytest.fixture
def two(made):
    costs = Costs(false_negative=5, false_positive=2)
    return lambda seed: made.binary(np.random.default_rng(seed), 300, share=0.3, costs=costs)


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("name", BINARY)
def test_two_classes_agree_with_scikit_learn(name, seed, two):
    outcome = two(seed)
    assert score(name, outcome) == pytest.approx(BINARY[name](outcome), abs=1e-9)


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("name", THREE)
def test_three_classes_agree_with_scikit_learn(name, seed, made):
    outcome = made.three(np.random.default_rng(seed), 300)
    assert score(name, outcome) == pytest.approx(THREE[name](outcome), abs=1e-9)


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("name", NUMBERS)
def test_numbers_agree_with_scikit_learn(name, seed, made):
    outcome = made.numbers(np.random.default_rng(seed), 200)
    wanted = NUMBERS[name](outcome.truth, outcome.values)
    assert score(name, outcome) == pytest.approx(wanted, abs=1e-9)


def test_no_metric_is_without_a_judge():
    gaps = {name for name, asked in METRICS.items() if asked.family == "gap"}  # see test_gaps
    assert set(BINARY) | set(NUMBERS) | BY_HAND | gaps == set(METRICS)


def test_the_calibration_error_is_the_mean_distance_over_ten_bins(made):
    p = np.array([0.05, 0.05, 0.95, 1.0, 0.55])
    happened = np.array([False, True, True, True, False])
    outcome = Outcome(
        np.where(happened, "1", "0"), scores=np.column_stack([1 - p, p]), classes=("0", "1")
    )
    wanted = (abs(0.1 - 1) + abs(1.95 - 2) + abs(0.55 - 0)) / 5
    assert score("ece", outcome) == pytest.approx(wanted)


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


def test_size_and_explainability_are_read_off_the_artefact(made):
    outcome = made.of_share(1, 1, size_mb=3.5, explainable=False)
    assert score("model_size_mb", outcome) == 3.5
    assert score("explainable", outcome) == 0.0


def test_a_declared_positive_class_turns_recall_into_specificity(two):
    outcome = two(1)
    turned = Outcome(outcome.truth, labels=outcome.labels, classes=("no", "yes"), positive="no")
    assert score("recall", turned) == score("specificity", outcome)
    missed = score("false_positive_rate", turned)
    assert missed == pytest.approx(1 - score("recall", outcome))


@pytest.mark.parametrize(
    "name", [name for name, asked in METRICS.items() if asked.needs in {"labels", "scores"}
             and asked.family != "gap"]
)  # fmt: skip
def test_a_perfect_predictor_reaches_the_good_end_of_every_metric(name):
    truth = np.array(["no", "yes"] * 20)
    hit = (truth[:, None] == ["no", "yes"]).astype(float)
    perfect = Outcome(truth, labels=truth, scores=hit, classes=("no", "yes"), costs=Costs())
    asked = METRICS[name]
    wanted = asked.high if asked.higher_is_better else asked.low
    assert score(name, perfect) == pytest.approx(wanted, abs=1e-12)


def weighted(of, row, rows, step=1e-5):
    up, down = np.ones(rows), np.ones(rows)
    up[row] += step
    down[row] -= step
    return (of(up) - of(down)) / (2 * step)


@pytest.mark.parametrize("name", BINARY)
def test_a_rows_influence_is_what_scikit_learn_does_with_its_weight(name, two):
    outcome = two(4)
    influence = influence_of(METRICS[name], outcome)
    assert influence.sum() == pytest.approx(0, abs=1e-8)
    for row in (0, 7, 123, 299):
        moved = weighted(lambda w: BINARY[name](outcome, w), row, 300)
        assert influence[row] == pytest.approx(moved, abs=1e-7)


@pytest.mark.parametrize("name", NUMBERS)
def test_an_errors_influence_is_what_scikit_learn_does_with_its_weight(name, made):
    outcome = made.numbers(np.random.default_rng(5), 100)
    influence = influence_of(METRICS[name], outcome)
    assert influence.sum() == pytest.approx(0, abs=1e-8)
    for row in (0, 50, 99):
        moved = weighted(
            lambda w: NUMBERS[name](outcome.truth, outcome.values, sample_weight=w), row, 100
        )
        assert influence[row] == pytest.approx(moved, abs=1e-7)


def test_a_row_of_an_undeclared_class_is_never_right():
    truth = np.array(["a", None, np.nan, "new"], dtype=object)
    labels = np.array(["a", None, np.nan, "other"], dtype=object)
    assert score("accuracy", Outcome(truth, labels=labels, classes=("a", "b"))) == 0.25


NO, YES = np.array(["no"] * 5), np.array(["yes"] * 5)
HALF = np.full((5, 2), 0.5)
PAIR = ("no", "yes")
NAN = np.array([1.0, np.nan])
REFUSED = [
    ("recall", Outcome(NO, labels=NO, classes=PAIR), "no row is of the kind"),
    ("precision", Outcome(YES, labels=NO, classes=PAIR), "no row is of the kind"),
    ("specificity", Outcome(YES, labels=NO, classes=PAIR), "no row is of the kind"),
    ("f1", Outcome(NO, labels=NO, classes=PAIR), "divides by nothing"),
    ("roc_auc", Outcome(YES, scores=HALF, classes=PAIR), "some class has no row"),
    ("average_precision", Outcome(NO, scores=HALF, classes=PAIR), "some class has no row"),
    ("roc_auc", Outcome(np.array(["no", "yes", "x", "no", "no"]), scores=HALF, classes=PAIR),
     "a class that was not declared"),
    ("log_loss", Outcome(np.array(["no", "yes", "x", "no", "no"]), scores=HALF, classes=PAIR),
     "a class that was not declared"),
    ("macro_f1", Outcome(np.array(["x"] * 5), labels=NO, classes=PAIR),
     "a class that was not declared"),
    ("roc_auc", Outcome(YES, labels=YES, classes=PAIR), "gives no scores"),
    ("accuracy", Outcome(YES, scores=HALF, classes=PAIR), "gives no labels"),
    ("accuracy", Outcome(YES, labels=YES), "names no classes"),
    ("brier", Outcome(YES, scores=HALF * np.nan, classes=PAIR), "not finite"),
    ("brier", Outcome(YES, scores=HALF * np.inf, classes=PAIR), "not finite"),
    ("f1", Outcome(YES, labels=YES, classes=("no", "perhaps", "yes")), "two classes, here are 3"),
    ("cost_per_case", Outcome(YES, labels=YES, classes=PAIR), "states no costs"),
    ("rmse", Outcome(np.ones(2), values=NAN), "not finite"),
    ("rmse", Outcome(NAN, values=np.ones(2)), "some true values are not finite"),
    ("rmse", Outcome(np.ones(2)), "gives no values"),
    ("rmse", Outcome(np.array([]), values=np.array([])), "0 rows"),
    ("mape", Outcome(np.array([0.0, 1.0]), values=np.ones(2)), "true values are zero"),
    ("r2", Outcome(np.ones(3), values=np.arange(3.0)), "true values are the same"),
    ("model_size_mb", Outcome(YES), "not measured"),
    ("explainable", Outcome(YES), "not measured"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("name", "outcome", "reason"), REFUSED, ids=[f"{r[0]}: {r[2]}" for r in REFUSED]
)
def test_what_does_not_exist_is_refused_and_never_a_number(name, outcome, reason):
    with pytest.raises(NotEnoughEvidence, match=reason) as caught:
        score(name, outcome)
    assert caught.value.code == "Q003"


@pytest.mark.parametrize("times", [None, np.array([])])
def test_a_latency_without_a_timed_request_is_refused(times, made):
    with pytest.raises(NotEnoughEvidence, match="No request was timed"):
        score("latency_p95_ms", made.of_share(1, 1, latencies_ms=times))


def test_an_unknown_metric_is_no_key_error(made):
    with pytest.raises(Qua3ckError, match='did you mean "recall"'):
        score("recal", made.of_share(1, 1))
