"""Markdown that says what it was given: no markup of a value's own, no line of its own."""

from __future__ import annotations

from collections.abc import Iterable, Sequence


def table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a table; heads as they are, cells made plain."""
    lines = [f"| {' | '.join(heads)} |", f"|{'---|' * len(heads)}"]
    lines += [f"| {' | '.join(plain(cell) for cell in row)} |" for row in rows]
    return "\n".join(lines)


def bullets(lines: Iterable[str]) -> str:
    """Return an unordered list, each line made plain."""
    return "\n".join(f"- {plain(line)}" for line in lines)


def plain(words: str) -> str:
    """Return text that Markdown shows as it is: no markup, no table cell, no line of its own."""
    escaped = " ".join(words.split()).replace("\\", "\\\\").replace("&", "&amp;")
    for sign in "|*_`[]#":
        escaped = escaped.replace(sign, f"\\{sign}")
    return escaped.replace("<", "&lt;").replace(">", "&gt;")
