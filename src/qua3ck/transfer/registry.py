"""Keeps the model registry in step with the ledger, and sees when it was moved by others.

The ledger decides; the registry is a copy for the field's notebooks. Whatever a crash or
an unreachable server left undone is caught up by the next release, promote or rollback.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from qua3ck.govern.releases import Release, list_releases, model_folder
from qua3ck.kit.findings import Finding
from qua3ck.transfer import history

if TYPE_CHECKING:
    from qua3ck.govern import Workspace
    from qua3ck.store.tracking import Tracking


def catch_up(workspace: Workspace, tracking: Tracking) -> None:
    """Register every version and move every alias that the registry does not have yet.

    Raises
    ------
    Qua3ckError
        If the registry is out of reach; the ledger is complete all the same.
    """
    for release in list_releases(workspace.ledger):
        if not release.registered:
            _register(workspace, tracking, release)
    mirror(workspace, tracking)


def mirror(workspace: Workspace, tracking: Tracking) -> None:
    """Point each alias of the registry to the version that the ledger says."""
    there = tracking.aliases(workspace.project)
    for alias, number in _wanted(workspace).items():
        if there.get(alias) != number:
            tracking.set_alias(workspace.project, number, alias)


def check_registry(workspace: Workspace, tracking: Tracking) -> tuple[Finding, ...]:
    """Return where the registry differs from the ledger; empty if it does not.

    Parameters
    ----------
    workspace : Workspace
        May be open for reading only.
    tracking : Tracking
        The registry that the project file names.

    Returns
    -------
    tuple of Finding
        K008, which blocks, for an alias that points elsewhere or that the ledger never
        moved; K009 for one that the registry does not have yet.
    """
    if not list_releases(workspace.ledger):
        return ()
    return tuple(_differences(workspace, tracking))


def registered_versions(workspace: Workspace) -> dict[int, str]:
    """Return the registry's version number of each of our versions that it has."""
    return {
        release.version: release.registered.rpartition("/")[2]
        for release in list_releases(workspace.ledger)
        if release.registered
    }


def _register(workspace: Workspace, tracking: Tracking, release: Release) -> None:
    """Register a version once, also if the process ended before the ledger had it."""
    name = workspace.project
    workspace.progress("K", f"registering version {release.version}", 1, 2)
    tags = {"release": str(release.version), "digest": release.digest}
    number = tracking.register(model_folder(workspace.root, release), name, tags=tags)
    body = {"version": release.version, "name": name, "registered": number}
    workspace.ledger.append("release.registered", f"release {release.version}", body)


def _wanted(workspace: Workspace) -> dict[str, str]:
    numbers = registered_versions(workspace)
    now = history.aliases_now(workspace.ledger)
    return {alias: numbers[version] for alias, version in now.items() if version in numbers}


def _differences(workspace: Workspace, tracking: Tracking) -> Iterator[Finding]:
    there = tracking.aliases(workspace.project)
    ours = {number: version for version, number in registered_versions(workspace).items()}
    for alias, version in history.aliases_now(workspace.ledger).items():
        wanted = _wanted(workspace).get(alias)
        if alias not in there:
            yield _behind(workspace, alias, version)
        elif there[alias] != wanted:
            yield _moved(workspace, alias, ours.get(there[alias]), there[alias], version)
    for alias in sorted(there.keys() - history.aliases_now(workspace.ledger).keys()):
        yield _moved(workspace, alias, ours.get(there[alias]), there[alias], None)


def _moved(
    workspace: Workspace, alias: str, found: int | None, number: str, wanted: int | None
) -> Finding:
    at = f"version {found}" if found is not None else f"registry version {number}, not ours"
    says = "it points nowhere" if wanted is None else f"version {wanted}"
    return Finding(
        code="K008",
        severity="block",
        where=f"registry, {workspace.project}@{alias}",
        says=f"The alias {alias} points to {at}; by the ledger {says}. Nobody moved it through"
        " the gates.",
        evidence={"alias": alias, "registry": number, "found": found, "ledger": wanted},
    )


def _behind(workspace: Workspace, alias: str, version: int) -> Finding:
    return Finding(
        code="K009",
        severity="warn",
        where=f"registry, {workspace.project}@{alias}",
        says=f"The registry has no alias {alias}; by the ledger it points to version {version}.",
        evidence={"alias": alias, "ledger": version},
    )
