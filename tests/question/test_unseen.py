import numpy as np
import pytest

from qua3ck.question import Costs, Outcome
from qua3ck.question.metrics import metric
from qua3ck.question.units import Units
from qua3ck.question.unseen import Reach, rarest_class, unseen


def asked(name, truth, labels, **more):
    outcome = Outcome(np.array(truth), labels=np.array(labels), classes=("0", "1"), **more)
    rows = Units(np.arange(outcome.rows), outcome.rows, "rows", in_line=False)
    return unseen(metric(name, where=""), outcome, rows, confidence=0.95)


def test_ten_right_rows_of_a_class_may_hide_a_quarter_of_errors():
    truth = ["1"] * 10 + ["0"] * 90
    found = asked("balanced_accuracy", truth, ["1"] * 10 + ["0"] * 80 + ["1"] * 10)
    assert found.down == pytest.approx((1 - 0.05 ** (1 / 10)) / 2)
    assert found.up == 0


def test_a_class_never_found_may_hide_hits():
    found = asked("macro_f1", ["1"] * 10 + ["0"] * 90, ["0"] * 100)
    assert found.up == pytest.approx((1 - 0.05 ** (1 / 10)) / 2)


def test_nothing_is_hidden_where_every_kind_was_seen():
    truth, labels = ["1", "1", "0", "0"] * 20, ["1", "0", "0", "1"] * 20
    scores = np.where(np.array(labels)[:, None] == ["0", "1"], 0.9, 0.1)
    for name in ("balanced_accuracy", "macro_f1", "f1", "brier", "log_loss"):
        assert asked(name, truth, labels, scores=scores) == Reach(0.0, 0.0)


@pytest.mark.parametrize(("name", "cost"), [("brier", 0.81), ("log_loss", -np.log(0.1))])
def test_a_sure_model_that_was_never_wrong_yet_may_be(name, cost):
    truth = ["1"] * 30 + ["0"] * 70
    scores = np.where(np.array(truth)[:, None] == ["0", "1"], 0.9, 0.1)
    found = asked(name, truth, truth, scores=scores)
    hidden = 0.3 * (1 - 0.05 ** (1 / 30)), 0.7 * (1 - 0.05 ** (1 / 70))
    assert found.up == pytest.approx(np.hypot(*hidden) * cost)
    assert found.down == 0
    once = ["0", *truth[1:]]  # the first row was called 1
    assert asked(name, once, truth, scores=scores).up == pytest.approx(hidden[1] * cost)


def test_of_three_classes_the_one_that_a_row_is_least_like_counts():
    scores = np.tile([0.7, 0.2, 0.1], (40, 1))
    outcome = Outcome(np.array(["a"] * 40), scores=scores, classes=("a", "b", "c"))
    rows = Units(np.arange(40), 40, "rows", in_line=False)
    found = unseen(metric("brier", where=""), outcome, rows, confidence=0.95)
    assert found.up == pytest.approx((1 - 0.05 ** (1 / 40)) * (0.49 + 0.04 + 0.81))


def test_an_error_not_made_yet_still_costs():
    truth, labels = ["1"] * 50 + ["0"] * 50, ["1"] * 50 + ["0"] * 40 + ["1"] * 10
    found = asked("cost_per_case", truth, labels, costs=Costs(false_negative=20))
    assert found.up == pytest.approx(20 * (1 - 0.05 ** (1 / 100)))
    assert found.down == 0


def test_a_group_of_rows_hides_as_much_as_one_row():
    outcome = Outcome(
        np.array(["1", "0"] * 50), labels=np.array(["1", "0"] * 50), classes=("0", "1")
    )
    pairs = Units(np.arange(100) // 10, 10, "groups", in_line=False)
    found = unseen(metric("f1", where=""), outcome, pairs, confidence=0.95)
    assert found.down == pytest.approx(np.sqrt(2) * (1 - 0.05 ** (1 / 10)))


def test_widening_adds_as_independent_doubts_do():
    assert Reach(0.3, 0.0).widen(0.8, 0.4, 0.9) == pytest.approx((0.3, 0.9))


def test_the_rarest_class_is_what_a_mean_over_classes_rests_on():
    outcome = Outcome(
        np.array(["a"] * 90 + ["b"] * 7 + ["c"] * 3),
        labels=np.array(["a"] * 100),
        classes=("a", "b", "c"),
    )
    assert rarest_class(metric("macro_f1", where=""), outcome) == 3
    assert rarest_class(metric("brier", where=""), outcome) == 100
