from __future__ import annotations

import re
from dataclasses import replace

import pytest

from qua3ck.transfer.datasheet import render
from qua3ck.transfer.sheet import AgreedFacts, MadeFacts, Sheet, SourceFacts
from qua3ck.understand import Pinned, Source, Understand
from qua3ck.understand.contract.history import DimensionScore

HEADINGS = ["Motivation", "Composition", "Collection process",
            "Preprocessing, cleaning, labelling", "Uses", "Distribution",
            "Maintenance"]  # fmt: skip
GERMAN = ["Anlass", "Zusammensetzung", "Erhebung", "Aufbereitung, Bereinigung, Kennzeichnung",
          "Verwendung", "Weitergabe", "Pflege"]  # fmt: skip
PINNED = Pinned("silver/loans", 4, 4454, "d" * 64)
SOURCE = Source(
    kind="function", function="features.loans", owner="UPC Barcelona", licence="MIT",
    cadence="monthly", contact="loans desk",
)  # fmt: skip
SECTION = Understand(sources={"loans": SOURCE}, target="status", training="features.training_set")
AGREED = AgreedFacts(
    "contracts/loans.odcs.yaml", "2.1.0", "c" * 64, "one loan that was granted",
    "book-keeping of a bank", "scores", "refused loans are not in it", {"": 3, "personal": 2},
)  # fmt: skip
ABOUT = {"kind": "number", "missing": 228, "range": [1234.5, 99887.7], "quantiles": {"0.5": 4321.9}}
PROFILE = {
    "rows": 2672,
    "classes": {"bad": 752, "good": 1917, "vanished": 3},
    "columns": {
        "income": ABOUT,
        "seniority": {"kind": "number", "missing": 2},
        "sex": {"kind": "category", "missing": 0, "top": {"f": 1300, "m": 1369, "x": 4},
                "other": "<5"},
    },
}  # fmt: skip


@pytest.fixture
def sheet():
    source = SourceFacts(
        "loans", PINNED, SOURCE, "2026-03-02T10:00:00Z", 212, 7, AGREED,
        (DimensionScore("2026-03-02T10:00:00+00:00", "completeness", 44540, 41),),
    )  # fmt: skip
    made = MadeFacts("per_month", "One month.", "gold/month.sql", ("loans",), 36, 2)
    return Sheet(SECTION, (source,), (made,), PROFILE)


@pytest.fixture
def bare():
    """Nothing but what the snapshot has."""
    return Sheet(None, (SourceFacts("loans", PINNED, None, "", None, 0, None, ()),))


@pytest.mark.parametrize(("lang", "headings"), [("en", HEADINGS), ("de", GERMAN)])
def test_it_has_the_seven_headings_in_their_order(facts, sheet, bare, lang, headings):
    for one in (sheet, bare):
        said = render(replace(facts, lang=lang), one)
        assert re.findall(r"^## (.*)$", said, flags=re.MULTILINE) == headings


def test_what_is_on_record_is_told(facts, sheet):
    said = render(facts, sheet)
    for words in (
        "UPC Barcelona", "MIT", "monthly", "loans desk", "book-keeping of a bank",
        "one loan that was granted", "refused loans are not in it", "| 4,454 | 212 |", "d" * 64,
        "version 2.1.0, SHA-256 " + "c" * 64, "not classified: 3, personal: 2",
        "| loans | completeness | 44,540 | 41 |", facts.snapshot.id, facts.snapshot.gold.digest,
        "made by gold/month.sql of loans: 36 rows, version 2. One month.", "features.training",
        "loads up to this version: 7", "3,563 to learn from, 891 sealed", facts.snapshot.seal,
        "34 rows appear twice", "records = yes: 158 sealed rows", facts.question.risks,
        "call\\_duration:** not known at prediction time", "| income | given to the model |",
    ):  # fmt: skip
        assert words in said, words
    assert "not on record:" not in said


@pytest.mark.parametrize(
    "cure",
    ["understand.sources.loans.owner: ... in qua3ck.yaml",
     "understand.sources.loans.licence: ... in qua3ck.yaml",
     "understand.sources.loans.cadence: ... in qua3ck.yaml",
     "understand.sources.loans.contact: ... in qua3ck.yaml",
     "understand.sources.loans.contract: ... in qua3ck.yaml",
     "understand.training: ... in qua3ck.yaml", "question.roles.owner: ... in qua3ck.yaml",
     "and write description.purpose in it", "and write description.usage in it",
     "and write description.limitations in it", "and write classification in it",
     "qua3ck understand --again", "qua3ck load"],
)  # fmt: skip
def test_what_is_not_on_record_is_said_with_what_to_type(facts, bare, cure):
    roles = facts.question.roles.model_copy(update={"owner": None})
    question = facts.question.model_copy(update={"roles": roles})
    lines = render(replace(facts, question=question), bare).replace("\\", "").splitlines()
    assert [line for line in lines if "not on record" in line and cure in line], cure


def test_a_contract_that_says_nothing_is_asked_to_say_it(facts, sheet):
    silent = replace(AGREED, purpose="", limitations="", row="")
    (source,) = sheet.sources
    said = render(facts, replace(sheet, sources=(replace(source, agreed=silent),)))
    assert "write description.purpose in contracts/loans.odcs.yaml" in said
    assert "write schema.loans.description in contracts/loans.odcs.yaml" in said


def test_no_small_group_and_no_figure_of_a_single_row_is_shown(facts, sheet):
    said = render(facts, sheet)
    assert "bad 752, good 1,917, 1: fewer than 5" in said
    assert "f 1,300, m 1,369, 1: fewer than 5" in said
    assert "vanished" not in said
    assert "| seniority | given to the model | number | fewer than 5 |" in said
    for extreme in ("1234", "1,234", "99887", "99,887", "4321", "4,321"):
        assert extreme not in said


def test_the_values_of_a_sensitive_number_or_text_are_not_shown(facts, sheet):
    columns = tuple(
        replace(column, kind="text") if column.name == "sex" else column
        for column in facts.snapshot.columns
    )
    said = render(replace(facts, snapshot=replace(facts.snapshot, columns=columns)), sheet)
    assert "1,300" not in said
    assert "**Sensitive column sex:** text" in said


def test_hostile_text_cannot_break_a_heading_or_a_table(facts, sheet):
    evil = "a | b\n## Mine\n<script>"
    question = facts.question.model_copy(update={"asks": evil, "decides": evil, "risks": evil})
    (source,) = sheet.sources
    sources = (replace(source, agreed=replace(AGREED, purpose=evil, row=evil)),)
    said = render(replace(facts, project=evil, question=question), replace(sheet, sources=sources))
    assert re.findall(r"^## (.*)$", said, flags=re.MULTILINE) == HEADINGS
    assert "<script>" not in said


def test_the_same_facts_give_the_same_bytes(facts, sheet):
    assert render(facts, sheet) == render(replace(facts), replace(sheet))


@pytest.mark.parametrize(
    ("heading", "cure"),
    [("Collection process", "contact"), ("Maintenance", "contact"), ("Maintenance", "cadence"),
     ("Distribution", "licence")],
)  # fmt: skip
def test_nobody_is_named_where_nobody_was_named(facts, bare, heading, cure):
    _, _, rest = render(facts, bare).partition(f"## {heading}\n")
    part = rest.partition("\n## ")[0]
    assert f"not on record: write understand.sources.loans.{cure}" in part
