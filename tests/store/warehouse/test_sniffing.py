from __future__ import annotations

from qua3ck.store.warehouse.sniffing import Sniffed, sniffed


def test_duckdb_says_what_it_sees(tmp_path):
    path = tmp_path / "it's.csv"
    path.write_text('a;b\n1;"x;y"\n2;z\n')
    assert sniffed(path) == Sniffed(";", '"', "")


def test_what_cannot_be_told_is_none(tmp_path):
    assert sniffed(tmp_path / "absent.csv") is None
