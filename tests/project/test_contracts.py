from __future__ import annotations

import errno
import re
from pathlib import Path

import pytest
from stock_project import FILE, PERSON, Bench, as_csv, rows

from qua3ck.cli.main import main
from qua3ck.kit.errors import Qua3ckError
from qua3ck.project import contracts, open_project
from qua3ck.understand.contract import odcs

WITH = FILE.replace("data/rows.csv}", "data/rows.csv, contract: contracts/rows.odcs.yaml}")


@pytest.fixture
def bench(tmp_path, monkeypatch):
    made = Bench(tmp_path / "project", tmp_path / "keys")
    monkeypatch.setenv("QUA3CK_KEYS", str(made.keys))
    monkeypatch.setenv("QUA3CK_ACTOR", "ana")
    made.write(FILE)
    made.write(as_csv(rows()), "data/rows.csv")
    return made


def test_a_contract_is_drafted_edited_checked_and_never_overwritten(bench):
    said = bench.done("contract", "propose", "rows")
    path = bench.root / "contracts" / "rows.odcs.yaml"
    assert str(path) in said.out
    assert "drafted from 160 rows, 6 columns" in said.out
    assert PERSON not in said.out + path.read_text()
    bench.type("contract", "propose", "rows").refused("not overwritten", "--into", "(U154)")
    bench.write(WITH)
    (table,) = bench.facts("contract", "check")["tables"]
    assert (table["table"], table["columns"]) == ("rows", 6)
    assert {rule["action"] for rule in table["rules"]} == {"hold"}
    bench.edit("required: true", "requird: true", "contracts/rows.odcs.yaml")
    bench.type("contract", "check").refused('did you mean "required"', "line 19", "(U152)")


def test_a_source_and_its_project_may_be_named_in_either_order(bench, monkeypatch):
    monkeypatch.chdir(bench.root.parent)
    assert main(["contract", "propose", "project", "rows"]) == 0
    assert (bench.root / "contracts" / "rows.odcs.yaml").is_file()


def test_a_project_without_a_source_is_told_what_is_missing(bench, monkeypatch):
    monkeypatch.chdir(bench.root.parent)
    said = bench.type("contract", "propose")
    said.refused("Which source", f"qua3ck contract propose SOURCE {bench.root}")


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (None, "There is a contract draft.yaml already; it is not overwritten"),
        ("a: 1\n", "There is a file draft.yaml already, which is no contract; it is not"),
        ("", "There is a file draft.yaml already, which is no contract; it is not"),
        ("\x00: [", "There is a file draft.yaml already, which is no contract; it is not"),
        (FILE, "There is a file draft.yaml already, which is no contract; it is not"),
    ],
)
def test_what_stands_in_the_place_of_a_draft_is_called_what_it_is(text, says, bench):
    elsewhere = bench.root / "draft.yaml"
    bench.done("contract", "propose", "rows", "--into", str(elsewhere))
    if text is not None:
        elsewhere.write_text(text)
    before = elsewhere.read_bytes()
    said = bench.type("contract", "propose", "rows", "--into", str(elsewhere))
    said.refused(says, "--into", "(U154)")
    assert elsewhere.read_bytes() == before


def test_what_is_to_be_typed_names_the_project_as_it_was_typed(bench):
    wanted = f"draft one with: qua3ck contract propose {bench.root} rows"
    bench.type("contract", "check").refused(wanted, "(U151)")


def test_the_draft_may_go_elsewhere_and_its_facts_are_json(bench):
    elsewhere = bench.root / "draft.yaml"
    facts = bench.facts("contract", "propose", "rows", "--into", str(elsewhere))
    assert facts["path"] == str(elsewhere)
    assert (facts["rows"], facts["columns"], facts["unread"]) == (160, 6, {})
    assert elsewhere.is_file()


def test_a_draft_that_cannot_be_written_is_said_with_what_to_type(bench):
    said = bench.type("contract", "propose", "rows", "--into", "/proc/q.yaml")
    said.refused("cannot be written", "/proc/q.yaml", "--into FILE", "(U172)")


@pytest.mark.parametrize(
    ("into", "says"),
    [
        ("FILE/x.yaml", ("FILE is a file, not a folder", "FILE/x.yaml")),
        ("FILE/deep/x.yaml", ('no folder "FILE/deep"', "FILE/deep/x.yaml")),
        ("gone/deep/x.yaml", ('no folder "gone/deep"', "make it first")),
        ("folder.yaml", ("folder.yaml is a folder", "name a file in it")),
        ("data", ("data is a folder", "name a file in it")),
        ("x/", ('"x" does not end in .yaml', "x.yaml")),
        ("draft.txt", ('"draft.txt" does not end in .yaml', "draft.yaml")),
        ("a" * 300 + ".yaml", ("cannot be written: File name too long",)),
    ],
)
def test_a_place_where_no_draft_can_be_is_told_before_anything_is_read(
    into, says, bench, monkeypatch
):
    bench.write("", "FILE")
    (bench.root / "folder.yaml").mkdir()
    monkeypatch.chdir(bench.root)
    monkeypatch.setattr(contracts, "_rows", None)
    before = sorted(map(str, bench.root.rglob("*")))
    bench.type("contract", "propose", "rows", "--into", into).refused(*says, "(U172)")
    assert sorted(map(str, bench.root.rglob("*"))) == before


def test_of_a_draft_that_cannot_be_written_whole_nothing_stays(bench, monkeypatch):
    def full(path: Path, data: bytes) -> None:
        path.write_bytes(data[:99])
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(odcs, "write_atomic", full)
        said = bench.type("contract", "propose", "rows", "--into", str(bench.root / "x.yaml"))
    said.refused("cannot be written: No space left on device", "x.yaml", "(U172)")
    assert not list(bench.root.glob("*x.yaml*"))
    bench.done("contract", "propose", "rows", "--into", str(bench.root / "x.yaml"))


def test_a_folder_that_may_not_be_written_is_told(bench, monkeypatch):
    def refused(path: Path, *_: object, **__: object) -> None:
        raise PermissionError(errno.EACCES, "Permission denied", str(path))

    monkeypatch.setattr(Path, "open", refused)
    with pytest.raises(Qua3ckError, match="cannot be written: Permission denied"):
        contracts.free_place(bench.root / "x.yaml", "rows")


def test_a_contract_of_several_tables_says_what_it_would_do(bench, capsys):
    bench.write(
        "apiVersion: v3.1.0\nkind: DataContract\nid: x\nversion: '1'\nstatus: draft\n"
        "schema:\n"
        "  - {name: a, properties: [{name: x, required: true}], quality: [{type: text}]}\n"
        "  - {name: b, quality: [{metric: rowCount, mustBe: 3, severity: info}]}\n",
        "two.odcs.yaml",
    )
    assert main(["contract", "check", str(bench.root / "two.odcs.yaml")]) == 0
    out = capsys.readouterr().out
    assert "a: 1 column, 2 rules" in out
    assert "1 hold rows, 1 not applicable" in out
    assert "not applicable: a.text, it is words for people" in out
    assert "b: 0 columns, 1 rule " in out
    assert "1 inform" in out


def test_words_that_lead_nowhere_are_told(bench):
    bench.type("contract", "propose", "row").refused('did you mean "rows"', "(U104)")
    bench.type("contract", "propos").refused("invalid choice")
    bench.type("contract", "check").refused("No source names a contract", "(U151)")
    bench.type("contract", "check", "more").refused("one word too many")
    bench.write(WITH)
    bench.type("contract", "check").refused("There is no contract", "(U151)")


def test_a_source_that_was_never_loaded_and_is_no_file_is_told(bench):
    bench.edit(
        "  target: out",
        "    far: {kind: function, function: features.rows}\n  target: out",
    )
    project = open_project(bench.root)
    with pytest.raises(Qua3ckError, match="was loaded yet") as problem:
        project.draft_contract("far")
    assert "qua3ck load" in problem.value.fix
    made = project.draft_contract("rows")
    assert list(made.unread) == ["far"]


def test_a_file_without_rows_is_told(bench):
    bench.write("clinic,out\n", "data/rows.csv")
    bench.type("contract", "propose", "rows").refused("no rows")
    assert not (bench.root / "contracts").exists()


def test_files_whose_columns_read_differently_are_typed_together_as_a_load_does(bench):
    bench.edit("data/rows.csv", "data/part_*.csv")
    bench.write("clinic,out,qty,note\na,1,4,\nb,2,5,\n", "data/part_1.csv")
    bench.write("clinic,out,qty,note\na,3.5,twelve,x\nc,4,6,y\n", "data/part_2.csv")
    said = bench.done("contract", "propose", "rows")
    assert "drafted from 4 rows, 4 columns" in said.out
    draft = (bench.root / "contracts" / "rows.odcs.yaml").read_text()
    kinds = re.findall(r"name: (\w+)\n\s+logicalType: (\w+)", draft)
    assert dict(kinds) == {"clinic": "string", "out": "number", "qty": "string", "note": "string"}
