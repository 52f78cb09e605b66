"""Which Python and which packages a version was made with, written so that pip can rebuild it.

Only what qua3ck depends on is locked, not everything that happens to be installed: a
notebook server beside it has no part in the model.
"""

from __future__ import annotations

import json
import platform
import re
import shutil
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlparse

from qua3ck.kit.errors import Qua3ckError

_OURSELVES = "qua3ck"
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
_PIN = re.compile(r"^(?P<name>[A-Za-z0-9._-]+)==(?P<version>[^\s;\\]+)")
_HASH = re.compile(r"--hash=(sha256:[0-9a-f]{64})")
_LOCK = "requirements/run.txt"


@dataclass(frozen=True)
class Environment:
    """What runs now: Python, platform, and the exact version of every package needed."""

    python: str
    implementation: str
    system: str
    machine: str
    qua3ck: str
    packages: Mapping[str, str]

    def facts(self) -> dict[str, Any]:
        """Return the same as a JSON-able mapping."""
        return {
            "python": self.python,
            "implementation": self.implementation,
            "system": self.system,
            "machine": self.machine,
            "qua3ck": self.qua3ck,
            "packages": dict(self.packages),
        }


def running_environment(root: str = _OURSELVES) -> Environment:
    """Return the running Python with every package that ``root`` needs, directly or not.

    Parameters
    ----------
    root : str, default "qua3ck"
        Name of an installed distribution.

    Returns
    -------
    Environment
        ``packages`` maps the normalised name (PEP 503) to the installed version, sorted,
        without ``root`` itself.

    Raises
    ------
    importlib.metadata.PackageNotFoundError
        If ``root`` is not installed.
    """
    versions: dict[str, str] = {}
    waiting = [(root, frozenset[str]())]
    seen: set[tuple[str, frozenset[str]]] = set()
    while waiting:
        name, extras = waiting.pop()
        if (name, extras) in seen:
            continue
        seen.add((name, extras))
        try:
            found = metadata.distribution(name)
        except metadata.PackageNotFoundError:
            if name == root:
                raise
            continue  # needed on another platform or Python only
        versions[_normal(name)] = found.version
        waiting += _needs(found, extras)
    own = versions.pop(_normal(root))
    return Environment(
        python=platform.python_version(),
        implementation=platform.python_implementation(),
        system=platform.system(),
        machine=platform.machine(),
        qua3ck=own,
        packages=dict(sorted(versions.items())),
    )


def lock_lines(environment: Environment, *, locks: Sequence[Path] | None = None) -> list[str]:
    """Return a ``requirements.txt`` that pins the environment, hashed where that is possible.

    Parameters
    ----------
    environment : Environment
        What runs now.
    locks : sequence of Path, optional
        Hashed requirements files to take the hashes from; default: the one that came with
        qua3ck. A missing file is passed over.

    Returns
    -------
    list of str
        One pin per line. pip wants hashes for all or for none, so a single package that
        the lock has in another version leaves all of them out, and a comment says so.
    """
    hashes: dict[tuple[str, str], list[str]] = {}
    for lock in locks if locks is not None else own_locks():
        hashes |= _read_hashes(lock) if lock.is_file() else {}
    pins = list(environment.packages.items())
    bare = [name for name, version in pins if (name, version) not in hashes]
    head = [
        f"# Python {environment.python} ({environment.implementation}), "
        f"{environment.system} {environment.machine}",
        f"# {_OURSELVES}=={environment.qua3ck} is installed beside these, without its dependencies",
    ]
    if bare:
        why = f"{len(bare)} of {len(pins)} versions are not in a hashed lock"
        return [*head, f"# without hashes: {why}", *(f"{n}=={v}" for n, v in pins)]
    return [*head, *(_hashed_pin(n, v, hashes[n, v]) for n, v in pins)]


def all_hashed(lock: str) -> bool:
    """Return whether every pin of a ``requirements.txt`` has at least one hash."""
    pins = [part for part in re.split(r"\n(?!\s)", lock) if _PIN.match(part)]
    return bool(pins) and all(_HASH.search(pin) for pin in pins)


def own_locks() -> tuple[Path, ...]:
    """Return where the hashed lock that came with qua3ck may lie: in it, or beside its sources."""
    source = own_source()
    inside = Path(__file__).parents[1] / "requirements.txt"
    return (inside, source / _LOCK) if source is not None else (inside,)


def differences(then: Mapping[str, Any], now: Mapping[str, Any]) -> tuple[str, ...]:
    """Return what differs between two environments, one short phrase each."""
    says = [
        f"{key} {then.get(key)} -> {now.get(key)}"
        for key in ("python", "implementation", "system", "machine", "qua3ck")
        if then.get(key) != now.get(key)
    ]
    before, after = dict(then.get("packages", {})), dict(now.get("packages", {}))
    says += [
        f"{name} {before.get(name, '(none)')} -> {after.get(name, '(none)')}"
        for name in sorted(before.keys() | after.keys())
        if before.get(name) != after.get(name)
    ]
    return tuple(says)


def copy_ourselves(python: Path) -> None:
    """Copy the running qua3ck, without what it needs, to where another interpreter finds it.

    Raises
    ------
    Qua3ckError
        If that interpreter does not start.
    """
    asked = "import sysconfig; print(sysconfig.get_path('purelib'))"
    done = subprocess.run(  # noqa: S603 - the interpreter of an environment we made
        [str(python), "-c", asked], capture_output=True, text=True, check=False
    )
    if done.returncode != 0:
        raise Qua3ckError(
            "The new environment's Python does not start",
            where=str(python),
            fix="see that python -m venv works on this machine",
            code="K011",
        )
    place = Path(done.stdout.strip())
    package = Path(__file__).parents[1]
    leave = shutil.ignore_patterns("__pycache__")
    shutil.copytree(package, place / package.name, ignore=leave)
    facts = metadata.distribution(_OURSELVES)
    about = place / f"{_OURSELVES}-{facts.version}.dist-info"
    about.mkdir()
    for name in ("METADATA", "WHEEL", "entry_points.txt"):
        text = facts.read_text(name)
        if text is not None:
            (about / name).write_text(text, encoding="utf-8")


def own_source() -> Path | None:
    """Return the folder qua3ck was installed from, if pip still knows one."""
    text = metadata.distribution(_OURSELVES).read_text("direct_url.json")
    url = json.loads(text).get("url", "") if text else ""
    if not url.startswith("file:"):
        return None
    folder = Path(unquote(urlparse(url).path))
    return folder if folder.exists() else None


def _needs(
    found: metadata.Distribution, extras: frozenset[str]
) -> Iterator[tuple[str, frozenset[str]]]:
    from packaging.requirements import Requirement

    for line in found.requires or ():
        requirement = Requirement(line)
        marker = requirement.marker
        if marker is None or any(marker.evaluate({"extra": e}) for e in (extras or {""})):
            yield _normal(requirement.name), frozenset(requirement.extras)


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def _read_hashes(lock: Path) -> dict[tuple[str, str], list[str]]:
    hashes: dict[tuple[str, str], list[str]] = {}
    at: tuple[str, str] | None = None
    for line in lock.read_text(encoding="utf-8").splitlines():
        pin = _PIN.match(line)
        if pin:
            at = (_normal(pin["name"]), pin["version"])
        if at is not None:
            hashes.setdefault(at, []).extend(_HASH.findall(line))
    return {key: found for key, found in hashes.items() if found}


def _hashed_pin(name: str, version: str, hashes: list[str]) -> str:
    return " \\\n    ".join([f"{name}=={version}", *(f"--hash={value}" for value in hashes)])
