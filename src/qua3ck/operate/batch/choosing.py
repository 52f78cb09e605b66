"""Which version answers: only one that the signed ledger promoted, and only if it is itself.

The champion is the version that a server gives to whoever is in no rollout: while another one
is on its way, or was stopped on it, the alias is ahead. While serving is switched off nothing
answers here either, unless a version is named.

Before a byte of it is loaded, the ledger is verified; then its artefact's hash is held
against the ledger, and its golden rows must come out as they did when it was made.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from qua3ck.kit.errors import Blocked, Qua3ckError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from qua3ck.govern import Release, Workspace
    from qua3ck.kit.findings import Finding
    from qua3ck.ledger import Entry
    from qua3ck.operate.batch.records import Asked
    from qua3ck.operate.records import Routing
    from qua3ck.store.releases.model import Model


@dataclass(frozen=True)
class Chosen:
    """A version as the ledger has it, and what its user should know of it.

    ``alias`` is empty where the version was named. ``while_off`` is the ledger's entry that
    switched serving off, where a version answers all the same; else None.
    """

    release: Release
    alias: str
    notices: tuple[Finding, ...] = ()
    while_off: int | None = None


def choose(asked: Asked, workspace: Workspace) -> Chosen:
    """Return the version that is to answer.

    Raises
    ------
    Blocked
        If the ledger does not verify (O040), the alias points nowhere (O041), the version was
        never promoted (O042), or serving is switched off and no version is named (O057).
    """
    from qua3ck.govern import alias_history, find_release
    from qua3ck.operate.batch.noticing import off_finding

    ledger = workspace.ledger
    checked = ledger.verify()
    if not checked.ok:
        raise Blocked(
            f"The ledger does not verify, so nobody can say which version counts: "
            f"{checked.problems[0]}",
            where=str(ledger.chain),
            fix="qua3ck audit verify",
            code="O040",
        )
    entries = ledger.entries()
    off = _switched_off(entries)
    if asked.version is None:
        version, notices = _by_alias(asked.alias, entries, workspace)
        if off is not None:
            raise _off(off, version)
        return Chosen(find_release(ledger, version), asked.alias, notices)
    release = find_release(ledger, asked.version)
    if all(move.version != asked.version for move in alias_history(ledger)):
        raise Blocked(
            f"Version {asked.version} was never promoted: no gate has seen it",
            where="the ledger",
            fix=f'qua3ck promote {asked.version} --alias shadow --reason "to compare"',
            code="O042",
        )
    if off is None:
        return Chosen(release, "")
    return Chosen(release, "", (off_finding(off, asked.version),), off.seq)


def load(chosen: Chosen, workspace: Workspace) -> Model:
    """Return the version's model, every byte of it proven and its golden rows replayed.

    Raises
    ------
    Qua3ckError
        If a byte differs from what the ledger says, or a golden row comes out otherwise (O043).
    """
    from qua3ck.govern import model_folder
    from qua3ck.store.releases import golden
    from qua3ck.store.releases.model import load_model

    folder = model_folder(workspace.root, chosen.release)
    model = load_model(folder, digest=chosen.release.candidate)
    differ = golden.replay(folder, model=model)
    if differ:
        raise Qua3ckError(
            f"Version {chosen.release.version} answers otherwise here than when it was made: "
            f"{differ[0]}" + (f" (and {len(differ) - 1} more)" if len(differ) > 1 else ""),
            where=str(folder),
            fix="use the packages of its requirements.txt; qua3ck reproduce says what differs",
            code="O043",
        )
    return model


def _by_alias(
    alias: str, entries: Sequence[Entry], workspace: Workspace
) -> tuple[int, tuple[Finding, ...]]:
    """Return the version of an alias, and what the alias itself does not tell."""
    from qua3ck.govern import alias_at
    from qua3ck.operate.batch.noticing import rollout_findings

    points_to = version = alias_at(workspace.ledger, alias)
    if alias == "champion":
        version = _settled(entries)
    if version is None:
        raise Blocked(
            f'No version is "{alias}"',
            where="the ledger",
            fix=f'qua3ck promote --alias {alias} --reason "why"',
            code="O041",
        )
    if points_to in (None, version):
        return version, ()
    return version, rollout_findings(entries, version, int(points_to))


def _settled(entries: Sequence[Entry]) -> int | None:
    from qua3ck.operate.serve.routing import settled

    arm = settled(_serving(entries))
    return None if arm is None else arm.version


def _switched_off(entries: Sequence[Entry]) -> Entry | None:
    """Return the entry that switched serving off; None if it is on."""
    off = _serving(entries).off
    return None if off is None else next(one for one in entries if one.seq == off.since)


def _serving(entries: Sequence[Entry]) -> Routing:
    """Return who answers requests; no plan is needed to know who is settled, or that it is off."""
    from qua3ck.operate.records import ServePlan
    from qua3ck.operate.serve.routing import routing

    return routing(entries, ServePlan(root="", project="", project_id=""))


def _off(off: Entry, version: int) -> Blocked:
    return Blocked(
        f"Serving is switched off since {off.at[:16].replace('T', ' ')} UTC, by {off.actor}: "
        f"{off.body.get('reason', '')}; so no table is predicted",
        where=f"the ledger, entry {off.seq}",
        fix='once it is mended: qua3ck off --on --reason "why"; to have a version answer all '
        f"the same, which the ledger keeps, add --version {version}",
        code="O057",
    )
