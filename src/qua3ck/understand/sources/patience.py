"""How often and how long something that failed in passing is tried again."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

T = TypeVar("T")


class Passing(Exception):
    """A failure that may be gone the next time: a reset, a time-out, an overloaded server.

    Parameters
    ----------
    says : str
        In a few words, without secrets: "status 502", "time-out".
    wait : float or None
        Seconds that the server asks to wait; None if it does not say.
    """

    def __init__(self, says: str, *, wait: float | None = None) -> None:
        super().__init__(says)
        self.says = says
        self.wait = wait


class GivenUp(Exception):
    """All tries failed; ``says`` lists why, ``wait`` is what the server asked to wait."""

    def __init__(self, says: str, *, wait: float | None) -> None:
        super().__init__(says)
        self.says = says
        self.wait = wait


@dataclass(frozen=True)
class Patience:
    """Bounds for trying again; clock and sleep are arguments so that tests need no time.

    Attributes
    ----------
    tries : int
        At most so many attempts at one request.
    seconds : float
        At most so long for one request with all its attempts and waits.
    clock : callable
        Seconds that only go forward.
    sleep : callable
        Waits the seconds given.
    """

    tries: int = 6
    seconds: float = 600.0
    clock: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep

    def last(self, attempt: Callable[[float], T]) -> T:
        """Return what ``attempt`` returns, trying again while it raises :class:`Passing`.

        Parameters
        ----------
        attempt : callable
            Given the seconds left.

        Raises
        ------
        GivenUp
            If the tries or the time are used up, or the server asks to wait longer than that.

        Notes
        -----
        Waits 1, 2, 4 ... 32 s, or as long as the server asks.
        """
        began = self.clock()
        seen: Counter[str] = Counter()
        wait: float | None = None
        for number in range(self.tries):
            try:
                return attempt(self.seconds - (self.clock() - began))
            except Passing as problem:
                seen[problem.says] += 1
                wait = problem.wait
            pause = min(2.0**number, 32.0) if wait is None else wait
            left = self.seconds - (self.clock() - began)
            if number + 1 == self.tries or pause >= left:
                break
            self.sleep(pause)
        raise GivenUp(_listed(seen), wait=wait)


def _listed(seen: Counter[str]) -> str:
    tries = sum(seen.values())
    reasons = ", ".join(f"{says} {count} x" if count > 1 else says for says, count in seen.items())
    return f"{tries} {'try' if tries == 1 else 'tries'}: {reasons}"
