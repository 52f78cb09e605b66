from __future__ import annotations

import json

import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qua3ck.kit.errors import Qua3ckError
from qua3ck.understand.section import Source
from qua3ck.understand.sources.texts import Reading, TextRows

PLACE = "understand.sources.s"


def made(folder, *batches, given=None, reading=None, **declared):
    """Return what batches of columns become; rows are counted through."""
    source = Source.model_validate_json(json.dumps({"kind": "excel", "path": "a", **declared}))
    texts = TextRows(source, given, into=folder, place=PLACE)
    count = 0
    for batch in batches:
        size = len(next(iter(batch.values())))
        texts.add(batch, range(count + 1, count + size + 1))
        count += size
    staged = texts.finish(how={}, reading=reading)
    assert staged.came == count
    return pq.read_table(staged.rows), staged


@pytest.mark.parametrize(
    ("first", "second", "kind"),
    [
        (["1"], ["2.5"], "double"),
        (["1"], ["x"], "string"),
        (["1"], ["007"], "string"),
        ([""], ["5"], "int64"),
        (["2024-01-01"], ["2024-01-01T10:00"], "string"),
        (["true"], ["False"], "bool"),
        (["1"], ["99999999999999999999"], "string"),
    ],
)
def test_a_columns_type_is_that_of_all_batches_in_any_order(tmp_path, first, second, kind):
    for at, batches in enumerate([(first, second), (second, first)]):
        (tmp_path / str(at)).mkdir()
        rows, staged = made(tmp_path / str(at), *({"a": cells} for cells in batches))
        assert str(rows.schema.field("a").type) == kind
        assert staged.held.num_rows == 0


cells = st.sampled_from(["", "1", "-2", "2.5", "007", "true", "2024-01-01", "x", "1e400", "n/a"])


@settings(deadline=None, max_examples=40)
@given(st.lists(st.lists(cells, min_size=1, max_size=4), min_size=1, max_size=4))
def test_how_rows_are_cut_into_batches_makes_no_difference(tmp_path_factory, batches):
    folders = [tmp_path_factory.mktemp("t") for _ in range(2)]
    cut, _ = made(folders[0], *({"a": batch} for batch in batches))
    whole, _ = made(folders[1], {"a": [cell for batch in batches for cell in batch]})
    assert cut.equals(whole)


def test_a_column_that_comes_late_is_empty_before(tmp_path):
    rows, _ = made(tmp_path, {"a": ["1"]}, {"b": ["x"], "a": ["2"]}, {"b": ["y"]})
    assert rows.to_pydict() == {"a": [1, 2, None], "b": [None, "x", "y"], "_row": [1, 2, 3]}


def test_nothing_is_left_beside_the_rows(tmp_path):
    made(tmp_path, {"a": ["1"]}, {"a": ["2"]})
    assert [file.name for file in tmp_path.iterdir()] == ["rows.parquet"]


def test_a_record_is_held_once_for_each_cell_that_does_not_fit(tmp_path):
    wanted = {"a": "integer", "b": "date"}
    batch = {"a": ["1", "x", "y"], "b": ["2024-01-01", "31.12.", ""]}
    rows, staged = made(tmp_path, batch, given=wanted)
    assert rows["_row"].to_pylist() == [1]
    assert staged.came == 3
    assert [(line["_row"], line["code"]) for line in staged.held.to_pylist()] == [
        (2, "U033"),
        (2, "U034"),
        (3, "U033"),
    ]


def test_what_was_held_to_a_type_keeps_leading_zeros_out_and_what_was_declared_lets_them_in(
    tmp_path,
):
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
    batch = {"a": ["007", "8"]}
    assert made(tmp_path / "a", batch, given={"a": "integer"})[1].held.num_rows == 1
    assert made(tmp_path / "b", batch, types={"a": "integer"})[0]["a"].to_pylist() == [7, 8]


def test_timestamps_keep_the_zone_that_most_of_them_have(tmp_path):
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
    zoned = {"t": ["2024-01-01T10:00Z", "2024-01-01T10:00+02:00", "2024-01-01T10:00"]}
    rows, staged = made(tmp_path / "a", zoned, given={"t": "timestamp"})
    assert str(rows.schema.field("t").type) == "timestamp[us, tz=UTC]"
    assert [line["_row"] for line in staged.held.to_pylist()] == [3]
    rows, _ = made(tmp_path / "b", {"t": ["2024-01-01T10:00"]}, given={"t": "timestamp"})
    assert str(rows.schema.field("t").type) == "timestamp[us]"


def test_only_columns_that_may_be_numbers_become_numbers(tmp_path):
    reading = Reading(numbers={"a"}, booleans=set())
    rows, _ = made(tmp_path, {"a": ["1"], "b": ["1"], "c": ["true"]}, reading=reading)
    assert rows.to_pydict() == {"a": [1], "b": ["1"], "c": ["true"], "_row": [1]}


def test_a_column_that_is_nearly_numbers_is_said(tmp_path):
    _, staged = made(tmp_path, {"a": ["1", "2", "n/a"]}, {"a": ["3", "n/a", "5"]})
    assert [finding.code for finding in staged.findings] == ["U017"]
    assert staged.findings[0].evidence["cells"] == 2


def test_names_that_differ_in_case_alone_are_refused(tmp_path):
    with pytest.raises(Qua3ckError, match='"a" and "A"') as told:
        made(tmp_path, {"a": ["1"], "A": ["2"]})
    assert told.value.code == "U133"


def test_a_piece_of_which_nothing_fits_has_no_rows_and_loses_none(tmp_path):
    texts = TextRows(Source(kind="json", path="a"), {"a": "integer"}, into=tmp_path, place=PLACE)
    texts.hold(1, None, "U045", "{")
    staged = texts.finish(how={})
    assert (staged.came, staged.held.num_rows) == (1, 1)
    assert pq.read_table(staged.rows).num_rows == 0
