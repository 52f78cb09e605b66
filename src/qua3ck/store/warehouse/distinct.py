"""Whether all keys differ, found out without keeping one: a hash of each, sorted.

A table of the keys grows with them and mostly says that none comes again. Two rows of one key
have one hash, so where no hash comes twice no key does; sorting numbers takes a fraction of the
time and eight bytes a row.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from qua3ck.store.warehouse.engine import Engine

if TYPE_CHECKING:
    import ibis
    import pyarrow as pa

_MOST = 1 << 24  # hashes in memory at a time: 128 MB
_PASSES = 8  # over more rows the keys are better told apart by whoever can write them to disk


def surely_differ(engine: Engine, keys: ibis.Table, *, rows: int) -> bool:
    """Return whether each row is surely another than all others.

    Parameters
    ----------
    keys : ibis.Table
        The key columns alone, filled in every row.
    rows : int
        How many rows there are at most; memory is settled by it.

    Returns
    -------
    bool
        True is certain. False says nothing: two keys can have one hash, if hardly ever, and
        there may be too many rows to find out so.
    """
    passes = 1
    while passes * _MOST < rows:
        passes *= 2
    if passes > _PASSES:
        return False
    coded = keys.select(code=_hash(keys))
    each = rows // passes
    room = rows if passes == 1 else each + each // 8  # more of one part than that come again
    for number in range(passes):
        part = coded.filter((coded.code & (passes - 1)) == number) if passes > 1 else coded
        if not _all_once(engine.batches(part), room):
            return False
    return True


def _hash(keys: ibis.Table) -> ibis.Value:
    import ibis

    names = keys.columns
    if len(names) == 1:
        return keys[names[0]].hash()
    return ibis.struct({f"c{at}": keys[name] for at, name in enumerate(names)}).hash()


def _all_once(batches: Iterable[pa.RecordBatch], room: int) -> bool:
    import numpy as np

    codes = np.empty(room, np.int64)
    filled = 0
    for batch in batches:
        some = batch.column(0).to_numpy()
        if filled + len(some) > room:
            return False
        codes[filled : filled + len(some)] = some
        filled += len(some)
    found = codes[:filled]
    found.sort()
    return not bool((found[1:] == found[:-1]).any())
