"""Single values are read exactly as tables are, and what training never had is told."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from qua3ck.store.releases import prelude
from qua3ck.store.releases.rows import Rows, label_of, outwards, seen

KINDS = ("number", "bool", "category", "text", "date")
DATES = (
    "2024-05-31", "2024", "2024-05", "20240531", "2024/5/3", "31/05/2024", "2024-05-31T14:00Z",
    "2024-05-31 23:30:00.125+02:00", "2024-05-31T00:30-0530", "2024-02-30", "9999-12-31T23:00-05",
    "0001-01-01", "now", "NaT", "", " ", "2024-05-31T24:00", "20240531T140000", "2024-05-31Z",
)  # fmt: skip
WORDS = ("own", "Own ", "rent", " re nt", "Mu\u0308nchen", "never seen", "", "  ", "50%", "don't")
ZONE = dt.timezone(dt.timedelta(hours=5, minutes=30))

values = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**70), 2**70),
    st.floats(),
    st.decimals(allow_nan=False, allow_infinity=False, places=2, min_value=-9999, max_value=9999),
    st.sampled_from(DATES),
    st.sampled_from(WORDS),
    st.text(max_size=6),
    st.dates(),
    st.datetimes(dt.datetime(1900, 1, 1)),  # noqa: DTZ001
    st.datetimes(timezones=st.just(ZONE)),
    st.sampled_from([math.inf, -math.inf, math.nan, 1e300, 3.0, -0.0, 10**400, pd.NaT, pd.NA]),
    st.sampled_from([np.float32(1.5), np.int64(3), np.bool_(True), np.datetime64("2024-05-31")]),
)


def column(name: str, kind: str, **more: Any) -> dict[str, Any]:
    plain = {"type": "", "indicator": False, "distinct": 0, "values": [], "time": False}
    return {"name": name, "kind": kind, "low": None, "high": None, "words": False, **plain, **more}


@st.composite
def cases(draw: st.DrawFn) -> tuple[dict[str, Any], dict[str, list[Any]], int]:
    rows = draw(st.integers(1, 4))
    columns, table = [], {}
    for at in range(draw(st.integers(1, 4))):
        kind = draw(st.sampled_from(KINDS))
        flags = {flag: draw(st.booleans()) for flag in ("indicator", "time", "words")}
        stored = draw(st.sampled_from(["", "string", "int64", "bool"]))
        listed = draw(st.sampled_from([[], ["own", "rent"], ["1", "3", "own", "true", "nan"]]))
        held = {"type": stored, "values": listed, "distinct": draw(st.sampled_from([0, 2, 5]))}
        columns.append(column(f"x{at}", kind, **flags, **held))
        table[f"x{at}"] = draw(st.lists(values, min_size=rows, max_size=rows))
    return {"columns": columns, "ignored": ["target"]}, table, rows


def as_frame(table: dict[str, list[Any]], rows: int) -> pd.DataFrame:
    series = {name: pd.Series(cells, dtype=object) for name, cells in table.items()}
    return pd.DataFrame(series, index=range(rows))


@settings(max_examples=600, deadline=None)
@given(cases())
@example(({"columns": [column("x", "number", indicator=True)]}, {"x": [math.inf, 1e39]}, 2))
def test_reads_and_refuses_exactly_what_the_prelude_does(case: Any):
    spec, table, rows = case
    compiled, frame = Rows(spec), as_frame(table, rows)
    problems = prelude.check(frame, spec)
    assert compiled.problems(table, rows) == problems
    if any(" no whole number. " not in said for said in problems):
        with pytest.raises(ValueError, match="cannot be read"):
            compiled.prepare(table, rows)
        return
    got = compiled.prepare(table, rows)
    pd.testing.assert_frame_equal(got.frame(), prelude.prepare(frame, spec), check_exact=True)
    strange = compiled.strange(got)
    assert len(problems) == len({one.column for one in strange if one.kind == "fraction"})
    for at, (name, kind, _) in enumerate(got.inputs):
        assert (name, kind) == prelude.inputs(spec)[at]
        assert got.feed()[f"c{at}"].shape == (max(rows, 2), 1)


iso = st.builds(
    "".join,
    st.tuples(
        st.sampled_from(["2024", "1999", "0001", "9999", "0500"]),
        st.sampled_from(["", "-02", "-2", "/12", ".07", "13", "0229", "-02-30", "/1/9", "-12-31"]),
        st.sampled_from(["", "-01", "-29", "/31", ".5", "-32"]),
        st.sampled_from(["", "T", " ", "t", "T00", "T23", " 7", "T24"]),
        st.sampled_from(["", ":59", ":5", ":60", "30", ":"]),
        st.sampled_from(["", ":07", ":60", "15", ":30.25", ":30."]),
        st.sampled_from(["", "Z", " Z", "z", "+02:00", "-0530", "+9", " +01:00", "+24:00"]),
    ),
)


@settings(max_examples=1500, deadline=None)
@given(iso)
def test_agrees_with_pandas_on_iso_8601(text: str):
    """pandas is the judge; beyond the years 1 to 9999 and for years alone it may say more."""
    judge = pd.to_datetime(pd.Series([text.strip()], dtype=object), format="ISO8601", utc=True, errors="coerce")[0]  # noqa: E501  # fmt: skip
    got = prelude.as_moment(text)
    if got is None:
        assert judge is pd.NaT or not 1 <= judge.year <= 9999 or len(text) < 9
        return
    day = (judge.floor("D").tz_localize(None).to_numpy().astype("datetime64[D]")).astype(int)
    assert got == (day, judge.year, judge.month, judge.day, judge.day_of_week, judge.hour)


@pytest.mark.parametrize(
    "text", ["now", "today", "31/05/2024", "1717113600", "-2024-01-01", "１２"]
)
def test_refuses_as_a_date_what_changes_or_is_guessed(text: str):
    assert prelude.as_moment(text) is None


def test_a_date_reads_the_same_whatever_stands_beside_it():
    beside = ["1500-01-01", "2024-05-31T14:00:00.123456789", "9999-12-31"]
    spec = {"columns": [column("x", "date")]}
    together = prelude.prepare(pd.DataFrame({"x": beside}), spec)
    for at, text in enumerate(beside):
        alone = prelude.prepare(pd.DataFrame({"x": [text]}), spec)
        assert alone.iloc[0].tolist() == together.iloc[at].tolist()


NUMBERS = column("age", "number", type="int64", low=18.0, high=80.0)
HOME = column("home", "category", type="string", distinct=2, values=["own", "rent"])
BORN = column("born", "date", type="date32", low=0.0, high=19000.5)
FREE = column("income", "number", indicator=True, low=1.0, high=2.0)
SEEN = {"columns": [NUMBERS, HOME, BORN, FREE]}
USUAL = {"age": [30], "home": ["own"], "born": ["2000-01-01"], "income": [None]}


@pytest.mark.parametrize(
    ("change", "kind", "words"),
    [
        ({"age": [17]}, "outside", ["18 to 80"]),
        ({"age": [None]}, "missing", ["is empty"]),
        ({"age": [math.nan]}, "missing", ["is empty"]),
        ({"age": [math.inf]}, "not_finite", ["infinite"]),
        ({"income": [1e300]}, "not_finite", ["too large"]),
        ({"age": [30.5]}, "fraction", ["no whole number"]),
        ({"income": [2.5]}, "outside", ["1 to 2"]),
        ({"home": ["rentt"]}, "unseen", ['did you mean "rent"']),
        ({"home": [""]}, "missing", ["is empty"]),
        ({"born": ["1969-12-31"]}, "outside", ["1970-01-01 to 2022-01-08"]),
        ({"born": [None]}, "missing", ["is empty"]),
    ],
)
def test_tells_what_training_never_had(change: dict[str, Any], kind: str, words: list[str]):
    compiled = Rows(SEEN)
    (found,) = compiled.strange(compiled.prepare({**USUAL, **change}, 1))
    assert (found.kind, found.column, found.row) == (kind, next(iter(change)), 0)
    assert all(word in found.says for word in words)
    assert found.fix


@given(
    st.floats(allow_nan=False, allow_infinity=False),
    st.floats(allow_nan=False, allow_infinity=False),
    st.booleans(),
)
def test_a_range_that_is_told_holds_every_row(one: float, other: float, whole: bool):
    low, high = sorted((one, other))
    below, above = outwards(low, high, whole=whole)
    assert below <= low
    assert high <= above


@pytest.mark.parametrize(
    ("given_column", "exact", "told"),
    [
        (column("x", "number", low=0.37, high=828.6), (0.37, 828.6), "about 0 to 830"),
        (column("x", "number", type="int64", low=18.0, high=80.0), (18, 80), "about 18 to 80"),
        (column("x", "number", low=18424.0, high=18424.0), (18424, 18424), "about 18000 to 19000"),
        (
            column("x", "date", low=19724.0, high=20419.0),
            ("2024-01-02", "2025-11-27"),
            "about 2023-12-29 to 2025-11-28",
        ),
    ],
)
def test_the_ends_of_a_range_are_judged_by_exactly_and_told_rounded_outwards(
    given_column: Mapping[str, Any], exact: tuple[Any, Any], told: str
):
    found = seen(given_column)
    assert (found.low, found.high) == exact
    assert found.span == told


def test_every_fraction_is_told_by_its_row():
    compiled, whole = Rows({"columns": [NUMBERS, FREE]}), [30.0, 18.5, 80, math.nan, 18.25]
    found = compiled.strange(compiled.prepare({"age": whole, "income": [1.5] * 5}, 5))
    assert [(one.kind, one.row) for one in found if one.column == "age"] == [
        ("missing", 3), ("fraction", 1), ("fraction", 4),
    ]  # fmt: skip


def test_a_row_like_those_of_training_is_not_strange():
    compiled = Rows(SEEN)
    edges = {"age": [18, 80], "home": ["own", " rent "], "born": ["1970-01-01", "2022-01-08T23:00"], "income": [1, 2]}  # noqa: E501  # fmt: skip
    assert compiled.strange(compiled.prepare(USUAL, 1)) == []
    assert compiled.strange(compiled.prepare(edges, 2)) == []


BOOLS: list[Any] = [True, False, np.bool_(True)]
FLAG = column("x", "number", type="bool")


@pytest.mark.parametrize("value", BOOLS, ids=repr)
@pytest.mark.parametrize("dtype", [object, bool, "boolean"])
def test_true_is_no_number_unless_training_held_booleans(value: Any, dtype: Any):
    number, table = {"columns": [column("x", "number", type="double")]}, {"x": [value]}
    frame = pd.DataFrame({"x": pd.Series([value], dtype=dtype)})
    (said,) = prelude.check(frame, number)
    assert said == Rows(number).problems(table, 1)[0]
    assert "no number" in said
    for flag in (FLAG, column("x", "bool", type="bool")):
        assert prelude.check(frame, {"columns": [flag]}) == []
        assert Rows({"columns": [flag]}).prepare(table, 1).numbers[0, 0] == float(value)
        assert prelude.prepare(frame, {"columns": [flag]})["x"].tolist() == [float(value)]


CODES = column("x", "category", type="string", distinct=4, values=["1", "own", "rent", "true"])


@pytest.mark.parametrize(
    ("value", "dtype", "read"),
    [(5, "int64", None), (5.5, "float64", None), (False, "bool", None), (7, object, None),
     (False, object, None), (dt.date(2024, 5, 31), object, None), (1, "int64", "1"),
     (1.0, "float64", "1"), (True, "bool", "true"), (True, object, "true"), ("5", object, "5"),
     (" own", object, "own"), (math.nan, "float64", "(missing)"), (None, object, "(missing)")],
    ids=repr,
)  # fmt: skip
def test_a_number_is_no_category_where_training_held_texts_and_none_is_spelt_so(
    value: Any, dtype: Any, read: str | None
):
    spec, table = {"columns": [CODES]}, {"x": [value, "own"]}
    frame = pd.DataFrame({"x": pd.Series([value], dtype=dtype)})
    said = Rows(spec).problems({"x": [value]}, 1)
    assert said == prelude.check(frame, spec)
    assert bool(said) == (read is None)
    if read is not None:
        assert Rows(spec).prepare(table, 2).texts == [[read, "own"]]
        assert prelude.prepare(frame, spec)["x"].tolist() == [read]
    else:
        assert all(word in said[0] for word in ("no text", "first at row 1", "Fix: "))
        with pytest.raises(ValueError, match="no text"):
            prelude.prepare(frame, spec)


@pytest.mark.parametrize(
    "more", [{"type": "int64"}, {"type": "double"}, {"type": ""}, {"distinct": 9}], ids=str
)
def test_a_number_is_a_category_where_it_was_stored_so_or_not_all_are_known(more: dict[str, Any]):
    compiled = Rows({"columns": [{**CODES, **more}]})
    assert compiled.prepare({"x": [5]}, 1).texts == [["5", "5"]]


def test_a_category_is_never_called_unseen_where_not_all_were_kept():
    spec = {"columns": [column("x", "category", type="string", distinct=3, values=["a"])]}
    compiled = Rows(spec)
    assert compiled.strange(compiled.prepare({"x": ["b"]}, 1)) == []


@pytest.mark.parametrize(
    ("stored", "listed", "sent"),
    [("double", "3.0", 3), ("int64", "3", 3.0), ("date32[day]", "2024-05-31", "2024-05-31")],
)
def test_knows_a_category_however_its_column_was_stored(stored: str, listed: str, sent: Any):
    compiled = Rows(
        {"columns": [column("x", "category", type=stored, distinct=1, values=[listed])]}
    )
    assert compiled.strange(compiled.prepare({"x": [sent]}, 1)) == []


@pytest.mark.parametrize("income", [1.5, None, math.inf])
def test_a_row_alone_is_held_twice_and_read_as_one_of_many(income: Any):
    compiled = Rows(SEEN)
    alone = compiled.prepare({**USUAL, "income": [income]}, 1)
    both = compiled.prepare(
        {name: cells * 2 for name, cells in USUAL.items()} | {"income": [income] * 2}, 2
    )
    for name, column in both.feed().items():
        np.testing.assert_array_equal(alone.feed()[name], column)
    assert len(compiled.strange(alone)) * 2 == len(compiled.strange(both))
    assert alone.rows == 1


def test_names_fit_with_ignored_columns_and_without_those_that_may_be_empty():
    compiled = Rows({**SEEN, "ignored": ["target"]})
    assert compiled.fits(USUAL)
    assert compiled.fits({**USUAL, "target": ["x"]})
    assert compiled.fits({name: [None] for name in ("age", "home", "born")})
    assert not compiled.fits({name: [None] for name in ("age", "home")})
    assert not compiled.fits({**USUAL, "other": [1]})


@settings(max_examples=300, deadline=None)
@given(st.lists(st.floats(0, 1, width=32), min_size=3, max_size=3), st.floats(0, 1))
def test_decides_as_the_prelude_does(scores: list[float], threshold: float):
    many = {"task": "multiclass", "classes": ["a", "b", "c"]}
    two = {"task": "binary", "classes": ["n", "y"], "positive": "y", "threshold": threshold}
    assert label_of(many)(scores) == prelude.decide(np.array([scores]), many)[0]
    assert label_of(two)(scores[:2]) == prelude.decide(np.array([scores[:2]]), two)[0]


def test_decides_a_tie_as_the_prelude_does():
    two = {"task": "binary", "classes": ["n", "y"], "positive": "y", "threshold": 0.2999995}
    for score in (0.2999994, 0.2999995, 0.2999996, 0.29999949999):
        assert label_of(two)([1, score]) == prelude.decide(np.array([[1, score]]), two)[0]


def test_says_the_same_of_a_decimal_as_of_a_float():
    spec = {"columns": [column("x", "category")]}
    assert Rows(spec).prepare({"x": [Decimal("3.50"), 3.5]}, 2).texts == [["3.5", "3.5"]]
