"""The training table: what the user's function or query makes of the sources."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from qua3ck.kit.errors import Qua3ckError
from qua3ck.store.warehouse import Warehouse, storable
from qua3ck.understand.gold.build import queried
from qua3ck.understand.gold.query import read_query
from qua3ck.understand.section import Understand
from qua3ck.understand.usercode import as_table, call, find_function

if TYPE_CHECKING:
    import pyarrow as pa

PLACE = "understand.training"


def make_training(
    section: Understand, tables: Mapping[str, pa.Table], *, root: Path, warehouse: Warehouse
) -> pa.Table:
    """Return the training table, all rows, in the types that are stored.

    ``training: module.function`` is given the sources as pandas tables by name; a ``.sql``
    file is one query over them; with neither, the only source is the training table itself.

    Raises
    ------
    Qua3ckError
        If the function or query fails, returns no table or no rows, or if there are several
        sources and nothing says how they make one table.
    """
    rows = storable(_made(section, tables, root, warehouse), where=section.training or PLACE)
    if rows.num_rows == 0 or rows.num_columns == 0:
        raise Qua3ckError(
            "The training table is empty: 0 rows",
            where=PLACE,
            fix="look at the filters in the training function; it must return rows",
            code="U103",
        )
    return rows


def is_plain(section: Understand) -> bool:
    """Whether the training table is the source itself, so that no code can leak."""
    return section.training is None


def _made(
    section: Understand, tables: Mapping[str, pa.Table], root: Path, warehouse: Warehouse
) -> pa.Table:
    how = section.training
    if how is None:
        if len(tables) != 1:
            raise Qua3ckError(
                f"{len(tables)} sources, and nothing says how they make one table",
                where=PLACE,
                fix="name a function or a query: training: features.training_set",
                code="U104",
            )
        return next(iter(tables.values()))
    if how.endswith(".sql"):
        return queried(read_query(root / how, place=PLACE), tables, warehouse)
    function = find_function(how, root, place=PLACE)
    frames = {name: rows.to_pandas(date_as_object=False) for name, rows in tables.items()}
    return as_table(
        call(function, (frames,), dotted=how, root=root, place=PLACE), dotted=how, place=PLACE
    )
