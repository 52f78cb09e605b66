from __future__ import annotations

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from staging import refused, staged

HTTP = {"kind": "http", "url": "https://example.org/x"}
DATABASE = {"kind": "database", "url": "env:DB", "table": "t"}


@pytest.mark.parametrize("source", [HTTP, DATABASE, {"kind": "function", "function": "f.rows"}])
def test_parquet_is_known_by_its_content_whatever_brought_it(tmp_path, source):
    pq.write_table(pa.table({"a": [1, 2]}), tmp_path / "p.piece")
    rows, _ = staged(tmp_path / "p.piece", **source)
    assert rows.to_pydict() == {"a": [1, 2], "_row": [1, 2]}


@pytest.mark.parametrize("source", [HTTP, DATABASE])
def test_what_servers_give_as_lines_is_read_as_lines(tmp_path, source):
    (tmp_path / "p.piece").write_text('{"a": 1}\n{"a": 2}\n')
    rows, _ = staged(tmp_path / "p.piece", **source)
    assert rows.to_pydict() == {"a": [1, 2], "_row": [1, 2]}


@pytest.mark.parametrize(
    ("kind", "content", "code"),
    [
        ("parquet", b"a,b\n1,2\n", "U102"),
        ("delta", b"a,b\n1,2\n", "U102"),
        ("excel", b"a,b\n1,2\n", "U129"),
        ("json", b"a,b\n1,2\n", "U131"),
    ],
)
def test_a_piece_of_another_kind_than_declared_is_refused(tmp_path, kind, content, code):
    (tmp_path / "p.piece").write_bytes(content)
    assert refused(tmp_path / "p.piece", kind=kind).code == code


def test_delimited_text_is_read_with_and_without_steps(tmp_path):
    (tmp_path / "p.csv").write_text("d,Jan\nN,1\n")
    assert staged(tmp_path / "p.csv", kind="csv")[0].to_pydict() == {
        "d": ["N"],
        "Jan": [1],
        "_row": [1],
    }
    steps = [{"unpivot": {"left": ["d"], "top": ["m"]}}]
    assert staged(tmp_path / "p.csv", kind="csv", tidy=steps)[0].to_pydict() == {
        "d": ["N"],
        "m": ["Jan"],
        "value": [1],
        "_row": [200002],
    }
