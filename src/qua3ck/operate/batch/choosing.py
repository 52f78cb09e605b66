"""Which version answers: only one that the signed ledger promoted, and only if it is itself.

Before a byte of it is loaded, the ledger is verified; then its artefact's hash is held
against the ledger, and its golden rows must come out as they did when it was made.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from qua3ck.kit.errors import Blocked, Qua3ckError

if TYPE_CHECKING:
    from qua3ck.govern import Release, Workspace
    from qua3ck.operate.batch.records import Asked
    from qua3ck.store.releases.model import Model


@dataclass(frozen=True)
class Chosen:
    """A version as the ledger has it; ``alias`` is empty where the version was named."""

    release: Release
    alias: str


def choose(asked: Asked, workspace: Workspace) -> Chosen:
    """Return the version that is to answer.

    Raises
    ------
    Blocked
        If the ledger does not verify (O040), the alias points nowhere (O041), or the version
        was never promoted (O042).
    """
    from qua3ck.govern import alias_at, alias_history, find_release

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
    if asked.version is None:
        version = alias_at(ledger, asked.alias)
        if version is None:
            raise Blocked(
                f'No version is "{asked.alias}"',
                where="the ledger",
                fix=f'qua3ck promote --alias {asked.alias} --reason "why"',
                code="O041",
            )
        return Chosen(find_release(ledger, version), asked.alias)
    release = find_release(ledger, asked.version)
    if all(move.version != asked.version for move in alias_history(ledger)):
        raise Blocked(
            f"Version {asked.version} was never promoted: no gate has seen it",
            where="the ledger",
            fix=f'qua3ck promote {asked.version} --alias shadow --reason "to compare"',
            code="O042",
        )
    return Chosen(release, "")


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
