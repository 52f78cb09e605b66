"""The textbook's Iris ends undecided, says what would decide it, and is not promoted."""

from __future__ import annotations

import json

import pytest


@pytest.fixture(scope="module")
def project(copy_of):
    return copy_of("iris")


@pytest.fixture(scope="module")
def ran(project):
    return project.type_in("run")


@pytest.fixture(scope="module")
def facts(project, ran):
    assert ran.returncode == 1
    return json.loads(project.type_in("conclude", "--json").stdout)


def accuracy(facts):
    (kpi,) = [kpi for kpi in facts["kpis"] if kpi["id"] == "accuracy"]
    return kpi


def test_run_ends_with_exit_1_and_the_word_undecided(ran):
    assert ran.returncode == 1, ran.stdout + ran.stderr
    assert "undecided" in ran.stdout
    assert "Traceback" not in ran.stderr


def test_the_interval_and_not_the_number_decides(facts):
    kpi = accuracy(facts)
    assert kpi["verdict"] == "undecided"
    assert kpi["low"] < kpi["threshold"] < kpi["high"]
    assert facts["release_allowed"] is False


def test_it_says_how_many_rows_would_decide_it(facts, ran):
    kpi = accuracy(facts)
    assert kpi["rows_needed"] > kpi["n"]
    assert str(kpi["rows_needed"]) in ran.stdout.replace(",", "")


def test_the_latency_is_decided(facts):
    (latency,) = [kpi for kpi in facts["kpis"] if kpi["id"] == "latency"]
    assert latency["verdict"] == "pass"


def test_asking_again_opens_nothing(project, facts):
    again = json.loads(project.type_in("conclude", "--json").stdout)
    assert again["opening"] == facts["opening"] == 1
    events = [
        json.loads(line)["event"]
        for line in (project.folder / "ledger" / "chain.jsonl").read_text().splitlines()
    ]
    assert events.count("seal.opened") == 1


def test_promote_is_refused_with_exit_1_and_a_reason(project, facts):
    del facts
    refused = project.type_in("promote", "--reason", "it looks good")
    assert refused.returncode == 1
    assert "undecided" in refused.stdout + refused.stderr
    assert "Traceback" not in refused.stderr
