"""Gold tables by the command line and the library: made, traced, published, listed."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from datetime import UTC, datetime

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from qua3ck.cli.main import main
from qua3ck.store.warehouse import Warehouse

PROJECT = """
project: clinics
product: model
question:
  asks: Which clinics run out?
  decides: The supply officer.
  why_now: They do.
  risks: A clinic without medicine.
  stop_if: [rows < 10]
  kpis: [{id: right, metric: accuracy, at_least: 0.5}]
  risk: {affects: organisation, domain: supply, automated: false}
understand:
  sources:
    stock: {kind: csv, path: "data/*.csv", key: [clinic, month], owner: supply team}
  tables:
    per_clinic: {sql: gold/per_clinic.sql, key: [clinic], says: Boxes per clinic.}
  target: out
  publish:
    to: [csv]
    tables:
      per_clinic: {key: [clinic]}
"""
ROWS = "clinic,month,boxes,out\nA,2026-01,5,no\nA,2026-02,7,no\nB,2026-01,1,yes\n"


@pytest.fixture
def folder(tmp_path):
    root = tmp_path / "clinics"
    for inner in ("data", "gold"):
        (root / inner).mkdir(parents=True)
    (root / "qua3ck.yaml").write_text(PROJECT)
    (root / "data" / "stock.csv").write_text(ROWS)
    (root / "gold" / "per_clinic.sql").write_text(
        "SELECT clinic, sum(boxes) AS boxes FROM stock GROUP BY clinic"
    )
    return root


@pytest.fixture
def type_in(folder):
    surroundings = {**os.environ, "QUA3CK_KEYS": str(folder.parent / "keys"), "QUA3CK_ACTOR": "ana"}

    def run(*words):
        command = [sys.executable, "-m", "qua3ck", *words]
        return subprocess.run(
            command, cwd=folder, env=surroundings, capture_output=True, text=True, check=False
        )

    return run


def events(folder):
    lines = (folder / "ledger" / "chain.jsonl").read_text().splitlines()
    return [json.loads(line) for line in lines]


def test_load_makes_what_is_stale_and_puts_it_on_record(folder, type_in):
    done = type_in("load")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "per_clinic: made, 2 rows" in done.stdout
    assert "made" not in type_in("load").stdout
    (made,) = [event for event in events(folder) if event["event"] == "table.made"]
    assert made["subject"] == "per_clinic"
    assert made["body"]["made_of"] == {"silver/stock": 0}


def test_a_figure_is_traced_to_its_lines_also_after_a_correction(folder, type_in):
    type_in("load")
    (folder / "data" / "stock.csv").write_text(ROWS.replace("A,2026-02,7", "A,2026-02,8"))
    assert type_in("load").returncode == 0
    found = json.loads(type_in("trace", "per_clinic", "--where", "clinic = 'A'", "--json").stdout)
    (row,) = found["rows"]
    assert row["values"] == {"clinic": "A", "boxes": 13}
    assert [(r["piece"], r["place"]) for r in row["records"]] == [
        ("stock.csv", "line 2"),
        ("stock.csv", "line 3"),
    ]
    shown = type_in("trace", "per_clinic", "--where", "clinic = 'A'").stdout
    assert "from stock: stock.csv, line 3, sha256 " in shown
    assert "boxes = SUM(stock.boxes)" in shown


def test_a_missing_table_or_condition_is_said_in_three_lines(type_in):
    type_in("load")
    wrong = type_in("trace", "per_clinik")
    assert wrong.returncode == 2
    assert 'did you mean "per_clinic"' in wrong.stderr
    assert type_in("trace").returncode == 2
    wrong = type_in("trace", 'stock" --')
    assert 'No table "stock" --"' in wrong.stderr
    wrong = type_in("trace", "stock", "--limit", "0")
    assert wrong.returncode == 2
    assert "--limit" in wrong.stderr


@pytest.mark.parametrize("words", [("clinics", "stock"), ("stock", "clinics")])
def test_a_table_and_its_project_may_be_named_in_either_order(words, folder, monkeypatch, capsys):
    monkeypatch.setenv("QUA3CK_KEYS", str(folder.parent / "keys"))
    monkeypatch.setenv("QUA3CK_ACTOR", "ana")
    monkeypatch.chdir(folder.parent)
    assert main(["load", "clinics"]) == 0
    assert main(["trace", *words, "--where", "boxes = 7"]) == 0
    assert "stock  1 row fits" in capsys.readouterr().out
    assert main(["trace", "clinics"]) == 2
    assert "qua3ck trace TABLE clinics --where" in capsys.readouterr().err
    assert main(["trace", "--openlineage", "events.ndjson", "clinics"]) == 0
    assert (folder.parent / "events.ndjson").is_file()
    monkeypatch.chdir(folder)  # what is also a folder is a table where a project is at hand
    (folder / "stock").mkdir()
    (folder / "stock" / "qua3ck.yaml").write_text(PROJECT)
    assert main(["trace", "stock"]) == 0
    assert main(["trace", "stock", "a", "b"]) == 2
    assert '"b" is one word too many' in capsys.readouterr().err


def test_publish_says_what_it_wrote_and_marks_what_has_no_contract(folder, type_in):
    type_in("load")
    done = type_in("publish")
    assert done.returncode == 0, done.stdout + done.stderr
    text = (folder / "published" / "fact_per_clinic.csv").read_text("utf-8-sig")
    assert '"unchecked"' in text
    assert len(text.splitlines()) == 3
    assert [e["event"] for e in events(folder)].count("tables.published") == 1


def test_the_catalogue_shows_no_value_without_a_contract(folder, type_in):
    type_in("load")
    done = type_in("catalog", "--json")
    assert done.returncode == 0, done.stdout + done.stderr
    page = (folder / "catalog" / "table" / "stock.html").read_text()
    assert "no contract says which columns are personal" in page
    assert "2026-01" not in page


def test_openlineage_events_go_to_a_file(folder, type_in):
    type_in("load")
    done = type_in("trace", "--openlineage", "events.ndjson")
    assert done.returncode == 0, done.stdout + done.stderr
    lines = (folder / "events.ndjson").read_text().splitlines()
    assert [json.loads(line)["job"]["name"] for line in lines] == [
        *["load.stock"] * 2,
        *["table.per_clinic"] * 2,
    ]


def test_a_query_that_fails_says_where_and_loses_nothing(folder, type_in):
    type_in("load")
    (folder / "gold" / "per_clinic.sql").write_text("SELECT klinic FROM stock")
    done = type_in("load")
    assert done.returncode == 2
    assert 'did you mean "clinic"' in done.stderr
    assert "Traceback" not in done.stderr
    found = json.loads(type_in("trace", "stock", "--json").stdout)
    assert found["matches"] == 3


def test_spark_and_others_read_the_tables_as_they_lie(folder, type_in):
    type_in("load")
    from deltalake import DeltaTable

    table = DeltaTable(str(folder / "warehouse" / "gold" / "per_clinic"))
    assert table.to_pyarrow_table().num_rows == 2
    assert pq.read_table(table.file_uris()[0]).num_rows == 2


CONTRACT = """\
version: 1.0.0
apiVersion: v3.1.0
kind: DataContract
id: stock
status: active
schema:
  - name: stock
    properties:
      - {name: clinic, logicalType: string, classification: public}
      - {name: month, logicalType: string}
      - {name: boxes, logicalType: integer}
      - {name: out, logicalType: string}
      - {name: nurse, logicalType: string, classification: restricted}
"""


@pytest.fixture
def personal(folder, monkeypatch, capsys):
    """The same project with a column that its contract restricts; typed in this process."""
    monkeypatch.setenv("QUA3CK_KEYS", str(folder.parent / "keys"))
    monkeypatch.setenv("QUA3CK_ACTOR", "ana")
    lines = [f"{line},Nurse {n}" for n, line in enumerate(ROWS.splitlines())]
    text = "\n".join(lines).replace("Nurse 0", "nurse")
    (folder / "data" / "stock.csv").write_text(text + "\n")
    (folder / "stock.odcs.yaml").write_text(CONTRACT)
    file = folder / "qua3ck.yaml"
    declared = PROJECT.replace("owner: supply team", "contract: stock.odcs.yaml")
    file.write_text(declared)
    (folder / "gold" / "per_clinic.sql").write_text(
        "SELECT clinic, sum(boxes) AS boxes, max(nurse) AS last_seen_by FROM stock GROUP BY clinic"
    )

    def run(*words):
        code = main([*words, str(folder)])
        said = capsys.readouterr()
        return code, said.out + said.err

    assert run("load")[0] == 0
    return run


def test_a_trace_shows_no_cell_that_a_contract_classifies_nor_what_was_made_of_one(personal):
    for table, column in (("stock", "nurse"), ("per_clinic", "last_seen_by")):
        for more in ((), ("--json",)):
            code, said = personal("trace", table, "--where", "clinic = 'A'", *more)
            assert code == 0, said
            assert "Nurse" not in said
        _, said = personal("trace", table, "--where", "clinic = 'A'")
        assert "stock.csv, line 3" in said, "the way back is shown all the same"
        assert f"{column}=(not shown: classified)" in said
        assert f"not shown, because a contract classifies them: {column};" in said
        assert "--show-personal" in said


SECRET = "Nurse Halima"  # the answer that a person gave; it stands in no file of the source


@pytest.fixture
def answered(folder, personal):
    """The same project with one nurse missing, and who it was told as an answer."""
    from openpyxl import load_workbook

    file = folder / "data" / "stock.csv"
    file.write_text(file.read_text().replace("Nurse 3", ""))
    contract = folder / "stock.odcs.yaml"
    contract.write_text(CONTRACT.replace("restricted}", "restricted, required: true}"))
    assert personal("load")[0] == 0
    code, said = personal("quarantine", "--json")
    assert (code, "Nurse" in said, "U071" in said) == (0, False, True), said
    sheet = folder / "nurses.xlsx"
    assert personal("quarantine", "--export", str(sheet))[0] == 0
    book = load_workbook(sheet)
    book["answers"]["F2"] = SECRET
    book.save(sheet)
    code, said = personal("quarantine", "--answers", str(sheet))
    assert (code, "1 answer taken" in said, "Nurse" in said) == (0, True, False), said
    return personal


def test_a_trace_of_an_answered_record_does_not_show_a_classified_answer(folder, answered):
    """Nor where the table itself has no column that anything classified went into."""
    (folder / "gold" / "boxes.sql").write_text(
        "SELECT clinic, sum(boxes) AS boxes FROM stock GROUP BY clinic"
    )
    boxes = "    boxes: {sql: gold/boxes.sql, key: [clinic]}\n"
    file = folder / "qua3ck.yaml"
    file.write_text(file.read_text().replace("  target:", f"{boxes}  target:", 1))
    assert answered("load")[0] == 0
    for table in ("stock", "per_clinic", "boxes"):
        code, said = answered("trace", table, "--where", "clinic = 'B'")
        assert (code, "Nurse" in said, "Halima" in said) == (0, False, False), said
        assert "nurse is an answer by ana on" in said
        assert ": (not shown: classified); the file has something else there" in said
        code, said = answered("trace", table, "--where", "clinic = 'B'", "--json")
        assert (code, "Nurse" in said, "Halima" in said) == (0, False, False), said
    code, said = answered("trace", "stock", "--where", "clinic = 'B'", "--show-personal")
    assert (code, said.count(SECRET)) == (0, 2), said  # the cell, and the answer behind it


def test_a_condition_that_fails_on_a_classified_cell_does_not_say_the_cell(personal):
    for table, column in (("stock", "nurse"), ("per_clinic", "last_seen_by")):
        for condition in ("CAST({} AS INTEGER) = 1", "{}::DATE > '2026-01-01'", "error({})"):
            where = ("--where", condition.format(column), "--show-personal")
            code, said = personal("trace", table, *where)
            assert (code, "Nurse" in said) == (2, False), said


def test_a_guess_at_what_is_classified_is_answered_only_on_record(folder, personal):
    for table, column in (("stock", "nurse"), ("per_clinic", "last_seen_by")):
        for where in (f"{column} = 'Nurse 2'", f"{table}.{column.upper()}.upper() = 'NURSE 2'"):
            code, said = personal("trace", table, "--where", where)
            assert (code, "(U173)" in said, "fit" in said) == (2, True, True), said
            assert f"asks about {column}, which a contract classifies" in said
            assert ("rows fit\n" in said, "--show-personal" in said) == (False, True)
    for where in ("stock.to_json() LIKE '%Nurse 2%'", "COLUMNS('nu.*') = 'Nurse 2'"):
        assert "(U173)" in personal("trace", "stock", "--where", where)[1]
    assert "2 rows fit" in personal("trace", "stock", "--where", "stock.boxes > 4")[1]
    assert "personal.shown" not in {one["event"] for one in events(folder)}

    wrong = "CASE WHEN nurse = 'Nurse 2' THEN error('yes') ELSE true END"
    for where, ends in (("nurse = 'Nurse 2'", 0), ("nurse = 'Nobody'", 0), (wrong, 2)):
        assert personal("trace", "stock", "--where", where, "--show-personal")[0] == ends
    kept = [one for one in events(folder) if one["event"] == "personal.shown"]
    assert [one["body"] for one in kept] == [{"columns": ["nurse"], "rows": n} for n in (1, 0, 0)]
    assert "Nurse" not in json.dumps(kept)


def test_a_guess_at_a_column_that_was_copied_beside_an_answer_is_refused_too(folder, personal):
    about = {"source_version": 0, "source_digest": "d" * 64, "source_piece": "stock.csv"}
    about |= {"model_version": 1, "model_alias": "champion", "model_release": "r" * 64}
    rows = [
        {"nurse": f"Nurse {n}", "label": "no", "source_row": n, "_piece": "run", "_row": n, **about}
        for n in (1, 2)
    ]
    for source, name in (("silver/stock", "scores"), ("data/others.csv", "predictions/more")):
        table = pa.Table.from_pylist([{**row, "source_table": source} for row in rows])
        moment = datetime(2026, 1, 1, tzinfo=UTC)
        Warehouse(folder).append(f"predictions/{name.split('/')[-1]}", table, known=moment)
    for name in ("scores", "predictions/more"):
        assert "2 rows fit" in personal("trace", name, "--where", "label = 'no'")[1]
        for where in ("nurse = 'Nurse 2'", "answers.to_json() LIKE '%2%'", "#1 = 'Nurse 2'"):
            code, said = personal("trace", name, "--where", where)
            assert (code, "(U173)" in said, "asks about nurse," in said) == (2, True, True), said
        twice = "1 = 2 UNION ALL SELECT * FROM answers WHERE nurse = 'Nurse 2'"
        code, said = personal("trace", name, "--where", twice)
        assert (code, "more than a condition" in said) == (2, True), said
        shown = personal("trace", name, "--where", "nurse = 'Nurse 2'", "--show-personal")
        assert (shown[0], "1 row fits" in shown[1]) == (0, True), shown


def test_who_may_run_sees_classified_cells_by_asking_for_them_and_that_is_on_record(
    folder, personal
):
    code, said = personal("trace", "stock", "--where", "boxes = 7", "--show-personal")
    assert (code, "nurse=Nurse 2" in said) == (0, True)
    (event,) = [one for one in events(folder) if one["event"] == "personal.shown"]
    assert (event["actor"], event["subject"]) == ("ana", "stock")
    assert event["body"] == {"columns": ["nurse"], "rows": 1}
    assert personal("enrol", "eva", "--role", "auditor")[0] == 0
    code, said = personal("trace", "stock", "--show-personal", "--as", "eva")
    assert (code, "may not run" in said, "Nurse" in said) == (2, True, False)
