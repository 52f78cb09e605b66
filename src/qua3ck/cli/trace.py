"""From which raw file, record and rule a row of a table came; or all of it as OpenLineage."""

from __future__ import annotations

import argparse
from collections.abc import Collection
from pathlib import Path
from typing import TYPE_CHECKING

from qua3ck.cli.terminal import (
    counted,
    name_and_project,
    number_between,
    opened,
    say,
    say_json,
)
from qua3ck.kit.errors import Qua3ckError

if TYPE_CHECKING:
    from qua3ck.understand.gold import Trace


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the words of this verb."""
    parser.add_argument(
        "words",
        nargs="*",
        metavar="TABLE [PROJECT]",
        help="a source, a gold table or a table of predictions, and a project, in any order",
    )
    parser.add_argument("--where", default="", metavar="CONDITION", help="which rows, in SQL")
    parser.add_argument(
        "--limit",
        type=number_between(1, 1_000_000),
        default=20,
        metavar="N",
        help="rows shown; default 20; all that fit are counted anyway",
    )
    parser.add_argument(
        "--show-personal",
        action="store_true",
        help="show cells of columns that a contract classifies as more than internal, too, and "
        "allow conditions on them; is put on record",
    )
    parser.add_argument(
        "--openlineage", metavar="FILE", help="write every load and table as events, one a line"
    )
    parser.add_argument("--as", dest="actor", metavar="NAME", help="who acts; default: you")
    parser.add_argument("--json", action="store_true", help="print the same facts as JSON")


def run(options: argparse.Namespace) -> int:
    """Print each row with the records behind it; 0."""
    from qua3ck.kit.records import as_json

    table = _settled(options)
    with opened(options) as project:
        if options.openlineage:
            count = project.openlineage(Path(options.openlineage))
            say(f"{counted(count, 'event')} in {options.openlineage}")
            return 0
        found = project.trace(
            table,
            where=options.where,
            limit=options.limit,
            show_personal=options.show_personal,
        )
        waiting = () if options.json else project.quarantine()
    if options.json:
        say_json(as_json(found))
    else:
        say(*_lines(found), _next(found, waiting, options))
    return 0


def _settled(options: argparse.Namespace) -> str:
    """Take the project from among the words; return the table, none where events are asked for."""
    words = list(options.words)
    if len(words) > 2:
        raise Qua3ckError(
            f'"{words[2]}" is one word too many',
            where="the command line: qua3ck trace",
            fix="write one TABLE and one PROJECT",
        )
    if options.openlineage and len(words) == 1:
        words = ["", *words]  # the one word is the project
    table, options.project = name_and_project(words)
    if bool(table) == (options.openlineage is not None):
        project = "" if options.project == "." else f" {options.project}"
        raise Qua3ckError(
            "Say either a table or a file for events",
            where="the command line: qua3ck trace",
            fix=f"""qua3ck trace TABLE{project} --where "id = '17'", or """
            f"qua3ck trace{project} --openlineage FILE",
        )
    return table


def _lines(found: Trace) -> list[str]:
    fit = "1 row fits" if found.matches == 1 else f"{found.matches} rows fit"
    lines = [f"{found.table}  {fit}{_first(found)}"]
    for row in found.rows:
        lines.append("  " + ", ".join(f"{n}={_shown(value)}" for n, value in row.values.items()))
        for record in row.records:
            when = f", loaded {record.known}" if record.known else ""
            content = f", sha256 {record.digest[:12]}" if record.digest else ""
            place = f"{record.source}: {record.piece}, {record.place}"
            lines.append(f"    from {place}{content}{when}")
            for said in record.answers:
                who = f" by {said.by}" if said.by else ""
                on = f" on {said.on}" if said.on else ""
                lines.append(
                    f"      {said.column} is an answer{who}{on}: {said.answer}; "
                    "the file has something else there"
                )
        if not row.records:
            lines.append("    its records are not known: a function made it, without a shared key")
    if found.hidden:
        lines.append(
            f"    not shown, because a contract classifies them: {', '.join(found.hidden)}; "
            "who may see them: --show-personal, which is put on record"
        )
    for step in found.steps if found.rows else ():
        lines.append(f"  {step.table} by {step.made_by}")
        for column, rule in step.rules.items():
            if column not in step.columns:
                lines.append(f"    {column}: {rule}")
                continue
            behind = ", ".join(step.columns[column]) or "no column"
            lines.append(f"    {column} = {rule}   from {behind}")
    return lines


def _shown(value: object) -> str:
    """Return a value as a person reads it: the last bit of a sum is noise."""
    return f"{value:.15g}" if isinstance(value, float) else str(value)


def _next(found: Trace, waiting: Collection[str], options: argparse.Namespace) -> str:
    """Return what to do next: what waits of the sources behind these rows, if anything does."""
    project = "" if options.project == "." else f" {options.project}"
    if not found.rows:
        return "next: look at the condition"
    sources = [record.source for row in found.rows for record in row.records]
    held = next((name for name in sources if name in waiting), "")
    return f"next: qua3ck quarantine{project} {held}" if held else f"next: qua3ck catalog{project}"


def _first(found: Trace) -> str:
    return f", the first {len(found.rows)} are shown" if len(found.rows) < found.matches else ""
