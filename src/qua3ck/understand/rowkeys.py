"""What tells one row or unit from another: canonical text, and its keyed digest.

The text of a value does not depend on how a type happened to be inferred: 5, 5.0 and "5" are
equal, as are a date and its midnight. So new rows that turn a column from whole to decimal
numbers move nothing.
"""

from __future__ import annotations

import hmac
from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa
    from numpy.typing import NDArray

_NULL = "\\N"  # cannot come out of a value: a backslash in one is doubled
_BETWEEN = "\x1f"
DIGEST_BYTES = 16


def row_texts(rows: pa.Table, columns: Sequence[str]) -> pa.Array:
    """Return one text per row that is equal only for rows equal in ``columns``.

    Shape (n_rows,), never null. ``columns`` must not be empty; their order counts.
    """
    import pyarrow.compute as pc

    parts = [_canonical(rows[name]) for name in columns]
    return pc.binary_join_element_wise(*parts, _BETWEEN)


def keyed_digests(texts: pa.Array, *, key: bytes, purpose: str) -> NDArray[np.bytes_]:
    """Return HMAC-SHA256 (first 16 bytes, hex) of each text, shape (n_rows,), type S32.

    Keyed, because whoever holds a copy of the data could otherwise tell from a plain hash
    which rows were sealed. ``purpose`` keeps digests made for different ends apart.
    """
    import numpy as np

    coded = texts.dictionary_encode()
    head = purpose.encode() + b"\0"
    made = [
        hmac.digest(key, head + text.encode(), "sha256").hex()[: 2 * DIGEST_BYTES]
        for text in coded.dictionary.to_pylist()
    ]
    return np.asarray(np.array(made, dtype="S32")[coded.indices.to_numpy(zero_copy_only=False)])


def as_fraction(digests: NDArray[np.bytes_]) -> NDArray[np.float64]:
    """Return each digest as a number in [0, 1), evenly spread, in the order of the digests."""
    import numpy as np

    return np.array([int(digest[:13], 16) / 16**13 for digest in digests.tolist()], dtype=float)


def _canonical(column: pa.ChunkedArray) -> pa.Array:
    import pyarrow as pa
    import pyarrow.compute as pc

    one = column.combine_chunks()
    kind = one.type
    if pa.types.is_dictionary(kind):
        one = one.dictionary_decode()
        kind = one.type
    if pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind):
        numbers = one.cast(pa.float64(), safe=False)
        text = pc.add(numbers, 0.0).cast(pa.string())  # minus zero becomes zero
    elif pa.types.is_date(kind) or pa.types.is_timestamp(kind):
        moment = one.cast(pa.timestamp("us", getattr(kind, "tz", None)))
        text = moment.cast(pa.timestamp("us", "UTC") if moment.type.tz else moment.type)
        text = pc.binary_join_element_wise("@", text.view(pa.int64()).cast(pa.string()), "")
    else:
        escaped = pc.replace_substring(one.cast(pa.string()), "\\", "\\\\")
        text = pc.replace_substring(escaped, _BETWEEN, "\\u")
    return pc.fill_null(text, _NULL)
