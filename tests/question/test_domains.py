import numpy as np
import pytest
from scipy.stats import binom

from qua3ck.question import METRICS, Kpi, Outcome, judge_kpi
from qua3ck.question.bounds import interval
from qua3ck.question.domains import DOMAINS


def everybody_right(rows, **more):
    truth = np.array(["no", "yes"] * rows)[:rows]
    return Outcome(truth, labels=truth, classes=("no", "yes"), **more)


def some_wrong(rows, wrong, **more):
    truth = np.array(["no", "yes"] * rows)[:rows]
    labels = np.where(np.arange(rows) < wrong, np.where(truth == "yes", "no", "yes"), truth)
    return Outcome(truth, labels=labels, classes=("no", "yes"), **more)


def scored(made, rows, positive):
    rng = np.random.default_rng(rows)
    truth = np.arange(rows) < positive
    return made.scored(truth, 1.5 * truth + rng.normal(size=rows) - 0.7)


def one_wild_error(rows):
    truth = np.linspace(1, 2, rows)
    error = np.full(rows, 0.01)
    error[0] = 50.0
    return Outcome(truth, values=truth + error)


def outside(made):
    """One outcome per method on which it may not be used, with the easiest of promises."""
    rng = np.random.default_rng(1)
    return {
        "DeLong, logit": ("roc_auc", scored(made, 30, 10)),
        "DeLong, logit, rare class": ("roc_auc", scored(made, 3000, 8)),
        "BCa bootstrap": ("f1", made.binary(rng, 20)),
        "BCa bootstrap, few errors": ("macro_f1", some_wrong(1000, 1)),
        "BCa, absolute errors": ("mae", made.numbers(rng, 50)),
        "BCa, squared errors": ("rmse", Outcome(np.arange(150.0), values=rng.normal(size=150))),
        "BCa, squared errors, one wild": ("rmse", one_wild_error(1000)),
        "calibration, corrected": ("ece", made.binary(rng, 40)),
        "clusters, share": ("accuracy", everybody_right(90, clusters=np.arange(90) % 3)),
        "clusters, one giant": (
            "accuracy",
            some_wrong(1000, 300, clusters=np.maximum(np.arange(1000) - 970, 0)),
        ),
        "clusters, t": ("f1", made.binary(rng, 90, clusters=np.arange(90) % 3)),
        "blocks, share": ("accuracy", made.binary(rng, 40, order=np.arange(40))),
        "blocks, long memory": (
            "accuracy",
            some_wrong(2000, 1000, order=np.arange(2000)),
        ),
        "blocks, nobody wrong": ("accuracy", everybody_right(2000, order=np.arange(2000))),
        "blocks, t": ("brier", made.binary(rng, 40, order=np.arange(40))),
    }


CASES = ["DeLong, logit", "DeLong, logit, rare class", "BCa bootstrap",
         "BCa bootstrap, few errors", "BCa, absolute errors", "BCa, squared errors",
         "BCa, squared errors, one wild", "calibration, corrected", "clusters, share",
         "clusters, one giant", "clusters, t", "blocks, share", "blocks, long memory",
         "blocks, nobody wrong", "blocks, t"]  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_outside_its_domain_no_promise_is_so_easy_that_it_passes(made, case):
    name, outcome = outside(made)[case]
    asked = METRICS[name]
    assert case.split(", ")[0] in " ".join(DOMAINS)
    easiest = {asked.direction: 0.0 if asked.higher_is_better else 1e9}
    hardest = {asked.direction: 1.0 if asked.higher_is_better else 0.0}
    for promise in (easiest, hardest):
        found = judge_kpi(
            Kpi.model_validate({"id": "k", "metric": name, **promise}), outcome,
            confidence=0.95, seed=1,
        )  # fmt: skip
        assert found.verdict == "undecided"
        assert "too few" in found.says
        assert found.rows_needed is None
    bare = interval(asked, outcome, confidence=0.95, seed=1)
    assert (bare.low, bare.high) == (None, None)
    assert bare.value is not None


def test_a_refusal_over_blocks_says_why_each_figure_has_its_own_number(made):
    outcome = made.binary(np.random.default_rng(1), 40, order=np.arange(40))
    asked = METRICS["brier"]
    found = interval(asked, outcome, confidence=0.95, seed=1)
    assert found.reason.startswith("too few blocks (as long as this figure's own memory) for")
    grouped = made.binary(np.random.default_rng(1), 40, clusters=np.arange(40) % 3)
    found = interval(asked, grouped, confidence=0.95, seed=1)
    assert found.reason.startswith("too few groups for this method: 3")


def test_a_gap_with_a_small_group_is_outside_too(made):
    outcome = some_wrong(500, 20, slices={"sex": np.where(np.arange(500) < 8, "f", "m")})
    found = interval(METRICS["accuracy_difference"], outcome, confidence=0.95, seed=1, by="sex")
    assert (found.low, found.high) == (None, None)
    assert "smallest group" in found.reason


def test_every_domain_has_a_case_above():
    always = {"Clopper-Pearson", "order statistics", "Newcombe"}
    assert {case for case in CASES if case in DOMAINS} == set(DOMAINS) - always


@pytest.mark.parametrize("confidence", [0.95, 0.99])
@pytest.mark.parametrize("domain", DOMAINS.values(), ids=DOMAINS)
def test_a_domain_is_entered_at_its_numbers_and_not_one_below(domain, confidence):
    enough = {
        "units": domain.fewest(confidence), "rarer": domain.rarer, "effective": domain.effective,
    }  # fmt: skip
    assert domain.refusal(**enough, unit="rows", confidence=confidence) == ""
    for what, number in enough.items():
        if number:
            fewer = {**enough, what: number - 1}
            reason = domain.refusal(**fewer, unit="groups", confidence=confidence)
            assert reason.startswith("too few groups for this method")
            assert f"{number:.0f}" in reason


def test_what_is_too_little_is_never_rounded_up_to_enough():
    domain = DOMAINS["BCa bootstrap"]
    reason = domain.refusal(units=500, unit="rows", rarer=9, effective=7.99, confidence=0.95)
    assert "about 7.9 of them, it needs 8" in reason


@pytest.mark.parametrize("confidence", [0.9, 0.95, 0.983, 0.999])
@pytest.mark.parametrize("method", ["BCa, absolute errors", "BCa, squared errors"])
def test_errors_need_the_rows_to_have_seen_what_one_in_twenty_does(method, confidence):
    domain = DOMAINS[method]
    fewest = domain.fewest(confidence)

    def missed(rows):
        return binom.cdf(domain.sightings - 1, rows, 0.05)

    assert missed(fewest) <= 1 - confidence
    assert fewest == domain.units or missed(fewest - 1) > 1 - confidence


@pytest.mark.parametrize("domain", DOMAINS.values(), ids=DOMAINS)
def test_a_domain_says_what_goes_wrong_below(domain):
    assert DOMAINS[domain.method] is domain
    assert domain.why
