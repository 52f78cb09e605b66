"""The user's functions are those of this project, as they are written now."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from qua3ck.understand.usercode import find_function


@pytest.fixture(autouse=True)
def untouched(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "path", list(sys.path))


def project(folder: Path, says: str) -> Path:
    folder.mkdir(exist_ok=True)
    (folder / "words.py").write_text(f"WORD = {says!r}\n")
    (folder / "own_features.py").write_text(
        "from words import WORD\n\n\ndef say():\n    return WORD\n"
    )
    return folder


def say(root: Path) -> str:
    return str(find_function("own_features.say", root, place="a3.adapt")())


def test_two_projects_in_one_process_have_each_their_own_functions(tmp_path):
    first, second = project(tmp_path / "1", "one"), project(tmp_path / "2", "two")
    assert [say(first), say(second), say(first)] == ["one", "two", "one"]


def test_an_edited_function_is_read_again_and_so_is_what_it_imports(tmp_path):
    root = project(tmp_path / "1", "one")
    assert say(root) == "one"
    project(root, "another")
    assert say(root) == "another"


def test_a_function_that_was_not_edited_stays_the_same_object(tmp_path):
    root = project(tmp_path / "1", "one")
    found = [find_function("own_features.say", root, place="a3.adapt") for _ in range(2)]
    assert found[0] is found[1]
