"""The packages of an environment lock: each by name and version, and whether it is held to it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

_HASH = re.compile(r"--hash=sha(?:256:[0-9a-f]{64}|384:[0-9a-f]{96}|512:[0-9a-f]{128})(?!\S)")


class Pin(NamedTuple):
    """One requirement: ``version`` is empty if it is not pinned to exactly one."""

    name: str
    version: str
    hashed: bool
    line: int


def pins(lock: str) -> tuple[Pin, ...]:
    """Return every requirement of a ``requirements.txt``.

    Parameters
    ----------
    lock : str
        Its text. Lines that go on after a backslash are one; comments are left out. A line
        that names no package at all (a folder, an address, an option such as ``-r``) is a
        requirement that is not pinned; options for hashes and indexes belong to none.
    """
    return tuple(_pin(line, number) for number, line in _lines(lock))


def _lines(lock: str) -> Iterator[tuple[int, str]]:
    started, parts = 0, [""]
    for number, raw in enumerate(lock.splitlines(), start=1):
        line = re.sub(r"(^|\s)#.*$", "", raw).rstrip()
        started = started or number
        parts.append(line.removesuffix("\\"))
        if line.endswith("\\"):
            continue
        whole = " ".join(part.strip() for part in parts).strip()
        if whole and not _is_option(whole):
            yield started, whole
        started, parts = 0, [""]
    rest = " ".join(part.strip() for part in parts).strip()
    if rest and not _is_option(rest):
        yield started, rest


def _is_option(line: str) -> bool:
    """Whether a line only says how to install: where from, and what is allowed."""
    return line.startswith(("--", "-i ", "-f ")) and not line.startswith(
        ("--editable", "--requirement")
    )


def _pin(line: str, number: int) -> Pin:
    from packaging.requirements import InvalidRequirement, Requirement
    from packaging.utils import canonicalize_name

    hashed = bool(_HASH.search(line))
    written = re.split(r"\s--", line, maxsplit=1)[0].strip()
    try:
        said = Requirement(written)
    except InvalidRequirement:
        return Pin(written.partition(" ")[0][:60], "", hashed, number)
    exact = [one for one in said.specifier if one.operator in {"==", "==="}]
    fixed = len(said.specifier) == 1 and bool(exact) and not exact[0].version.endswith(".*")
    version = exact[0].version if fixed and said.url is None else ""
    return Pin(canonicalize_name(said.name), version, hashed, number)
