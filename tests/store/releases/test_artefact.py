from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from qua3ck.kit.errors import Qua3ckError
from qua3ck.store.releases.artefact import artefact_digest, read_manifest, verify, write_artefact


def test_verifies_what_was_written(artefact: tuple[Path, str]):
    folder, digest = artefact
    assert artefact_digest(folder) == digest
    manifest = verify(folder, digest=digest)
    assert manifest == read_manifest(folder)
    assert (folder / manifest.model).is_file()


def test_notices_every_changed_byte(artefact: tuple[Path, str], tmp_path: Path):
    folder, digest = artefact
    for path in sorted(p.relative_to(folder) for p in folder.rglob("*") if p.is_file()):
        copy = tmp_path / path.as_posix().replace("/", "_")
        shutil.copytree(folder, copy)
        data = bytearray((copy / path).read_bytes())
        data[len(data) // 2] ^= 1
        (copy / path).write_bytes(data)
        with pytest.raises(Qua3ckError):
            verify(copy, digest=digest)


@pytest.mark.parametrize("change", ["add", "remove", "manifest"])
def test_notices_what_was_added_removed_or_rewritten(
    artefact: tuple[Path, str], tmp_path: Path, change: str
):
    folder, digest = artefact
    copy = tmp_path / "copy"
    shutil.copytree(folder, copy)
    if change == "add":
        (copy / "evil.py").write_text("")
        words = "evil.py was added"
    elif change == "remove":
        (copy / "golden.json").unlink()
        words = "golden.json is missing"
    else:
        said = json.loads((copy / "manifest.json").read_text())
        said["spec"]["threshold"] = 0.9
        (copy / "manifest.json").write_text(json.dumps(said))
        words = "not the one in the ledger"
    with pytest.raises(Qua3ckError, match=words):
        verify(copy, digest=digest)


def test_never_changes_an_artefact(artefact: tuple[Path, str], tmp_path: Path):
    folder, digest = artefact
    manifest = read_manifest(folder)
    files = {name: (folder / name).read_bytes() for name in manifest.files}
    copy = tmp_path / "copy"
    assert write_artefact(copy, files=files, manifest=manifest) == digest
    assert write_artefact(copy, files=files, manifest=manifest) == digest
    with pytest.raises(Qua3ckError, match="Another artefact"):
        write_artefact(copy, files={**files, "more.txt": b"x"}, manifest=manifest)
    assert artefact_digest(copy) == digest
    assert [path.name for path in tmp_path.iterdir()] == ["copy"]


def test_a_disk_that_refuses_leaves_nothing(artefact: tuple[Path, str], tmp_path: Path):
    folder, _ = artefact
    (tmp_path / "file").write_text("not a folder")
    with pytest.raises(Qua3ckError, match="could not be written"):
        write_artefact(tmp_path / "file" / "x", files={}, manifest=read_manifest(folder))


@pytest.mark.parametrize(
    ("text", "words"),
    [(None, "no artefact"), ("{", "cannot be read"), ('{"format": 99}', "layout 99")],
)
def test_says_what_is_wrong_with_a_manifest(tmp_path: Path, text: str | None, words: str):
    if text is not None:
        (tmp_path / "manifest.json").write_text(text)
    with pytest.raises(Qua3ckError, match=words):
        read_manifest(tmp_path)
