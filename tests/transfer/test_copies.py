from __future__ import annotations

import contextlib
import marshal
import os
import shutil
import sqlite3
import subprocess
import sys

import pytest

from qua3ck.govern import find_release
from qua3ck.store.tracking import Tracking
from qua3ck.transfer import check_registry, verify


@pytest.fixture
def registered(small_lender):
    """A version that MLflow keeps in the folder, promoted, and where its copy lies."""
    uri = f"sqlite:///{small_lender.root / 'mlflow.db'}"
    small_lender.tracking = Tracking(uri, small_lender.root, "consumer-credit")
    small_lender.release()
    small_lender.promote(1)
    (copy,) = small_lender.root.glob("mlartifacts/models/*/artifacts")
    return small_lender, copy


def found(lender) -> list[str]:
    """Return what check and audit verify say of the copies; they have to agree."""
    checked = [
        problem
        for one in check_registry(lender.workspace, lender.tracking)
        if (one.code, one.blocks) == ("K029", True)
        for problem in one.evidence["problems"]
    ]
    verified = verify(lender.workspace, lender.tracking)
    assert verified.ok == (not checked)
    assert all(any(one in problem for problem in verified.problems) for one in checked)
    return checked


CHANGES = {
    "model.py was changed": lambda copy: append(copy / "model.py", "import os\n"),
    "MLmodel was changed": lambda copy: append(copy / "MLmodel", "code: elsewhere\n"),
    "artifacts/model.onnx was changed": lambda copy: append(copy / "artifacts/model.onnx", " "),
    "artifacts/golden.json is missing": lambda copy: (copy / "artifacts/golden.json").unlink(),
    "artifacts/more.py was added": lambda copy: append(copy / "artifacts/more.py", "1\n"),
    "model.pyc was added": lambda copy: append(copy / "model.pyc", "1\n"),
    "conda.yaml was changed": lambda copy: link(copy / "conda.yaml", to=copy),
    "there is no such folder": lambda copy: copy.rename(copy.with_name("elsewhere")),
}


def link(path, *, to) -> None:
    path.unlink()
    path.symlink_to(to, target_is_directory=True)


def append(path, text: str) -> None:
    path.touch()
    path.chmod(0o644)
    with path.open("a") as handle:
        handle.write(text)


def each_change(copy):
    """Make each change to the copy, one after the other, and undo it."""
    whole = copy.with_name("whole")
    shutil.copytree(copy, whole)
    for says, change in CHANGES.items():
        change(copy)
        yield says
        shutil.rmtree(copy, ignore_errors=True)
        shutil.copytree(whole, copy)


def test_a_registered_copy_that_was_changed_is_found(registered):
    lender, copy = registered
    assert found(lender) == []
    for says in each_change(copy):
        assert found(lender) == [says]
    assert found(lender) == []


def forget_files(lender) -> None:
    """Leave the ledger as it was before the hashes of copies were kept in it."""
    body = {"version": 1, "name": "consumer-credit", "registered": "1"}
    lender.workspace.ledger.append("release.registered", "release 1", body)


def test_a_copy_from_before_its_hashes_were_kept_is_held_against_the_version(registered):
    lender, copy = registered
    forget_files(lender)
    described = copy / "MLmodel"
    other = described.read_text().replace("mlflow_version: 3", "mlflow_version: 2")
    described.write_text(other)
    assert found(lender) == []
    for says in each_change(copy):
        if says != "MLmodel was changed":  # that one adds a key which says nothing of the model
            assert found(lender) == [says]
    described.write_text(other.replace(": model.py", ": other.py"))
    assert found(lender) == ["MLmodel was changed"]


def test_a_copy_of_a_version_that_is_not_as_released_cannot_be_compared(registered):
    lender, _ = registered
    forget_files(lender)
    card = lender.root / "releases" / "1" / "README.md"
    card.chmod(0o644)
    card.write_text("better than ever")
    assert found(lender) == ["cannot be compared: releases/1 is not as it was released"]


def test_what_loading_leaves_behind_is_no_change_but_code_in_its_place_is(registered):
    lender, copy = registered
    uri = lender.tracking.uri
    load = "import sys, mlflow; mlflow.set_tracking_uri(sys.argv[1]);"
    load += "mlflow.pyfunc.load_model('models:/consumer-credit@champion')"
    away = {"PYTHONDONTWRITEBYTECODE", "MLFLOW_TRACKING_URI", "MLFLOW_REGISTRY_URI"}
    env = {key: text for key, text in os.environ.items() if key not in away}
    subprocess.run([sys.executable, "-c", load, uri], check=True, env=env, capture_output=True)
    (compiled,) = copy.glob("__pycache__/*.pyc")
    assert (copy / "registered_model_meta").is_file()
    assert found(lender) == []
    harmless = compile("import os", "model.py", "exec")
    compiled.write_bytes(compiled.read_bytes()[:16] + marshal.dumps(harmless))
    name = compiled.relative_to(copy).as_posix()
    assert found(lender) == [f"{name} was added"]
    compiled.write_bytes(b"torn")
    assert found(lender) == [f"{name} was added"]


def test_a_copy_is_looked_for_where_mlflow_would_load_it(registered):
    lender, copy = registered
    other = copy.with_name("other")
    shutil.copytree(copy, other)
    append(other / "model.py", "import os\n")
    with contextlib.closing(sqlite3.connect(lender.root / "mlflow.db")) as connection, connection:
        connection.execute("UPDATE model_versions SET storage_location = ?", (str(other),))
    assert found(lender) == ["model.py was changed"]


def test_a_changed_copy_that_was_deleted_is_registered_again(registered):
    lender, copy = registered
    append(copy / "model.py", "import os\n")
    with lender.tracking._asked() as client:
        client.delete_model_version("consumer-credit", "1")
    assert lender.promote(1).mirrored
    assert find_release(lender.workspace.ledger, 1).registered == "consumer-credit/2"
    assert found(lender) == []
    assert check_registry(lender.workspace, lender.tracking) == ()


def test_a_copy_changed_before_the_ledger_had_it_is_not_put_on_record(registered):
    lender, copy = registered
    append(copy / "model.py", "import os\n")
    before = len(lender.workspace.ledger.entries("release.registered"))
    known = lender.tracking.release_versions("consumer-credit", tag="digest")
    lender.workspace.ledger.append(
        "release.registered", "release 1", {"version": 1, "name": "other", "registered": "7"}
    )  # as if the process had ended between the two
    moved = lender.promote(1)
    assert "model.py was changed" in moved.note
    assert "after this: find out who changed it; then delete that version" in moved.note
    assert known == lender.tracking.release_versions("consumer-credit", tag="digest")
    assert len(lender.workspace.ledger.entries("release.registered")) == before + 1


def test_a_lost_database_is_made_anew_and_filled(registered, tmp_path):
    lender, _ = registered
    (lender.root / "mlflow.db").unlink()
    assert verify(lender.workspace, lender.tracking).ok, "asks for nothing that is not there"
    assert not (lender.root / "mlflow.db").exists()
    lender.tracking = Tracking(lender.tracking.uri, lender.root, "consumer-credit")
    assert lender.promote(1).mirrored
    assert check_registry(lender.workspace, lender.tracking) == ()
    assert lender.tracking.aliases("consumer-credit") == {"champion": "1"}
    assert found(lender) == []


def test_of_copies_that_a_server_keeps_it_is_said_that_nobody_looked(small_lender):
    small_lender.release()
    seen = verify(small_lender.workspace, small_lender.tracking)
    assert (seen.ok, seen.copies) == (True, None)
    assert "what an MLflow server keeps cannot be watched" in "\n".join(seen.lines())


def test_a_registry_that_cannot_be_read_hides_nothing_else(registered):
    lender, _ = registered
    (lender.root / "mlflow.db").write_bytes(b"no database at all, but long enough to be one")
    (lender.root / "releases" / "1" / "added").touch()
    seen = verify(lender.workspace, Tracking(lender.tracking.uri, lender.root, "consumer-credit"))
    assert "releases/1: added was added" in seen.problems
    assert any("registered copies: MLflow's database could not" in one for one in seen.problems)
