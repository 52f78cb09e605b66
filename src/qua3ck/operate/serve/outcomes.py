"""What came true: labels that are sent back for answers given earlier, by the answers' ids.

Whatever is taken here must fit the table that the log is moved into, and must be something
that the judge of a rollout can hold against the answer: a line that does neither would be
found out only later, by processes that nobody waits for.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec

from qua3ck.kit.errors import Qua3ckError, did_you_mean
from qua3ck.operate.serve.answers import Refused
from qua3ck.operate.serve.protocol.v2 import id_in_log
from qua3ck.store.releases.prelude import as_text

if TYPE_CHECKING:
    from qua3ck.operate.serve.logbook import Logbook
    from qua3ck.store.releases.artefact import Manifest

_MOST = 10_000
_LONGEST = 1000
_NAMED = 20


class Outcome(NamedTuple):
    """What came true for one row of an answer; a class as the release spells it."""

    request_id: str
    row: int
    outcome: str | int | float | bool


@dataclass(frozen=True)
class Expected:
    """What may have come true.

    Attributes
    ----------
    rows : int
        As many rows as one request may have.
    classes : mapping
        Of each class what :func:`spelt` makes of it, and its name in the release; empty where
        no version in use answers with classes.
    numbers : bool
        Whether a version in use answers with numbers.
    """

    rows: int = 1000
    classes: Mapping[str, str] = field(default_factory=dict)
    numbers: bool = False

    @classmethod
    def of(cls, manifests: Iterable[Manifest], *, rows: int) -> Expected:
        """Return what may come true of the answers of some versions."""
        listed = list(manifests)
        classes = {spelt(name) or name: name for one in listed for name in one.classes}
        return cls(rows, classes, any(one.task == "regression" for one in listed))


def spelt(came: Any) -> str | None:
    """Return what came true as classes are spelt: ``true`` for a boolean, ``1`` for 1.0.

    Both a label that was answered and what came true pass through here before they are held
    against each other. None for what is no class.
    """
    return as_text(came) if isinstance(came, str | bool | int | float) else None


def keep(body: bytes, log: Logbook, expected: Expected) -> int:
    """Write the outcomes in a body into the log and return how many they are.

    Raises
    ------
    Refused
        As :func:`read` does; or if the log cannot be written (503).
    """
    came = read(body, expected)
    lines = [
        log.outcome(request_id=one.request_id, row=one.row, outcome=one.outcome) for one in came
    ]
    try:
        log.write(lines)
    except Qua3ckError as problem:
        raise Refused(503, problem.what, where="the log", fix=problem.fix) from problem
    return len(came)


def read(body: bytes, expected: Expected) -> list[Outcome]:
    """Return the outcomes in a body: one object ``{"id", "row", "outcome"}``, or a list of them.

    Raises
    ------
    Refused
        If it is no JSON, or one of them has no id, no row that a request may have or no
        outcome (400); if there are more than 10,000 (413); if something can not have come
        true, such as a class that no version in use knows (422).
    """
    try:
        said = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise _bad("The body is no JSON", "the body") from None
    listed = said if isinstance(said, list) else [said]
    if len(listed) > _MOST:
        raise Refused(
            413,
            f"{len(listed)} outcomes are sent at once; at most {_MOST} are taken",
            where="the body",
            fix="send them in several requests",
        )
    return [_outcome(one, number, expected) for number, one in enumerate(listed, start=1)]


def _outcome(said: Any, number: int, expected: Expected) -> Outcome:
    where = f"outcome {number}"
    if not isinstance(said, dict):
        raise _bad("An outcome is no object", where)
    match said:
        case {"id": str(ident), "outcome": str() | int() | float() as outcome}:
            pass
        case _:
            what = 'An outcome needs "id" (text) and "outcome" (text, number, true or false)'
            raise _bad(what, where)
    row = said.get("row", 0)
    if type(row) is not int or not 0 <= row < expected.rows:
        what = f'"row" is no row number: counted from 0, a request has at most {expected.rows}'
        raise _bad(what, where)
    if set(said) - {"id", "row", "outcome"}:
        raise _bad('An outcome has other keys than "id", "row" and "outcome"', where)
    if not id_in_log(ident.encode(errors="replace")):
        raise _bad('"id" is none that an answer has', where)
    return Outcome(ident, row, _came(outcome, where, expected))


def _came(outcome: str | float | bool, where: str, expected: Expected) -> str | int | float | bool:
    """Return what came true as the answer would say it; 422 for what no answer could say."""
    if not isinstance(outcome, str) and not _finite(outcome):
        raise _unfit("An outcome is a number that is too large", where, "send a smaller number")
    if isinstance(outcome, str) and len(outcome) > _LONGEST:
        what = f"An outcome has {len(outcome)} characters; at most {_LONGEST} are taken"
        raise _unfit(what, where, "send the class alone")
    word = spelt(outcome)
    if word is not None and word in expected.classes:
        return expected.classes[word]
    if expected.numbers and not isinstance(outcome, str | bool):
        return outcome
    if expected.classes:
        raise _unfit(
            f"No version in use knows that class{did_you_mean(word or '', expected.classes)}",
            where,
            f"send one of: {_some(expected.classes.values())}",
        )
    if expected.numbers:
        raise _unfit("An outcome is no number", where, "send the number that came true")
    return outcome


def _finite(number: float) -> bool:
    try:
        return math.isfinite(number)
    except OverflowError:  # an integer beyond every float
        return False


def _some(names: Iterable[str]) -> str:
    listed = list(names)
    more = len(listed) - _NAMED
    shown = ", ".join(f'"{name}"' for name in listed[:_NAMED])
    return shown + (f" and {more} more" if more > 0 else "")


def _unfit(what: str, where: str, fix: str) -> Refused:
    return Refused(422, what, where=where, fix=fix)


def _bad(what: str, where: str) -> Refused:
    return Refused(
        400,
        what,
        where=where,
        fix='send {"id": "the x-request-id of the answer", "row": 0, "outcome": "good"}',
    )
