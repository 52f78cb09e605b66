"""The folder that ships: a model file, its manifest with every hash, the user's functions.

``manifest.json`` names the hash of every other file; the artefact's digest covers the
manifest too and is what the signed ledger holds. Nothing is loaded before both agree.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any, Literal

from qua3ck.kit import hashes
from qua3ck.kit.errors import Qua3ckError

FORMAT = 1
MANIFEST = "manifest.json"
GOLDEN = "golden.json"
CODE = "code"
REFERENCE = "reference/model.skops"


@dataclass(frozen=True)
class Manifest:
    """What an artefact says about itself.

    Attributes
    ----------
    format : int
        Version of this layout.
    kind : {"onnx", "skops"}
        What the model file is.
    why : str
        One sentence: how ONNX was earned, or why not.
    model : str
        The model file's name in the folder.
    algorithm : str
        As named in the project file.
    task : str
        ``binary``, ``multiclass`` or ``regression``.
    classes : tuple of str
        Order of the scores that :class:`Model` returns; empty for regression.
    trained_classes : tuple of str
        Order of the columns that the model file gives.
    positive : str
        The class that the threshold is about; empty unless binary.
    spec : mapping
        The prelude's declaration.
    outputs : tuple of str
        Column names of the one output schema.
    files : mapping
        Relative name to SHA-256 of every other file.
    versions : mapping
        Libraries that the model file was made with and needs.
    parity : mapping
        Rows, labels that differ and largest gap against the trained pipeline.
    """

    format: int
    kind: Literal["onnx", "skops"]
    why: str
    model: str
    algorithm: str
    task: str
    classes: tuple[str, ...]
    trained_classes: tuple[str, ...]
    positive: str
    spec: Mapping[str, Any]
    outputs: tuple[str, ...]
    files: Mapping[str, str]
    versions: Mapping[str, str]
    parity: Mapping[str, Any]


def write_artefact(folder: Path, *, files: Mapping[str, bytes], manifest: Manifest) -> str:
    """Write an artefact whole or not at all and return its digest.

    Parameters
    ----------
    folder : pathlib.Path
        Must not exist, or hold the very same artefact.
    files : mapping
        Relative name to bytes, without the manifest.
    manifest : Manifest
        Its ``files`` are filled in here.

    Raises
    ------
    Qua3ckError
        If another artefact is there already, or the disk refuses.
    """
    beside = folder.with_name(f".{folder.name}.{os.getpid()}.part")
    listed = {**asdict(manifest), "files": _hash_all(files)}
    text = json.dumps(listed, indent=1, sort_keys=True, ensure_ascii=False)
    everything = {**files, MANIFEST: text.encode()}
    try:
        for name, data in everything.items():
            path = beside / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)
        digest = artefact_digest(beside)
        if folder.exists():
            _refuse_other(folder, digest)
        else:
            beside.rename(folder)
    except OSError as problem:
        raise Qua3ckError(
            f"The artefact could not be written: {problem.strerror}",
            where=str(folder),
            fix="free some space or allow writing there, then run the same command again",
        ) from problem
    finally:
        shutil.rmtree(beside, ignore_errors=True)
    return digest


def read_manifest(folder: Path) -> Manifest:
    """Return an artefact's manifest; what it says is only proven by :func:`verify`.

    Raises
    ------
    Qua3ckError
        If there is none, it cannot be read, or a newer version wrote it.
    """
    path = folder / MANIFEST
    try:
        data = json.loads(path.read_bytes())
        if isinstance(data, dict) and data.get("format", FORMAT) > FORMAT:
            raise Qua3ckError(
                f"The artefact has layout {data['format']}; this version reads up to {FORMAT}",
                where=str(path),
                fix="upgrade qua3ck",
            )
        return _manifest_of(data)
    except FileNotFoundError as problem:
        raise Qua3ckError(
            "There is no artefact: manifest.json is missing",
            where=str(folder),
            fix="give the folder of a candidate or a release",
        ) from problem
    except ValueError as problem:
        raise Qua3ckError(
            "manifest.json cannot be read: it is damaged or was edited",
            where=str(path),
            fix="restore the folder from a backup, or make the release again",
        ) from problem


def _manifest_of(data: Any) -> Manifest:
    """Return a manifest from its JSON; by hand, so that a serving process spares pydantic.

    Raises
    ------
    ValueError
        If a part is missing or of another type.
    """
    kinds = {"format": int, "spec": dict, "files": dict, "versions": dict, "parity": dict}
    lists = ("classes", "trained_classes", "outputs")
    said: dict[str, Any] = {}
    for part in fields(Manifest):
        value: Any = data.get(part.name) if isinstance(data, dict) else None
        wanted: type = list if part.name in lists else kinds.get(part.name, str)
        found = type(value)
        if found is not wanted:
            message = f"{part.name} is no {wanted.__name__}"
            raise ValueError(message)
        if wanted is list and not all(type(item) is str for item in value):
            message = f"{part.name} holds more than texts"
            raise ValueError(message)
        said[part.name] = tuple(value) if wanted is list else value
    if said["kind"] not in ("onnx", "skops"):
        message = "kind is neither onnx nor skops"
        raise ValueError(message)
    return Manifest(**said)


def artefact_digest(folder: Path) -> str:
    """Return one SHA-256 over the names and bytes of every file in the folder."""
    return hashes.tree_digest(_files(folder), root=folder)


def verify(folder: Path, *, digest: str) -> Manifest:
    """Return the manifest of an artefact after proving every byte of it.

    Parameters
    ----------
    folder : pathlib.Path
        The artefact.
    digest : str
        What the signed ledger says its digest is.

    Raises
    ------
    Qua3ckError
        If a file was changed, added or removed; which one is named where that can be known.
    """
    manifest = read_manifest(folder)
    found = {p.relative_to(folder).as_posix(): hashes.file_digest(p) for p in _files(folder)}
    found.pop(MANIFEST, None)
    for name in sorted({*found, *manifest.files}):
        if found.get(name) != manifest.files.get(name):
            state = "is missing" if name not in found else "was changed"
            _refuse(folder, f"{name} {state if name in manifest.files else 'was added'}")
    if artefact_digest(folder) != digest:
        _refuse(folder, "the manifest is not the one in the ledger")
    return manifest


def _refuse(folder: Path, what: str) -> None:
    raise Qua3ckError(
        f"The artefact is not the one that was recorded: {what}",
        where=str(folder),
        fix="restore the folder from a backup; nothing of it was loaded",
    )


def _refuse_other(folder: Path, digest: str) -> None:
    if artefact_digest(folder) != digest:
        raise Qua3ckError(
            "Another artefact is there already",
            where=str(folder),
            fix="choose a new folder; an artefact is never changed",
        )


def _files(folder: Path) -> list[Path]:
    listed = (path for path in folder.rglob("*") if path.is_file())
    return sorted(p for p in listed if "__pycache__" not in p.relative_to(folder).parts)


def _hash_all(files: Mapping[str, bytes]) -> dict[str, str]:
    import hashlib

    return {name: hashlib.sha256(data).hexdigest() for name, data in sorted(files.items())}
