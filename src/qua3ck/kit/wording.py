"""What a person typed as a reason, as it may stand in a record that is kept for good."""

from __future__ import annotations


def one_line(text: str) -> str:
    """Return a text as one line without signs that cannot be seen; empty if it was blank.

    A reason is shown in lines of other people's making: one with a line break in it could look
    like two events of the ledger.
    """
    words = "".join(sign if sign.isprintable() else " " for sign in text).split()
    return " ".join(words)
