"""What is done with an immutable version: it is moved into use, and made again."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from qua3ck.govern.gates import Gate


@dataclass(frozen=True, repr=False)
class Promotion:
    """An alias that was moved: where it points now, where it pointed before, and why.

    ``gates`` are the answers at that moment; empty for a rollback, which needs none
    because the version went through them when it was promoted. ``mirrored`` says whether
    the registry follows; where not, ``note`` says why, and the next promote, rollback or
    release catches up.
    """

    alias: str
    version: int
    before: int | None
    reason: str
    actor: str
    at: str
    gates: tuple[Gate, ...]
    mirrored: bool
    note: str = ""

    def __repr__(self) -> str:
        """Return the move, who made it and why, then each gate, one a line."""
        before = "nowhere" if self.before is None else f"version {self.before}"
        said = [
            f"{self.alias}: {before} -> version {self.version}",
            f"  by {self.actor} at {self.at[:19]}Z: {self.reason}",
            *(f"  {gate.name}: {gate.answer}" for gate in self.gates),
        ]
        if not self.mirrored:
            said.append(f"  the registry does not follow yet: {self.note}")
        return "\n".join(said)


@dataclass(frozen=True)
class Remade:
    """One thing that was made again, held against what the release says.

    ``what``: data, code, environment, artefact, validation, golden, metrics or sealed.
    ``same``: within ``tolerance``. ``identical``: to the last bit. ``needed``: whether the
    certificate depends on it. ``compared`` is false where it could not be held against
    anything; ``says`` then has the reason.
    """

    what: str
    same: bool
    identical: bool
    needed: bool
    tolerance: str
    says: str
    compared: bool = True

    @property
    def answer(self) -> str:
        """The answer in a word or two, for a table."""
        if not self.compared:
            return "not compared"
        if self.same:
            return "identical" if self.identical else "same"
        return "DIFFERS" if self.needed else "other"


@dataclass(frozen=True, repr=False)
class Certificate:
    """Whether a version came out the same when it was made again in a fresh process.

    ``differences`` has one sentence for each needed comparison that failed; ``same`` is
    true exactly if it is empty. ``fresh_env`` says whether the process ran in a new
    virtual environment built from the release's lock.
    """

    version: int
    release: str
    same: bool
    compared: tuple[Remade, ...]
    differences: tuple[str, ...]
    environment: Mapping[str, Any]
    fresh_env: bool
    actor: str
    at: str
    path: str = ""

    def __repr__(self) -> str:
        """Return the answer and each comparison, one a line."""
        said = "came out the same" if self.same else "DIFFERS"
        return "\n".join(
            [f"version {self.version} {said} ({self.at[:19]}Z, {self.actor})", *self.lines()]
        )

    def lines(self) -> list[str]:
        """Return one line for each comparison: answer, what, and what was found."""
        return [f"  {one.answer:<12} {one.what:<11} {one.says}" for one in self.compared]
