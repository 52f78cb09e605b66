"""Rare spellings beside common ones: ``birminghxm`` once, ``birmingham`` 75 times.

Only columns that use the same words over and over are looked at: where half of all names
occur once, a rare name beside a common one is a name.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from typing import TYPE_CHECKING

from qua3ck.understand.contract.cells import Cells

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_TIMES_RARER = 10  # what a typist gets wrong more often than once in ten is no mistyping
_OFTEN = 10
_CLOSED = 0.9
_LETTERS_PER_SLIP = 5
_SHORTEST = 4
_MOST_COMPARED = 4000
_WORD = re.compile(r"[^\W\d_]+(?:'[^\W\d_]+)?")
_ALPHABET = 40


def misspelt(cells: Cells) -> NDArray[np.bool_]:
    """Return the rows with a value, or a word in it, that is a slip of a much more common one.

    Returns
    -------
    array of bool, shape (n_rows,)
        True where one letter in five or fewer differs from a value (or word) ten times as
        common, in a column of which nine cells in ten have a value (or word) that occurs at
        least ten times.
    """
    import numpy as np

    counts = dict(zip(cells.values, cells.counts.tolist(), strict=True))
    wrong = set(slips(counts))
    words: Counter[str] = Counter()
    for value, count in counts.items():
        for word in _WORD.findall(value.lower()):
            words[word] += count
    bad = set(slips(words))
    chosen = [
        value in wrong or (bool(bad) and not bad.isdisjoint(_WORD.findall(value.lower())))
        for value in cells.values
    ]
    return cells.where(np.array(chosen, dtype=bool))


def slips(counts: Mapping[str, int]) -> dict[str, str]:
    """Return the rare words that are a slip of a common one, each with the common one.

    Notes
    -----
    Common words that could be meant are picked by the letters they are made of, then compared
    by edit distance. O(rare * common), with at most 4,000 of each.
    """
    total = sum(counts.values())
    often = {word: count for word, count in counts.items() if count >= _OFTEN}
    if not total or sum(often.values()) < _CLOSED * total:
        return {}
    rare = [word for word in counts if _is_word(word)]
    common = [word for word in often if _is_word(word)]
    rare.sort(key=lambda word: counts[word])
    common.sort(key=lambda word: -counts[word])
    found: dict[str, str] = {}
    for word, near in _near_in_letters(rare[:_MOST_COMPARED], common[:_MOST_COMPARED]):
        if word in found or counts[near] < _TIMES_RARER * counts[word]:
            continue
        if _is_slip(word, near):
            found[word] = near
    return found


def _is_word(text: str) -> bool:
    """Whether it is long enough to be mistyped, and more letters than digits: no number."""
    letters = sum(letter.isalpha() for letter in text)
    return len(text) >= _SHORTEST and letters > len(text) / 2


def _is_slip(word: str, meant: str) -> bool:
    """Whether few letters differ, and not in a way that makes another code or form of a word."""
    most = max(1, min(len(word), len(meant)) // _LETTERS_PER_SLIP)
    if abs(len(word) - len(meant)) > most or _ending(word, meant) or _other_number(word, meant):
        return False
    return edits(word, meant, most) <= most


def _ending(word: str, meant: str) -> bool:
    """Whether one is the other with another ending: hospital and hospitals are both words."""
    shorter, longer = sorted((word, meant), key=len)
    return len(shorter) < len(longer) and longer.startswith(shorter)


def _other_number(word: str, meant: str) -> bool:
    """Whether the two have other digits: ami-2 and ami-3 are two codes."""
    one, other = re.sub(r"\D", "", word), re.sub(r"\D", "", meant)
    return one != other and len(one) == len(other)


def edits(one: str, other: str, most: int) -> int:
    """Return insertions, deletions and replacements between two words; ``most`` + 1 if more."""
    previous = list(range(len(other) + 1))
    for at, letter in enumerate(one, start=1):
        current = [at]
        for to, against in enumerate(other, start=1):
            change = previous[to - 1] + (letter != against)
            current.append(min(change, previous[to] + 1, current[to - 1] + 1))
        if min(current) > most:
            return most + 1
        previous = current
    return min(previous[-1], most + 1)


def _near_in_letters(rare: list[str], common: list[str]) -> list[tuple[str, str]]:
    """Return pairs that are made of nearly the same letters; the most common word first."""
    import numpy as np

    if not rare or not common:
        return []
    have, want = _letters(rare), _letters(common)
    lengths = np.array([len(word) for word in rare])
    pairs: list[tuple[str, str]] = []
    for at, word in enumerate(rare):
        apart = np.abs(want - have[at]).sum(axis=1)
        room = 2 * max(1, int(lengths[at]) // _LETTERS_PER_SLIP)
        close = np.flatnonzero((apart <= room) & (apart > 0)).tolist()
        pairs.extend((word, common[near]) for near in close)
    return pairs


def _letters(words: list[str]) -> NDArray[np.int16]:
    """Return how often each letter stands in each word, shape (n_words, 40); some letters share."""
    import numpy as np

    counts = np.zeros((len(words), _ALPHABET), dtype=np.int16)
    for at, word in enumerate(words):
        for letter in word:
            counts[at, ord(letter) % _ALPHABET] += 1
    return counts
