from __future__ import annotations

import json
import zipfile
from datetime import date
from typing import Any

import pytest

from qua3ck.transfer.security.advisories import exploitable, is_affected, look_up
from qua3ck.transfer.security.pins import Pin

TODAY = date(2026, 6, 1)
ANYBODY = "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:N/A:N"


def advisory(name: str = "GHSA-1", package: str = "numpy", **more: Any) -> dict[str, Any]:
    """One as the Python Packaging Advisory Database writes it: cured in 2.1.3."""
    events = [{"introduced": "0"}, {"fixed": "2.1.3"}]
    entry = {
        "package": {"ecosystem": "PyPI", "name": package},
        "ranges": [{"type": "ECOSYSTEM", "events": events}],
    }
    return {"id": name, "modified": "2026-03-01T10:00:00Z", "affected": [entry], **more}


def ranged(*events: dict[str, str], **more: Any) -> dict[str, Any]:
    return {"ranges": [{"type": "ECOSYSTEM", "events": list(events)}], **more}


@pytest.mark.parametrize(
    ("events", "inside", "outside"),
    [
        ([{"introduced": "0"}, {"fixed": "1.2"}], ["0.1", "1.1.9", "1.2rc1"], ["1.2", "2.0"]),
        ([{"introduced": "1.0"}, {"fixed": "1.2"}], ["1.0", "1.1"], ["0.9", "1.2", "1.0rc1"]),
        ([{"introduced": "1.0"}, {"last_affected": "1.2"}], ["1.0", "1.2"], ["0.9", "1.2.1"]),
        ([{"introduced": "1.0"}], ["1.0", "99"], ["0.9"]),
        (
            [{"fixed": "1.5"}, {"introduced": "3.0"}, {"introduced": "1.0"}, {"fixed": "3.4"}],
            ["1.0", "1.4", "3.0", "3.3"],
            ["0.9", "1.5", "2.0", "3.4"],
        ),
        ([{"introduced": "1.0"}, {"limit": "2.0"}], ["1.0", "1.9"], ["2.0"]),
        ([{"introduced": "0", "fixed": "1.10"}], ["1.9", "1.2"], ["1.10", "1.11"]),
    ],
)
def test_ranges_are_evaluated_as_the_schema_says(events, inside, outside):
    entry = ranged(*events)
    assert [one for one in inside if not is_affected(entry, one)] == []
    assert [one for one in outside if is_affected(entry, one)] == []


def test_a_listed_version_counts_however_it_is_written():
    entry = {"versions": ["1.0", "1.0.0rc1"]}
    assert is_affected(entry, "1.0.0")
    assert is_affected(entry, "1.0rc1")
    assert not is_affected(entry, "1.1")


def test_ranges_of_commits_say_nothing_about_versions():
    git = {"type": "GIT", "events": [{"introduced": "0"}]}
    assert not is_affected({"versions": ["1.0"], "ranges": [git]}, "2.0")


def test_a_package_without_any_version_is_meant_as_a_whole():
    assert is_affected({}, "7.7")


@pytest.mark.parametrize(
    ("more", "reason"),
    [
        ({"id": "MAL-2026-1"}, "malicious"),
        ({"references": [{"type": "EVIDENCE", "url": "https://x.example"}]}, "shows an exploit"),
        ({"severity": [{"type": "CVSS_V3", "score": ANYBODY}]}, "anybody"),
        ({"severity": [{"score": "CVSS:3.1/AV:L/AC:H/PR:H/UI:R/C:L/I:N/A:N/E:H"}]}, "in use"),
        ({"severity": [{"score": "CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:N/VA:N"}]}, "anybody"),
        ({"severity": [{"score": "AV:N/AC:L/Au:N/C:C/I:N/A:N"}]}, "anybody"),
        ({}, ""),
        ({"references": [{"type": "FIX", "url": "https://x.example"}]}, ""),
        ({"severity": [{"score": "CVSS:3.1/AV:L/AC:L/PR:N/UI:N/C:H/I:H/A:H"}]}, ""),
        ({"severity": [{"score": "CVSS:3.1/AV:N/AC:L/PR:N/UI:R/C:H/I:H/A:H"}]}, ""),
        ({"severity": [{"score": "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/C:L/I:N/A:N"}]}, ""),
        ({"severity": [{"score": "CVSS:4.0/AV:N/AC:L/AT:P/PR:N/UI:N/VC:H/VI:N/VA:N"}]}, ""),
        ({"severity": [{"score": "AV:N/AC:L/Au:S/C:C/I:C/A:C"}]}, ""),
    ],
)
def test_what_is_known_to_be_exploitable(more, reason):
    said = exploitable({**advisory(), **more}, {})
    assert reason in said
    assert bool(said) == bool(reason)


LOCKED = Pin("numpy", "2.1.0", True, 1)


def look(folder, *advisories, pins=(LOCKED,)):
    for number, one in enumerate(advisories):
        text = one if isinstance(one, str) else json.dumps(one)
        (folder / f"{number}.json").write_text(text, encoding="utf-8")
    return look_up(folder, pins, today=TODAY)


def test_an_affected_package_is_named_with_its_cure(tmp_path):
    found = look(tmp_path, advisory(package="NumPy"), advisory("GHSA-2", package="pandas"))
    assert (found.count, found.newest, found.unread) == (2, "2026-03-01", 0)
    (known,) = found.known
    assert (known.package, known.version, known.fixed) == ("numpy", "2.1.0", ("2.1.3",))


def test_a_cured_version_another_ecosystem_and_a_withdrawn_advisory_are_passed_over(tmp_path):
    other = advisory("GHSA-3")
    other["affected"][0]["package"]["ecosystem"] = "npm"
    withdrawn = advisory("GHSA-4", withdrawn="2026-03-02T00:00:00Z")
    assert look(tmp_path, other, withdrawn).known == ()
    assert look(tmp_path, advisory(), pins=(Pin("numpy", "2.1.3", True, 1),)).known == ()


def test_two_databases_that_list_the_same_one_are_one(tmp_path):
    first = advisory("PYSEC-2026-1", aliases=["CVE-2026-1"])
    second = advisory("GHSA-9", aliases=["CVE-2026-1"], severity=[{"score": ANYBODY}])
    (known,) = look(tmp_path, first, second).known
    assert set(known.ids) == {"PYSEC-2026-1", "GHSA-9", "CVE-2026-1"}
    assert known.exploitable


def test_what_cannot_be_read_or_compared_is_counted(tmp_path):
    odd = advisory("GHSA-5")
    odd["affected"][0]["ranges"][0]["events"][1]["fixed"] = "as soon as possible"
    found = look(tmp_path, odd, "{", '{"id": "x"}', "[]")
    assert (found.count, found.unread, found.known) == (1, 4, ())


def test_a_zip_and_a_single_file_are_read_like_a_folder(tmp_path):
    text = json.dumps(advisory())
    (tmp_path / "one.json").write_text(text, encoding="utf-8")
    with zipfile.ZipFile(tmp_path / "all.zip", "w") as archive:
        archive.writestr("PyPI/GHSA-1.json", text)
        archive.writestr("readme.txt", "not one")
    pins = [Pin("numpy", "2.1.0", True, 1)]
    whole = look_up(tmp_path / "all.zip", pins, today=TODAY)
    assert look_up(tmp_path / "one.json", pins, today=TODAY) == whole
    assert whole.count == 1
