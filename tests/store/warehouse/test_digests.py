from __future__ import annotations

from itertools import pairwise

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from qua3ck.store.warehouse import content_digest
from qua3ck.store.warehouse.digests import stream_digest

MIXED = pa.table(
    {
        "sepal length (cm)": pa.array([1, None, 3], pa.int64()),
        "a,b;{}": pa.array(["x", None, "ü"]),
        "flag": pa.array([True, None, False]),
        "share": pa.array([0.5, float("nan"), None]),
        "day": pa.array([1, 2, None], pa.date32()),
        "at": pa.array([1, None, 3], pa.timestamp("us", "UTC")),
    }
)


@pytest.mark.parametrize(
    ("rows", "digest"),
    [
        (MIXED, "31f684cd2e5f47893a342934c83a10e630572263fb3beca07c4ee66ab1ff2e4a"),
        (MIXED.slice(1), "0699b68ab7436ed44e0f2d8dbb05b5574919185b0820285c32f9224bd15ff636"),
        (
            pa.table({"a": pa.array([], pa.string())}),
            "9e12fdbd90f4d4fdb42c18e718eaf5338d2a0534f4d05b38ede07254c12e61a6",
        ),
    ],
)
def test_a_digest_that_a_ledger_has_kept_stays_what_it_was(rows, digest):
    """Snapshots and releases are pinned to these; a change would make all of them strangers."""
    assert content_digest(rows) == digest
    assert content_digest(pa.concat_tables([rows.slice(0, 1), rows.slice(1)])) == digest


@given(
    st.lists(
        st.tuples(
            st.none() | st.text(max_size=3),
            st.none() | st.integers(-9, 9),
            st.none() | st.booleans(),
            st.none() | st.floats(),
        ),
        max_size=30,
    ),
    st.lists(st.integers(0, 30), max_size=4),
)
def test_a_stream_has_the_digest_of_its_table_however_it_is_cut(tmp_path_factory, rows, cuts):
    kinds = [pa.string(), pa.int64(), pa.bool_(), pa.float64()]
    columns = zip(*rows, strict=True) if rows else [[]] * 4
    arrays = [pa.array(list(column), kind) for column, kind in zip(columns, kinds, strict=True)]
    table = pa.table(dict(zip("tibf", arrays, strict=True)))
    ends = sorted({0, table.num_rows, *(cut for cut in cuts if cut < table.num_rows)})
    parts = [table.slice(a, b - a) for a, b in pairwise(ends)]
    batches = [batch for part in parts for batch in part.to_batches()]
    scratch = tmp_path_factory.mktemp("spool")
    found = stream_digest(batches, table.schema, table.column_names, scratch=scratch)
    assert found == (content_digest(table), table.num_rows)
    assert list(scratch.iterdir()) == []


def test_text_beyond_one_chunk_is_digested_in_its_chunks():
    """An array of texts ends at 2 GB; a table of several such chunks does not."""
    chunk = pa.array(["x" * 1000] * 100)
    whole = pa.chunked_array([chunk] * 3)
    flat = pa.chunked_array([pa.array(["x" * 1000] * 300)])
    assert content_digest(pa.table({"t": whole})) == content_digest(pa.table({"t": flat}))
