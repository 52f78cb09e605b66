from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from qua3ck.govern import open_workspace
from qua3ck.kit.errors import Qua3ckError
from qua3ck.kit.records import as_json
from qua3ck.question import agree
from qua3ck.transfer import audit, rollback, verify


@pytest.fixture
def storied(small_lender):
    """Version 1 promoted on 1 March, version 2 on 5 March, back to 1 on 9 March, 2026."""
    days = {"now": datetime(2026, 3, 1, 12, tzinfo=UTC)}
    small_lender.workspace = open_workspace(
        small_lender.root, "consumer-credit", actor="analyst", clock=lambda: days["now"]
    )
    small_lender.release()
    small_lender.promote(1, reason="the first that holds")
    days["now"] += timedelta(days=4)
    small_lender.release_another("Who else?")
    small_lender.promote(2, reason="asks better")
    days["now"] += timedelta(days=4)
    rollback(small_lender.workspace, reason="too many calls", tracking=small_lender.tracking)
    return small_lender


@pytest.mark.parametrize(
    ("on", "version"),
    [("2026-02-28", None), ("2026-03-01", 1), ("2026-03-04", 1), ("2026-03-05T11:59:59Z", 1),
     ("2026-03-05T14:00:00+02:00", 2), ("2026-03-06", 2), ("2026-03-09", 1), ("2027-01-01", 1)],
)  # fmt: skip
def test_says_what_was_champion_on_a_day(storied, on, version):
    found = audit(storied.workspace, on=on).move
    assert (found.version if found else None) == version


def test_says_who_when_why_and_on_what_evidence(storied):
    answer = audit(storied.workspace, on="2026-03-06")
    assert answer.move.actor == "analyst"
    assert answer.move.at.startswith("2026-03-05T12:00:00")
    assert answer.move.reason == "asks better"
    assert answer.evidence["gates"]["kpis"] == "pass"
    text = "\n".join(answer.lines())
    assert "champion on 2026-03-06: version 2" in text
    assert "kpis: pass" in text


def test_after_a_rollback_the_gates_of_the_promotion_before_are_shown(storied):
    answer = audit(storied.workspace, on="2026-03-09")
    promoted = storied.workspace.ledger.entries("alias.moved")[0]
    assert (answer.move.version, answer.evidence["kind"]) == (1, "rollback")
    assert answer.evidence["gates"] == promoted.body["gates"]
    assert answer.evidence["promoted"]["seq"] == promoted.seq
    text = "\n".join(answer.lines())
    assert "rollback by analyst" in text
    assert f"ledger entry {promoted.seq}: the first that holds" in text
    assert "  kpis: pass" in text


def test_in_a_notebook_all_of_them_read_as_text(storied):
    answer, verified = audit(storied.workspace, on="2026-03-06"), verify(storied.workspace)
    assert repr(answer).splitlines() == answer.lines()
    assert repr(verified).splitlines() == verified.lines()
    assert repr(answer.releases[0]).startswith("version 1 (2026-03-01T")
    moved = storied.promote(2, reason="calls are fewer again")
    assert repr(moved).splitlines()[0] == "champion: version 1 -> version 2"
    assert "calls are fewer again" in repr(moved)
    assert "  kpis: pass" in repr(moved).splitlines()


def test_lists_everything_in_order_and_a_version_by_itself(storied):
    everything = audit(storied.workspace)
    assert [event.seq for event in everything.events] == list(range(len(everything.events)))
    assert dict(everything.current) == {"champion": 1}
    said = [event.event for event in audit(storied.workspace, version=2).events]
    assert said == [
        "verdict.made", "verdict.made", "verdict.made", "release.made", "release.registered",
        "alias.moved", "alias.moved",
    ]  # fmt: skip
    moves = audit(storied.workspace, alias="champion").events
    assert [move.says for move in moves] == [
        "champion: nowhere -> version 1 (promote): the first that holds",
        "champion: version 1 -> version 2 (promote): asks better",
        "champion: version 2 -> version 1 (rollback): too many calls",
    ]


def test_a_version_is_told_from_its_question_and_its_data_on(lender):
    ledger, snapshot = lender.workspace.ledger, lender.snapshot
    (pinned,) = snapshot.sources
    for version in (pinned.version, pinned.version + 1):
        body = {"table": pinned.table, "version": version, "loaded": 4454, "held": 3}
        ledger.append("source.loaded", "applications", body)
    ledger.append("source.loaded", "others", {"table": "silver/others", "version": 0})
    ledger.append("question.set", "shop", {"digest": lender.question.digest, "kpis": []})
    ledger.append("seal.made", snapshot.seal, {"seal": snapshot.seal, "rows": 891})
    ledger.append("seal.made", "another", {"seal": "another", "rows": 5})
    opened = {"seal": snapshot.seal, "candidate": lender.candidate.digest, "k": 1, "m": 1}
    ledger.append("seal.opened", snapshot.seal, opened)
    lender.release()
    events = audit(lender.workspace, version=1).events
    told = {event.event: event.says for event in events}
    assert [event.event for event in events].count("source.loaded") == 1
    assert told["source.loaded"] == "bronze/applications version 0, 4,454 loaded, 3 held"
    assert told["seal.made"] == f"891 rows sealed as {snapshot.seal}"
    assert "question.set" in told


def test_a_threshold_changed_after_a_verdict_is_shouted(lender):
    body = {
        "digest": "x", "kpis": [{"id": "auc", "metric": "roc_auc", "at_least": "0.7"}],
        "fairness": [], "stop_if": [], "after_verdicts": [3],
    }  # fmt: skip
    lender.workspace.ledger.append("question.set", "consumer-credit", body)
    assert audit(lender.workspace).events[-1].says == (
        "promises auc: roc_auc at_least 0.7, confidence, slice, groups not on record then; "
        "leading KPI: auc, AFTER 1 verdict(s) had been seen"
    )


def test_who_signed_the_question_stands_with_its_numbers_and_with_the_versions_it_led_to(lender):
    workspace, asked = lender.workspace, lender.question
    other = asked.model_copy(update={"asks": "Something else?"})
    for question, reason in ((other, "not this one"), (asked, "fair limits")):
        agree(question, workspace, approver="analyst", decision="approve", reason=reason)
    lender.release()
    told = [event.says for event in audit(workspace, version=1).events]
    (signed,) = [says for says in told if "signs for the question" in says]
    promises = (
        "auc: roc_auc at_least 0.75 at confidence 0.95; brier: brier at_most 0.19 at confidence"
        " 0.95; latency: latency_p99_ms at_most 50.0 at confidence 0.95; sex_gap:"
        " equal_opportunity_difference at_most 0.1 at confidence 0.95, between groups of sex, each"
        " of at least 100 rows; leading KPI: auc; positive class: bad; costs of errors:"
        " false_negative 5, false_positive 1; risk answers: affects people, domain credit, a person"
        " decides; stop rules: rows < 1000, opened > 1"
    )
    assert signed == f"analyst signs for the question ({promises}): fair limits"
    everything = " ".join(event.says for event in audit(workspace).events)
    assert "not this one" in everything


def test_a_reader_without_a_key_may_audit(storied, monkeypatch, tmp_path):
    monkeypatch.setenv("QUA3CK_KEYS", str(tmp_path / "nobody"))
    reader = open_workspace(storied.root, "consumer-credit", actor="stranger", read_only=True)
    assert dict(audit(reader).current) == {"champion": 1}
    assert verify(reader).ok


@pytest.mark.parametrize(
    ("words", "code"),
    [({"on": "3/4/2026"}, "K015"), ({"alias": "chmpion"}, "K013"), ({"version": 9}, "K005")],
)
def test_mistakes_are_told(storied, words, code):
    with pytest.raises(Qua3ckError) as told:
        audit(storied.workspace, **words)
    assert told.value.code == code


def test_verifies_what_is_whole(storied):
    found = verify(storied.workspace)
    assert found.ok
    assert found.releases == 2
    assert "chain, signatures, head and files agree" in found.lines()[0]


def test_says_whether_a_witness_was_looked_at_and_what_it_means_if_none_was(
    storied, monkeypatch, tmp_path
):
    seen = verify(storied.workspace)
    assert seen.witness == seen.events
    assert f"witness: looked at, it saw {seen.events} of {seen.events} events" in seen.lines()
    monkeypatch.setenv("QUA3CK_KEYS", str(tmp_path / "auditor"))
    reader = open_workspace(storied.root, "consumer-credit", actor="auditor", read_only=True)
    alone = verify(reader)
    assert alone.ok
    assert as_json(alone)["witness"] is None
    (said,) = [line for line in alone.lines() if line.startswith("witness: none")]
    assert "set back as a whole, together with its head, cannot be seen" in said
    (storied.root / "releases" / "1" / "added").touch()
    assert said in verify(reader).lines()


def test_finds_a_changed_file_a_lost_folder_and_a_stranger(storied):
    import shutil

    card = storied.root / "releases" / "1" / "README.md"
    card.chmod(0o644)
    card.write_text("better than ever")
    shutil.rmtree(storied.root / "releases" / "2")
    (storied.root / "releases" / "7").mkdir()
    found = verify(storied.workspace)
    assert not found.ok
    assert "releases/1: README.md was changed" in found.problems
    assert "releases/2: the folder is missing" in found.problems
    assert any(one.startswith("releases/7: not in the ledger") for one in found.problems)


@pytest.mark.parametrize(
    "asked", [{}, {"on": "2027-01-01"}, {"version": 1}], ids=["all", "on a day", "a version"]
)
@pytest.mark.parametrize("lost", ["the last line", "the chain"])
def test_answers_nothing_from_a_ledger_that_was_cut(storied, asked, lost):
    chain = storied.root / "ledger" / "chain.jsonl"
    lines = chain.read_bytes().splitlines(keepends=True)
    chain.write_bytes(b"".join(lines[:-1]) if lost == "the last line" else b"")
    reader = open_workspace(storied.root, "consumer-credit", read_only=True)
    with pytest.raises(Qua3ckError, match="missing at the end") as told:
        audit(reader, **asked)
    assert told.value.code == "L003"


def test_finds_a_changed_ledger_and_concludes_nothing_from_it(storied):
    chain = storied.workspace.ledger.chain
    chain.write_bytes(chain.read_bytes().replace(b"asks better", b"asks Better", 1))
    reader = open_workspace(storied.root, "consumer-credit", actor="analyst", read_only=True)
    found = verify(reader)
    assert not found.ok
    assert found.releases == 0
    assert "changed after it was written" in found.problems[0]
    assert found.lines()[-1].endswith("explain K012")
