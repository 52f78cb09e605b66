"""The contract of a source in its load: rows held, loads blocked, quality kept."""

from __future__ import annotations

import pytest

from qua3ck.kit.errors import Qua3ckError
from qua3ck.store.raw import RawStore
from qua3ck.store.warehouse import Engine
from qua3ck.understand import Understand
from qua3ck.understand.loading import in_order, load_source
from qua3ck.understand.loading.past import quality

HEAD = """\
version: 1.0.0
apiVersion: v3.1.0
kind: DataContract
id: stock
status: active
schema:
  - name: stock
"""
ROWS = (
    HEAD
    + """\
    properties:
      - {name: id, logicalType: integer, required: true}
      - {name: x, logicalType: number, logicalTypeOptions: {minimum: 0}}
"""
)
AT_LEAST_FIVE = (
    ROWS
    + """\
    quality:
      - {metric: rowCount, mustBeGreaterOrEqualTo: 5, severity: block}
"""
)


@pytest.fixture
def agreed(bench):
    def make(text=ROWS, **keys):
        stock = bench(contract="stock.odcs.yaml", **keys)
        (stock.root / "stock.odcs.yaml").write_text(text)
        return stock

    return make


def test_rows_that_break_a_rule_are_held_and_types_come_from_the_contract(agreed):
    stock = agreed()
    stock.write("a.csv", "id,x\n1,5\n2,-6\n3,7\n,8\n5,many\n6,9\n7,1\n")
    done = stock.load()
    assert (done.came, done.loaded, done.held) == (7, 4, 3)
    assert done.body["columns"] == {"id": "integer", "x": "number"}
    held = {(one["_row"], one["column"], one["raw"] or "") for one in stock.held()}
    assert held == {(2, "x", "-6"), (4, "id", ""), (5, "x", "many")}


def test_what_a_contract_holds_is_left_out_of_the_staged_file_as_it_is(agreed, monkeypatch):
    stock = agreed()
    stock.write("a.csv", "id,x\n" + "".join(f"{n},{n % 7 - 0.5}\n" for n in range(1, 70)))
    written = []
    plain = Engine.write_parquet

    def told(self, rows, path, **more):
        written.append(path.name)
        return plain(self, rows, path, **more)

    monkeypatch.setattr(Engine, "write_parquet", told)
    done = stock.load()
    assert (done.came, done.loaded, done.held) == (69, 60, 9)
    assert {row["_row"] for row in stock.rows(meta=True)} == {n for n in range(1, 70) if n % 7}
    assert [row["id"] for row in stock.rows()] == [n for n in range(1, 70) if n % 7]
    assert written == ["failing.parquet"]  # of the rows themselves the engine writes none


def test_a_load_tells_that_it_holds_a_file_against_its_contract(agreed):
    stock = agreed()
    stock.write("a.csv", "id,x\n1,5\n")
    heard = []
    stock.load(tell=lambda text, share: heard.append(text))
    assert heard.index("checking stock: a.csv") == heard.index("comparing stock") - 1


def test_what_each_rule_measured_is_kept_with_the_load(agreed):
    stock = agreed()
    stock.write("a.csv", "id,x\n1,5\n2,-6\n3,7\n4,8\n")
    done = stock.load()
    lines = stock.warehouse.read(quality("stock")).to_pylist()
    assert {line["piece"] for line in lines} == {"a.csv"}
    low = next(line for line in lines if line["column"] == "x" and line["failing"])
    assert (low["dimension"], low["rows"], low["failing"], low["answer"]) == (
        "validity",
        4,
        1,
        "fail",
    )
    assert {line["_known"].strftime("%Y-%m-%dT%H:%M:%S.%fZ") for line in lines} == {done.known}


def test_a_changed_contract_reads_everything_again(agreed):
    stock = agreed()
    stock.write("a.csv", "id,x\n1,5\n2,6\n3,7\n")
    stock.load()
    (stock.root / "stock.odcs.yaml").write_text(ROWS.replace("minimum: 0", "minimum: 6"))
    done = stock.load()
    assert (done.loaded, done.held) == (2, 1)
    assert [row["id"] for row in stock.rows()] == [2, 3]


def test_a_rule_about_the_table_is_asked_of_all_pieces_together_and_may_block(agreed):
    stock = agreed(AT_LEAST_FIVE)
    stock.write("a.csv", "id,x\n1,5\n2,6\n")
    stock.write("b.csv", "id,x\n3,5\n4,6\n5,7\n")
    assert stock.load().rows == 5  # neither piece alone has five
    stock.write("b.csv", "id,x\n3,5\n4,6\n")
    held = stock.load()
    assert [one.piece for one in held.held_pieces] == ["b.csv"]
    code = held.held_pieces[0].code
    assert len(stock.rows()) == 5
    assert stock.load(accepted={code: "a clinic was closed"}).rows == 4


def test_a_first_load_that_a_rule_blocks_is_an_error_that_says_how_to_go_on(agreed):
    stock = agreed(AT_LEAST_FIVE)
    stock.write("a.csv", "id,x\n1,5\n2,6\n")
    with pytest.raises(Qua3ckError, match="2") as told:
        stock.load()
    assert "--accept" in told.value.fix
    assert stock.load(accepted={told.value.code: "a pilot"}).rows == 2


def test_a_key_of_another_source_is_looked_up_there(agreed):
    stock = agreed(
        HEAD
        + """\
    properties:
      - name: id
        logicalType: integer
      - name: clinic
        logicalType: integer
        relationships: [{to: clinics.code}]
"""
    )
    clinics = stock.source.model_copy(update={"path": "clinics.csv", "contract": None})
    (stock.root / "clinics.csv").write_text("code\n7\n8\n")
    stock.write("a.csv", "id,clinic\n1,7\n2,8\n3,9\n4,7\n")
    both = {"stock": stock.source, "clinics": clinics}
    section = Understand(sources=both, target="x")
    assert in_order(["stock", "clinics"], section, stock.root) == ("clinics", "stock")
    raw = RawStore(stock.root)
    load_source("clinics", clinics, stock.root, stock.warehouse, raw=raw, clock=lambda: stock.now)
    done = stock.load(others=both)
    assert (done.loaded, done.held) == (3, 1)
    assert [(one["_row"], one["column"]) for one in stock.held()] == [(3, "clinic")]


def test_a_row_that_was_deleted_at_its_source_is_judged_by_no_rule(agreed):
    stock = agreed(key=["id"])
    stock.source = stock.source.model_copy(update={"deleted": "away"})
    stock.write("a.csv", "id,x,away\n1,5,\n2,6,\n3,7,\n")
    stock.load(accepted={"U063": "x"})
    stock.write("b.csv", "id,x,away\n2,-1,yes\n4,8,\n5,-2,\n6,1,\n")
    done = stock.load()
    assert (done.came, done.new, done.withdrawn, done.held, done.deleted) == (4, 2, 1, 1, 1)
    assert [row["id"] for row in stock.rows()] == [1, 3, 4, 6]


def test_a_marker_of_deleted_rows_that_no_piece_has_is_refused_under_a_contract_too(agreed):
    stock = agreed(key=["id"])
    stock.source = stock.source.model_copy(update={"deleted": "nope"})
    stock.write("a.csv", "id,x\n1,5\n2,6\n")
    with pytest.raises(Qua3ckError, match='No piece has a column "nope"'):
        stock.load()


def test_in_a_piece_without_the_marker_no_row_is_deleted(agreed):
    stock = agreed(key=["id"])
    stock.source = stock.source.model_copy(update={"deleted": "away"})
    stock.write("a.csv", "id,x,away\n1,5,\n2,6,yes\n3,7,\n")
    stock.load()
    stock.write("b.csv", "id,x\n4,8\n5,-1\n6,9\n")
    done = stock.load(accepted={"U063": "they delete nothing"})
    assert (done.new, done.withdrawn, done.held) == (2, 0, 1)
    assert [row["id"] for row in stock.rows()] == [1, 3, 4, 6]


def test_a_key_that_no_piece_has_is_refused_also_where_a_rule_holds_records(agreed):
    stock = agreed(key=["nope"])
    stock.write("a.csv", "id,x\n1,5\n2,-6\n3,7\n4,1\n")
    with pytest.raises(Qua3ckError, match='No piece has a column "nope"'):
        stock.load()


def test_a_piece_without_the_key_is_held_also_where_a_rule_holds_records(agreed):
    stock = agreed(key=["id"])
    stock.write("a.csv", "id,x\n1,5\n2,6\n3,7\n4,1\n")
    stock.load()
    stock.write("b.csv", "x\n5\n-1\n6\n7\n")
    done = stock.load(accepted={"U063": "try it"})
    assert [one.piece for one in done.held_pieces] == ["b.csv"] or done.held == 4
    assert [row["id"] for row in stock.rows()] == [1, 2, 3, 4]


def test_another_source_is_looked_up_by_the_key_that_it_was_loaded_with(agreed):
    stock = agreed(
        HEAD
        + """\
    properties:
      - name: id
        logicalType: integer
      - name: clinic
        logicalType: integer
        relationships: [{to: clinics.code}]
"""
    )
    clinics = stock.source.model_copy(update={"path": "clinics.csv", "contract": None})
    (stock.root / "clinics.csv").write_text("code\n7\n8\n")
    stock.write("a.csv", "id,clinic\n1,7\n2,8\n3,9\n4,7\n")
    raw = RawStore(stock.root)
    load_source("clinics", clinics, stock.root, stock.warehouse, raw=raw, clock=lambda: stock.now)
    otherwise = clinics.model_copy(update={"key": ("nope",)})
    done = stock.load(others={"stock": stock.source, "clinics": otherwise})
    assert (done.loaded, done.held) == (3, 1)


def about_the_table(done):
    """Return what the load said of the rows of the table as a whole."""
    return [(one.code, one.evidence["rows"]) for one in done.findings if one.code == "U081"]


def test_rows_that_stay_of_a_file_that_is_not_there_are_counted_with_the_one_that_is(agreed):
    stock = agreed(AT_LEAST_FIVE)
    stock.write("a.csv", "id,x\n1,5\n2,6\n3,7\n")
    stock.write("b.csv", "id,x\n4,5\n5,6\n6,7\n")
    stock.load()
    stock.remove("b.csv")
    stock.write("a.csv", "id,x\n1,5\n2,6\n3,8\n")
    done = stock.load()  # six rows, three of them in the file that is there
    assert (done.rows, done.held_pieces, about_the_table(done)) == (6, (), [])


def test_a_file_repeats_what_stays_of_one_that_is_not_there(agreed):
    stock = agreed(ROWS.replace("logicalType: integer,", "logicalType: integer, unique: true,"))
    stock.write("a.csv", "id,x\n1,5\n2,6\n3,7\n")
    stock.write("b.csv", "id,x\n4,5\n5,6\n6,7\n")
    assert "U076" not in [one.code for one in stock.load().findings]
    stock.remove("b.csv")
    stock.write("a.csv", "id,x\n1,5\n2,6\n4,7\n")
    done = stock.load()
    assert (done.rows, [one.code for one in done.findings].count("U076")) == (6, 1)


def test_what_stays_of_files_that_are_taken_out_is_asked_though_no_file_is_read(agreed):
    stock = agreed(AT_LEAST_FIVE)
    stock.write("a.csv", "id,x\n1,5\n2,6\n3,7\n")
    stock.write("b.csv", "id,x\n4,5\n5,6\n6,7\n")
    stock.load()
    stock.remove("b.csv")
    before = stock.digest()
    held = stock.load(accepted={"U066": "a copy"})
    assert [(one.piece, one.code) for one in held.held_pieces] == [("b.csv", "U081")]
    assert "--accept U066 --accept U081" in held.held_pieces[0].fix
    assert stock.digest() == before
    done = stock.load(accepted={"U066": "a copy", "U081": "a clinic was closed"})
    assert (done.rows, [one.code for one in done.findings].count("U081")) == (3, 1)


@pytest.mark.parametrize("keys", [{}, {"key": ["id"]}], ids=["no key", "key"])
def test_what_goes_while_the_only_file_is_held_is_asked_of_what_is_left(agreed, keys):
    stock = agreed(AT_LEAST_FIVE, **keys)
    stock.write("a.csv", "id,x\n1,5\n2,6\n3,7\n4,8\n5,9\n")
    stock.load()
    before = stock.digest()
    stock.remove("a.csv")
    stock.write("b.csv", "")
    held = stock.load(accepted={"U066": "it is called so now"})
    assert {one.code for one in held.findings} >= {"U069", "U070"}
    assert (stock.digest(), held.deleted) == (before, 0)


def test_rows_whose_newer_version_is_held_are_rows_of_the_table(agreed):
    stock = agreed(AT_LEAST_FIVE, key=["id"])
    stock.write("a.csv", "id,x\n1,5\n2,6\n3,7\n4,8\n5,9\n")
    assert stock.load().rows == 5
    stock.write("a.csv", "id,x\n1,5\n2,-6\n3,7\n4,8\n5,10\n")  # what stands under 2 stays
    done = stock.load()
    assert (done.rows, done.changed, done.held, done.held_pieces) == (5, 1, 1, ())


def test_records_that_are_held_for_their_key_are_no_rows_of_a_first_load(agreed):
    stock = agreed(AT_LEAST_FIVE.replace("severity: block", "severity: info"), key=["id"])
    stock.write("a.csv", "id,x\n1,5\n2,6\n3,7\n4,8\n4,9\n")
    done = stock.load()
    assert (done.rows, [one.code for one in done.findings].count("U081")) == (3, 1)


def test_after_a_held_file_the_next_is_asked_with_the_rows_that_stayed(agreed):
    unique = ROWS.replace("x, logicalType: number,", "x, logicalType: number, unique: true,")
    grid = unique + "    quality:\n      - {metric: rowCount, mustBe: 4, severity: block}\n"
    stock = agreed(grid, path="data/a*.csv", key=["id"])
    stock.write("a1.csv", "id,x\n1,5\n2,6\n")
    stock.write("a2.csv", "id,x\n3,7\n4,8\n")
    stock.load()
    stock.source = stock.source.model_copy(update={"path": "data/b*.csv"})
    stock.write("b1.csv", "id,x\n1,5\n2,60\n")
    stock.write("b2.csv", "")  # held: what is not there any more stays meanwhile
    part = stock.load()
    assert (part.rows, [one.piece for one in part.held_pieces]) == (4, ["b2.csv"])
    assert about_the_table(part) == []
    stock.write("b1.csv", "id,x\n1,5\n2,7\n")  # 7 is a row that stayed
    again = stock.load()
    assert (again.rows, [one.code for one in again.findings].count("U076")) == (4, 1)
    stock.write("b2.csv", "id,x\n5,9\n6,10\n")  # now those of a1 and a2 go
    whole = stock.load()
    assert (whole.rows, whole.held_pieces, "U076" in [f.code for f in whole.findings]) == (
        4,
        (),
        False,
    )
