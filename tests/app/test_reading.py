from __future__ import annotations

import pytest

from qua3ck.app.reading import Reader
from qua3ck.kit.errors import Blocked
from qua3ck.project import open_project


def test_an_alias_that_moves_is_seen_at_the_next_look(desk):
    reader = Reader(desk.root)
    assert reader.aliases() == {"champion": 1}
    open_project(desk.root).promote(2, alias="challenger", reason="try it beside the first")
    assert reader.aliases() == {"champion": 1, "challenger": 2}


def test_what_did_not_change_is_read_once(reader):
    assert reader.evidence(1, "en") is reader.evidence(1, "en")
    assert reader.evidence(1, "en") is not reader.evidence(1, "de")
    assert reader.project is reader.project


def test_a_model_outlives_events_and_is_never_another_version(desk):
    reader = Reader(desk.root)
    first, second = reader.model(1), reader.model(2)
    assert first.digest != second.digest
    desk.type("approve", "2", "--as", "emil", "--reason", "fits")
    assert reader.model(1) is first
    assert reader.model(1).digest == reader.releases()[0].candidate


def test_an_edit_of_the_project_file_is_seen(desk):
    reader = Reader(desk.root)
    assert reader.project.file.language == "en"
    file = desk.root / "qua3ck.yaml"
    file.write_text("language: de\n" + file.read_text())
    assert reader.project.file.language == "de"


def test_nothing_is_shown_of_a_version_whose_files_were_changed(desk):
    reader = Reader(desk.root)
    record = desk.root / "releases" / "2" / "records" / "conclusion.json"
    record.chmod(0o644)
    record.write_text(record.read_text().replace("pass", "fail", 1))
    with pytest.raises(Blocked, match=r"records/conclusion.json was changed"):
        reader.evidence(2, "en")
    assert reader.evidence(1, "en").version == 1


def test_the_record_is_checked_again_when_asked(desk):
    reader = Reader(desk.root)
    assert reader.verified()[0].ok
    report = desk.root / "releases" / "1" / "report.html"
    report.chmod(0o644)
    report.write_text("another one")
    assert reader.verified()[0].ok, "what was found last, with its moment"
    assert not reader.verified(again=True)[0].ok


def test_it_does_not_remember_without_end(desk, monkeypatch):
    reader = Reader(desk.root)
    monkeypatch.setattr("qua3ck.app.reading._KEPT", 3)
    for number in range(10):
        reader._once(("made up", number), lambda: 1)
    assert len(reader._lasting) == 3
    first = reader.entries()
    desk.type("approve", "2", "--as", "emil", "--reason", "fits")
    reader.releases()
    assert set(reader._current) == {"releases"}, "what was read of the old ledger is let go"
    assert len(reader.entries()) == len(first) + 1


def test_traffic_is_read_again_after_ten_seconds(desk, monkeypatch):
    reader = Reader(desk.root)
    first = reader.traffic()
    assert reader.traffic() is first
    monkeypatch.setattr("qua3ck.app.reading._FRESH", -1.0)
    assert reader.traffic() is not first
