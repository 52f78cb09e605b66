"""JSON documents and lines into tables: objects flattened, lists of objects as tables of their own.

A nested object's keys go behind its own, with an underscore between: ``address_city``. A list
of plain values stays in its cell as JSON. A list of objects is another table: another source
on the same file, ``records: /visits/*/lines``, with ``carry:`` for what it needs of the
objects around it, such as their keys. A whole number beyond 64 bits stays text, digit by digit;
text that looks like a number stays text, since JSON has numbers of its own.
"""

from __future__ import annotations

import codecs
import itertools
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from qua3ck.kit.errors import Qua3ckError
from qua3ck.kit.findings import Finding
from qua3ck.understand.section import ColumnType, Source
from qua3ck.understand.sources.encoding import unpacked, utf8_chunks
from qua3ck.understand.sources.jsontext import (
    NotJson,
    Number,
    Read,
    Single,
    Twice,
    elements,
    parse,
    pointer_parts,
    written,
)
from qua3ck.understand.sources.pieces import Piece, Staged
from qua3ck.understand.sources.texts import Reading, TextRows

_BATCH = 20_000  # records typed together
_HEAD = 1 << 20  # characters looked at to see whether lines are values
_LINES_LOOKED_AT = 10
_RAW = 10_000  # characters of a record that are kept where it is held
_LINE_NAMES = (".ndjson", ".jsonl", ".ldjson")
_SMALL = 1 << 26  # bytes of a document that is looked through for an error message


@dataclass
class _Seen:
    """What the records of a piece turned out to hold."""

    kinds: dict[str, set[str]] = field(default_factory=dict)
    tables: dict[str, int] = field(default_factory=dict)
    pointers: dict[str, str] = field(default_factory=dict)
    objects: set[str] = field(default_factory=set)


@dataclass(frozen=True)
class _Found:
    """A record on its way: its number, its value, what is carried along; or why it is none."""

    row: int
    value: Any = None
    carried: Mapping[str, Any] = field(default_factory=dict)
    problem: str = ""
    raw: str = ""


def stage_json(
    piece: Piece,
    source: Source,
    *,
    types: Mapping[str, ColumnType] | None,
    into: Path,
    place: str,
) -> Staged:
    """Read one JSON document, or a file of JSON lines, as rows.

    Parameters
    ----------
    piece : Piece
        Plain or packed (gzip and others).
    source : Source
        ``records``: where the list of records stands, as a JSON pointer with ``*`` for each
        element of a list, or as keys with dots. ``carry``: column name to pointer.
    types : mapping, optional
        What columns are held to; others are inferred over the piece.
    into : Path
        An empty folder.
    place : str
        The source's place in the project file.

    Returns
    -------
    Staged
        ``_row`` is the number of the line, or of the record in the document. Held: a line
        that is no JSON (U045), a record that is no object, or has a key twice (U046).

    Raises
    ------
    Qua3ckError
        If a document is no JSON (U131), has no records at the place named (U132), or two
        columns would have one name (U133).
    """
    way = _Way.of(source, place)
    lines = _in_lines(piece, source, place)
    found = (
        _from_lines(piece, source, way, place)
        if lines
        else _from_document(piece, source, way, place)
    )
    seen = _Seen()
    texts = TextRows(source, types, into=into, place=place)
    while _take_in(itertools.islice(found, _BATCH), texts, seen):
        pass
    how = {"layout": "lines" if lines else "document", "records": source.records or ""}
    told = how | ({"left out": dict(seen.tables)} if seen.tables else {})
    findings = _left_out(seen, way, place) if seen.tables else ()
    staged = texts.finish(how=told, findings=findings, reading=_reading(seen, source))
    if staged.came == 0 and source.kind == "json":
        raise Qua3ckError(
            f"{piece.name} holds no records",
            where=f"{place}.path",
            fix="bring a file that has records; an empty one never counts as loaded",
            code="U103",
        )
    return staged


def _reading(seen: _Seen, source: Source) -> Reading:
    """Return what JSON itself says of the columns."""
    return Reading(
        numbers={name for name, kinds in seen.kinds.items() if kinds == {"number"}},
        booleans={name for name, kinds in seen.kinds.items() if kinds == {"boolean"}},
        optional=[*seen.objects, *seen.tables],  # null in a record, an object in another
        absent=source.kind == "http",
    )


# -- where records stand ---------------------------------------------------------------------


@dataclass(frozen=True)
class _Way:
    """From the document to its records: ``outer`` is read as a stream, ``inner`` in memory."""

    outer: list[str]
    inner: list[str]
    carry: Mapping[str, tuple[int, list[str]]]
    above: Mapping[str, list[str]]

    @classmethod
    def of(cls, source: Source, place: str) -> _Way:
        parts = _parts(source.records or "", f"{place}.records")
        cut = parts.index("*") if "*" in parts else len(parts)
        inner = parts[cut + 1 :]
        carry, above = {}, {}
        for name, pointer in source.carry.items():
            steps = _parts(pointer, f"{place}.carry.{name}")
            if "*" not in steps:
                above[name] = steps
                continue
            shared = 0
            while shared < min(len(steps), len(parts)) and steps[shared] == parts[shared]:
                shared += 1
            rest = steps[shared:]
            if "*" in rest or shared <= cut:
                raise Qua3ckError(
                    f'"{pointer}" does not lie on the way to the records',
                    where=f"{place}.carry.{name}",
                    fix=f"begin as records: does, {source.records}, up to its last *",
                    code="U132",
                )
            carry[name] = (shared - cut - 1, rest)
        return cls(parts[:cut], inner, carry, above)

    @property
    def pointer(self) -> str:
        return "/" + "/".join([*self.outer, *(["*"] if self.inner else []), *self.inner])


def _parts(pointer: str, place: str) -> list[str]:
    if pointer and not pointer.startswith("/"):
        return pointer.split(".")
    try:
        return pointer_parts(pointer)
    except ValueError as problem:
        raise Qua3ckError(
            str(problem), where=place, fix="write it as /data/*/lines", code="U132"
        ) from None


def _in_lines(piece: Piece, source: Source, place: str) -> bool:
    """Whether each line is a JSON value of its own."""
    if piece.name.removesuffix(".gz").endswith(_LINE_NAMES):
        return True
    with _document(piece, source, place) as read:
        head = read(_HEAD)
    lines = head.split("\n")
    whole = lines if len(head) < _HEAD else lines[:-1]
    first = list(itertools.islice((line for line in whole if line.strip()), _LINES_LOOKED_AT))
    objects = sum(isinstance(_parsed_or_none(line), dict) for line in first)
    return len(first) > 1 and 2 * objects >= len(first)


def _parsed_or_none(line: str) -> Any:
    try:
        return parse(line)
    except NotJson:
        return None


# -- records ---------------------------------------------------------------------------------


def _from_lines(piece: Piece, source: Source, way: _Way, place: str) -> Iterator[_Found]:
    path = [*way.outer, *(["*"] if way.inner else []), *way.inner]
    row = 0
    with _lines(piece, source, place) as lines:
        for number, line in enumerate(lines, 1):
            if not line.strip():
                continue
            try:
                value = parse(line.decode())
            except (NotJson, UnicodeDecodeError):
                row = row + 1 if source.records else number
                yield _Found(row, problem="U045", raw=_shown(line))
                continue
            if not source.records:
                yield _Found(number, value)
                continue
            above = {name: _at(value, steps) for name, steps in way.above.items()}
            for nodes in _walk([value], path):
                row += 1
                yield _Found(row, nodes[-1], above | _carried(nodes, way, len(way.outer) + 1))


def _from_document(piece: Piece, source: Source, way: _Way, place: str) -> Iterator[_Found]:
    above = {name: _one(piece, source, path, place) for name, path in way.above.items()}
    row = 0
    seen = False
    with _document(piece, source, place) as read:
        for element in _told(elements(read, way.outer), piece, place):
            seen = True
            if isinstance(element, Single):
                if not isinstance(element.value, dict) or _has_tables(element.value, source):
                    raise _no_list(piece, source, place)
                row += 1
                yield _Found(row, element.value, above)
                continue
            for nodes in _walk([element], way.inner) if way.inner else [[element]]:
                row += 1
                yield _Found(row, nodes[-1], above | _carried(nodes, way, 0))
    if seen or not way.outer or source.kind == "http":
        return
    if _one(piece, source, way.outer, place) is _NONE:
        raise _no_list(piece, source, place)


_NONE = object()


def _one(piece: Piece, source: Source, path: Sequence[str], place: str) -> Any:
    """Return what stands at a path without lists; ``_NONE`` if nothing."""
    with _document(piece, source, place) as read:
        *outer, last = path
        for element in _told(elements(read, outer), piece, place):
            if isinstance(element, Single) and isinstance(element.value, dict):
                return element.value.get(last, _NONE)
    return _NONE


def _walk(nodes: list[Any], parts: Sequence[str]) -> Iterator[list[Any]]:
    """Yield for each record below the last node all nodes on the way to it, itself last."""
    here = nodes[-1]
    if not parts:
        for one in here if isinstance(here, list) else [] if here is None else [here]:
            yield [*nodes, one]
        return
    if parts[0] == "*":
        for one in here if isinstance(here, list) else []:
            yield from _walk([*nodes, one], parts[1:])
    elif isinstance(here, dict) and parts[0] in here:
        yield from _walk([*nodes, here[parts[0]]], parts[1:])


def _carried(nodes: Sequence[Any], way: _Way, offset: int) -> dict[str, Any]:
    """Return what a record takes along from the objects around it."""
    found = {}
    for name, (depth, rest) in way.carry.items():
        found[name] = _at(nodes[depth + offset], rest)
    return found


def _at(here: Any, keys: Sequence[str]) -> Any:
    for key in keys:
        here = here.get(key) if isinstance(here, dict) else None
    return here


# -- one batch of records to columns of text ---------------------------------------------------


def _take_in(batch: Iterator[_Found], texts: TextRows, seen: _Seen) -> bool:
    """Hand a batch of records on as columns; return whether there were any."""
    rows: list[int] = []
    columns: dict[str, list[str | None]] = {}
    found = None
    for found in batch:
        if found.problem:
            texts.hold(found.row, None, found.problem, found.raw)
            continue
        cells, problem = _cells(found, seen)
        if problem:
            texts.hold(found.row, None, problem, _raw(found.value))
            continue
        for name, text in cells.items():
            column = columns.get(name)
            if column is None:
                column = columns[name] = []
            if len(column) < len(rows):  # records before had no such key
                column.extend([None] * (len(rows) - len(column)))
            column.append(text)
        rows.append(found.row)
    for column in columns.values():
        column.extend([None] * (len(rows) - len(column)))
    texts.add(columns, rows)
    return found is not None


def _cells(found: _Found, seen: _Seen) -> tuple[dict[str, str | None], str]:
    """Return the texts of one record by column name, or the code of why it has none."""
    value = found.value
    if isinstance(value, str):
        value = {"value": value}
    if not isinstance(value, dict):
        return {}, "U046"
    flat: dict[str, Any] = {}
    cells: dict[str, str | None] = {}
    try:
        if not (
            _flatten(value, "", "", flat, seen) and _flatten(found.carried, "", "", flat, seen)
        ):
            return {}, "U046"
        for name, one in flat.items():
            cells[name], kind = _text(one)
            if kind:
                seen.kinds.setdefault(name, set()).add(kind)
        "".join([*cells, *filter(None, cells.values())]).encode()
    except (RecursionError, UnicodeEncodeError):
        return {}, "U046"
    return cells, ""


def _flatten(
    value: Mapping[str, Any], before: str, way: str, flat: dict[str, Any], seen: _Seen
) -> bool:
    """Put the leaves of an object into ``flat``; False if a name would be there twice."""
    if isinstance(value, Twice):
        return False
    for key, one in value.items():
        name = f"{before}{key or 'unnamed'}"
        if isinstance(one, dict):
            seen.objects.add(name)
            if not _flatten(one, f"{name}_", f"{way}/{key}", flat, seen):
                return False
            continue
        if isinstance(one, list) and one and all(isinstance(part, dict) for part in one):
            seen.tables[name] = seen.tables.get(name, 0) + len(one)
            seen.pointers[name] = f"{way}/{key}"
            continue
        if flat.get(name) is not None:
            return False
        flat[name] = one
    return True


def _text(value: Any) -> tuple[str | None, str]:
    """Return a leaf as text, and what it is; nothing for an empty one."""
    if isinstance(value, Number):
        return value, "number"
    if isinstance(value, str):
        return value, "text" if value else ""
    if isinstance(value, bool):
        return ("true" if value else "false"), "boolean"
    return (written(value), "text") if value else (None, "")


def _raw(value: Any) -> str:
    try:
        text = written(value)
    except RecursionError:
        return "(nested too deeply to be shown)"
    return text.encode(errors="backslashreplace").decode()[:_RAW]


def _shown(line: bytes) -> str:
    return line.decode(errors="backslashreplace").rstrip("\r\n")[:_RAW]


# -- bytes -------------------------------------------------------------------------------------


@contextmanager
def _lines(piece: Piece, source: Source, place: str) -> Iterator[Iterator[bytes]]:
    with unpacked(piece.path, place=place) as stream:
        chunks = utf8_chunks(stream, source.encoding, file=piece.name, place=place)
        yield _split(chunks)


def _split(chunks: Iterator[bytes]) -> Iterator[bytes]:
    waiting: list[bytes] = []
    for chunk in chunks:
        first, *others = chunk.split(b"\n")
        waiting.append(first)
        if others:
            yield b"".join(waiting)
            yield from others[:-1]
            waiting = [others[-1]]
    if any(waiting):
        yield b"".join(waiting)


@contextmanager
def _document(piece: Piece, source: Source, place: str) -> Iterator[Read]:
    with unpacked(piece.path, place=place) as stream:
        chunks = utf8_chunks(stream, source.encoding, file=piece.name, place=place)
        yield _reader(chunks, piece, place)


def _reader(chunks: Iterator[bytes], piece: Piece, place: str) -> Read:
    decoder = codecs.getincrementaldecoder("utf-8")()
    waiting = ""
    ended = False

    def read(size: int) -> str:
        nonlocal waiting, ended
        try:
            while len(waiting) < size and not ended:
                chunk = next(chunks, b"")
                ended = not chunk
                waiting += decoder.decode(chunk, final=ended)
        except UnicodeDecodeError as problem:
            raise Qua3ckError(
                f"{piece.name} is not in the declared encoding: {problem.reason}",
                where=f"{place}.encoding",
                fix="declare what it is, such as: encoding: cp1252",
                code="U131",
            ) from None
        given, waiting = waiting[:size], waiting[size:]
        return given

    return read


# -- what is said --------------------------------------------------------------------------------


def _told(found: Iterator[Any], piece: Piece, place: str) -> Iterator[Any]:
    """Yield what comes; a text that is no JSON is said in our words."""
    try:
        yield from found
    except NotJson as problem:
        raise Qua3ckError(
            f"{piece.name} is no JSON: {problem.what} (character {problem.at + 1:,})",
            where=f"{place}.path",
            fix="fetch the file again; if each line is a value of its own, call it .ndjson",
            code="U131",
        ) from None


def _has_tables(value: Mapping[str, Any], source: Source) -> bool:
    """Whether an object that should be one record holds lists of objects: then it is none."""
    return source.records is None and any(_lists(value, ""))


def _lists(value: Any, before: str) -> Iterator[str]:
    if isinstance(value, list) and value and isinstance(value[0], dict):
        yield before
    elif isinstance(value, dict):
        for key, one in value.items():
            yield from _lists(one, f"{before}/{key}")


def _no_list(piece: Piece, source: Source, place: str) -> Qua3ckError:
    lists: list[str] = []
    if piece.size < _SMALL:
        with _document(piece, source, place) as read:
            for one in _told(elements(read, []), piece, place):
                lists += _lists(one.value, "") if isinstance(one, Single) else []
    found = f"; lists of objects stand at {', '.join(lists[:5])}" if lists else ""
    at = f'"{source.records}"' if source.records else "the top"
    return Qua3ckError(
        f"{piece.name} has no list of records at {at}{found}",
        where=f"{place}.records",
        fix=f"write records: {lists[0]}" if lists else "name where the records stand, as /data",
        code="U132",
    )


def _left_out(seen: _Seen, way: _Way, place: str) -> tuple[Finding, ...]:
    start = "" if way.pointer == "/" else way.pointer
    listed = ", ".join(f"{start}/*{seen.pointers[name]}" for name in sorted(seen.tables)[:5])
    return (
        Finding(
            "U047",
            "inform",
            f"{place}, {len(seen.tables)} lists of objects",
            "Lists of objects are tables of their own and are not in this one. For each, declare "
            f"a source on the same file with records: {listed}.",
            {"lists": dict(seen.tables)},
        ),
    )
