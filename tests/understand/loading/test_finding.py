"""Pieces from a server: kept until their load is committed, asked on from there, taken back."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from qua3ck.kit.hashes import file_digest
from qua3ck.understand.loading import finding
from qua3ck.understand.sources.fetching import Fetch, Position
from qua3ck.understand.sources.pieces import Piece


class Server:
    """Answers with pages of records; says what it was asked with."""

    def __init__(self) -> None:
        self.pages: dict[str, list[dict]] = {}
        self.extract, self.keys, self.after, self.asked = "full", None, None, []

    def fetch(self, task, position, into: Path) -> Fetch:
        self.asked.append(position)
        assert task.name == "stock"

        def steps(fetch: Fetch) -> Iterator[Piece]:
            for name, records in self.pages.items():
                path = into / f"{name}.json"
                path.write_text(json.dumps({"rows": records}))
                yield Piece(name, file_digest(path), path, path.stat().st_size)
            fetch.extract, fetch.after = self.extract, self.after
            if self.keys is not None:
                fetch.keys = into / "keys.parquet"
                pq.write_table(pa.table({"id": self.keys}), fetch.keys)

        return Fetch(steps, extract=self.extract)


@pytest.fixture
def asked(bench, monkeypatch):
    server = Server()
    monkeypatch.setattr(finding, "_fetch", server.fetch)
    keys = {"url": "http://127.0.0.1:9/rows", "path": None, "records": "rows"}
    return bench(kind="http", **keys, key=["id"]), server


def rows(*pairs):
    return [{"id": key, "x": value} for key, value in pairs]


def test_pages_of_a_whole_extract_say_what_is_gone(asked):
    stock, server = asked
    server.pages = {"page 1": rows((1, 5), (2, 6)), "page 2": rows((3, 7), (4, 8))}
    assert stock.load().rows == 4
    assert stock.load().known == ""
    server.pages["page 2"] = rows((3, 9))  # page 1 is as it was, and still counts
    done = stock.load()
    assert (done.pieces, done.changed, done.unchanged, done.deleted) == (2, 1, 2, 1)
    assert [(row["id"], row["x"]) for row in stock.rows()] == [(1, 5), (2, 6), (3, 9)]


def test_a_page_that_does_not_come_any_more_takes_its_rows_along(asked):
    stock, server = asked
    server.pages = {"page 1": rows((1, 5), (2, 6)), "page 2": rows((3, 7))}
    stock.load()
    del server.pages["page 2"]
    assert stock.load().deleted == 1
    assert len(stock.rows()) == 2


def test_a_server_that_suddenly_has_nothing_empties_no_table(asked):
    stock, server = asked
    server.pages = {"page 1": rows((1, 5), (2, 6))}
    stock.load()
    server.pages = {}
    held = stock.load()
    assert "U065" in [one.code for one in held.findings]
    assert len(stock.rows()) == 2


def test_changes_go_on_from_where_the_last_load_ended(asked):
    stock, server = asked
    server.pages, server.after = {"a 1": rows((1, 5), (2, 6))}, Position("q", "2026-01-01")
    stock.load()
    server.extract, server.pages = "changes", {"b 1": rows((2, 7))}
    server.after = Position("q", "2026-01-02")
    done = stock.load()
    assert (done.changed, done.deleted, done.rows) == (1, 0, 2)
    server.pages = {}
    stock.load()
    assert [one.mark if one else None for one in server.asked] == [None, "2026-01-01", "2026-01-02"]


def test_a_file_that_is_held_is_asked_for_again(asked):
    stock, server = asked
    server.pages = {"a": rows((1, 5)), "b": [{"id": 2, "x": 6, "further": 1}]}
    server.after, server.extract = Position("q", objects={"a": "v1", "b": "v7"}), "changes"
    assert [one.piece for one in stock.load().held_pieces] == ["b"]
    stock.load()
    assert server.asked[-1].objects == {"a": "v1"}


def test_keys_that_the_server_has_no_more_are_gone(asked):
    stock, server = asked
    server.pages = {"a 1": rows((1, 5), (2, 6), (3, 7))}
    stock.load()
    server.extract, server.pages, server.keys = "changes", {"b 1": rows((4, 8))}, [1, 3, 4]
    done = stock.load()
    assert (done.new, done.deleted) == (1, 1)
    server.pages, server.keys = {}, [1, 4]
    assert stock.load().deleted == 1
    assert [row["id"] for row in stock.rows()] == [1, 4]
    assert stock.load().known == ""


def test_keys_of_which_most_are_gone_are_not_believed(asked):
    stock, server = asked
    server.pages = {"a 1": rows((1, 5), (2, 6), (3, 7))}
    stock.load()
    server.extract, server.pages, server.keys = "changes", {}, [1]
    held = stock.load()
    assert [one.code for one in held.held_pieces] == ["U065"]
    assert len(stock.rows()) == 3


def test_what_was_fetched_stays_until_it_is_committed(asked, monkeypatch):
    stock, server = asked
    server.pages = {"page 1": rows((1, 5))}
    folder = stock.root / "state" / "loads" / "stock.fetched"
    with monkeypatch.context() as patch:
        patch.setattr("qua3ck.understand.loading.writing._commit", killed)
        with pytest.raises(KeyboardInterrupt):
            stock.load()
    assert (folder / "page 1.json").is_file()
    stock.load()
    assert not folder.exists()


def test_a_row_that_says_that_it_was_deleted_is_gone(asked):
    stock, server = asked
    stock.source = stock.source.model_copy(update={"deleted": "away"})
    server.extract = "changes"
    server.pages = {"a 1": [*[{**row, "away": False} for row in rows((1, 5), (2, 6))]]}
    server.pages["a 1"].append({"id": 9, "x": None, "away": True})
    first = stock.load()
    assert (first.came, first.loaded, first.new, first.withdrawn) == (3, 3, 2, 1)
    server.pages = {"b 1": [{"id": 2, "x": None, "away": True}, {"id": 3, "x": 7, "away": None}]}
    done = stock.load()
    assert (done.new, done.withdrawn, done.deleted, done.rows) == (1, 1, 1, 2)
    assert [row["id"] for row in stock.rows()] == [1, 3]
    assert [row["id"] for row in stock.rows(version=first.version)] == [1, 2]


def killed(*args, **kwargs):
    raise KeyboardInterrupt


def test_declared_otherwise_earlier_pages_are_read_from_the_bytes_that_were_kept(asked):
    stock, server = asked
    server.pages = {"a 1": rows((1, "5"), (2, "?"))}
    server.extract = "changes"
    stock.load()
    stock.source = stock.source.model_copy(update={"null": ("?",)})
    server.pages = {"b 1": rows((3, "7"))}
    done = stock.load()
    assert done.pieces == 2
    assert [row["x"] for row in stock.rows()][1] is None
