"""What the demo types; the two projects it types it in are tried in the other files."""

from __future__ import annotations

from importlib import import_module
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path

import pytest

from qua3ck.cli.main import VERBS, Parser

DEMO = Path(__file__).parents[2] / "examples" / "demo.py"


@pytest.fixture(scope="module")
def typed(tmp_path_factory):
    """Return every command line of the demo, none of them run, with the exit code it expects."""
    spec = spec_from_file_location("demo", DEMO)
    demo = module_from_spec(spec)
    spec.loader.exec_module(demo)
    demo.WORK = tmp_path_factory.mktemp("demo")
    golden = demo.WORK / "credit" / "releases" / "1" / "golden.json"
    golden.parent.mkdir(parents=True)
    golden.touch()
    lines = []
    demo.prepare = lambda: None
    demo.type_in = lambda folder, *words, expect=0: lines.append((folder.name, words, expect))
    demo.main()
    return lines


def test_every_command_of_the_demo_is_one_that_the_program_knows(typed):
    ours = [words[1:] for _, words, _ in typed if words[0] == "qua3ck"]
    assert len(ours) >= 10
    for verb, *words in ours:
        assert verb in VERBS
        module = import_module(f"qua3ck.cli.{verb}")
        parser = Parser(prog=verb, allow_abbrev=False)
        module.add_arguments(parser)
        parser.parse_intermixed_args(words)


def test_iris_must_stay_undecided_and_credit_be_refused_first_and_promoted_last(typed):
    told = [(name, words[1], code) for name, words, code in typed if words[0] == "qua3ck"]
    assert ("iris", "run", 1) in told
    assert ("iris", "promote", 1) in told
    promotions = [code for name, verb, code in told if (name, verb) == ("credit", "promote")]
    assert promotions == [1, 0]
    assert told[-1] == ("credit", "audit", 0)
