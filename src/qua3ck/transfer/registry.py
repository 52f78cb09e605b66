"""Keeps the model registry in step with the ledger, and sees when it was moved by others.

The ledger decides; the registry is a copy for the field's notebooks. Whatever a crash, an
unreachable server or a lost database left undone is caught up by the next release, promote
or rollback.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from qua3ck.govern.releases import Release, list_releases, model_folder
from qua3ck.kit.errors import Blocked
from qua3ck.kit.findings import Finding
from qua3ck.transfer import copies, history
from qua3ck.transfer import folder as folders

if TYPE_CHECKING:
    from qua3ck.govern import Workspace
    from qua3ck.store.tracking import Tracking


def catch_up(workspace: Workspace, tracking: Tracking) -> None:
    """Register every version and move every alias that the registry does not have.

    A version whose files are not the released ones any more is passed over: neither it nor an
    alias that points to it comes into the registry.

    Raises
    ------
    Qua3ckError
        If the registry is out of reach; the ledger is complete all the same.
    """
    known = _numbers(workspace, tracking)
    for release in list_releases(workspace.ledger):
        if release.version not in known:
            _register(workspace, tracking, release)
    _point(workspace, tracking)


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
        moved; K009 for a version or an alias that the registry does not have; K029, which
        blocks, for a copy whose files are not the registered ones.
    """
    if not list_releases(workspace.ledger):
        return ()
    numbers = _numbers(workspace, tracking)
    return (
        *_missing(workspace, numbers),
        *_differences(workspace, tracking, numbers),
        *_changed(workspace, tracking),
    )


def _numbers(workspace: Workspace, tracking: Tracking) -> dict[int, str]:
    """Return the registry's number of each of our versions that it really has.

    What the ledger says was registered may be lost since, and the number be another's now.
    """
    there = tracking.release_versions(workspace.project, tag="digest")
    return {
        release.version: number
        for release in list_releases(workspace.ledger)
        for number in [release.registered.rpartition("/")[2]]
        if there.get(number) == release.digest
    }


def _register(workspace: Workspace, tracking: Tracking, release: Release) -> None:
    """Register a version once, also if the process ended before the ledger had it."""
    name = workspace.project
    home = workspace.root / release.path
    if found := folders.problems(home, release.digest):
        says = f"version {release.version} is not registered: {'; '.join(found)}"
        workspace.progress("K", says, 1, 2)
        return
    workspace.progress("K", f"registering version {release.version}", 1, 2)
    tags = {"release": str(release.version), "digest": release.digest}
    number = tracking.register(model_folder(workspace.root, release), name, tags=tags)
    body = {"version": release.version, "name": name, "registered": number}
    if place := (tracking.copies(name) or {}).get(number):
        if found := copies.unlike_release(place, home, name):  # registered before, not on record
            raise Blocked(
                f"{name} version {number} of the registry is not a copy of version"
                f" {release.version}: {'; '.join(found)}",
                where=place,
                fix="find out who changed it; then delete that version in MLflow, and type the"
                " same again",
                code="K029",
            )
        body |= {"files": copies.digests(place)}
    again = {"again": True} if release.registered else {}
    workspace.ledger.append("release.registered", f"release {release.version}", {**body, **again})


def _point(workspace: Workspace, tracking: Tracking) -> None:
    """Point each alias of the registry to the version that the ledger says."""
    there = tracking.aliases(workspace.project)
    for alias, number in _wanted(workspace, _numbers(workspace, tracking)).items():
        if there.get(alias) != number:
            tracking.set_alias(workspace.project, number, alias)


def _wanted(workspace: Workspace, numbers: Mapping[int, str]) -> dict[str, str]:
    now = history.aliases_now(workspace.ledger)
    return {alias: numbers[version] for alias, version in now.items() if version in numbers}


def _differences(
    workspace: Workspace, tracking: Tracking, numbers: Mapping[int, str]
) -> Iterator[Finding]:
    there = tracking.aliases(workspace.project)
    ours = {number: version for version, number in numbers.items()}
    wanted = _wanted(workspace, numbers)
    now = history.aliases_now(workspace.ledger)
    for alias, version in now.items():
        if alias not in there:
            says = f"has no alias {alias}; by the ledger it points to version {version}"
            yield _behind(workspace, f"@{alias}", says, {"alias": alias, "ledger": version})
        elif there[alias] != wanted.get(alias):
            yield _moved(workspace, alias, ours.get(there[alias]), there[alias], version)
    for alias in sorted(there.keys() - now.keys()):
        yield _moved(workspace, alias, ours.get(there[alias]), there[alias], None)


def _missing(workspace: Workspace, numbers: Mapping[int, str]) -> Iterator[Finding]:
    """Yield the versions that the registry does not have, or not any more."""
    for release in list_releases(workspace.ledger):
        if release.version not in numbers:
            before = f", which was {release.registered}" if release.registered else ""
            says = f"does not have version {release.version}{before}"
            yield _behind(workspace, "", says, {"version": release.version})


def _changed(workspace: Workspace, tracking: Tracking) -> Iterator[Finding]:
    for copy in copies.compare(workspace, tracking) or ():
        if copy.problems:
            yield Finding(
                code="K029",
                severity="block",
                where=copy.place,
                says=f"What MLflow loads as version {copy.version} is not what was registered:"
                f" {'; '.join(copy.problems)}.",
                evidence={"version": copy.version, "problems": list(copy.problems)},
            )


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


def _behind(workspace: Workspace, which: str, says: str, evidence: Mapping[str, object]) -> Finding:
    return Finding(
        code="K009",
        severity="warn",
        where=f"registry, {workspace.project}{which}",
        says=f"The registry {says}. The next release, promote or rollback catches up.",
        evidence=evidence,
    )
