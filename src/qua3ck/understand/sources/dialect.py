"""Which character parts the cells: judged by how evenly the text falls apart under it."""

from __future__ import annotations

import csv
import io
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial

from qua3ck.kit.errors import Qua3ckError
from qua3ck.understand.sources.records import Dialect, read_records

DELIMITERS = (",", ";", "\t", "|")
NAMES = {",": "a comma", ";": "a semicolon", "\t": "a tab", "|": "a bar"}
_HEAD = 200_000  # characters looked at


def decide_delimiter(text: str, *, quote: str = '"', whole: bool, file: str, place: str) -> str:
    """Return the delimiter under which the head of a file has equal counts of cells.

    Parameters
    ----------
    text : str
        The head, from the header on.
    whole : bool
        Whether it is the whole file.

    Raises
    ------
    Qua3ckError
        If none or several fit.
    """
    head, whole = text[:_HEAD], whole and len(text) <= _HEAD
    counts = {mark: _cell_counts(head, mark, quote, whole=whole) for mark in DELIMITERS}
    even = [mark for mark, seen in counts.items() if len(set(seen)) == 1 and seen[0] > 1]
    if len(even) == 1:
        return even[0]
    if not even:
        if all(set(seen) <= {1} for seen in counts.values()):
            return ","  # one column
        near = [mark for mark, seen in counts.items() if seen and seen[0] > 1]
        if len(near) == 1:
            return near[0]  # ragged rows: they will be held
    fits = " and ".join(NAMES[mark] for mark in even) if even else "none of , ; tab |"
    raise Qua3ckError(
        f"The delimiter of {file} cannot be decided: {fits} would fit",
        where=f"{place}.delimiter",
        fix='declare it, such as: delimiter: ";"; qua3ck load --propose says what fits best',
        code="U102",
    )


def other_delimiter(text: str, declared: str, *, whole: bool) -> str | None:
    """Return a usual delimiter that parts every line evenly where the declared one parts none."""
    for mark in DELIMITERS:
        seen = _cell_counts(text[:_HEAD], mark, '"', whole=whole and len(text) <= _HEAD)
        if mark != declared and len(seen) > 1 and len(set(seen)) == 1 and seen[0] > 1:
            return mark
    return None


def _cell_counts(head: str, mark: str, quote: str, *, whole: bool) -> list[int]:
    counts: list[int] = []
    # The head may end inside quotes, or quotes may not suit this delimiter: count what came.
    with suppress(csv.Error):
        counts.extend(len(record) for record in _records(head, mark, quote) if record)
    return counts if whole or len(counts) < 2 else counts[:-1]


def _records(text: str, mark: str, quote: str) -> Iterator[list[str]]:
    csv.field_size_limit(max(csv.field_size_limit(), len(text), 1))
    return csv.reader(
        io.StringIO(text, newline=""),
        delimiter=mark,
        quotechar=quote or None,
        quoting=csv.QUOTE_MINIMAL if quote else csv.QUOTE_NONE,
        strict=True,
    )


# -- what a text looks like ----------------------------------------------------------------------

_PRIOR = {  # how far to believe a delimiter that fits; others stand in text for other reasons
    **dict.fromkeys(",;\t|", 1.0),
    **dict.fromkeys("\x1f\x1e\x01^~§¦", 0.95),
    **dict.fromkeys(":#&!@$*", 0.5),
    " ": 0.6,
    "/": 0.4,
}
_RARE = 0.4
_LINES = 600
_SLIPS = 0.1  # broken records among those with quotes that are slips, not the rule
_SHOWN = 12_000  # characters given to CleverCSV, whose time grows with them
_VALUE = re.compile(
    r"""(?ix)
    [-+]?[$€£¥₹]?\s?[-+]?(\d{1,3}([., '\u00a0\u202f’]\d{3})+|\d+)([.,]\d+)?([eE][-+]?\d+)?\s?[%€$£]?
    | \(\d[\d.,]*\) | [-+]?[.,]\d+
    | \d{1,4}[-/.]\d{1,2}[-/.]\d{1,4}
      ([ T]\d{1,2}:\d{2}(:\d{2}(\.\d+)?)?(\s?[ap]m)?(Z|[-+]\d\d:?\d\d)?)?
    | \d{1,2}[-\ /.][a-z]{3,9}[-\ /.,]+\d{2,4} | [a-z]{3,9}\.?\ \d{1,2},\ \d{4}
    | \d{1,2}:\d{2}(:\d{2}([.,]\d+)?)?(\s?[ap]m)?
    | true|false|yes|no|n/?a|null|none|nan|-+|\?
    | [\w.+-]+@[\w-]+(\.[\w-]+)+ | (https?|ftp)://\S+ | www\.\S+
    """
)
_DATE = re.compile(r"\d[-/.:]\d+[-/.:]\d|\d[-/ .][A-Za-z]{3}|[A-Za-z]{3}\.? \d+,|:\d\d")
_QUOTED = re.compile(r'"(?:[^"]|"")*"')
_PLAIN = re.compile(r"[^\t|;,:^~\"]*")
_COMMAS = re.compile(r"[^\t|;^~\"]*")


@dataclass(frozen=True)
class Judged:
    """A dialect and how well a text falls apart under it.

    Attributes
    ----------
    dialect : Dialect
        The one judged.
    width : int
        Cells that most records have.
    even : float
        Share of records that have so many; those with another count, but several, count half.
    typed : float
        How much the cells look like values, each column like one kind of them; in [0, 1].
    records : int
        Records looked at.
    score : float
        All together.
    voters : tuple of str
        Detectors that name the same.
    broken, quoted : int
        Records whose quotes open and do not close, or close too early; others with quotes.
    """

    dialect: Dialect
    width: int
    even: float
    typed: float
    records: int
    score: float
    voters: tuple[str, ...] = ()
    broken: int = 0
    quoted: int = 0


def judge_dialects(text: str, votes: Mapping[str, Dialect]) -> list[Judged]:
    """Return the dialects that a text could be in, the best first.

    Parameters
    ----------
    text : str
        Its head, whole lines.
    votes : mapping
        What detectors think: candidates that are judged as all others, by how evenly the
        records fall apart and how much the cells look like values. A vote only breaks a tie.

    Notes
    -----
    One record whose quote does not close is a broken record (the last one of a file that was
    cut off, a slip of the pen), never a reason to take the quotes of all others for text.
    """
    head = "".join(text.splitlines(keepends=True)[:_LINES])
    votes = {name: _seen_quote(one, head) for name, one in votes.items()}
    candidates = dict.fromkeys([*_candidates(head), *votes.values()])
    judged = [_judged(head, one, votes) for one in candidates]
    judged = [one for one in judged if one.width > 1]
    judged = [one for one in judged if one.dialect.quote or not _only_slips(one, judged)]
    alone = _one_column(head)
    return sorted([*judged, alone], key=lambda one: (-one.score, -one.width))


def detectors(text: str) -> dict[str, Dialect]:
    """Return what CleverCSV and Python's sniffer take a text's dialect for."""
    import clevercsv

    found: dict[str, Dialect] = {}
    head = text[:_SHOWN]
    with suppress(Exception):  # a detector that fails has no vote; whatever it fails with
        clever = clevercsv.Detector().detect(head)
        if clever is not None and len(clever.delimiter or "") == 1:
            found["CleverCSV"] = Dialect(
                clever.delimiter, clever.quotechar or "", clever.escapechar or None
            )
    with suppress(csv.Error):
        sniffed = csv.Sniffer().sniff(head)
        if sniffed.delimiter in _PRIOR:
            found["Python's sniffer"] = Dialect(sniffed.delimiter, sniffed.quotechar or '"')
    return found


def looks_like_value(cell: str) -> bool:
    """Whether a cell is a number, date, time, truth value, marker, address: not just words."""
    return _VALUE.fullmatch(cell.strip()) is not None


def kind_of_cell(cell: str) -> str:
    """Return a coarse kind: empty, number, date, value, word."""
    text = cell.strip()
    if not text:
        return "empty"
    if not _VALUE.fullmatch(text):
        return "word"
    if _DATE.search(text):
        return "date"
    return "number" if re.search(r"\d", text) and "@" not in text and "/" not in text else "value"


def _seen_quote(dialect: Dialect, head: str) -> Dialect:
    """Return a dialect with the usual quote if its own does not occur."""
    if dialect.quote and dialect.quote in head:
        return dialect
    return replace(dialect, quote="" if '"' in head else '"', escape=None)


def _candidates(head: str) -> Iterator[Dialect]:
    lines = [line for line in head.splitlines() if line.strip()] or [""]
    for mark in _PRIOR:
        if sum(mark in line for line in lines) * 3 < len(lines):
            continue
        for quote in ('"', "'"):
            if quote == '"' or len(re.findall(rf"(^|{re.escape(mark)}) *'", head, re.M)) > 1:
                yield Dialect(mark, quote)
                if "\\" + quote in head:
                    yield Dialect(mark, quote, "\\")
        if '"' in head:
            yield Dialect(mark, "")


def _judged(head: str, dialect: Dialect, votes: Mapping[str, Dialect]) -> Judged:
    found = read_records(head, dialect, 0)
    rows = [row for row in found.rows if any(cell.strip() for cell in row)]
    total = len(rows) + len(found.wrong)
    counts = Counter(len(row) for row in rows if len(row) > 1)
    if not counts:
        return Judged(dialect, 1, 0.0, 0.0, total, 0.0)
    width = max(counts, key=lambda one: (counts[one] * (1 - 1 / one), one))
    even = (counts[width] + 0.5 * (counts.total() - counts[width])) / total
    body = [row for row in rows if len(row) == width]
    typed = _typed(body, dialect)
    if dialect.delimiter == " " and not any(map(looks_like_value, body[-1])):
        typed *= 0.5  # words of a sentence
    voters = tuple(name for name, one in votes.items() if _alike(one, dialect))
    prior = _PRIOR.get(dialect.delimiter, _RARE)
    odd = 0.0 if dialect.quote == '"' and dialect.escape is None else 0.001
    score = prior * even * typed * (1 - 0.25 / width) - odd + 0.002 * len(voters)
    broken = sum(one.code == "U031" for one in found.wrong)
    quoted = sum(dialect.quote in line for line in head.splitlines()) if dialect.quote else 0
    return Judged(
        dialect, width, even, typed, total, score, voters, broken, max(quoted - broken, 0)
    )


def _only_slips(bare: Judged, judged: Sequence[Judged]) -> bool:
    """Whether with quotes the same text falls apart as well, but for a few broken records."""
    return any(
        one.dialect.quote == '"'
        and one.dialect.delimiter == bare.dialect.delimiter
        and one.width == bare.width
        and one.broken <= max(1, one.quoted * _SLIPS)
        for one in judged
    )


def _alike(one: Dialect, other: Dialect) -> bool:
    same_quote = (one.quote or '"') == (other.quote or '"')
    return one.delimiter == other.delimiter and same_quote and one.escape == other.escape


def _typed(rows: Sequence[Sequence[str]], dialect: Dialect) -> float:
    """Return how much cells look like values, and columns like one kind of them; in [0, 1]."""
    cells = [cell for row in rows for cell in row]
    plain = _COMMAS if dialect.delimiter != "," else _PLAIN
    fine = sum(map(partial(_fine, plain=plain, dialect=dialect), cells)) / len(cells)
    below = rows[1:] or rows
    alike = []
    for column in zip(*below, strict=True):
        kinds = Counter(kind_of_cell(cell) for cell in column)
        kinds.pop("empty", None)
        alike.append(max(kinds.values()) / kinds.total() if kinds else 0.7)
    return 0.6 * fine + 0.4 * sum(alike) / len(alike)


def _fine(cell: str, *, plain: re.Pattern[str], dialect: Dialect) -> float:
    """Return how much a cell looks like one: not like several, nor like a part of one."""
    text = cell.strip()
    if not text:
        return 0.2 if dialect.delimiter == " " else 0.8  # blanks side by side only align
    if _VALUE.fullmatch(text):
        return 1.0
    if text[0] in "\"'" and dialect.quote != text[0] and text[0] in ('"', text[-1]):
        return 0.1  # quotes that are none under this dialect
    if dialect.escape is None and '\\"' in text:
        return 0.3
    if text.count('"') % 2:
        return 0.3 if dialect.quote != '"' else 0.7
    return 0.9 if plain.fullmatch(text) else 0.7


def _one_column(head: str) -> Judged:
    """Return how well a text reads as one column.

    Well if its lines are values, or each is one quoted cell; poorly if a usual delimiter
    stands in most of them, quoted ones apart.
    """
    unused = next((mark for mark in (*DELIMITERS, "\x1f") if mark not in head), ",")
    dialect = Dialect(unused)
    lines = [line.strip() for line in head.splitlines() if line.strip()] or [""]
    cells = [row[0] for row in read_records(head, dialect, 0).rows if row] or lines
    below = cells[1:] or cells
    values = sum(map(looks_like_value, below)) / len(below)
    bare = [_QUOTED.sub("", line) for line in lines]
    quoted = sum(not line for line in bare) / len(lines)
    parted = max(sum(mark in line for line in bare) for mark in DELIMITERS) / len(lines)
    score = min(0.4 * (1 - 0.5 * parted) + 0.45 * max(values, quoted), 0.85)
    return Judged(dialect, 1, 1.0, values, len(cells), score)
