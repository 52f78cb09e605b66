from pathlib import Path

import fairlearn.metrics as judge
import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import accuracy_score, zero_one_loss

from qua3ck.kit import NotEnoughEvidence
from qua3ck.question import METRICS, Outcome, score
from qua3ck.question.bounds import interval
from qua3ck.question.gaps import group_shares
from qua3ck.question.shares import difference_bounds

CREDIT = Path(__file__).parents[3] / "shared" / "data" / "credit" / "credit-card-clients.csv.gz"


def of_frame(metric):
    def gap(truth, called, *, sensitive_features):
        frame = judge.MetricFrame(
            metrics=metric, y_true=truth, y_pred=called, sensitive_features=sensitive_features
        )
        return frame.difference()

    return gap


FAIRLEARN = {
    "demographic_parity_difference": judge.demographic_parity_difference,
    "equal_opportunity_difference": judge.equal_opportunity_difference,
    "equalized_odds_difference": judge.equalized_odds_difference,
    "false_positive_rate_difference": of_frame(judge.false_positive_rate),
    "accuracy_difference": of_frame(accuracy_score),
    "error_rate_difference": of_frame(zero_one_loss),
}


def people(rng, groups, rows=600):
    group = rng.choice(list("abcd")[:groups], size=rows)
    lean = np.array([ord(name) for name in group]) * 0.3
    truth = rng.random(rows) < 0.4
    called = truth + lean + rng.normal(size=rows) > np.median(lean) + 0.6
    return Outcome(
        np.where(truth, "1", "0"),
        labels=np.where(called, "1", "0"),
        classes=("0", "1"),
        slices={"group": group},
    )


@pytest.mark.parametrize("groups", [2, 4])
@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("name", FAIRLEARN)
def test_gaps_equal_those_of_fairlearn(name, seed, groups):
    outcome = people(np.random.default_rng(seed), groups)
    wanted = FAIRLEARN[name](
        outcome.is_positive, outcome.called_positive, sensitive_features=outcome.slices["group"]
    )
    assert score(name, outcome, by="group") == pytest.approx(wanted, abs=1e-9)


def test_every_gap_has_a_judge():
    assert set(FAIRLEARN) == {name for name, asked in METRICS.items() if asked.family == "gap"}


@pytest.mark.skipif(not CREDIT.is_file(), reason="the credit card data are not beside the folder")
@pytest.mark.parametrize("name", FAIRLEARN)
@pytest.mark.parametrize("by", ["SEX", "EDUCATION"])
def test_gaps_equal_those_of_fairlearn_on_credit_card_clients(name, by):
    rows = pd.read_csv(CREDIT)
    rows = rows[rows["EDUCATION"].isin([1, 2, 3])]
    called = (rows["PAY_0"] > 0).to_numpy()
    late = rows["default payment"].to_numpy() == 1
    outcome = Outcome(
        late.astype(int), labels=called.astype(int), classes=("0", "1"),
        slices={by: rows[by].to_numpy()},
    )  # fmt: skip
    wanted = FAIRLEARN[name](late, called, sensitive_features=rows[by].to_numpy())
    assert score(name, outcome, by=by) == pytest.approx(wanted, abs=1e-9)
    found = interval(METRICS[name], outcome, confidence=0.95, seed=0, by=by)
    assert found.low <= wanted <= found.high


@pytest.mark.parametrize(
    ("by", "group", "reason"),
    [
        ("sex", ["f"] * 4, "fewer than two groups"),
        ("age", ["f", "f", "m", "m"], r"names the groups \(age\) is not there"),
        (None, ["f", "f", "m", "m"], "is not there"),
        ("sex", ["f", "m", "m", "m"], "some group has no row of the kind"),
    ],
)
def test_a_gap_that_does_not_exist_is_refused(by, group, reason):
    outcome = Outcome(
        np.array(["no", "yes", "yes", "no"]), labels=np.array(["yes"] * 4), classes=("no", "yes"),
        slices={"sex": np.array(group)},
    )  # fmt: skip
    with pytest.raises(NotEnoughEvidence, match=reason) as caught:
        score("equal_opportunity_difference", outcome, by=by)
    assert caught.value.code == "Q003"


def test_a_missing_group_is_a_group():
    sex = np.array(["f", "m", None, np.nan], dtype=object)
    outcome = Outcome(
        np.array(["yes"] * 4), labels=np.array(["yes", "yes", "no", "no"]), classes=("no", "yes"),
        slices={"sex": sex},
    )  # fmt: skip
    (shares,) = group_shares(METRICS["accuracy_difference"], outcome, by="sex")
    assert shares.names == ("(missing)", "f", "m")
    assert shares.gap == 1.0


def test_the_upper_bound_is_the_largest_over_pairs_and_the_lower_one_pays_for_the_choosing():
    outcome = people(np.random.default_rng(3), 3)
    found = interval(METRICS["accuracy_difference"], outcome, confidence=0.95, seed=0, by="group")
    (shares,) = group_shares(METRICS["accuracy_difference"], outcome, by="group")
    pairs = [(a, b) for a in range(3) for b in range(3) if a != b]

    def of(pair, confidence):
        a, b = pair
        hits, rows = shares.hits, shares.rows
        return difference_bounds(hits[a], rows[a], hits[b], rows[b], confidence=confidence)

    assert found.high == pytest.approx(max(float(of(pair, 0.95).high) for pair in pairs))
    shared = 1 - 0.05 / len(pairs)
    lowest = max(float(of(pair, shared).low) for pair in pairs)
    assert found.low == pytest.approx(max(0.0, lowest))


def test_equal_groups_are_rarely_said_to_differ_and_bounds_cover_zero_and_more():
    rng = np.random.default_rng(8)
    low_missed = high_missed = 0
    for _ in range(400):
        right = rng.random(300) < 0.8
        outcome = Outcome(
            np.full(300, "yes"), labels=np.where(right, "yes", "no"), classes=("no", "yes"),
            slices={"group": rng.integers(3, size=300)},
        )  # fmt: skip
        found = interval(
            METRICS["accuracy_difference"], outcome, confidence=0.95, seed=0, by="group"
        )
        low_missed += found.low > 0
        high_missed += found.high < 0
    assert high_missed == 0
    assert low_missed / 400 <= 0.06 + 3 * np.sqrt(0.06 * 0.94 / 400)


def test_a_group_of_a_few_rows_leaves_the_gap_without_bounds():
    outcome = Outcome(
        np.full(105, "yes"), labels=np.full(105, "yes"), classes=("no", "yes"),
        slices={"sex": np.repeat(["f", "m"], [5, 100])},
    )  # fmt: skip
    found = interval(METRICS["accuracy_difference"], outcome, confidence=0.95, seed=0, by="sex")
    assert (found.low, found.high) == (None, None)
    assert "too few rows" in found.reason
