"""A star joins back to the table it was made from, and its keys stay where they are."""

from __future__ import annotations

import datetime as dt
import tempfile
from pathlib import Path

import duckdb
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from qua3ck.kit.errors import Qua3ckError
from qua3ck.understand.publish import star as stars
from qua3ck.understand.publish.star import Table, calendar
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


def split(name, rows, star, *, batch=2):
    """Split batches of two rows, so that a dimension's rows come again in later ones."""
    with tempfile.TemporaryDirectory() as folder:
        reader = rows.to_reader(max_chunksize=batch)
        *dimensions, facts = stars.split(name, reader, star, folder=Path(folder), place=PLACE)
        read = pa.Table.from_batches(facts.rows.to_batches(), schema=facts.rows.schema)
        assert read.num_rows == facts.rows.num_rows
        return (*dimensions, Table(facts.name, read, facts.key, facts.refers))


def stored(folder, rows, star):
    return stars.split("stock", rows.to_reader(), star, folder=folder, place=PLACE)


def by_name(tables):
    return {table.name: table for table in tables}


def test_facts_joined_with_their_dimensions_are_the_table_again():
    got = by_name(split("stock", ROWS, STAR))
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
    first = by_name(split("stock", ROWS, star))["dim_vendor"].rows
    again = by_name(split("stock", more, star))["dim_vendor"].rows
    assert first.equals(again)


def test_nothing_known_has_the_key_zero():
    dim = by_name(split("stock", ROWS, STAR))["dim_vendor"].rows.to_pylist()
    assert [line["vendor_key"] for line in dim if line["vendor"] is None] == [0]


@given(st.lists(st.tuples(st.text(max_size=4), st.text(max_size=4)), min_size=1, max_size=40))
def test_keys_are_exact_in_a_spreadsheet_and_never_shared(pairs):
    rows = pa.table({"a": [a for a, _ in pairs], "b": [b for _, b in pairs]})
    dim = split("t", rows, Star(dimensions={"d": ("a", "b")}))[0].rows
    keys = dim["d_key"].to_pylist()
    assert len(set(keys)) == len(keys) == len(set(pairs))
    assert keys == sorted(keys)
    assert all(int(float(key)) == key < 2**53 for key in keys)


def test_every_date_of_the_facts_is_in_the_calendar(tmp_path):
    days = calendar(stored(tmp_path, ROWS, STAR))
    assert days is not None
    keys = set(days.rows["date_key"].to_pylist())
    assert keys == {20240228, 20240229, 20240301}
    facts = by_name(split("stock", ROWS, STAR))["fact_stock"].rows
    assert {k for k in facts["day_key"].to_pylist() if k} <= keys
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
    assert calendar(stored(tmp_path, pa.table({"x": [1]}), Star())) is None


def test_null_is_a_value_of_its_own_beside_an_empty_text_and_other_types_keep_theirs():
    rows = pa.table(
        {
            "site": ["", None, "", None],
            "open": [True, None, True, False],
            "since": [dt.date(2024, 1, 1), None, dt.date(2024, 1, 1), None],
        }
    )
    star = Star(dimensions={"place": ("site", "open", "since")})
    dim, facts = split("t", rows, star)
    assert dim.rows.num_rows == 3
    assert dim.rows.schema.field("since").type == pa.date32()
    keys = facts.rows["place_key"].to_pylist()
    assert keys[0] == keys[2]
    assert keys[1] == 0 != keys[3]
    assert facts.rows.column_names == ["place_key"]


def test_a_column_of_the_key_stays_with_the_facts_and_what_is_left_out_goes():
    star = Star(key=("id", "vendor"), dimensions={"v": ("vendor", "country")}, leave_out=("day",))
    facts = by_name(split("stock", ROWS, star))["fact_stock"]
    assert facts.rows.column_names == ["id", "vendor", "boxes", "v_key"]
    assert facts.refers == {"v_key": "dim_v"}


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
        split("stock", ROWS, star)
    assert caught.value.code == code
    assert caught.value.where.startswith(PLACE)
