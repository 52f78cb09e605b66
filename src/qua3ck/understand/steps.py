"""The steps of ``tidy:``, by which a report sheet becomes a table.

A report is made for eyes: titles above blocks, labels that are written once and hold for the
lines below, months side by side, totals in between. Each step undoes one such habit. The
steps are done in the order written; one that finds nothing to do is an error.
"""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, model_validator

Texts = str | tuple[str, ...]
"""One text or several: as they stand in the cell, ``""`` for an empty one, ``/regex/``."""

Name = Annotated[str, Field(min_length=1)]
Names = Annotated[tuple[Name, ...], Field(min_length=1)]


class _Declared(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class Blocks(_Declared):
    """Blocks that stand below each other, each under a line with its title.

    The title becomes the column ``title`` of the block's rows. A title line has one filled
    cell; ``lines`` says which of them are titles: texts, a mapping of text to what is
    written instead, or a regular expression (its first group is the title); without it all.
    The heading stands above the first title, or anew below each.
    """

    title: Name
    lines: Annotated[str | tuple[str, ...] | dict[str, str], Field(min_length=1)] | None = None

    @model_validator(mode="after")
    def _readable(self) -> Blocks:
        if isinstance(self.lines, str):
            _compile(self.lines)
        return self


class Unpivot(_Declared):
    """Columns that are values of a variable, such as months side by side, become rows.

    ``left`` names the label columns; those without a heading get their name from it. ``top``
    names what the lines of the heading hold, from above; ``null`` leaves a line out. Each
    filled cell becomes a row; its text goes to ``value``. With ``spread``, a title or one of
    ``top``, its texts are the names of value columns instead: rows that agree in all else
    become one.
    """

    left: Names
    top: Annotated[tuple[Name | None, ...], Field(min_length=1)]
    value: Name = "value"
    spread: Name | None = None


class Split(_Declared):
    """One text that holds several, such as ``Slaughtered; Cattle; Victoria``.

    Either ``by`` a mark between the parts, or the groups of a ``pattern`` that fits the whole
    text. The column goes, unless it is among those it is split ``into``.
    """

    column: Name
    into: Names
    by: Annotated[str, Field(min_length=1)] | None = None
    pattern: str | None = None

    @model_validator(mode="after")
    def _one_way(self) -> Split:
        if (self.by is None) == (self.pattern is None):
            message = "split needs by: a mark, or pattern: a regular expression; one of the two"
            raise ValueError(message)
        if self.pattern is not None and _compile(self.pattern).groups != len(self.into):
            message = f"pattern needs {len(self.into)} groups in brackets, one per name of into"
            raise ValueError(message)
        return self


class Map(_Declared):
    """Words for words, in place or ``into`` another column; all words must be listed."""

    column: Name
    into: Name | None = None
    values: Annotated[dict[str, str | None], Field(min_length=1)]


class Gaps(_Declared):
    """Rows for what is missing inside a series, between its first row and its last.

    ``by`` tells the series apart, ``along`` is the heading that unpivot made rows of. A new
    row holds these and what ``fill`` says; its other columns are empty.
    """

    along: Name | Names
    by: Names
    fill: dict[str, str | int | float] = {}


class Step(_Declared):
    """One step: exactly one of these keys.

    ``fill`` writes a label into the empty cells below it; ``drop`` leaves out rows in which
    any of the columns named holds one of the texts; ``keep`` those in which all do;
    ``scale`` multiplies; ``columns`` chooses columns, in this order.
    """

    blocks: Blocks | None = None
    fill: Names | None = None
    drop: Annotated[dict[str, Texts], Field(min_length=1)] | None = None
    keep: Annotated[dict[str, Texts], Field(min_length=1)] | None = None
    unpivot: Unpivot | None = None
    split: Split | None = None
    map: Map | None = None
    scale: Annotated[dict[str, int | float], Field(min_length=1)] | None = None
    gaps: Gaps | None = None
    columns: Names | None = None

    @property
    def verb(self) -> str:
        """The key that this step was written with."""
        return next(key for key in type(self).model_fields if getattr(self, key) is not None)

    @model_validator(mode="after")
    def _one_verb(self) -> Step:
        if sum(getattr(self, key) is not None for key in type(self).model_fields) != 1:
            message = "a step has exactly one key, such as - unpivot: {left: [...], top: [...]}"
            raise ValueError(message)
        for texts in (self.drop or self.keep or {}).values():
            for text in (texts,) if isinstance(texts, str) else texts:
                pattern_of(text)
        return self


def pattern_of(text: str) -> re.Pattern[str] | None:
    """Return the regular expression that a text between slashes is; None for a plain text."""
    if len(text) > 2 and text[0] == text[-1] == "/":
        return _compile(text[1:-1])
    return None


def _compile(pattern: str) -> re.Pattern[str]:
    try:
        return re.compile(pattern)
    except re.error as problem:
        message = f'"{pattern}" is no regular expression: {problem}'
        raise ValueError(message) from None
