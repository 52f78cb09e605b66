from __future__ import annotations

import json
import os
import pickle
from datetime import UTC, datetime

import pytest

from qua3ck.transfer.section import Transfer
from qua3ck.transfer.security import scan

NOW = datetime(2026, 6, 1, tzinfo=UTC)
HASH = "--hash=sha256:" + "0a" * 32
KEY = "-----BEGIN " + "PRIVATE KEY-----"
CLEAN = {"requirements.txt": f"numpy==2.1.0 {HASH}\n", "code/features.py": "x = 1\n"}


class Harmful:
    def __reduce__(self):
        return (os.getcwd, ())


def look(tmp_path, files=(), *, now=NOW, advisories=None, **section):
    """Scan a folder with the clean files and these; advisories are written beside it."""
    folder = tmp_path / "version"
    for name, data in {**CLEAN, **dict(files)}.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data if isinstance(data, bytes) else data.encode())
    if advisories is not None:
        (tmp_path / "adv.json").write_text(json.dumps(advisories), encoding="utf-8")
        section["advisories"] = "adv.json"
    return scan(folder, section=Transfer(**section), root=tmp_path, now=now)


def advisory(modified="2026-05-01T00:00:00Z", **more):
    entry = {"package": {"ecosystem": "PyPI", "name": "numpy"}, "versions": ["2.1.0"]}
    return {
        "id": "GHSA-1", "aliases": ["CVE-1"], "modified": modified, "affected": [entry], **more,
    }  # fmt: skip


def told(seen):
    return [(one.code, one.severity) for one in seen.findings if one.code != "K026"]


def test_a_clean_version_has_nothing_but_what_was_not_looked_for(tmp_path):
    seen = look(tmp_path)
    assert told(seen) == []
    (missing,) = seen.findings
    assert (missing.code, missing.severity) == ("K026", "inform")
    assert missing.evidence["not_checked"]
    assert (seen.files, seen.code_files, seen.packages, seen.advisories) == (2, 1, 1, 0)


def test_a_pickle_under_a_harmless_name_blocks(tmp_path):
    seen = look(tmp_path, {"model/notes.txt": pickle.dumps(Harmful())})
    assert told(seen) == [("K020", "block")]
    assert seen.findings[0].where == "model/notes.txt"


def test_a_link_out_of_the_version_blocks_and_is_not_followed(tmp_path):
    (tmp_path / "outside").write_text(KEY)
    look(tmp_path)
    (tmp_path / "version" / "readme.txt").symlink_to(tmp_path / "outside")
    assert told(look(tmp_path)) == [("K020", "block")]


@pytest.mark.parametrize(
    ("name", "source", "severity"),
    [
        ("code/features.py", "def f(x):\n    return eval(x)\n", "block"),
        ("code/features.py", "import subprocess\n", "warn"),
        ("model/code/steps.py", "import subprocess\n", "block"),
        ("code/features.py", "def (:\n", "warn"),
    ],
)
def test_code_that_runs_or_reaches_out(tmp_path, name, source, severity):
    assert told(look(tmp_path, {name: source})) == [("K021", severity)]


def test_the_lines_of_a_use_are_named(tmp_path):
    source = "import os\n\ndef f(x):\n    os.system(x)\n    os.system(x)\n"
    (found, _) = look(tmp_path, {"code/features.py": source}).findings
    assert found.where == "code/features.py, lines 4, 5"


def test_python_that_is_not_the_users_is_not_judged(tmp_path):
    assert told(look(tmp_path, {"check_release.py": "exec('1')\n"})) == []


def test_a_secret_is_named_by_file_line_and_kind_and_never_by_value(tmp_path):
    value = "ghp_" + "Ab1" * 14
    seen = look(tmp_path, {"code/qua3ck.yaml": f"a: 1\nb: {KEY}\nc: {value}\n"})
    assert told(seen) == [("K022", "block"), ("K022", "block")]
    assert [one.where for one in seen.findings[:2]] == [
        "code/qua3ck.yaml, line 2", "code/qua3ck.yaml, line 3",
    ]  # fmt: skip
    assert value not in repr(seen)


def test_what_may_be_a_password_is_only_warned_of(tmp_path):
    assert told(look(tmp_path, {"code/f.py": f'password = "{"hunter2" * 2}"\n'})) == [
        ("K022", "warn")
    ]


@pytest.mark.parametrize(
    ("lock", "severity"),
    [("", "block"), ("numpy>=2\n", "block"), ("numpy==2.1.0\n", "warn")],
)
def test_a_lock_that_does_not_hold(tmp_path, lock, severity):
    seen = look(tmp_path, {"requirements.txt": f"{lock}pandas==3.0 {HASH}\n" if lock else ""})
    found = {told_ for told_ in told(seen) if told_[0] == "K023"}
    assert ("K023", severity) in found


def test_no_lock_at_all_blocks(tmp_path):
    look(tmp_path)
    (tmp_path / "version" / "requirements.txt").unlink()
    folder = tmp_path / "version"
    seen = scan(folder, section=Transfer(), root=tmp_path, now=NOW)
    assert told(seen) == [("K023", "block")]


def test_a_known_vulnerability_is_warned_of_and_blocks_if_it_is_exploitable(tmp_path):
    seen = look(tmp_path, advisories=advisory())
    assert told(seen) == [("K024", "warn")]
    assert (seen.advisories, seen.newest) == (1, "2026-05-01")
    evil = [{"type": "EVIDENCE", "url": "https://x.example"}]
    assert told(look(tmp_path, advisories=advisory(references=evil))) == [("K024", "block")]


@pytest.mark.parametrize(("modified", "old"), [("2026-03-03", False), ("2026-03-02", True)])
def test_advisories_are_old_after_90_days(tmp_path, modified, old):
    seen = look(tmp_path, advisories={**advisory(f"{modified}T00:00:00Z"), "affected": []})
    assert told(seen) == ([("K025", "warn")] if old else [])
    assert not old or modified in seen.findings[0].says


@pytest.mark.parametrize("odd", ["2999-01-01T00:00:00Z", "2026-06-02T00:00:00Z", "zz"])
def test_a_day_that_has_not_come_yet_does_not_keep_old_advisories_fresh(tmp_path, odd):
    old = {**advisory("2026-01-01T00:00:00Z"), "affected": []}
    folder = tmp_path / "known"
    folder.mkdir()
    (folder / "old.json").write_text(json.dumps(old))
    (folder / "odd.json").write_text(json.dumps({**old, "modified": odd}))
    look(tmp_path)
    seen = scan(tmp_path / "version", section=Transfer(advisories="known"), root=tmp_path, now=NOW)
    assert (told(seen), seen.newest) == ([("K025", "warn")], "2026-01-01")
    (folder / "old.json").unlink()
    seen = scan(tmp_path / "version", section=Transfer(advisories="known"), root=tmp_path, now=NOW)
    assert (told(seen), seen.newest) == ([("K025", "warn")], "")


def test_a_reason_for_what_was_not_found_is_named(tmp_path):
    seen = look(tmp_path, accept={"K026": "offline", "K020 model/x": "gone", "GHSA-1": "cured"})
    said = {one.where for one in seen.findings if one.code == "K028"}
    assert said == {"transfer.accept, K020 model/x", "transfer.accept, GHSA-1"}


def test_advisories_that_are_not_there_or_hold_nothing_block(tmp_path):
    look(tmp_path)
    for path in ("nowhere.zip", "version/code"):
        section = Transfer(advisories=path)
        seen = scan(tmp_path / "version", section=section, root=tmp_path, now=NOW)
        assert told(seen) == [("K027", "block")]
        assert seen.findings[0].evidence["not_checked"]


def test_entries_that_cannot_be_compared_are_warned_of(tmp_path):
    odd = {"package": {"ecosystem": "PyPI", "name": "numpy"},
           "ranges": [{"type": "ECOSYSTEM", "events": [{"introduced": "when?"}]}]}  # fmt: skip
    assert told(look(tmp_path, advisories={**advisory(), "affected": [odd]})) == [("K027", "warn")]


@pytest.mark.parametrize("key", ["GHSA-1", "CVE-1"])
def test_one_advisory_is_accepted_by_any_of_its_names(tmp_path, key):
    seen = look(tmp_path, advisories=advisory(), accept={key: "not reachable here"})
    assert [one.accepted for one in seen.findings] == ["not reachable here"]


def test_what_is_accepted_in_one_file_is_not_accepted_in_the_next(tmp_path):
    eval_ = "eval('1')\n"
    files = {"code/features.py": eval_, "code/more.py": eval_}
    seen = look(tmp_path, files, accept={"K021 code/features.py": "a constant"})
    assert [one.blocks for one in seen.findings if one.code == "K021"] == [False, True]
    seen = look(tmp_path, files, accept={"K021": "everything", "K024": "everything"})
    assert [one.blocks for one in seen.findings if one.code == "K021"] == [True, True]


def test_no_advisories_can_be_accepted_with_a_reason_only(tmp_path):
    (missing,) = look(tmp_path, accept={"K026": "offline"}).findings
    assert missing.accepted == "offline"
    with pytest.raises(ValueError, match="at least 1 character"):
        Transfer(accept={"K026": "  "})


def test_no_code_accepts_every_vulnerability_at_once(tmp_path):
    evil = advisory(id="MAL-1")
    found, unused = look(tmp_path, advisories=evil, accept={"K024": "all of them"}).findings
    assert (found.code, found.blocks) == ("K024", True)
    assert unused.code == "K028"
