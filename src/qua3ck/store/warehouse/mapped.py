"""Tables that lie in a file as they would lie in memory: as large as the disk, read as any other.

What a query gives must not depend on how much memory there is: neither its rows, nor their
order, nor the last bit of a sum. So the engine is handed the very table that it would be handed
in memory, only that its bytes are those of a file, which the system fetches and drops as it
likes.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pyarrow as pa


def mapped(batches: Iterable[pa.RecordBatch], schema: pa.Schema, folder: Path) -> pa.Table:
    """Write a stream of batches to a file in ``folder`` and return it as a table.

    The file must last as long as the table. Memory is that of a batch.
    """
    import pyarrow as pa

    path = folder / f"{uuid.uuid4().hex}.arrow"
    with pa.OSFile(str(path), "wb") as sink, pa.ipc.new_file(sink, schema) as file:
        for batch in batches:
            file.write_batch(batch)
    return pa.ipc.open_file(pa.memory_map(str(path))).read_all()
