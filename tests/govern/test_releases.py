from __future__ import annotations

import pytest

from qua3ck.govern import find_release, list_releases, model_folder
from qua3ck.kit.errors import Qua3ckError

MADE = {
    "path": "releases/1",
    "digest": "ab" * 32,
    "candidate": "cd" * 32,
    "snapshot": "s",
    "question": "q",
    "opening": 1,
    "model_format": "onnx",
}


def release(workspace, version: int) -> None:
    body = {**MADE, "version": version, "path": f"releases/{version}"}
    workspace.ledger.append("release.made", f"release {version}", body)


def test_a_version_is_what_the_ledger_says_of_it_and_where_it_was_registered(workspace):
    release(workspace, 1)
    release(workspace, 2)
    body = {"version": 2, "name": "demo", "registered": "7"}
    workspace.ledger.append("release.registered", "release 2", body)
    one, two = list_releases(workspace.ledger)
    assert (one.registered, two.registered) == ("", "demo/7")
    assert find_release(workspace.ledger, 2) == two
    assert model_folder(workspace.root, two) == workspace.root / "releases" / "2" / "model"
    assert "version 2" in repr(two)


def test_a_version_that_was_never_made_is_told_with_those_that_were(workspace):
    with pytest.raises(Qua3ckError, match="does not exist") as caught:
        find_release(workspace.ledger, 1)
    assert caught.value.code == "K005"
    release(workspace, 12)
    with pytest.raises(Qua3ckError) as caught:
        find_release(workspace.ledger, 1)
    assert "12" in caught.value.where
