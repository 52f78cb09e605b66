from __future__ import annotations

import pyarrow as pa
import pytest

from qua3ck.kit.errors import Qua3ckError
from qua3ck.understand.doubtful import FEW
from qua3ck.understand.section import Source, Understand
from qua3ck.understand.target import read_target


def target(values, *, positive=None, task="auto", name="y"):
    section = Understand(sources={"s": Source(kind="csv", path="x")}, target=name, task=task)
    return read_target(pa.table({"y": values, "years": values}), section, positive)


@pytest.mark.parametrize(
    ("values", "task", "classes", "positive"),
    [
        (["no", "yes"] * 2, "binary", ("no", "yes"), "yes"),
        (["b", "a"] * 2, "binary", ("a", "b"), "b"),
        ([True, False] * 2, "binary", ("false", "true"), "true"),
        ([0, 1] * 2, "binary", ("0", "1"), "1"),
        ([10, 9] * 2, "binary", ("9", "10"), "10"),
        ([0.0, 1.0] * 2, "binary", ("0", "1"), "1"),
        ([1, 2, 3] * 2, "multiclass", ("1", "2", "3"), ""),
        (list(range(FEW)) * 2, "multiclass", tuple(sorted(map(str, range(FEW)))), ""),
        (list(range(FEW + 1)) * 2, "regression", (), ""),
        ([0.5, 1.5, 2.0], "regression", (), ""),
    ],
)
def test_the_task_follows_the_values_and_is_reported(values, task, classes, positive):
    got = target(values)
    assert (got.task, got.classes, got.positive) == (task, classes, positive)
    assert [f.code for f in got.findings] == ["U019"]
    assert task in got.findings[0].says


def test_what_is_declared_wins_and_needs_no_report():
    assert target([1, 2, 3], task="regression").findings == ()
    got = target(["bad", "good"] * 2, positive="bad")
    assert (got.classes, got.positive, got.findings) == (("good", "bad"), "bad", ())
    assert target([0, 1] * 2, positive=0).classes == ("1", "0")
    assert target([True, False] * 2, positive=False).positive == "false"
    many = [f"c{n}" for n in range(30)] * 2
    assert len(target(many, task="classification").classes) == 30


def test_truth_numbers_the_classes_in_their_order():
    got = target(["bad", "good", "bad", "good"], positive="bad")
    assert got.truth(pa.table({"y": ["good", "bad"]})).tolist() == [0, 1]
    assert target([1.5, 2.5, 3.5]).truth(pa.table({"y": [2.5]})).tolist() == [2.5]


@pytest.mark.parametrize(
    ("values", "says"),
    [
        (
            [1.0, None, float("nan"), float("inf"), 2.0],
            r"3 of 5 rows \(1 empty, 1 NaN, 1 infinite\): rows 2, 3, 4",
        ),
        (["a", None, "b"], r"1 of 3 rows \(1 empty\): rows 2"),
        ([None] * 9, r"9 of 9 rows \(9 empty\): rows 1, 2, 3, 4, 5 \.\.\."),
        (["x"] * 5, "the same value in every row"),
        ([3.5] * 5, "the same value in every row"),
        (["a", "a", "b"], '1 of 2 classes of "y" have one row only: row 3'),
        ([f"t{n}" for n in range(30)] * 2, "text with 30 different values"),
        (pa.array([1, 2, 3], pa.date32()), "is date32"),
    ],
)
def test_a_target_that_cannot_be_learned_is_refused(values, says):
    if isinstance(values, list) and values[0] is None:
        values = pa.array(values, pa.string())
    with pytest.raises(Qua3ckError, match=says) as told:
        target(values)
    assert told.value.code == "U105"


def test_a_missing_target_and_an_unknown_positive_say_what_was_meant():
    with pytest.raises(Qua3ckError, match=r'No column "year" .*did you mean "years"'):
        target([1, 2], name="year")
    with pytest.raises(Qua3ckError, match='did you mean "good"') as told:
        target(["bad", "good"] * 2, positive="goood")
    assert told.value.where == "question.positive"


def test_text_cannot_be_a_regression():
    with pytest.raises(Qua3ckError, match="is text"):
        target(["a", "b"], task="regression")


def test_blanks_around_a_class_name_make_no_class_and_are_reported():
    got = target(["no", "yes", " no", "yes ", "yes"])
    assert got.classes == ("no", "yes")
    assert got.truth(pa.table({"y": [" yes", "no"]})).tolist() == [1, 0]
    told = [finding for finding in got.findings if finding.code == "U025"]
    assert [finding.evidence["rows"] for finding in told] == [2]
    assert "U025" not in {finding.code for finding in target(["no", "yes"] * 2).findings}


@pytest.mark.parametrize("task", ["auto", "regression"])
def test_numbers_written_in_another_way_are_told_with_the_command_that_reads_them(task):
    marked = [*(f"{n},{n % 10}5" for n in range(60)), "-3,5", "12,25 "]
    with pytest.raises(Qua3ckError) as told:
        target(marked, task=task)
    assert "written as numbers in another way" in told.value.what
    assert "qua3ck load --propose" in told.value.fix
    with pytest.raises(Qua3ckError) as told:
        target([f"t{n}" for n in range(30)], task=task)
    assert "propose" not in told.value.fix
