"""A row of a table answers from which records, of which piece, by which rule it was made."""

from __future__ import annotations

import datetime as dt

import pytest

from qua3ck.kit.errors import Qua3ckError
from qua3ck.store.warehouse import Engine
from qua3ck.understand.gold import trace
from qua3ck.understand.gold.provenance import FROM
from qua3ck.understand.gold.trace import asked_columns, pieces_behind, with_pieces


def ask(house, table, where=""):
    built = house.build()
    return trace(
        table,
        where,
        house.section,
        house.sources,
        built,
        root=house.root,
        warehouse=house.warehouse,
    )


def numbers(row):
    return sorted((record.piece, record.row) for record in row.records)


def test_a_total_names_every_record_behind_it_also_the_one_it_was_looked_up_from(house):
    got = ask(house, "per_country", "country = 'ML'")
    assert got.matches == 1
    assert got.rows[0].values == {"country": "ML", "kg": 10.0, "n": 2}
    assert numbers(got.rows[0]) == [("early.csv", 1), ("early.csv", 2)]
    assert got.rows[0].records[0].digest == b"early.csv".hex(), "the bytes can be fetched"
    rules = {step.table: step.rules for step in got.steps}
    assert rules["per_country"]["kg"] == "SUM(clean.kg)"
    assert "TRY_CAST(s.weight AS DOUBLE)" in rules["clean"]["kg"]


def test_a_function_is_followed_by_the_key_and_says_so(house):
    got = ask(house, "late", "late")
    assert [numbers(row) for row in got.rows] == [[("early.csv", 3)]]
    assert got.steps[-1].made_by == "features.late(clean); rows followed by id"


def test_a_source_answers_for_itself(house):
    got = ask(house, "shipments", "weight LIKE 'See%'")
    assert [numbers(row) for row in got.rows] == [[("early.csv", 2)]]
    assert [(step.table, step.made_by) for step in got.steps] == [("shipments", "reading csv")]


def test_a_corrected_piece_is_what_a_row_comes_from_afterwards(house):
    house.load(
        "early.csv", [("1", "ML", "6"), ("3", "NA", "7")], at=house.first + dt.timedelta(days=1)
    )
    got = ask(house, "per_country", "country = 'ML'")
    assert got.rows[0].values["kg"] == 6.0
    assert numbers(got.rows[0]) == [("early.csv", 1)]


def test_the_pieces_behind_each_row_are_known_for_a_whole_table(house):
    house.load("late.csv", [("4", "NA", "1")], at=house.first + dt.timedelta(days=1))
    built = house.build()
    with Engine(threads=1) as engine:
        rows = with_pieces(
            "per_country",
            house.section,
            built,
            root=house.root,
            warehouse=house.warehouse,
            engine=engine,
        ).read_all()
    behind = map(pieces_behind, rows[FROM].to_pylist())
    found = dict(zip(rows["country"].to_pylist(), behind, strict=True))
    assert found == {
        "ML": (("shipments", "early.csv"),),
        "NA": (("shipments", "early.csv"), ("shipments", "late.csv")),
    }


@pytest.mark.parametrize(
    ("where", "says"),
    [
        ("contry = 'ML'", 'did you mean "country"'),
        ("country = ", "cannot be read as SQL"),
        ("1 = 1) UNION SELECT 1", "cannot be read as SQL"),
        ("country = 'x'; DROP TABLE clean", "more than a condition"),
        ("country = 'x' LIMIT 5", "more than a condition"),
        ("country IN (SELECT country FROM clean)", "more than a condition"),
        ("getenv('HOME') = country", "reaches out"),
    ],
)
def test_a_condition_is_a_condition_and_nothing_else(house, where, says):
    with pytest.raises(Qua3ckError, match=says):
        ask(house, "clean", where)


def test_a_mistake_in_a_condition_is_shown_where_it_was_typed(house):
    with pytest.raises(Qua3ckError) as told:
        ask(house, "clean", "country = 'ML' AND AND kg > 5")
    assert told.value.where.endswith("line 1, column 22"), "there the second AND ends"
    with pytest.raises(Qua3ckError) as told:
        ask(house, "clean", "country = ")
    assert "class" not in told.value.what


@pytest.mark.parametrize(
    ("table", "where"),
    [
        ("clean", "country = 'x'; DROP TABLE clean"),
        ("clean", "country = 'ML';; kg > 5"),
        ("clean", "cast(kg as date) is null"),
        ("shipments", "cast(country as integer) = 5"),
        ("per_country", "nosuch(kg) > 5"),
    ],
)
def test_a_condition_that_does_not_run_is_told_with_one_that_does(house, table, where):
    with pytest.raises(Qua3ckError, match="condition") as told:
        ask(house, table, where)
    assert (told.value.code, told.value.where) == ("U161", "qua3ck trace --where")
    assert '--where "' in told.value.fix
    assert "ML" not in told.value.what, "no value of the data"


def test_a_semicolon_in_a_text_or_at_the_end_ends_no_condition(house):
    assert ask(house, "clean", "country = 'ML; x'").matches == 0
    assert ask(house, "per_country", "country = 'ML';").matches == 1


def test_an_unknown_table_is_answered_with_the_nearest(house):
    with pytest.raises(Qua3ckError, match='did you mean "per_country"'):
        ask(house, "per_contry")


def test_a_query_changed_since_is_not_passed_off_as_the_one_that_made_the_table(house):
    built = house.build()
    (house.root / "gold" / "per_country.sql").write_text("SELECT country FROM shipments")
    with pytest.raises(Qua3ckError, match="reads other tables now") as caught:
        trace(
            "per_country",
            "",
            house.section,
            house.sources,
            built,
            root=house.root,
            warehouse=house.warehouse,
        )
    assert caught.value.code == "U161"


@pytest.mark.parametrize(
    ("where", "asked"),
    [
        ("boxes = 5", {"boxes"}),
        ("stock.boxes > 4 AND clinic.lower() = 'a'", {"boxes", "clinic"}),
        ("list_filter([1], x -> x = boxes) = []", {"boxes"}),
        ("NURSE = 'Amina'", {"nurse"}),
        ("boxes > 0 AND \"nurse\" LIKE 'A%'", {"boxes", "nurse"}),
        ("main.stock.nurse = 'Amina'", {"nurse"}),
        ("boxes = CASE WHEN length(nurse) > 3 THEN 5 END", {"boxes", "nurse"}),
        ("nurse.upper() = 'AMINA'", {"nurse"}),
        ("stock.nurse.upper() = 'AMINA'", {"nurse"}),
        ("EXISTS (SELECT 1 WHERE nurse = 'Amina')", {"nurse"}),
        ("list_filter([1], x -> nurse = 'Amina') = [1]", {"nurse"}),
        ("COLUMNS('nu.*') = 'Amina'", {"clinic", "boxes", "nurse"}),
        ("COLUMNS(c -> c LIKE 'n%') = 'Amina'", {"clinic", "boxes", "nurse"}),
        ("COLUMNS(*)::TEXT = 'Amina'", {"clinic", "boxes", "nurse"}),
        ("#3 = 'Amina'", {"clinic", "boxes", "nurse"}),
        ("stock.to_json() LIKE '%Amina%'", {"clinic", "boxes", "nurse"}),
    ],
)
def test_a_condition_asks_about_what_it_names_however_it_names_it(where, asked):
    columns = {"clinic": "TEXT", "boxes": "BIGINT", "nurse": "TEXT"}
    assert set(asked_columns(where, "stock", columns)) >= asked
    if "nurse" not in asked:
        assert set(asked_columns(where, "stock", columns)) == asked


def test_a_column_called_as_its_table_is_a_column():
    columns = {"stock": "BIGINT", "nurse": "TEXT"}
    assert asked_columns("stock > 5 AND stock.stock < 9", "stock", columns) == ("stock",)
    assert "nurse" in asked_columns("stock.nurse = 'Amina'", "stock", columns)
