"""Every code has a page and a test, and no page is without a code."""

from __future__ import annotations

import importlib
import importlib.util
import re
from collections import Counter
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SOURCE = ROOT / "src" / "qua3ck"
LETTERS = {
    "question": "Q",
    "understand": "U",
    "a3": "A",
    "conclude": "C",
    "transfer": "K",
    "operate": "O",
    "govern": "G",
    "ledger": "L",
    "store": "S",
    "project": "P",
    "app": "V",
}
CODE = re.compile(r"[\"']([QUACKOGLSPV]\d{3})[\"']")
PAGES = [
    (room, page)
    for room in LETTERS
    if (SOURCE / room / "codes.py").is_file()
    for page in importlib.import_module(f"qua3ck.{room}.codes").PAGES
]


ANYWHERE = re.compile(r"\b([QUACKOGLSPV]\d{3})\b")


def used_in(room: str, code: re.Pattern[str] = CODE) -> set[str]:
    texts = (p.read_text() for p in (SOURCE / room).rglob("*.py") if p.name != "codes.py")
    return {found for text in texts for found in code.findall(text)}


@pytest.mark.parametrize("room", LETTERS)
def test_a_room_with_codes_has_pages_for_them(room):
    pages = {page.code for owner, page in PAGES if owner == room}
    own = {code for code in used_in(room) if code[0] == LETTERS[room]}
    assert own - pages == set(), "used, but without a page"
    assert {code for code in pages if code[0] != LETTERS[room]} == set()


def test_no_code_is_given_twice():
    counted = Counter(page.code for _, page in PAGES)
    assert [code for code, times in counted.items() if times > 1] == []


@pytest.mark.parametrize(("room", "page"), PAGES, ids=lambda value: getattr(value, "code", value))
def test_a_page_says_what_it_means_shows_the_trap_and_the_cure(room, page):
    del room
    for part in (page.title, page.means, page.example, page.cure):
        assert part.strip()


def test_every_code_is_raised_somewhere_and_tested():
    used = {code for room in [*LETTERS, "kit", "cli"] for code in used_in(room, ANYWHERE)}
    tests = "\n".join(
        p.read_text() for p in (ROOT / "tests").rglob("test_*.py") if p.parent.name != "house"
    )
    never = [page.code for _, page in PAGES if page.code not in used]
    untested = [page.code for _, page in PAGES if page.code not in tests]
    assert never == [], "pages without a place that raises them"
    assert untested == [], "codes that no test mentions"


def test_the_docs_get_a_page_for_every_code():
    spec = importlib.util.spec_from_file_location("docs_gen", ROOT / "docs" / "gen.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    made = module.generated()
    assert {f"codes/{page.code}.md" for _, page in PAGES} <= set(made)
    for _, page in PAGES:
        assert page.cure in made[f"codes/{page.code}.md"]
    for key in ("kpis", "test_share", "known_at_prediction", "openings"):
        assert f"`{key}`" in made["project-file.md"]
    assert "`roc_auc`" in made["metrics.md"]
