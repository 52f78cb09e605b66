"""Writes a hand-over: templates filled with the project's facts, and a README that is honest.

What somebody has changed in an exported folder is never written over.
"""

from __future__ import annotations

import json
import os
import re
import shlex
from collections.abc import Iterator, Mapping
from dataclasses import replace
from importlib import metadata, resources
from pathlib import Path
from typing import TYPE_CHECKING

from qua3ck.kit.errors import Qua3ckError, did_you_mean
from qua3ck.kit.hashes import file_digest
from qua3ck.kit.records import write_atomic
from qua3ck.transfer.export.base import base_image
from qua3ck.transfer.export.kinds import KINDS
from qua3ck.transfer.export.records import Exported, Kind
from qua3ck.transfer.export.serving import declared_serving

if TYPE_CHECKING:
    from qua3ck.govern import Release

LIST = "export.json"
README = "README.md"
PROJECT_FILE = "qua3ck.yaml"
_FACT = re.compile(r"@([A-Z][A-Z0-9_]*)@")
_RUNNABLE = 0o755
_PROMETHEUS = "prometheus/prometheus.yml"
_PIN = re.compile(r"^([A-Za-z0-9._-]+)==(?:.*\\\n)*.*", re.MULTILINE)


def export(
    kind: str,
    *,
    root: Path,
    project: str,
    release: Release | None,
    to: Path,
    base: str = "",
    image: str = "",
) -> Exported:
    """Write a hand-over into a folder.

    Parameters
    ----------
    kind : str
        One of :data:`KINDS`.
    root, project : Path, str
        The project's folder and name.
    release : Release or None
        The version in use, else the newest; None if there is none.
    to : Path
        The folder; what is there and was not changed since the last export is replaced.
    base : str
        An image with its digest to build on, instead of the one known.
    image : str
        What the built image is called; default: the project and its version.

    Raises
    ------
    Qua3ckError
        If there is no such kind (K016), it needs a version and there is none (K019), a file
        was changed by somebody (K017), or the base has no digest (K018).
    """
    found = KINDS.get(kind)
    if found is None:
        raise Qua3ckError(
            f'Nothing can be exported for "{kind}"{did_you_mean(kind, KINDS)}',
            where="the command line: qua3ck export",
            fix=f"use one of: {', '.join(KINDS)}",
            code="K016",
        )
    if found.serves and release is None:
        raise Qua3ckError(
            f"There is no version to serve, so nothing to export for {kind}",
            where="the ledger",
            fix="qua3ck run, then qua3ck release",
            code="K019",
        )
    found = _honest(found, root, release)
    facts = _facts(root, project, release, base, image, found)
    next_ = _filled(found.next, {**facts, "FOLDER": shlex.quote(str(to))})
    files = dict(_files(kind, found, facts, root, release))
    _refuse_changed(to, files)
    for name, data in files.items():
        write_atomic(to / name, data)
        if name.endswith(".sh"):
            os.chmod(to / name, _RUNNABLE)  # noqa: PTH101 - ruff: S103 speaks of Path.chmod
    _forget_gone(to, files)
    listed = {name: file_digest(to / name) for name in sorted(files)}
    write_atomic(to / LIST, json.dumps({"kind": kind, "files": listed}, indent=1).encode())
    return Exported(kind, to, tuple(sorted(files)), found.tested, found.untested, next_)


def _facts(
    root: Path, project: str, release: Release | None, base: str, image: str, kind: Kind
) -> dict[str, str]:
    python = _python(root, release)
    slug = re.sub(r"[^a-z0-9]+", "-", project.lower()).strip("-")
    version = release.version if release is not None else 0
    served = declared_serving(root / PROJECT_FILE)
    scraped = served.compose_facts(root, slug) if _PROMETHEUS in kind.files else {}
    return {
        **served.facts(),
        **scraped,
        "PROJECT": project,
        "SLUG": slug,
        "UNDER": slug.replace("-", "_"),
        "VERSION": str(version),
        "QUA3CK": metadata.version("qua3ck"),
        "PYTHON": python,
        "IMAGE": image or f"{slug}:{version}",
        "BASE": base_image(python, base) if "Dockerfile" in kind.files else "",
        "BASE_TAG": base.partition("@")[0] or f"python:{python}-slim-bookworm",
        "WHEEL": f"qua3ck-{metadata.version('qua3ck')}-py3-none-any.whl",
        "ROOT": shlex.quote(str(root)),
        "HASHES": "--require-hashes " if _all_hashed(root, release) else "",
    }


def _python(root: Path, release: Release | None) -> str:
    """Return major.minor of the Python that a version was made with, else of this one."""
    import platform

    path = root / release.path / "environment.json" if release is not None else root
    text = platform.python_version()
    if path.is_file():
        text = json.loads(path.read_bytes())["python"]
    return ".".join(text.split(".")[:2])


def _all_hashed(root: Path, release: Release | None) -> bool:
    from qua3ck.transfer.environment import all_hashed

    return release is not None and all_hashed(_lock(root, release).decode())


def _files(
    kind: str, found: Kind, facts: Mapping[str, str], root: Path, release: Release | None
) -> Iterator[tuple[str, bytes]]:
    for name in found.files:
        yield name, _filled(_template(kind, name), facts).encode()
    yield README, _filled(_readme(kind, found), facts).encode()
    if found.wheel and found.serves and release is not None:
        lock = _lock(root, release)
        yield "requirements.txt", lock
        yield "requirements-serve.txt", _serve_lock(lock.decode()).encode()
    if kind == "streamlit":
        wheel = f"./wheels/{facts['WHEEL']}\n"
        yield "requirements.txt", (_extra("app") + wheel).encode()
    if found.wheel:
        from qua3ck.transfer.export.wheel import own_wheel

        name, data = own_wheel()
        yield f"wheels/{name}", data
    yield from _carried(found, root)


def _template(kind: str, name: str) -> str:
    folder = resources.files("qua3ck.transfer.export") / "templates" / kind
    parts = name.replace(".github", "dot-github").replace(".streamlit", "dot-streamlit")
    return folder.joinpath(*f"{parts}.txt".split("/")).read_text(encoding="utf-8")


def _filled(text: str, facts: Mapping[str, str]) -> str:
    return _FACT.sub(lambda found: facts[found[1]], text)


def _readme(kind: str, found: Kind) -> str:
    tested = "\n".join(f"- {one}" for one in found.tested)
    untested = "\n".join(f"- {one}" for one in found.untested)
    return (
        f"# @PROJECT@: {found.says}\n\nWritten by `qua3ck export {kind}` (qua3ck @QUA3CK@). Files"
        " that you change are not written over by the next export.\n\n"
        f"{_template(kind, 'README.md').strip()}\n\n## What was tested\n\n{tested}\n\n"
        f"## What was not\n\n{untested}\n"
    )


def _lock(root: Path, release: Release) -> bytes:
    path = root / release.path / "requirements.txt"
    if path.is_file():
        return path.read_bytes()
    from qua3ck.transfer.environment import lock_lines, running_environment

    return ("\n".join(lock_lines(running_environment())) + "\n").encode()


def _honest(found: Kind, root: Path, release: Release | None) -> Kind:
    """Return a kind that also says if the packages of this version have no hashes."""
    if not (found.wheel and found.serves) or _all_hashed(root, release):
        return found
    says = (
        "The packages of requirements.txt are pinned without hashes, as this version was made"
        " (its first lines say why). Put a hashed requirements.txt beside qua3ck.yaml"
        " (uv pip compile --generate-hashes), release again, and export again."
    )
    return replace(found, untested=(*found.untested, says))


def _serve_lock(lock: str) -> str:
    """Return what serving needs beside the packages of a version, each with its hashes."""
    own = resources.files("qua3ck.transfer.export").joinpath("serve-lock.txt")
    there = {found[1] for found in _PIN.finditer(lock)}
    pins = [one for one in _PIN.finditer(own.read_text("utf-8")) if one[1] not in there]
    head = "# What the extra serve of qua3ck needs beside requirements.txt."
    return "\n".join([head, *(one[0] for one in pins)]) + "\n"


def _extra(name: str) -> str:
    """Return what an extra of ours needs, pinned to what is installed here where it is."""
    from packaging.requirements import Requirement

    lines = [f"# What the extra {name} of qua3ck needs beside its own lock; without hashes."]
    for need in map(Requirement, _needs(name)):
        extras = f"[{','.join(sorted(need.extras))}]" if need.extras else ""
        only = f"; {need.marker}" if need.marker else ""
        try:
            lines.append(f"{need.name}{extras}=={metadata.version(need.name)}{only}")
        except metadata.PackageNotFoundError:
            lines.append(f"{need.name}{extras}{need.specifier}{only}")
    return "\n".join(lines) + "\n"


def _needs(extra: str) -> list[str]:
    """Return the requirements of an extra; of sources, what they say now."""
    import tomllib

    from packaging.requirements import Requirement

    from qua3ck.transfer.environment import own_source

    source = own_source()
    declared = source / "pyproject.toml" if source is not None else None
    if declared is not None and declared.is_file():
        said = tomllib.loads(declared.read_text(encoding="utf-8"))["project"]
        return list(said.get("optional-dependencies", {}).get(extra, ()))
    found = []
    for line in metadata.requires("qua3ck") or ():
        need = Requirement(line)
        if need.marker is None or need.marker.evaluate({"extra": ""}):
            continue
        if need.marker.evaluate({"extra": extra}):
            need.marker = None
            found.append(str(need))
    return found


def _carried(found: Kind, root: Path) -> Iterator[tuple[str, bytes]]:
    """Yield the parts of the project that go along; never data, keys or what is sealed."""
    from qua3ck.transfer.release import own_code

    if found.carries:
        for name, path in own_code(root).items():
            yield f"project/{name}", path.read_bytes()
    for folder in found.carries:
        for path in sorted((root / folder).rglob("*")):
            hidden = any(part.startswith(".") for part in path.relative_to(root).parts)
            if path.is_file() and not hidden and "__pycache__" not in path.parts:
                yield f"project/{path.relative_to(root).as_posix()}", path.read_bytes()


def _refuse_changed(to: Path, files: Mapping[str, bytes]) -> None:
    known = _known(to)
    for name, data in files.items():
        path = to / name
        if not path.exists() or path.read_bytes() == data:
            continue
        if known.get(name) != file_digest(path):
            raise Qua3ckError(
                f"{name} is there and was not written by the last export: somebody changed it",
                where=str(to),
                fix="export to another folder with --to and compare, or move that file away",
                code="K017",
            )


def _forget_gone(to: Path, files: Mapping[str, bytes]) -> None:
    """Remove what the last export wrote and this one does not, unless it was changed."""
    for name, digest in _known(to).items():
        path = to / name
        if name not in files and path.is_file() and file_digest(path) == digest:
            path.unlink()


def _known(to: Path) -> dict[str, str]:
    try:
        said: dict[str, str] = json.loads((to / LIST).read_bytes())["files"]
    except (OSError, ValueError, KeyError):
        return {}
    return said
