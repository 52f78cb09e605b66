"""What the project file says about the scan, held against what is there before any version is.

Nobody should learn at the last gate that the advisories are missing, or that a reason was
written for a code that does not exist.
"""

from __future__ import annotations

import re
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import replace
from glob import escape
from pathlib import Path
from typing import TYPE_CHECKING

from qua3ck.kit.errors import did_you_mean
from qua3ck.transfer.security.scan import (
    accepted,
    advisories_unreadable,
    in_file,
    names_nothing,
    none_declared,
)

if TYPE_CHECKING:
    from qua3ck.kit.findings import Finding
    from qua3ck.transfer.section import Transfer

_OF_A_FILE = ("K020", "K021", "K022")
_ALONE = ("K023", "K025", "K026", "K027")
_CODES = (*_OF_A_FILE, "K023", "K024", *_ALONE[1:])
_CODE = "code/"
_TO_TYPE = (
    " Before anybody signs: declare transfer: {advisories: PATH} (an export in the form of OSV),"
    " or say why not: transfer: {accept: {K026: why}}."
)


def declared(
    section: Transfer, *, root: Path, risk: str, shipped: Mapping[str, Path]
) -> Iterator[Finding]:
    """Yield what can be said of the section before a version is made.

    Parameters
    ----------
    section : Transfer
        The section ``transfer`` of the project file.
    root : Path
        The project's folder, from which ``advisories`` is meant.
    risk : {"minimal", "limited", "high"}
        K026 is said where the scan is a gate; K027 blocks there, else it is warned of.
    shipped : mapping of str to Path
        The user's own files that a version would hold, by their name in the project.
    """
    gate = risk != "minimal"
    if section.advisories is not None:
        why = _unreadable(root / section.advisories)
        if why:
            found = advisories_unreadable(section.advisories, why)
            yield accepted(found if gate else replace(found, severity="warn"), section.accept)
    elif gate:
        found = accepted(none_declared(), section.accept)
        if not found.accepted:
            undecided = risk == "high"
            stays = " For risk class high the gate then stays undecided." if undecided else ""
            says = f"{found.says}{stays}{_TO_TYPE}"
            found = replace(found, says=says, severity="warn" if undecided else "inform")
        yield found
    for key in section.accept:
        why = _names_nothing(key, section, root, shipped)
        if why:
            yield names_nothing(key, why)


def _unreadable(path: Path) -> str:
    """Return why there is nothing to look up; empty if there is at least one advisory."""
    from qua3ck.transfer.security.advisories import holds_any

    try:
        return "" if holds_any(path) else "there is no advisory in it"
    except (OSError, RuntimeError, NotImplementedError, zipfile.BadZipFile) as problem:
        return getattr(problem, "strerror", None) or type(problem).__name__


def _names_nothing(key: str, section: Transfer, root: Path, shipped: Mapping[str, Path]) -> str:
    """Return why a reason can be for nothing; empty if it may be for something."""
    code, _, rest = key.partition(" ")
    if code == "K024":
        return "a vulnerability is accepted by the name of its advisory, such as GHSA-..."
    if code in _OF_A_FILE:
        return _no_file(code, rest.strip(), root, shipped)
    if code in _ALONE:
        return f"{code} is about no file; write {code} alone" if rest else _moot(code, section)
    if not rest and re.fullmatch(r"[A-Za-z][\w.]*-[\w.:-]+", key):
        return "" if section.advisories else "no advisories are declared, so none is looked up"
    return f'"{code}" is no code of the scan{did_you_mean(code.upper(), _CODES)}'


def _moot(code: str, section: Transfer) -> str:
    if code == "K026" and section.advisories:
        return "advisories are declared"
    if code in {"K025", "K027"} and not section.advisories:
        return "no advisories are declared"
    return ""


def _no_file(code: str, name: str, root: Path, shipped: Mapping[str, Path]) -> str:
    names = [f"{_CODE}{each}" for each in shipped]
    if not name:
        return f"{code} is accepted by file, such as {code} {next(iter(names), 'code/features.py')}"
    path = shipped.get(name.removeprefix(_CODE)) if name.startswith(_CODE) else None
    if path is not None:
        found = {one.code for one in in_file(path, name, [])}
        return "" if code in found else "nothing of the kind is found in that file"
    if not name.startswith(_CODE) and any(root.glob(f"releases/*/{escape(name)}")):
        return ""
    if name.startswith("model/"):
        return ""  # known once the model is packaged; the scan of the version tells
    return f"no version would ship {name}{did_you_mean(name, names)}"
