from __future__ import annotations

import hashlib
import os
from datetime import UTC, datetime
from pathlib import Path

import pyarrow as pa
import pytest

from qua3ck.kit.errors import Qua3ckError
from qua3ck.understand.section import Source
from qua3ck.understand.sources.pieces import Piece, held_schema, local_pieces, stamp

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


def names(root: Path, pattern: str) -> list[str]:
    source = Source(kind="csv", path=pattern)
    return [piece.name for piece in local_pieces(source, root, place="s")]


@pytest.fixture
def project(tmp_path: Path) -> Path:
    for name in ("data/2024/a.csv", "data/2024/b.csv", "data/2025/a.csv", "data/[1] it's.csv"):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(name.encode())
    return tmp_path


@pytest.mark.parametrize(
    ("pattern", "found"),
    [
        ("data/2024/a.csv", ["a.csv"]),
        ("data/2024/*.csv", ["a.csv", "b.csv"]),
        ("data/*/a.csv", ["2024/a.csv", "2025/a.csv"]),
        ("data/20??/*.csv", ["2024/a.csv", "2024/b.csv", "2025/a.csv"]),
    ],
)
def test_a_piece_is_called_by_what_the_pattern_leaves_open(project, pattern, found):
    assert names(project, pattern) == found


def test_a_project_that_moved_calls_its_pieces_alike(project, tmp_path_factory):
    before = names(project, "data/*/*.csv")
    moved = project.rename(tmp_path_factory.mktemp("elsewhere") / "p")
    assert names(moved, "data/*/*.csv") == before
    assert names(moved, str(moved / "data" / "*" / "*.csv")) == before


def test_a_piece_has_the_digest_and_size_of_its_bytes_and_a_change_is_seen(project):
    source = Source(kind="csv", path="data/2024/a.csv")
    (one,) = local_pieces(source, project, place="s")
    content = one.path.read_bytes()
    assert (one.digest, one.size) == (hashlib.sha256(content).hexdigest(), len(content))
    one.path.write_bytes(b"X" + content[1:])
    os.utime(one.path, ns=(1, 1))
    (again,) = local_pieces(source, project, place="s")
    assert again.digest != one.digest


def test_a_pattern_that_fits_nothing_is_said(project):
    with pytest.raises(Qua3ckError) as told:
        names(project, "data/*.txt")
    assert told.value.code == "U101"


def test_rows_are_stamped_only_when_the_moment_of_the_load_is_settled():
    piece = Piece("a.csv", "", Path("a.csv"), 0)
    assert stamp(piece, 2) == {}
    got = pa.table(stamp(Piece("a.csv", "", Path("a.csv"), 0, known=NOON), 2)).to_pylist()
    assert got == [{"_piece": "a.csv", "_known": NOON, "_gone": False}] * 2


def test_held_records_have_number_column_code_and_raw_text():
    assert held_schema().names == ["_row", "column", "code", "raw"]
