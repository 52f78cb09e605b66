from __future__ import annotations

import json
import shlex
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
    with pytest.raises(Qua3ckError, match="set back"):
        open_project(back).understand()
    (after,) = [line for line in said.out.splitlines() if line.startswith("next: ")]
    words = shlex.split(after.removeprefix("next: qua3ck "))  # as the person would type it
    assert words[-2:] == ["--set-back", "WHY"]
    assert typed(capsys, *words).code == 0
    assert open_project(back).verify().ok
    open_project(back).understand()


def heads(bench) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in (bench.keys / "heads").iterdir()}


def test_an_older_state_goes_on_only_with_a_reason_on_record(at, tmp_path, capsys):
    bench = at("begun")
    to, back = str(tmp_path / "stick"), tmp_path / "back"
    bench.done("backup", "--to", to)
    (seen,) = heads(bench).values()
    typed(capsys, "restore", to, "--to", str(back))
    assert list(heads(bench).values()) == [seen], "a restore alone touches no witness"

    words = ("restore", to, "--to", str(back), "--set-back")
    for blank in ("", "   ", "\n\t"):
        typed(capsys, *words, blank).refused("nothing says why", "S020")
    said = typed(capsys, *words, "the disk\n\x1b[2K died ", "--json")
    assert said.code == 0, said.out + said.err
    told = json.loads(said.out)
    assert told["set_back"] is True
    last = json.loads((back / "ledger/chain.jsonl").read_text().splitlines()[-1])
    assert (last["event"], last["actor"]) == ("ledger.set_back", "ana")
    assert last["body"]["reason"] == "the disk [2K died", "one line, nothing that cannot be seen"
    before = json.loads(seen)
    assert last["body"]["seen"] == [{"events": before["n"], "hash": before["hash"]}]
    kept = [text for name, text in heads(bench).items() if ".seen-" in name]
    assert kept == [seen], "what was seen is kept as evidence"
    assert open_project(back).verify().ok
    with pytest.raises(Qua3ckError) as told_old:
        open_project(bench.root).workspace()
    assert told_old.value.code == "L007", "of the two only one goes on"


def test_killed_while_setting_back_the_same_words_end_the_same(at, tmp_path, capsys, monkeypatch):
    bench = at("begun")
    to, back = str(tmp_path / "stick"), tmp_path / "back"
    bench.done("backup", "--to", to)
    words = ("restore", to, "--to", str(back), "--set-back", "the disk died")

    def dies(head, path):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("qua3ck.project.backup._follow", dies)
        typed(capsys, *words)
    assert typed(capsys, *words).code == 0
    chain = (back / "ledger/chain.jsonl").read_text()
    assert chain.count('"event":"ledger.set_back"') == 1
    assert open_project(back).verify().ok


def test_only_an_owner_sets_history_back(at, tmp_path, capsys, monkeypatch):
    bench = at("begun")
    open_project(bench.root).enrol("ada", ("analyst",))
    to, back = str(tmp_path / "stick"), tmp_path / "back"
    bench.done("backup", "--to", to)
    before = heads(bench)
    monkeypatch.setenv("QUA3CK_ACTOR", "ada")
    typed(capsys, "restore", to, "--to", str(back), "--set-back", "x").refused("may not set back")
    assert not back.exists()
    assert heads(bench) == before


def test_a_project_that_stands_there_is_renamed_and_kept(at, tmp_path, capsys):
    bench = at("begun")
    to = str(tmp_path / "stick")
    bench.done("backup", "--to", to)
    (bench.root / "note.txt").write_text("later")
    words = ("restore", to, "--to", str(bench.root))
    typed(capsys, *words).refused("not empty", "--replace")
    typed(capsys, *words, "--replace").refused(
        "S020", "knows more; nothing was changed", "--set-back"
    )
    assert (bench.root / "note.txt").exists()
    assert not [path for path in bench.root.parent.iterdir() if "restor" in path.name]

    said = typed(capsys, *words, "--replace", "--set-back", "a wrong load")
    assert said.code == 0, said.out + said.err
    moved = bench.root.with_name(f"{bench.root.name}.before-restore")
    assert str(moved) in said.out
    assert (moved / "note.txt").read_text() == "later"
    assert not (bench.root / "note.txt").exists()
    assert open_project(bench.root).verify().ok


def test_a_folder_that_is_no_project_is_never_replaced(at, tmp_path, capsys):
    bench = at("begun")
    to, mine = str(tmp_path / "stick"), tmp_path / "mine"
    bench.done("backup", "--to", to)
    mine.mkdir()
    (mine / "thesis.txt").write_text("years")
    words = ("restore", to, "--to", str(mine), "--replace", "--set-back", "x")
    typed(capsys, *words).refused("not empty")
    assert (mine / "thesis.txt").read_text() == "years"


def test_a_backup_that_knows_all_needs_no_reason_and_records_none(at, tmp_path, capsys):
    bench = at("begun")
    to = tmp_path / "stick"
    bench.done("backup", "--to", str(to))
    shutil.rmtree(bench.keys / "heads")
    back = tmp_path / "back"
    assert typed(capsys, "restore", str(to), "--to", str(back), "--set-back", "x").code == 0
    assert "ledger.set_back" not in (back / "ledger/chain.jsonl").read_text()


def test_a_witness_that_others_keep_is_not_set_back_by_who_types(at, tmp_path, capsys, monkeypatch):
    bench = at("begun")
    shared = tmp_path / "shared"
    shared.mkdir()
    monkeypatch.setenv("QUA3CK_WITNESS", str(shared))
    to, back = str(tmp_path / "stick"), tmp_path / "back"
    bench.done("backup", "--to", to)
    monkeypatch.setattr(
        "qua3ck.project.backup.os.access", lambda path, mode: Path(path) != shared
    )  # whoever runs the tests may be allowed everything
    before = heads(bench)
    typed(capsys, "restore", to, "--to", str(back), "--set-back", "x").refused("cannot write")
    assert not back.exists()
    assert heads(bench) == before


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


def test_a_file_in_the_way_is_told_as_it_was_typed(at, tmp_path, capsys, monkeypatch):
    bench = at("begun")
    monkeypatch.chdir(tmp_path)
    Path("notes.txt").write_text("mine")
    bench.type("backup", "--to", "notes.txt").refused("A file stands", "S015")
    bench.done("backup", "--to", "stick")
    said = typed(capsys, "restore", "stick", "--to", "notes.txt/back")
    said.refused("A file stands", "notes.txt/back: notes.txt is a file", "S017")


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
