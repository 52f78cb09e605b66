"""A star joins back to the table it was made from, and its keys stay where they are."""

from __future__ import annotations

import datetime as dt

import duckdb
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from qua3ck.kit.errors import Qua3ckError
from qua3ck.understand.publish.star import calendar, split
from qua3ck.understand.section import Star

PLACE = "understand.publish.tables.stock"
ROWS = pa.table(
    {
        "id": ["1", "2", "3"],
        "vendor": ["Acme", "Acme", None],
        "country": ["ML", "NA", None],
        "day": [dt.date(2024, 2, 28), dt.date(2024, 3, 1), None],
        "boxes": [3.0, None, 1.5],
    }
)
STAR = Star(key=("id",), dimensions={"vendor": ("vendor", "country")})


def by_name(tables):
    return {table.name: table for table in tables}


def test_facts_joined_with_their_dimensions_are_the_table_again():
    got = by_name(split("stock", ROWS, STAR, place=PLACE))
    fact, dim = got["fact_stock"].rows, got["dim_vendor"].rows
    with duckdb.connect() as engine:
        engine.register("fact", fact)
        engine.register("dim", dim)
        joined = engine.sql(
            "SELECT id, vendor, country, day, boxes "
            "FROM fact JOIN dim USING (vendor_key) ORDER BY id"
        )
        assert joined.to_arrow_table().to_pylist() == ROWS.to_pylist()
    assert dim.num_rows == 3


def test_a_key_depends_on_the_values_alone_so_that_a_refresh_never_moves_it():
    more = pa.concat_tables([ROWS.slice(1), ROWS.slice(0, 1), ROWS.slice(0, 1)])
    star = Star(dimensions=STAR.dimensions)
    first = by_name(split("stock", ROWS, star, place=PLACE))["dim_vendor"].rows
    again = by_name(split("stock", more, star, place=PLACE))["dim_vendor"].rows
    assert first.equals(again)


def test_nothing_known_has_the_key_zero():
    dim = by_name(split("stock", ROWS, STAR, place=PLACE))["dim_vendor"].rows.to_pylist()
    assert [line["vendor_key"] for line in dim if line["vendor"] is None] == [0]


@given(st.lists(st.tuples(st.text(max_size=4), st.text(max_size=4)), min_size=1, max_size=40))
def test_keys_are_exact_in_a_spreadsheet_and_never_shared(pairs):
    rows = pa.table({"a": [a for a, _ in pairs], "b": [b for _, b in pairs]})
    dim = split("t", rows, Star(dimensions={"d": ("a", "b")}), place=PLACE)[0].rows
    keys = dim["d_key"].to_pylist()
    assert len(set(keys)) == len(keys) == len(set(pairs))
    assert all(int(float(key)) == key < 2**53 for key in keys)


def test_every_date_of_the_facts_is_in_the_calendar():
    tables = split("stock", ROWS, STAR, place=PLACE)
    days = calendar(tables)
    assert days is not None
    keys = set(days.rows["date_key"].to_pylist())
    assert keys == {20240228, 20240229, 20240301}
    assert {k for k in by_name(tables)["fact_stock"].rows["day_key"].to_pylist() if k} <= keys
    assert days.rows.filter(pa.array([False, True, False])).to_pylist() == [
        {
            "date_key": 20240229,
            "date": dt.date(2024, 2, 29),
            "year": 2024,
            "quarter": 1,
            "month": 2,
            "iso_year": 2024,
            "iso_week": 9,
            "weekday": 4,
        }
    ]
    assert calendar(split("t", pa.table({"x": [1]}), Star(), place=PLACE)) is None


@pytest.mark.parametrize(
    ("star", "says", "code"),
    [
        (Star(key=("vendor",)), "3 rows, 2 different keys", "U162"),
        (Star(dimensions={"d": ("vender",)}), 'did you mean "vendor"', "U158"),
        (Star(dimensions={"d": ("vendor",), "e": ("vendor",)}), "stands in two places", "U162"),
        (Star(key=("nr",)), 'No column "nr"', "U158"),
    ],
)
def test_a_star_that_does_not_hold_together_is_refused(star, says, code):
    with pytest.raises(Qua3ckError, match=says) as caught:
        split("stock", ROWS, star, place=PLACE)
    assert caught.value.code == code
    assert caught.value.where.startswith(PLACE)
