from __future__ import annotations

import pytest

from qua3ck.kit.errors import Qua3ckError
from qua3ck.understand.membership import Membership, read_membership, write_membership

KEPT = Membership(
    "content",
    0.2,
    ("x", "ü"),
    {"yes": "0.2"},
    "",
    frozenset({b"0" * 32, b"a" * 32}),
    frozenset({b"f" * 32}),
)


def test_what_is_kept_is_read_back(tmp_path):
    assert read_membership(tmp_path) is None
    write_membership(tmp_path, KEPT)
    assert read_membership(tmp_path) == KEPT


@pytest.mark.parametrize("cut", [-1, -16, 3, 60])
def test_a_damaged_record_is_never_taken_for_a_new_project(tmp_path, cut):
    write_membership(tmp_path, KEPT)
    path = tmp_path / "sealed" / "membership.bin"
    path.write_bytes(path.read_bytes()[:cut])
    with pytest.raises(Qua3ckError, match="damaged") as told:
        read_membership(tmp_path)
    assert told.value.code == "U110"
