"""Reads one file as its kind of source does; what the tests of several kinds share."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from qua3ck.kit.errors import Qua3ckError
from qua3ck.kit.hashes import file_digest
from qua3ck.understand.section import Source
from qua3ck.understand.sources.pieces import ROW, Piece, Staged
from qua3ck.understand.sources.stage import stage

SHEETS = Path(__file__).parents[4] / "shared" / "data" / "messy-spreadsheets"
JSON_SUITE = SHEETS.parent / "json-test-suite"
needs_sheets = pytest.mark.skipif(
    not SHEETS.is_dir(), reason="the spreadsheets of ../shared/data are not there"
)
needs_suite = pytest.mark.skipif(
    not JSON_SUITE.is_dir(), reason="JSONTestSuite of ../shared/data is not there"
)
PLACE = "understand.sources.s"


def staged(path: Path, *, given: Any = None, **declared: Any) -> tuple[pa.Table, Staged]:
    """Return the rows and the record of a file, held to the types given.

    The records that came are accounted for.
    """
    where = {} if {"url", "function"} & set(declared) else {"path": path.name}
    source = Source.model_validate_json(json.dumps({**where, **declared}))
    piece = Piece(path.name, file_digest(path), path, path.stat().st_size)
    with tempfile.TemporaryDirectory() as into:
        made = stage(piece, source, given, Path(into), PLACE)
        rows = pq.read_table(made.rows).combine_chunks()
    held = pc.count_distinct(made.held[ROW]).as_py()
    assert made.came == rows.num_rows + held
    numbers = rows[ROW].to_pylist()
    assert len({*numbers, *made.held[ROW].to_pylist()}) == len(numbers) + held
    json.dumps(dict(made.how))
    return rows, made


def columns(path: Path, **declared: Any) -> dict[str, list[Any]]:
    """Return the user's columns of a file."""
    return staged(path, **declared)[0].drop_columns([ROW]).to_pydict()


def refused(path: Path, **declared: Any) -> Qua3ckError:
    """Return the error that reading a file ends with."""
    with pytest.raises(Qua3ckError) as told:
        staged(path, **declared)
    assert str(told.value).count("\n") == 2
    return told.value
