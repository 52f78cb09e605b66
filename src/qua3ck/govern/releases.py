"""What the ledger knows of versions: which were made, and of what.

The ledger is the authority; folders and the registry are held against it. Here and not in
the room that makes versions, so that a process that only serves them can ask.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from qua3ck.kit.errors import Qua3ckError, did_you_mean
from qua3ck.ledger import Entry

_MODEL = "model"


class Recorded(Protocol):
    """A ledger, or whatever follows one: it gives the events so far, oldest first."""

    def entries(self, event: str | None = None) -> Sequence[Entry]:
        """Return the events, only those of one name if given."""


@dataclass(frozen=True, repr=False)
class Release:
    """One version under ``releases/<version>/``; ``digest`` covers every file in it."""

    version: int
    path: str
    digest: str
    candidate: str
    snapshot: str
    question: str
    opening: int
    model_format: str
    registered: str
    at: str

    def __repr__(self) -> str:
        """Return version and place, then what it is made of."""
        return (
            f"version {self.version} ({self.at[:19]}Z) in {self.path}\n"
            f"  {self.model_format}, digest {self.digest[:12]}, candidate {self.candidate[:12]}, "
            f"opening {self.opening}, registered {self.registered or 'nowhere'}"
        )


def list_releases(ledger: Recorded) -> tuple[Release, ...]:
    """Return every version that was ever made, oldest first, from the ledger alone."""
    registered = {
        entry.body["version"]: f"{entry.body['name']}/{entry.body['registered']}"
        for entry in ledger.entries("release.registered")
    }
    return tuple(
        Release(
            version=entry.body["version"],
            path=entry.body["path"],
            digest=entry.body["digest"],
            candidate=entry.body["candidate"],
            snapshot=entry.body["snapshot"],
            question=entry.body["question"],
            opening=entry.body["opening"],
            model_format=entry.body["model_format"],
            registered=registered.get(entry.body["version"], ""),
            at=entry.at,
        )
        for entry in ledger.entries("release.made")
    )


def find_release(ledger: Recorded, version: int) -> Release:
    """Return a version as the ledger has it.

    Raises
    ------
    Qua3ckError
        If there is no such version (K005); says which there are.
    """
    made = {release.version: release for release in list_releases(ledger)}
    if version in made:
        return made[version]
    known = ", ".join(str(number) for number in made) or "none yet"
    near = did_you_mean(str(version), map(str, made))
    raise Qua3ckError(
        f"Version {version} does not exist{near}",
        where=f"the ledger; versions: {known}",
        fix="name one of them, or make one with: qua3ck release"
        if made
        else "make one with: qua3ck release",
        code="K005",
    )


def model_folder(root: Path, release: Release) -> Path:
    """Return the folder of a version's artefact; its digest is ``release.candidate``."""
    return root / release.path / _MODEL
