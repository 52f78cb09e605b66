"""A throw-away copy of an example with its own key store, and the command line in it."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True)
class Copy:
    """A project's copy; ``type_in`` runs one command line in it."""

    folder: Path
    keys: Path

    @property
    def environment(self) -> dict[str, str]:
        kept = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
        return {**kept, "QUA3CK_KEYS": str(self.keys), "QUA3CK_ACTOR": "ana"}

    def type_in(self, *words: str) -> subprocess.CompletedProcess[str]:
        return self.run(sys.executable, "-m", "qua3ck", *words)

    def run(self, *command: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            command,
            cwd=self.folder,
            env=self.environment,
            capture_output=True,
            text=True,
            check=False,
        )


@pytest.fixture(scope="module")
def copy_of(tmp_path_factory) -> Callable[[str], Copy]:
    def make(name: str) -> Copy:
        base = tmp_path_factory.mktemp(name)
        folder = base / name
        folder.mkdir()
        sources = ROOT / "examples" / name
        for pattern in ("*.py", "*.yaml", "*.ipynb", "gold/*.sql", "contracts/*.yaml"):
            for path in sources.glob(pattern):
                copy = folder / path.relative_to(sources)
                copy.parent.mkdir(exist_ok=True)
                shutil.copy(path, copy)
        return Copy(folder, base / "keys")

    return make
