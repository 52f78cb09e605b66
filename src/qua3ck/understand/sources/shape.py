"""What surrounds the table in a text: lines before its header, the header's lines, lines below.

Told from the table itself. Columns that mostly hold numbers or dates show where the records
begin: the first line that has such values there. The lines right above it that have words in
these places are the header; what stands further up is a preamble. At the end, a total or a note
is told by its words, by a blank line above it, or by having the first cell alone.
"""

from __future__ import annotations

import io
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import zip_longest
from statistics import median

from qua3ck.understand.sources.cells import is_known_marker
from qua3ck.understand.sources.dialect import kind_of_cell
from qua3ck.understand.sources.layout import TOTALS, header_is_data
from qua3ck.understand.sources.records import Dialect, one_record

_TOP = 60  # records among which the header is looked for
_BOTTOM = 40
_LEVELS = 4
_GAP = 5  # records without values right below the header
_ENOUGH = 10  # records that say whether words come again
_MOSTLY = 0.7
_FORMAL = {"number", "date"}


@dataclass(frozen=True)
class Row:
    """One record of a text with the line it begins in (from 0); blank lines have no cells."""

    line: int
    lines: int
    cells: tuple[str, ...] | None

    @property
    def filled(self) -> int:
        """How many cells are not blank."""
        return sum(bool(cell.strip()) for cell in self.cells or ())


@dataclass(frozen=True)
class Shape:
    """Where a table stands in a text.

    Attributes
    ----------
    skip, header, footer : int
        As declared for a source.
    comment : str or None
        What lines that are no records begin with.
    loose : bool
        Whether records lack empty cells at their end.
    width : int
        Columns.
    names : tuple of str
        To be declared; empty if the header says them well.
    why : dict
        Key to a sentence of evidence.
    body : list of tuple of str
        The records' cells.
    """

    skip: int
    header: int
    footer: int
    comment: str | None
    loose: bool
    width: int
    names: tuple[str, ...]
    why: dict[str, str]
    body: list[tuple[str, ...]]


def rows_of(text: str, dialect: Dialect) -> list[Row]:
    """Return all records of a text with their lines; one that cannot be read has cells None."""
    lines = list(io.StringIO(text, newline=""))
    found: list[Row] = []
    at = 0
    while at < len(lines):
        if not lines[at].strip(" \r\n"):
            found.append(Row(at, 1, ()))
            at += 1
            continue
        cells, taken = one_record(lines, at, dialect)
        taken = max(taken, 1)
        found.append(Row(at, taken, None if cells is None else tuple(cells)))
        at += taken
    return found


def find_shape(head: str, tail: str | None, dialect: Dialect) -> Shape:
    """Return where the table stands in a text.

    Parameters
    ----------
    head : str
        Its first lines.
    tail : str, optional
        Its last lines; None if ``head`` is all of it.
    dialect : Dialect
        As decided.
    """
    rows = rows_of(head, dialect)
    comment = _comment(rows)
    rows = [row for row in rows if not _is_comment(row, comment)]
    below = rows if tail is None else rows_of(tail, dialect)[1:]  # its first line may be cut
    width = _width(rows)
    width = _wider_header(rows, width)
    kinds = _kinds(rows, width)
    why: dict[str, str] = {}
    start, top = _header(rows, width, kinds, why)
    body = [row for row in rows[start:] if row.cells]
    footer, cut = _footer(below, width, kinds, why)
    if tail is None and cut:
        body = body[: len(body) - cut]
    heading = [row for row in rows[top:start] if row.cells]
    closed = head.endswith(("\n", "\r"))  # else the last line may be cut off
    if _ends_with_delimiter(heading, body, width):
        width -= 1
    across = max((len(row.cells or ()) for row in heading), default=width)
    if across > width:
        kinds += [""] * (across - width)
        width = across
    loose = _is_loose(body if closed else body[:-1], width, kinds, why)
    names, width = _names(heading, body, width, why)
    skip = _skip(rows, top, start, why)
    if comment:
        why["comment"] = f'lines that begin with "{comment}" have other cells than the table'
    cells = [row.cells for row in body if row.cells]
    return Shape(skip, len(heading), footer, comment, loose, width, names, why, cells)


def _comment(rows: Sequence[Row]) -> str | None:
    """Return ``#`` if the text begins with lines that begin so and have other cells."""
    filled = [row for row in rows if row.cells]
    marked = [row for row in filled if _is_comment(row, "#")]
    others = [row for row in filled if not _is_comment(row, "#")]
    if not marked or marked[0] is not filled[0] or len(others) < 2:
        return None
    usual = _width(others)
    alike = sum(len(row.cells or ()) == usual for row in marked)
    return None if usual == 1 or alike * 2 > len(marked) else "#"


def _is_comment(row: Row, comment: str | None) -> bool:
    return bool(comment and row.cells and row.cells[0].startswith(comment))


def _width(rows: Sequence[Row]) -> int:
    counts = Counter(len(row.cells) for row in rows if row.cells and row.filled)
    if not counts:
        return 1
    return max(counts, key=lambda one: (counts[one] * (1 - 1 / (one + 1)), one))


def _wider_header(rows: Sequence[Row], width: int) -> int:
    """Return the width of a first line with more names than most records have cells.

    Records may lack empty cells at their end; then the header knows how many there are.
    """
    filled = [row for row in rows if row.cells]
    first = filled[0].cells if filled and filled[0].cells else ()
    names = {cell.strip().lower() for cell in first}
    worded = all(kind_of_cell(cell) == "word" and len(cell) <= 60 for cell in first)
    if len(first) <= width or width < 2 or not worded or len(names) < len(first):
        return width
    below = [len(row.cells or ()) for row in filled[1:]]
    return len(first) if all(one <= len(first) for one in below) else width


def _kinds(rows: Sequence[Row], width: int) -> list[str]:
    """Return for each column what most of its cells are: number, date, word ...; "" if mixed."""
    usual = _width(rows)
    full = [row.cells for row in rows if row.cells and usual <= len(row.cells) <= width]
    lower = full[max(min(len(full) // 3, 10), 1) :] or full
    kinds = []
    for column in zip_longest(*lower, fillvalue=""):
        counts = Counter(kind_of_cell(cell) for cell in column)
        counts.pop("empty", None)
        best, times = counts.most_common(1)[0] if counts else ("", 0)
        kinds.append(best if counts and times >= _MOSTLY * counts.total() else "")
    return kinds + [""] * (width - len(kinds))


def _header(
    rows: Sequence[Row], width: int, kinds: Sequence[str], why: dict[str, str]
) -> tuple[int, int]:
    """Return the places of the first record and of the first line of the header."""
    formal = [at for at, kind in enumerate(kinds) if kind in _FORMAL]
    usual = median([row.filled for row in rows if row.cells and len(row.cells) == width] or [1])
    first = _first_data(rows, width, kinds, formal) if formal else None
    if first is None:
        return _header_of_words(rows, width, usual, why)
    top = _heading_above(rows, first, width, usual, formal)
    whole = _first_whole(rows[:top], width, usual)
    if whole is not None:
        why["header"] = "1 line: the first with a word in every place"
        return whole + 1, whole
    if top == first:
        cells = rows[first].cells or ()
        if not header_is_data(cells) and first + 1 < len(rows):
            why["header"] = "the first line counts or lists years, as the names of columns do"
            return first + 1, first
        shown = ", ".join(str(at + 1) for at in formal[:5])
        why["header"] = (
            f"none: the first line has values where the lines below have (columns {shown})"
        )
        return first, first
    shown = ", ".join(str(at + 1) for at in formal[:5])
    lines = sum(bool(row.cells) for row in rows[top:first])
    why["header"] = (
        f"{lines} line{'s' if lines > 1 else ''} of words above columns of values (columns {shown})"
    )
    return first, top


def _first_whole(rows: Sequence[Row], width: int, usual: float) -> int | None:
    """Return the place of the first line with a word in each place: no line of a preamble."""
    for place, row in enumerate(rows):
        if len(row.cells or ()) == width > 2 and row.filled >= max(3, min(usual, width)):
            return place
    return None


def _first_data(
    rows: Sequence[Row], width: int, kinds: Sequence[str], formal: Sequence[int]
) -> int | None:
    """Return the place of the first record that has values where most have."""
    usual = min(_width(rows), width)
    named = False  # whether a line came that may be a header
    for place, row in enumerate(rows[:_TOP]):
        cells = row.cells or ()
        if not usual <= len(cells) <= width:
            continue
        there = [at for at in formal if at < len(cells) and cells[at].strip()]
        there = [at for at in there if not is_known_marker(cells[at])]
        right = [at for at in there if kind_of_cell(cells[at]) == kinds[at]]
        # Of two values below a heading one may be anything; more must mostly be what they are.
        least = 1 if named and len(there) == 2 else _MOSTLY * len(there)
        if not right or len(right) < least:
            named = named or row.filled * 2 >= width
        elif named or header_is_data(cells) or not _more(rows, place):
            return _first_short(rows, place, kinds, formal)
    return None


def _first_short(
    rows: Sequence[Row], place: int, kinds: Sequence[str], formal: Sequence[int]
) -> int:
    """Return the first of the records right above.

    They have fewer cells, markers in place of values, or none at all below a line of words.
    """
    found = place
    for above in range(place - 1, -1, -1):
        cells = rows[above].cells or ()
        there = [at for at in formal if at < len(cells) and cells[at].strip()]
        fits = [kind_of_cell(cells[at]) == kinds[at] or is_known_marker(cells[at]) for at in there]
        if fits and all(fits):
            found = above
        elif fits:
            return above + 1 if all(rows[at].cells for at in range(above, found)) else found
        elif not cells or place - above > _GAP:
            break
    return found


def _more(rows: Sequence[Row], place: int) -> bool:
    cells = rows[place].cells or ()
    return any(row.cells and len(row.cells) == len(cells) for row in rows[place + 1 :])


def _heading_above(
    rows: Sequence[Row], first: int, width: int, usual: float, formal: Sequence[int]
) -> int:
    """Return the place of the topmost line that belongs to the header."""
    place = first - 1
    while place >= 0 and not rows[place].cells:
        place -= 1  # blank lines between header and records
    if place < 0:
        return first
    bottom = rows[place]
    above = rows[place - 1] if place else None
    units = _is_units(bottom, above, width, usual)
    if not units and not _may_name(bottom, width, usual):
        return first
    top = place - 1 if units else place
    while top > 0 and place - top < _LEVELS - 1 and _spans(rows[top - 1], rows[top], width, formal):
        top -= 1
    return top


def _may_name(row: Row, width: int, usual: float) -> bool:
    """Whether a line could hold the names of the columns."""
    cells = row.cells or ()
    near = len(cells) == width or (len(cells) in {width - 1, width + 1} and width > 2)
    return near and row.filled >= max(1, 0.5 * min(usual, width))


def _is_units(row: Row, above: Row | None, width: int, usual: float) -> bool:
    """Whether a line has only some words, such as (USD), below one with a word in each place."""
    return (
        above is not None
        and len(row.cells or ()) == width
        and 0 < row.filled < 0.5 * min(usual, width)
        and _may_name(above, width, usual)
        and row.filled < above.filled
    )


def _spans(row: Row, below: Row, width: int, formal: Sequence[int]) -> bool:
    """Whether a line is an upper level of the header: words that stand above several columns."""
    cells = row.cells or ()
    if len(cells) != width or width < 3 or row.filled < 2:
        return False
    placed = [at for at, cell in enumerate(cells) if cell.strip()]
    names = [cell.strip().lower() for cell in below.cells or ()]
    twins = len({*names}) < len(names)
    inner = any(at >= 2 for at in placed)
    above_values = any(at in formal or at > min(formal, default=0) for at in placed)
    return inner and above_values and (twins or row.filled < below.filled or row.filled == width)


def _header_of_words(
    rows: Sequence[Row], width: int, usual: float, why: dict[str, str]
) -> tuple[int, int]:
    """Return the places of first record and header of a table that holds words alone."""
    places = [
        place
        for place, row in enumerate(rows[:_TOP])
        if row.cells and len(row.cells) == width and row.filled >= max(1, 0.8 * min(usual, width))
    ]
    if not places:
        places = [place for place, row in enumerate(rows) if row.cells] or [0]
    top = places[0]
    below = [row.cells for row in rows[top + 1 :] if row.cells and len(row.cells) == width]
    again = [
        cell.strip().lower() in {one[at].strip().lower() for one in below}
        for at, cell in enumerate(rows[top].cells or () if rows else ())
        if below and cell.strip()
    ]
    if len(below) >= _ENOUGH and any(again) and not all(again):
        why["header"] = "none: words of the first line come again below"
        return top, top
    why["header"] = "1 line: the first with a word in every place; the table holds words alone"
    return top + 1, top


def _names(
    heading: Sequence[Row], body: Sequence[Row], width: int, why: dict[str, str]
) -> tuple[tuple[str, ...], int]:
    """Return names that must be declared because the header does not say them, and the width."""
    from qua3ck.understand.sources.sheet import Line, levels

    if not heading:
        why["names"] = "there is no header: give the columns names that say what they are"
        return tuple(f"column_{at}" for at in range(1, width + 1)), width
    rows = [[cell.strip() for cell in row.cells or ()] for row in heading]
    across = max(map(len, rows))
    above = levels([Line(at, row) for at, row in enumerate(rows)], across, (), 1)
    told = [" ".join(dict.fromkeys(part for part in one if part)) for one in above]
    if across == width - 1 and all(len(row.cells or ()) == width for row in body[:50]):
        why["names"] = "every record has one cell more than the header: the first names the row"
        return ("row_name", *_told_apart(told)), width
    apart = _told_apart(told)
    if apart != told:
        why["names"] = "the header has one name for several columns; they are numbered"
        return tuple(apart), across
    return (), across


def _told_apart(names: Sequence[str]) -> list[str]:
    """Return names with a number behind those that came before; unnamed ones by their place."""
    seen: Counter[str] = Counter()
    given: list[str] = []
    twins = Counter(name.lower() for name in names if name)
    if max(twins.values(), default=0) < 2:
        return list(names)
    taken = {name.lower() for name in names}
    for at, name in enumerate(names, 1):
        plain = name or f"unnamed_{at}"
        seen[plain.lower()] += 1
        number = seen[plain.lower()]
        new = plain if number == 1 else f"{plain}_{number}"
        while number > 1 and new.lower() in taken:
            number += 1
            new = f"{plain}_{number}"
        taken.add(new.lower())
        given.append(new)
    return given


def _skip(rows: Sequence[Row], top: int, start: int, why: dict[str, str]) -> int:
    """Return how many lines stand before the header; blank lines alone need not be declared."""
    if not rows or not any(row.cells or row.cells is None for row in rows[:top]):
        why["skip"] = "0 lines: the file begins with the table"
        return 0
    place = min(top, len(rows) - 1)
    line = rows[place].line
    filled = sum(bool(row.cells) or row.cells is None for row in rows[:top])
    why["skip"] = (
        f"{line} lines stand before {'the header' if start > top else 'the records'}; "
        f"{filled} of them are filled, with fewer cells than the table"
    )
    return line


def _footer(
    rows: Sequence[Row], width: int, kinds: Sequence[str], why: dict[str, str]
) -> tuple[int, int]:
    """Return how many filled lines and how many records at the end are none of the table's."""
    filled = [place for place, row in enumerate(rows) if row.cells != ()]
    usual = median([rows[at].filled for at in filled] or [1])
    first_cells = [
        len(cells[0]) for at in filled[:-_BOTTOM] or filled[:-2] if (cells := rows[at].cells)
    ]
    longest = max(first_cells, default=0)
    lines = records = 0
    reasons: list[str] = []
    pending: list[tuple[int, str]] = []
    for place in reversed(filled[2:][-_BOTTOM:]):
        row = rows[place]
        if lines and not pending and row.cells and not row.filled:
            lines, records = lines + row.lines, records + 1  # an empty one above the notes
            continue
        reason = _not_a_record(row, width, kinds, usual, longest)
        blank = rows[place - 1].cells == ()
        if reason is None:
            break
        if lines and not pending and reason == "other cells" and len(row.cells or ("",)) == 1:
            lines, records = lines + row.lines, records + 1  # a heading or rule above the notes
            continue
        pending.append((row.lines, reason))
        if reason != "other cells" or blank:
            lines += sum(one for one, _ in pending)
            records += len(pending)
            reasons += [one for _, one in pending if one != "other cells"]
            reasons += ["a blank line above"] if blank else []
            pending = []
    if lines:
        said = ", ".join(dict.fromkeys(reasons))
        why["footer"] = f"{lines} lines at the end are no records: {said}"
    else:
        why["footer"] = "0 lines: the last line is a record"
    return lines, records


def _not_a_record(
    row: Row, width: int, kinds: Sequence[str], usual: float, longest: int
) -> str | None:
    """Return why a line at the end is no record; None if it is one."""
    cells = row.cells
    if cells is None:
        return "other cells"
    words = [cell.strip() for cell in cells if cell.strip()]
    if words and TOTALS.match(words[0]) and (width > 1 or len(words[0].split()) > 1):
        return "it begins with the word of a total or a note"
    alone = width > 2 and row.filled == 1 and usual > 2 and cells[0].strip()
    if alone and len(cells[0]) > max(2.5 * longest, 20):
        return "only the first cell is filled, with a longer text than any above"
    if alone or len(cells) != width:
        return "other cells"
    misfits = [
        at
        for at, kind in enumerate(kinds)
        if kind in _FORMAL and cells[at].strip() and kind_of_cell(cells[at]) != kind
    ]
    formal = [at for at, kind in enumerate(kinds) if kind in _FORMAL and cells[at].strip()]
    if formal and len(misfits) == len(formal) and row.filled * 2 < usual:
        return "other cells"
    return None


def _ends_with_delimiter(heading: Sequence[Row], body: Sequence[Row], width: int) -> bool:
    """Whether the records, and not the header, end with a delimiter behind the last cell."""
    across = max((len(row.cells or ()) for row in heading), default=width)
    full = [row.cells for row in body if row.cells and len(row.cells) == width]
    return across == width - 1 and bool(full) and not any(one[-1].strip() for one in full)


def _is_loose(body: Sequence[Row], width: int, kinds: Sequence[str], why: dict[str, str]) -> bool:
    """Whether all records of another width merely lack or add empty cells at their end."""
    other = [row.cells for row in body if row.cells and len(row.cells) != width]
    if not other:
        return False
    formal = [at for at, kind in enumerate(kinds) if kind in _FORMAL]
    told = 0
    full = [row.cells for row in body if row.cells and len(row.cells) == width]
    empty_from = width
    while empty_from and full and not any(one[empty_from - 1].strip() for one in full):
        empty_from -= 1
    for cells in other:
        if any(cell.strip() for cell in cells[width:]):
            return False
        there = [at for at in formal if at < len(cells) and cells[at].strip()]
        strange = [at for at in there if kind_of_cell(cells[at]) != kinds[at]]
        if len(strange) * 2 > len(there):
            return False
        told += bool(there) or len(cells) > width or empty_from <= len(cells)
    if told * 2 < len(other):
        return False
    why["loose_ends"] = (
        f"{len(other)} of {len(body)} records lack empty cells at their end or have more of them; "
        "the cells they have fit their columns"
    )
    return True
