"""Show what is held back and why; hand it out to be answered, and take the answers back."""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from qua3ck.cli.load import load_lines, settle_words
from qua3ck.cli.terminal import counted, opened, say, say_json
from qua3ck.kit.errors import Qua3ckError

if TYPE_CHECKING:
    from qua3ck.project import Project
    from qua3ck.understand.loading.accepting import Taken
    from qua3ck.understand.loading.worklist import Waiting

_FIRST = 3  # lines shown per problem


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the words of this verb."""
    parser.add_argument(
        "words",
        nargs="*",
        metavar="[PROJECT] [SOURCE ...]",
        help="default: this folder, every source",
    )
    parser.add_argument(
        "--export", type=Path, metavar="FILE.xlsx", help="write one source's list to be answered"
    )
    parser.add_argument(
        "--answers", type=Path, metavar="FILE.xlsx", help="take the answered list of one source"
    )
    parser.add_argument("--as", dest="actor", metavar="NAME", help="who acts; default: you")
    parser.add_argument("--json", action="store_true", help="print the same facts as JSON")


def run(options: argparse.Namespace) -> int:
    """Print what waits, by problem; or write a sheet, or take one."""
    names = settle_words(options)
    with opened(options) as project:
        if options.answers is not None:
            return _take(project, _one(names, project, "--answers"), options)
        if options.export is not None:
            name = _one(names, project, "--export")
            path = project.export_quarantine(name, options.export)
            return _exported(name, path, len(project.quarantine([name])[name]), options)
        return _show(project.quarantine(names), options)


def _one(names: Sequence[str], project: Project, option: str) -> str:
    sources = list(names or project.file.understand.sources)
    if len(sources) == 1:
        return sources[0]
    raise Qua3ckError(
        f"{option} is for one source; {len(sources)} are meant",
        where="the command line",
        fix=f"name one of: {', '.join(sources)}",
    )


def _show(lists: Mapping[str, Sequence[Waiting]], options: argparse.Namespace) -> int:
    from qua3ck.understand.loading.worklist import summary

    if options.json:
        say_json({name: [asdict(one) for one in waiting] for name, waiting in lists.items()})
        return 0
    project = "" if options.project == "." else f" {options.project}"
    if not lists:
        say("U   nothing waits in quarantine", f"next: qua3ck run{project}")
        return 0
    for name, waiting in lists.items():
        records = len({(one.piece, one.row) for one in waiting})
        say(f"U   {name}: {counted(records, 'record')} wait{'s' if records == 1 else ''}")
        for code, problem, column, count in summary(waiting):
            say(f"    {code}  {problem}{', ' + column if column else ''}: {count}")
            same = [one for one in waiting if (one.code, one.column) == (code, column)]
            say(*(_line(one) for one in same[:_FIRST]))
    first = next(iter(lists))
    say(f"next: qua3ck quarantine{project} {first} --export {first}.xlsx")
    return 0


def _line(one: Waiting) -> str:
    received = one.received if len(one.received) <= 60 else one.received[:57] + "..."
    tried = f'the answer "{one.tried}" does not fit' if one.tried else ""
    if tried and one.tried != one.received:
        tried = f"{received or 'empty'}; {tried}"
    stays = f"; until then that of {one.stays} is current" if one.stays else ""
    return f"          {one.piece}, {one.place}: {tried or received or 'empty'}{stays}"


def _exported(name: str, path: Path, lines: int, options: argparse.Namespace) -> int:
    if options.json:
        say_json({"source": name, "file": str(path), "lines": lines})
        return 0
    project = "" if options.project == "." else f" {options.project}"
    say(
        f"U   {name}: {counted(lines, 'line')} to be answered in {path}",
        f"next: qua3ck quarantine{project} {name} --answers {path}",
    )
    return 0


def _taken_lines(name: str, taken: Taken) -> list[str]:
    kept = f" (kept in mappings/{name}.csv)" if taken.answers else ""
    again = f", {taken.again} given before in the same words" if taken.again else ""
    was = "was" if taken.settled == 1 else "were"
    settled = f", {taken.settled} {was} settled before" if taken.settled else ""
    left = f", {counted(taken.left, 'line')} without an answer" if taken.left else ""
    answers = f"{counted(len(taken.answers), 'answer')} taken{kept}"
    lines = [f"U   {name}: {answers}{left}{settled}{again}"]
    if taken.otherwise:
        lines.append(
            f"    {taken.otherwise} of those settled before had another answer, which stays; to "
            f"change it, write the new one into mappings/{name}.csv and load again"
        )
    return lines


def _take(project: Project, name: str, options: argparse.Namespace) -> int:
    from qua3ck.kit.records import as_json

    taken, loads = project.take_answers(name, options.answers)
    if options.json:
        counts = {word: getattr(taken, word) for word in ("again", "settled", "otherwise", "left")}
        facts = {"answers": len(taken.answers), **counts}
        say_json({**facts, "loads": [as_json(load) for load in loads]})
        return 0
    say(*_taken_lines(name, taken))
    say(*(line for load in loads for line in load_lines(load, options.project)))
    word = "" if options.project == "." else f" {options.project}"
    still = any(load.waiting for load in loads)
    say(f"next: qua3ck quarantine{word} {name}" if still else f"next: qua3ck run{word}")
    return 0
