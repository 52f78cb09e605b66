"""Proposing how sources of delimited text are read: shown with its evidence, then declared."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from qua3ck.kit.errors import Qua3ckError
from qua3ck.understand.section import Understand
from qua3ck.understand.sources.propose import Proposal, propose, write_proposal
from qua3ck.understand.sources.read import find_files, is_local


def propose_each(
    section: Understand, names: Sequence[str], *, root: Path, project: Path
) -> dict[str, tuple[Proposal, bool]]:
    """Propose how each source is read, and write that into the project file.

    Parameters
    ----------
    names : sequence of str
        Sources of delimited text; with none named, all that there are.
    root, project : Path
        The project's folder and its file.

    Returns
    -------
    dict
        Source to its proposal, and whether the file was changed by it.

    Raises
    ------
    Qua3ckError
        If a source named is no delimited text, or nothing can be proposed.
    """
    text = [name for name, one in section.sources.items() if one.kind == "csv" and is_local(one)]
    for name in names:
        if name not in text:
            raise Qua3ckError(
                f'"{name}" is no source of delimited text on this machine; there is nothing to '
                "infer about it",
                where=f"understand.sources.{name}",
                fix=f"name any of: {', '.join(text)}"
                if text
                else "leave --propose out: qua3ck load",
                code="U124",
            )
    made = {}
    for name in names or text:
        place = f"understand.sources.{name}"
        found = propose(find_files(section.sources[name], root, place=place), place=place)
        made[name] = (found, write_proposal(project, name, found.declared))
    return made
