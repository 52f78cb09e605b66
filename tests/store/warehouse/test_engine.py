from __future__ import annotations

import math
from datetime import UTC, date, datetime
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import qua3ck
from qua3ck.kit.errors import Qua3ckError
from qua3ck.store.warehouse import Engine, Warehouse
from qua3ck.store.warehouse.engine import constant


@pytest.fixture
def engine(tmp_path):
    with Engine(scratch=tmp_path / "scratch") as made:
        yield made


def test_expressions_run_over_files_and_tables(engine, tmp_path):
    path = tmp_path / "rows.parquet"
    pq.write_table(pa.table({"unit": ["a", "b", "a"], "n": [1, 2, 3]}), path)
    rows = engine.parquet(path)
    names = engine.arrow(pa.table({"unit": ["a", "b"], "name": ["Ahfir", "Bni"]}))
    sums = rows.join(names, "unit").group_by("name").agg(n=rows.n.max())
    assert engine.rows(sums, order=["name"]).to_pydict() == {"name": ["Ahfir", "Bni"], "n": [3, 2]}
    assert [batch.num_rows for batch in engine.batches(rows)] == [3]


def test_a_folder_with_brackets_and_quotes_in_its_name_is_no_pattern(engine, tmp_path):
    odd = tmp_path / "it's [12]*?"
    for name in (odd, tmp_path / "it's 1xx"):
        name.mkdir()
        pq.write_table(pa.table({"where": [name.name]}), name / "f.parquet")
        (name / "f.csv").write_text(f"where\n{name.name}\n")
    assert engine.rows(engine.parquet(odd / "f.parquet")).to_pydict() == {"where": [odd.name]}
    lines = engine.delimited(odd / "f.csv", columns={"where": "VARCHAR"})
    assert engine.rows(lines).to_pydict() == {"where": [odd.name]}
    into = odd / "g.parquet"
    engine.write_parquet(lines, into)
    assert pq.read_table(into).num_rows == 1


def test_delimited_text_is_read_as_declared_and_never_sniffed(engine, tmp_path):
    path = tmp_path / "f.txt"
    path.write_text("preamble\na;b c\n'1;2';NA\n")
    rows = engine.delimited(
        path,
        columns={"a": "VARCHAR", "b c": "VARCHAR"},
        delimiter=";",
        quote="'",
        escape="'",
        skip=1,
        nullstr=["-", "n/a"],
    )
    assert engine.rows(rows).to_pydict() == {"a": ["1;2"], "b c": ["NA"]}


def test_what_is_not_a_number_is_seen_whatever_the_statistics_of_the_file_say(engine, tmp_path):
    # Parquet's least and greatest value leave NaN out, and DuckDB believes them
    house = Warehouse(tmp_path)
    rows = pa.table({"x": [1.0, float("nan"), 2.0, None, 3.0], "n": [1, 2, 3, 4, 5]})
    pq.write_table(rows, tmp_path / "rows.parquet")
    house.append("silver/t", rows, known=datetime(2026, 3, 1, tzinfo=UTC))
    for found in (
        engine.parquet(tmp_path / "rows.parquet"),
        house.view("silver/t", engine=engine),
        house.current_view("silver/t", engine=engine, by=["n"]),
    ):
        asked = found.aggregate(
            nan=found.x.isnan().sum(), over=(found.x > 5).sum(), under=(found.x <= 10).sum()
        )
        assert engine.rows(asked).to_pylist() == [{"nan": 1, "over": 1, "under": 3}]
        kept = engine.rows(found.filter(found.x.isnan()).select("n"))
        assert kept.to_pydict() == {"n": [2]}
        assert math.isnan(engine.rows(found.aggregate(top=found.x.max()))["top"][0].as_py())


def test_no_progress_bar_is_drawn_between_the_lines_of_json(engine, tmp_path):
    asked = "SELECT current_setting('enable_progress_bar') AS shown"
    assert engine.connection.sql(asked).fetchall() == [(False,)]
    assert Warehouse(tmp_path).query(asked, {}).to_pylist() == [{"shown": False}]
    house = Path(qua3ck.__file__).parent
    opened = [p.name for p in house.rglob("*.py") if "duckdb.connect(" in p.read_text("utf-8")]
    assert opened == ["engine.py"]  # one place opens connections


def test_columns_about_the_load_are_added_while_writing(engine, tmp_path):
    known = datetime(2026, 3, 1, 12, 0, 0, 1, tzinfo=UTC)
    constants = {"_piece": "it's.csv", "_known": known, "_gone": False, "n": 7, "none": None}
    rows = engine.arrow(pa.table({"id": [3, 1, 2]}))
    path = tmp_path / "out.parquet"
    assert engine.write_parquet(rows, path, constants=constants, order=["id"]) == 3
    found = pq.read_table(path)
    assert found["id"].to_pylist() == [1, 2, 3]
    assert found.schema.field("_known").type == pa.timestamp("us", "UTC")
    assert found.slice(0, 1).to_pylist() == [{"id": 1, **constants}]


@pytest.mark.parametrize(
    "value", ["it's; --", "", 2**62, -1, 0.1, float("inf"), True, date(2026, 2, 28),
              datetime(2026, 1, 1, 1, 1, 1, 1),  # noqa: DTZ001
             datetime(2026, 1, 1, tzinfo=UTC), None],
)  # fmt: skip
def test_a_constant_comes_back_as_it_was(engine, value):
    found = engine.connection.sql(f"SELECT {constant(value)} AS x").to_arrow_table()
    assert found["x"].to_pylist() == [value]


def test_a_constant_of_another_type_is_refused():
    with pytest.raises(TypeError, match="bytes"):
        constant(b"x")


def test_a_query_of_a_user_reads_the_tables_named_and_nothing_else(tmp_path):
    mine, other = tmp_path / "mine", tmp_path / "other"
    for folder in (mine, other):
        folder.mkdir()
        pq.write_table(pa.table({"n": [1, 2]}), folder / "f.parquet")
    with Engine(reach=[mine]) as engine:
        rows = engine.parquet(mine / "f.parquet")
        made = engine.query('SELECT max(n) AS m FROM "my rows";', {"my rows": rows})
        assert engine.rows(made).to_pydict() == {"m": [2]}
        for sql in (
            f"SELECT * FROM '{other / 'f.parquet'}'",
            f"SELECT * FROM read_csv('{other / 'f.parquet'}')",
            "SELECT 1) ; DROP VIEW view_1; SELECT (1",
            "SELECT 1; SELECT 2",
            f"COPY (SELECT 1) TO '{mine / 'x.csv'}'",
            "INSTALL httpfs",
            "SET memory_limit = '64GB'",
            "ATTACH 'x.db'",
            "",
        ):
            with pytest.raises(Qua3ckError) as told:
                engine.rows(engine.query(sql, {}))
            assert told.value.code == "S005"
        assert engine.rows(made).num_rows == 1, "what was made before still stands"


def test_no_message_repeats_a_value(engine):
    people = engine.arrow(pa.table({"name": ["Ada L."]}))
    wrong = engine.query("SELECT CAST(name AS INTEGER) AS n FROM people", {"people": people})
    for act in (
        lambda: engine.rows(wrong),
        lambda: list(engine.batches(wrong)),
        lambda: engine.write_parquet(wrong, engine.scratch / "x.parquet"),
    ):
        with pytest.raises(Qua3ckError) as told:
            act()
        assert told.value.code == "S005"
        assert "Ada" not in str(told.value)
        assert told.value.__suppress_context__ or told.value.__cause__ is None


def test_what_does_not_fit_into_memory_goes_to_scratch_and_scratch_is_removed(tmp_path):
    with Engine(scratch=tmp_path, memory="60MB", threads=1) as engine:
        large = engine.query("SELECT i, md5(i::VARCHAR) AS h FROM range(600000) r(i)", {})
        count = sum(batch.num_rows for batch in engine.batches(large, order=["h"]))
        assert count == 600_000
        assert list(tmp_path.iterdir()) == [engine.scratch]
    assert list(tmp_path.iterdir()) == []


def test_no_room_says_where_room_is_needed(tmp_path):
    with Engine(scratch=tmp_path, memory="20MB", threads=1) as engine:
        engine.connection.execute("SET max_temp_directory_size = '1MB'")
        large = engine.query("SELECT i, md5(i::VARCHAR) AS h FROM range(600000) r(i)", {})
        with pytest.raises(Qua3ckError, match="no room") as told:
            engine.rows(large, order=["h"])
        assert told.value.code == "S012"
        assert str(tmp_path) in told.value.where


def test_no_extension_is_downloaded(engine):
    def setting(name):
        found = engine.connection.execute(f"SELECT current_setting('{name}')").fetchone()
        return found[0]

    assert setting("autoinstall_known_extensions") is False
    assert setting("autoload_known_extensions") is False
    assert setting("TimeZone") == "UTC"
