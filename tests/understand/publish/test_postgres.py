"""A real PostgreSQL takes the star, keeps its references, and never shows half a refresh."""

from __future__ import annotations

import datetime as dt
import os
import uuid

import pyarrow as pa
import pytest

from qua3ck.kit.errors import Qua3ckError
from qua3ck.understand.publish.dictionary import dictionary
from qua3ck.understand.publish.postgres import write_postgres
from qua3ck.understand.publish.star import calendar, split
from qua3ck.understand.section import Star

URL = os.environ.get("QUA3CK_TEST_POSTGRES", "postgresql://postgres@127.0.0.1:5432/test")
ROWS = pa.table(
    {
        "id": ["1", "2", "3"],
        "vendor": ['Ac"me, Ltd.', "line\nbreak", None],
        "day": [dt.date(2024, 2, 29), None, dt.date(2024, 3, 1)],
        "boxes": [3.5, None, -0.0],
        "note": ["\\N", "", None],
        "at": pa.array([dt.datetime(2024, 1, 1, 12, tzinfo=dt.UTC)] * 3, pa.timestamp("us", "UTC")),
    }
)
STAR = Star(key=("id",), dimensions={"vendor": ("vendor",)})


@pytest.fixture
def database(monkeypatch):
    sqlalchemy = pytest.importorskip("sqlalchemy")
    monkeypatch.setenv("BI_DATABASE", URL)
    url = sqlalchemy.engine.make_url(URL).set(drivername="postgresql+pg8000")
    engine = sqlalchemy.create_engine(url)
    try:
        connection = engine.connect()
    except sqlalchemy.exc.SQLAlchemyError:
        pytest.skip(f"no PostgreSQL answers at {url.host}:{url.port}")
    schema = f"t_{uuid.uuid4().hex[:12]}"
    with connection:
        yield schema, lambda sql: connection.execute(sqlalchemy.text(sql)).fetchall()
        connection.rollback()
        connection.execute(sqlalchemy.text(f"DROP SCHEMA IF EXISTS {schema} CASCADE"))
        connection.commit()
    engine.dispose()


@pytest.fixture
def star(tmp_path):
    def made(rows=ROWS):
        place = "understand.publish.tables.stock"
        tables = split("stock", rows.to_reader(), STAR, folder=tmp_path, place=place)
        return [calendar(tables), *tables]

    return made


def test_every_cell_arrives_and_every_key_refers(database, star):
    schema, ask = database
    tables = star()
    words = dictionary(tables, {"vendor": "who sends it; it's a name"}, {})
    names = write_postgres(tables, words, variable="BI_DATABASE", schema=schema)
    assert f"{schema}.fact_stock" in names
    got = ask(
        f"SELECT f.id, v.vendor, f.day, f.boxes, f.note, f.at FROM {schema}.fact_stock f "
        f"JOIN {schema}.dim_vendor v USING (vendor_key) "
        f"LEFT JOIN {schema}.dim_date d ON d.date_key = f.day_key ORDER BY f.id"
    )
    assert [tuple(line) for line in got] == [tuple(line.values()) for line in ROWS.to_pylist()]
    references = ask(
        "SELECT count(*) FROM information_schema.table_constraints "
        f"WHERE table_schema = '{schema}' AND constraint_type = 'FOREIGN KEY'"
    )
    assert references[0][0] == 2
    said = ask(f"SELECT col_description('{schema}.dim_vendor'::regclass, 2)")
    assert said[0][0] == "who sends it; it's a name"


def test_a_refresh_that_fails_leaves_what_was_there(database, star):
    schema, ask = database
    tables = star()
    write_postgres(tables, dictionary(tables, {}, {}), variable="BI_DATABASE", schema=schema)
    broken = [*tables[:-1], tables[-1].__class__("fact_stock", ROWS, ("note",), {"id": "dim_x"})]
    with pytest.raises(Qua3ckError, match="what it had is unchanged") as caught:
        write_postgres(broken, dictionary(broken, {}, {}), variable="BI_DATABASE", schema=schema)
    assert caught.value.code == "U164"
    assert ask(f"SELECT count(*) FROM {schema}.fact_stock")[0][0] == 3


@pytest.mark.parametrize(
    ("value", "says"),
    [
        (None, "BI_DATABASE is not set"),
        ("mysql://u:secret@h/d", "no URL of a PostgreSQL"),
        ("postgresql://u:secret@127.0.0.1:1/d", "did not take the tables"),
    ],
)
def test_a_wrong_address_is_said_without_the_password(value, says, monkeypatch, star):
    monkeypatch.delenv("BI_DATABASE", raising=False)
    if value:
        monkeypatch.setenv("BI_DATABASE", value)
    with pytest.raises(Qua3ckError, match=says) as caught:
        write_postgres(star(), dictionary([], {}, {}), variable="BI_DATABASE", schema="s")
    assert "secret" not in str(caught.value)
