from __future__ import annotations

import hashlib
import hmac

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from qua3ck.understand.rowkeys import as_fraction, keyed_digests, row_texts

KEY = bytes(range(32))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (pa.array([5]), pa.array([5.0])),
        (pa.array([0.0]), pa.array([-0.0])),
        (pa.array([5]), pa.array(["5"])),
        (pa.array([1], pa.date32()), pa.array([86_400_000_000], pa.timestamp("us"))),
        (pa.array([True]), pa.array(["true"])),
        (pa.array(["a"]), pa.array(["a"]).dictionary_encode()),
        (pa.array([None], pa.int64()), pa.array([None], pa.string())),
    ],
)
def test_a_value_counts_as_itself_however_its_type_was_inferred(one, other):
    assert row_texts(pa.table({"a": one}), ["a"]) == row_texts(pa.table({"a": other}), ["a"])


texts = st.none() | st.text(alphabet="a\\N\x1fu", max_size=3)


@given(st.tuples(texts, texts), st.tuples(texts, texts))
def test_only_equal_rows_have_equal_texts(one, other):
    rows = pa.table(
        {
            "a": pa.array([one[0], other[0]], pa.string()),
            "b": pa.array([one[1], other[1]], pa.string()),
        }
    )
    got = row_texts(rows, ["a", "b"]).to_pylist()
    assert (got[0] == got[1]) == (one == other)


def test_digests_are_plain_hmac_and_need_the_key():
    texts = pa.array(["a", "b", "a"])
    got = keyed_digests(texts, key=KEY, purpose="unit")
    wanted = hmac.new(KEY, b"unit\0a", hashlib.sha256).hexdigest()[:32].encode()
    assert got[0] == got[2] == wanted
    assert keyed_digests(texts, key=b"x" * 32, purpose="unit")[0] != wanted
    assert keyed_digests(texts, key=KEY, purpose="row")[0] != wanted


def test_fractions_are_spread_evenly_and_follow_the_digests():
    digests = keyed_digests(pa.array([str(n) for n in range(4000)]), key=KEY, purpose="unit")
    parts = as_fraction(digests)
    assert np.array_equal(np.argsort(parts), np.argsort(digests))
    counts = np.histogram(parts, bins=10, range=(0, 1))[0]
    assert ((counts - 400) ** 2 / 400).sum() < 27.9  # chi square, 9 degrees, p = 0.001
