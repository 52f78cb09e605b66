"""Proposing how sources of delimited text are read: shown with its evidence, then declared."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from qua3ck.kit.errors import Qua3ckError
from qua3ck.understand.loading.sources import known_sources
from qua3ck.understand.section import Source, Understand
from qua3ck.understand.sources.propose import Proposal, propose, write_proposal
from qua3ck.understand.sources.read import find_files, is_local


@dataclass(frozen=True)
class Proposed:
    """What was proposed for one source.

    Attributes
    ----------
    source : str
    proposal : Proposal or None
        None if nothing was, for the reason in ``nothing`` or ``problem``.
    written : bool
        Whether the project file was changed by it.
    nothing : str
        Why nothing is proposed for a source of this kind.
    problem : Qua3ckError or None
        Why nothing could be proposed, or written.
    """

    source: str
    proposal: Proposal | None = None
    written: bool = False
    nothing: str = ""
    problem: Qua3ckError | None = None


Show = Callable[[Proposed], None]


def _unseen(made: Proposed) -> None:
    del made


def propose_each(
    section: Understand,
    names: Sequence[str],
    *,
    root: Path,
    project: Path,
    show: Show = _unseen,
) -> tuple[Proposed, ...]:
    """Propose how each source is read, and write that into the project file.

    A source about which nothing can be proposed does not stop the others.

    Parameters
    ----------
    names : sequence of str
        Sources; with none named, all.
    root, project : Path
        The project's folder and its file.
    show : callable
        Told of each proposal before it is written.

    Raises
    ------
    Qua3ckError
        If there is no source of a name.
    """
    made = []
    for name in known_sources(names, section):
        one = _proposed(name, section.sources[name], root)
        show(one)
        if one.proposal is not None:
            one = _written(one, one.proposal, project)
        made.append(one)
    return tuple(made)


def _proposed(name: str, source: Source, root: Path) -> Proposed:
    if source.kind != "csv":
        return Proposed(name, nothing=f"sources of kind {source.kind} are read as declared")
    if not is_local(source):
        return Proposed(name, nothing="its files are not on this machine")
    place = f"understand.sources.{name}"
    try:
        return Proposed(name, propose(find_files(source, root, place=place), place=place))
    except Qua3ckError as problem:
        return Proposed(name, problem=problem)


def _written(one: Proposed, proposal: Proposal, project: Path) -> Proposed:
    try:
        return replace(one, written=write_proposal(project, one.source, proposal.declared))
    except Qua3ckError as problem:
        return replace(one, problem=problem)
