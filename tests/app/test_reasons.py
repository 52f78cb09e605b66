from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest

from qua3ck.app.fields import Field, fields
from qua3ck.app.reasons import answer, answers, course, field_values, reasons, turns
from qua3ck.store.releases.model import Prediction

AREA = Field("area", "number", low=0.0, high=100.0, inner=(0.0, 100.0), typical=50.0)
USE = Field("use", "category", typical="home", choices=("home", "shop"))
HIDDEN = Field("phone", "number", hidden=True)
FIELDS = (AREA, USE, HIDDEN)


class Straight:
    """A model whose score is known by heart: area / 100, and 0.2 more for a shop."""

    columns = ("area", "use", "phone")
    digest = "straight"

    def __init__(self, task="binary"):
        spec = {"threshold": 0.5}
        classes = ("no", "yes") if task == "binary" else ("a", "b", "c")
        self.manifest = SimpleNamespace(task=task, classes=classes, positive="yes", spec=spec)

    def predict(self, table):
        raw = table["area"].to_numpy(dtype=float) / 100 + 0.2 * (table["use"] == "shop").to_numpy()
        if self.manifest.task == "regression":
            return Prediction(labels=None, scores=None, values=raw * 1000)
        yes = np.clip(raw, 0, 1)
        if self.manifest.task == "multiclass":
            scores = np.column_stack([yes, (1 - yes) / 2, (1 - yes) / 2])
            labels = np.array(self.manifest.classes, dtype=object)[scores.argmax(axis=1)]
            return Prediction(labels=labels, scores=scores, values=None)
        labels = np.where(yes >= 0.5, "yes", "no").astype(object)
        return Prediction(labels=labels, scores=np.column_stack([1 - yes, yes]), values=None)


def test_an_answer_is_the_positive_class_with_its_line():
    found = answer(Straight(), {"area": 30.0, "use": "shop"})
    assert (found.label, found.about, found.threshold) == ("yes", "yes", 0.5)
    assert found.score == pytest.approx(0.5)
    assert found.scores == pytest.approx({"no": 0.5, "yes": 0.5})


def test_of_several_classes_the_likeliest_is_scored_and_there_is_no_line():
    found = answer(Straight("multiclass"), {"area": 90.0, "use": "home"})
    assert (found.label, found.about, found.threshold) == ("a", "a", None)


def test_a_number_has_no_label():
    found = answer(Straight("regression"), {"area": 30.0, "use": "home"})
    assert (found.label, found.score) == ("", pytest.approx(300.0))


def test_each_input_is_held_against_its_typical_value_by_itself():
    found = reasons(Straight(), {"area": 90.0, "use": "shop", "phone": 1}, FIELDS)
    by_name = {one.name: one.moved for one in found}
    # 1.0 is where a probability ends: without the shop 0.9, with a typical area 0.7.
    assert by_name == pytest.approx({"area": 0.3, "use": 0.1})
    assert [one.name for one in found] == ["area", "use"], "the most first"


def test_what_is_typical_already_moves_nothing_and_is_left_out():
    assert reasons(Straight(), {"area": 50.0, "use": "home"}, FIELDS) == ()


def test_a_hidden_input_gives_no_reason():
    found = reasons(Straight(), {"area": 90.0, "use": "home", "phone": 99}, FIELDS)
    assert [one.name for one in found] == ["area"]


def test_of_several_classes_the_score_of_the_case_s_own_class_is_followed():
    model = Straight("multiclass")
    (found,) = reasons(model, {"area": 80.0, "use": "home"}, FIELDS)
    assert found.moved == pytest.approx(0.8 - 0.5)


def test_a_course_goes_through_what_was_seen():
    found = course(Straight(), {"area": 30.0, "use": "home"}, AREA)
    assert (found[0][0], found[-1][0]) == (0.0, 100.0)
    assert [score for _, score, _ in found] == pytest.approx([v / 100 for v, _, _ in found])
    assert course(Straight(), {"area": 30.0, "use": "home"}, HIDDEN) == ()


def test_the_nearest_single_change_that_turns_the_answer():
    found = {turn.name: turn for turn in turns(Straight(), {"area": 40.0, "use": "home"}, FIELDS)}
    assert found["area"].to == pytest.approx(50.0)
    assert (found["use"].to, found["use"].label) == ("shop", "yes")


def test_no_single_change_turns_a_case_that_is_far_from_the_line():
    far = {"area": 0.0, "use": "home"}
    assert [turn.name for turn in turns(Straight(), far, (USE,))] == []
    assert turns(Straight("regression"), far, FIELDS) == ()


def test_whole_numbers_and_dates_stay_what_they_are():
    whole = field_values(Field("n", "number", whole=True, inner=(0.5, 4.5)))
    assert whole == [1, 2, 3, 4]
    days = field_values(Field("d", "date", inner=(0.0, 2.0)))
    assert days == ["1970-01-01", "1970-01-02", "1970-01-03"]
    assert field_values(Field("b", "bool")) == [False, True]
    assert field_values(Field("t", "text")) == []


def test_no_value_is_proposed_that_few_training_rows_reached():
    """An instalment of 0 is the shown end of a range rounded outwards, and no loan's."""
    quantiles = {"0.05": 10.4166, "0.5": 20.8, "0.95": 43.3333}
    seen = {"quantiles": quantiles, "histogram": {"counts": [360, 37, 1]}}
    column = {"name": "instalment", "kind": "number", "low": 2.9166, "high": 500.0}
    (field,) = fields([column], {"instalment": seen})
    assert (field.low, field.high) == (0.0, 500.0)
    proposed = field_values(field)
    assert len(proposed) > 30
    assert min(proposed) >= 10.4166
    assert max(proposed) <= 43.3333


def test_a_column_of_one_value_is_not_varied():
    assert field_values(Field("debt", "number", inner=(0.0, 0.0))) == []


def test_nothing_is_proposed_where_it_is_not_known_what_training_rows_held():
    (field,) = fields([{"name": "area", "kind": "number", "low": 1.0, "high": 9.0}], {})
    assert field_values(field) == []


def test_many_rows_are_answered_as_each_alone():
    rows = [{"area": float(at), "use": "home"} for at in range(0, 100, 10)]
    together = answers(Straight(), rows)
    assert [one.score for one in together] == [answer(Straight(), row).score for row in rows]
