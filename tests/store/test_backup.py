from __future__ import annotations

import io
import json
import os
import sqlite3
import threading
import uuid
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pyarrow as pa
import pytest

from qua3ck.kit.errors import Qua3ckError
from qua3ck.store.backup import back_up, backups, bring_back
from qua3ck.store.raw import RawStore
from qua3ck.store.warehouse import Warehouse, content_digest, next_known

START = datetime(2026, 1, 1, tzinfo=UTC)
TABLE = "silver/stock"


def rows(*ids):
    return pa.table({"id": ids, "_piece": ["a"] * len(ids), "_row": list(range(len(ids)))})


@pytest.fixture
def project(tmp_path):
    """A folder with something of everything that a project keeps."""
    root = tmp_path / "project"
    house = Warehouse(root)
    house.append(TABLE, rows(1, 2), known=START)
    house.append(TABLE, rows(2, 3), known=START + timedelta(1))
    house.write("gold/training", pa.table({"a": [1]}))
    RawStore(root).put(io.BytesIO(b"clinic,stock\n"))
    for name in (
        *("ledger/chain.jsonl", "people/ana.pub", "state/loop.json", "qua3ck.yaml"),
        *("features.py", "releases/1/report.html", "sealed/x.sealed", "evidence/p.json"),
    ):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(f"{name} and its content")
    with closing(sqlite3.connect(root / "mlflow.db")) as runs:
        runs.execute("CREATE TABLE runs (id)")
        runs.execute("INSERT INTO runs VALUES (7)")
        runs.commit()
    (root / "features.py").chmod(0o755)
    return root


@pytest.fixture(params=["folder", "memory"])
def place(request, tmp_path):
    return str(tmp_path / "copy") if request.param == "folder" else f"memory://{uuid.uuid4().hex}"


def contents(root: Path) -> dict[str, bytes]:
    return {
        path.relative_to(root).as_posix(): path.read_bytes()
        for path in sorted(root.rglob("*"))
        if path.is_file() and not path.name.startswith(".")
    }


def copy(root, to, *, day=0, **options):
    return back_up(
        root, str(to), project="stock", actor="ana", now=START + timedelta(days=day), **options
    )


def test_wiped_and_restored_every_byte_is_as_it_was(project, place, tmp_path):
    made = copy(project, place)
    before = contents(project)
    back = tmp_path / "back"
    got = bring_back(place, back)
    database = before.pop("mlflow.db")
    restored = contents(back)
    assert restored.pop("mlflow.db")[:16] == database[:16]
    assert restored == before
    with closing(sqlite3.connect(back / "mlflow.db")) as runs:
        assert runs.execute("SELECT id FROM runs").fetchall() == [(7,)]
    assert (back / "features.py").stat().st_mode & 0o777 == 0o755
    assert got.name == made.name
    assert Warehouse(back).current(TABLE, by=("id",))["id"].to_pylist() == [1, 2, 3]


def test_only_what_is_new_is_copied(project, place):
    first = copy(project, place)
    assert first.new_files == len(first.manifest.files)
    assert copy(project, place, day=1).new_files == 0
    Warehouse(project).append(TABLE, rows(9), known=START + timedelta(9))
    (project / "ledger/chain.jsonl").write_text("one more line")
    second = copy(project, place, day=2)
    assert second.new_files == 3  # a line of the log, its file, the chain
    assert len(backups(place)) == 3


def test_what_has_not_changed_since_is_not_even_read(project, place, monkeypatch):
    old = (START - timedelta(days=30)).timestamp()
    for path in project.rglob("*"):
        os.utime(path, (old, old))
    copy(project, place)
    read = []
    opened = Path.open

    def watched(self, *args, **options):
        if project in self.parents:
            read.append(self.name)
        return opened(self, *args, **options)

    monkeypatch.setattr(Path, "open", watched)
    copy(project, place, day=1)
    assert set(read) <= {"mlflow.db", "chain.jsonl", "ana.pub"}  # those are frozen each time
    read.clear()
    copy(project, place, day=2, whole=True)
    assert "features.py" in read


def test_an_older_backup_can_be_brought_back_by_name(project, place, tmp_path):
    first = copy(project, place)
    (project / "qua3ck.yaml").write_text("changed")
    copy(project, place, day=1)
    bring_back(place, tmp_path / "old", name=first.name)
    assert (tmp_path / "old/qua3ck.yaml").read_text() == "qua3ck.yaml and its content"
    bring_back(place, tmp_path / "new")
    assert (tmp_path / "new/qua3ck.yaml").read_text() == "changed"
    with pytest.raises(Qua3ckError, match="no backup") as told:
        bring_back(place, tmp_path / "x", name=f"{first.name}x")
    assert first.name in told.value.what + told.value.fix


def test_keys_secrets_locks_and_links_are_left_out(project, tmp_path):
    (project / ".env").write_text("PASSWORD=x")
    (project / ".git").mkdir()
    (project / ".git/config").write_text("")
    (project / "state/run.lock").write_text("")
    (project / "build").mkdir()
    (project / "build/x").write_text("")
    (project / "away").symlink_to(tmp_path)
    made = copy(project, tmp_path / "copy")
    names = {one.path for one in made.manifest.files}
    assert not names & {".env", ".git/config", "state/run.lock", "build/x"}
    assert not any(name.endswith(".lock") for name in names)
    assert made.manifest.left_out == ("away",)


def test_a_restore_never_writes_over_anything(project, tmp_path):
    copy(project, tmp_path / "copy")
    full = tmp_path / "full"
    full.mkdir()
    bring_back(str(tmp_path / "copy"), full)  # empty is fine
    (full / "qua3ck.yaml").write_text("mine")
    for target in (full, full / "qua3ck.yaml"):
        with pytest.raises(Qua3ckError) as told:
            bring_back(str(tmp_path / "copy"), target)
        assert told.value.code == "S017"
    assert (full / "qua3ck.yaml").read_text() == "mine"


def stored(copy_folder, made, name):
    (one,) = [one for one in made.manifest.files if one.path == name]
    return copy_folder / "objects" / one.sha256[:2] / one.sha256


def test_a_damaged_backup_names_the_file_and_leaves_no_half_project(project, tmp_path):
    there = tmp_path / "copy"
    made = copy(project, there)
    path = stored(there, made, "features.py")
    whole = path.read_bytes()
    for damage in (lambda: path.write_bytes(whole[:-1] + b"?"), path.unlink):
        damage()
        with pytest.raises(Qua3ckError, match=r"features\.py") as told:
            bring_back(str(there), tmp_path / "back")
        assert told.value.code == "S016"
        assert not (tmp_path / "back").exists()
        assert not list(tmp_path.glob(".back*"))
    copy(project, there, day=1, whole=True)  # the project still stands: this mends it
    bring_back(str(there), tmp_path / "back")


def test_a_damaged_list_is_noticed(project, tmp_path):
    there = tmp_path / "copy"
    made = copy(project, there)
    path = there / "backups" / f"{made.name}.json"
    path.write_bytes(path.read_bytes().replace(b"features.py", b"feature5.py"))
    with pytest.raises(Qua3ckError) as told:
        bring_back(str(there), tmp_path / "back")
    assert told.value.code == "S016"


def test_a_list_that_leads_outside_is_not_followed(project, tmp_path):
    from hashlib import sha256

    there = tmp_path / "copy"
    made = copy(project, there)
    old = there / "backups" / f"{made.name}.json"
    data = old.read_bytes().replace(b'"features.py"', b'"../../features.py"')
    forged = f"{made.name.rsplit('-', 1)[0]}-{sha256(data).hexdigest()[:16]}"
    old.rename(there / "backups" / f"{forged}.json").write_bytes(data)
    with pytest.raises(Qua3ckError) as told:
        bring_back(str(there), tmp_path / "deep" / "back")
    assert told.value.code == "S016"
    assert not (tmp_path / "features.py").exists()


def test_killed_in_the_middle_the_last_good_backup_is_used(project, tmp_path, monkeypatch):
    there = tmp_path / "copy"
    good = copy(project, there)
    (project / "qua3ck.yaml").write_text("changed")
    (project / "features.py").write_text("changed too")

    class KilledError(BaseException):
        pass

    def die(text, done, total):
        if "features.py" in text:
            raise KilledError

    with pytest.raises(KilledError):
        copy(project, there, day=1, tell=die)
    assert backups(str(there)) == [good.name]
    bring_back(str(there), tmp_path / "back")
    assert (tmp_path / "back/qua3ck.yaml").read_text() == "qua3ck.yaml and its content"
    again = copy(project, there, day=2)
    assert again.manifest.files != good.manifest.files


def test_a_restore_that_was_killed_begins_again(project, tmp_path):
    copy(project, tmp_path / "copy")
    (tmp_path / ".back.restoring").mkdir()
    (tmp_path / ".back.restoring/half").write_text("")
    bring_back(str(tmp_path / "copy"), tmp_path / "back")
    assert not (tmp_path / "back/half").exists()


def test_a_place_that_does_not_keep_what_is_written_is_found_out(project, tmp_path, monkeypatch):
    from qua3ck.store import places

    def rotten(self, name, source):
        into = self.folder / name
        into.parent.mkdir(parents=True, exist_ok=True)
        into.write_bytes(source.read()[:-1] + b"?")

    monkeypatch.setattr(places._Folder, "write", rotten)
    with pytest.raises(Qua3ckError, match="other bytes") as told:
        copy(project, tmp_path / "copy")
    assert told.value.code == "S018"


def test_inside_the_project_is_no_place_for_its_copy(project):
    for to in (project, project / "copies", f"{project}/x/../copies"):
        with pytest.raises(Qua3ckError, match="inside the project") as told:
            copy(project, to)
        assert told.value.code == "S015"


def test_an_empty_place_has_no_backup(tmp_path):
    with pytest.raises(Qua3ckError, match="no backup") as told:
        bring_back(str(tmp_path), tmp_path / "back")
    assert told.value.code == "S015"


def test_the_ledger_is_held_while_it_is_copied_and_before_the_tables(project, tmp_path):
    heard = []

    @contextmanager
    def hold():
        heard.append("held")
        yield
        heard.append("free")

    made = copy(project, tmp_path / "copy", hold=hold, tell=lambda text, *_: heard.append(text))
    assert heard.index("held") < heard.index("free") < heard.index("copying: ledger/chain.jsonl")
    order = [one.path.split("/")[0] for one in made.manifest.files]
    assert order.index("state") < order.index("ledger") < order.index("warehouse")
    assert order.index("warehouse") < order.index("raw")
    names = [one.path for one in made.manifest.files if one.path.startswith(f"warehouse/{TABLE}")]
    logs = [name for name in names if "_delta_log" in name]
    assert names[: len(logs)] == logs


def test_while_loads_go_on_the_copy_holds_a_state_that_was(project, tmp_path):
    """Whatever it catches, its last version reads, and is one that the table has had."""
    stop = threading.Event()
    house = Warehouse(project)

    def go_on():
        number = 100
        while not stop.is_set():
            known = next_known(START, house.known(TABLE))
            house.append(TABLE, rows(number), known=known)
            house.compact(TABLE, by=("id",), beyond=0.5)
            number += 1

    writer = threading.Thread(target=go_on)
    writer.start()
    try:
        for day in range(4):
            copy(project, tmp_path / "copy", day=day)
    finally:
        stop.set()
        writer.join()
    for name in backups(str(tmp_path / "copy")):
        back = tmp_path / name
        bring_back(str(tmp_path / "copy"), back, name=name)
        version, _, digest = Warehouse(back).snapshot(TABLE, by=("id",))
        then = house.current(TABLE, by=("id",), version=version)
        assert digest == content_digest(then)


def test_a_pointer_to_a_checkpoint_that_was_not_listed_is_left_out(project, tmp_path):
    log = project / "warehouse" / TABLE / "_delta_log"
    (log / "_last_checkpoint").write_text(json.dumps({"version": 77, "size": 1}))
    bring_back(copy_to(project, tmp_path), tmp_path / "back")
    assert not (tmp_path / "back/warehouse" / TABLE / "_delta_log/_last_checkpoint").exists()
    assert Warehouse(tmp_path / "back").version(TABLE) == 1


def copy_to(project, tmp_path):
    copy(project, tmp_path / "copy")
    return str(tmp_path / "copy")


def test_a_database_in_use_is_copied_whole(project, tmp_path):
    with closing(sqlite3.connect(project / "mlflow.db")) as runs:
        runs.execute("PRAGMA journal_mode=WAL")
        runs.execute("INSERT INTO runs VALUES (8)")
        runs.commit()  # in the log beside it, not in the file
        bring_back(copy_to(project, tmp_path), tmp_path / "back")
    with closing(sqlite3.connect(tmp_path / "back/mlflow.db")) as runs:
        assert runs.execute("SELECT id FROM runs").fetchall() == [(7,), (8,)]
    assert not list((tmp_path / "back").glob("mlflow.db-*"))


@pytest.mark.parametrize("inner", ["", "x", "x/y"])
def test_a_file_is_no_place_for_a_copy(project, tmp_path, inner, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("notes.txt").write_text("mine")
    to = str(Path("notes.txt", inner))
    with pytest.raises(Qua3ckError, match="A file stands where a folder is to be") as told:
        copy(project, to)
    assert told.value.code == "S015"
    assert told.value.where == (f"{to}: notes.txt is a file" if inner else to)
    assert "name a folder" in told.value.fix
    assert Path("notes.txt").read_text() == "mine"


@pytest.mark.parametrize("inner", ["", "x"])
def test_a_file_holds_no_backup(tmp_path, inner):
    (tmp_path / "notes.txt").write_text("mine")
    with pytest.raises(Qua3ckError) as told:
        bring_back(str(tmp_path / "notes.txt" / inner), tmp_path / "back")
    assert told.value.code == "S015"
    assert not (tmp_path / "back").exists()


@pytest.mark.parametrize("inner", ["", "x", "x/y"])
@pytest.mark.parametrize("replace", [False, True])
def test_below_a_file_nothing_is_restored(project, tmp_path, inner, replace, monkeypatch):
    monkeypatch.chdir(tmp_path)
    copy(project, tmp_path / "copy")
    Path("notes.txt").write_text("mine")
    with pytest.raises(Qua3ckError, match="A file stands where a folder is to be") as told:
        bring_back(str(tmp_path / "copy"), Path("notes.txt", inner), replace=replace)
    assert told.value.code == "S017"
    to = Path("notes.txt", inner)
    assert told.value.where == (f"{to}: notes.txt is a file" if inner else "notes.txt")
    assert Path("notes.txt").read_text() == "mine"
