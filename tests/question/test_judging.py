from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import binom

from qua3ck.question import FairnessGap, Kpi, Outcome, Question, judge, judge_kpi
from qua3ck.question.bounds import interval
from qua3ck.question.metrics import METRICS


def question(*kpis, fairness=()):
    return Question(
        asks="a", decides="b", why_now="c", risks="d", stop_if=("rows < 1",),
        kpis=kpis or (Kpi(id="accuracy", metric="accuracy", at_least=0.5),), fairness=fairness,
    )  # fmt: skip


def right(hits, rows, **more):
    truth = np.array(["0", "1"] * rows)[:rows]
    labels = np.where(np.arange(rows) < hits, truth, np.where(truth == "1", "0", "1"))
    return Outcome(truth, labels=labels, classes=("0", "1"), **more)


ACCURACY = Kpi(id="acc", metric="accuracy", at_least=0.95)


@pytest.mark.parametrize(
    ("hits", "answer", "needed", "way"),
    [(29, "undecided", 434, "pass"), (28, "undecided", 503, "fail"), (30, "undecided", 59, "pass"),
     (20, "fail", None, "")],
)  # fmt: skip
def test_thirty_rows_do_not_prove_ninety_five_percent(hits, answer, needed, way):
    verdict = judge_kpi(ACCURACY, right(hits, 30), confidence=0.95, seed=1)
    assert (verdict.verdict, verdict.rows_needed, verdict.rows_needed_for) == (answer, needed, way)
    assert verdict.n == 30


def test_at_the_threshold_itself_no_number_of_rows_decides():
    verdict = judge_kpi(ACCURACY, right(19, 20), confidence=0.95, seed=1)
    assert verdict.verdict == "undecided"
    assert verdict.rows_needed is None
    assert "no number of rows" in verdict.says


def test_enough_rows_pass_and_each_opening_asks_for_more():
    outcome = right(963, 1000)
    assert judge(question(ACCURACY), outcome, openings=1, seed=1).kpis[0].verdict == "pass"
    spent = judge(question(ACCURACY), outcome, openings=20, seed=1).kpis[0]
    assert spent.confidence == pytest.approx(1 - 0.05 / 20)
    assert spent.verdict == "undecided"


def test_at_most_is_the_mirror_of_at_least():
    fpr = Kpi(id="fpr", metric="false_positive_rate", at_most=0.1)
    y = np.array(["0"] * 500)
    few = Outcome(y, labels=np.where(np.arange(500) < 20, "1", "0"), classes=("0", "1"))
    many = Outcome(y, labels=np.where(np.arange(500) < 90, "1", "0"), classes=("0", "1"))
    assert judge_kpi(fpr, few, confidence=0.95, seed=1).verdict == "pass"
    assert judge_kpi(fpr, many, confidence=0.95, seed=1).verdict == "fail"


@pytest.mark.parametrize(
    ("name", "kpi"),
    [
        ("auc", Kpi(id="k", metric="roc_auc", at_least=0.1)),
        ("size", Kpi(id="k", metric="model_size_mb", at_most=1e6)),
        ("time", Kpi(id="k", metric="latency_p99_ms", at_most=1e6)),
        ("nowhere", Kpi(id="k", metric="accuracy", at_least=0.0, slice={"region": "north"})),
    ],
)
def test_what_cannot_be_computed_is_undecided_and_says_why(name, kpi):
    verdict = judge_kpi(kpi, right(30, 30), confidence=0.95, seed=1)
    assert verdict.verdict == "undecided", name
    assert verdict.low is None
    assert verdict.says


def test_a_perfect_auc_has_no_width_and_is_undecided():
    y = np.arange(400) % 2
    s = y + np.linspace(0, 0.5, 400)
    outcome = Outcome(y.astype(str), scores=np.column_stack([1 - s, s]), classes=("0", "1"))
    kpi = Kpi(id="auc", metric="roc_auc", at_least=0.75)
    verdict = judge_kpi(kpi, outcome, confidence=0.95, seed=1)
    assert verdict.value == 1
    assert verdict.verdict == "undecided"
    assert "too few rows for this method" in verdict.says


def test_latency_counts_requests_and_needs_enough_of_them():
    kpi = Kpi(id="p99", metric="latency_p99_ms", at_most=50)
    times = np.linspace(1, 10, 500)
    found = judge_kpi(kpi, right(30, 30, latencies_ms=times), confidence=0.95, seed=1)
    assert (found.verdict, found.n, found.unit) == ("pass", 500, "requests")
    few = judge_kpi(kpi, right(30, 30, latencies_ms=times[:100]), confidence=0.95, seed=1)
    assert few.verdict == "undecided"
    assert "299" in few.says
    slow = judge_kpi(kpi, right(30, 30, latencies_ms=times[:100] + 900), confidence=0.95, seed=1)
    assert slow.verdict == "fail"


def test_size_and_explainability_are_exact():
    outcome = right(30, 30, size_mb=3.5, explainable=False)
    size = Kpi(id="size", metric="model_size_mb", at_most=4)
    plain = Kpi(id="plain", metric="explainable", at_least=1)
    found = judge(question(size, plain), outcome, openings=5, seed=1).kpis
    assert [v.verdict for v in found] == ["pass", "fail"]
    assert found[0].low == found[0].value == found[0].high == 3.5


def test_every_value_of_a_slice_column_gets_a_verdict_even_a_missing_one():
    rows = 400
    region = np.array(["north"] * 300 + ["south"] * 90 + [None] * 10, dtype=object)
    kpi = Kpi(id="acc", metric="accuracy", at_least=0.5, slice_by=("region",))
    found = judge(
        question(kpi), right(rows, rows, slices={"region": region}), openings=1, seed=1
    ).slices
    assert [v.id for v in found] == [
        "acc[region=north]", "acc[region=south]", "acc[region=(missing)]",
    ]  # fmt: skip
    assert [v.verdict for v in found] == ["pass", "pass", "undecided"]
    assert "10 rows" in found[2].says


def test_a_slice_column_that_is_not_there_is_undecided_not_skipped():
    kpi = Kpi(id="acc", metric="accuracy", at_least=0.5, slice_by=("region",))
    found = judge(question(kpi), right(90, 90), openings=1, seed=1).slices
    assert [v.verdict for v in found] == ["undecided"]


def test_a_slice_kpi_judges_only_its_rows():
    region = np.array(["north"] * 100 + ["south"] * 100)
    kpi = Kpi(id="south", metric="accuracy", at_least=0.5, slice={"region": "south"})
    outcome = right(100, 200, slices={"region": region})
    verdict = judge_kpi(kpi, outcome, confidence=0.95, seed=1)
    assert (verdict.id, verdict.n, verdict.value) == ("south", 100, 0.0)


def test_one_slice_among_many_must_miss_by_more_to_fail():
    places = np.repeat([f"p{i:02d}" for i in range(20)], 50)
    hit = np.ones(1000, dtype=bool)
    hit[:9] = False
    truth = np.array(["0", "1"] * 500)
    labels = np.where(hit, truth, np.where(truth == "1", "0", "1"))
    outcome = Outcome(truth, labels=labels, classes=("0", "1"), slices={"place": places})
    kpi = Kpi(id="acc", metric="accuracy", at_least=0.92, slice_by=("place",))
    found = judge(question(kpi), outcome, openings=1, seed=1).slices
    assert found[0].high < 0.92
    assert found[0].verdict == "undecided"
    assert "among 20" in found[0].says
    hit[:25] = False
    worse = replace(outcome, labels=np.where(hit, truth, np.where(truth == "1", "0", "1")))
    assert judge(question(kpi), worse, openings=1, seed=1).slices[0].verdict == "fail"


def test_chance_alone_seldom_fails_a_family_of_slices():
    rng = np.random.default_rng(2)
    kpi = Kpi(id="acc", metric="accuracy", at_least=0.8, slice_by=("place",))
    places = np.repeat(np.arange(12), 100)
    truth = np.full(1200, "1")
    failed = 0
    for _ in range(120):
        labels = np.where(rng.random(1200) < 0.8, "1", "0")
        outcome = Outcome(truth, labels=labels, classes=("0", "1"), slices={"place": places})
        slices = judge(question(kpi), outcome, openings=1, seed=1).slices
        failed += any(v.verdict == "fail" for v in slices)
    assert failed <= 120 * 0.05 + 3 * np.sqrt(120 * 0.05 * 0.95)


GAP = FairnessGap(id="gap", metric="accuracy_difference", by="sex", at_most=0.1)


def people(share_f, rows=4000, small=0):
    rng = np.random.default_rng(1)
    sex = np.where(np.arange(rows) % 2, "f", "m").astype(object)
    sex[:small] = "x"
    hit = rng.random(rows) < np.where(sex == "f", share_f, 0.8)
    truth = rng.choice(["0", "1"], rows)
    labels = np.where(hit, truth, np.where(truth == "1", "0", "1"))
    return Outcome(truth, labels=labels, classes=("0", "1"), slices={"sex": sex})


@pytest.mark.parametrize(
    ("share_f", "small", "answer"),
    [(0.8, 0, "pass"), (0.6, 0, "fail"), (0.71, 0, "undecided"), (0.8, 40, "undecided")],
)
def test_gaps_pass_fail_or_wait_for_the_smallest_group(share_f, small, answer):
    found = judge(question(fairness=(GAP,)), people(share_f, small=small), openings=1, seed=1)
    assert found.fairness[0].verdict == answer
    if small:
        assert "fewer than 100 rows" in found.fairness[0].says


def test_grouped_rows_are_counted_as_groups():
    groups = np.repeat(np.arange(40), 25)
    alike = np.repeat(np.arange(40) % 4 > 0, 25)
    truth = np.full(1000, "1")
    rows = Outcome(truth, labels=np.where(alike, "1", "0"), classes=("0", "1"))
    kpi = Kpi(id="acc", metric="accuracy", at_least=0.70)
    alone = judge_kpi(kpi, rows, confidence=0.95, seed=1)
    together = judge_kpi(kpi, replace(rows, clusters=groups), confidence=0.95, seed=1)
    assert alone.verdict == "pass"
    assert (together.verdict, together.n, together.unit) == ("undecided", 40, "groups")
    assert together.rows_needed > 40


def test_rows_in_time_are_counted_as_blocks():
    truth = np.full(2000, "1")
    labels = np.where((np.arange(2000) // 50) % 5 > 0, "1", "0")
    rows = Outcome(truth, labels=labels, classes=("0", "1"), order=np.arange(2000))
    verdict = judge_kpi(
        Kpi(id="a", metric="accuracy", at_least=0.78), rows, confidence=0.95, seed=1
    )
    assert verdict.unit == "blocks"
    assert verdict.verdict == "undecided"


def test_too_few_groups_are_undecided():
    rows = right(300, 300, clusters=np.repeat(np.arange(6), 50))
    verdict = judge_kpi(Kpi(id="a", metric="accuracy", at_least=0.1), rows, confidence=0.95, seed=1)
    assert verdict.verdict == "undecided"
    assert "too few groups" in verdict.says


@pytest.mark.parametrize("name", [m.name for m in METRICS.values() if m.family != "gap"])
def test_no_metric_passes_on_nothing(name):
    nothing = Outcome(np.array([], dtype=str), classes=("0", "1"))
    found = METRICS[name]
    kpi = Kpi(id="k", metric=name, **{found.direction: 0.0 if found.higher_is_better else 1e9})
    assert judge_kpi(kpi, nothing, confidence=0.95, seed=1).verdict == "undecided"


# ---- read off the bound, never off the value


def verdict(outcome, metric="accuracy", confidence=0.95, **promise):
    kpi = Kpi.model_validate({"id": "k", "metric": metric, **promise})
    return judge_kpi(kpi, outcome, confidence=confidence, seed=1)


@pytest.mark.parametrize(("hits", "rows", "way"), [(29, 434, "pass"), (28, 503, "fail")])
def test_the_number_of_rows_that_was_said_does_decide(made, hits, rows, way):
    assert verdict(made.of_share(round(hits / 30 * rows), rows), at_least=0.95).verdict == way


@pytest.mark.parametrize("promise", [{"at_least": 0.8}, {"at_most": 0.8}])
@pytest.mark.parametrize("hits", range(60, 101, 4))
def test_the_verdict_is_read_off_the_bound(made, hits, promise):
    found = verdict(made.of_share(hits, 100), **promise)
    more_is_good = "at_least" in promise
    if found.low >= 0.8:
        wanted = "pass" if more_is_good else "fail"
    elif found.high <= 0.8:
        wanted = "fail" if more_is_good else "pass"
    else:
        wanted = "undecided"
    assert found.verdict == wanted
    assert (found.rows_needed is None) == (wanted != "undecided" or hits == 80)


def test_a_bound_that_just_meets_the_threshold_passes(made):
    low = verdict(made.of_share(90, 100), at_least=0.5).low
    assert verdict(made.of_share(90, 100), at_least=low).verdict == "pass"
    above = float(np.nextafter(low, 1))
    assert verdict(made.of_share(90, 100), at_least=above).verdict == "undecided"


@pytest.mark.parametrize(
    ("metric", "side", "off"),
    [("f1", "at_least", -0.03), ("brier", "at_most", 0.008), ("roc_auc", "at_least", -0.02)],
)
def test_rows_needed_of_other_metrics_grow_with_the_square_of_the_nearness(made, metric, side, off):
    outcome = made.binary(np.random.default_rng(3), 150)
    value = verdict(outcome, metric, **{side: 0.5}).value
    far, near = (verdict(outcome, metric, **{side: value + d}) for d in (off, off / 10))
    assert (far.verdict, near.verdict) == ("undecided", "undecided")
    assert far.rows_needed > 150
    assert near.rows_needed == pytest.approx(100 * far.rows_needed, rel=0.05)
    assert far.rows_needed_for == "pass"


def test_a_decided_verdict_names_the_bound_that_decided(made):
    found = verdict(made.of_share(99, 100), at_least=0.9)
    assert found.says == f"even {found.low:.4g} still meets >= 0.9"
    found = verdict(made.of_share(50, 100), at_least=0.9)
    assert found.says == f"even {found.high:.4g} still misses >= 0.9"


def test_rough_bounds_are_shown_and_decide_nothing(made):
    outcome = made.binary(np.random.default_rng(2), 25)
    bare = interval(METRICS["roc_auc"], outcome, confidence=0.95, seed=1)
    assert (bare.low, bare.high) == (None, None)
    found = verdict(outcome, "roc_auc", at_least=0.01)
    assert (found.low, found.high) == bare.rough
    assert found.low > found.threshold
    assert found.verdict == "undecided"
    assert "rough" in found.method
    assert "too few rows" in found.says
    assert found.rows_needed is None


# ---- openings, slices and gaps together


@pytest.mark.parametrize(("openings", "confidence"), [(1, 0.95), (2, 0.975), (5, 0.99)])
def test_each_opening_is_judged_at_its_part_of_the_risk(made, asking, openings, confidence):
    outcome = made.of_share(93, 100)
    (found,) = judge(asking(), outcome, openings=openings, seed=1).kpis
    assert found.confidence == pytest.approx(confidence)
    alone = verdict(outcome, confidence=confidence, at_least=0.8)
    assert (found.low, found.high) == pytest.approx((alone.low, alone.high))


def test_more_openings_turn_a_pass_into_undecided_and_never_the_other_way(made, asking):
    answers = [
        judge(asking(), made.of_share(88, 100), openings=m, seed=1).kpis[0].verdict
        for m in (1, 2, 5, 20)
    ]
    assert answers == ["pass", "undecided", "undecided", "undecided"]


def test_a_kpis_own_confidence_is_what_is_shared(made, asking):
    asked = asking({"id": "k", "metric": "accuracy", "at_least": 0.8, "confidence": 0.9})
    (found,) = judge(asked, made.of_share(93, 100), openings=2, seed=1).kpis
    assert found.confidence == pytest.approx(0.95)


BY_REGION = {"id": "right", "metric": "accuracy", "at_least": 0.8, "slice_by": ["region"]}


def regions(*rights, rows=100):
    """One region after the other, with so many right."""
    hits = np.concatenate([np.arange(rows) < hits for hits in rights])
    names = np.repeat([f"r{i:02}" for i in range(len(rights))], rows)
    return Outcome(
        np.full(len(hits), "yes"), labels=np.where(hits, "yes", "no"), classes=("no", "yes"),
        slices={"region": names},
    )  # fmt: skip


def test_slices_need_no_correction_to_pass_together(asking):
    together = judge(asking(BY_REGION), regions(95, 95, 95), openings=1, seed=1)
    alone = verdict(regions(95), at_least=0.8)
    assert [v.low for v in together.slices] == [alone.low] * 3
    assert together.all_pass


def test_one_slice_that_does_not_hold_is_enough(asking):
    found = judge(asking(BY_REGION), regions(99, 99, 50), openings=1, seed=1)
    assert found.kpis[0].verdict == "undecided"
    assert [v.verdict for v in found.slices] == ["pass", "pass", "fail"]
    assert not found.all_pass


def test_a_slice_under_min_rows_is_undecided_whatever_it_shows(asking):
    outcome = regions(29, rows=29)
    (small,) = judge(asking(BY_REGION), outcome, openings=1, seed=1).slices
    assert (small.verdict, small.n) == ("undecided", 29)
    assert "at least 30" in small.says
    fewer = judge(asking({**BY_REGION, "min_rows": 20}), outcome, openings=1, seed=1)
    assert fewer.slices[0].verdict == "pass"


def test_a_slice_nobody_is_in_is_undecided(made, asking):
    nobody = {"id": "k", "metric": "accuracy", "at_least": 0.0, "slice": {"region": "west"}}
    (found,) = judge(asking(nobody), regions(95), openings=1, seed=1).kpis
    assert (found.value, found.verdict) == (None, "undecided")


def holm(chances, risk):
    """Holm's step-down written out: sorted, each against risk / (how many are left)."""
    failed = set()
    for step, i in enumerate(np.argsort(chances)):
        if chances[i] >= risk / (len(chances) - step):
            break
        failed.add(int(i))
    return failed


@pytest.mark.parametrize(
    "rights", [[72] + [90] * 9, [69] + [90] * 9, [66, 69, 71, 73, 72] + [90] * 5, [72] * 10, [72]]
)
def test_that_slices_fail_is_claimed_with_holm(asking, rights):
    found = judge(asking(BY_REGION), regions(*rights), openings=1, seed=1)
    chances = np.array([binom.cdf(hits, 100, 0.8) for hits in rights])
    failed = {i for i, v in enumerate(found.slices) if v.verdict == "fail"}
    assert failed == holm(chances, 0.05)
    for i, one in enumerate(found.slices):
        if chances[i] < 0.05 and i not in failed:
            assert one.verdict == "undecided"
            assert f"among {len(rights)} judged together" in one.says


def test_a_gap_by_a_column_that_is_not_there_is_undecided(made, asking):
    promised = {"id": "gap", "metric": "accuracy_difference", "by": "sex", "at_most": 1.0}
    found = judge(asking(fairness=[promised]), made.of_share(95, 100), openings=1, seed=1)
    assert found.fairness[0].verdict == "undecided"
    assert "sex" in found.fairness[0].says
    assert not found.all_pass


def test_gaps_share_the_openings_too():
    (gap,) = judge(question(fairness=(GAP,)), people(0.8), openings=5, seed=1).fairness
    assert gap.confidence == pytest.approx(0.99)


def test_costs_are_taken_from_the_question_where_the_outcome_has_none(made, asking):
    outcome = made.binary(np.random.default_rng(1), 300)
    cost = {"id": "cost", "metric": "cost_per_case", "at_most": 10.0}
    stated = asking(cost, costs={"false_negative": 5.0, "false_positive": 1.0})
    assert judge(stated, outcome, openings=1, seed=1).kpis[0].verdict == "pass"
    assert judge(asking(cost), outcome, openings=1, seed=1).kpis[0].verdict == "undecided"


# ---- what does not exist never passes

NO, HALF = np.full(200, "no"), np.full((200, 2), 0.5)
PAIR = ("no", "yes")
NAN = float("nan")


@pytest.mark.parametrize(
    ("metric", "promise", "outcome"),
    [
        ("false_positive_rate", {"at_most": 1.0}, Outcome(NO[:0], labels=NO[:0], classes=PAIR)),
        ("recall", {"at_least": 0.0}, Outcome(NO, labels=NO, classes=PAIR)),
        ("roc_auc", {"at_least": 0.0}, Outcome(NO, scores=HALF, classes=PAIR)),
        ("brier", {"at_most": 2.0}, Outcome(NO, scores=HALF * np.nan, classes=PAIR)),
        ("brier", {"at_most": 2.0}, Outcome(NO, labels=NO, classes=PAIR)),
        ("rmse", {"at_most": 1e9}, Outcome(np.full(200, np.nan), values=np.ones(200))),
        ("rmse", {"at_most": 1e9}, Outcome(np.ones(200), values=np.full(200, np.inf))),
        ("mape", {"at_most": 1e9}, Outcome(np.zeros(200), values=np.ones(200))),
        ("latency_p95_ms", {"at_most": 1e9}, Outcome(NO, latencies_ms=np.full(99, np.nan))),
        ("model_size_mb", {"at_most": 1e9}, Outcome(NO, size_mb=NAN)),
        ("explainable", {"at_least": 0.0}, Outcome(NO)),
    ],
)
def test_nothing_missing_or_not_a_number_ever_passes(metric, promise, outcome):
    found = verdict(outcome, metric, **promise)
    assert found.verdict == "undecided"
    assert found.value is None
    assert found.says
