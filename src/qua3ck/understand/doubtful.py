"""Cells of the target that can be read in two ways: "NaN" as a class, "Yes" beside "yes".

An answer that is missing must not become a class, nor one class two; but NA is Namibia too.
So both are refused until somebody says which it is, and what was said stays visible.
"""

from __future__ import annotations

import math
import re
import unicodedata
from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from qua3ck.kit.errors import Qua3ckError
from qua3ck.kit.findings import Finding
from qua3ck.understand.section import Understand
from qua3ck.understand.sources.cells import is_known_marker

if TYPE_CHECKING:
    import pyarrow as pa

FEW = 20  # whole numbers with up to this many values are read as classes
PLACE = "understand.target"
NO_VALUE, SPELLINGS = "U027", "U028"

_EXAMPLES = 5
_NEARLY_ALL = 0.9
_NUMBER = re.compile(r"[+-]?([0-9]+([.,][0-9]*)?|[.,][0-9]+)([eE][+-]?[0-9]+)?")
_INFINITE = {"inf", "infinity"}
_DEGREES = {"none", "nil"}  # beside other degrees also a class: none, some, marked
_TRUTHS = {"yes", "no", "true", "false", "y", "n", "t", "f", "ja", "nein", "oui", "non", "si", "sí"}
_TEXT_KINDS = {"csv", "excel", "json", "http"}


@dataclass(frozen=True)
class _Words:
    """The filled cells of a text target, by what they are; each word with its count."""

    numbers: Mapping[str, int]
    infinite: Mapping[str, int]
    missing: Mapping[str, int]
    others: Mapping[str, int]

    @property
    def mostly_numbers(self) -> bool:
        """Whether it is a column of numbers but for few cells, words for "no value" apart."""
        numbers, others = sum(self.numbers.values()), sum(self.others.values())
        return numbers > 0 and numbers >= _NEARLY_ALL * (numbers + others)


def settle_words(texts: pa.Array, section: Understand, positive: str) -> tuple[Finding, ...]:
    """Refuse cells of a text target that say "no value" or spell one class in two ways.

    Parameters
    ----------
    texts : array of string
        Blanks around the words cut.
    section : Understand
        Names the target; ``accept`` may say that such words are classes.
    positive : str
        The class that the question declares as positive: it is one, whatever it is called.

    Returns
    -------
    tuple of Finding
        What was accepted: such words count as classes.

    Raises
    ------
    Qua3ckError
        With the count, the first rows, and what to type for either reading.
    """
    counts = texts.value_counts()
    seen = dict(zip(counts.field(0).to_pylist(), counts.field(1).to_pylist(), strict=True))
    words = _sorted_out(seen, positive)
    return (
        *_without_value(texts, words, section),
        *_spelled_twice(texts, {**words.numbers, **words.missing, **words.others}, section),
    )


def told_rows(rows: Iterable[int]) -> str:
    """Return ``rows 3, 9, 12 ...``, the first few of row numbers from 1."""
    listed = list(rows)
    shown = ", ".join(str(row) for row in listed[:_EXAMPLES])
    return f"rows {shown}{' ...' if len(listed) > _EXAMPLES else ''}"


def _sorted_out(seen: Mapping[str | None, int], positive: str) -> _Words:
    numbers: dict[str, int] = {}
    infinite: dict[str, int] = {}
    missing: dict[str, int] = {}
    others: dict[str, int] = {}
    for word, count in seen.items():
        if word is None:
            continue
        if _NUMBER.fullmatch(word):
            finite = math.isfinite(float(word.replace(",", ".")))
            (numbers if finite else infinite)[word] = count
        elif word != positive and not (word == "-" and "+" in seen) and _says_nothing(word):
            missing[word] = count
        else:
            others[word] = count
    return _Words(numbers, infinite, missing, others)


def _says_nothing(word: str) -> bool:
    return not word or is_known_marker(word) or word.lstrip("+-").lower() in _INFINITE


def _without_value(texts: pa.Array, words: _Words, section: Understand) -> Iterable[Finding]:
    many = len(words.numbers) > FEW or section.task == "regression"
    quantities = words.mostly_numbers and many and section.task != "classification"
    bad = {**words.missing, **words.infinite}
    if bad and _are_degrees(words):
        return (_accepted(words.missing, section.target),)
    if quantities:
        bad |= words.others
    if not bad:
        return ()
    if NO_VALUE in section.accept and not quantities and not words.infinite:
        return (_accepted(words.missing, section.target),) if words.missing else ()
    among = texts.to_pylist()
    rows = [row for row, text in enumerate(among, 1) if text in bad]
    told = f"{len(rows)} of {len(among)} rows ({_counted(words, bad)}): {told_rows(rows)}"
    if quantities or (words.mostly_numbers and not words.others):
        what = f'The target "{section.target}" is a number but for {told}'
    else:
        what = f'The target "{section.target}" has no value in {told}'
    raise Qua3ckError(
        what, where=PLACE, fix=_cure(words, section, quantities=quantities), code="U105"
    )


def _are_degrees(words: _Words) -> bool:
    """Whether "none" stands beside words that are no answers to a yes-or-no question."""
    said = {word.lower() for word in words.others}
    alone = {word.lower() for word in words.missing} <= _DEGREES and not words.infinite
    return alone and not words.numbers and len(said) > 1 and not said <= _TRUTHS


def _counted(words: _Words, bad: Collection[str]) -> str:
    """Count the cells; only words known to mean "no value" are quoted, others may be personal."""
    parts = [f'{count} "{word}"' if word else f"{count} blank" for word, count in _often(words)]
    if words.infinite:
        parts.append(f"{sum(words.infinite.values())} infinite")
    others = sum(count for word, count in words.others.items() if word in bad)
    if others:
        parts.append(f"{others} other text")
    return ", ".join(parts)


def _often(words: _Words) -> list[tuple[str, int]]:
    return sorted(words.missing.items(), key=lambda pair: (-pair[1], pair[0]))[:_EXAMPLES]


def _cure(words: _Words, section: Understand, *, quantities: bool) -> str:
    quoted = ", ".join(f'"{word}"' for word, _ in _often(words) if word)
    kinds = {source.kind for source in section.sources.values()}
    fix = "correct these cells; or leave these rows out in the training function"
    if quoted and kinds & _TEXT_KINDS:
        fix += f", where nulls: {{{section.target}: [{quoted}]}} of the source makes them empty"
    if quantities and words.others and section.task == "auto":
        fix += "; if these are classes after all: task: classification"
    if words.missing and not quantities:
        fix += (
            f'; if {quoted or "blank"} is a class: accept: {{{NO_VALUE}: "why"}} under understand'
        )
    return fix


def _accepted(missing: Mapping[str, int], name: str) -> Finding:
    told = ", ".join(f'"{word}" in {count} rows' for word, count in sorted(missing.items()))
    return Finding(
        NO_VALUE,
        "warn",
        f"target {name}, {sum(missing.values())} rows",
        f"Words that mean no value in many files count as classes: {told}.",
        {"words": dict(sorted(missing.items()))},
    )


def _spelled_twice(
    texts: pa.Array, seen: Mapping[str, int], section: Understand
) -> Iterable[Finding]:
    ways: dict[str, Counter[str]] = {}
    for word, count in seen.items():
        ways.setdefault(_plain(word), Counter())[word] = count
    doubtful = {plain: said for plain, said in ways.items() if len(said) > 1}
    if not doubtful:
        return ()
    rarer = {word for said in doubtful.values() for word, _ in said.most_common()[1:]}
    rows = [row for row, text in enumerate(texts.to_pylist(), 1) if text in rarer]
    count = sum(map(len, doubtful.values()))
    shown = "; ".join(
        ", ".join(f'"{word}" ({times})' for word, times in said.most_common())
        for said in list(doubtful.values())[:_EXAMPLES]
    )
    told = f"{len(doubtful)} in {count} ways" + (f": {shown}" if len(seen) <= FEW else "")
    if SPELLINGS in section.accept:
        return (
            Finding(
                SPELLINGS,
                "warn",
                f"target {section.target}, {len(rows)} of {len(texts)} rows",
                f"Classes that differ in capital letters or blanks count as different: {told}.",
                {"classes": len(doubtful), "ways": count, "rows": len(rows)},
            ),
        )
    raise Qua3ckError(
        f'The target "{section.target}" spells classes in more than one way, {told}; the rarer '
        f"ways in {told_rows(rows)}",
        where=PLACE,
        fix="spell each class in one way, in the file or in the training function "
        f'(.str.lower()); if they are different classes: accept: {{{SPELLINGS}: "why"}} '
        "under understand",
        code="U105",
    )


def _plain(word: str) -> str:
    return " ".join(unicodedata.normalize("NFKC", word).casefold().split())
