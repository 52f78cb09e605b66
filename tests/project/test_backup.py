from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from stock_project import Said

from qua3ck.cli.main import main
from qua3ck.kit.errors import Qua3ckError
from qua3ck.project import open_project
from qua3ck.project.backup import restore


def typed(capsys, *words: str) -> Said:
    """Type words as they are, with no project behind them."""
    capsys.readouterr()
    code = main(list(words))
    printed = capsys.readouterr()
    return Said(code, printed.out, printed.err)


def test_made_rehearsed_wiped_and_brought_back(at, tmp_path, capsys):
    bench = at("begun")
    to = tmp_path / "stick"
    said = bench.done("backup", "--to", str(to), "--rehearse")
    assert "rehearsed: restored, every byte as it was, its ledger verified" in said.out
    (made,), (tried,) = bench.events("backup.made"), bench.events("backup.rehearsed")
    assert made["body"]["manifest"] == tried["body"]["manifest"]
    assert made["body"]["place"] == "a folder", "a path may hold a person's name"
    assert tried["body"]["events"] == made["seq"]
    keys = [path for path in to.rglob("*") if path.suffix == ".pem"]
    assert keys == []

    shutil.rmtree(bench.root)
    back = tmp_path / "back"
    said = typed(capsys, "restore", str(to), "--to", str(back))
    assert said.code == 0
    assert "next: qua3ck explain L007" in said.out, "the witness has seen the backup itself"
    (move,) = [line.split() for line in said.out.splitlines() if line.strip().startswith("mv ")]
    Path(move[1]).rename(move[2])  # as the person would type it
    assert open_project(back).verify().ok
    open_project(back).understand()


def test_what_damages_a_backup_is_found_by_its_rehearsal(at, tmp_path, monkeypatch):
    bench = at("begun")
    chain = bench.root / "ledger/chain.jsonl"
    whole = chain.read_bytes()
    from qua3ck.store import backup

    bring_back = backup.bring_back

    def forged(*args, **options):
        done = bring_back(*args, **options)
        (args[1] / "ledger/chain.jsonl").write_bytes(whole.replace(b"ana", b"eva", 1))
        return done

    monkeypatch.setattr("qua3ck.project.backup.bring_back", forged)
    with pytest.raises(Qua3ckError, match="rehearsal failed") as told:
        open_project(bench.root).backup(str(tmp_path / "stick"), rehearse=True)
    assert told.value.code == "S019"
    assert bench.events("backup.rehearsed") == []


def test_a_table_that_does_not_read_fails_the_rehearsal(at, tmp_path):
    bench = at("understand")
    table = next(path for path in (bench.root / "warehouse").glob("*/*/_delta_log")).parent
    next(table.glob("*.parquet")).unlink()
    with pytest.raises(Qua3ckError, match="files of") as told:
        open_project(bench.root).backup(str(tmp_path / "stick"), rehearse=True)
    assert told.value.code == "S019"


def test_who_may_not_run_may_not_copy_either(at, tmp_path, monkeypatch):
    bench = at("begun")
    open_project(bench.root).enrol("audrey", ("auditor",))
    monkeypatch.setenv("QUA3CK_ACTOR", "audrey")
    bench.type("backup", "--to", str(tmp_path / "stick")).refused("may not run")
    assert not (tmp_path / "stick").exists()


def test_the_answers_as_json(at, tmp_path, capsys):
    bench = at("begun")
    made = bench.facts("backup", "--to", str(tmp_path / "stick"))
    assert made["new_files"] == made["files"] > 3
    (bench.root / "link").symlink_to(tmp_path)
    said = bench.done("backup", "--to", str(tmp_path / "stick"), "--whole")
    assert "left out, because links are not followed: link" in said.out
    back = tmp_path / "back"
    words = ("--to", str(back), "--name", made["name"], "--json")
    got = json.loads(typed(capsys, "restore", str(tmp_path / "stick"), *words).out)
    assert (got["name"], got["files"]) == (made["name"], made["files"])
    assert got["ahead"][0]["events"] > got["events"]


def test_brought_back_on_another_machine_nothing_is_ahead(at, tmp_path, monkeypatch):
    bench = at("begun")
    bench.done("backup", "--to", str(tmp_path / "stick"))
    monkeypatch.setenv("QUA3CK_KEYS", str(tmp_path / "other keys"))
    assert restore(str(tmp_path / "stick"), tmp_path / "back").ahead == ()


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["backup"], "--to"),
        (["restore", "nowhere"], "--to"),
        (["restore", "nowhere", "--to", "x"], "no backup here"),
        (["backup", "--to", "inside"], "inside the project"),
        (["backup", "--to", "s3://me:secret@bucket/x"], "password"),
    ],
)
def test_wrong_words_are_answered_in_three_lines(at, capsys, monkeypatch, words, says):
    bench = at("begun")
    monkeypatch.chdir(bench.root)
    said = typed(capsys, *words)
    said.refused(says)
    assert "secret" not in said.err
