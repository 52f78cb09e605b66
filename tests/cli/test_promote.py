"""Promoting what is there already says so: since when, by whom, and that nothing was written."""

import json
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import pytest

from qua3ck.cli import promote as verb
from qua3ck.cli.main import main
from qua3ck.kit.clock import stamp
from qua3ck.operate.serve.routing import Rollout
from qua3ck.transfer.records import Promotion


@pytest.fixture
def promote(tmp_path, monkeypatch, capsys):
    """Return a function that types promote in a project whose alias moved and was written so."""

    def type_in(moved, written, *words, version=1, before=None, rollout=None, alias="champion"):
        last = SimpleNamespace(at=stamp(written))
        project = SimpleNamespace(
            newest=lambda version: version or 1,
            promote=lambda version, **options: Promotion(
                alias, version, before, "why", "rosa", stamp(moved), (), mirrored=True
            ),
            routing=lambda: (None, rollout),
            read_only=lambda: SimpleNamespace(ledger=SimpleNamespace(entries=lambda: [last])),
        )

        @contextmanager
        def opened(options):
            yield project

        monkeypatch.setattr(verb, "opened", opened)
        assert main(["promote", str(version), str(tmp_path), "--reason", "again", *words]) == 0
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


BEGUN = Rollout(49, 2, 1, (20, 50, 100), 0.2, since=49, at=stamp(NOW))


def test_a_champion_that_takes_over_by_steps_is_told_as_such(promote):
    said = promote(NOW, NOW, version=2, before=1, rollout=BEGUN)
    assert "version 2 is being rolled out as champion (was version 1), moved by rosa" in said
    assert "version 2 gets 20 % of the requests, then 50 %, then 100 %" in said
    assert "version 1 answers the others" in said
    assert "champion is version 2" not in said
    assert "qua3ck serve" in said
    assert "qua3ck app" in said


def test_the_steps_are_in_the_json_too(promote):
    facts = json.loads(promote(NOW, NOW, "--json", version=2, before=1, rollout=BEGUN))
    told = facts["rollout"]
    assert (facts["version"], told["settled"], told["steps"]) == (2, 1, [20, 50, 100])
    assert told["share"] == 0.2
    assert json.loads(promote(NOW, NOW, "--json"))["rollout"] is None


def test_what_is_being_rolled_out_already_says_how_far_it_is(promote):
    further = Rollout(49, 2, 1, (20, 50, 100), 0.5, since=60, at=stamp(NOW))
    said = promote(LONG_AGO, LONG_AGO, version=2, before=1, rollout=further)
    assert "version 2 gets 50 % of the requests, then 100 %" in said
    assert "version 2 is being rolled out as champion already, since 2026-03-01" in said
    facts = json.loads(promote(LONG_AGO, LONG_AGO, "--json", version=2, rollout=further))
    assert (facts["already"], facts["rollout"]["share"]) == (True, 0.5)


def test_a_rollout_of_another_version_is_not_told_of_an_alias_beside_it(promote):
    said = promote(NOW, NOW, version=3, rollout=BEGUN, alias="challenger")
    assert "challenger is version 3 (was nothing), moved by rosa" in said
    assert "requests" not in said
    said = promote(NOW, NOW, version=2, rollout=BEGUN, alias="challenger")
    assert "challenger is version 2" in said
