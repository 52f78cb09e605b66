"""What the tests of the house share: where it stands, and the files that belong to it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="session")
def root() -> Path:
    return ROOT


@pytest.fixture(scope="session")
def our_files(root: Path) -> tuple[Path, ...]:
    """Every file that is or would be committed."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=root,
        capture_output=True,
        check=False,
    )
    if listed.returncode:
        pytest.skip("not a git checkout: nothing says which files belong to the repository")
    paths = [root / name for name in listed.stdout.decode().split("\0") if name]
    return tuple(path for path in paths if path.is_file())


@pytest.fixture(scope="session")
def qua3ck():
    """Run ``python -m qua3ck WORDS`` in a process of its own."""

    def run(*words: str, cwd: Path = ROOT) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "qua3ck", *words]
        return subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=False)

    return run
