import errno
import os
from dataclasses import dataclass

import pytest
from pydantic import ValidationError

from qua3ck.kit.findings import Finding
from qua3ck.kit.records import as_json, from_json, load, save, write_atomic


@dataclass(frozen=True)
class Thing:
    name: str
    findings: tuple[Finding, ...]
    shares: dict[str, float]


def test_a_record_comes_back_as_it_was(tmp_path):
    thing = Thing("a", (Finding("U001", "warn", "x", "says", {"n": 3}),), {"b": 0.1})
    save(thing, tmp_path / "deep" / "thing.json")
    assert load(Thing, tmp_path / "deep" / "thing.json") == thing
    assert from_json(Thing, as_json(thing)) == thing


def test_a_field_of_the_wrong_kind_is_refused():
    with pytest.raises(ValidationError):
        from_json(Thing, {"name": "a", "findings": "none", "shares": {}})


def test_a_full_disk_leaves_the_old_file_and_no_litter(tmp_path, monkeypatch):
    path = tmp_path / "state.json"
    path.write_bytes(b"old")

    def full(_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space"):
        write_atomic(path, b"new")
    assert path.read_bytes() == b"old"
    assert [p.name for p in tmp_path.iterdir()] == ["state.json"]
