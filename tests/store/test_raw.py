from __future__ import annotations

import gzip
import hashlib
import io
import tracemalloc
from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qua3ck.kit.errors import Qua3ckError
from qua3ck.store.raw import RawStore

CSV = b"clinic,stock\n0412,7\n" * 5000


@pytest.fixture
def store(tmp_path):
    return RawStore(tmp_path)


def kept(store):
    return [path for path in store.folder.rglob("*") if path.is_file()]


@given(st.binary(max_size=2000) | st.binary(max_size=50).map(gzip.compress))
def test_what_goes_in_comes_out_under_its_own_digest(tmp_path_factory, data):
    store = RawStore(tmp_path_factory.mktemp("raw"))
    digest = store.put(io.BytesIO(data))
    assert digest == hashlib.sha256(data).hexdigest()
    assert store.has(digest)
    with store.open(digest) as stream:
        assert stream.read() == data
    assert store.put(io.BytesIO(data)) == digest
    assert len(kept(store)) == 1


def test_text_is_kept_small_and_what_is_packed_already_as_it_is(store, tmp_path):
    path = tmp_path / "stock.csv"
    path.write_bytes(CSV)
    store.put(path)
    (packed,) = kept(store)
    assert packed.suffix == ".zst"
    assert packed.stat().st_size < len(CSV) / 50
    zipped = gzip.compress(CSV)
    store.put(io.BytesIO(zipped))
    (other,) = set(kept(store)) - {packed}
    assert other.read_bytes() == zipped


def test_a_copy_is_checked_before_anybody_reads_it(store, tmp_path):
    digest = store.put(io.BytesIO(CSV))
    assert store.copy(digest, tmp_path / "again.csv").read_bytes() == CSV
    (path,) = kept(store)
    whole = path.read_bytes()
    for bad in (
        whole[:-3],
        whole[: len(whole) // 2],
        whole[:40] + b"\0" + whole[41:],
        b"",
        whole + b"x",
    ):
        path.write_bytes(bad)
        with pytest.raises(Qua3ckError, match="damaged") as told:
            store.copy(digest, tmp_path / "bad.csv")
        assert told.value.code == "S014"
        assert not (tmp_path / "bad.csv").exists()
    store.put(io.BytesIO(CSV))  # loading it again mends it
    assert store.copy(digest, tmp_path / "mended.csv").read_bytes() == CSV


def test_other_bytes_under_a_digest_are_noticed_at_their_end(store):
    digest = store.put(io.BytesIO(gzip.compress(CSV)))
    (path,) = kept(store)
    path.write_bytes(gzip.compress(CSV + b"0413,8\n"))
    with pytest.raises(Qua3ckError, match="damaged"), store.open(digest) as stream:
        stream.read()


@pytest.mark.parametrize("digest", ["0" * 64, "", "../../etc/passwd", "AB" * 32])
def test_bytes_that_are_not_kept_say_so(store, digest):
    assert not store.has(digest)
    with pytest.raises(Qua3ckError, match="not kept") as told, store.open(digest):
        pass
    assert told.value.code == "S013"


def test_a_stream_that_breaks_off_leaves_nothing(store):
    class Broken(io.RawIOBase):
        sent = 0

        def read(self, size=-1):
            self.sent += 1
            if self.sent > 2:
                raise ConnectionResetError(104, "Connection reset by peer")
            return b"x" * size

    with pytest.raises(ConnectionResetError) as told:
        store.put(Broken())
    assert kept(store) == []
    assert str(store.folder) in str(told.value.filename)


def test_many_at_once_keep_one_copy(store):
    with ThreadPoolExecutor(4) as pool:
        digests = set(pool.map(lambda _: store.put(io.BytesIO(CSV)), range(8)))
    assert len(digests) == len(kept(store)) == 1


def test_memory_does_not_grow_with_the_bytes(store):
    class Long(io.RawIOBase):
        left = 40_000_000

        def read(self, size=-1):
            size = min(size, self.left)
            self.left -= size
            return b"1" * size

    tracemalloc.start()
    digest = store.put(Long())
    with store.open(digest) as stream:
        while stream.read(1 << 20):
            pass
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 10_000_000
