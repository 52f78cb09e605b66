"""What can be handed over, and what a hand-over came to."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Kind:
    """One place to hand over to.

    Attributes
    ----------
    says : str
        What it is, in a few words.
    files : tuple of str
        Its templates, by the names of the files written.
    tested, untested : tuple of str
        How the files are checked with every change of qua3ck, and what nobody has tried.
    next : str
        The first thing to do with it.
    serves : bool
        Whether it needs what a version was made with, and so a version.
    carries : tuple of str
        What of the project is copied into it, below ``project/``.
    wheel : bool
        Whether the running qua3ck goes along.
    """

    says: str
    files: tuple[str, ...]
    tested: tuple[str, ...]
    untested: tuple[str, ...]
    next: str
    serves: bool = False
    carries: tuple[str, ...] = ()
    wheel: bool = False


@dataclass(frozen=True)
class Exported:
    """What was written; ``files`` are relative to ``folder``."""

    kind: str
    folder: Path
    files: tuple[str, ...]
    tested: tuple[str, ...]
    untested: tuple[str, ...]
    next: str
