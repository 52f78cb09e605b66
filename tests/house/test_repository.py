"""Nothing in the repository names a machine or a package index, and the locks are hashed."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
LOCKS = ("requirements/run.txt", "requirements/dev.txt")
# Spelt in pieces, so that this file does not contain what it looks for.
INDEX_HOSTS = re.compile(
    "|".join(
        [
            "pypi" + r"\.org",
            "python" + r"hosted\.org",
            "--(extra-)?index" + "-url",
            "find" + "-links",
        ]
    )
)
MACHINE_PATHS = re.compile("|".join(["/" + "work/", "/" + "root/", "file:" + "///"]))
PINNED = re.compile(r"^([a-z0-9][a-z0-9._-]*)==(\S+)", re.MULTILINE)


def normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def declared() -> set[str]:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    return {normal(re.split(r"[<>=!~\[ ;]", need)[0]) for need in project["dependencies"]}


@pytest.mark.parametrize(
    ("pattern", "what"), [(INDEX_HOSTS, "a package index"), (MACHINE_PATHS, "a machine's path")]
)
def test_no_file_names(our_files, pattern, what):
    named = [
        f"{path.relative_to(ROOT)}: {found.group()}"
        for path in our_files
        if (found := pattern.search(path.read_text(encoding="utf-8", errors="ignore")))
        and path != Path(__file__)
    ]
    assert named == [], f"{what} is named"


@pytest.mark.parametrize("lock", LOCKS)
def test_every_pinned_package_has_hashes_and_no_address(lock):
    text = (ROOT / lock).read_text()
    entries = re.split(r"\n(?=[a-z0-9])", text)
    assert len(entries) > 50
    assert [entry.split()[0] for entry in entries if "--hash=sha256:" not in entry] == []
    assert "://" not in text


def test_the_run_lock_holds_what_the_package_declares():
    pinned = {normal(name) for name, _ in PINNED.findall((ROOT / LOCKS[0]).read_text())}
    assert declared() <= pinned


def test_the_dev_lock_agrees_with_the_run_lock():
    run, dev = (dict(PINNED.findall((ROOT / lock).read_text())) for lock in LOCKS)
    assert {name: version for name, version in run.items() if dev.get(name) != version} == {}


def test_no_database_and_no_state_is_committed(our_files):
    suffixes = {".db", ".sqlite", ".pyc", ".parquet", ".onnx", ".skops", ".pkl"}
    assert [path.name for path in our_files if path.suffix in suffixes] == []
    assert [path.name for path in our_files if path.stat().st_size > 1_000_000] == []


def test_uv_lock_stays_out(our_files):
    assert not any(path.name == "uv.lock" for path in our_files)


def test_the_changelog_has_a_place_for_the_next_line():
    text = (ROOT / "CHANGELOG.md").read_text()
    assert re.search(r"^## \[Unreleased\]$", text, re.MULTILINE)


def test_continuous_integration_runs_the_readmes_test_command():
    readme = (ROOT / "README.md").read_text()
    assert re.search(r"^make test$", readme, re.MULTILINE)
    last = [line for line in (ROOT / ".ci" / "run").read_text().splitlines() if line.strip()][-1]
    assert last.strip() == "make test"


def test_every_target_of_the_makefile_is_described():
    text = (ROOT / "Makefile").read_text()
    targets = re.findall(r"^([a-z]+):.*$", text, re.MULTILINE)
    said = re.findall(r"^([a-z]+):.*## \w", text, re.MULTILINE)
    assert set(targets) - set(said) <= {"clean"} or targets == said
    assert {"demo", "test", "bench", "prove", "docs", "lock", "check"} <= set(said)
