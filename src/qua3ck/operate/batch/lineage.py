"""From an answer back to the records behind it, and predictions as acts for other catalogues."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from qua3ck.kit.errors import Qua3ckError
from qua3ck.operate.batch.inputs import PIECE, ROW, is_file
from qua3ck.operate.batch.outputs import LAYER

if TYPE_CHECKING:
    from qua3ck.ledger import Ledger
    from qua3ck.store.warehouse import Warehouse
    from qua3ck.understand.gold import ActFact, Record, Step, Trace
    from qua3ck.understand.gold.received import Answers, Pieces
    from qua3ck.understand.section import Understand

_SILVER, _GOLD = "silver/", "gold/"
_KNOWN_BY = ("source_piece", "source_row")
_FROM = ("source_table", "source_version", "source_digest")
_BY = ("model_version", "model_alias", "model_release")

TraceGold = Callable[[str, str], "Trace"]


def is_prediction(table: str, section: Understand, warehouse: Warehouse) -> bool:
    """Whether a word means a table of answers, or of rows held from them."""
    if table in section.sources or table in section.tables:
        return False
    try:
        return _plain(table) and warehouse.version(_named(table)) is not None
    except Qua3ckError:
        return False  # no table can have such a name


def trace_prediction(
    table: str,
    where: str,
    limit: int,
    warehouse: Warehouse,
    trace_gold: TraceGold,
    *,
    root: Path,
) -> Trace:
    """Return the answers that fit a condition, each with the records behind its row.

    Parameters
    ----------
    table : str
        A table of answers, with or without its layer.
    where : str
        A SQL condition over its columns; empty for all rows.
    trace_gold : callable
        Gold table and condition to its trace, for rows that came from one and whose key
        was copied.
    root : Path
        The project's folder; a condition can read nothing beyond its tables.

    Raises
    ------
    Qua3ckError
        If the condition cannot be read.
    """
    from qua3ck.store.warehouse import Engine
    from qua3ck.understand.gold import Trace, TracedRow

    name = _named(table)
    with Engine(reach=[root / "warehouse"]) as engine:
        view = warehouse.current_view(name, engine=engine, by=(PIECE,))
        test = f" WHERE {where}" if where else ""
        sql = f"SELECT * FROM answers{test}"  # noqa: S608 - the engine reaches nothing else
        found = engine.query(sql, {"answers": view})
        matches = int(engine.rows(found.count().as_table())[0][0].as_py())
        rows = engine.rows(found.limit(limit)).to_pylist()
    behind = _Behind(root, warehouse, trace_gold)
    traced = tuple(TracedRow(row, behind.records(row)) for row in rows)
    return Trace(name, where, matches, traced, _steps(name, rows))


def prediction_acts(ledger: Ledger) -> Iterator[ActFact]:
    """Yield every prediction that the ledger has, as an act on tables."""
    from qua3ck.understand.gold import ActFact

    for entry in ledger.entries("predictions.made"):
        body: Any = entry.body
        source, to = str(body["source"]), str(body["to"])
        version = body["source_version"]
        yield ActFact(
            job=f"predict.{to}",
            kind="PREDICT",
            at=entry.at,
            content=str(body["run"]),
            reads=(
                (
                    "file" if is_file(source) else "",
                    source,
                    str(body["source_digest"] if version is None else version),
                ),
                ("", f"releases/{body['version']}", str(body["release"])),
            ),
            writes=(
                "file" if is_file(to) else "",
                to,
                str(body["to_digest"] if body["to_version"] is None else body["to_version"]),
            ),
            rows=int(body["predicted"]),
        )


def _plain(table: str) -> bool:
    layer, _, rest = table.rpartition("/")
    return layer in {"", LAYER} and bool(rest) and not is_file(rest)


def _named(table: str) -> str:
    return table if table.startswith(f"{LAYER}/") else f"{LAYER}/{table}"


class _Behind:
    """What stands behind rows of answers; a source is looked at once for each version of it."""

    def __init__(self, root: Path, warehouse: Warehouse, trace_gold: TraceGold) -> None:
        self._root, self._warehouse, self._trace_gold = root, warehouse, trace_gold
        self._seen: dict[tuple[str, int], tuple[Pieces, Mapping[str, Answers]]] = {}

    def records(self, row: Mapping[str, Any]) -> tuple[Record, ...]:
        """Return the records that a row of answers was made from."""
        from qua3ck.understand.gold import Record, record_of
        from qua3ck.understand.sources.places import place_of

        source, number = str(row["source_table"]), int(row["source_row"])
        if is_file(source):
            return (Record(source, source, number, f"record {number}", row["source_digest"]),)
        if source.startswith(_GOLD):
            return _behind_gold(row, source, self._warehouse, self._trace_gold)
        name, piece = source.removeprefix(_SILVER), str(row["source_piece"])
        known = self._since(row, source)
        if known is None:
            return (Record(name, piece, number, place_of(number, {})),)
        pieces, answers = self._of(name, int(row["source_version"]))
        return (record_of(name, piece, number, known, pieces, answers),)

    def _of(self, name: str, version: int) -> tuple[Pieces, Mapping[str, Answers]]:
        from qua3ck.understand.gold import answers_of, pieces_of

        if (name, version) not in self._seen:
            pieces = pieces_of({name: version}, self._warehouse)
            answers = answers_of(self._root, (name,), pieces, self._warehouse)
            self._seen[name, version] = pieces, answers
        return self._seen[name, version]

    def _since(self, row: Mapping[str, Any], source: str) -> datetime | None:
        """Return since when the row of the source is as it was answered, which tells the bytes.

        A piece and a number may mean two rows, one of them unchanged since other bytes; then
        the columns that were copied tell which. None if they do not, or it was given up.
        """
        from qua3ck.store.warehouse import Engine
        from qua3ck.understand.loading.past import ABOUT, aware, in_force

        version = int(row["source_version"])
        loads = [one for one in in_force(self._warehouse, source, version=version) if one.known]
        by = json.loads(loads[-1].about[ABOUT])["by"] if loads else [PIECE]
        try:
            with Engine(reach=[self._root / "warehouse"]) as engine:
                rows = self._warehouse.current_view(
                    source, engine=engine, by=by, version=version, meta=True
                )
                there = rows.filter(rows[PIECE] == row["source_piece"])
                there = there.filter(there[ROW] == int(row["source_row"]))
                for column in set(by) & set(row) - {PIECE}:
                    there = there.filter(there[column].identical_to(row[column]))
                found = engine.rows(there.select("_known").distinct())["_known"].to_pylist()
        except Qua3ckError:
            return None  # the version is not kept any more; its step still says which it was
        return aware(found[0]) if len(found) == 1 else None


def _behind_gold(
    row: Mapping[str, Any], source: str, warehouse: Warehouse, trace_gold: TraceGold
) -> tuple[Record, ...]:
    """Follow a gold table's row by the key that was copied, while the table is still that one."""
    if warehouse.version(source) != row["source_version"]:
        return ()
    skip = {*_KNOWN_BY, *_FROM, *_BY, "label", "value", "strange", "predicted_at", "column", "code"}
    there = warehouse.columns(source)
    key = [name for name in row if name in there and name not in skip]
    if not key:
        return ()
    test = " AND ".join(f"{_name(name)} IS NOT DISTINCT FROM {_value(row[name])}" for name in key)
    try:
        found = trace_gold(source.removeprefix(_GOLD), test)
    except Qua3ckError:
        return ()  # a table that cannot be traced row by row; its step still says where it is from
    return found.rows[0].records if found.rows else ()


def _steps(name: str, rows: list[dict[str, Any]]) -> tuple[Step, ...]:
    from qua3ck.understand.gold import Step

    said = []
    for row in rows:
        by = f" ({row['model_alias']})" if row["model_alias"] else ""
        version = row["source_version"]
        pinned = f" version {version}" if version is not None else ""
        said.append(
            f"version {row['model_version']}{by}, release {row['model_release'][:12]}, "
            f"from {row['source_table']}{pinned}, content {row['source_digest'][:12]}"
        )
    return tuple(Step(name, one) for one in dict.fromkeys(said))


def _name(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _value(value: Any) -> str:
    if value is None:
        return "NULL"
    if isinstance(value, bool | int | float):
        return str(value)
    return "'" + str(value).replace("'", "''") + "'"
