"""Bring the sources up to date: only what is new or changed is read; what does not fit is held."""

from __future__ import annotations

import argparse
import re
import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from qua3ck.cli.terminal import counted, finding_line, named_project, opened, say, say_json
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
    accept = _accepted(options, names)
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
        say(*load_lines(load, options.project))
    for table in tables:
        if table.fresh:
            rows = counted(table.rows, "row")
            say(f"U   {table.name}: made, {rows}; {table.seconds:.1f} s")
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


def _accepted(options: argparse.Namespace, names: Sequence[str]) -> dict[str, str]:
    said = [re.split(r"\s*[=:]\s*", one.strip(), maxsplit=1) for one in options.accept]
    codes = list(dict.fromkeys(code for code, *_ in said))
    beside = [more for _, *rest in said for more in rest]
    reason = one_line(options.reason)
    if beside:
        what = f'"{next(one for one in options.accept if "=" in one or ":" in one)}" is more than '
        what += "a code; the reason stands behind --reason"
    elif codes and not reason:
        is_are = "is" if len(codes) == 1 else "are"
        what = f"{', '.join(codes)} {is_are} to be accepted, and nothing says why"
    else:
        return dict.fromkeys(codes, reason)
    why = reason or "; ".join(filter(None, map(one_line, beside))) or "who said so, and why"
    words = ["qua3ck", "load", *([] if options.project == "." else [options.project]), *names]
    words += [word for code in codes for word in ("--accept", code)]
    words += ["--reason", why, *(["--as", options.actor] if options.actor else [])]
    raise Qua3ckError(what, where="the command line: --accept", fix=shlex.join(words))


def _exit(load: Load) -> int:
    if load.failed:
        return 2
    return int(bool(load.held_pieces) or any(finding.blocks for finding in load.findings))


def load_lines(load: Load, project: str) -> list[str]:
    """Return all that is said of a load: its line, every finding, and what to do about pieces."""
    fixes = dict.fromkeys(one.fix for one in load.held_pieces)
    failed = str(load.failed.error()).splitlines() if load.failed else []
    return [
        source_line(load),
        *_accepted_lines(load),
        *map(finding_line, load.findings),
        *(f"    fix:   {named_project(fix, project)}" for fix in list(fixes)[:_FIXES]),
        *(f"    {named_project(line, project)}" for line in failed),
    ]


def source_line(load: Load) -> str:
    """Return the one line about a load."""
    if load.failed:
        return f"U   {load.source}: not loaded"
    held = f", {counted(len(load.held_pieces), 'piece')} held" if load.held_pieces else ""
    waiting = f", {load.waiting} in quarantine" if load.waiting else ""
    if not load.known:
        return f"U   {load.source}: nothing new{held}, {_rows(load.rows)}{waiting}"
    speed = load.came / load.seconds if load.seconds else 0
    rows = f"{_rows(load.came)} in, {load.loaded} loaded, {load.held} held"
    kinds = ("new", "changed", "unchanged", "superseded", "withdrawn", "deleted")
    told = [f"{count} {kind}" for kind in kinds if (count := getattr(load, kind))]
    return (
        f"U   {load.source}: {rows}{held} ({', '.join(told) or 'nothing changed'}), now "
        f"{_rows(load.rows)}{waiting}; {load.seconds:.1f} s, {speed:,.0f} rows/s"
    )


def _rows(count: int) -> str:
    return f"{count} row{'' if count == 1 else 's'}"


def _accepted_lines(load: Load) -> list[str]:
    """Return what was accepted and for what; a finding that was accepted may not be said again."""
    from qua3ck.understand.loading.held import VANISHED, title

    deleted = {VANISHED: f"; {_rows(load.deleted)} deleted"}
    return [
        f"    accepted {code} ({title(code)}): {', '.join(what)}{deleted.get(code, '')}"
        for code, what in load.accepted.items()
    ]


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
    say(f"next: qua3ck load{'' if options.project == '.' else f' {options.project}'}")
    return 0
