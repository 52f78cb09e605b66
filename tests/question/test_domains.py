import numpy as np
import pytest

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
        "BCa bootstrap, one wild error": ("rmse", one_wild_error(1000)),
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
        "blocks, t": ("brier", made.binary(rng, 40, order=np.arange(40))),
    }


CASES = ["DeLong, logit", "DeLong, logit, rare class", "BCa bootstrap",
         "BCa bootstrap, few errors", "BCa bootstrap, one wild error", "calibration, corrected",
         "clusters, share", "clusters, one giant", "clusters, t", "blocks, share",
         "blocks, long memory", "blocks, t"]  # fmt: skip


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


def test_a_gap_with_a_small_group_is_outside_too(made):
    outcome = some_wrong(500, 20, slices={"sex": np.where(np.arange(500) < 8, "f", "m")})
    found = interval(METRICS["accuracy_difference"], outcome, confidence=0.95, seed=1, by="sex")
    assert (found.low, found.high) == (None, None)
    assert "smallest group" in found.reason


def test_every_domain_has_a_case_above():
    always = {"Clopper-Pearson", "order statistics", "Newcombe"}
    assert {case for case in CASES if case in DOMAINS} == set(DOMAINS) - always


@pytest.mark.parametrize("domain", DOMAINS.values(), ids=DOMAINS)
def test_a_domain_is_entered_at_its_numbers_and_not_one_below(domain):
    enough = {"units": domain.units, "rarer": domain.rarer, "effective": domain.effective}
    assert domain.refusal(**enough, unit="rows") == ""
    for what, number in enough.items():
        if number:
            reason = domain.refusal(**{**enough, what: number - 1}, unit="blocks")
            assert reason.startswith("too few blocks for this method")
            assert f"{number:.0f}" in reason


@pytest.mark.parametrize("domain", DOMAINS.values(), ids=DOMAINS)
def test_a_domain_says_what_goes_wrong_below(domain):
    assert DOMAINS[domain.method] is domain
    assert domain.why
