import argparse
import errno
import json
import sys
from importlib import import_module
from pathlib import Path
from types import SimpleNamespace

import pytest

from qua3ck.cli import main as main_module
from qua3ck.cli.main import VERBS, main
from qua3ck.kit import Blocked


def _verb(monkeypatch, problem):
    """Put a verb in place that ends with ``problem``."""

    def run(_):
        raise problem

    def add_arguments(parser):
        parser.add_argument("--json", action="store_true")

    module = SimpleNamespace(__doc__="A verb.", add_arguments=add_arguments, run=run)
    monkeypatch.setattr(main_module, "import_module", lambda name: module)


def test_a_misspelt_verb_is_answered_with_the_nearest(capsys):
    assert main(["chekc"]) == 2
    assert 'did you mean "check"?' in capsys.readouterr().err


def test_a_wrong_option_has_the_three_lines_and_no_usage_block(capsys):
    assert main(["check", "--what"]) == 2
    said = capsys.readouterr().err.splitlines()
    assert [line.split(":")[0].strip() for line in said] == ["error", "where", "fix"]


def test_a_gate_that_blocks_ends_with_1(monkeypatch, capsys):
    _verb(monkeypatch, Blocked("no", where="gate", fix="more rows"))
    assert main(["run"]) == 1
    assert "more rows" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("number", "advice"), [(errno.ENOSPC, "make room"), (errno.EACCES, "right to write")]
)
def test_a_full_or_closed_disk_is_the_users_to_mend(monkeypatch, capsys, number, advice):
    _verb(monkeypatch, OSError(number, "no", "releases/1/model.onnx"))
    assert main(["run"]) == 2
    said = capsys.readouterr().err
    assert advice in said
    assert "releases/1/model.onnx" in said


def test_ctrl_c_says_how_to_go_on(monkeypatch, capsys):
    _verb(monkeypatch, KeyboardInterrupt())
    assert main(["run"]) == 2
    assert "type the same command again" in capsys.readouterr().err


def test_a_bug_ends_with_3_and_shows_no_traceback(monkeypatch, capsys):
    monkeypatch.delenv("QUA3CK_DEBUG", raising=False)
    _verb(monkeypatch, ZeroDivisionError("oops"))
    assert main(["run"]) == 3
    said = capsys.readouterr().err
    assert "this is a bug in qua3ck" in said
    assert "Traceback" not in said


def test_a_bug_is_json_where_json_was_asked_for(monkeypatch, capsys):
    monkeypatch.delenv("QUA3CK_DEBUG", raising=False)
    _verb(monkeypatch, ZeroDivisionError("oops"))
    assert main(["run", "--json"]) == 3
    told = json.loads(capsys.readouterr().out)["error"]
    assert "this is a bug in qua3ck" in told["what"]
    assert "qua3ck-bug-" in told["fix"]


def test_an_error_is_json_where_json_was_asked_for(capsys):
    assert main(["check", "/nowhere/at/all", "--json"]) == 2
    told = json.loads(capsys.readouterr().out)["error"]
    assert told["code"] == "P001"
    assert set(told) == {"what", "where", "fix", "code"}


def test_help_lists_every_verb(capsys):
    assert main([]) == 0
    said = capsys.readouterr().out
    assert all(verb in said for verb in VERBS)


def test_explain_shows_a_page_and_knows_near_codes(capsys):
    assert main(["explain", "p003"]) == 0
    assert "means:" in capsys.readouterr().out
    assert main(["explain", "P03"]) == 2
    assert "did you mean" in capsys.readouterr().err


def test_init_writes_a_project_that_can_be_read_and_keeps_an_old_one(tmp_path, capsys):
    from qua3ck.project import open_project

    for task in ("classification", "regression"):
        folder = tmp_path / f"1 new {task}"
        assert main(["init", str(folder), "--task", task, "--target", "wird es?"]) == 0
        assert open_project(folder).file.understand.target == "wird es?"
        assert main(["init", str(folder)]) == 2
    assert "already (P013)" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "version", "project"),
    [
        ([], None, "."),
        (["3"], 3, "."),
        (["v3", "here"], 3, "here"),
        (["here", "3"], 3, "here"),
    ],
)
def test_version_and_project_come_in_either_order(words, version, project):
    from qua3ck.cli.main import Parser
    from qua3ck.cli.terminal import settle_version, version_argument

    parser = Parser()
    version_argument(parser)
    options = parser.parse_args(words)
    settle_version(options)
    assert (options.version, options.project) == (version, project)


def test_running_as_a_module_is_the_same_program(monkeypatch, capsys):
    import runpy

    monkeypatch.setattr(sys, "argv", ["qua3ck", "--version"])
    with pytest.raises(SystemExit) as ended:
        runpy.run_module("qua3ck", run_name="__main__")
    assert ended.value.code == 0
    assert capsys.readouterr().out.startswith("qua3ck ")


def _numbers():
    """Return every option of every verb that takes a number: verb, option, what reads it."""
    found = []
    for verb in VERBS:
        parser = main_module.Parser(prog=verb)
        import_module(f"qua3ck.cli.{verb}").add_arguments(parser)
        numbers = [one for one in parser._actions if one.type not in {None, Path}]
        found += [(verb, one.option_strings[0], one.type) for one in numbers]
    return found


@pytest.mark.parametrize(("verb", "option", "read"), _numbers())
def test_a_number_beyond_its_bounds_is_refused_before_anything_runs(verb, option, read, capsys):
    for text in ("-1", "9" * 25, "1e400", "nan", "many", ""):
        with pytest.raises(argparse.ArgumentTypeError, match="number from"):
            read(text)
        assert main([verb, f"{option}={text}"]) == 2
        assert f"Argument {option}: " in capsys.readouterr().err


def test_the_numbers_that_are_looked_at_are_there():
    said = {(verb, option) for verb, option, _ in _numbers()}
    assert {("serve", "--port"), ("app", "--port"), ("serve", "--workers")} <= said
    assert {("warehouse", "--to"), ("warehouse", "--keep-days"), ("trace", "--limit")} <= said
