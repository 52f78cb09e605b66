"""An environment of its own for each named peer, made on demand under ``build/peers/``.

Beside our lock neither can be installed: mlserver wants protobuf < 7, BentoML an older
OpenTelemetry. Each gets the same Python and the same scikit-learn, LightGBM, numpy and pandas
as here, so that the same fitted pipeline runs in all of them.
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

HERE = Path(__file__).parents[2] / "build" / "peers"
PEERS = {
    "mlserver": ("mlserver==1.7.1", "mlserver-sklearn==1.7.1"),
    "bentoml": ("bentoml==1.4.40",),
}
SAME = ("scikit-learn", "lightgbm", "numpy", "pandas", "scipy", "joblib")
ALSO = {"mlserver": ("onnxruntime",), "bentoml": ()}
NEEDS = """
import json
from importlib.metadata import requires
print(json.dumps(requires({name!r}) or []))
"""


class NotInstalled(Exception):
    """A peer could not be installed; says why in one sentence."""


def python_of(peer: str, *, install: bool = True) -> Path:
    """Return the Python of a peer's environment.

    Parameters
    ----------
    peer : str
        One of :data:`PEERS`.
    install : bool, default True
        Whether to make the environment if it is not there; takes minutes.

    Raises
    ------
    NotInstalled
        If it is not there and may not or cannot be made.
    """
    place = HERE / peer
    wanted = [*PEERS[peer], *(f"{name}=={version(name)}" for name in (*SAME, *ALSO[peer]))]
    done = place / "installed.json"
    python = place / "bin" / "python"
    if done.is_file() and json.loads(done.read_text()) == wanted:
        return python
    if not install:
        raise NotInstalled(f"{peer} is not installed under build/peers")
    shutil.rmtree(place, ignore_errors=True)
    print(f"installing {' '.join(wanted)} under build/peers/{peer}", file=sys.stderr)
    _run([sys.executable, "-m", "venv", str(place)], peer)
    pip = [str(python), "-m", "pip", "install", "-qq", "--disable-pip-version-check"]
    _run([*pip, "--no-deps", *PEERS[peer]], peer)
    _run([*pip, *wanted[len(PEERS[peer]) :], *_needs(python, peer)], peer)
    done.write_text(json.dumps(wanted))
    return python


def _needs(python: Path, peer: str) -> list[str]:
    """Return what a peer's packages need, each other aside.

    BentoML asks for a bundle of certificates younger than what an index with a delay has; no
    request here leaves the machine, so any will do.
    """
    own = {one.partition("==")[0] for one in PEERS[peer]}
    found = []
    for name in own:
        listed = subprocess.run(
            [python, "-c", NEEDS.format(name=name)], capture_output=True, text=True, check=True
        )
        found += [one for one in json.loads(listed.stdout) if "extra ==" not in one]
    named = {one: re.split(r"[^\w.-]", one, maxsplit=1)[0].lower() for one in found}
    same = {*own, *SAME}
    return [
        "certifi" if named[one] == "certifi" else one for one in found if named[one] not in same
    ]


def _run(words: list[str], peer: str) -> None:
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    if done.returncode:
        last = (done.stderr.strip() or done.stdout.strip() or "it said nothing").splitlines()[-1]
        raise NotInstalled(f"{peer} could not be installed: {last}")
