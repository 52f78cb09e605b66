"""Makes a version again from its pinned snapshot, in a fresh process, and says what differs.

The fresh process reads the data as the snapshot pinned them and runs the functions that were
released, not those in the project now. What it makes is held against the release; each
comparison states its tolerance, and the certificate says plainly whether it is the same.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from qua3ck.govern.releases import Release, find_release
from qua3ck.kit.child import answer_of
from qua3ck.kit.clock import stamp
from qua3ck.kit.errors import Blocked, NotEnoughEvidence, Qua3ckError
from qua3ck.kit.hashes import digest, file_digest
from qua3ck.kit.records import as_json, save
from qua3ck.transfer import environment
from qua3ck.transfer import folder as folders
from qua3ck.transfer.records import Certificate, Remade
from qua3ck.transfer.release import CODE, own_code

if TYPE_CHECKING:
    from qua3ck.govern import Workspace

TOLERANCE = 1e-6
_KINDS = {kind.__name__: kind for kind in (Qua3ckError, Blocked, NotEnoughEvidence)}
_NUMBERS = f"{TOLERANCE:g}, relative above 1; labels equal"


def reproduce(workspace: Workspace, version: int, *, fresh_env: bool = False) -> Certificate:
    """Make a version again and compare.

    Parameters
    ----------
    workspace : Workspace
        With the warehouse that holds the pinned tables.
    version : int
        A version in the ledger.
    fresh_env : bool, default False
        Whether to do it in a new virtual environment built from the version's own lock;
        needs a package index and some minutes.

    Returns
    -------
    Certificate
        Also written to ``evidence/reproduction-<version>.json`` and, with its digest, into
        the ledger. ``same`` is false with the reasons in ``differences`` where something
        needed lies outside its tolerance; that is an answer, not an error.

    Raises
    ------
    Qua3ckError
        If there is no such version (K005), its files were changed (K004), or it cannot be
        made again at all (K011).

    Notes
    -----
    Compared are the content hash of the training rows, the code, the environment, the
    artefact's bytes, the validation metrics, the answers to the golden rows, and, where
    the key of the seal is at hand, answers and metrics on the sealed rows. Reading those
    again is logged (``seal.reread``) and costs no opening. Other bytes of the artefact or
    other packages do not count against a version whose answers are the same.
    """
    release = find_release(workspace.ledger, version)
    folder = workspace.root / release.path
    found = folders.problems(folder, release.digest)
    if found:
        raise Qua3ckError(
            f"Version {version} is not as it was released: {'; '.join(found)}",
            where=str(folder),
            fix="restore the folder from a backup, then reproduce again",
            code="K004",
        )
    with tempfile.TemporaryDirectory(prefix="qua3ck-reproduce-") as scratch:
        python = sys.executable
        if fresh_env:
            workspace.progress("K", "new environment from the lock", 0, 3)
            python = _new_environment(folder, Path(scratch) / "venv")
        workspace.progress("K", "training again", 1, 3)
        remade = _remake(workspace, release, python=python, into=Path(scratch) / "made")
    workspace.progress("K", "comparing", 2, 3)
    certificate = _certificate(workspace, release, remade, fresh_env=fresh_env)
    _keep(workspace, certificate)
    workspace.progress("K", "certified" if certificate.same else "differs", 3, 3)
    return certificate


def _remake(
    workspace: Workspace, release: Release, *, python: str, into: Path
) -> Mapping[str, Any]:
    """Run the fresh process and return what it made; its errors become ours."""
    job = {
        "root": str(workspace.root),
        "project": workspace.project,
        "actor": workspace.actor,
        "release": release.path,
        "candidate": release.candidate,
        "into": str(into),
    }
    said, status = answer_of([python, "-P", "-m", "qua3ck.transfer.remaking"], job)
    try:
        answer = json.loads(said)
    except ValueError:
        answer = {}
    if "remade" in answer:
        made: Mapping[str, Any] = answer["remade"]
        return made
    if "error" in answer:
        told = dict(answer["error"])
        raise _KINDS[told.pop("kind")](told.pop("what"), **told)
    reason = answer.get("crash") or f"it ended with status {status}"
    raise Qua3ckError(
        f"Version {release.version} could not be made again: {reason}",
        where=release.path,
        fix="restore warehouse/ and the packages of the version's lock, or try --fresh-env",
        code="K011",
    )


def _certificate(
    workspace: Workspace, release: Release, remade: Mapping[str, Any], *, fresh_env: bool
) -> Certificate:
    folder = workspace.root / release.path
    compared = (*compare(_then(folder), remade), _code(folder, workspace.root))
    differing = tuple(one.says for one in compared if one.needed and not one.same)
    return Certificate(
        version=release.version,
        release=release.digest,
        same=not differing,
        compared=compared,
        differences=differing,
        environment=remade["environment"],
        fresh_env=fresh_env,
        actor=workspace.actor,
        at=stamp(workspace.clock()),
        path=f"evidence/reproduction-{release.version}.json",
    )


def _keep(workspace: Workspace, certificate: Certificate) -> None:
    save(certificate, workspace.root / certificate.path)
    body = {
        "version": certificate.version,
        "release": certificate.release,
        "same": certificate.same,
        "differences": list(certificate.differences),
        "fresh_env": certificate.fresh_env,
        "path": certificate.path,
        "certificate": digest(as_json(certificate)),
    }
    workspace.ledger.append("reproduction.made", f"release {certificate.version}", body)


@dataclass(frozen=True)
class Then:
    """What a version says it was made from and answers."""

    gold: str
    environment: Mapping[str, Any]
    artefact: str
    validation: Mapping[str, float]
    predictions: str
    metrics: Mapping[str, float]


def _then(folder: Path) -> Then:
    records = folder / "records"
    snapshot = json.loads((records / "snapshot.json").read_bytes())
    candidate = json.loads((records / "candidate.json").read_bytes())
    conclusion = json.loads((records / "conclusion.json").read_bytes())
    return Then(
        gold=snapshot["gold"]["digest"],
        environment=json.loads((folder / "environment.json").read_bytes()),
        artefact=candidate["digest"],
        validation={name: score["value"] for name, score in candidate["scores"].items()},
        predictions=conclusion["predictions_digest"],
        metrics={kpi["id"]: kpi["value"] for kpi in conclusion["kpis"] if kpi["value"] is not None},
    )


def compare(then: Then, remade: Mapping[str, Any]) -> tuple[Remade, ...]:
    """Return every comparison between what was released and what was made again.

    Where the training rows are not the pinned ones nothing was trained, and only the data
    and the environment are compared.
    """
    first = (
        _data(then.gold, remade["gold"]),
        _environment(then.environment, remade["environment"]),
    )
    if "artefact" not in remade:
        return first
    return (
        *first,
        _artefact(then.artefact, remade["artefact"]),
        _metrics("validation", "validation rows", then.validation, remade["validation"]),
        _golden(remade["golden"], int(remade["golden_rows"])),
        *_sealed(then, remade["sealed"]),
    )


def _data(before: str, now: str) -> Remade:
    same = before == now
    says = (
        f"the training rows have the same hash ({before[:12]})"
        if same
        else f"data differ: the training rows had the hash {before[:12]}, now {now[:12]}"
    )
    return Remade("data", same, same, needed=True, tolerance="none", says=says)


def _code(release: Path, root: Path) -> Remade:
    """Compare the released functions, which were run, with those in the project now."""
    now = {name: file_digest(path) for name, path in own_code(root).items()}
    folder = release / CODE
    then = {name: file_digest(folder / name) for name in folders.files_in(folder)}
    changed = sorted(name for name in now.keys() | then.keys() if now.get(name) != then.get(name))
    says = "the project's functions are still the released ones"
    if changed:
        says = (
            f"the released functions were run; changed in the project since: {', '.join(changed)}"
        )
    return Remade(
        "code",
        same=not changed,
        identical=not changed,
        needed=False,
        tolerance="may differ, since the released functions were run",
        says=says,
    )


def _environment(before: Mapping[str, Any], now: Mapping[str, Any]) -> Remade:
    changed = environment.differences(before, now)
    shown = ", ".join(changed[:5]) + (f" and {len(changed) - 5} more" if len(changed) > 5 else "")
    return Remade(
        "environment",
        same=not changed,
        identical=not changed,
        needed=False,
        tolerance="may differ if the answers do not",
        says=f"environment differs: {shown}" if changed else "the same packages and Python",
    )


def _artefact(before: str, now: str) -> Remade:
    same = before == now
    return Remade(
        "artefact",
        same=same,
        identical=same,
        needed=False,
        tolerance="may differ if the answers do not",
        says="the same bytes" if same else f"other bytes: {before[:12]}, now {now[:12]}",
    )


def _golden(differing: list[str], rows: int) -> Remade:
    shown = "; ".join(differing[:3]) + (f" and {len(differing) - 3} more" * (len(differing) > 3))
    return Remade(
        "golden",
        same=not differing,
        identical=not differing,
        needed=True,
        tolerance=_NUMBERS,
        says=f"predictions differ: {shown}"
        if differing
        else f"{rows} golden rows: the same answers",
    )


def _sealed(then: Then, sealed: Mapping[str, Any]) -> Iterator[Remade]:
    """Compare answers and metrics on the sealed rows, where they could be read again."""
    if "unavailable" in sealed:
        says = f"the sealed rows were not read again: {sealed['unavailable']}"
        yield Remade("sealed", False, False, False, "not compared", says, compared=False)
        return
    yield _metrics("metrics", "sealed rows", then.metrics, sealed["metrics"])
    same = then.predictions == sealed["predictions"]
    yield Remade(
        "sealed",
        same=same,
        identical=same,
        needed=True,
        tolerance="labels equal, numbers equal to 9 significant digits",
        says=f"{sealed['rows']} sealed rows: the same answers"
        if same
        else f"predictions on the {sealed['rows']} sealed rows differ",
    )


def _metrics(what: str, rows: str, before: Mapping[str, float], now: Mapping[str, float]) -> Remade:
    """Compare the metrics that both have; latency and size are no answers and are left out."""
    both = [name for name in before if name in now]
    off = [name for name in both if _apart(before[name], now[name])]
    told = ", ".join(f"{name} {before[name]:.9g} -> {now[name]:.9g}" for name in off)
    return Remade(
        what,
        same=not off,
        identical=all(before[name] == now[name] for name in both),
        needed=True,
        tolerance=f"{TOLERANCE:g}, relative above 1",
        says=f"metrics on the {rows} differ: {told}"
        if off
        else f"the same metrics on the {rows} ({', '.join(both) or 'none'})",
    )


def _apart(before: float, now: float) -> bool:
    return not abs(before - now) <= TOLERANCE * max(abs(before), 1.0)


def _new_environment(release: Path, place: Path) -> str:
    """Build a virtual environment from a version's lock; return its interpreter."""
    lock = release / "requirements.txt"
    hashed = environment.all_hashed(lock.read_text(encoding="utf-8"))
    _run_or_say([sys.executable, "-m", "venv", str(place)], "make a virtual environment")
    python = place / ("Scripts/python.exe" if sys.platform == "win32" else "bin/python")
    install = [str(python), "-m", "pip", "install", "--quiet", "--no-input"]
    install += ["--disable-pip-version-check", "--no-deps", "--requirement", str(lock)]
    _run_or_say(install + (["--require-hashes"] if hashed else []), "install the version's lock")
    environment.copy_ourselves(python)
    return str(python)


def _run_or_say(command: list[str], purpose: str) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 - ours
    if done.returncode != 0:
        last = [line for line in done.stderr.splitlines() if line.strip()][-1:]
        raise Qua3ckError(
            f"Could not {purpose}: {last[0].strip() if last else 'no reason was given'}",
            where=" ".join(command[:4]),
            fix="see that python -m venv works and a package index answers, then type it again",
            code="K011",
        )
