"""Promoting what is there already says so: since when, by whom, and that nothing was written."""

import json
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import pytest

from qua3ck.cli import promote as verb
from qua3ck.cli.main import main
from qua3ck.kit.clock import stamp
from qua3ck.transfer.records import Promotion


@pytest.fixture
def promote(tmp_path, monkeypatch, capsys):
    """Return a function that types promote in a project whose alias moved and was written so."""

    def type_in(moved, written, *words):
        last = SimpleNamespace(at=stamp(written))
        project = SimpleNamespace(
            newest=lambda version: version or 1,
            promote=lambda version, **options: Promotion(
                "champion", version, None, "why", "rosa", stamp(moved), (), mirrored=True
            ),
            read_only=lambda: SimpleNamespace(ledger=SimpleNamespace(entries=lambda: [last])),
        )

        @contextmanager
        def opened(options):
            yield project

        monkeypatch.setattr(verb, "opened", opened)
        assert main(["promote", "1", str(tmp_path), "--reason", "again", *words]) == 0
        return capsys.readouterr().out

    return type_in


LONG_AGO = datetime(2026, 3, 1, 9, 30, tzinfo=UTC)
NOW = datetime.now(UTC) + timedelta(hours=1)


def test_an_alias_that_is_there_already_is_not_told_as_moved(promote):
    said = promote(LONG_AGO, LONG_AGO)
    assert "champion is version 1 already, since 2026-03-01 09:30 UTC, by rosa" in said
    assert "nothing was written" in said
    assert "moved by" not in said
    assert json.loads(promote(LONG_AGO, LONG_AGO, "--json"))["already"] is True


def test_what_was_written_beside_the_move_is_not_denied(promote):
    said = promote(LONG_AGO, NOW)
    assert "already" in said
    assert "nothing was written" not in said


def test_a_move_is_told_as_before(promote):
    assert "champion is version 1 (was nothing), moved by rosa" in promote(NOW, NOW)
    assert "already" not in json.loads(promote(NOW, NOW, "--json"))
