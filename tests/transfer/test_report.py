from __future__ import annotations

import itertools
import re
from dataclasses import replace
from html.parser import HTMLParser

import pytest

from qua3ck.govern import enrol, open_workspace
from qua3ck.kit.errors import Qua3ckError
from qua3ck.kit.findings import Finding
from qua3ck.kit.markup import Html, join, tag
from qua3ck.question import agree
from qua3ck.transfer import report, texts
from qua3ck.transfer.facts import source_entry
from qua3ck.transfer.report import render

VOID = {"meta", "br", "hr"}


class Outline(HTMLParser):
    """An independent reader: what a browser would find in the file."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.words: list[str] = []
        self.feed(html)
        self.close()
        assert self.open == [], "elements left open"

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if self.open and self.open[-1] != "style":
            self.words.append(data)

    def all(self, name: str) -> list[dict[str, str | None]]:
        return [attributes for tag, attributes in self.tags if tag == name]

    @property
    def text(self) -> str:
        return re.sub(r"\s+", " ", " ".join(self.words))


@pytest.fixture
def page(facts) -> Outline:
    return Outline(render(facts))


def test_the_same_facts_give_the_same_bytes(facts):
    assert render(facts) == render(replace(facts))


def test_the_file_needs_no_network_and_no_script(facts, page):
    html = render(facts)
    assert page.all("script") == page.all("link") == page.all("img") == page.all("iframe") == []
    assert "url(" not in html
    assert "@import" not in html
    outside = [a["href"] for a in page.all("a") if not (a["href"] or "").startswith("#")]
    assert outside == []


def test_every_link_has_its_target(page):
    targets = {attributes.get("id") for _, attributes in page.tags}
    assert {a["href"][1:] for a in page.all("a")} <= targets


def test_it_can_be_read_without_seeing_it(page):
    assert page.all("html")[0]["lang"] == "en"
    assert len(page.all("h1")) == 1
    levels = [int(tag[1]) for tag, _ in page.tags if re.fullmatch(r"h\d", tag)]
    assert all(after - before <= 1 for before, after in itertools.pairwise(levels))
    assert all(th.get("scope") in ("col", "row") for th in page.all("th"))
    drawings = page.all("svg")
    assert drawings
    assert all(svg.get("role") == "img" and svg.get("aria-label") for svg in drawings)


def test_page_one_answers_the_manager(facts):
    front = render(facts).split('class="evidence"')[0]
    words = Outline(front.replace("<main>", "").rsplit("<div", 1)[0].split("<body>")[1]).text
    assert "Yes, it holds." in words
    assert "Which applicants will not repay?" in words
    assert "lies between 0.810 and 0.862 at 95 % confidence" in words
    assert words.count("passed") >= 4
    assert "must not be used for" in words
    assert "nobody had approved" in words
    assert "qua3ck approve 3" in words


def steps_of(facts, *entries):
    """Return the part of page one that says what to do next, after these entries."""
    words = Outline(render(replace(facts, entries=(*facts.entries, *entries)))).text
    return words.split("What to do next")[1].split("must not be used for")[0]


def test_page_one_lists_only_what_is_still_to_be_done(facts, entry):
    reproduced = entry(9, "reproduction.made", "release 3", version=3, same=True)
    rosa = entry(10, "approval.given", "3", approver="risk_manager", reason="Reviewed.")
    malik = entry(11, "approval.given", "3", approver="head_of_credit", reason="Read.")
    own = entry(11, "approval.given", "3", approver="analyst", reason="Mine.")
    refused = entry(12, "approval.refused", "3", approver="head_of_credit", reason="No.")
    moved = entry(13, "alias.moved", "champion", alias="champion", version=3)
    other = entry(14, "alias.moved", "champion", alias="champion", version=2)
    stopped = entry(15, "canary.stopped", "3", rollout=13)
    reproduce, approve, promote = "qua3ck reproduce 3", "qua3ck approve 3", "qua3ck promote 3"
    for entries, todo in (
        ((), {reproduce, approve, promote}),
        ((replace(reproduced, body={"version": 3, "same": False}),), {reproduce, approve, promote}),
        ((reproduced,), {approve, promote}),
        ((reproduced, rosa), {approve, promote}),
        ((reproduced, rosa, own), {approve, promote}),
        ((reproduced, rosa, malik), {promote}),
        ((reproduced, rosa, malik, refused), {approve, promote}),
        ((reproduced, rosa, malik, moved), set()),
        ((reproduced, rosa, malik, moved, other), {promote}),
        ((reproduced, rosa, malik, moved, stopped), {promote}),
    ):
        words = steps_of(facts, *entries)
        assert {one for one in (reproduce, approve, promote) if one in words} == todo, words
    words = steps_of(facts, reproduced, rosa, malik, moved)
    assert "in use since 2026-03-06 09:13 UTC (ledger entry 13)" in words, words


def test_an_undecided_version_says_how_many_rows_would_decide_and_which_way(undecided_facts):
    words = Outline(render(undecided_facts)).text
    assert "Not proven yet." in words
    assert "about 503 rows (now 30) would decide it" in words
    assert "most likely as: failed" in words
    assert "Any real decision" in words


def test_of_many_parts_page_one_shows_only_those_that_do_not_hold(facts):
    kpi = facts.conclusion.kpis[0]
    parts = tuple(
        replace(kpi, id=f"auc[region={n}]", verdict="fail" if n == 7 else "pass") for n in range(20)
    )
    conclusion = replace(facts.conclusion, slices=parts, release_allowed=False)
    front = render(replace(facts, conclusion=conclusion)).split('class="evidence"')[0]
    assert "auc, region = 7" in front
    assert "auc, region = 8" not in front
    assert "20 parts of the data were judged by themselves; 19 of these passed." in front


def test_a_failed_promise_is_answered_with_no(facts):
    kpi = replace(facts.conclusion.kpis[0], verdict="fail", value=0.6, low=0.55, high=0.65)
    conclusion = replace(facts.conclusion, kpis=(kpi,), release_allowed=False)
    words = Outline(render(replace(facts, conclusion=conclusion))).text
    assert "No, it does not hold." in words
    assert "misses its threshold clearly" in words


def test_something_else_that_blocks_is_named_on_page_one(facts):
    leak = Finding("U001", "block", "target", "A column was derived from the target.")
    snapshot = replace(facts.snapshot, findings=(leak,))
    conclusion = replace(facts.conclusion, release_allowed=False)
    words = Outline(render(replace(facts, snapshot=snapshot, conclusion=conclusion))).text
    assert "Not to be used yet." in words
    assert words.count("A column was derived from the target.") >= 2


def test_who_approved_and_who_refused_is_said_with_the_ledger_entry(facts, entry):
    said = (
        entry(9, "approval.given", "3", actor="risk_manager", reason="Reviewed."),
        entry(10, "approval.refused", "3", actor="head_of_credit", reason="Too early."),
        entry(11, "approval.given", "2", actor="head_of_credit", reason="Another version."),
    )
    words = Outline(render(replace(facts, entries=(*facts.entries, *said)))).text
    assert "risk_manager approved on 2026-03-05 09:09: “Reviewed.” (ledger entry 9)" in words
    assert "head_of_credit refused" in words
    assert "Another version" not in words


def test_an_auditor_finds_the_entry_behind_every_part(facts, page):
    for event in ("question.set", "seal.made", "seal.opened", "candidate.kept", "verdict.made"):
        (entry,) = [entry for entry in facts.entries if entry.event == event]
        assert f"Ledger entry {entry.seq}, {event}, {entry.hash}" in page.text
    for digest in (
        facts.snapshot.id,
        facts.candidate.digest,
        facts.conclusion.predictions_digest,
        facts.snapshot.profile_digest,
    ):
        assert digest in page.text
    assert "qua3ck reproduce 3" in page.text


def test_an_entry_about_another_candidate_is_not_given_as_the_source(facts, entry):
    other = entry(12, "verdict.made", "another candidate")
    facts = replace(facts, entries=(*facts.entries, other))
    found = source_entry(facts, "verdict.made", facts.conclusion.candidate)
    assert found is not None
    assert found.seq == 8


def test_a_threshold_changed_after_a_verdict_is_shown(facts, entry):
    assert "every threshold stands" in Outline(render(facts)).text
    moved = [{"id": "auc", "metric": "roc_auc", "at_least": "0.7", "confidence": "0.95"}]
    change = entry(9, "question.set", "consumer-credit", digest="new", kpis=moved)
    words = Outline(render(replace(facts, entries=(*facts.entries, change)))).text
    assert "changed when a result was already known" in words
    assert "roc_auc at_least 0.75 at confidence 0.95" in words
    assert "roc_auc at_least 0.7 at confidence 0.95" in words


@pytest.fixture
def signed_by(facts, tmp_path, monkeypatch):
    """Return a function that has people sign the question, and gives the facts after that."""
    monkeypatch.setenv("QUA3CK_KEYS", str(tmp_path / "keys"))
    workspace = open_workspace(tmp_path / "project", "demo", actor="analyst")
    enrol(workspace, "risk_manager", ("risk_manager",))
    harder = facts.question.kpis[0].model_copy(update={"at_least": 0.8})
    earlier = facts.question.model_copy(update={"kpis": (harder,)})

    def sign(*acts: str):
        for act in acts:
            if act == "open":
                workspace.ledger.append("seal.opened", "s", {"candidate": "c"})
                continue
            who, decision, asked = act.split()
            question = earlier if asked == "earlier" else facts.question
            agree(question, workspace, approver=who, decision=decision, reason="A fair limit.")
        return replace(facts, entries=tuple(workspace.ledger.entries()))

    return sign


@pytest.mark.parametrize(
    ("acts", "said", "missing"),
    [
        (["risk_manager approve now"], "before the seal was first opened", "analyst, head_of"),
        (["open", "risk_manager approve now"], "AFTER the seal had been opened", "analyst, head"),
        (["analyst approve earlier"], "to an earlier question", "risk_manager, head_of_credit"),
        (["analyst refuse now"], "refused the question on", "risk_manager, head_of_credit"),
    ],
)
def test_page_one_says_who_agreed_to_the_thresholds_and_when(signed_by, acts, said, missing):
    facts = signed_by(*acts)
    words = Outline(render(facts)).text
    assert said in words
    assert f"did not sign the question and its thresholds: {missing}" in words
    german = Outline(render(replace(facts, lang="de"))).text
    assert "ohne Unterschrift unter der Frage" in german
    assert said not in german


def test_an_auditor_reads_every_signature_with_the_numbers_under_it(signed_by):
    acts = ("risk_manager approve earlier", "open", "risk_manager approve now")
    page = Outline(render(signed_by(*acts))).text
    assert "auc: roc_auc at_least 0.8 at confidence 0.95" in page
    assert "auc: roc_auc at_least 0.75 at confidence 0.95" in page
    assert "Nobody signed the question." not in page


def test_that_nobody_signed_the_question_is_said(page):
    assert "Nobody signed the question." in page.text


def test_hostile_text_stays_text(facts):
    evil = "</style><script>alert('x')</script>\"&"
    question = facts.question.model_copy(update={"asks": evil, "risks": evil})
    snapshot = replace(facts.snapshot, target=evil)
    page = Outline(render(replace(facts, project=evil, question=question, snapshot=snapshot)))
    assert page.all("script") == []
    assert page.text.count(evil) >= 3


def test_regression_and_few_facts_render_too(facts):
    snapshot = replace(facts.snapshot, task="regression", classes=(), positive="", findings=())
    conclusion = replace(
        facts.conclusion, confusion=(), per_class={}, calibration={}, errors=(), comparisons=(),
        parity={}, fairness=(), risks=(), findings=(),
    )  # fmt: skip
    candidate = replace(facts.candidate, learning_curve=(), influences=(), trials=(), rule={})
    bare = replace(facts, snapshot=snapshot, conclusion=conclusion, candidate=candidate, entries=())
    words = Outline(render(bare)).text
    assert "status (a number)" in words
    assert "the trained pipeline itself ships" in words


def test_a_verdict_without_bounds_is_shown_as_too_few(undecided_facts):
    kpi = replace(undecided_facts.conclusion.kpis[0], low=None, high=None, rows_needed=None)
    conclusion = replace(undecided_facts.conclusion, kpis=(kpi,))
    words = Outline(render(replace(undecided_facts, conclusion=conclusion))).text
    assert "rests on too few rows" in words


def test_every_sentence_of_the_catalogue_is_used_and_none_is_missing():
    from pathlib import Path

    source = "".join(
        (Path(report.__file__).parent / name).read_text()
        for name in ("report.py", "evidence.py", "pieces.py", "card.py", "datasheet.py")
    )
    used = set(re.findall(r"""["']([a-z_]+(?:\.[a-z_0-9]+)*)["']""", source))
    stems = {stem.rstrip(".") for stem in re.findall(r'f"([a-z_.]+)\{', source)}
    unused = [
        key
        for key in texts.TEXTS
        if key not in used and not any(key == stem or key.startswith(f"{stem}.") for stem in stems)
    ]
    assert unused == []


def test_an_unknown_language_is_refused_with_what_there_is():
    with pytest.raises(Qua3ckError, match='language "fr"') as caught:
        texts.text("answer", "fr")
    assert "de, en" in caught.value.fix


def test_markup_escapes_what_is_not_markup():
    made = tag("p", "a < b", Html("<b>c</b>"), title='"x"', aria_label=None)
    assert made == '<p title="&quot;x&quot;">a &lt; b<b>c</b></p>'
    assert join("&", Html("&amp;")) == "&amp;&amp;"
    assert tag("meta", charset="utf-8") == '<meta charset="utf-8"/>'
