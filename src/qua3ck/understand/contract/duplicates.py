"""Rows that are nearly the same: one child registered twice, one report typed in twice.

Texts are compared by the three-letter pieces they share (Jaccard): 1 is the same text, one
wrong letter in thirty leaves about 0.8. Not every pair is looked at: MinHash in bands picks
the pairs that could be alike, and only these are compared in full.
"""

from __future__ import annotations

import math
import re
import unicodedata
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from qua3ck.kit.findings import Finding
from qua3ck.understand.contract.measures import Answer, measured
from qua3ck.understand.rowkeys import row_texts

if TYPE_CHECKING:
    import ibis
    import numpy as np
    import pyarrow as pa
    from numpy.typing import NDArray

    from qua3ck.store.warehouse.engine import Engine
    from qua3ck.understand.contract.rules import Rule

ALIKE = 0.75
_PIECE = 3
_SHORTEST = 8  # letters; of shorter texts one wrong letter leaves too little in common
_MOST_IN_A_BAND = 200
_MOST_TRAIN, _MOST_TEST = 15_000, 5_000  # rows compared across a split: seconds, not minutes
_OFTEN, _OFTEN_SHARE = 3, 0.01  # a text that more training rows have is a way to speak
_OVERLOOKED, _MOST_HASHES = 0.001, 160
_BETWEEN = re.compile(r"[^0-9a-z]+")


class Pair(NamedTuple):
    """Two rows, by position, and how alike they are, in (0, 1]."""

    first: int
    second: int
    alike: float


def near_pairs(
    texts: Sequence[str], *, alike: float = ALIKE, within: Sequence[Any] | None = None
) -> list[Pair]:
    """Return the pairs of texts that are nearly, or quite, the same.

    Parameters
    ----------
    texts : sequence of str, shape (n_rows,)
        Upper and lower case, accents and punctuation do not count. Texts of fewer than eight
        letters are never alike, unless they are the same.
    alike : float, in (0, 1], default 0.75
        The least share of three-letter pieces in common.
    within : sequence, shape (n_rows,), optional
        Only rows with the same value here are compared.

    Returns
    -------
    list of Pair
        Each row with the first row of the same text; each different text with those alike.

    Notes
    -----
    O(n) pieces hashed, then the candidates. With r hashes in each of b bands a pair of
    similarity s is looked at with probability 1 - (1 - s^r)^b; r and b are chosen so that at
    ``alike`` this is at least 0.999. Source: A. Broder (1997), On the resemblance and
    containment of documents; bands: A. Rajaraman & J. Ullman, Mining of Massive Datasets, 3.4.
    Why not edit distance over all pairs: 10,000 rows already make 50 million pairs.
    """
    groups = [""] * len(texts) if within is None else [str(each) for each in within]
    plain = [f"{group}\0{_plain(text)}" for group, text in zip(groups, texts, strict=True)]
    first: dict[str, int] = {}
    pairs = []
    for at, text in enumerate(plain):
        if text in first:
            pairs.append(Pair(first[text], at, 1.0))
        else:
            first[text] = at
    rows = [at for text, at in first.items() if len(text.partition("\0")[2]) >= _SHORTEST]
    pieces = [_pieces(plain[at].partition("\0")[2]) for at in rows]
    for one, other in _candidates(pieces, alike):
        if groups[rows[one]] == groups[rows[other]]:
            share = _jaccard(pieces[one], pieces[other])
            if share >= alike:
                pairs.append(Pair(rows[one], rows[other], share))
    return sorted(pairs)


def near_rows(
    train: pa.Table,
    test: pa.Table,
    columns: Sequence[str],
    *,
    same: Sequence[str] = (),
    alike: float = ALIKE,
) -> NDArray[np.bool_]:
    """Return for each test row whether a training row is nearly the same, shape (n_test,).

    Parameters
    ----------
    columns : sequence of str
        The columns of text to compare; joined with a blank. The same text counts too, but not
        one that many training rows have: "no complaint" is a way to speak, no copy.
    same : sequence of str
        Columns that must be equal.
    """
    import numpy as np

    here = np.zeros(test.num_rows, dtype=bool)
    known = _keyed_texts(train, columns, same)
    times = Counter(known)
    most = max(_OFTEN, _OFTEN_SHARE * len(known))
    known = [one for one in known if times[one] <= most]
    both = [*known, *_keyed_texts(test, columns, same)]
    border = len(known)
    found = near_pairs([text for _, text in both], alike=alike, within=[key for key, _ in both])
    for pair in found:
        if pair.second < border:
            continue
        again = pair.first >= border and pair.alike == 1 and here[pair.first - border]
        if pair.first < border or again:
            here[pair.second - border] = True
    return here


def check_near_across(
    train: pa.Table,
    test: pa.Table,
    columns: Sequence[str],
    *,
    same: Sequence[str] = (),
    equal: NDArray[np.bool_] | None = None,
    alike: float = ALIKE,
) -> Iterator[Finding]:
    """Yield a finding if test rows are nearly, but not quite, training rows.

    Parameters
    ----------
    train, test : pyarrow.Table
        The two sides. Of more than 15,000 and 5,000 rows so many are looked at, evenly spread.
    columns : sequence of str
        What the model is given. Only text is compared: near numbers are no copies.
    same : sequence of str
        Columns that must be equal besides.
    equal : array of bool, shape (n_test,), optional
        Test rows that are not asked about: equal to a training row, which is another finding.
    """
    import numpy as np
    import pyarrow as pa

    texts = [name for name in columns if pa.types.is_string(train.schema.field(name).type)]
    if not texts or not test.num_rows:
        return
    spread = np.arange(0, test.num_rows, -(-test.num_rows // _MOST_TEST))
    some = test.take(spread)
    near = near_rows(_thinned(train, _MOST_TRAIN), some, texts, same=same, alike=alike)
    count = int((near if equal is None else near & ~equal[spread]).sum())
    if not count:
        return
    share = count / some.num_rows
    looked = (
        f" ({some.num_rows} of {test.num_rows} were compared)" if len(spread) < len(test) else ""
    )
    yield Finding(
        "U089",
        "warn" if share > 0.05 else "inform",
        f"{count} of {some.num_rows} test rows",
        f"{count} test rows are nearly the same as a training row in {', '.join(texts)}{looked}; "
        "a model that only remembers would be right on them.",
        {"rows": count, "of": some.num_rows, "columns": texts, "same": [*same], "alike": alike},
    )


def _thinned(rows: pa.Table, most: int) -> pa.Table:
    """Return at most so many rows, evenly spread."""
    import numpy as np

    return rows.take(np.arange(0, rows.num_rows, -(-rows.num_rows // most) or 1))


def _keyed_texts(
    table: pa.Table, columns: Sequence[str], same: Sequence[str]
) -> list[tuple[str, str]]:
    """Return of each row what must be equal, and the plain text that may be nearly so."""
    texts = [_plain(text) for text in _joined_texts(table, columns)]
    keys = row_texts(table, same).to_pylist() if same else [""] * len(texts)
    return list(zip(keys, texts, strict=True))


def of_near_duplicates(rows: ibis.Table, rule: Rule, *, engine: Engine, count: int) -> Answer:
    """Return how many rows nearly repeat another one, over its first."""
    compared, within = list(rule.given["compared"]), list(rule.given["within"])
    table = engine.rows(rows.select(*dict.fromkeys([*compared, *within])))
    texts = _joined_texts(table, compared)
    groups = _joined_texts(table, within) if within else None
    copies = _copies(near_pairs(texts, alike=rule.given["alike"], within=groups), count)
    return Answer(rule, measured(rule, rows=count, failing=copies))


def _copies(pairs: Sequence[Pair], count: int) -> int:
    """Return rows minus clusters: a chain of three rows alike holds two copies."""
    parent = list(range(count))

    def root(at: int) -> int:
        while parent[at] != at:
            parent[at] = parent[parent[at]]
            at = parent[at]
        return at

    joined = 0
    for pair in pairs:
        one, other = root(pair.first), root(pair.second)
        if one != other:
            parent[max(one, other)] = min(one, other)
            joined += 1
    return joined


def _joined_texts(table: pa.Table, columns: Sequence[str]) -> list[str]:
    import pyarrow as pa
    import pyarrow.compute as pc

    parts = [table[name].cast(pa.string()).fill_null("") for name in columns]
    joined: list[str] = pc.binary_join_element_wise(*parts, " ").to_pylist()
    return joined


def _plain(text: str) -> str:
    """Return a text without case, accents and punctuation."""
    bare = unicodedata.normalize("NFKD", text.casefold())
    kept = "".join(letter for letter in bare if not unicodedata.combining(letter))
    latin = _BETWEEN.sub(" ", kept).strip()
    return latin or " ".join(kept.split())  # other scripts stay as they are


def _pieces(text: str) -> NDArray[np.uint64]:
    """Return the three-letter pieces of a text as sorted numbers, each once."""
    import numpy as np

    padded = np.frombuffer(f" {text} ".encode("utf-32-le"), dtype="<u4").astype(np.uint64)
    width = len(padded) - _PIECE + 1
    code = np.zeros(width, dtype=np.uint64)
    for offset in range(_PIECE):
        code = (code << np.uint64(21)) | padded[offset : offset + width]
    return np.unique(code)


def _bands(alike: float) -> tuple[int, int]:
    """Return hashes per band, and bands that find 999 of 1000 pairs.

    More hashes in a band pass over more pairs that are not alike, and need more bands; as many
    as cost no more than 160 hashes of every piece.
    """
    for per_band in range(6, 1, -1):
        bands = math.ceil(math.log(_OVERLOOKED) / math.log1p(-min(alike**per_band, 0.999)))
        if per_band * bands <= _MOST_HASHES:
            return per_band, bands
    return 1, _MOST_HASHES


def _candidates(pieces: list[NDArray[np.uint64]], alike: float) -> Iterator[tuple[int, int]]:
    """Yield pairs of positions that share a band; each once."""
    import numpy as np

    if len(pieces) < 2:
        return
    per_band, bands = _bands(alike)
    distinct, of = np.unique(np.concatenate(pieces), return_inverse=True)
    starts = np.cumsum([0, *map(len, pieces[:-1])])
    random = np.random.default_rng(12061997)  # any seed: it only picks the hash functions
    seen: set[tuple[int, int]] = set()
    for _ in range(bands):
        key = np.zeros(len(pieces), dtype=np.uint64)
        for _ in range(per_band):
            least = np.minimum.reduceat(_hashed(distinct, random)[of], starts)
            key = key * np.uint64(0x9E3779B97F4A7C15) + least
        for group in _equal(key):
            for at, one in enumerate(group[:-1]):
                for other in group[at + 1 :]:
                    pair = (min(one, other), max(one, other))
                    if pair not in seen:
                        seen.add(pair)
                        yield pair


def _hashed(values: NDArray[np.uint64], random: np.random.Generator) -> NDArray[np.uint64]:
    """Return one random mixing of the values (multiply, shift, multiply; wraps at 64 bits)."""
    import numpy as np

    first, second, third = (random.integers(1, 1 << 63, dtype=np.uint64) | np.uint64(1)
                            for _ in range(3))  # fmt: skip
    mixed = values * first + second
    mixed ^= mixed >> np.uint64(29)
    mixed *= third
    return mixed ^ (mixed >> np.uint64(32))


def _equal(key: NDArray[np.uint64]) -> Iterator[list[int]]:
    """Yield the positions of equal keys, where there are several.

    A group beyond any use (a phrase that every row has) is cut into neighbours.
    """
    import numpy as np

    order = np.argsort(key, kind="stable")
    borders = np.flatnonzero(np.diff(key[order])) + 1
    begins, ends = np.append(0, borders), np.append(borders, len(order))
    several = ends - begins > 1
    for begin, end in zip(begins[several].tolist(), ends[several].tolist(), strict=True):
        for start in range(begin, end, _MOST_IN_A_BAND):
            yield order[start : min(end, start + _MOST_IN_A_BAND)].tolist()


def _jaccard(one: NDArray[np.uint64], other: NDArray[np.uint64]) -> float:
    import numpy as np

    shared = len(np.intersect1d(one, other, assume_unique=True))
    return shared / (len(one) + len(other) - shared)
