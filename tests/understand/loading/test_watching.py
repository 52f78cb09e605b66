"""While a piece is read, rows, speed and share are told."""

from __future__ import annotations

import sys
import threading
from types import SimpleNamespace

import pytest

from qua3ck.understand.loading import watching
from qua3ck.understand.loading.watching import watched
from qua3ck.understand.sources.pieces import Piece


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere no position of a file is told")
def test_rows_and_share_are_told_while_a_file_is_read(tmp_path, monkeypatch):
    monkeypatch.setattr(watching, "_PAUSE", 0.001)
    path = tmp_path / "a.csv"
    path.write_bytes(b"x" * 1000)
    heard, said = [], threading.Event()

    def tell(text, share):
        heard.append((text, share))
        if "42 rows" in text and share == pytest.approx(0.75):
            said.set()

    task = SimpleNamespace(name="stock", tell=tell)
    piece = Piece("a.csv", "0" * 64, path, 1000)
    with (
        watched(task, piece, done=1000, total=2000) as counted,
        path.open("rb", buffering=0) as handle,
    ):
        handle.read(500)
        counted.count(42)
        assert said.wait(10), heard[-1:]
    after = len(heard)
    assert counted == piece
    assert heard[-1][0].startswith("reading stock: a.csv, 42 rows, ")
    assert len(heard) == after


def test_a_load_tells_what_it_does(bench):
    stock = bench()
    stock.write("a.csv", "id,x\n1,5\n")
    heard = []
    stock.load(tell=lambda text, share: heard.append((text, share)))
    assert heard[0] == ("reading stock: a.csv", 0.0)
    steps = list(dict.fromkeys(text.partition(",")[0] for text, _ in heard))
    assert steps == ["reading stock: a.csv", "comparing stock", "writing stock"]
