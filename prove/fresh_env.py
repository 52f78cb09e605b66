"""Make a release, then make it again in a new virtual environment built from its own lock.

Everything goes through the command line in a scratch folder with its own keys: run, release,
``reproduce --fresh-env``. The certificate must say that nothing differs, on the packages that
the lock pins and in an environment that was seen to be built; the ledger must verify. Needs a
package index (or pip's cache) and some minutes; prints its figures as one line of JSON.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

PROJECT = """\
project: flowers
question:
  asks: Which of three species is an iris?
  decides: A field assistant.
  why_now: Before the summer.
  risks: A wrong label.
  stop_if: [rows < 100]
  kpis:
    - {id: accuracy, metric: accuracy, at_least: 0.75}
  risk: {affects: nobody}
understand:
  sources:
    flowers: {kind: function, function: features.flowers}
  target: target
a3:
  candidates: [logistic_regression]
  budget: {trials: 3}
conclude: {test_share: 0.4}
"""
FEATURES = """\
def flowers():
    from sklearn.datasets import load_iris

    return load_iris(as_frame=True).frame
"""
_PIN = re.compile(r"^([A-Za-z0-9._-]+)==([^\s;\\]+)", re.MULTILINE)


def main() -> int:
    """Print one line of JSON; return 1 if the certificate or the ledger says no."""
    asked = argparse.ArgumentParser()
    asked.add_argument("--folder", type=Path, default=None, help="keep everything there")
    given = asked.parse_args()
    with tempfile.TemporaryDirectory() as made:
        place = (given.folder or Path(made)).resolve()
        folder = place / "flowers"
        folder.mkdir(parents=True)
        (folder / "qua3ck.yaml").write_text(PROJECT, encoding="utf-8")
        (folder / "features.py").write_text(FEATURES, encoding="utf-8")
        typed(place, "run")
        typed(place, "release")
        found = reproduced(place)
        verified = json.loads(typed(place, "audit", "verify", "--json"))
    found |= {"ledger_verified": verified["ok"]}
    sys.stdout.write(json.dumps(found) + "\n")
    wanted = ("same", "fresh_env", "packages_as_locked", "built", "ledger_verified")
    return 0 if all(found[key] for key in wanted) else 1


def reproduced(place: Path) -> dict[str, Any]:
    """Reproduce version 1 in a new environment; return what the certificate and the disk say."""
    release = place / "flowers" / "releases" / "1"
    lock = (release / "requirements.txt").read_text(encoding="utf-8")
    pins = {name.lower(): version for name, version in _PIN.findall(lock)}
    began = time.monotonic()
    with subprocess.Popen(
        [sys.executable, "-m", "qua3ck", "reproduce", "1", "--fresh-env", "--json"],
        cwd=place / "flowers",
        env=surroundings(place),
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        seen = installed_meanwhile(process, place / "tmp")
        said = process.stdout.read() if process.stdout else ""
    path = place / "flowers" / "evidence" / "reproduction-1.json"
    if not path.is_file():
        sys.exit(f"no certificate was written (exit {process.returncode}): {said[:2000]}")
    certificate = json.loads(path.read_bytes())
    return {
        "same": certificate["same"] and process.returncode == 0,
        "fresh_env": certificate["fresh_env"],
        "differences": certificate["differences"],
        "compared": {one["what"]: one["same"] for one in certificate["compared"]},
        "packages_as_locked": certificate["environment"]["packages"] == pins,
        "pins": len(pins),
        "hashed": lock.count("--hash=sha256:") >= len(pins),
        "built": seen >= len(pins),
        "seconds": round(time.monotonic() - began),
    }


def installed_meanwhile(process: subprocess.Popen[str], scratch: Path) -> int:
    """Wait for a process; return how many packages were seen in an environment it built."""
    most = 0
    while process.poll() is None:
        pattern = "qua3ck-reproduce-*/venv/**/site-packages/*.dist-info"
        most = max(most, sum(1 for _ in scratch.glob(pattern)))
        time.sleep(0.5)
    return most


def typed(place: Path, *words: str) -> str:
    """Type a command line in the project; end if it does not end with 0."""
    done = subprocess.run(
        [sys.executable, "-m", "qua3ck", *words],
        cwd=place / "flowers",
        env=surroundings(place),
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        sys.exit(
            f"qua3ck {' '.join(words)} ended with {done.returncode}:\n{done.stdout}{done.stderr}"
        )
    return done.stdout


def surroundings(place: Path) -> dict[str, str]:
    """Return the environment of a person who works in this place alone."""
    (place / "tmp").mkdir(exist_ok=True)
    kept = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    own = {"QUA3CK_KEYS": str(place / "keys"), "QUA3CK_ACTOR": "ana", "TMPDIR": str(place / "tmp")}
    return {**kept, **own}


if __name__ == "__main__":
    sys.exit(main())
