"""Each key once: records without a key, and those that contradict each other, do not go on.

Within a piece records of one key that differ are all held: which is right cannot be known. Of
equal ones the first goes on. Of several pieces the one that came last counts; the others are
superseded.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from qua3ck.store.warehouse.distinct import surely_differ
from qua3ck.understand.loading.layout import OURS

if TYPE_CHECKING:
    import ibis
    import pyarrow as pa

    from qua3ck.store.warehouse.engine import Engine

TWICE, KEYLESS = "U061", "U062"
PLACE = ("_piece", "_row")
_BETWEEN, _END = "\x1f", "\x1e"  # of a column and its cell; no sheet can hold them
_SOME = 1000  # records that may repeat a key, however few there are
_PART = 4_000_000  # records whose keys are told apart at a time: memory does not grow beyond


class KeysRepeat(Exception):
    """Most records would be held for their key: it does not tell rows apart."""

    def __init__(self, repeats: int, rows: int) -> None:
        super().__init__(repeats, rows)
        self.repeats, self.rows = repeats, rows


@dataclass(frozen=True)
class EachOnce:
    """Rows in which each key is once; records that are held; how many are superseded.

    ``held`` has the columns ``_piece``, ``_row``, ``column``, ``code``, ``raw``, ``key``: a list
    of texts in JSON, where the record has one; and ``differs``, which :func:`differing` reads.
    """

    rows: ibis.Table
    held: pa.Table | None = None
    superseded: int = 0


@dataclass(frozen=True)
class _Counted:
    keyless: int
    rows: int
    places: int
    keys: int


def each_once(
    engine: Engine,
    rows: ibis.Table,
    key: Sequence[str],
    ranks: Mapping[str, int],
    *,
    into: Path,
) -> EachOnce:
    """Return the rows of which each key is once, and what became of the others.

    Parameters
    ----------
    ranks : mapping
        Piece to its place in the order in which pieces came.
    into : Path
        Folder for lists that may be long.

    Raises
    ------
    KeysRepeat
        If more than half of the records would be held.
    """
    import ibis

    empty = ibis.or_(*[rows[name].isnull() for name in key])
    if _all_once(engine, rows, empty, key):
        return EachOnce(rows)
    keyed = rows.filter(~empty)
    counted = _count(engine, rows, keyed, empty, key, several=len(ranks) > 1)
    if counted.rows - counted.places > max(counted.rows / 2, _SOME):
        raise KeysRepeat(counted.rows - counted.places, counted.rows)
    if not counted.keyless and counted.rows == counted.keys:
        return EachOnce(rows)
    told = into / "numbered.parquet"
    often = _often(engine, keyed, key, into)
    engine.write_parquet(_numbered(keyed, key, often, rank_table(engine, ranks)), told)
    numbered = engine.parquet(told)
    held = [_held(engine, rows.filter(empty), key, KEYLESS)] if counted.keyless else []
    if counted.rows > counted.places:
        again = numbered.filter(~numbered.stands)
        times = int(engine.rows(again.aggregate(rows=again.count()))["rows"][0].as_py())
        if times > max(counted.rows / 2, _SOME):
            raise KeysRepeat(times, counted.rows)
        held.append(_held(engine, _with_differing(rows, again, key), key, TWICE))
    last = numbered.filter(numbered.stands & (numbered.back > 0)).select(*PLACE)
    away = into / "superseded.parquet"
    superseded = engine.write_parquet(last, away)
    kept = rows.anti_join(engine.parquet(away), list(PLACE)) if superseded else rows
    return EachOnce(*_without(engine, kept, held), superseded)


def rank_table(engine: Engine, ranks: Mapping[str, int]) -> ibis.Table:
    """Return pieces (``ranked``) with their place (``rank``)."""
    import pyarrow as pa

    pieces = pa.array(list(ranks), pa.string())
    return engine.arrow(pa.table({"ranked": pieces, "rank": pa.array(ranks.values(), pa.int64())}))


def key_table(key: Sequence[str], told: Sequence[str]) -> pa.Table:
    """Return keys as texts, one column for each of the key's, and ``at``, their place."""
    import pyarrow as pa

    cells = [json.loads(one) for one in told]
    columns = {name: pa.array([one[n] for one in cells], pa.string()) for n, name in enumerate(key)}
    return pa.table({**columns, "at": pa.array(range(len(cells)), pa.int64())})


def _all_once(engine: Engine, rows: ibis.Table, empty: ibis.Value, key: Sequence[str]) -> bool:
    """Return whether every record surely has a key of its own."""
    counted = engine.rows(rows.aggregate(rows=rows.count(), keyless=empty.sum())).to_pylist()[0]
    if counted["keyless"]:
        return False
    return surely_differ(engine, rows.select(*key), rows=counted["rows"])


def _count(
    engine: Engine,
    rows: ibis.Table,
    keyed: ibis.Table,
    empty: ibis.Value,
    key: Sequence[str],
    *,
    several: bool,
) -> _Counted:
    """Return records without a key, with one, keys per piece, and keys."""
    keyless = engine.rows(rows.filter(empty).aggregate(rows=rows.filter(empty).count()))
    found = Counter[str]()
    for part in _parts(engine, keyed, key):
        by_piece = part.group_by([*key, *(["_piece"] if several else [])])
        places = by_piece.aggregate(times=part.count())
        if several:
            keys = places.group_by(list(key)).aggregate(rows=places.times.sum(), n=places.count())
        else:
            keys = places.select(rows=places.times, n=1)
        total = keys.aggregate(rows=keys.rows.sum(), places=keys.n.sum(), keys=keys.count())
        one = engine.rows(total).to_pylist()[0]
        found.update({name: int(number or 0) for name, number in one.items()})
    counted = (found[name] for name in ("rows", "places", "keys"))
    return _Counted(int(keyless["rows"][0].as_py()), *counted)


def _often(engine: Engine, keyed: ibis.Table, key: Sequence[str], into: Path) -> ibis.Table:
    """Return the keys that come more than once."""
    files = []
    for number, part in enumerate(_parts(engine, keyed, key)):
        counted = part.group_by(list(key)).aggregate(times=part.count())
        files.append(into / f"often{number}.parquet")
        engine.write_parquet(counted.filter(counted.times > 1).drop("times"), files[-1])
    return engine.parquet(files)


def _parts(engine: Engine, keyed: ibis.Table, key: Sequence[str]) -> Iterator[ibis.Table]:
    """Yield records in parts that share no key, by its hash."""
    rows = int(engine.rows(keyed.aggregate(rows=keyed.count()))["rows"][0].as_py())
    parts = 1 << max(0, (rows - 1) // _PART).bit_length()
    code = content_of(keyed, key)
    for number in range(parts):
        yield keyed.filter((code & (parts - 1)) == number) if parts > 1 else keyed


def _numbered(
    keyed: ibis.Table, key: Sequence[str], often: ibis.Table, order: ibis.Table
) -> ibis.Table:
    """Return the records of keys that come again.

    ``stands`` says which of them go on: the first of its piece, if all of that key there are
    equal; ``back`` counts these from the last piece.
    """
    import ibis

    cells = [name for name in keyed.columns if name not in {*key, *OURS}]
    hashed = keyed.semi_join(often, list(key))
    shared = hashed.select(*dict.fromkeys((*key, *PLACE)), content=content_of(hashed, cells))
    ranked = shared.left_join(order, shared["_piece"] == order["ranked"]).drop("ranked")
    here = ibis.window(group_by=[*key, "_piece"])
    nth = ibis.row_number().over(group_by=[*key, "_piece"], order_by="_row")
    equal = ranked.content.min().over(here) == ranked.content.max().over(here)
    stood = ranked.mutate(stands=(nth == 0) & equal).drop("content")
    back = ibis.row_number().over(group_by=[*key, stood.stands], order_by=ibis.desc(stood["rank"]))
    return stood.mutate(back=back)


def differing(said: str) -> dict[str, str]:
    """Return what tells a record from others of its key: column to its cell as text.

    Parameters
    ----------
    said : str
        What is kept of it in quarantine; empty for a record that is equal to the others.
    """
    parts = (one.partition(_BETWEEN) for one in said.split(_END) if one)
    return {column: cell for column, _, cell in parts}


def apart(cells: Mapping[str, object]) -> str:
    """Return what :func:`differing` reads: the cells in which a record differs from others."""
    return "".join(
        f"{column}{_BETWEEN}{'(empty)' if cell is None else _clean(str(cell))}{_END}"
        for column, cell in cells.items()
    )


def _clean(text: str) -> str:
    return text.replace(_BETWEEN, " ").replace(_END, " ")


def _with_differing(rows: ibis.Table, again: ibis.Table, key: Sequence[str]) -> ibis.Table:
    """Return the records that do not go on, with the cells in which those of one key differ."""
    import ibis

    cells = [name for name in rows.columns if name not in {*key, *OURS}]
    full = rows.semi_join(again, list(PLACE))
    each = full.select(
        *dict.fromkeys((*key, *PLACE)),
        **{f"h{at}": content_of(full, [name]) for at, name in enumerate(cells)},
        **{f"t{at}": _as_text(full[name]) for at, name in enumerate(cells)},
    )
    here = ibis.window(group_by=[*key, "_piece"])
    said: ibis.Value = ibis.literal("")
    for at, name in enumerate(cells):
        one = each[f"h{at}"]
        told = ibis.literal(name + _BETWEEN) + each[f"t{at}"] + ibis.literal(_END)
        said = said + ibis.ifelse(one.min().over(here) == one.max().over(here), "", told)
    return each.select(*dict.fromkeys((*key, *PLACE)), differs=said)


def _as_text(cell: ibis.Value) -> ibis.Value:
    """Return a cell as text without our separators; what has no short text says only that."""
    import ibis

    kind = cell.type()
    if kind.is_binary() or kind.is_nested():
        return ibis.literal("(another)")
    text = cell.cast("string").fill_null("(empty)")
    return text.replace(_BETWEEN, " ").replace(_END, " ")


def content_of(rows: ibis.Table, columns: Sequence[str]) -> ibis.Value:
    """Return a hash of some cells of each row, by which rows are compared."""
    import ibis

    if not columns:
        return ibis.literal(0)
    return ibis.struct({f"c{at}": rows[name] for at, name in enumerate(columns)}).hash()


def _held(engine: Engine, rows: ibis.Table, key: Sequence[str], code: str) -> pa.Table:
    """Return records held for their key, with the key as it is and the column to look at."""
    import ibis
    import pyarrow as pa

    texts = [rows[name].cast("string").fill_null("") for name in key]
    raw = texts[0]
    for text in texts[1:]:
        raw = raw + " / " + text
    empty = ibis.cases(*[(rows[name].isnull(), name) for name in key], else_=", ".join(key))
    told = {f"k{at}": rows[name].cast("string") for at, name in enumerate(key)}
    differs = rows["differs"] if code == TWICE else ibis.literal(None, "string")
    fixed = {"code": ibis.literal(code), "raw": raw, "differs": differs}
    shown = rows.select(*PLACE, column=empty, **fixed, **told)
    found = engine.rows(shown, order=PLACE)
    keys = [list(line.values()) for line in found.select(list(told)).to_pylist()]
    said = pa.array([None if None in one else json.dumps(one) for one in keys], pa.string())
    return found.drop_columns(list(told)).append_column("key", said)


def _without(
    engine: Engine, rows: ibis.Table, held: Sequence[pa.Table]
) -> tuple[ibis.Table, pa.Table | None]:
    if not held:
        return rows, None
    import pyarrow as pa

    lines = pa.concat_tables(held, promote_options="permissive")
    return rows.anti_join(engine.arrow(lines.select(list(PLACE))), list(PLACE)), lines
