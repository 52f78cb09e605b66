from __future__ import annotations

import ast
import datetime as dt
import inspect
import math
import sys
import unicodedata
from decimal import Decimal
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from qua3ck.store.releases import prelude


def column(name: str, kind: str, **more: Any) -> dict[str, Any]:
    return {"name": name, "kind": kind, "indicator": False, **more}


def prepared(values: Any, kind: str, **more: Any) -> pd.DataFrame:
    table = pd.DataFrame({"x": values})
    return prelude.prepare(table, {"columns": [column("x", kind, **more)]})


def test_stands_alone():
    tree = ast.parse(inspect.getsource(prelude))
    named = [
        (node.module or "") if isinstance(node, ast.ImportFrom) else node.names[0].name
        for node in ast.walk(tree)
        if isinstance(node, ast.Import | ast.ImportFrom)
    ]
    assert {name.split(".")[0] for name in named} - set(sys.stdlib_module_names) == {
        "numpy",
        "pandas",
    }


@given(st.lists(st.floats(width=64), min_size=1))
def test_numbers_are_float32_numbers_or_nan(values: list[float]):
    got = prepared(np.array(values, dtype=float), "number")["x"].to_numpy()
    assert got.dtype == np.float64
    with np.errstate(over="ignore"):
        want = np.array(values).astype(np.float32)
    inside = np.isfinite(want)
    assert np.array_equal(got[inside], want[inside].astype(float))
    assert np.isnan(got[~inside]).all()


@pytest.mark.parametrize(
    "values",
    [
        [1, None, 3],
        pd.array([1, None, 3], dtype="Int64"),
        pd.array([1.0, None, 3.0], dtype="double[pyarrow]"),
        [Decimal(1), None, Decimal("3.0")],
        np.array([1, math.inf, 3], dtype=object),
        [1, pd.NA, np.float32(3)],
        [1, "  ", 3],
    ],
)
def test_reads_numbers_however_they_are_stored(values: Any):
    made = prepared(values, "number", indicator=True)
    assert made["x"].isna().tolist() == [False, True, False]
    assert made["x"].dropna().tolist() == [1.0, 3.0]
    assert made["x__missing"].tolist() == [0.0, 1.0, 0.0]


@pytest.mark.parametrize(
    ("values", "want"),
    [
        ([3.0, None], ["3", "(missing)"]),
        ([3, 4], ["3", "4"]),
        (pd.array([3, None], dtype="Int64"), ["3", "(missing)"]),
        ([Decimal("3.00"), Decimal("3.5")], ["3", "3.5"]),
        ([True, None], ["true", "(missing)"]),
        ([1, True], ["1", "true"]),
        (["  New\t York ", ""], ["New York", "(missing)"]),
        (["Mu\u0308nchen", np.nan], ["M\u00fcnchen", "(missing)"]),
        ([dt.date(2024, 5, 1), pd.NaT], ["2024-05-01", "(missing)"]),
        (pd.Categorical(["a", None]), ["a", "(missing)"]),
    ],
)
def test_spells_a_category_in_one_way(values: Any, want: list[str]):
    assert prepared(values, "category")["x"].tolist() == want


@given(st.lists(st.one_of(st.none(), st.text()), min_size=1))
def test_spelling_twice_changes_nothing(values: list[str | None]):
    once = prepared(np.array(values, dtype=object), "category")["x"]
    assert prepared(once.to_numpy(), "category")["x"].tolist() == once.tolist()
    assert all(unicodedata.is_normalized("NFC", word) for word in once)


def test_text_is_never_null_and_is_cut_into_words_where_asked():
    values = ["Don't  PANIC, Überflutung!", None]
    assert prepared(values, "text")["x"].tolist() == ["Don't PANIC, Überflutung!", ""]
    assert prepared(values, "text", words=True)["x"].tolist() == ["don panic überflutung", ""]


@pytest.mark.parametrize(
    "values",
    [
        pd.to_datetime(["2024-05-31", None]),
        ["2024-05-31", None],
        [dt.date(2024, 5, 31), None],
        [dt.datetime(2024, 5, 31), pd.NaT],  # noqa: DTZ001
        pd.to_datetime(["2024-05-31T02:00:00+02:00", None], utc=True),
        ["2024-05-31T02:00:00+02:00", ""],
    ],
)
def test_reads_dates_however_they_are_written(values: Any):
    made = prepared(values, "date", indicator=True, time=True)
    first = made.iloc[0].to_dict()
    assert first == {
        "x__days": (dt.date(2024, 5, 31) - dt.date(1970, 1, 1)).days,
        "x__year": 2024,
        "x__month": 5,
        "x__day": 31,
        "x__weekday": 4,
        "x__hour": 0,
        "x__missing": 0,
    }
    assert made.iloc[1].drop("x__missing").isna().all()
    assert made["x__missing"].tolist() == [0, 1]


@pytest.mark.parametrize("kind", ["number", "category", "text", "date", "bool"])
@pytest.mark.parametrize("indicator", [True, False])
def test_makes_exactly_the_inputs_it_announces(kind: str, indicator: bool):
    values = pd.Series([None, None], dtype=object)
    spec = {"columns": [column("x", kind, indicator=indicator, time=True)]}
    made = prelude.prepare(pd.DataFrame({"x": values}), spec)
    assert list(made) == [name for name, _ in prelude.inputs(spec)]
    assert {name: "number" if made[name].dtype == float else "" for name in made} == {
        name: kind if kind == "number" else "" for name, kind in prelude.inputs(spec)
    }


def test_decides_from_the_threshold_on():
    spec = {"task": "binary", "classes": ["bad", "good"], "positive": "bad", "threshold": 0.3}
    scores = np.array([[0.3, 0.7], [0.29, 0.71], [0.29999997, 0.70000003]])
    assert prelude.decide(scores, spec).tolist() == ["bad", "good", "bad"]


def test_decides_for_the_likeliest_and_the_first_in_a_tie():
    spec = {"task": "multiclass", "classes": ["a", "b", "c"]}
    scores = np.array([[0.2, 0.5, 0.3], [0.33333331, 0.33333334, 0.33333335]])
    assert prelude.decide(scores, spec).tolist() == ["b", "a"]


def test_gives_nothing_to_a_class_never_trained_on():
    got = prelude.align(np.array([[0.4, 0.6]]), ["c", "a"], ["a", "b", "c"])
    assert got.tolist() == [[0.6, 0.0, 0.4]]


SPEC = {
    "columns": [column("age", "number"), column("born", "date"), column("ok", "bool")],
    "ignored": ["target"],
}
GOOD = {"age": [1.5], "born": ["2000-01-01"], "ok": [True]}


@pytest.mark.parametrize(
    ("table", "words"),
    [
        (pd.DataFrame(GOOD).head(0), ["empty", "0 rows"]),
        (pd.DataFrame({"born": ["2000-01-01"], "ok": [True]}), ['"age" is missing']),
        (pd.DataFrame({**GOOD, "agee": [1]}), ['"agee" is not known', 'rename it to "age"']),
        (pd.DataFrame({**GOOD, "age": ["12"]}), ['"age"', "no number", "row 1"]),
        (pd.DataFrame({**GOOD, "born": ["31/05/2024"]}), ['"born"', "no date"]),
        (pd.DataFrame({**GOOD, "born": [19000]}), ['"born"', "no date"]),
        (pd.DataFrame({**GOOD, "ok": ["maybe"]}), ['"ok"', "true or false"]),
    ],
)
def test_says_what_where_and_fix(table: pd.DataFrame, words: list[str]):
    (said,) = prelude.check(table, SPEC)
    assert all(word in said for word in [*words, "Where: ", "Fix: "])


def test_no_column_is_to_be_renamed_that_belongs_there():
    spec = {"columns": [column("income", "number"), column("home", "number")], "ignored": ["homed"]}
    (said,) = prelude.check(pd.DataFrame({"income": [1.0], "homed": [1.0]}), spec)
    assert said.endswith('Fix: add the column "home".')
    renamed, _ = prelude.check(pd.DataFrame({"income": [1.0], "hom": [1.0]}), spec)
    assert renamed.endswith('Fix: rename "hom" to "home".')


@pytest.mark.parametrize(("cells", "words"), [(["a"], "1 value that is"), (["a", "b"], "2 values")])
def test_counts_what_cannot_be_read_in_plain_words(cells: list[str], words: str):
    (said,) = prelude.check(pd.DataFrame({"age": cells}), {"columns": [column("age", "number")]})
    assert words in said


WHOLE = column("x", "number", type="int64")


@pytest.mark.parametrize(
    ("cells", "dtype", "count"),
    [([3.5], "float64", 1), ([3.5, 2.5, 1.0], "float64", 2), ([Decimal("3.5")], object, 1),
     ([np.float32(0.5)], "float32", 1), ([-0.5], object, 1), ([3.0, -2.0], "float64", 0),
     ([3, None], object, 0), ([3.0, math.nan], "float64", 0), ([math.inf], "float64", 0),
     ([Decimal(3)], object, 0), ([10**400, 2**70], object, 0), ([3], "uint8", 0)],
    ids=repr,
)  # fmt: skip
def test_a_fraction_is_said_where_training_held_whole_numbers_only(
    cells: list[Any], dtype: str, count: int
):
    table = pd.DataFrame({"x": pd.Series(cells, dtype=dtype)})
    said = prelude.check(table, {"columns": [WHOLE]})
    assert len(said) == bool(count)
    if count:
        assert all(word in said[0] for word in ('"x"', f"{count} of {len(cells)} rows", "whole"))
    for stored in ("double", "decimal(9,0)", ""):  # an integer with nulls may be stored as double
        assert prelude.check(table, {"columns": [{**WHOLE, "type": stored}]}) == []
    assert list(prelude.prepare(table, {"columns": [WHOLE]})) == ["x"]  # a golden row may be one


def test_finds_a_column_given_twice():
    table = pd.DataFrame([[1.0, 2.0, "2000-01-01", True]], columns=["age", "age", "born", "ok"])
    (said,) = prelude.check(table, SPEC)
    assert '"age" is there 2 times' in said


def test_names_every_problem_and_no_value():
    table = pd.DataFrame({"age": ["Ada Lovelace"], "born": ["never"], "ok": [None]})
    said = prelude.check(table, SPEC)
    assert len(said) == 2
    assert not any("Ada" in text or "never" in text for text in said)


def test_lets_pass_nulls_and_the_columns_of_the_training_table():
    table = pd.DataFrame({"age": [None], "born": [None], "ok": [None], "target": ["x"]})
    assert prelude.check(table, SPEC) == []
