"""A report sheet as named columns: what ``tidy:`` has after its headings are read.

Each row remembers the cell that its value came from; each column the texts above it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from qua3ck.kit.errors import Qua3ckError
from qua3ck.understand.sources.sheet import Line, Sheet, levels
from qua3ck.understand.sources.workbook import column_letters
from qua3ck.understand.steps import Unpivot

CELL = 100_000
"""A row that unpivot made is numbered line * CELL + column; no sheet is that wide."""

Levels = tuple[str, ...]
_Named = tuple[int, str, Levels]


@dataclass
class Block:
    """Lines that belong together, and the titles above them: column name to text."""

    titles: dict[str, str]
    lines: list[Line]


@dataclass
class Frame:
    """Named columns, and where each row stands.

    Attributes
    ----------
    columns : dict
        Name to cells; ``""`` is empty.
    lines, cells, blocks : list of int
        Of each row: the sheet's line, the column (from 1; 0: the whole line), the block.
    above : dict
        Column to the texts of its heading, from above.
    positions : list of dict
        Per block: texts of a heading to the column's place.
    titles : tuple of str
        Columns that hold titles of blocks.
    wide : bool
        Whether there is an unpivot, so that rows are numbered by cell.
    along : tuple of str
        What unpivot made rows of.
    order : dict
        Its headings in the order of the sheet, each to the first whole heading that it is of.
    held : list
        (``_row``, column, code, raw) of records that a step could not read.
    """

    columns: dict[str, list[str]] = field(default_factory=dict)
    lines: list[int] = field(default_factory=list)
    cells: list[int] = field(default_factory=list)
    blocks: list[int] = field(default_factory=list)
    above: dict[str, Levels] = field(default_factory=dict)
    positions: list[dict[Levels, int]] = field(default_factory=list)
    titles: tuple[str, ...] = ()
    wide: bool = False
    along: tuple[str, ...] = ()
    order: dict[Levels, Levels] = field(default_factory=dict)
    held: list[tuple[int, str | None, str, str]] = field(default_factory=list)

    def __len__(self) -> int:
        """Return the count of rows."""
        return len(self.lines)

    def row(self, at: int) -> int:
        """Return the number of a row: its line, or the cell it came from."""
        return self.lines[at] * CELL + self.cells[at] if self.wide else self.lines[at]

    def hold(self, at: int, column: str, code: str) -> None:
        """Hold a row for one of its cells."""
        self.held.append((self.row(at), column, code, self.columns[column][at]))

    def only(self, kept: Sequence[int]) -> None:
        """Keep these rows, in this order."""
        self.columns = {name: [col[at] for at in kept] for name, col in self.columns.items()}
        self.lines = [self.lines[at] for at in kept]
        self.cells = [self.cells[at] for at in kept]
        self.blocks = [self.blocks[at] for at in kept]


@dataclass(frozen=True)
class Heading:
    """What is known of the headings: how many lines, or what unpivot says; declared names."""

    header: int
    names: Sequence[str]
    unpivot: Unpivot | None
    titles: tuple[str, ...]

    @property
    def lines(self) -> int:
        """How many lines a heading has."""
        return len(self.unpivot.top) if self.unpivot else self.header


def headed(blocks: Sequence[Block], sheet: Sheet, known: Heading, *, place: str) -> Frame:
    """Return all blocks below each other, their columns named by their headings.

    The heading stands once, above the first title, or in each block; where it stands again
    between the rows, it is left out and counted.

    Raises
    ------
    Qua3ckError
        If a heading is not there, or is not as declared.
    """
    frame = Frame(titles=known.titles, wide=known.unpivot is not None)
    of = _Sheet(sheet, _used(blocks), known, place)
    again = headings = 0
    shared: list[Line] | None = None
    for block in blocks:
        if set(known.titles) - set(block.titles):
            shared = _sole_heading(block, known.lines, place)
            headings += known.lines
        elif block.lines:
            heading, body = _heading_of(block, shared, known.lines, place)
            headings += len(heading) if shared is None else 0
            texts = [line.cells for line in heading]
            rows = [line for line in body if line.cells not in texts]
            again += len(body) - len(rows)
            columns = _named(heading, rows, of)
            _refuse_other_columns(frame, columns, heading, place)
            _append(frame, block, rows, columns)
    _same_width(frame)
    sheet.fates |= {"heading": headings} | ({"heading again": again} if again else {})
    if not len(frame):
        raise nothing("There is a heading and no line below it", place)
    return frame


def _heading_of(
    block: Block, shared: list[Line] | None, high: int, place: str
) -> tuple[list[Line], list[Line]]:
    """Return the heading of a block, and the lines below it."""
    if shared is not None:
        return shared, block.lines
    if len(block.lines) >= high:
        return block.lines[:high], block.lines[high:]
    raise Qua3ckError(
        f"From line {block.lines[0].number} on there are {len(block.lines)} lines, fewer than the "
        f"{high} of a heading",
        where=f"{place}.tidy",
        fix="name under top:, or say with header:, how many lines the heading has",
        code="U130",
    )


def _sole_heading(block: Block, high: int, place: str) -> list[Line]:
    """Return the lines above the first title, which must be the heading."""
    if len(block.lines) == high:
        return block.lines
    raise Qua3ckError(
        f"{len(block.lines)} lines from line {block.lines[0].number} on stand above the first "
        f"title; the heading has {high}",
        where=f"{place}.tidy",
        fix="leave out what is no heading with skip:, or say with header: how many lines it has",
        code="U130",
    )


@dataclass(frozen=True)
class _Sheet:
    """What the columns of a block are named by: the sheet, and the places with any cell in it."""

    sheet: Sheet
    used: list[int]
    known: Heading
    place: str

    def letters(self, at: int) -> str:
        return column_letters(at + self.sheet.left)


def _used(blocks: Sequence[Block]) -> list[int]:
    """Return the places of columns that hold anything; others only keep cells apart."""
    lines = (line for block in blocks for line in block.lines)
    return sorted({at for line in lines for at, cell in enumerate(line.cells) if cell})


def _named(heading: Sequence[Line], rows: Sequence[Line], of: _Sheet) -> list[_Named]:
    """Return place, name and heading texts of the columns of one block."""
    width = max(of.used, default=-1) + 1
    above = levels(heading, width, of.sheet.merged, of.sheet.left)
    if of.known.unpivot is not None:
        return _cross(heading, rows, above, of.known.unpivot, of)
    given = list(of.known.names)
    given = given or [" ".join(dict.fromkeys(text for text in above[at] if text)) for at in of.used]
    if len(given) != len(of.used):
        raise Qua3ckError(
            f"names: has {len(given)} names, the sheet {len(of.used)} columns",
            where=f"{of.place}.names",
            fix="name each column that holds something, from the left",
            code="U130",
        )
    names = [
        name or f"unnamed_{at + of.sheet.left}" for name, at in zip(given, of.used, strict=True)
    ]
    refuse_twins(names, f"{of.place}.path, line {heading[-1].number if heading else 1}")
    return [(at, name, (name,)) for at, name in zip(of.used, names, strict=True)]


def _cross(
    heading: Sequence[Line],
    rows: Sequence[Line],
    above: Sequence[Levels],
    unpivot: Unpivot,
    of: _Sheet,
) -> list[_Named]:
    """Return the columns of a table with labels at the left and headings on top."""
    labels, values = of.used[: len(unpivot.left)], of.used[len(unpivot.left) :]
    if not values:
        where = f"{of.place}.tidy, unpivot.left"
        raise nothing("Right of the label columns there is nothing", where)
    columns: list[_Named] = []
    for name, at in zip(unpivot.left, labels, strict=True):
        _refuse_other_label(heading, name, at, unpivot, of)
        columns.append((at, name, (name,)))
    filled = {at for line in rows for at, cell in enumerate(line.cells) if cell}
    kept = [level for level, top in enumerate(unpivot.top) if top is not None]
    for at in values:
        found = tuple(above[at][level] for level in kept)
        if any(found):
            columns.append((at, " ".join(part for part in found if part), found))
        elif at in filled:
            raise Qua3ckError(
                f"Column {of.letters(at)} has values and no heading",
                where=f"{of.place}.tidy, unpivot.top, line {heading[-1].number}",
                fix="write its heading into the sheet, or leave it out with range:",
                code="U130",
            )
    refuse_twins([name for _, name, _ in columns], f"{of.place}.path, line {heading[-1].number}")
    return columns


def _refuse_other_label(
    heading: Sequence[Line], name: str, at: int, unpivot: Unpivot, of: _Sheet
) -> None:
    """Raise if a label column is headed by something else than its name or its line's."""
    for top, line in zip(unpivot.top, heading, strict=True):
        text = line.cells[at] if at < len(line.cells) else ""
        if text and top is not None and text.lower() not in {name.lower(), top.lower()}:
            raise Qua3ckError(
                f'Column {of.letters(at)} is headed "{text}", not "{name}"',
                where=f"{of.place}.tidy, unpivot.left, line {line.number}",
                fix="name it as the sheet does, or bring the sheet that was declared",
                code="U130",
            )


def _refuse_other_columns(
    frame: Frame, columns: Sequence[_Named], heading: Sequence[Line], place: str
) -> None:
    names = {name for _, name, _ in columns}
    if frame.wide or not frame.positions or names == set(frame.above):
        return
    line = heading[0].number if heading else 1
    raise Qua3ckError(
        f"The block whose heading is line {line} has other columns than the one above: "
        + ", ".join(f'"{name}"' for name in sorted(names ^ set(frame.above))[:5]),
        where=f"{place}.tidy",
        fix="blocks of other columns are sources of their own (range:, or skip: and footer:)",
        code="U130",
    )


def _append(frame: Frame, block: Block, rows: Sequence[Line], columns: Sequence[_Named]) -> None:
    before = len(frame)
    frame.positions.append({found: at for at, _, found in columns})
    frame.above |= {name: found for _, name, found in columns}
    frame.lines += [line.number for line in rows]
    frame.cells += [0] * len(rows)
    frame.blocks += [len(frame.positions) - 1] * len(rows)
    filled = {name: [block.titles[name]] * len(rows) for name in frame.titles}
    for at, name, _ in columns:
        filled[name] = [line.cells[at] if at < len(line.cells) else "" for line in rows]
    for name, cells in filled.items():
        kept = frame.columns.setdefault(name, [])
        kept += [""] * (before - len(kept)) + cells


def _same_width(frame: Frame) -> None:
    """Fill columns that a later block does not have."""
    for cells in frame.columns.values():
        cells.extend([""] * (len(frame) - len(cells)))


def refuse_twins(names: Sequence[str], place: str) -> None:
    """Raise if a name is there twice.

    Raises
    ------
    Qua3ckError
        Naming it.
    """
    twins = [name for name, count in Counter(names).items() if count > 1]
    if twins:
        raise Qua3ckError(
            f'Two columns would be called "{twins[0]}"',
            where=place,
            fix="give one of them another name",
            code="U130",
        )


def nothing(what: str, place: str) -> Qua3ckError:
    """Return the error of a step that has nothing to do, or leaves nothing."""
    return Qua3ckError(
        f"{what}: the step finds nothing to do, or leaves nothing",
        where=place,
        fix="compare it with the sheet: names, spelling, upper and lower case; or delete the step",
        code="U130",
    )
