"""Which columns a table has, and in what a piece differs from them."""

from __future__ import annotations

import pyarrow as pa
import pyarrow.parquet as pq

from qua3ck.understand.loading.layout import Layout, columns_of, empty_columns, together


def test_a_difference_names_what_vanished_what_is_new_and_what_changed():
    layout = Layout({"id": "integer", "x": "number", "old": "string"})
    differs = layout.differs({"id": "integer", "x": "string", "visits": "integer"})
    assert differs
    assert differs.says() == (
        'vanished: "old"; new: "visits" (integer); of another type: "x" (number, now string)'
    )


def test_a_new_column_called_much_like_one_that_vanished_is_named_beside_it():
    differs = Layout({"qty": "integer", "unit": "string"}).differs(
        {"quantity": "integer", "extra": "string"}
    )
    assert differs.nearest() == {"qty": "quantity"}
    assert differs.says().endswith('nearest by name: "quantity" to "qty"')


def test_whole_numbers_fit_a_column_of_numbers_and_days_one_of_moments():
    layout = Layout({"x": "number", "at": "timestamp"})
    assert not layout.differs({"x": "integer", "at": "date"})


def test_optional_ignored_and_declared_columns_do_not_differ():
    layout = Layout({"id": "integer", "x": "number", "y": "number"}, frozenset({"x"}))
    assert not layout.differs({"id": "integer", "z": "string"}, declared={"z"}, ignored={"y"})


def test_the_layout_of_some_pieces_has_what_any_of_them_has():
    layout = Layout({"id": "integer", "gone": "string"})
    made = layout.of([["id", "x"], ["id"]], {"x": "number", "id": "integer"})
    assert made.columns == {"id": "integer", "x": "number"}
    assert made.optional == {"x"}


def test_types_of_pieces_that_come_together_are_the_narrowest_for_all():
    pieces = [
        {"a": "integer", "b": "string", "c": "date", "d": "string"},
        {"a": "number", "b": "integer", "c": "timestamp", "d": "boolean"},
        {"a": "integer", "b": "integer", "c": "date", "d": "integer"},
    ]
    empty = [{"b"}, set(), set()]
    assert together(pieces, empty).columns == {
        "a": "number",
        "b": "integer",
        "c": "timestamp",
        "d": "string",
    }


def test_columns_and_empty_ones_are_read_off_the_footer(tmp_path):
    rows = pa.table(
        {
            "n": pa.array([1, 2], pa.int16()),
            "text": ["a", None],
            "none": pa.array([None, None], pa.string()),
            "at": pa.array([0, 1], pa.timestamp("us", "UTC")),
            "_row": [1, 2],
        }
    )
    path = tmp_path / "rows.parquet"
    pq.write_table(rows, path)
    assert columns_of(path) == {
        "n": "integer",
        "text": "string",
        "none": "string",
        "at": "timestamp in UTC",
    }
    assert empty_columns(path) == {"none"}
