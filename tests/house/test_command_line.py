"""Every verb answers ``--help`` at once and is described; pages show what can be typed."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest

from qua3ck.cli.main import VERBS

ROOT = Path(__file__).parents[2]
HEAVY = ("numpy", "pandas", "duckdb", "mlflow", "sklearn")
MOST_MODULES = 150
PAGES = (
    "README.md",
    "docs/tutorial.md",
    "docs/command-line.md",
    "examples/iris/README.md",
    "examples/credit/README.md",
    "examples/shipments/README.md",
    "docs/loading.md",
    "docs/gold.md",
    "docs/batch.md",
    "docs/operating.md",
)
COUNT = """
import sys
before = len(sys.modules)
from qua3ck.cli.main import main
try:
    main({words!r})
except SystemExit:
    pass
print()
print(len(sys.modules), *[name for name in {heavy!r} if name in sys.modules])
"""


def typed_commands() -> list[tuple[str, str]]:
    """Return every ``qua3ck ...`` line that a page shows as typed, with its page."""
    found = []
    for page in PAGES:
        for block in re.findall(
            r"```(?:sh|bash|console|text)\n(.*?)```", (ROOT / page).read_text(), re.DOTALL
        ):
            for line in block.splitlines():
                command = line.removeprefix("$ ").split("  #")[0].strip()
                if command.startswith("qua3ck ") and "[" not in command:
                    found.append((page, command))
    return found


def modules_after(words: list[str]) -> tuple[int, list[str]]:
    code = COUNT.format(words=words, heavy=HEAVY)
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    count, *heavy = done.stdout.splitlines()[-1].split()
    return int(count), heavy


@pytest.mark.parametrize(
    "words", [[], ["--help"], *([verb, "--help"] for verb in VERBS)], ids=" ".join
)
def test_help_is_light(words):
    count, heavy = modules_after(words)
    assert heavy == []
    assert count <= MOST_MODULES


def test_every_verb_is_a_module_and_every_module_a_verb():
    folder = ROOT / "src" / "qua3ck" / "cli"
    modules = {path.stem for path in folder.glob("*.py")} - {"__init__", "main", "terminal"}
    assert modules == set(VERBS)


def test_every_verb_has_a_section_in_the_command_line_page():
    page = (ROOT / "docs" / "command-line.md").read_text()
    assert re.findall(r"^## `qua3ck (\w+)`$", page, re.MULTILINE) == list(VERBS)


@pytest.mark.parametrize("verb", VERBS)
def test_every_option_of_a_verb_is_described_in_its_section(verb):
    from qua3ck.cli.main import Parser

    parser = Parser(prog=f"qua3ck {verb}")
    import_module(f"qua3ck.cli.{verb}").add_arguments(parser)
    page = (ROOT / "docs" / "command-line.md").read_text()
    section = page.split(f"## `qua3ck {verb}`\n")[1].split("\n## ")[0]
    shared = {"--help", "-h", "--json", "--as"}
    options = {word for action in parser._actions for word in action.option_strings} - shared
    assert [option for option in options if option not in section] == []


@pytest.mark.parametrize(("page", "command"), typed_commands())
def test_a_command_that_a_page_shows_is_understood(page, command):
    from qua3ck.cli.main import Parser

    del page
    _, verb, *words = shlex.split(command.split(";")[0])
    if verb.startswith("--"):
        return
    parser = Parser(prog=f"qua3ck {verb}")
    import_module(f"qua3ck.cli.{verb}").add_arguments(parser)
    parser.parse_args(words)


def test_the_pages_show_commands_at_all():
    assert {page for page, _ in typed_commands()} >= {"README.md", "docs/tutorial.md"}


@pytest.mark.parametrize("example", ["examples/iris", "examples/credit"])
def test_check_accepts_the_examples(qua3ck, example):
    done = qua3ck("check", example)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "6 of 6" in done.stdout


def test_an_unknown_verb_is_answered_with_a_guess(qua3ck):
    done = qua3ck("concluded")
    assert done.returncode == 2
    assert 'did you mean "conclude"' in done.stderr
