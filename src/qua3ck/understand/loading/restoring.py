"""Going back: a source's table, and all that is remembered of its loads, as after an earlier one.

Nothing is removed. The act is a version of its own; what was undone can still be read, and the
next load takes up where the restored version was: pieces that came after it, and are still
there, are new to it.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from qua3ck.kit.clock import stamp
from qua3ck.kit.errors import Qua3ckError
from qua3ck.understand.loading.load import alone
from qua3ck.understand.loading.past import (
    ABOUT,
    aware,
    in_force,
    quality,
    read_past,
    silver,
    sweep,
    tables,
)

if TYPE_CHECKING:
    from collections.abc import Collection

    from qua3ck.store.warehouse import Version, Warehouse

_LIST = "qua3ck warehouse versions"


@dataclass(frozen=True)
class Restored:
    """What going back does, or would do.

    Attributes
    ----------
    source : str
    to : int
        The version that is brought back.
    version : int or None
        The new version; None if nothing was done.
    rows, before : int
        Current rows in that version, and those before the act.
    undone : tuple of str
        The moments of the loads that do not count any more.
    pieces : tuple of str
        Pieces that came in them: the next load reads those that are still there.
    known : str
        The moment of the act; empty if nothing was done.
    """

    source: str
    to: int
    version: int | None
    rows: int
    before: int
    undone: tuple[str, ...]
    pieces: tuple[str, ...]
    known: str = ""


def restore_source(
    name: str, to: int, root: Path, warehouse: Warehouse, *, now: datetime, act: bool
) -> Restored:
    """Bring a source back to what it was in an earlier version of its table.

    Parameters
    ----------
    now : datetime
        The moment of the act; a later one than the last load's is made if need be.
    act : bool
        Only say what would be done if false.

    Raises
    ------
    Qua3ckError
        If there is no such version, nothing was loaded in it, its files were given up, or
        another load of the source does not end. Nothing has changed then.
    """
    from qua3ck.store.warehouse import next_known

    with alone(root, name):
        table = silver(name)
        if act:
            sweep(warehouse, name, warehouse.known(table))
        kept, undone = _apart(name, to, warehouse)
        said = Restored(
            name,
            to,
            None,
            int(json.loads(kept[-1].about[ABOUT])["rows"]),
            int(read_past(warehouse, name, ()).told["rows"]),
            tuple(stamp(one.known) for one in undone if one.known),
            _pieces(warehouse, name, undone),
        )
        if not act:
            return said
        every = (*tables(name), quality(name))
        moment = next_known(now, *(warehouse.known(one) for one in every))
        version = warehouse.restore(table, to, known=moment)
    return replace(said, version=version, known=stamp(moment))


def restored_since(warehouse: Warehouse, name: str, recorded: Collection[str]) -> list[Version]:
    """Return the versions of a source that brought back others and are not on record."""
    from qua3ck.store.warehouse import RESTORED

    return [
        one
        for one in warehouse.loads(silver(name), every=True)
        if RESTORED in one.about and one.known and stamp(one.known) not in recorded
    ]


def _apart(
    name: str, to: int, warehouse: Warehouse
) -> tuple[tuple[Version, ...], tuple[Version, ...]]:
    """Return the loads that a version rests on, and those that would be undone."""
    table = silver(name)
    if warehouse.version(table) is None:
        raise _nothing(name, "Nothing was loaded yet", f"load it first: qua3ck load {name}")
    last = warehouse.version(table) or 0
    if not 0 <= to <= last:
        raise _nothing(
            name, f"There is no version {to}; possible: 0 to {last}", f"see: {_LIST} {name}"
        )
    warehouse.columns(table, version=to)  # raises if its files are gone
    kept = in_force(warehouse, table, version=to)
    if not kept or ABOUT not in kept[-1].about:
        raise _nothing(name, f"Version {to} holds no load", f"see: {_LIST} {name}")
    undone = tuple(one for one in in_force(warehouse, table) if one not in kept)
    if not undone and in_force(warehouse, table) == kept:
        raise _nothing(name, f"Nothing was loaded after version {to}", f"see: {_LIST} {name}")
    return kept, undone


def _nothing(name: str, what: str, fix: str) -> Qua3ckError:
    return Qua3ckError(what, where=f"warehouse/{silver(name)}", fix=fix, code="U170")


def _pieces(warehouse: Warehouse, name: str, undone: Collection[Version]) -> tuple[str, ...]:
    """Return the pieces that came in some loads, by name."""
    moments = {one.known for one in undone}
    lines = warehouse.read(tables(name)[0]).select(["piece", "known", "digest"]).to_pylist()
    came = {line["piece"] for line in lines if aware(line["known"]) in moments and line["digest"]}
    return tuple(sorted(came))
