"""YAML 1.2 read from its node tree: every value keeps its place, and none is quietly changed.

``NO`` stays a word. What YAML would change without a word (``012``, ``1_000``, and where
asked ``2024-03-01``) is refused instead, with its line.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from qua3ck.kit.errors import Qua3ckError

Keys = tuple[str | int, ...]

_DEEPEST = 60
_MOST_VALUES = 100_000  # aliases of aliases can make a small file endless

_NUMBERS_CHANGED = {
    re.compile(r"^[-+]?0[0-9_]+$"): "a number with leading zeros",
    re.compile(r"^[-+]?[0-9]+_[0-9_]*$"): "a number with underscores",
}
_DATES_CHANGED = {re.compile(r"^\d{4}-\d{1,2}-\d{1,2}([Tt ].*)?$"): "a date"}


@dataclass(frozen=True)
class Dialect:
    """How one kind of file is read, and the codes of its mistakes.

    Attributes
    ----------
    what : str
        What the file is called in a message, such as ``project file``.
    unreadable, changed : str
        The codes for a file that cannot be read and a value that would be changed.
    start : str
        What to type where the file is empty.
    refuse_dates : bool
        Whether an unquoted date is refused; else it stays text.
    """

    what: str
    unreadable: str
    changed: str
    start: str
    refuse_dates: bool = True


class Places:
    """Where each value of the file stands.

    Parameters
    ----------
    path : Path
        The file, as the user named it.
    lines : mapping
        Path of keys and list numbers to (line, column), both from 1.
    """

    def __init__(self, path: Path, lines: Mapping[Keys, tuple[int, int]]) -> None:
        self.path = path
        self._lines = lines

    def holds(self, *keys: str | int) -> bool:
        """Whether the file says anything there."""
        return keys in self._lines

    def where(self, *keys: str | int) -> str:
        """Return ``file, line N, column M, a.b[0].c`` for the nearest place that exists."""
        known = keys
        while known and known not in self._lines:
            known = known[:-1]
        line, column = self._lines.get(known, (1, 1))
        dotted = "".join(f"[{key}]" if isinstance(key, int) else f".{key}" for key in keys)
        return f"{self.path}, line {line}, column {column}, {dotted.lstrip('.') or 'the file'}"


def read_yaml(path: Path, dialect: Dialect) -> tuple[Any, Places]:
    """Return what a YAML file says, and where each value stands.

    Raises
    ------
    Qua3ckError
        If it is not UTF-8, not YAML, empty, nested too deeply, has a key twice, or a value that
        YAML would change.
    """
    from ruamel.yaml import YAML
    from ruamel.yaml.error import YAMLError

    try:
        text = path.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError as problem:
        raise Qua3ckError(
            f"The file is not UTF-8 text (byte {problem.start})",
            where=str(path),
            fix="save it as UTF-8 in your editor",
            code=dialect.unreadable,
        ) from None
    try:
        node = YAML(typ="rt").compose(text)
    except YAMLError as problem:
        raise _unreadable(problem, path, text, dialect) from None
    except RecursionError:
        raise _too_deep(_deep_line(text), path, dialect) from None
    if node is None:
        raise Qua3ckError(
            f"The {dialect.what} is empty",
            where=str(path),
            fix=dialect.start,
            code=dialect.unreadable,
        )
    lines: dict[Keys, tuple[int, int]] = {}
    data = _value(node, (), lines, path, dialect)
    return data, Places(path, lines)


def _unreadable(problem: Exception, path: Path, text: str, dialect: Dialect) -> Qua3ckError:
    mark = getattr(problem, "problem_mark", None)
    line = mark.line + 1 if mark else 1
    column = mark.column + 1 if mark else 1
    written = text.splitlines()[line - 1] if mark and mark.line < len(text.splitlines()) else ""
    indent = written[: len(written) - len(written.lstrip())]
    fix = "look at this line and the one above: indentation, a missing colon or quote"
    if "\t" in indent or "\\t" in str(problem):
        fix = "replace the tab at the start of the line by spaces"
    what = getattr(problem, "problem", None) or "not YAML"
    return Qua3ckError(
        f"The file cannot be read as YAML: {what}",
        where=f"{path}, line {line}, column {column}",
        fix=fix,
        code=dialect.unreadable,
    )


def _too_deep(line: int, path: Path, dialect: Dialect) -> Qua3ckError:
    return Qua3ckError(
        f"The file is nested deeper than {_DEEPEST} levels or has over {_MOST_VALUES:,} values",
        where=f"{path}, line {line}",
        fix="look for brackets that are never closed; write out what an alias (*name) stands "
        "for, and split the file",
        code=dialect.unreadable,
    )


def _deep_line(text: str) -> int:
    """Return the line where a text is nested too deeply for its tree to be built."""
    from ruamel.yaml import YAML
    from ruamel.yaml.error import YAMLError
    from ruamel.yaml.events import CollectionEndEvent, CollectionStartEvent

    depth, line = 0, 1
    with suppress(YAMLError):  # a mistake further down: the nesting before it is told
        for event in YAML(typ="rt").parse(text):
            depth += isinstance(event, CollectionStartEvent)
            depth -= isinstance(event, CollectionEndEvent)
            line = int(event.start_mark.line) + 1
            if depth > _DEEPEST:
                break
    return line


def _value(
    node: Any, keys: Keys, lines: dict[Keys, tuple[int, int]], path: Path, dialect: Dialect
) -> Any:
    from ruamel.yaml.nodes import MappingNode, SequenceNode

    lines[keys] = (node.start_mark.line + 1, node.start_mark.column + 1)
    if len(keys) > _DEEPEST or len(lines) > _MOST_VALUES:
        raise _too_deep(node.start_mark.line + 1, path, dialect)
    if isinstance(node, MappingNode):
        result: dict[str, Any] = {}
        for key_node, value_node in node.value:
            key = str(key_node.value)
            if key in result:
                raise Qua3ckError(
                    f'The key "{key}" is there twice',
                    where=f"{path}, line {key_node.start_mark.line + 1}",
                    fix="keep one of them",
                    code=dialect.unreadable,
                )
            result[key] = _value(value_node, (*keys, key), lines, path, dialect)
            lines[*keys, key] = (key_node.start_mark.line + 1, key_node.start_mark.column + 1)
        return result
    if isinstance(node, SequenceNode):
        inner = enumerate(node.value)
        return [_value(each, (*keys, i), lines, path, dialect) for i, each in inner]
    return _scalar(node, keys, Places(path, lines), dialect)


def _scalar(node: Any, keys: Keys, places: Places, dialect: Dialect) -> Any:
    text = str(node.value).replace("\a", "")  # the reader marks where a folded text was folded
    if node.style in {"'", '"', "|", ">"}:
        return text
    refused = _NUMBERS_CHANGED | (_DATES_CHANGED if dialect.refuse_dates else {})
    for pattern, kind in refused.items():
        if pattern.match(text):
            raise Qua3ckError(
                f"{text} would be read as {kind} and changed",
                where=places.where(*keys),
                fix=f'quote it: "{text}", or write the plain number',
                code=dialect.changed,
            )
    return _plain(text)


def _plain(text: str) -> Any:
    """Read an unquoted scalar by the JSON schema of YAML 1.2."""
    if text in {"", "~", "null", "Null", "NULL"}:
        return None
    if text in {"true", "True", "TRUE", "false", "False", "FALSE"}:
        return text.lower() == "true"
    if re.fullmatch(r"[-+]?(0|[1-9][0-9]*)", text):
        return int(text)
    if re.fullmatch(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?", text):
        return float(text)
    return text
