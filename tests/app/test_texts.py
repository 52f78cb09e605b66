"""Both languages are whole, say the same, and every sentence is used."""

from __future__ import annotations

import re
import string
from pathlib import Path

import pytest

from qua3ck.app import seeing, texts
from qua3ck.govern.roles import ROLES
from qua3ck.transfer.texts import TEXTS as REPORT

ROOT = Path(__file__).parents[2] / "src" / "qua3ck" / "app"
EVERY = {**REPORT, **texts.TEXTS}


def holes(words):
    return {name for _, name, _, _ in string.Formatter().parse(words) if name}


def test_each_sentence_exists_in_both_languages_with_the_same_figures():
    for key, said in EVERY.items():
        assert set(said) == set(texts.LANGUAGES), key
        assert holes(said["en"]) == holes(said["de"]), key
        assert all(words.strip() for words in said.values()), key


def test_german_has_its_own_letters_and_quotation_marks():
    german = "\n".join(said["de"] for said in EVERY.values())
    assert not re.search(r"\b(fuer|ueber|koennen|muss?en|Qualitaet|groesse)\b", german)
    assert "“" not in re.sub(r"„[^“]*“", "", german), "quotation marks come in pairs"


def test_no_sentence_is_left_over():
    source = "\n".join(path.read_text() for path in ROOT.rglob("*.py") if path.name != "texts.py")
    named = set(re.findall(r"""["']([a-z_]+(?:\.[a-z_]+)*)["']""", source))
    stems = set(re.findall(r'f"([a-z_.]+)\.\{', source))
    stems |= {f"{page}.column" for page in re.findall(r'heads\("([a-z]+)"', source)}
    unused = [
        key
        for key in texts.TEXTS
        if key not in named and not any(key.startswith(f"{stem}.") for stem in stems)
    ]
    assert unused == []


def test_a_column_that_the_report_has_is_said_once():
    report = {key: REPORT[key] for key in REPORT if key.startswith("column.")}
    own = {key: texts.TEXTS[key] for key in texts.TEXTS if ".column." in key}
    twice = [key for key, said in own.items() if report.get(key.partition(".")[2]) == said]
    assert twice == []


def test_every_role_and_page_has_a_name():
    for lang in texts.LANGUAGES:
        assert all(texts.say(f"role.{role}", lang) for role in ROLES)
        assert all(texts.say(f"page.{page}", lang) for page in seeing.PAGES)


def test_a_sentence_of_the_report_is_found_where_it_is():
    assert texts.say("verdict.pass", "de") == "bestanden"


@pytest.mark.parametrize(
    ("value", "digits", "english", "german"),
    [
        (1234.5, None, "1,234.5", "1.234,5"),
        (1500.0, None, "1,500", "1.500"),
        (-57.25, None, "−57.25", "−57,25"),
        (0.5, 2, "0.50", "0,50"),
        (float("nan"), None, "nan", "nan"),
    ],
)
def test_numbers_are_written_as_the_language_does(value, digits, english, german):
    assert texts.number(value, "en", digits) == english
    assert texts.number(value, "de", digits) == german


def test_a_share_is_a_per_cent_that_does_not_break():
    assert texts.percent(0.256, "de", 1) == "25,6\u00a0%"
