"""JSON read strictly, by RFC 8259, in memory that does not grow with the file.

Python's reader is lenient (``NaN``), and rounds: here a number stays the text it was written
as, a key given twice is seen, and what is no JSON is refused with its place. A long list is
read element by element.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Sequence
from typing import Any

_BLANK = re.compile(r"[ \t\n\r]*")
_CHUNK = 1 << 20  # characters
_MOST = 1 << 28  # characters of one element; a longer one is no record

Read = Callable[[int], str]


class NotJson(ValueError):
    """The text is no JSON; ``at`` is the character (from 0) at which that shows."""

    def __init__(self, what: str, at: int) -> None:
        super().__init__(what)
        self.what = what
        self.at = at


class Number(str):
    """A number as it was written: ``1e400`` and 40 digits lose nothing."""

    __slots__ = ()


class Twice(dict[str, Any]):
    """An object in which a key stands twice with different values; ``pairs`` has them all."""

    pairs: tuple[tuple[str, Any], ...] = ()


def parse(text: str) -> Any:
    """Return the value that a JSON text holds; numbers as :class:`Number`.

    Raises
    ------
    NotJson
        If it is none, or nested too deeply to be read.
    """
    start = _after_blanks(text, 0)
    try:
        value, end = _DECODER.raw_decode(text, start)
    except json.JSONDecodeError as problem:
        raise NotJson(_plainly(problem.msg), problem.pos) from None
    except RecursionError:
        raise NotJson("it is nested too deeply", start) from None
    end = _after_blanks(text, end)
    if end != len(text):
        raise NotJson("something follows the value", end)
    return value


def written(value: Any) -> str:
    """Return a parsed value as JSON again, numbers as they were."""
    if isinstance(value, Number):
        return str(value)
    if isinstance(value, dict):
        pairs = value.pairs if isinstance(value, Twice) else value.items()
        inner = (f"{json.dumps(k, ensure_ascii=False)}: {written(v)}" for k, v in pairs)
        return "{" + ", ".join(inner) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(written(one) for one in value) + "]"
    return json.dumps(value, ensure_ascii=False)


def pointer_parts(pointer: str) -> list[str]:
    """Return the keys of a JSON Pointer (RFC 6901), ``*`` for each element of a list.

    Raises
    ------
    ValueError
        If it does not start with a slash.
    """
    if pointer == "":
        return []
    if not pointer.startswith("/"):
        message = f'"{pointer}" is no JSON pointer: it starts with a slash'
        raise ValueError(message)
    return [part.replace("~1", "/").replace("~0", "~") for part in pointer[1:].split("/")]


def elements(read: Read, path: Sequence[str]) -> Iterator[Any]:
    """Yield the elements of the list at ``path``, one at a time; read the text to its end.

    Parameters
    ----------
    read : callable
        Given a number of characters, returns at most so many, ``""`` at the end.
    path : sequence of str
        Keys from the whole value down to the list; empty for the whole.

    Yields
    ------
    Any
        Each element; or one :class:`Single` where no list stands at the path.

    Raises
    ------
    NotJson
        If the text is none, anywhere: also after the list.
    """
    text = _Text(read)
    yield from _descend(text, list(path))
    text.blanks()
    if text.peek():
        raise NotJson("something follows the value", text.place)


class Single:
    """What stands at the path, where no list does."""

    def __init__(self, value: Any) -> None:
        self.value = value


def _descend(text: _Text, path: list[str]) -> Iterator[Any]:
    text.blanks()
    if not path and text.peek() == "[":
        yield from _list(text)
    elif path and text.peek() == "{":
        yield from _object(text, path)
    elif path:
        text.value()  # nothing can stand at the path, but what stands here must be JSON
    else:
        yield Single(text.value())


def _list(text: _Text) -> Iterator[Any]:
    text.take("[")
    text.blanks()
    if text.peek() == "]":
        text.take("]")
        return
    while True:
        yield text.value()
        text.blanks()
        if text.peek() != ",":
            break
        text.take(",")
    text.take("]")


def _object(text: _Text, path: list[str]) -> Iterator[Any]:
    text.take("{")
    text.blanks()
    if text.peek() == "}":
        text.take("}")
        return
    seen = False
    while True:
        text.blanks()
        if text.peek() != '"':
            raise NotJson("a key in quotes is expected", text.place)
        key = text.value()
        text.blanks()
        text.take(":")
        if key != path[0]:
            text.blanks()
            text.value()
        elif seen:
            raise NotJson("the key that leads to the records stands there twice", text.place)
        else:
            seen = True
            yield from _descend(text, path[1:])
        text.blanks()
        if text.peek() != ",":
            break
        text.take(",")
    text.take("}")


class _Text:
    """A text that is read as far as needed; what has been used is forgotten."""

    def __init__(self, read: Read) -> None:
        self._read = read
        self._kept = ""
        self._at = 0
        self._gone = 0
        self._ended = False

    @property
    def place(self) -> int:
        """How many characters of the whole text lie before this point."""
        return self._gone + self._at

    def peek(self) -> str:
        """Return the next character; empty at the end."""
        while self._at >= len(self._kept) and not self._ended:
            self._more(_CHUNK)
        return self._kept[self._at : self._at + 1]

    def blanks(self) -> None:
        """Go past white space."""
        while self.peek():
            self._at = _after_blanks(self._kept, self._at)
            if self._at < len(self._kept):
                return

    def take(self, mark: str) -> None:
        """Go past one character that must be ``mark``."""
        found = self.peek()
        if found != mark:
            said = "the text ends" if not found else f'there is no "{mark}"'
            raise NotJson(f'{said} where "{mark}" is expected', self.place)
        self._at += 1

    def value(self) -> Any:
        """Return the JSON value that starts here, after white space."""
        self.blanks()
        step = _CHUNK
        while True:
            value, end, problem = self._decode()
            if problem is None and (self._ended or not self._may_go_on(value, end)):
                self._at = end
                return value
            if self._ended or len(self._kept) - self._at > _MOST:
                raise problem or NotJson("one element is too long", self.place)
            if problem is not None and self._surely_wrong(problem):
                raise problem
            self._more(step)
            step *= 2

    def _decode(self) -> tuple[Any, int, NotJson | None]:
        try:
            value, end = _DECODER.raw_decode(self._kept, self._at)
        except json.JSONDecodeError as problem:
            return None, 0, NotJson(_plainly(problem.msg), self._gone + problem.pos)
        except RecursionError:
            return None, 0, NotJson("it is nested too deeply", self.place)
        return value, end, None

    def _may_go_on(self, value: Any, end: int) -> bool:
        """Whether a value at the edge of what was read looks whole, but may be cut: 12|34, 1e|5."""
        return isinstance(value, Number) and len(self._kept) - end <= 2

    def _surely_wrong(self, problem: NotJson) -> bool:
        """Whether more text could not mend it: it shows well before the edge."""
        unclosed = "string" in problem.what
        return not unclosed and problem.at - self._gone < len(self._kept) - 64

    def _more(self, size: int) -> None:
        chunk = self._read(size)
        self._ended = not chunk
        self._gone += self._at
        self._kept = self._kept[self._at :] + chunk
        self._at = 0


def _after_blanks(text: str, at: int) -> int:
    found = _BLANK.match(text, at)
    return at if found is None else found.end()


def _plainly(message: str) -> str:
    return message[:1].lower() + message[1:].removesuffix(" at")


def _object_of(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    if len(made) == len(pairs):
        return made
    seen: dict[str, Any] = {}
    for key, value in pairs:
        if key in seen and seen[key] != value:
            twice = Twice(made)
            twice.pairs = tuple(pairs)
            return twice
        seen[key] = value
    return made


def _refuse_constant(name: str) -> Any:
    raise json.JSONDecodeError(f"it has {name}, which JSON does not know; write null", "", 0)


_DECODER = json.JSONDecoder(
    object_pairs_hook=_object_of,
    parse_float=Number,
    parse_int=Number,
    parse_constant=_refuse_constant,
)
