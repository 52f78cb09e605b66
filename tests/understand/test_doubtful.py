from __future__ import annotations

import pyarrow as pa
import pytest

from qua3ck.kit.errors import Qua3ckError
from qua3ck.understand.section import Source, Understand
from qua3ck.understand.target import Target, read_target

BITS = ["0", "1"] * 40
WORDS = ["no", "yes"] * 40
MANY = [f"{n}.5" for n in range(80)]


def target(values, *, positive=None, task="auto", accept=(), kind="csv") -> Target:
    section = Understand(
        sources={"s": Source(kind=kind, path="x")},
        target="y",
        task=task,
        accept=dict.fromkeys(accept, "somebody said so"),
    )
    return read_target(pa.table({"y": values}), section, positive)


@pytest.mark.parametrize("word", [
    "NaN", "NA", "n/a", "?", "unknown", "null", "None", "-", "inf", "-inf", "Infinity", "missing",
])  # fmt: skip
@pytest.mark.parametrize(("cells", "says"), [
    (BITS, "is a number but for"), (WORDS, "has no value in"), (MANY, "is a number but for"),
])  # fmt: skip
def test_a_missing_answer_is_no_class_and_the_numbers_stay_numbers(word, cells, says):
    with pytest.raises(Qua3ckError, match=says) as told:
        target([word, *cells, word])
    error = told.value
    assert f'2 of 82 rows (2 "{word}"): rows 1, 82' in error.what
    assert (error.where, error.code) == ("understand.target", "U105")
    assert f'nulls: {{y: ["{word}"]}}' in error.fix
    assert ("accept: {U027:" in error.fix) == (cells is not MANY)
    assert "task: classification" not in error.fix


@pytest.mark.parametrize("task", ["auto", "regression"])
def test_what_no_number_can_hold_is_told_as_infinite(task):
    with pytest.raises(Qua3ckError, match=r"is a number but for 1 of 81 rows \(1 infinite\)") as e:
        target([*MANY, "1e999"], task=task)
    assert "rows 81" in e.value.what
    assert "nulls" not in e.value.fix


def test_other_text_among_quantities_is_counted_and_never_quoted():
    with pytest.raises(Qua3ckError, match=r'2 of 82 rows \(1 "NA", 1 other text\)') as told:
        target(["Amina", *MANY, "NA"])
    assert "Amina" not in str(told.value)
    assert "if these are classes after all: task: classification" in told.value.fix


def test_a_class_may_have_such_a_name_if_somebody_says_so():
    countries = ["NA", "ZA", "BW"] * 9
    with pytest.raises(Qua3ckError, match='9 "NA"'):
        target(countries)
    got = target(countries, accept=("U027",))
    assert got.classes == ("BW", "NA", "ZA")
    told = next(finding for finding in got.findings if finding.code == "U027")
    assert told.evidence == {"words": {"NA": 9}}
    assert target(["none", "some"] * 9, positive="none").classes == ("some", "none")
    assert target(["+", "-"] * 9).classes == ("+", "-")
    assert target([*BITS, "unknown", "unknown"], accept=("U027",)).task == "multiclass"


def test_none_is_a_degree_beside_other_degrees_and_says_so():
    got = target(["None", "Some", "Marked"] * 9)
    assert set(got.classes) == {"None", "Some", "Marked"}
    assert [finding.code for finding in got.findings if finding.code == "U027"] == ["U027"]
    with pytest.raises(Qua3ckError, match='9 "NA"'):
        target(["None", "Some", "NA"] * 9)


def test_quantities_are_no_classes_whatever_is_accepted():
    with pytest.raises(Qua3ckError, match="is a number but for"):
        target([*MANY, "NaN"], accept=("U027",))
    with pytest.raises(Qua3ckError, match="2 infinite"):
        target([*BITS, "1e999", "1e999"], accept=("U027",))


def test_where_the_source_has_no_word_for_null_none_is_proposed():
    with pytest.raises(Qua3ckError, match="no value") as told:
        target([*WORDS, "NA"], kind="parquet")
    assert "nulls" not in told.value.fix


@pytest.mark.parametrize(("cells", "says"), [
    (["yes", "Yes", "no", "NO"] * 9, '2 in 4 ways: "yes" (9), "Yes" (9); "no" (9), "NO" (9)'),
    (["yes"] * 9 + ["no"] * 9 + ["YES"], '1 in 2 ways: "yes" (9), "YES" (1); the rarer ways in '
     "rows 19"),
    (["very bad", "very  bad", "good"] * 9, '1 in 2 ways: "very bad" (9), "very  bad" (9)'),
    (["caf\u00e9", "cafe\u0301", "bar"] * 9, "1 in 2 ways"),
])  # fmt: skip
def test_one_class_in_two_spellings_is_refused_until_they_are_said_to_be_two(cells, says):
    with pytest.raises(Qua3ckError, match="more than one way") as told:
        target(cells)
    assert says in told.value.what
    assert told.value.code == "U105"
    assert "accept: {U028:" in told.value.fix
    if "YES" in cells:
        return  # one row makes no class
    got = target(cells, accept=("U028",))
    assert got.classes == tuple(sorted(set(cells)))
    assert [finding.code for finding in got.findings if finding.code == "U028"] == ["U028"]


def test_many_names_in_two_spellings_are_counted_and_not_listed():
    names = [f"{letter}{n}" for n in range(30) for letter in "aA"] * 2
    with pytest.raises(Qua3ckError, match="30 in 60 ways; the rarer") as told:
        target(names, task="classification")
    assert "a1" not in told.value.what
