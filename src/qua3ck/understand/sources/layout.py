"""Where the table begins in a delimited text, where it ends, and what its columns are called.

Lines are counted as an editor shows them. What is skipped at either end is looked at all the
same: a last line that reads as a record, or a header that reads as data, is not passed over.
"""

from __future__ import annotations

import io
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from qua3ck.kit.errors import Qua3ckError
from qua3ck.kit.findings import Finding
from qua3ck.understand.section import Source
from qua3ck.understand.sources.dialect import NAMES, decide_delimiter, other_delimiter
from qua3ck.understand.sources.records import LONGEST, UNREADABLE, Dialect, one_record, read_records
from qua3ck.understand.sources.sheet import Line, levels

HEAD = 1 << 18  # bytes looked at for the header
_YEAR = re.compile(r"(1[89]|20)[0-9]{2}([-/ ]?[QM0-9]{1,4})?")
TOTALS = re.compile(
    r"^(grand |sub)?(total(s|e|en)?|sum(me|a)?|gesamt(summe)?|insgesamt|ensemble|suma|soma|итого|"
    r"المجموع|toplam|jumla|average|mean|mittelwert|moyenne|promedio|source|note|notes|quelle|"
    r"fuente|fonte|nota|legend|generated|created|exported|printed|end of)\b",
    re.IGNORECASE,
)


@dataclass
class Body:
    """The table inside a file, ready to be cut into records.

    Attributes
    ----------
    names : list of str
        Of the columns.
    dialect : Dialect
        How cells are told apart.
    chunks : iterator of bytes
        UTF-8, from the first record to the last.
    header : list of list of str
        The cells of the header's lines.
    line : int
        In the file, from 1, in which the first record begins.
    footer : list of str
        The lines cut off at the end; filled once ``chunks`` are read.
    findings : list of Finding
        What was noticed.
    """

    names: list[str]
    dialect: Dialect
    chunks: Iterator[bytes]
    header: list[list[str]]
    line: int
    footer: list[str] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)


def open_body(chunks: Iterator[bytes], source: Source, *, file: str, place: str) -> Body:
    """Return the table inside a text.

    Parameters
    ----------
    chunks : iterator of bytes
        The whole text, UTF-8.
    source : Source
        ``skip``, ``footer``, ``header``, ``names`` and the dialect, as far as declared.

    Raises
    ------
    Qua3ckError
        If the text is empty, its delimiter cannot be decided or is another than declared, its
        header does not end, or the names do not tell its columns apart.
    """
    head, ended = _head(chunks)
    lines = list(io.StringIO(head.decode("utf-8", "surrogateescape"), newline=""))
    at = _first_line(lines, source, file, place)
    dialect = _dialect("".join(lines[at:]), source, whole=ended, file=file, place=place)
    rows, at = _header_rows(lines, at, dialect, source.header, file, place)
    names, findings = _names("".join(lines[at:]), rows, dialect, source, file, place)
    if len(names) == 1 and source.delimiter is not None:
        _refuse_other_delimiter("".join(lines), source.delimiter, file, place, whole=ended)
    rest = "".join(lines[at:]).encode("utf-8", "surrogateescape")
    body = Body(names, dialect, iter(()), rows, at + 1, findings=findings)
    body.chunks = _without_footer(_chained(rest, chunks), source.footer, body.footer)
    return body


def header_is_data(header: Sequence[str]) -> bool:
    """Whether cells that read as values can hardly be names: not years, nor a numbered index."""
    cells = [cell.strip() for cell in header if cell.strip()]
    years = [
        cell for cell in cells if re.fullmatch(r"(1[89]|20)[0-9]{2}([-/ ]?[QM0-9]{1,4})?", cell)
    ]
    numbers = [cell for cell in cells if re.fullmatch(r"[0-9]+", cell)]
    if len(years) > 1 and len({*years}) == len(years) >= 0.8 * len(numbers):
        return False
    counted = [str(at + int(numbers[0])) for at in range(len(numbers))] if numbers else []
    return not (numbers == counted and len(numbers) > 2 and not header[0].strip())


def _head(chunks: Iterator[bytes]) -> tuple[bytes, bool]:
    """Return the first bytes and whether they are all."""
    head = bytearray()
    for chunk in chunks:
        head += chunk
        if len(head) >= HEAD:
            return bytes(head), False
    return bytes(head), True


def _first_line(lines: Sequence[str], source: Source, file: str, place: str) -> int:
    """Return the place of the first line that counts."""
    if not any(line.strip() for line in lines):
        raise Qua3ckError(
            f"{file} is empty",
            where=f"{place}.path",
            fix="bring a file with a header line and rows",
            code="U103",
        )
    at = source.skip
    while at < len(lines):
        text = lines[at].strip(" \r\n")
        if text and not (source.comment and text.startswith(source.comment)):
            return at
        at += 1
    raise Qua3ckError(
        f"Nothing is left of {file}: it has {len(lines)} lines, {source.skip} are skipped",
        where=f"{place}.skip",
        fix="correct skip:, or look whether this is the right file",
        code="U122",
    )


def _dialect(head: str, source: Source, *, whole: bool, file: str, place: str) -> Dialect:
    mark = source.delimiter or decide_delimiter(
        head, quote=source.quote, whole=whole, file=file, place=place
    )
    if mark in {source.quote, source.escape}:
        raise Qua3ckError(
            f"{NAMES.get(mark, mark)} cannot be the delimiter and the quote or escape",
            where=f"{place}.delimiter",
            fix='declare quote: "" if there are no quotes',
            code="U124",
        )
    return Dialect(mark, source.quote, source.escape, source.comment, source.loose_ends)


def _header_rows(
    lines: Sequence[str], at: int, dialect: Dialect, wanted: int, file: str, place: str
) -> tuple[list[list[str]], int]:
    """Return the cells of the header's records and where the first record below begins."""
    rows: list[list[str]] = []
    while len(rows) < wanted and at < len(lines):
        body = lines[at].strip(" \r\n")
        if not body or (dialect.comment and body.startswith(dialect.comment)):
            at += 1
            continue
        cells, taken = one_record(lines, at, dialect)
        if cells is None or UNREADABLE.search("".join(cells)):
            raise _bad_header(file, place)
        rows.append(cells)
        at += taken
    return rows, at


def _bad_header(file: str, place: str) -> Qua3ckError:
    return Qua3ckError(
        f"The header of {file} cannot be read: its quotes do not close, or it has unreadable bytes",
        where=f"{place}.path, line 1 of {file}",
        fix='close the quote (inside a quoted name write "" for a quote), or declare quote: "" '
        "or encoding:",
        code="U102",
    )


def _names(
    below: str, rows: Sequence[list[str]], dialect: Dialect, source: Source, file: str, place: str
) -> tuple[list[str], list[Finding]]:
    """Return the columns' names: declared, else the header's, else by number."""
    width = max(map(len, rows)) if rows else _usual_width(below, dialect, len(source.names))
    if source.names:
        if len(source.names) < width or (not rows and len(source.names) != width):
            raise Qua3ckError(
                f"{len(source.names)} names are declared and {file} has {width} columns",
                where=f"{place}.names",
                fix="give one name per column, in the order of the file",
                code="U124",
            )
        _refuse_twins(source.names, file, place, declared=True)
        return list(source.names), []
    if not rows:
        return [f"column_{at}" for at in range(1, width + 1)], []
    above = levels([Line(at, row) for at, row in enumerate(rows)], width, (), 1)
    told = [" ".join(dict.fromkeys(part.strip() for part in one if part.strip())) for one in above]
    names = [name or f"unnamed_{at}" for at, name in enumerate(told, 1)]
    _refuse_twins(names, file, place)
    unnamed = [given for given, name in zip(names, told, strict=True) if not name]
    return names, [_unnamed(file, unnamed)] if unnamed else []


def _usual_width(below: str, dialect: Dialect, declared: int) -> int:
    """Return how many cells most of the first records have."""
    found = read_records(below[:HEAD], dialect, 0)
    counts = Counter(len(row) for row in found.rows[:1000])
    if declared in counts:
        return declared
    return counts.most_common(1)[0][0] if counts else max(declared, 1)


def _refuse_twins(names: Sequence[str], file: str, place: str, *, declared: bool = False) -> None:
    """Raise if two columns have one name; by position, as the first line may be data."""
    places: dict[str, list[int]] = {}
    for at, name in enumerate(names, 1):
        places.setdefault(name.lower(), []).append(at)
    twins = next((found for found in places.values() if len(found) > 1), None)
    if twins is None:
        return
    shown = " and ".join(map(str, twins[:5]))
    raise Qua3ckError(
        f"Columns {shown} of {file} have the same name (upper and lower case count as equal)",
        where=f"{place}.names" if declared else f"{place}.path, the header of {file}",
        fix="name all columns: names: [...], one per column, in the order of the file",
        code="U120",
    )


def _refuse_other_delimiter(
    text: str, declared: str, file: str, place: str, *, whole: bool
) -> None:
    other = other_delimiter(text, declared, whole=whole)
    if other is None:
        return
    raise Qua3ckError(
        f"{file} has no {NAMES.get(declared, declared)} that would part its columns, but "
        f"{NAMES[other]} would",
        where=f"{place}.delimiter",
        fix="correct delimiter:, or bring the file as the others are",
        code="U122",
    )


def _unnamed(file: str, names: Sequence[str]) -> Finding:
    return Finding(
        "U018",
        "inform",
        f"{file}, the header",
        f"{len(names)} columns have no name; they are called {', '.join(names[:5])}.",
        {"columns": list(names)},
    )


def _chained(first: bytes, chunks: Iterable[bytes]) -> Iterator[bytes]:
    if first:
        yield first
    yield from chunks


def _without_footer(chunks: Iterator[bytes], lines: int, into: list[str]) -> Iterator[bytes]:
    """Yield a text but for its last ``lines`` lines that are not blank; these go to ``into``."""
    if lines == 0:
        yield from chunks
        return
    waiting = b""
    for chunk in chunks:
        waiting += chunk
        cut = _before_last(waiting, lines)
        if cut:
            yield waiting[:cut]
            waiting = waiting[cut:]
        elif len(waiting) > LONGEST:
            break  # lines of this length are no footer
    text = waiting.decode("utf-8", "surrogateescape")
    into += [line.rstrip("\r\n") for line in io.StringIO(text, newline="") if line.strip(" \r\n")]


def _before_last(data: bytes, lines: int) -> int:
    """Return where the last ``lines`` filled lines begin; 0 if there are not more."""
    end = len(data)
    found = 0
    while end > 0:
        start = max(data.rfind(b"\n", 0, end - 1), data.rfind(b"\r", 0, end - 1)) + 1
        if data[start:end].strip(b" \r\n"):
            found += 1
            if found > lines:  # one more, as the last may go on in the next chunk
                return end
        end = start
    return 0
