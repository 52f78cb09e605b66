"""What is asked and what is answered, whatever protocol it came in: rows, outputs, refusals."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

Table = Mapping[str, Sequence[Any]]
_LONG = 400


class Refused(Exception):
    """A request that is not answered: an HTTP status, what is wrong, where, and the cure.

    Never holds a value of the request: it may be personal.
    """

    def __init__(self, status: int, what: str, *, where: str, fix: str) -> None:
        super().__init__(what)
        self.status = status
        self.what = what
        self.where = where
        self.fix = fix
        self.headers: list[tuple[bytes, bytes]] = []

    def body(self, request_id: str) -> dict[str, str]:
        """Return the one shape of every error answer; ``error`` is what protocol v2 reads."""
        what, where, fix = (_cut(part) for part in (self.what, self.where, self.fix))
        end = "" if what.endswith("?") else "."
        return {
            "error": f"{what}{end} Where: {where}. Fix: {fix}.",
            "what": what,
            "where": where,
            "fix": fix,
            "request_id": request_id,
        }

    @classmethod
    def of_sentence(cls, status: int, sentence: str, *, more: int = 0) -> Refused:
        """Return the refusal of a sentence as the prelude writes them."""
        what, _, rest = sentence.rstrip(".").partition(" Where: ")
        where, _, fix = rest.partition(" Fix: ")
        others = f" (and {more} more)" if more else ""
        return cls(status, what.rstrip(".") + others, where=where.rstrip("."), fix=fix)


def _cut(text: str) -> str:
    """Keep a column name of a megabyte out of an answer."""
    return text if len(text) <= _LONG else f"{text[:_LONG]}..."


@dataclass(frozen=True)
class Ask:
    """Rows to predict.

    Attributes
    ----------
    table : mapping
        Column name to its values, all of length ``rows``.
    rows : int
        How many.
    request_id : str
        Under which the answer is logged.
    key : str
        By which somebody stays with the same version; empty where the plan's column says
        it, or nobody is to stay.
    version : int or None
        A version asked for by its number; None for whichever is in use.
    began : float
        ``time.perf_counter()`` when the request was met.
    met : list of (arm, version)
        Who was asked, in the order in which they were: what fails is counted where it failed.
    """

    table: Table
    rows: int
    request_id: str
    key: str = ""
    version: int | None = None
    began: float = 0.0
    met: list[tuple[str, int]] = field(default_factory=list, compare=False)


@dataclass(frozen=True)
class Flag:
    """Something that training never had, in one row (from 1) of a request that was answered."""

    row: int
    column: str
    kind: str
    says: str


@dataclass(frozen=True)
class Answer:
    """What is answered.

    Attributes
    ----------
    outputs : mapping
        ``label`` and ``p_<class>``, or ``value``: each a list of one entry per row.
    version : int
        Which version answered; 0 for the declared fallback.
    arm : str
        Why it did: ``champion``, ``canary``, ``challenger``, or ``fallback``.
    flags : tuple of Flag
        What training never had.
    """

    outputs: Mapping[str, list[Any]]
    version: int
    arm: str
    flags: tuple[Flag, ...] = ()
