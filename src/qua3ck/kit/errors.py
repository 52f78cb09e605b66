"""The one exception tree: what happened, where as the user wrote it, what to do."""

from __future__ import annotations

import difflib
from collections.abc import Iterable


class Qua3ckError(Exception):
    """A problem the user can fix; shown as three lines and never as a traceback.

    Parameters
    ----------
    what : str
        What happened: the value found and the values possible.
    where : str
        The place as the user wrote it: file, line, column, or the command.
    fix : str
        Something to type or to change.
    code : str, optional
        A code that ``qua3ck explain CODE`` has a page for.
    """

    exit_code = 2

    def __init__(self, what: str, *, where: str, fix: str, code: str | None = None) -> None:
        super().__init__(what)
        self.what = what
        self.where = where
        self.fix = fix
        self.code = code

    def __str__(self) -> str:
        """Return the three lines a user reads."""
        code = f" ({self.code})" if self.code else ""
        what, where, fix = (" ".join(part.split()) for part in (self.what, self.where, self.fix))
        return f"error: {what}{code}\n  where: {where}\n  fix:   {fix}"


class Blocked(Qua3ckError):
    """A gate says no: nothing is wrong with the input, the evidence does not suffice."""

    exit_code = 1


class NotEnoughEvidence(Qua3ckError):
    """A figure was asked of too little data to have one."""


def did_you_mean(word: str, options: Iterable[str]) -> str:
    """Return ``'; did you mean "x"?'`` for the nearest option, else an empty string."""
    near = difflib.get_close_matches(word, list(options), n=1, cutoff=0.6)
    return f'; did you mean "{near[0]}"?' if near else ""
