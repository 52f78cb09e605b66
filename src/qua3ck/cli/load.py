"""Bring the sources up to date: only what is new or changed is read; what does not fit is held."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from qua3ck.cli.terminal import finding_line, opened, say, say_json
from qua3ck.kit.errors import Qua3ckError
from qua3ck.kit.wording import one_line

if TYPE_CHECKING:
    from qua3ck.understand.loading import Load
    from qua3ck.understand.loading.proposing import Proposed
    from qua3ck.understand.loading.statistics import Took

_THERE = "declared already"
_FIXES = 3  # different ones that are shown of a source


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the words of this verb."""
    parser.add_argument(
        "words",
        nargs="*",
        metavar="[PROJECT] [SOURCE ...]",
        help="default: this folder, every source",
    )
    parser.add_argument(
        "--propose", action="store_true", help="infer how files are written, and declare it"
    )
    parser.add_argument(
        "--accept",
        action="append",
        default=[],
        metavar="CODE",
        help="load in spite of this finding; may be given twice, with one reason for all",
    )
    parser.add_argument("--reason", default="", metavar="TEXT", help="why; kept in the ledger")
    parser.add_argument("--history", action="store_true", help="how long the last loads took")
    parser.add_argument("--as", dest="actor", metavar="NAME", help="who acts; default: you")
    parser.add_argument("--json", action="store_true", help="print the same facts as JSON")


def run(options: argparse.Namespace) -> int:
    """Print a line per source and every finding; 1 if a piece is held, 2 if a source failed."""
    from qua3ck.kit.records import as_json

    names = settle_words(options)
    accept = _accepted(options)
    with opened(options) as project:
        if options.history:
            return _history(project.load_history(names), options)
        if options.propose:
            shown = None if options.json else _show_proposal
            return _proposed(project.propose(names, show=shown), options)
        loads = project.load(names, accept=accept)
        tables = () if any(load.failed for load in loads) else project.make_tables()
    code = max((_exit(load) for load in loads), default=0)
    if options.json:
        facts = {"loads": [as_json(load) for load in loads]}
        say_json({**facts, "tables": [as_json(table) for table in tables]})
        return code
    for load in loads:
        say(*load_lines(load))
    for table in tables:
        if table.fresh:
            say(f"U   {table.name}: made, {table.rows:,} rows; {table.seconds:.1f} s")
    say(f"next: {_next(loads, options)}")
    return code


def settle_words(options: argparse.Namespace) -> list[str]:
    """Take the project from among the words; the others are sources."""
    words = list(options.words)
    found = next((word for word in words if _is_project(Path(word))), None)
    options.project = found or "."
    return [word for word in words if word != found]


def _is_project(path: Path) -> bool:
    return (
        (path / "qua3ck.yaml").is_file() or path.suffix in {".yaml", ".yml"} or len(path.parts) > 1
    )


def _accepted(options: argparse.Namespace) -> dict[str, str]:
    codes = list(dict.fromkeys(options.accept))
    reason = one_line(options.reason)
    if codes and not reason:
        words = " ".join(f"--accept {code}" for code in codes)
        raise Qua3ckError(
            f"{', '.join(codes)} {'is' if len(codes) == 1 else 'are'} to be accepted, and "
            "nothing says why",
            where="the command line: --reason",
            fix=f'qua3ck load {words} --reason "who said so, and why"',
        )
    return dict.fromkeys(codes, reason)


def _exit(load: Load) -> int:
    if load.failed:
        return 2
    return int(bool(load.held_pieces) or any(finding.blocks for finding in load.findings))


def load_lines(load: Load) -> list[str]:
    """Return all that is said of a load: its line, every finding, and what to do about pieces."""
    fixes = dict.fromkeys(one.fix for one in load.held_pieces)
    failed = str(load.failed.error()).splitlines() if load.failed else []
    return [
        source_line(load),
        *map(finding_line, load.findings),
        *(f"    fix:   {fix}" for fix in list(fixes)[:_FIXES]),
        *(f"    {line}" for line in failed),
    ]


def source_line(load: Load) -> str:
    """Return the one line about a load."""
    if load.failed:
        return f"U   {load.source}: not loaded"
    pieces = len(load.held_pieces)
    held = f", {pieces} {'piece' if pieces == 1 else 'pieces'} held" if pieces else ""
    waiting = f", {load.waiting} in quarantine" if load.waiting else ""
    if not load.known:
        return f"U   {load.source}: nothing new{held}, {load.rows} rows{waiting}"
    speed = load.came / load.seconds if load.seconds else 0
    rows = f"{load.came} rows in, {load.loaded} loaded, {load.held} held"
    kinds = ("new", "changed", "unchanged", "superseded", "withdrawn", "deleted")
    told = [f"{count} {kind}" for kind in kinds if (count := getattr(load, kind))]
    return (
        f"U   {load.source}: {rows}{held} ({', '.join(told) or 'nothing changed'}), now "
        f"{load.rows} rows{waiting}; {load.seconds:.1f} s, {speed:,.0f} rows/s"
    )


def _next(loads: tuple[Load, ...], options: argparse.Namespace) -> str:
    project = "" if options.project == "." else f" {options.project}"
    codes = [load.failed.code for load in loads if load.failed and load.failed.code]
    if codes:
        return f"qua3ck explain {codes[0]}"
    held = [one.code for load in loads for one in load.findings if one.blocks]
    if held:
        return f"qua3ck explain {held[0]}"
    waiting = [load.source for load in loads if load.waiting]
    if waiting:
        return f"qua3ck quarantine{project} {waiting[0]}"
    return f"qua3ck run{project}"


def _show_proposal(one: Proposed) -> None:
    """Print what was found before anything is written."""
    if one.proposal is None:
        why = f"nothing to propose; {one.nothing}" if one.nothing else "nothing could be proposed"
        say(f"U   {one.source}: {why}")
        return
    say(f"U   {one.source}: how it is written")
    say(*(f"    {key}: {why}" for key, why in one.proposal.evidence.items()))
    say(*(f"    question: {question}" for question in one.proposal.questions))


def _proposed(made: Sequence[Proposed], options: argparse.Namespace) -> int:
    failed = [one.problem for one in made if one.problem]
    code = 2 if failed else 0
    if options.json:
        say_json({one.source: _proposal_facts(one) for one in made})
        return code
    for one in made:
        if one.problem:
            say(f"U   {one.source}: not declared")
            say(*(f"    {line}" for line in str(one.problem).splitlines()))
        elif one.proposal:
            say(f"U   {one.source}: {'written into the project file' if one.written else _THERE}")
    project = "" if options.project == "." else f" {options.project}"
    codes = [problem.code for problem in failed if problem.code]
    say(f"next: qua3ck explain {codes[0]}" if codes else f"next: qua3ck load{project}")
    return code


def _proposal_facts(one: Proposed) -> dict[str, object]:
    if one.proposal is None or one.problem:
        problem = one.problem
        error = (
            {"what": problem.what, "where": problem.where, "fix": problem.fix} if problem else {}
        )
        return {
            "nothing": one.nothing,
            "written": False,
            **({"error": {**error, "code": problem.code}} if problem else {}),
        }
    return {
        "declared": one.proposal.declared,
        "evidence": one.proposal.evidence,
        "questions": list(one.proposal.questions),
        "written": one.written,
    }


def _history(told: tuple[Took, ...], options: argparse.Namespace) -> int:
    from qua3ck.kit.records import as_json

    if options.json:
        say_json({"history": [as_json(one) for one in told]})
        return 0
    say(*(one.says() for one in told)) if told else say("nothing was loaded yet")
    say("next: qua3ck load")
    return 0
