"""A Parquet file without some of its rows, written again block by block.

Blocks go from the file to memory and back in the form they have, so that of a few rows among
millions no engine has to look at the others' cells; memory is that of a few blocks.
"""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any

from qua3ck.store.warehouse.columns import ROW
from qua3ck.store.warehouse.problems import unwritable

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa
    from numpy.typing import NDArray


def without_rows(rows: Path, numbers: NDArray[np.int64], into: Path) -> int:
    """Write the rows of a Parquet file whose ``_row`` is none of ``numbers``; return how many.

    Their order, types, blocks and ways of packing stay.

    Raises
    ------
    Qua3ckError
        If the disk does not take them.
    """
    import pyarrow.parquet as pq

    written = 0
    try:
        with (
            pq.ParquetFile(rows) as file,
            pq.ParquetWriter(
                into,
                file.schema_arrow,
                compression="zstd",
                compression_level=1,
                use_dictionary=_repeating(file.metadata),
            ) as writer,
            ThreadPoolExecutor(1) as beside,  # the next block is read while one is written
        ):
            waiting: Future[None] | None = None
            for block in _thinned(file, numbers):
                if waiting is not None:
                    waiting.result()
                waiting = beside.submit(writer.write_table, block, len(block))
                written += len(block)
            if waiting is not None:
                waiting.result()
    except OSError as problem:
        raise unwritable(into.parent, problem) from problem
    return written


def _thinned(file: Any, numbers: NDArray[np.int64]) -> Iterator[pa.Table]:
    import numpy as np
    import pyarrow as pa

    away = np.unique(numbers)
    for number in range(file.num_row_groups):
        block = file.read_row_group(number)
        own = block[ROW].to_numpy()
        some = away[np.searchsorted(away, own.min()) : np.searchsorted(away, own.max(), "right")]
        kept = block.filter(pa.array(~np.isin(own, some))) if len(some) else block
        if len(kept):
            yield kept


def _repeating(footer: Any) -> list[str]:
    """Return the columns of which the first block is written as a dictionary."""
    block = footer.row_group(0)
    columns = (block.column(at) for at in range(footer.num_columns))
    return [one.path_in_schema for one in columns if one.has_dictionary_page]
