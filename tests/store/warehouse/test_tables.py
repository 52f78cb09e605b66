from __future__ import annotations

import shutil
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import duckdb
import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from qua3ck.kit.errors import Qua3ckError
from qua3ck.store.warehouse import Warehouse, content_digest, storable

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


def test_what_is_written_is_read_back_with_the_same_digest(tmp_path):
    house = Warehouse(tmp_path)
    version, digest = house.write("gold/training", MIXED)
    back = house.read("gold/training")
    assert version == 0
    assert back.schema == storable(MIXED, where="t").schema
    assert content_digest(back) == digest == content_digest(MIXED)
    assert house.columns("gold/training") == tuple(MIXED.column_names)


def test_the_same_content_makes_no_new_version_and_old_versions_stay(tmp_path):
    house = Warehouse(tmp_path)
    first = house.write("a/b", MIXED)
    assert house.write("a/b", MIXED) == first
    second, _ = house.write("a/b", MIXED.slice(1))
    assert (second, house.version("a/b")) == (1, 1)
    assert content_digest(house.read("a/b", version=0)) == first[1]
    # back to the first content is a new version again: the history is not rewritten
    assert house.write("a/b", MIXED)[0] == 2


def test_a_table_that_does_not_exist_has_no_version_and_cannot_be_read(tmp_path):
    house = Warehouse(tmp_path)
    assert house.version("a/b") is None
    assert house.columns("a/b") == ()
    with pytest.raises(Qua3ckError, match="cannot be read") as told:
        house.read("a/b")
    assert told.value.code == "S003"


def test_a_copied_folder_reads_after_the_original_is_gone(tmp_path):
    _, digest = Warehouse(tmp_path / "here").write("a/b", MIXED)
    shutil.copytree(tmp_path / "here", tmp_path / "there")
    shutil.rmtree(tmp_path / "here")
    assert content_digest(Warehouse(tmp_path / "there").read("a/b")) == digest


def test_writers_at_the_same_time_all_succeed(tmp_path):
    def write(number: int) -> int:
        return Warehouse(tmp_path).write("a/b", pa.table({"n": [number]}))[0]

    Warehouse(tmp_path).write("a/b", pa.table({"n": [-1]}))
    with ThreadPoolExecutor(3) as pool:
        versions = list(pool.map(write, range(3)))
    assert sorted(versions) == [1, 2, 3]


def test_when_another_writer_keeps_winning_it_says_so(tmp_path, monkeypatch):
    import deltalake
    from deltalake.exceptions import CommitFailedError

    def lose(*_, **__):
        raise CommitFailedError("conflict")

    monkeypatch.setattr(deltalake, "write_deltalake", lose)
    monkeypatch.setattr("time.sleep", lambda _: None)
    with pytest.raises(Qua3ckError, match="Another process") as told:
        Warehouse(tmp_path).write("a/b", MIXED)
    assert told.value.code == "S001"


def test_a_place_that_cannot_be_written_is_told_plainly(tmp_path):
    (tmp_path / "warehouse").write_text("a file where a folder should be")
    with pytest.raises(Qua3ckError) as told:
        Warehouse(tmp_path).write("a/b", MIXED)
    assert told.value.code == "S004"


def test_a_full_disk_is_told_plainly_and_the_last_version_stays(tmp_path, monkeypatch):
    import deltalake

    house = Warehouse(tmp_path)
    _, digest = house.write("a/b", MIXED)

    def full(*_, **__):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(deltalake, "write_deltalake", full)
    with pytest.raises(Qua3ckError, match="No space left") as told:
        house.write("a/b", MIXED.slice(1))
    assert told.value.code == "S004"
    assert content_digest(house.read("a/b")) == digest


@pytest.mark.parametrize(
    "column",
    [
        pa.array([[1], [2]]),
        pa.array([{"a": 1}]),
        pa.array([b"x"]),
        pa.array([1], pa.time64("us")),
        pa.array([1], pa.duration("us")),
        pa.array([2**63 + 1], pa.uint64()),
    ],
    ids=lambda column: str(column.type),
)
def test_types_that_cannot_be_stored_name_their_column(tmp_path, column):
    with pytest.raises(Qua3ckError, match='"odd"') as told:
        Warehouse(tmp_path).write("a/b", pa.table({"odd": column}))
    assert told.value.code == "S002"


def test_columns_that_differ_in_case_only_are_refused(tmp_path):
    with pytest.raises(Qua3ckError, match='"id" and "ID"'):
        Warehouse(tmp_path).write("a/b", pa.table({"id": [1], "ID": [2]}))


def test_the_guard_is_asked_before_and_the_record_made_after(tmp_path):
    heard = []
    house = Warehouse(
        tmp_path,
        lambda act, table: heard.append(f"may {act} {table}"),
        lambda act, table: heard.append(f"did {act} {table}"),
    )
    house.write("a/b", MIXED)
    house.read("a/b")
    assert heard == ["may write a/b", "did write a/b", "may read a/b", "did read a/b"]


def test_rows_come_back_in_order_also_when_there_are_many(tmp_path):
    rows = pa.table({"n": np.arange(300_000), "text": [f"row {n}" for n in range(300_000)]})
    house = Warehouse(tmp_path)
    house.write("a/b", rows)
    assert np.array_equal(house.read("a/b")["n"].to_numpy(), np.arange(300_000))


def test_a_query_sees_the_tables_given_and_nothing_else(tmp_path):
    house = Warehouse(tmp_path)
    got = house.query('SELECT sum(n) AS s FROM "my rows"', {"my rows": pa.table({"n": [1, 2]})})
    assert got.to_pydict() == {"s": [3]}
    secret = tmp_path / "secret.csv"
    secret.write_text("a\n1\n")
    with pytest.raises(Qua3ckError) as told:
        house.query("SELECT * FROM 'FILE'".replace("FILE", str(secret)), {})
    assert told.value.code == "S005"


def test_a_query_that_fails_quotes_no_value():
    with pytest.raises(Qua3ckError) as told:
        Warehouse(Path()).query(
            "SELECT CAST(name AS INT) FROM t", {"t": pa.table({"name": ["Ada L."]})}
        )
    assert "Ada" not in str(told.value)


def test_the_digest_knows_nothing_of_chunks_metadata_and_what_lies_under_a_null():
    plain = pa.table({"n": pa.array([1, None, 3]), "t": pa.array(["a", None, "c"])})
    chunked = pa.concat_tables([plain.slice(0, 1), plain.slice(1)]).replace_schema_metadata(
        {"k": "v"}
    )
    hidden = pa.Array.from_buffers(
        pa.int64(), 3, [plain["n"].chunk(0).buffers()[0], pa.py_buffer(np.array([1, 99, 3]))]
    )
    coded = plain.set_column(1, "t", plain["t"].dictionary_encode())
    large = plain.set_column(1, "t", plain["t"].cast(pa.large_string()))
    others = [chunked, plain.set_column(0, "n", hidden), coded, large]
    assert {content_digest(table) for table in others} == {content_digest(plain)}


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({"a": ["ab", "c"]}, {"a": ["a", "bc"]}),
        ({"a": ["", None]}, {"a": [None, ""]}),
        ({"a": [0, None]}, {"a": [None, 0]}),
        ({"a": [1, 2]}, {"a": [2, 1]}),
        ({"a": [1]}, {"b": [1]}),
        ({"a": [1]}, {"a": [1.0]}),
        ({"a": [True] * 3}, {"a": [True] * 4}),
        ({"a": [None, 1.0]}, {"a": [float("nan"), 1.0]}),
        ({"a": [1], "b": [2]}, {"b": [2], "a": [1]}),
    ],
)
def test_the_digest_tells_tables_apart(one, other):
    assert content_digest(pa.table(one)) != content_digest(pa.table(other))


@given(
    st.lists(
        st.tuples(
            st.none() | st.text(max_size=4),
            st.none() | st.integers(-(2**63), 2**63 - 1),
            st.none() | st.floats(allow_nan=False),
            st.none() | st.booleans(),
        ),
        min_size=1,
        max_size=20,
    ),
    st.integers(0, 20),
)
def test_the_digest_does_not_depend_on_where_a_table_was_cut(rows, at):
    names, kinds = "tnfb", (pa.string(), pa.int64(), pa.float64(), pa.bool_())
    columns = zip(names, kinds, zip(*rows, strict=True), strict=True)
    table = pa.table({n: pa.array(values, kind) for n, kind, values in columns})
    cut = pa.concat_tables([table.slice(0, at), table.slice(at)])
    offset = pa.concat_tables([table.slice(0, 1), table]).combine_chunks().slice(1)
    assert content_digest(cut) == content_digest(offset) == content_digest(table)


def test_duckdb_agrees_on_the_values(tmp_path):
    house = Warehouse(tmp_path)
    house.write("a/b", MIXED)
    files = [str(path) for path in (tmp_path / "warehouse/a/b").glob("*.parquet")]
    seen = duckdb.read_parquet(files).aggregate("count(*), count(flag)").fetchall()
    assert seen == [(3, 2)]
