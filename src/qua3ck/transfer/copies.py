"""What MLflow's clients load, held against what was registered: the copies in a local registry.

A registered version is a second copy of the model, with code in it that a client runs. The
hashes of its files are in the signed ledger since the event ``release.registered`` has
``files``; an older one is held against the version's folder and what would be registered now.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from qua3ck.govern.releases import list_releases
from qua3ck.kit.child import answer_of
from qua3ck.kit.hashes import file_digest
from qua3ck.transfer import folder as folders

if TYPE_CHECKING:
    from qua3ck.govern import Workspace
    from qua3ck.store.tracking import Tracking

_CODE = "model.py"
_DESCRIPTION = "MLmodel"
_NOTED_BY_LOADING = "registered_model_meta"  # MLflow writes name and number there
_COMPARED = ("flavors", "metadata", "signature")  # the others are of one copy or of one MLflow
_VERSIONS = frozenset({"cloudpickle_version", "python_version"})
_OF_THE_ENVIRONMENT = frozenset({"conda.yaml", "python_env.yaml", "requirements.txt"})
_HEADER = 16


@dataclass(frozen=True)
class Copy:
    """Where MLflow loads a version from, and how that differs from what was registered."""

    version: int
    place: str
    problems: tuple[str, ...]


def compare(workspace: Workspace, tracking: Tracking) -> tuple[Copy, ...] | None:
    """Compare the copy of every version that the registry has; None if a server keeps them.

    Parameters
    ----------
    workspace : Workspace
        May be open for reading only.
    tracking : Tracking
        The registry that the project file names.
    """
    there = tracking.copies(workspace.project)
    return None if there is None else tuple(_compared(workspace, there))


def _compared(workspace: Workspace, there: Mapping[str, str]) -> Iterator[Copy]:
    on_record = {
        entry.body["version"]: entry.body
        for entry in workspace.ledger.entries("release.registered")
    }
    for release in list_releases(workspace.ledger):
        body = on_record.get(release.version, {})
        place = there.get(body.get("registered", ""))
        if place is None:
            continue  # that the registry lost it is told by K009
        if "files" in body:
            found = _unlike(place, body["files"])
        elif folders.problems(workspace.root / release.path, release.digest):
            found = (f"cannot be compared: {release.path} is not as it was released",)
        else:
            found = unlike_release(place, workspace.root / release.path, workspace.project)
        yield Copy(release.version, _shown(place, workspace.root), found)


def _shown(place: str, root: Path) -> str:
    """Return a place as the user sees it: from the project folder on, if it lies there."""
    folder = Path(place)
    return folder.relative_to(root).as_posix() if folder.is_relative_to(root) else place


def digests(place: str) -> dict[str, str]:
    """Return the SHA-256 of every file of a copy that was just registered, by name."""
    folder = Path(place)
    return {name: file_digest(folder / name) for name in folders.files_in(folder)}


def unlike_release(place: str, home: Path, name: str) -> tuple[str, ...]:
    """Return how a copy differs from what would be registered of a version's folder now.

    Parameters
    ----------
    place : str
        Where MLflow loads the copy from.
    home : Path
        ``releases/<version>/``, checked before.
    name : str
        The registered model.

    Notes
    -----
    ``model.py`` may also be the one in the version's folder: an older version of this package
    wrote another than this one does. What names the environment depends on what is installed
    and is not compared; MLflow runs nothing of it when it loads.
    """
    from qua3ck.store.tracking import write_copy

    with tempfile.TemporaryDirectory() as made:
        fresh = write_copy(home / "model", name, into=Path(made))
        wanted = {one: file_digest(fresh / one) for one in folders.files_in(fresh)}
        described = _description(fresh / _DESCRIPTION)
    copy = Path(place)
    for one in (name for name in wanted if (copy / name).is_file()):
        own = _digest(copy / one)
        shipped = one == _CODE and (home / _CODE).is_file() and own == file_digest(home / _CODE)
        same = one == _DESCRIPTION and _description(copy / one) == described
        if shipped or same or one in _OF_THE_ENVIRONMENT:
            wanted[one] = own
    return _unlike(place, wanted)


def _unlike(place: str, wanted: Mapping[str, str]) -> tuple[str, ...]:
    folder = Path(place)
    if not folder.is_dir():
        return ("there is no such folder",)
    found = folders.files_in(folder)
    says = [f"{name} is missing" for name in sorted(wanted.keys() - set(found))]
    says += [
        f"{name} was added"
        for name in found
        if name not in wanted and not _made_by_loading(folder, name)
    ]
    says += [
        f"{name} was changed"
        for name in found
        if name in wanted and _digest(folder / name) != wanted[name]
    ]
    return tuple(says)


def _digest(path: Path) -> str:
    """Return the SHA-256 of a file; empty for a link to nowhere or to a folder."""
    return file_digest(path) if path.is_file() else ""


# Runs nothing of either file; but bytes made to harm can crash whoever reads them as marshal,
# so that is done in a process of its own.
_COMPARE = """
import marshal, sys
compiled, source, header = sys.argv[1:]
with open(compiled, "rb") as handle:
    made = marshal.loads(handle.read()[int(header):])
with open(source, "rb") as handle:
    own = compile(handle.read(), source, "exec", dont_inherit=True)
sys.exit(0 if type(made) is type(own) and made == own else 1)
"""


def _made_by_loading(folder: Path, name: str) -> bool:
    """Whether a file is what a client leaves that loaded the model, and nothing else."""
    path = folder / name
    if name == _NOTED_BY_LOADING:
        return not path.is_symlink()
    return path.parent.name == "__pycache__" and _compiled_from_its_source(path)


def _compiled_from_its_source(path: Path) -> bool:
    """Whether a compiled file is what this Python makes of the source; Python would run it."""
    stem, _, tag = path.stem.partition(".")
    source = path.parent.parent / f"{stem}.py"
    if tag != sys.implementation.cache_tag or not source.is_file():
        return False
    command = [sys.executable, "-I", "-c", _COMPARE, str(path), str(source), str(_HEADER)]
    _, status = answer_of(command, None)
    return status == 0


def _description(path: Path) -> Any:
    """Return what ``MLmodel`` says of the model; None if it cannot be read."""
    from ruamel.yaml import YAML
    from ruamel.yaml.error import YAMLError

    try:
        said = YAML(typ="safe").load(path.read_text(encoding="utf-8"))
    except (YAMLError, UnicodeDecodeError):
        return None
    return _plain({key: said.get(key) for key in _COMPARED}) if isinstance(said, dict) else None


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _plain(one) for key, one in value.items() if key not in _VERSIONS}
    return [_plain(one) for one in value] if isinstance(value, list) else value
