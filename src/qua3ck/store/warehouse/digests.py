"""What a table's content is called: one hash of names, types and values, equal everywhere."""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from qua3ck.store.warehouse.columns import kept_type, stored

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa
    from numpy.typing import NDArray


def content_digest(rows: pa.Table) -> str:
    """Return the SHA-256 (hex) of a table's column names, types and values.

    Row order counts; chunking, metadata, what lies under a null and the bits of a NaN do not.
    Equal on all machines. O(cells), without a copy of the table.
    """
    total = hashlib.sha256()
    for name, column in zip(rows.column_names, rows.columns, strict=True):
        kind = kept_type(column.type, name, where="a table")

        def parts(name: str = name, column: pa.ChunkedArray = column) -> Iterator[pa.Array]:
            return (stored(chunk, name, where="a table") for chunk in column.chunks)

        total.update(_column_digest(name, kind, parts))
    total.update(rows.num_rows.to_bytes(8, "little"))
    return total.hexdigest()


def stream_digest(
    batches: Iterable[pa.RecordBatch], schema: pa.Schema, columns: Sequence[str], *, scratch: Path
) -> tuple[str, int]:
    """Return the :func:`content_digest` of a stream of stored types, and its rows.

    The hash takes one column after the other, so the stream is spooled to the disk and read
    back a column at a time; memory is that of a few batches.
    """
    import pyarrow as pa

    count = 0
    fields = [schema.field(name) for name in columns]
    with tempfile.TemporaryDirectory(dir=scratch) as folder:
        spool = Path(folder) / "rows.arrow"
        with pa.OSFile(str(spool), "wb") as sink, pa.ipc.new_file(sink, pa.schema(fields)) as file:
            for batch in batches:
                count += batch.num_rows
                file.write_batch(batch)
        total = hashlib.sha256()
        for at, one in enumerate(fields):

            def parts(at: int = at) -> Iterator[pa.Array]:
                return _spooled(spool, at)

            total.update(_column_digest(one.name, one.type, parts))
    total.update(count.to_bytes(8, "little"))
    return total.hexdigest(), count


def parquet_digest(path: Path, schema: pa.Schema) -> str:
    """Return the :func:`content_digest` of a Parquet file of stored types.

    It is read column by column, a batch at a time.
    """
    import pyarrow.parquet as pq

    total = hashlib.sha256()
    with pq.ParquetFile(path) as file:
        for one in schema:

            def parts(name: str = one.name) -> Iterator[pa.Array]:
                return (batch.column(0) for batch in file.iter_batches(columns=[name]))

            total.update(_column_digest(one.name, one.type, parts))
        total.update(file.metadata.num_rows.to_bytes(8, "little"))
    return total.hexdigest()


def _spooled(spool: Path, column: int) -> Iterator[pa.Array]:
    import pyarrow as pa

    options = pa.ipc.IpcReadOptions(included_fields=[column])
    with pa.OSFile(str(spool), "rb") as source:
        file = pa.ipc.open_file(source, options=options)
        for number in range(file.num_record_batches):
            yield file.get_batch(number).column(0)


def _column_digest(name: str, kind: pa.DataType, parts: Callable[[], Iterator[pa.Array]]) -> bytes:
    """Hash a column that is read in parts, up to three times from its beginning."""
    import pyarrow as pa

    one = hashlib.sha256()
    title = name.encode()
    one.update(len(title).to_bytes(4, "little") + title + str(kind).encode() + b"\0")
    _hash_bits(one, (part.is_valid() for part in parts()))
    if pa.types.is_string(kind):
        for part in parts():
            one.update(_lengths(part))
        for part in parts():
            one.update(_text_bytes(part.fill_null("")))
    elif pa.types.is_boolean(kind):
        _hash_bits(one, (part.fill_null(False) for part in parts()))
    else:
        for part in parts():
            one.update(_number_bytes(part))
    return one.digest()


def _hash_bits(one: hashlib._Hash, parts: Iterator[pa.Array]) -> None:
    """Hash booleans as bits without a gap between parts."""
    import numpy as np

    rest: NDArray[np.bool_] = np.array([], dtype=np.bool_)
    for part in parts:
        bits = np.concatenate([rest, part.to_numpy(zero_copy_only=False)])
        whole = len(bits) // 8 * 8
        one.update(np.packbits(bits[:whole]).tobytes())
        rest = bits[whole:]
    one.update(np.packbits(rest).tobytes())


def _lengths(part: pa.Array) -> bytes:
    import pyarrow.compute as pc

    lengths = pc.binary_length(part.fill_null("")).to_numpy(zero_copy_only=False)
    return bytes(lengths.astype("<i8").tobytes())


def _text_bytes(filled: pa.Array) -> memoryview | bytes:
    offsets, data = filled.buffers()[1:]
    if data is None:
        return b""
    import numpy as np

    ends = np.frombuffer(offsets, dtype="<i4")[filled.offset : filled.offset + len(filled) + 1]
    return memoryview(data)[int(ends[0]) : int(ends[-1])]


def _number_bytes(column: pa.Array) -> bytes:
    import numpy as np
    import pyarrow as pa

    kind = column.type
    if pa.types.is_date32(kind):
        column = column.view(pa.int32())
    elif pa.types.is_timestamp(kind):
        column = column.view(pa.int64())
    values = column.fill_null(0).to_numpy(zero_copy_only=False)
    if values.dtype.kind == "f":
        values = np.where(np.isnan(values), values.dtype.type("nan"), values)
    return bytes(values.astype(values.dtype.newbyteorder("<")).tobytes())
