"""A project file fits on two screens, and its README tells the story in five headings."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
EXAMPLES = sorted(path.parent for path in (ROOT / "examples").glob("*/qua3ck.yaml"))


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: path.name)
def test_the_project_file_fits_on_two_screens(example):
    assert len((example / "qua3ck.yaml").read_text().splitlines()) < 80


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: path.name)
def test_the_readme_has_five_headings_and_what_went_wrong(example):
    headings = re.findall(r"^## (.+)$", (example / "README.md").read_text(), re.MULTILINE)
    assert [heading.split(":")[0] for heading in headings[:5]] == ["Q", "U", "A³", "C", "K"]
    assert headings[5:] == ["What went wrong on the way"]


def test_the_examples_are_there():
    assert [path.name for path in EXAMPLES] == ["credit", "iris", "shipments"]


def test_no_state_of_a_project_is_committed(our_files):
    kept = {"warehouse", "mlartifacts", "releases", "candidates", "ledger", "sealed", "state"}
    inside = [p for p in our_files if p.is_relative_to(ROOT / "examples")]
    assert [p for p in inside if kept & set(p.relative_to(ROOT / "examples").parts)] == []
