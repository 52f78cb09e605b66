"""Records of delimited text: fast where a block of it is plain, exact where it is not.

A stream is cut into blocks that end where a record ends. In a plain block every quote stands
where quotes belong; Arrow reads it, and the rows it returns must equal the line ends outside
quotes, counted apart. Any other block, and any in which Arrow meets a row of another width, is
read record by record: what cannot be a record is set aside with its number and its text, and
reading goes on with the next line. So a bad line costs one block the time, and no other line.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from qua3ck.kit.errors import Qua3ckError

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa
    from numpy.typing import NDArray

BLOCK = 1 << 22  # bytes of text in one block
LONGEST = 1 << 25  # bytes of one record
_WIDE = 4_000  # bytes of a block per column, so that a wide table has many rows in one
_RAW = 1 << 20  # characters kept of a record that is set aside
_LINE, _RETURN = 10, 13
UNREADABLE = re.compile("[\ud800-\udfff\x00]")


@dataclass(frozen=True)
class Dialect:
    """How cells are told apart.

    Attributes
    ----------
    delimiter : str
        One character.
    quote : str, default '"'
        Around cells that hold a delimiter or a line end; empty: there is none.
    escape : str, optional
        Before a character that stands for itself; None: a quote in a quoted cell is doubled.
    comment : str, optional
        What lines begin with that are no records.
    loose : bool, default False
        Whether a record may lack empty cells at its end, or have more of them.
    """

    delimiter: str
    quote: str = '"'
    escape: str | None = None
    comment: str | None = None
    loose: bool = False


@dataclass(frozen=True)
class Wrong:
    r"""A record that is none.

    Attributes
    ----------
    number : int
        Of the record in its block, from 0.
    code : str
        U030 another count of cells, U031 quotes, U032 unreadable bytes.
    raw : str
        The text as received, unreadable bytes written as ``\xNN``.
    cells : int
        Cells found; 0 where they could not be told apart.
    """

    number: int
    code: str
    raw: str
    cells: int = 0


@dataclass
class Records:
    """What the exact reader found: records by number, and what is none."""

    rows: list[list[str]] = field(default_factory=list)
    numbers: list[int] = field(default_factory=list)
    wrong: list[Wrong] = field(default_factory=list)
    begins: list[int] = field(default_factory=list)
    count: int = 0
    rest: str = ""  # what follows the last whole record
    lines: int = 0  # read
    beyond_ascii: int = 0  # records with readable letters beyond ASCII


@dataclass(frozen=True)
class Block:
    """Some records.

    Attributes
    ----------
    text : bytes
        Theirs.
    plain : int or None
        How many a count apart found; None if the block is not plain.
    lines : int
        Lines of a plain block.
    begins : array of int, optional
        The lines in which its records begin, from 0; None if each is one line, below the other.
    records : Records or None
        If they were read already.
    """

    text: bytes
    plain: int | None = None
    lines: int = 0
    begins: NDArray[np.int64] | None = None
    records: Records | None = None


@dataclass(frozen=True)
class Parsed:
    """The cells of a block as text, one array per column.

    ``numbers`` are the records' numbers in the block; None where all are there in order.
    ``lines`` counts those of the block, ``begins`` has the line in which each record begins, from
    0; None if each record is one line and each line a record.
    """

    cells: list[pa.Array]
    count: int
    lines: int
    begins: NDArray[np.int64] | None = None
    numbers: NDArray[np.int64] | None = None
    wrong: Sequence[Wrong] = ()
    beyond_ascii: int = 0


def blocks(
    chunks: Iterable[bytes], dialect: Dialect, width: int, *, file: str, place: str
) -> Iterator[Block]:
    """Cut a stream of text into blocks that end where a record ends.

    Parameters
    ----------
    chunks : iterable of bytes
        UTF-8, from the first record on.
    dialect : Dialect
        How cells are told apart.
    width : int
        Columns.
    file, place : str
        Named in errors.

    Raises
    ------
    Qua3ckError
        If no line ends within 32 MB.
    """
    source = iter(chunks)
    wanted = max(BLOCK, min(width * _WIDE, LONGEST // 2))
    waiting = bytearray()
    size, ended = wanted, False
    while True:
        while not ended and len(waiting) < size:
            chunk = next(source, None)
            ended = chunk is None
            waiting += chunk or b""
        if not waiting:
            return
        final = ended and len(waiting) <= size
        forced = final or size >= LONGEST
        block, used = _cut(bytes(waiting[:size]), dialect, width, final=final, forced=forced)
        if block is None:
            size *= 2  # one record is longer than the block
            continue
        if used == 0:
            raise Qua3ckError(
                f"A line of {file} is longer than {LONGEST >> 20} MB",
                where=f"{place}.path",
                fix="look whether this is delimited text, and what ends its lines",
                code="U122",
            )
        yield block
        del waiting[:used]
        size = wanted


def parse(block: Block, dialect: Dialect, width: int) -> Parsed:
    """Return the cells of a block."""
    if block.plain is not None:
        fast = _by_arrow(block, dialect, width)
        if fast is not None:
            return fast
    records = block.records or read_records(_text(block.text), dialect, width)
    return _as_arrays(records, width)


def read_records(text: str, dialect: Dialect, width: int, *, final: bool = True) -> Records:
    """Read records one by one.

    Parameters
    ----------
    text : str
        Bytes that could not be decoded stand in it as surrogates.
    dialect : Dialect
        How cells are told apart.
    width : int
        Cells that a record must have; 0: any count.
    final : bool, default True
        Whether nothing follows; else what may go on is left as ``rest``.
    """
    csv.field_size_limit(max(csv.field_size_limit(), LONGEST))
    lines = list(io.StringIO(text, newline=""))
    doubtful = UNREADABLE.search(text) is not None
    found = Records()
    at = 0
    while at < len(lines):
        body = lines[at].rstrip("\r\n")
        if not final and at == len(lines) - 1 and not lines[at].endswith("\n"):
            break
        if _no_record(body, dialect, width):
            at += 1
            continue
        cells, taken = one_record(lines, at, dialect)
        if taken == 0 and not final:
            break
        raw = "".join(lines[at : at + max(taken, 1)]).rstrip("\r\n")
        found.begins.append(at)
        _note(found, cells, raw, dialect, width, doubtful=doubtful)
        at += max(taken, 1)
    found.rest, found.lines = "".join(lines[at:]), at
    return found


def shown(text: str) -> str:
    r"""Return text in which bytes that could not be decoded are written as ``\xNN``."""
    whole = text.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
    return whole[:_RAW].replace("\0", r"\x00")


def _no_record(body: str, dialect: Dialect, width: int) -> bool:
    if dialect.comment and body.startswith(dialect.comment):
        return True
    return width != 1 and not body.strip(" ")


def _note(
    found: Records,
    cells: list[str] | None,
    raw: str,
    dialect: Dialect,
    width: int,
    *,
    doubtful: bool,
) -> None:
    """Put one record where it belongs."""
    number = found.count
    found.count += 1
    if cells is None:
        found.wrong.append(Wrong(number, "U031", shown(raw)))
        return
    if doubtful and UNREADABLE.search(raw):
        found.wrong.append(Wrong(number, "U032", shown(raw), len(cells)))
        return
    if doubtful and not raw.isascii():
        found.beyond_ascii += 1
    fitted = cells if len(cells) == width or not width else _fitted(cells, dialect, width)
    if fitted is None:
        found.wrong.append(Wrong(number, "U030", shown(raw), len(cells)))
        return
    found.rows.append(fitted)
    found.numbers.append(number)


def _fitted(cells: list[str], dialect: Dialect, width: int) -> list[str] | None:
    """Return as many cells as wanted where only empty ones at the end stand between."""
    if not dialect.loose:
        return None
    if len(cells) < width:
        return [*cells, *[""] * (width - len(cells))]
    return None if any(cell.strip() for cell in cells[width:]) else cells[:width]


def one_record(lines: Sequence[str], at: int, dialect: Dialect) -> tuple[list[str] | None, int]:
    """Return the cells of the record that begins in a line, and its count of lines.

    None and 1 where something follows a closing quote, None and 0 where no quote closes it.
    Blanks between a delimiter and a quote are no part of the cell.
    """
    line = lines[at]
    quoted = bool(dialect.quote) and dialect.quote in line
    if not quoted and not (dialect.escape and dialect.escape in line):
        return line.rstrip("\r\n").split(dialect.delimiter), 1
    cells, taken = _quoted(lines, at, dialect, blanks=False)
    if not quoted or f"{dialect.delimiter} " not in line:
        return cells, taken
    if cells is None or any(cell[:1] == " " and _opens(cell, dialect) for cell in cells):
        again, other = _quoted(lines, at, dialect, blanks=True)
        if again is not None:
            return again, other
    return cells, taken


def _opens(cell: str, dialect: Dialect) -> bool:
    return cell.lstrip(" ").startswith(dialect.quote)


def _quoted(
    lines: Sequence[str], at: int, dialect: Dialect, *, blanks: bool
) -> tuple[list[str] | None, int]:
    taken = 0
    ended = False

    def following() -> Iterator[str]:
        nonlocal taken, ended
        for number in range(at, len(lines)):
            taken += 1
            yield lines[number]
        ended = True

    try:
        return next(_reader(following(), dialect, blanks=blanks)), taken
    except (csv.Error, StopIteration):
        return None, 0 if ended else 1


def _reader(lines: Iterable[str], dialect: Dialect, *, blanks: bool = False) -> Iterator[list[str]]:
    return csv.reader(
        lines,
        delimiter=dialect.delimiter,
        quotechar=dialect.quote or None,
        quoting=csv.QUOTE_MINIMAL if dialect.quote else csv.QUOTE_NONE,
        escapechar=dialect.escape,
        doublequote=True,
        skipinitialspace=blanks,
        strict=True,
    )


def _cut(
    data: bytes, dialect: Dialect, width: int, *, final: bool = False, forced: bool = False
) -> tuple[Block | None, int]:
    """Return the whole records at the start of ``data`` and their bytes; None if there are none.

    ``forced``: if no record ends in all these data, a quote in the first line is given up.
    """
    found = _plain_end(data, dialect, width, final=final)
    if found is not None:
        end, count, lines, begins = found
        if end or not forced:
            return (Block(data[:end], count, lines, begins) if end else None), end
    else:
        records = read_records(_text(data), dialect, width, final=final)
        used = len(data) - len(records.rest.encode("utf-8", "surrogateescape"))
        if used or not forced:
            return (Block(data[:used], records=records) if used else None), used
    line = data.find(b"\n") + 1 or data.find(b"\r") + 1 or (len(data) if final else 0)
    return Block(data[:line], records=read_records(_text(data[:line]), dialect, width)), line


def _text(data: bytes) -> str:
    return data.decode("utf-8", "surrogateescape")


def _plain_end(
    data: bytes, dialect: Dialect, width: int, *, final: bool
) -> tuple[int, int, int, NDArray[np.int64] | None] | None:
    """Return end, records, lines and begins of a block as far as its records are whole.

    None if it is not plain.
    """
    import numpy as np

    signs = dialect.delimiter + dialect.quote
    if dialect.comment or not signs.isascii() or data.startswith(b"\xef\xbb\xbf"):
        return None
    if 0 in data or (dialect.escape and dialect.escape.encode() in data):
        return None
    letters = np.frombuffer(data, np.uint8)
    quotes = _well_placed(letters, dialect)
    if quotes is None:
        return None
    every = _line_ends(letters, final=final)
    ends = every
    if quotes.size:
        ends = every[(np.searchsorted(quotes, ends) & 1) == 0]
    final = final and not quotes.size % 2  # else a quote stays open: up to there
    if not ends.size:
        return (len(data), 1, 1, None) if final else (0, 0, 0, None)
    lengths = np.diff(ends, prepend=-1) - 1
    lengths -= (lengths > 0) & (letters[ends] == _LINE) & (letters[ends - 1] == _RETURN)
    filled = np.ones(ends.size, bool) if width == 1 else lengths > 0
    end = int(ends[-1]) + 1
    lines = int(np.searchsorted(every, end)) if every.size > ends.size else int(ends.size)
    if final and end < len(data):  # a last line that nothing ends
        ends, filled = np.append(ends, len(data)), np.append(filled, True)
        end, lines = len(data), lines + 1
    count = int(np.count_nonzero(filled))
    if count == lines:
        return end, count, lines, None
    first = np.concatenate([[0], ends[:-1] + 1])[filled]
    return end, count, lines, np.searchsorted(every, first)


def _well_placed(letters: NDArray[np.uint8], dialect: Dialect) -> NDArray[np.int64] | None:
    """Return where quotes stand; None if one stands where it neither opens nor closes a cell."""
    import numpy as np

    if not dialect.quote:
        return np.empty(0, np.int64)
    found = np.flatnonzero(letters == ord(dialect.quote))
    if not found.size:
        return found
    edges = np.zeros(256, bool)
    edges[[_LINE, _RETURN, ord(dialect.delimiter)]] = True
    opening, closing = found[0::2], found[1::2]
    doubled = opening[1:] == closing[: opening.size - 1] + 1
    opens = edges[letters[opening - 1]] | (opening == 0)
    opens[1:] |= doubled
    closes = edges[letters[np.minimum(closing + 1, letters.size - 1)]]
    closes |= closing + 1 == letters.size
    closes[: doubled.size] |= doubled
    return found if opens.all() and closes.all() else None


def _line_ends(letters: NDArray[np.uint8], *, final: bool) -> NDArray[np.int64]:
    """Return where lines end: at a line feed, or a carriage return that none follows."""
    import numpy as np

    feeds = np.flatnonzero(letters == _LINE)
    returns = np.flatnonzero(letters == _RETURN)
    if not returns.size:
        return feeds
    known = returns if final else returns[returns < letters.size - 1]
    following = letters[np.minimum(known + 1, letters.size - 1)]
    alone = known[(following != _LINE) | (known == letters.size - 1)]
    return np.sort(np.concatenate([feeds, alone])) if alone.size else feeds


def _by_arrow(block: Block, dialect: Dialect, width: int) -> Parsed | None:
    """Return the cells that Arrow reads; None unless it finds every record, each with all cells."""
    import pyarrow as pa
    from pyarrow import csv as arrow_csv

    if not block.plain:
        return Parsed([pa.array([], pa.string())] * width, 0, block.lines, block.begins)
    names = [str(number) for number in range(width)]
    ragged = False

    def other_width(row: arrow_csv.InvalidRow) -> str:
        nonlocal ragged
        del row
        ragged = True
        return "skip"

    try:
        table = arrow_csv.read_csv(
            pa.BufferReader(block.text),
            read_options=arrow_csv.ReadOptions(
                column_names=names, use_threads=False, block_size=len(block.text) + 1
            ),
            parse_options=arrow_csv.ParseOptions(
                delimiter=dialect.delimiter,
                quote_char=dialect.quote or False,
                newlines_in_values=True,
                ignore_empty_lines=width != 1,
                invalid_row_handler=other_width,
            ),
            convert_options=arrow_csv.ConvertOptions(
                column_types=dict.fromkeys(names, pa.string()),
                strings_can_be_null=False,
                null_values=[],  # no column needs them, and each would keep its own index of them:
                true_values=[],  # 10 kB, at 20,000 columns 200 MB for each block at work
                false_values=[],
            ),
        )
    except pa.ArrowException:
        return None
    if ragged or table.num_rows != block.plain:
        return None
    cells = [column.combine_chunks() for column in table.columns]
    return Parsed(cells, table.num_rows, block.lines, block.begins)


def _as_arrays(records: Records, width: int) -> Parsed:
    import numpy as np
    import pyarrow as pa

    columns = zip(*records.rows, strict=True) if records.rows else [[]] * width
    cells = [pa.array(column, pa.string()) for column in columns]
    numbers = np.array(records.numbers, np.int64)
    lined = records.lines == records.count
    begins = None if lined else np.array(records.begins, np.int64)
    return Parsed(
        cells, records.count, records.lines, begins, numbers, records.wrong, records.beyond_ascii
    )
