"""Report sheets into tables, by the steps under ``tidy:``.

Nothing is left out without a name for it: each line of the sheet and each row of a step is
used, left out by a rule that is counted, or held. A row remembers the cell that its value
came from. The vocabulary stands in :mod:`qua3ck.understand.steps`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from typing import Any

from qua3ck.kit.errors import Qua3ckError
from qua3ck.kit.findings import Finding
from qua3ck.understand.sources.frame import (
    CELL,
    Block,
    Frame,
    Heading,
    Levels,
    headed,
    nothing,
    refuse_twins,
)
from qua3ck.understand.sources.sheet import Fault, Line, Sheet, known, summary
from qua3ck.understand.sources.workbook import column_number
from qua3ck.understand.steps import (
    Blocks,
    Gaps,
    Map,
    Split,
    Step,
    Texts,
    Unpivot,
    pattern_of,
)

Told = dict[str, Any]


@dataclass
class Tidy:
    """The rows of a tidied sheet.

    Attributes
    ----------
    columns : dict
        Name to cells, text; ``""`` is empty.
    rows : list of int
        What ``_row`` will be: the line of the sheet, or line * CELL + column. Unique.
    held : list
        (``_row``, column, code, raw) of records that a step could not read.
    how : dict
        Where lines and rows went, step by step.
    """

    columns: dict[str, list[str]]
    rows: list[int]
    held: list[tuple[int, str | None, str, str]]
    how: Told
    findings: list[Finding] = field(default_factory=list)


def tidied(
    sheet: Sheet,
    steps: Sequence[Step],
    *,
    header: int,
    names: Sequence[str],
    decimal: str,
    thousands: str | None,
    null: Sequence[str],
    place: str,
) -> Tidy:
    """Return what the steps make of a sheet.

    Parameters
    ----------
    sheet : Sheet
        Its lines, below what is skipped.
    steps : sequence of Step
        In the order of the project file.
    header : int
        Lines of the heading, where no unpivot says it with ``top``.
    names : sequence of str
        The columns' names, if declared; only without unpivot.
    decimal, thousands, null
        As declared for the source; needed where a step reads numbers.

    Raises
    ------
    Qua3ckError
        If a step names a column that is not there, or finds nothing to do.
    """
    last = max((i for i, step in enumerate(steps) if step.verb == "blocks"), default=-1)
    blocks = [Block({}, sheet.lines)]
    told: list[Told] = []
    columns: set[int] = set()  # where titles stand
    for number, step in enumerate(steps[: last + 1]):
        blocks = _on_the_sheet(blocks, step, sheet, columns, told, f"{place}.tidy[{number}]")
    _refuse_unlisted(blocks, columns, place)
    titles = tuple(step.blocks.title for step in steps if step.blocks)
    known_of_it = Heading(header, names, _sole_unpivot(steps, place), titles)
    frame = headed(blocks, sheet, known_of_it, place=place)
    records = len(frame)
    reading = _Numbers(decimal, thousands, {"", *null})
    findings: list[Finding] = []
    for number, step in enumerate(steps[last + 1 :], last + 1):
        before, held = len(frame), len(frame.held)
        what = _do(frame, step, reading, findings, f"{place}.tidy[{number}]")
        told.append({step.verb: what, "rows": before, "held": len(frame.held) - held})
    if not len(frame):
        raise nothing("The steps leave no row", f"{place}.tidy")
    how = {"lines": summary(sheet.fates, records), "steps": told, "made": len(frame)}
    if frame.wide:
        how["row"] = f"line * {CELL} + column"
    rows = [frame.row(at) for at in range(len(frame))]
    return Tidy(frame.columns, rows, frame.held, how, findings)


def _sole_unpivot(steps: Sequence[Step], place: str) -> Unpivot | None:
    found = [step.unpivot for step in steps if step.unpivot]
    if len(found) > 1:
        raise Qua3ckError(
            f"{len(found)} steps are unpivot; a sheet has one heading to unpivot",
            where=f"{place}.tidy",
            fix="name all lines of the heading under one top:",
            code="U130",
        )
    return found[0] if found else None


# -- steps on the sheet: columns are A, B, C ------------------------------------------


def _on_the_sheet(
    blocks: list[Block],
    step: Step,
    sheet: Sheet,
    columns: set[int],
    told: list[Told],
    place: str,
) -> list[Block]:
    if step.blocks is not None:
        made, count = [], 0
        for block in blocks:
            parts, titles = _cut(block, step.blocks, columns)
            made += parts
            count += titles
        if not count:
            raise nothing("No line is a title of a block", f"{place}.blocks")
        told.append({"blocks": {"titles": count}})
        sheet.fates["titles"] = sheet.fates.get("titles", 0) + count
        return made
    if step.drop is None and step.keep is None:
        raise Qua3ckError(
            f"{step.verb} stands above blocks, where columns have no names yet",
            where=f"{place}.{step.verb}",
            fix="move it below blocks; above it only drop and keep work, with columns A, B, C",
            code="U130",
        )
    rules = _rules(step, place)
    counts: Counter[str] = Counter()
    for block in blocks:
        kept = []
        for line in block.lines:
            cells = {name: _cell(line, name, sheet.left, place) for name, _, _ in rules}
            hit = next((label for name, label, fits in rules if fits(cells[name])), None)
            if (hit is None) == (step.drop is not None):
                kept.append(line)
            else:
                counts[hit or "others"] += 1
        block.lines = kept
    if not counts:
        raise nothing("No line fits", f"{place}.{step.verb}")
    told.append({step.verb: dict(counts)})
    sheet.fates[step.verb] = sheet.fates.get(step.verb, 0) + counts.total()
    return blocks


def _cut(block: Block, rule: Blocks, columns: set[int]) -> tuple[list[Block], int]:
    """Return the blocks below each title, what stands above the first one before them."""
    parts = [Block(block.titles, [])]
    for line in block.lines:
        at = _sole_cell(line)
        title = None if at is None else _title(line.cells[at], rule)
        if at is None or title is None:
            parts[-1].lines.append(line)
            continue
        columns.add(at)
        parts.append(Block({**block.titles, rule.title: title}, []))
    return (parts if parts[0].lines else parts[1:]) or [block], len(parts) - 1


def _sole_cell(line: Line) -> int | None:
    """Return the place of the only filled cell; None if there are several."""
    filled = [at for at, cell in enumerate(line.cells) if cell]
    return filled[0] if len(filled) == 1 else None


def _refuse_unlisted(blocks: Sequence[Block], columns: set[int], place: str) -> None:
    """Raise for a line that looks like a title: the rows below would get the one above."""
    for block in blocks:
        for line in block.lines:
            if _sole_cell(line) in columns:
                raise Qua3ckError(
                    f"Line {line.number} has one filled cell where titles stand, and is none of "
                    "those listed; the rows below it would be counted under the title above",
                    where=f"{place}.tidy, blocks.lines",
                    fix="list it, or leave it out above blocks, such as: - drop: {A: /^Source/}",
                    code="U130",
                )


def _title(text: str, rule: Blocks) -> str | None:
    import re

    match rule.lines:
        case None:
            return text
        case str():
            found = re.fullmatch(rule.lines, text)
            return None if found is None else found[1 if found.re.groups else 0]
        case dict():
            return rule.lines.get(text)
        case _:
            return text if text in rule.lines else None


def _cell(line: Line, letters: str, left: int, place: str) -> str:
    if not (letters.isascii() and letters.isalpha() and len(letters) <= 3):
        raise Qua3ckError(
            f'"{letters}" is no column of a sheet; above blocks columns have no names yet',
            where=place,
            fix="write its letters, such as A, or move the step below blocks",
            code="U130",
        )
    at = column_number(letters) - left
    return line.cells[at] if 0 <= at < len(line.cells) else ""


# -- steps on named columns ------------------------------------------------------------


def _do(
    frame: Frame, step: Step, reading: _Numbers, findings: list[Finding], place: str
) -> Told | list[str]:
    place = f"{place}.{step.verb}"
    if step.unpivot:
        return _unpivot(frame, step.unpivot, place)
    if step.split:
        return _split(frame, step.split, place)
    if step.map:
        return _map(frame, step.map, place)
    if step.scale:
        return _scale(frame, step.scale, reading, place)
    if step.gaps:
        return _gaps(frame, step.gaps, reading, findings, place)
    if step.fill:
        return _fill(frame, step.fill, findings, place)
    if step.columns:
        return _columns(frame, step.columns, place)
    return _choose(frame, step, findings, place)


def _choose(frame: Frame, step: Step, findings: list[Finding], place: str) -> Told:
    """Drop rows that fit any rule, or keep those that fit all."""
    rules = _rules(step, place)
    for name, _, _ in rules:
        known(name, frame.columns, place=place)
    counts: Counter[str] = Counter()
    kept = []
    for at in range(len(frame)):
        hits = [label for name, label, fits in rules if fits(frame.columns[name][at])]
        counts.update(hits)
        wanted = (
            not hits
            if step.drop
            else len({r[0] for r in rules if r[1] in hits}) == len(step.keep or {})
        )
        if wanted:
            kept.append(at)
    idle = [label for _, label, _ in rules if not counts[label]]
    if len(idle) == len(rules):
        raise nothing("No row fits", place)
    if idle:
        findings.append(_idle(place, idle))
    left_out = len(frame) - len(kept)
    frame.only(kept)
    return {"left out": left_out, "fits": dict(counts)}


def _fill(frame: Frame, names: Sequence[str], findings: list[Finding], place: str) -> Told:
    """Write each label into the empty cells below it; an outer label ends the inner ones."""
    columns = [frame.columns[known(name, frame.columns, place=place)] for name in names]
    carried = [""] * len(columns)
    counts: Counter[str] = Counter()
    for at in range(len(frame)):
        if at == 0 or frame.blocks[at] != frame.blocks[at - 1]:
            carried = [""] * len(columns)
        for level, column in enumerate(columns):
            if column[at]:
                carried[level] = column[at]
                carried[level + 1 :] = [""] * (len(columns) - level - 1)
            elif carried[level]:
                column[at] = carried[level]
                counts[names[level]] += 1
    if not counts:
        findings.append(_idle(place, list(names)))
    return dict(counts)


def _unpivot(frame: Frame, rule: Unpivot, place: str) -> Told:
    """Make a row of each filled cell under the headings."""
    top = tuple(name for name in rule.top if name is not None)
    values = [n for n, found in frame.above.items() if n in frame.columns and n not in rule.left]
    others = [name for name in frame.columns if name not in values]
    refuse_twins([*others, *top, rule.value], place)
    frame.order = {frame.above[name]: frame.above[name] for name in values}
    made: dict[str, list[str]] = {name: [] for name in (*others, *top, rule.value)}
    lines, cells, blocks, empty = [], [], [], 0
    for at in range(len(frame)):
        where = frame.positions[frame.blocks[at]]
        for name in values:
            text = frame.columns[name][at]
            if not text:
                empty += frame.above[name] in where
                continue
            for other in others:
                made[other].append(frame.columns[other][at])
            for heading, part in zip(top, frame.above[name], strict=True):
                made[heading].append(part)
            made[rule.value].append(text)
            lines.append(frame.lines[at])
            cells.append(where[frame.above[name]] + 1)
            blocks.append(frame.blocks[at])
    frame.columns, frame.lines, frame.cells, frame.blocks = made, lines, cells, blocks
    frame.along = top
    what: Told = {"cells": len(lines) + empty, "empty": empty}
    return what if rule.spread is None else what | _spread(frame, rule.spread, rule.value, place)


def _spread(frame: Frame, title: str, value: str, place: str) -> Told:
    """Make one row of those that agree in all columns but two; a second value is held."""
    names = frame.columns[known(title, frame.columns, place=f"{place}.spread")]
    values = frame.columns[value]
    others = [name for name in frame.columns if name not in {title, value}]
    new = list(dict.fromkeys(name for name in names if name))
    refuse_twins([*others, *new], place)
    rows: dict[tuple[str, ...], int] = {}
    filled: list[dict[str, str]] = []
    firsts: list[int] = []
    keys = zip(*(frame.columns[name] for name in others), strict=True) if others else ()
    for at, key in enumerate(keys or [()] * len(frame)):
        row = rows.setdefault(key, len(rows))
        if row == len(filled):
            filled.append({})
            firsts.append(at)
        if not names[at] or names[at] in filled[row]:
            frame.hold(at, value, "U041")
        else:
            filled[row][names[at]] = values[at]
    kept = [row for row, found in enumerate(filled) if found]
    before = len(frame)
    rest = [at for at, name in enumerate(frame.along) if name != title]
    frame.along = tuple(frame.along[at] for at in rest)
    order: dict[Levels, Levels] = {}
    for heading in frame.order:
        order.setdefault(tuple(heading[at] for at in rest), heading)
    frame.order = order
    frame.only([firsts[row] for row in kept])
    frame.columns = {name: frame.columns[name] for name in others} | {
        name: [filled[row].get(name, "") for row in kept] for name in new
    }
    return {"columns": new, "merged": before - len(frame)}


def _split(frame: Frame, rule: Split, place: str) -> Told:
    import re

    source = frame.columns[known(rule.column, frame.columns, place=place)]
    refuse_twins([*(n for n in frame.columns if n != rule.column), *rule.into], place)
    pattern = re.compile(rule.pattern) if rule.pattern is not None else None

    def parts(text: str) -> tuple[str, ...] | None:
        if not text:
            return ("",) * len(rule.into)
        if pattern is not None:
            found = pattern.fullmatch(text)
            return None if found is None else tuple((g or "").strip() for g in found.groups())
        pieces = [piece.strip() for piece in text.split(rule.by or "")]
        while len(pieces) > len(rule.into) and not pieces[-1]:
            pieces.pop()
        return tuple(pieces) if len(pieces) == len(rule.into) else None

    found = {text: parts(text) for text in dict.fromkeys(source)}
    if all(one is None for text, one in found.items() if text):
        raise nothing("No text can be split so", place)
    _hold_unread(frame, rule.column, found)
    texts = frame.columns[rule.column]
    made = {name: [found[text][i] for text in texts] for i, name in enumerate(rule.into)}  # type: ignore[index]  # what has no parts is held
    frame.columns = _in_place(frame.columns, rule.column, made, drop=rule.column not in rule.into)
    return {"texts": len(found)}


def _map(frame: Frame, rule: Map, place: str) -> Told:
    texts = frame.columns[known(rule.column, frame.columns, place=place)]
    into = rule.into or rule.column
    if into != rule.column:
        refuse_twins([*frame.columns, into], place)
    words = {"": ""} | {text: word or "" for text, word in rule.values.items()}
    found = {text: words.get(text) for text in dict.fromkeys(texts)}
    if not any(text in rule.values for text in found):
        raise nothing("None of the words is in the column", place)
    _hold_unread(frame, rule.column, found)
    made = {into: [words[text] for text in frame.columns[rule.column]]}
    frame.columns = _in_place(frame.columns, rule.column, made, drop=into == rule.column)
    return {"words": len(found)}


def _scale(frame: Frame, factors: Mapping[str, float], reading: _Numbers, place: str) -> Told:
    counts = {}
    for name, factor in factors.items():
        texts = frame.columns[known(name, frame.columns, place=place)]
        times = Decimal(str(factor))
        found = {text: reading.scaled(text, times) for text in dict.fromkeys(texts)}
        if all(one is None for text, one in found.items() if text not in reading.null):
            raise nothing(f'No cell of "{name}" is a number', place)
        _hold_unread(frame, name, found)
        frame.columns[name] = [found[text] or "" for text in frame.columns[name]]
        counts[name] = sum(text not in reading.null for text in frame.columns[name])
    return counts


def _gaps(frame: Frame, rule: Gaps, reading: _Numbers, findings: list[Finding], place: str) -> Told:
    """Add rows for the headings at which a series has none, between its first and its last."""
    along = (rule.along,) if isinstance(rule.along, str) else rule.along
    if along != frame.along:
        raise Qua3ckError(
            f"along names {', '.join(along)}; unpivot made rows of "
            f"{', '.join(frame.along) or 'nothing yet'}",
            where=f"{place}.along",
            fix="put gaps below unpivot, and name what stands in its top:",
            code="U130",
        )
    for name in (*rule.by, *rule.fill):
        known(name, frame.columns, place=place)
    spot = {heading: at for at, heading in enumerate(frame.order)}
    keys = list(zip(*(frame.columns[name] for name in rule.by), strict=True))
    headings = list(zip(*(frame.columns[name] for name in along), strict=True))
    series: dict[tuple[str, ...], dict[int, int]] = {}
    for at, (key, heading) in enumerate(zip(keys, headings, strict=True)):
        series.setdefault(key, {})[spot[heading]] = at
    fill = {name: reading.written(value) for name, value in rule.fill.items()}
    rows: list[int] = []
    for key, found in series.items():
        rows += _with_gaps(frame, rule.by, key, found, fill)
    added = len(rows) - sum(len(found) for found in series.values())
    doubles = len(keys) - sum(len(found) for found in series.values())
    if doubles:
        raise Qua3ckError(
            f"{doubles} rows have the same {', '.join((*rule.by, *along))} as another row",
            where=f"{place}.by",
            fix="name under by: all columns that tell the series apart",
            code="U130",
        )
    if not added:
        findings.append(_idle(place, list(rule.by)))
    frame.only(rows)
    return {"added": added, "series": len(series)}


def _with_gaps(
    frame: Frame,
    by: Sequence[str],
    key: tuple[str, ...],
    found: dict[int, int],
    fill: Mapping[str, str],
) -> list[int]:
    """Return the rows of one series in order, new ones appended to the frame."""
    rows, before = [], 0
    order = list(frame.order)
    for spot in range(min(found), max(found) + 1):
        if spot in found:
            before = found[spot]
            rows.append(before)
            continue
        heading = order[spot]
        values = dict(zip(by, key, strict=True)) | dict(zip(frame.along, heading, strict=True))
        values |= fill
        for name, column in frame.columns.items():
            column.append(values.get(name, ""))
        frame.lines.append(frame.lines[before])
        there = frame.positions[frame.blocks[before]]
        frame.cells.append(there.get(frame.order[heading], -1) + 1)
        frame.blocks.append(frame.blocks[before])
        rows.append(len(frame.lines) - 1)
    return rows


def _columns(frame: Frame, names: Sequence[str], place: str) -> Told:
    refuse_twins(names, place)
    gone = [name for name in frame.columns if name not in names]
    frame.columns = {n: frame.columns[known(n, frame.columns, place=place)] for n in names}
    return {"left out": gone}


# -- what several steps share ---------------------------------------------------------------


@dataclass(frozen=True)
class _Numbers:
    """How numbers are written in this source."""

    decimal: str
    thousands: str | None
    null: set[str]

    def scaled(self, text: str, factor: Decimal) -> str | None:
        if text in self.null:
            return text
        plain = text.replace(self.thousands, "") if self.thousands else text
        try:
            number = Decimal(plain.replace(self.decimal, ".") if self.decimal != "." else plain)
        except InvalidOperation:
            return None
        return self.written(number * factor) if number.is_finite() else None

    def written(self, value: str | float | Decimal) -> str:
        if isinstance(value, str):
            return value
        text = f"{Decimal(str(value)):f}"
        text = text.rstrip("0").rstrip(".") if "." in text else text
        return text.replace(".", self.decimal)


_Rule = tuple[str, str, Callable[[str], bool]]


def _rules(step: Step, place: str) -> list[_Rule]:
    del place
    return [
        (name, f'{name}: "{text}"', _fits(text))
        for name, texts in (step.drop or step.keep or {}).items()
        for text in _several(texts)
    ]


def _several(texts: Texts) -> tuple[str, ...]:
    return (texts,) if isinstance(texts, str) else texts


def _fits(text: str) -> Callable[[str], bool]:
    pattern = pattern_of(text)
    if pattern is None:
        return lambda cell: cell == text
    return lambda cell: pattern.search(cell) is not None


def _hold_unread(frame: Frame, column: str, found: Mapping[str, Any]) -> None:
    """Hold the rows whose text a step has no answer for."""
    texts = frame.columns[column]
    kept = [at for at, text in enumerate(texts) if found[text] is not None]
    if len(kept) == len(frame):
        return
    for at, text in enumerate(texts):
        if found[text] is None:
            frame.hold(at, column, "U040" if isinstance(text, Fault) else "U041")
    frame.only(kept)


def _in_place(
    columns: Mapping[str, list[str]], at: str, made: Mapping[str, list[str]], *, drop: bool
) -> dict[str, list[str]]:
    """Return the columns with the new ones where ``at`` stands, or right of it."""
    result: dict[str, list[str]] = {}
    for name, cells in columns.items():
        if name != at:
            result[name] = cells
            continue
        if not drop and at not in made:
            result[name] = cells
        result |= made
    return result


def _idle(place: str, labels: Sequence[str]) -> Finding:
    return Finding(
        "U043",
        "inform",
        place,
        f"Nothing to do for {len(labels)} of the rules: {', '.join(labels[:5])}.",
        {"rules": list(labels)},
    )
