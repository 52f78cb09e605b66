import pytest
from hypothesis import given
from hypothesis import strategies as st

from qua3ck.ledger.heads import read_head, sign_head, write_head
from qua3ck.store.keys import KeyStore


@pytest.fixture(scope="module")
def signed(tmp_path_factory):
    me = KeyStore(tmp_path_factory.mktemp("keys") / "k").identity("ana", create=True)
    return me, sign_head(3, "ab" * 32, "2026-01-01T00:00:00.000000Z", "ana", me.sign)


def test_a_head_survives_being_written(signed, tmp_path):
    me, head = signed
    write_head(head, tmp_path / "head.json")
    assert read_head(tmp_path / "head.json") == head
    assert head.signed_by(me.public.signing)
    assert not head.signed_by(None)
    assert read_head(tmp_path / "none.json") is None


@given(at=st.integers(0, 10_000), change=st.integers(1, 255))
def test_no_byte_of_a_head_can_be_changed_unseen(signed, tmp_path_factory, at, change):
    me, head = signed
    stored = bytearray(head.as_bytes())
    stored[at % len(stored)] ^= change
    path = tmp_path_factory.mktemp("head") / "head.json"
    path.write_bytes(stored)
    found = read_head(path)
    assert found is None or not found.signed_by(me.public.signing)
