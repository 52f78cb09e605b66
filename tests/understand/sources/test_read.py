"""Which files a path names, and what is said where it names none."""

from __future__ import annotations

import pytest

from qua3ck.kit.errors import Qua3ckError
from qua3ck.understand.section import Source
from qua3ck.understand.sources.read import find_files


@pytest.fixture
def root(tmp_path):
    (tmp_path / "data").mkdir()
    for name in ("b.csv", "a.csv"):
        (tmp_path / "data" / name).write_text("x\n1\n")
    return tmp_path


def found(root, path, kind="csv"):
    return find_files(Source(kind=kind, path=path), root, place="s")


@pytest.mark.parametrize(
    ("path", "kind", "typed"),
    [
        ("data", "csv", "path: data/*.csv"),
        ("data/", "json", "path: data/*.json"),
        ("data", "excel", "path: data/*.xlsx"),
    ],
)
def test_a_folder_is_called_one_and_no_name_is_guessed(root, path, kind, typed):
    with pytest.raises(Qua3ckError) as told:
        found(root, path, kind)
    assert (
        told.value.what == f'"{path}" is a folder, and a source of kind {kind} is read from files'
    )
    assert typed in told.value.fix


def test_what_the_fix_says_names_the_files(root):
    assert [path.name for path in found(root, "data/*.csv")] == ["a.csv", "b.csv"]


def test_a_name_that_is_near_is_named(root):
    with pytest.raises(Qua3ckError, match=r'No file "data/a\.cvs".*did you mean "a\.csv"'):
        found(root, "data/a.cvs")
