"""The sources of a project, brought up to date one after the other; in the child process.

The parent receives facts alone, never a row, and a function of the project is never called in
it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from qua3ck.kit.errors import Qua3ckError, did_you_mean
from qua3ck.kit.records import as_json, from_json
from qua3ck.understand.loading.held import COLUMNS, NEVER_ACCEPTED, SHRUNK
from qua3ck.understand.loading.load import load_source
from qua3ck.understand.loading.past import silver
from qua3ck.understand.loading.recording import record_loads, recorded_loads
from qua3ck.understand.loading.task import Load, Tell, refused, silent
from qua3ck.understand.section import Source, Understand
from qua3ck.understand.sending import sent
from qua3ck.understand.sources.read import is_local

if TYPE_CHECKING:
    from qua3ck.govern import Workspace


def load_sources(
    section: Understand,
    workspace: Workspace,
    *,
    names: Sequence[str] = (),
    accept: Mapping[str, str] | None = None,
    tell: Callable[[str, float | None], None] | None = None,
) -> tuple[Load, ...]:
    """Bring sources up to date in a child process, and record what was loaded.

    Parameters
    ----------
    names : sequence of str
        Default: all, in the order of the project file.
    accept : mapping, optional
        Finding code to the reason why it is accepted.

    Raises
    ------
    Qua3ckError
        If a name or a code is unknown. What a single source cannot do stands in its load.
    """
    from qua3ck.understand.child import run_child

    wanted = known_sources(names, section)
    _acceptable(accept or {})
    job = {
        "root": str(workspace.root),
        "project": workspace.project,
        "actor": workspace.actor,
        "section": sent(section),
    }
    told = {"names": list(wanted), "accept": dict(accept or {})}
    answer = run_child("load", job, workspace, further=told, tell=tell)
    loads = tuple(from_json(Load, one) for one in answer["loads"])
    record_loads(loads, workspace.ledger, reasons=accept)
    return loads


def load_each(
    section: Understand,
    workspace: Workspace,
    *,
    names: Iterable[str],
    accept: Mapping[str, str],
    tell: Tell,
) -> list[Load]:
    """Load sources in this process; one that fails does not stop the others."""
    done = []
    for name in in_order(names, section, Path(workspace.root)):
        try:
            done.append(load_one(name, section, workspace, accept=accept, tell=tell))
        except Qua3ckError as problem:
            done.append(Load(name, failed=refused("", problem)))
    return done


def load_one(
    name: str,
    section: Understand,
    workspace: Workspace,
    *,
    accept: Mapping[str, str] | None = None,
    tell: Tell = silent,
) -> Load:
    """Load one source in this process; nothing is recorded in the ledger.

    Raises
    ------
    Qua3ckError
        As :func:`load_source`.
    """
    from qua3ck.store.raw import RawStore

    return load_source(
        name,
        section.sources[name],
        Path(workspace.root),
        workspace.warehouse,
        raw=RawStore(workspace.root),
        clock=workspace.clock,
        tell=tell,
        accepted=accept,
        actor=workspace.actor,
        recorded=recorded_loads(workspace.ledger, name),
        ignored={column for column, kind in section.columns.items() if kind == "ignore"},
        others=section.sources,
    )


def in_order(names: Iterable[str], section: Understand, root: Path) -> tuple[str, ...]:
    """Return sources so that one comes after those that its contract refers to."""
    wanted, done = list(names), dict[str, None]()

    def visit(name: str, above: tuple[str, ...]) -> None:
        for other in _refers_to(section.sources[name], root, name):
            if other in wanted and other not in above:
                visit(other, (*above, other))
        done.setdefault(name)

    for name in wanted:
        visit(name, (name,))
    return tuple(done)


def _refers_to(source: Source, root: Path, name: str) -> list[str]:
    if source.contract is None:
        return []
    from qua3ck.understand.contract import read_contract
    from qua3ck.understand.contract.rules import rules_of

    try:
        rules = rules_of(read_contract(root / source.contract).table(name))
    except Qua3ckError:
        return []  # its own load says what is wrong with it
    return [str(rule.given["table"]) for rule in rules if "table" in rule.given]


def up_to_date(name: str, section: Understand, workspace: Workspace) -> bool:
    """Return whether a run leaves a source alone: remote ones are asked by ``load`` only."""
    source = section.sources[name]
    here = source.kind == "function" or is_local(source)
    return not here and workspace.warehouse.version(silver(name)) is not None


def known_sources(names: Sequence[str], section: Understand) -> tuple[str, ...]:
    """Return the sources named, or all.

    Raises
    ------
    Qua3ckError
        If there is none of that name.
    """
    for name in names:
        if name not in section.sources:
            raise Qua3ckError(
                f'There is no source "{name}"{did_you_mean(name, section.sources)}',
                where="understand.sources",
                fix=f"name any of: {', '.join(section.sources)}",
                code="U104",
            )
    return tuple(names) or tuple(section.sources)


def as_facts(loads: Iterable[Load]) -> list[dict[str, object]]:
    """Return loads as JSON-able facts."""
    return [as_json(load) for load in loads]


def _acceptable(accept: Mapping[str, str]) -> None:
    from qua3ck.understand.codes import PAGES

    known = {page.code for page in PAGES} - NEVER_ACCEPTED
    for code in accept:
        if code in NEVER_ACCEPTED:
            raise Qua3ckError(
                f'"{code}" cannot be accepted: nothing could be loaded by that',
                where="the command line: --accept",
                fix="correct the piece, or have it sent again; then type: qua3ck load",
                code="U105",
            )
        if code not in known:
            raise Qua3ckError(
                f'"{code}" is no finding that holds a load{did_you_mean(code, known)}',
                where="the command line: --accept",
                fix=f"name the code that a load was held with, such as {COLUMNS} or {SHRUNK}",
                code="U105",
            )
