from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pyarrow as pa
import pytest

from qua3ck.kit.hashes import file_digest
from qua3ck.transfer.sheet import gather
from qua3ck.understand import Pinned

FILE = """
understand:
  sources:
    loans: {kind: csv, path: data/l.csv, owner: bank, contract: contracts/loans.odcs.yaml}
  tables:
    per_month: {function: features.per_month, reads: [loans], says: One month.}
  target: status
"""
CONTRACT = """
apiVersion: v3.1.0
kind: DataContract
id: loans
version: 1.2.0
status: active
description: {purpose: book-keeping, limitations: granted loans only}
schema:
  - name: loans
    logicalType: object
    description: one loan
    properties:
      - {name: status, logicalType: string, classification: public}
      - {name: phone, logicalType: string, classification: personal}
      - {name: note, logicalType: string}
"""
LOADED = datetime(2026, 3, 1, tzinfo=UTC)


class MadeWarehouse:
    """The two calls that are needed, with a quality table of two loads."""

    def version(self, table):
        return 1 if table == "quality/loans" else None

    def read(self, table):
        assert table == "quality/loans"
        moments = [LOADED, LOADED, LOADED + timedelta(days=1)]
        return pa.table(
            {
                "_known": pa.array(moments, pa.timestamp("us", tz="UTC")),
                "dimension": ["completeness", "validity", "completeness"],
                "rows": [100, 100, 900],
                "failing": [3, 0, 900],
                "answer": ["fail", "pass", "fail"],
            }
        )


@pytest.fixture
def project(tmp_path, facts, entry):
    (tmp_path / "qua3ck.yaml").write_text(FILE)
    (tmp_path / "contracts").mkdir()
    (tmp_path / "contracts" / "loans.odcs.yaml").write_text(CONTRACT)
    figures = json.dumps({"rows": 9, "classes": {"bad": 9}, "columns": {}}).encode()
    (tmp_path / "profile.json").write_bytes(figures)
    (tmp_path / "profile.html").write_text(f"SHA-256 {hashlib.sha256(figures).hexdigest()}")
    entries = [
        entry(1, "source.loaded", "loans", table="silver/loans", version=0, held=4,
              known=LOADED.isoformat()),
        entry(2, "table.made", "per_month", version=3, rows=12),
        entry(3, "source.loaded", "loans", table="silver/loans", version=1, held=99,
              known=(LOADED + timedelta(days=1)).isoformat()),
    ]  # fmt: skip
    snapshot = replace(
        facts.snapshot, sources=(Pinned("silver/loans", 0, 100, "d" * 64),),
        profile="profile.html", profile_digest=file_digest(tmp_path / "profile.html"),
    )  # fmt: skip
    return tmp_path, snapshot, entries


def look(root, snapshot, entries):
    return gather(
        root / "qua3ck.yaml", snapshot, root=root, warehouse=MadeWarehouse(), entries=entries
    )


def test_a_source_is_told_as_of_the_load_that_the_snapshot_pins(project):
    (source,) = look(*project).sources
    assert (source.name, source.declared.owner, source.held, source.loads) == (
        "loans",
        "bank",
        4,
        2,
    )
    assert [(s.dimension, s.looked_at, s.failing) for s in source.quality] == [
        ("completeness", 100, 3), ("validity", 100, 0),
    ]  # fmt: skip


def test_what_the_contract_says_is_read_from_it(project):
    (source,) = look(*project).sources
    agreed = source.agreed
    assert (agreed.version, agreed.row, agreed.purpose) == ("1.2.0", "one loan", "book-keeping")
    assert (agreed.limitations, agreed.usage) == ("granted loans only", "")
    assert dict(agreed.classified) == {"": 1, "personal": 1, "public": 1}
    assert agreed.digest == file_digest(project[0] / "contracts" / "loans.odcs.yaml")


def test_the_way_of_gold_tables_is_told_with_their_last_making(project):
    (made,) = look(*project).made
    assert (made.how, made.reads, made.rows, made.version) == (
        "features.per_month()", ("loans",), 12, 3,
    )  # fmt: skip


def test_the_profile_is_used_only_if_its_page_vouches_for_it(project):
    root, snapshot, entries = project
    assert look(root, snapshot, entries).profile["classes"] == {"bad": 9}
    (root / "profile.json").write_text('{"classes": {"bad": 10}}')
    assert look(root, snapshot, entries).profile == {}


def test_a_profile_page_other_than_the_recorded_one_vouches_for_nothing(project):
    root, snapshot, entries = project
    page = root / "profile.html"
    page.write_text(page.read_text() + " ")
    assert look(root, snapshot, entries).profile == {}


def test_a_project_file_without_the_section_leaves_everything_open(project):
    root, snapshot, _ = project
    (root / "qua3ck.yaml").write_text("project: consumer-credit\n")
    found = look(root, snapshot, [])
    (source,) = found.sources
    assert (found.section, found.made, source.declared, source.held) == (None, (), None, None)
    assert (source.agreed, source.quality, source.loaded_at) == (None, (), "")
