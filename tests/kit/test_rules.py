import numpy as np
import pytest

from qua3ck.kit import Qua3ckError
from qua3ck.kit.rules import evaluate, names

VALUES = {"rows": 900, "opened": 1, "two words": 3, "age": np.array([10, 40])}


@pytest.mark.parametrize(
    ("rule", "answer"),
    [
        ("rows < 1000", True),
        ("rows < 1000 and opened > 1", False),
        ("rows < 100 or opened >= 1", True),
        ("not rows < 100", True),
        ('col("two words") == 3', True),
        ("100 < rows <= 900", True),
        ("rows / 2 + 1 - 1 * 1 == 450", True),
        ("opened > -1", True),
    ],
)
def test_reads_comparisons_arithmetic_and_words_between(rule, answer):
    assert bool(evaluate(rule, VALUES, where="here")) is answer


def test_gives_one_answer_per_row_for_columns():
    assert evaluate("age > 30 and rows > 1", VALUES, where="here").tolist() == [False, True]


@pytest.mark.parametrize(
    "rule",
    ["__import__('os')", "rows.real", "open('x')", "rows <", "[rows]", "rows if rows else 1",
     "lambda: rows", "col(rows)", "rows is 3", "f'{rows}'"],
)  # fmt: skip
def test_runs_nothing_and_reads_nothing_else(rule):
    with pytest.raises(Qua3ckError, match=r"cannot be read|Unknown name"):
        evaluate(rule, VALUES, where="here")


def test_an_unknown_name_is_answered_with_the_nearest():
    with pytest.raises(Qua3ckError, match='did you mean "rows"'):
        evaluate("row < 3", VALUES, where="question.stop_if[0]")


def test_names_are_listed_once_in_order():
    assert set(names('rows < 3 and col("two words") > rows', where="here")) == {"rows", "two words"}


@pytest.mark.parametrize(
    ("rule", "answer"),
    [
        ("gain < 0", None),
        ("gain >= 0", None),
        ("not gain < 0", None),
        ("gain - 1 < rows", None),
        ("0 < gain < 1", None),
        ("gain < 0 and rows > 1", None),
        ("gain < 0 and rows < 1", False),
        ("gain < 0 or rows > 1", True),
        ("rows < 1 or gain < 0", None),
        ("rows > 1", True),
    ],
)
def test_a_number_that_is_not_known_makes_the_answer_unknown(rule, answer):
    found = evaluate(rule, {**VALUES, "gain": float("nan")}, where="here")
    assert found is answer


def test_a_row_without_a_number_is_one_for_which_no_comparison_holds():
    ages = {"age": np.array([10.0, np.nan, 40.0])}
    assert evaluate("age > 30", ages, where="here").tolist() == [False, False, True]
