"""A file is hashed again whenever it can have changed."""

from __future__ import annotations

import os
import shutil
import time

import pytest

from qua3ck.kit.hashes import file_digest
from qua3ck.understand.sources import remembered
from qua3ck.understand.sources.remembered import file_digests

LATER = 10_000_000_000


@pytest.fixture
def hashed(monkeypatch):
    """Return the names of the files that are really read."""
    names = []

    def counted(file):
        names.append(file.name)
        return file_digest(file)

    monkeypatch.setattr(remembered, "file_digest", counted)
    return names


def asked(folder):
    files = sorted(folder.glob("*.csv"))
    return file_digests(files, folder / "state" / "files.json", now=lambda: time.time_ns() + LATER)


@pytest.mark.skipif(os.name != "posix", reason="elsewhere every file is hashed")
def test_what_is_as_it_was_is_not_read_again(tmp_path, hashed):
    (tmp_path / "a.csv").write_text("a")
    first = asked(tmp_path)
    assert asked(tmp_path) == first == {tmp_path / "a.csv": file_digest(tmp_path / "a.csv")}
    assert hashed == ["a.csv"]


@pytest.mark.parametrize(
    "change",
    [
        lambda path: path.write_text("b"),
        lambda path: (path.write_text("b"), os.utime(path, ns=(1, 1))),
        lambda path: (path.unlink(), path.write_text("b")),
        lambda path: path.replace(path.with_suffix(".old")) and path.write_text("b"),
    ],
    ids=["written", "time set back", "another file", "moved aside"],
)
def test_a_change_of_the_same_size_is_seen(change, tmp_path, hashed):
    path = tmp_path / "a.csv"
    path.write_text("a")
    os.utime(path, ns=(1, 1))
    asked(tmp_path)
    change(path)
    assert asked(tmp_path)[path] == file_digest(path)
    assert hashed == ["a.csv", "a.csv"]


def test_a_copy_that_keeps_the_times_is_seen(tmp_path, hashed):
    path, other = tmp_path / "a.csv", tmp_path / "other"
    path.write_text("a")
    asked(tmp_path)
    other.write_text("b")
    shutil.copystat(path, other)
    other.replace(path)
    assert asked(tmp_path)[path] == file_digest(path)


def test_what_was_just_written_is_not_trusted(tmp_path, hashed):
    (tmp_path / "a.csv").write_text("a")
    for _ in range(2):
        file_digests([tmp_path / "a.csv"], tmp_path / "memory.json")
    assert hashed == ["a.csv", "a.csv"]


@pytest.mark.parametrize("text", ["", "[]", "{", '{"x": 1}'])
def test_a_memory_that_cannot_be_read_costs_time_alone(text, tmp_path, hashed):
    (tmp_path / "a.csv").write_text("a")
    (tmp_path / "state").mkdir()
    (tmp_path / "state" / "files.json").write_text(text)
    assert len(asked(tmp_path)) == 1
    assert hashed == ["a.csv"]
