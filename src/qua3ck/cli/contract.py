"""Draft the contract of a source from its data, or hold a contract against the standard."""

from __future__ import annotations

import argparse
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

from qua3ck.cli.terminal import (
    counted,
    finding_line,
    name_and_project,
    opened,
    say,
    say_json,
)
from qua3ck.kit.errors import Qua3ckError

if TYPE_CHECKING:
    from qua3ck.project.contracts import Drafted, Held

_MOST_SUSPECTS = 8


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the words of this verb."""
    parser.add_argument("act", choices=("propose", "check"), metavar="propose|check")
    parser.add_argument(
        "words",
        nargs="*",
        metavar="SOURCE [PROJECT] | [FILE|PROJECT]",
        help="propose: a source and a project, in any order; check: a contract, or a project "
        "(default: here)",
    )
    parser.add_argument("--into", metavar="FILE", help="where the draft is written")
    parser.add_argument("--as", dest="actor", metavar="NAME", help="who acts; default: you")
    parser.add_argument("--json", action="store_true", help="print the same facts as JSON")


def run(options: argparse.Namespace) -> int:
    """Print what was drafted, or what would be checked."""
    if options.act == "propose":
        return _propose(options)
    _at_most(options, 1, "one contract or project")
    target = Path(options.words[0] if options.words else ".")
    if target.suffix in {".yaml", ".yml"} and target.name != "qua3ck.yaml":
        from qua3ck.project.contracts import check_contract

        held = check_contract(target)
    else:
        options.project = str(target)
        with opened(options) as project:
            held = project.check_contracts()
    return _checked(held, options)


def _propose(options: argparse.Namespace) -> int:
    _at_most(options, 2, "one SOURCE and one PROJECT")
    name, options.project = name_and_project(options.words)
    project_word = "" if options.project == "." else f" {options.project}"
    if not name:
        raise Qua3ckError(
            "Which source is the contract for?",
            where="the command line",
            fix=f"qua3ck contract propose SOURCE{project_word}",
        )
    with opened(options) as project:
        made = project.draft_contract(name, into=Path(options.into) if options.into else None)
    if options.json:
        say_json(_drafted_facts(made))
        return 0
    say(
        f"{name}: drafted from {counted(made.rows, 'row')}, {counted(made.columns, 'column')}",
        f"    written: {made.path}",
    )
    for other, why in made.unread.items():
        say(f"    no references looked for in {other}: {why}")
    if made.findings:
        say(f"    {counted(len(made.findings), 'suspicion')}; nothing was changed:")
        say(*map(finding_line, made.findings[:_MOST_SUSPECTS]))
    if len(made.findings) > _MOST_SUSPECTS:
        say(f"    ... all with: qua3ck contract propose {name}{project_word} --json --into OTHER")
    say(f"next: edit {made.path}, then: qua3ck contract check {made.path}")
    return 0


def _checked(held: tuple[Held, ...], options: argparse.Namespace) -> int:
    if options.json:
        say_json({"tables": [_held_facts(each) for each in held]})
        return 0
    for each in held:
        acts = each.actions
        told = (f"{acts[word]} {says}" for word, says in _WORDS.items() if acts[word])
        size = f"{counted(each.columns, 'column')}, {counted(len(each.rules), 'rule')}"
        say(f"{each.table}: {size} ({each.path})")
        say(f"    {', '.join(told) or 'no rule'}")
        kinds = Counter(rule.dimension for rule in each.rules if rule.test != "none")
        if kinds:
            say(f"    {', '.join(f'{kind} {count}' for kind, count in kinds.items())}")
        for rule in each.rules:
            if rule.test == "none":
                say(f"    not applicable: {rule.id}, {rule.given['why']} ({rule.where})")
    project = getattr(options, "project", ".")  # none, where one contract alone is checked
    say(f"next: qua3ck load{'' if project == '.' else f' {project}'}")
    return 0


_WORDS = {
    "hold": "hold rows",
    "block": "block the load",
    "inform": "inform",
    "not applicable": "not applicable",
}


def _drafted_facts(made: Drafted) -> dict[str, Any]:
    from dataclasses import asdict

    return {
        "path": str(made.path),
        "rows": made.rows,
        "columns": made.columns,
        "unread": dict(made.unread),
        "findings": [asdict(finding) for finding in made.findings],
    }


def _held_facts(each: Held) -> dict[str, Any]:
    return {
        "contract": str(each.path),
        "table": each.table,
        "columns": each.columns,
        "rules": [
            {
                "id": rule.id,
                "code": rule.code,
                "dimension": rule.dimension,
                "action": None if rule.test == "none" else rule.action,
                "columns": list(rule.columns),
                "says": rule.says,
                "where": rule.where,
                "not_applicable": str(rule.given["why"]) if rule.test == "none" else None,
            }
            for rule in each.rules
        ],
    }


def _at_most(options: argparse.Namespace, most: int, wanted: str) -> None:
    if len(options.words) > most:
        raise Qua3ckError(
            f'"{options.words[most]}" is one word too many',
            where="the command line",
            fix=f"write {wanted}",
        )
