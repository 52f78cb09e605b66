"""Named people sign the question on the command line; check, verdict, report and audit say so."""

from __future__ import annotations

import json

import pytest

import qua3ck

RISK = "risk: {affects: nobody, domain: other, automated: false}"
ROLES = "risk: {affects: people, domain: other, automated: false}\n  roles: {approvers: [rosa]}"


@pytest.fixture
def bench(at):
    """Return the searched project, now of risk class limited, with rosa to agree."""
    made = at("loop")
    made.done("enrol", "rosa", "--role", "risk_manager")
    made.edit(RISK, ROLES)
    return made


def signed(bench, *more: str):
    return bench.type("approve", "--question", "--as", "rosa", "--reason", "a fair limit", *more)


def agreement(bench, *verb: str) -> dict:
    said = json.loads(bench.type(*verb, "--json").out)
    (found,) = [finding for finding in said["findings"] if finding["code"] == "Q011"]
    return found


def test_the_line_from_signature_to_report(bench):
    assert agreement(bench, "check")["severity"] == "warn"
    told = signed(bench)
    assert told.code == 0, told.err
    assert "right: accuracy at_least 0.7" in told.out
    facts = bench.facts("check")
    assert [(word["name"], word["stands"]) for word in facts["agreements"]] == [("rosa", True)]
    assert agreement(bench, "check")["severity"] == "inform"
    verdict = bench.done("conclude")
    assert "rosa agreed to it" in verdict.out
    assert "before the seal was opened" in verdict.out
    assert agreement(bench, "conclude")["severity"] == "inform"
    bench.done("release")
    page = (bench.root / "releases" / "1" / "report.html").read_text(encoding="utf-8")
    assert "rosa agreed to the question and its thresholds on" in page
    assert "right: accuracy at_least 0.7" in page
    audit = bench.done("audit", "1").out
    assert "rosa signs for the question (right: accuracy at_least 0.7 at confidence 0.95" in audit
    assert "): a fair limit" in audit
    bench.done("audit", "verify")
    bench.edit("test_share: 0.3", "test_share: 0.3, agreed_first: true")
    signed(bench, "--refuse")
    bench.done("conclude")  # what was opened stays judged


def test_a_threshold_moved_after_the_result_shows_who_had_agreed_to_which(bench):
    signed(bench)
    bench.done("conclude")
    bench.edit("at_least: 0.7", "at_least: 0.65")
    moved = agreement(bench, "check")
    assert moved["severity"] == "warn"
    assert (
        "right: accuracy at_least 0.7 at confidence 0.95 -> accuracy at_least 0.65"
        in (moved["says"])
    )
    late = signed(bench)
    assert "AFTER 1 opening(s) of the seal" in late.out
    found = agreement(bench, "conclude")
    assert (found["severity"], found["evidence"]["missing"]) == ("warn", ["rosa"])


def test_a_refusal_stops_before_the_opening_and_costs_nothing(bench):
    signed(bench, "--refuse")
    bench.type("conclude").refused("rosa refused it", "qua3ck approve --question", code=1)
    assert bench.events("seal.opened") == []


def test_agreed_first_asks_everybody_named_before_the_opening_only(bench):
    bench.edit("test_share: 0.3", "test_share: 0.3, agreed_first: true")
    bench.type("conclude").refused("rosa has not agreed to it yet", "agreed_first", code=1)
    assert bench.events("seal.opened") == []


def test_the_same_from_python(bench):
    project = qua3ck.open(bench.root, actor="rosa")
    given = project.approve("question", reason="a fair limit")
    assert (given.approver, given.version, given.opened) == ("rosa", None, 0)
    assert [word.agrees for word in project.agreements()] == [True]
    assert "rosa agreed to it" in repr(project.agreements())


def test_a_question_that_could_not_be_judged_is_not_signed(bench):
    bench.edit("metric: accuracy", "metric: acuracy")
    signed(bench).refused('did you mean "accuracy"')
    assert bench.events("approval.given") == []


def test_question_and_version_are_not_signed_at_once(bench):
    bench.type("approve", "1", "--question", "--reason", "both").refused("one at a time")


def test_a_project_that_was_never_begun_can_be_asked_who_agreed(at):
    bench = at("new")
    bench.edit(RISK, ROLES)
    assert bench.facts("check")["agreements"][0]["decision"] == ""
    assert not (bench.root / "ledger").exists()


def test_what_is_signed_is_shown_with_groups_and_costs(bench):
    bench.edit("at_least: 0.7}", "at_least: 0.7, slice_by: [region], min_rows: 12}")
    bench.edit(ROLES, f"costs: {{false_negative: 4, false_positive: 1}}\n  {ROLES}")
    told = signed(bench)
    assert told.code == 0, told.err
    assert "in every group of region, each of at least 12 rows" in told.out
    assert "costs of errors: false_negative 4, false_positive 1" in told.out
    assert "risk answers: affects people, domain other, a person decides" in told.out


def test_groups_given_up_after_the_result_stay_in_verdict_and_report(bench):
    bench.edit("at_least: 0.7}", "at_least: 0.7, slice_by: [region]}")
    signed(bench)
    bench.type("conclude")
    bench.edit(", slice_by: [region]", "")
    signed(bench)
    said = json.loads(bench.type("conclude", "--json").out)
    (moved,) = [one["says"] for one in said["findings"] if one["code"] == "C007"]
    assert "in every group of region, each of at least 30 rows to accuracy at_least 0.7" in moved
    found = agreement(bench, "conclude")
    assert (found["severity"], found["evidence"]["missing"]) == ("warn", ["rosa"])
    bench.done("release")
    page = (bench.root / "releases" / "1" / "report.html").read_text(encoding="utf-8")
    assert page.count("in every group of region, each of at least 30 rows") >= 3  # changed, signed


@pytest.mark.parametrize("subject", ["--question", "1"])
def test_an_approval_begins_no_project_and_says_what_to_type_first(at, subject):
    bench = at("new")
    bench.edit(RISK, ROLES)
    said = bench.type("approve", subject, "--as", "rosa", "--reason", "a fair limit")
    said.refused("nobody is enrolled", "qua3ck enrol rosa --role")
    assert not (bench.root / "ledger").exists()
    assert not (bench.root / "people").exists()
