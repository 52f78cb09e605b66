from __future__ import annotations

import re
from dataclasses import replace
from html import unescape

import pytest

from qua3ck.a3.records import Score, Trial
from qua3ck.transfer import evidence as module
from qua3ck.transfer.evidence import MOST_ENTRIES, evidence


def words(html: str) -> str:
    """Return what a reader sees; an independent, crude reading of the markup."""
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", html)).split())


def section(facts, name: str) -> str:
    html = str(evidence(facts))
    return words(html.split(f'<section id="{name}">')[1].split("</section>", maxsplit=1)[0])


def rows_of(html: str) -> list[list[str]]:
    """Return the cells of every table row."""
    found = re.findall(r"<tr[^>]*>(.*?)</tr>", html, re.DOTALL)
    return [[words(cell) for cell in re.findall(r"<t[dh].*?</t[dh]>", row)] for row in found]


def test_every_section_has_one_place_and_one_link_to_it(facts):
    html = str(evidence(facts))
    places = re.findall(r'<section id="([a-z_]+)">', html)
    assert len(places) == len(set(places))
    assert re.findall(r'<a href="#([a-z_]+)">', html.split("</nav>", maxsplit=1)[0]) == places


def test_the_naive_prediction_is_named_not_only_called_a_baseline(facts):
    first, *others = facts.conclusion.comparisons
    said = replace(first, says='always says "good", the most frequent class')
    conclusion = replace(facts.conclusion, comparisons=(said, *others))
    shown = section(replace(facts, conclusion=conclusion), "comparison")
    assert 'the naive baseline (always says "good", the most frequent class)' in shown
    assert "the version now in use" in shown


def trial(number: int, algorithm: str, score: float, **given) -> Trial:
    facts = {"state": "complete", "feasible": True} | given
    return Trial(
        number, algorithm, {}, facts["state"], {"auc": score, "loss": score}, None,
        facts["feasible"], 1.0, 1.0, run_id="",
    )  # fmt: skip


TRIALS = (
    trial(0, "tree", 0.80),
    trial(1, "tree", 0.70),
    trial(2, "tree", 0.90, feasible=False),
    trial(3, "forest", 0.75),
    trial(4, "forest", 0.99, state="pruned"),
    trial(5, "linear", 0.60, feasible=False),
)


@pytest.mark.parametrize(("direction", "wanted"), [("at_least", [0, 3, 5]), ("at_most", [1, 3, 5])])
def test_of_each_algorithm_the_best_finished_trial_is_shown_those_within_limits_first(
    facts, direction, wanted
):
    kpi = facts.question.kpis[0].model_copy(
        update={"at_least": None, "at_most": None, direction: 0.5}
    )
    candidate = replace(facts.candidate, trials=TRIALS, scores={"auc": Score(0.8)})
    question = facts.question.model_copy(update={"kpis": (kpi,)})
    shown = module._best_trials(replace(facts, candidate=candidate, question=question))
    ranked = sorted(shown, key=lambda one: one.number)
    assert [one.number for one in ranked] == wanted
    assert [one.feasible for one in shown] == [True, True, False]


def test_the_trail_is_cut_at_the_old_end_and_says_so(facts, entry):
    many = tuple(entry(seq, "source.loaded", f"table{seq}") for seq in range(1, MOST_ENTRIES + 6))
    html = str(evidence(replace(facts, entries=many))).split('<section id="trail">')[1]
    shown = [row[0] for row in rows_of(html) if row and row[0].isdigit()]
    assert shown == [str(seq) for seq in range(6, MOST_ENTRIES + 6)]
    assert re.search(r"\b5\b", words(html.split("<table")[0]))


def test_a_part_without_an_entry_names_none_instead_of_a_near_one(facts):
    without = tuple(entry for entry in facts.entries if entry.event != "seal.opened")
    assert "seal.opened" in section(facts, "data")
    shown = section(replace(facts, entries=without), "data")
    assert not re.search(r"Ledger entry \d+, seal\.opened", shown)


def test_the_last_load_into_each_pinned_table_is_named_and_no_later_one(facts, entry):
    table = facts.snapshot.sources[0].table
    pinned = replace(facts.snapshot.sources[0], version=3)
    loads = [entry(20 + n, "source.loaded", "a", table=table, version=n) for n in range(6)]
    other = entry(30, "source.loaded", "b", table="silver/other", version=1)
    snapshot = replace(facts.snapshot, sources=(pinned,))
    shown = section(replace(facts, snapshot=snapshot, entries=(*loads, other)), "data")
    assert re.findall(r"Ledger entry (\d+), source\.loaded", shown) == ["23"]


def test_a_random_split_is_not_called_careless_where_rows_are_independent(facts):
    grouped = replace(facts.snapshot, order="grouped")
    assert "careless" not in section(facts, "loop")
    assert "careless" in section(replace(facts, snapshot=grouped), "loop")


def test_counts_of_right_and_wrong_stand_where_truth_and_decision_meet(facts):
    html = str(evidence(facts)).split('<section id="errors">')[1]
    matrix = rows_of(html.split("</table>")[0])
    assert [row[1:] for row in matrix[1:]] == [["187", "64"], ["98", "542"]]
    right = re.findall(r'class="num right">([\d,]+)<', html)
    assert right == ["187", "542"]


def test_too_few_rows_for_bins_are_said_and_not_drawn(facts):
    conclusion = replace(
        facts.conclusion, calibration={"of": "x", "bins": [], "ece": None, "off": 0}
    )
    html = str(evidence(replace(facts, conclusion=conclusion)))
    errors = html.split('<section id="errors">')[1].split("</section>", maxsplit=1)[0]
    assert "<svg" not in errors


def test_where_a_column_was_left_out_the_reason_stands_beside_it(facts):
    html = str(evidence(facts)).split('<section id="data">')[1].split("</section>")[0]
    assert ["call_duration", "not known at prediction time"] in rows_of(html)


def test_an_accepted_finding_shows_who_answered_with_what_reason(facts):
    first, *others = facts.snapshot.findings
    accepted = replace(first, accepted="audited in May")
    snapshot = replace(facts.snapshot, findings=(accepted, *others))
    shown = section(replace(facts, snapshot=snapshot), "findings")
    assert "audited in May" in shown
