"""The same question is known again: answers go on to count, and settled entries end."""

from __future__ import annotations

import sqlite3
from types import SimpleNamespace

import pytest

from qua3ck.understand.loading.answers import Answer, read_answers, write_answers
from qua3ck.understand.loading.past import listed_pieces, open_records

KEYED = {"key": ["id"], "types": {"id": "integer", "x": "integer"}}
HEAD = "id,x\n" + "".join(f"{i},{i}\n" for i in range(50))


def answer(stock, text: str) -> None:
    """Answer the first line that waits, as the sheet that is taken back does."""
    line = open_records(stock.warehouse, "stock").to_pylist()[0]
    content = {one.name: one.digest for one in listed_pieces(stock.warehouse, "stock")}
    given = Answer(
        line["_piece"],
        content[line["_piece"]],
        line["_row"],
        line["column"],
        line["code"],
        text,
        question=line["question"],
    )
    write_answers(stock.root, "stock", [*read_answers(stock.root, "stock"), given])


def test_an_answer_goes_on_to_count_when_a_row_is_added(bench):
    stock = bench(**KEYED)
    stock.write("s.csv", HEAD + "50,twelve\n")
    assert stock.load().held == 1
    answer(stock, "12")
    assert stock.load().rows == 51
    stock.write("s.csv", HEAD + "50,twelve\n51,51\n")
    done = stock.load()
    assert (done.came, done.loaded, done.held, done.deleted, done.rows) == (52, 52, 0, 0, 52)
    assert {row["id"]: row["x"] for row in stock.rows()}[50] == 12
    assert stock.load().known == ""
    stock.write("s.csv", HEAD + "50,13\n51,51\n")
    done = stock.load()
    assert [one.code for one in done.findings if one.severity == "inform"] == ["U171"]
    assert {row["id"]: row["x"] for row in stock.rows()}[50] == 13


def test_without_a_key_the_raw_record_tells_what_was_answered(bench):
    stock = bench(types=KEYED["types"])
    stock.write("s.csv", HEAD + "50,twelve\n")
    stock.load()
    answer(stock, "12")
    stock.write("s.csv", "id,x\n99,1\n" + HEAD[5:] + "50,twelve\n")
    done = stock.load()
    assert (done.came, done.loaded, done.held) == (52, 52, 0)


def test_a_record_that_is_held_leaves_what_was_loaded_under_its_key(bench):
    for extract in ({}, {"extract": "full"}):
        stock = bench(**KEYED, **extract)
        stock.write("s.csv", HEAD)
        stock.load()
        stock.write("s.csv", HEAD.replace("7,7\n", "7,seven\n", 1))
        done = stock.load()
        assert (done.came, done.loaded, done.held, done.deleted) == (50, 49, 1, 0)
        stock.write("s.csv", HEAD.replace("7,7\n", "", 1))
        done = stock.load()
        assert (done.deleted, done.waiting) == (1, 0)


RULES = """\
version: 1.0.0
apiVersion: v3.1.0
kind: DataContract
id: stock
status: active
schema:
  - name: stock
    properties:
      - {name: id, logicalType: integer, required: true}
      - {name: x, logicalType: integer, logicalTypeOptions: {minimum: 0, maximum: 90}}
      - {name: y, logicalType: integer, logicalTypeOptions: {maximum: 90}}
"""


@pytest.fixture
def agreed(bench):
    def make(**keys):
        stock = bench(contract="stock.odcs.yaml", **keys)
        (stock.root / "stock.odcs.yaml").write_text(RULES)
        return stock

    return make


THREE = "id,x,y\n" + "".join(f"{i},{i},{i}\n" for i in range(50))


@pytest.mark.parametrize("keys", [{"key": ["id"]}, {}])
def test_an_answer_to_a_rule_goes_on_to_count_in_other_bytes(keys, agreed):
    stock = agreed(**keys)
    stock.write("s.csv", THREE + "50,-5,1\n")
    assert stock.load().held == 1
    answer(stock, "5")
    assert stock.load().rows == 51
    stock.write("s.csv", THREE.replace("id,x,y\n", "id,x,y\n99,9,9\n") + "50,-5,1\n51,51,1\n")
    done = stock.load()
    assert (done.came, done.loaded, done.held, done.deleted) == (53, 53, 0, 0)
    assert {row["id"]: row["x"] for row in stock.rows()}[50] == 5
    assert stock.load().known == ""
    stock.write("s.csv", THREE + "50,-6,1\n")  # another value is another question
    done = stock.load()
    assert done.held == 1
    assert [one.code for one in done.findings if one.severity == "inform"] == ["U171"]


def test_a_record_left_out_for_a_rule_stays_so_in_other_bytes(agreed):
    stock = agreed(key=["id"])
    stock.write("s.csv", THREE + "50,-5,1\n")
    stock.load()
    answer(stock, "(leave out)")
    assert stock.load().waiting == 0
    stock.write("s.csv", THREE + "50,-5,1\n51,51,1\n")
    done = stock.load()
    assert (done.held, done.waiting, done.rows) == (1, 0, 51)


@pytest.mark.parametrize(
    ("bad", "keys"), [("50,-5,100", {}), ("50,none,100", {"key": ["id"]}), ("50,-5,many", {})]
)
def test_answers_given_one_after_the_other_count_together_in_other_bytes(bad, keys, agreed):
    stock = agreed(**keys)
    stock.write("s.csv", THREE + bad + "\n")
    stock.load()
    answer(stock, "500")  # breaks a rule itself, or the next one is asked after it
    stock.load()
    answer(stock, "5")
    stock.load()
    answer(stock, "6")
    assert stock.load().rows == 51
    row = stock.rows()[-1]
    stock.write("s.csv", "id,x,y\n99,9,9\n" + THREE[7:] + bad + "\n")
    done = stock.load()
    assert (done.came, done.loaded, done.waiting) == (52, 52, 0)
    assert row in stock.rows()
    assert stock.load().known == ""


def test_an_answer_that_breaks_the_rule_too_is_asked_anew_and_shown(agreed):
    stock = agreed(key=["id"])
    stock.write("s.csv", THREE + "50,-5,1\n")
    stock.load()
    answer(stock, "-7")
    assert stock.load().waiting == 1
    (line,) = open_records(stock.warehouse, "stock").to_pylist()
    assert (line["raw"], line["answered"]) == ("-7", "-7")
    assert stock.load().known == ""


ONCE = RULES.replace("required: true", "required: true, unique: true")
TWO = THREE + "50,5,1\n50,6,1\n"


@pytest.mark.parametrize(
    ("keys", "rules"), [({"key": ["id"]}, RULES), ({"key": ["id"]}, ONCE), ({}, ONCE)]
)
def test_an_answer_decides_between_rows_of_one_key_also_in_other_bytes(keys, rules, agreed):
    stock = agreed(**keys)
    (stock.root / "stock.odcs.yaml").write_text(rules)
    stock.write("s.csv", TWO)
    done = stock.load()
    assert (done.came, done.loaded, done.held, done.waiting) == (52, 50, 2, 2)
    answer(stock, "(leave out)")  # the first of the two
    done = stock.load()
    assert (done.came, done.loaded, done.held, done.waiting) == (52, 51, 1, 0)
    assert stock.rows()[-1] == {"id": 50, "x": 6, "y": 1}
    assert stock.load().known == ""
    stock.write("s.csv", "id,x,y\n99,9,9\n" + TWO[7:])
    done = stock.load()
    assert (done.came, done.loaded, done.held, done.waiting) == (53, 52, 1, 0)
    assert {"id": 50, "x": 6, "y": 1} in stock.rows()
    assert stock.load().known == ""
    stock.write("s.csv", TWO.replace("50,5,1", "50,55,1"))  # not the row that was left out
    done = stock.load()
    assert (done.held, done.waiting, done.deleted) == (2, 2, 1 if keys else 2)
    assert "U171" in [one.code for one in done.findings]


def test_entries_of_a_database_end_with_a_later_version_of_their_key(bench):
    stock = bench(
        kind="database",
        path=None,
        url="sqlite:///stock.db",
        table="stock",
        key=["id"],
        types={"x": "integer"},
        watermark="changed",
        overlap="1",
    )

    def do(*statements: str) -> None:
        with sqlite3.connect(stock.root / "stock.db") as base:
            for one in statements:
                base.execute(one)
        base.close()

    do("CREATE TABLE stock (id INTEGER PRIMARY KEY, x TEXT, changed INTEGER)")
    do(*(f"INSERT INTO stock VALUES ({i}, '{i}', {i})" for i in range(6)))
    stock.load()
    do("UPDATE stock SET x = 'one', changed = 10 WHERE id = 1")
    do("UPDATE stock SET x = 'two', changed = 10 WHERE id = 2")
    do(*(f"UPDATE stock SET x = '{i}0', changed = 10 WHERE id = {i}" for i in (3, 4, 5)))
    done = stock.load()
    assert (done.held, done.waiting, done.rows) == (2, 2, 6)
    do("UPDATE stock SET x = '33', changed = 11 WHERE id = 3")
    done = stock.load()  # both come again in the overlap
    assert (done.held, done.waiting) == (2, 2)
    assert stock.load().waiting == 2
    do("UPDATE stock SET x = '44', changed = 30 WHERE id = 4")
    assert stock.load().waiting == 2
    do("UPDATE stock SET x = '55', changed = 60 WHERE id = 5")
    assert stock.load().waiting == 2  # beyond the overlap now
    answer(stock, "100")
    done = stock.load()
    assert (done.came, done.loaded, done.waiting, done.rows) == (2, 2, 1, 6)
    assert {row["id"]: row["x"] for row in stock.rows()} == {
        0: 0, 1: 100, 2: 2, 3: 33, 4: 44, 5: 55,
    }  # fmt: skip
    assert (stock.load().came, stock.load().waiting) == (0, 1)
    do("UPDATE stock SET x = '11', changed = 80 WHERE id = 1", "DELETE FROM stock WHERE id = 2")
    done = stock.load()
    assert (done.waiting, done.deleted, done.rows) == (0, 1, 5)
    assert {row["id"]: row["x"] for row in stock.rows()}[1] == 11


def received(stock):
    from qua3ck.understand.loading.worklist import work_list

    asked = SimpleNamespace(warehouse=stock.warehouse, root=stock.root)
    return [(one.place, one.received) for one in work_list("stock", stock.source, asked)]


NINE = "id,month,cartons,nurse\n" + "".join(f"{i},2025-01,{i},Ama\n" for i in range(9))


def test_the_sheet_shows_in_what_rows_of_one_key_differ(bench):
    stock = bench(key=["id", "month"], types={"id": "string", "cartons": "integer"})
    stock.write("s.csv", NINE + "F59,2025-01,40,Ama\nF59,2025-01,400,Ama\nF60,2025-01,,Ama\n")
    stock.write("t.csv", NINE + "F60,2025-01,5,Ama\nF60,2025-01,,Ben\n")
    stock.load()
    assert received(stock) == [
        ("line 11", "F59 / 2025-01; cartons 40"),
        ("line 12", "F59 / 2025-01; cartons 400"),
        ("line 11", "F60 / 2025-01; cartons 5, nurse Ama"),
        ("line 12", "F60 / 2025-01; cartons (empty), nurse Ben"),
    ]


def test_an_equal_row_is_said_to_be_the_same_again(bench):
    stock = bench(key=["id", "month"], types={"id": "string", "cartons": "integer"})
    stock.write("s.csv", NINE + "F59,2025-01,40,Ama\n" * 3)
    assert stock.load().held == 2
    assert received(stock) == [
        (f"line {line}", "F59 / 2025-01; the same row again") for line in (12, 13)
    ]


def test_a_classified_column_is_named_as_differing_and_its_cells_are_not_shown(bench):
    stock = bench(key=["id", "month"], types={"id": "string"}, contract="c.odcs.yaml")
    (stock.root / "c.odcs.yaml").write_text(
        RULES.partition("    properties:")[0]
        + "    properties:\n      - {name: nurse, classification: restricted}\n"
    )
    stock.write("s.csv", NINE + "F59,2025-01,40,Ama\nF59,2025-01,40,Ben\n")
    stock.load()
    assert {said for _, said in received(stock)} == {"F59 / 2025-01; nurse (not shown: classified)"}


def test_what_is_asked_of_a_row_stays_the_same_question_whatever_differs(bench):
    stock = bench(**KEYED)
    stock.write("s.csv", HEAD + "50,1\n50,2\n")
    stock.load()
    before = {line["raw"] for line in open_records(stock.warehouse, "stock").to_pylist()}
    assert before == {"50"}, "an answer of an earlier version must still be known"


@pytest.mark.parametrize("keys", [{"key": ["id"]}, {}])
def test_rows_that_a_contract_wants_once_are_told_apart_too(keys, agreed):
    stock = agreed(**keys)
    (stock.root / "stock.odcs.yaml").write_text(ONCE)
    stock.write("s.csv", TWO + "51,7,1\n51,7,1\n")
    stock.load()
    assert received(stock) == [
        ("line 52", "50; x 5"),
        ("line 53", "50; x 6"),
        ("line 55", "51; the same row again"),
    ]


PERIODS = {
    "key": ["id"],
    "valid_from": "since",
    "types": {"id": "string", "since": "date", "x": "integer"},
}
SINCE = "id,since,x\n" + "".join(f"G{i},2025-01-01,{i}\n" for i in range(8))
BAD = "F2,2025-01-01,abc\nF2,2025-02-01,abc\n"


def test_an_answer_for_one_period_does_not_fill_another(bench):
    stock = bench(**PERIODS)
    stock.write("s.csv", SINCE + BAD)
    assert stock.load().held == 2
    answer(stock, "5")
    stock.write("s.csv", SINCE + "G9,2025-01-01,9\n" + BAD)
    done = stock.load()
    assert (done.came, done.held, done.waiting) == (11, 1, 1)
    assert [row["x"] for row in stock.rows() if row["id"] == "F2"] == [5]


def test_a_list_of_before_periods_were_told_apart_is_still_read(bench, monkeypatch):
    from qua3ck.understand.loading import questions

    texts = questions.key_texts
    stock = bench(**PERIODS)
    stock.write("s.csv", SINCE + BAD.replace("abc", "7"))
    stock.load()
    with monkeypatch.context() as before:
        before.setattr(questions, "key_texts", lambda by, rows, key: texts(by, rows, key[:1]))
        stock.write("s.csv", SINCE + BAD)
        done = stock.load()
        assert (done.held, done.deleted, done.rows) == (2, 0, 10)
    assert [line["key"] for line in open_records(stock.warehouse, "stock").to_pylist()] == [
        '["F2"]'
    ] * 2
    stock.write("t.csv", "id,since,x\nF2,2025-03-01,3\n")
    done = stock.load()
    assert (done.new, done.waiting, done.deleted, done.rows) == (1, 2, 0, 11)
