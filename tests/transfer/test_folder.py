from __future__ import annotations

import pytest

from qua3ck.kit.errors import Qua3ckError
from qua3ck.transfer import folder as folders


@pytest.fixture
def made(tmp_path):
    final = tmp_path / "releases" / "1"
    with folders.whole_or_nothing(final) as beside:
        (beside / "model").mkdir()
        (beside / "model" / "a.txt").write_text("a")
        digest = folders.write_manifest(beside, {"version": 1})
    return final, digest


def test_an_unchanged_folder_has_no_problems(made):
    assert folders.problems(*made) == ()


@pytest.mark.parametrize(
    ("do", "says"),
    [
        (lambda f: (f / "model" / "a.txt").write_text("b"), "model/a.txt was changed"),
        (lambda f: (f / "model" / "a.txt").unlink(), "model/a.txt is missing"),
        (lambda f: (f / "b.txt").write_text("b"), "b.txt was added"),
        (lambda f: (f / "link").symlink_to(f / "model" / "a.txt"), "link was added"),
        (lambda f: (f / "release.json").unlink(), "release.json is missing"),
        (
            lambda f: (f / "release.json").write_text("{}"),
            "release.json is not the one in the ledger",
        ),
    ],
)
def test_every_change_is_said(made, do, says):
    folder, digest = made
    for path in folder.rglob("*.*"):
        path.chmod(0o644)
    do(folder)
    assert folders.problems(folder, digest) == (says,)


def test_a_missing_folder_is_said(tmp_path):
    assert folders.problems(tmp_path / "7", "x") == ("the folder is missing",)


def test_a_folder_that_is_there_is_never_overwritten(made):
    final, digest = made
    with pytest.raises(Qua3ckError), folders.whole_or_nothing(final) as beside:
        (beside / "other.txt").write_text("other")
    assert folders.problems(final, digest) == ()
    assert [path.name for path in final.parent.iterdir()] == ["1"]


def test_the_disk_that_refuses_is_told_with_its_reason(tmp_path):
    (tmp_path / "releases").write_text("a file where a folder should be")
    with (
        pytest.raises(Qua3ckError, match="nothing of it was kept") as refused,
        folders.whole_or_nothing(tmp_path / "releases" / "1"),
    ):
        pass
    assert refused.value.code == "K003"
