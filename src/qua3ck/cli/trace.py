"""From which raw file, record and rule a row of a table came; or all of it as OpenLineage."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from qua3ck.cli.terminal import opened, project_argument, say, say_json
from qua3ck.kit.errors import Qua3ckError

if TYPE_CHECKING:
    from qua3ck.understand.gold import Trace


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the words of this verb."""
    parser.add_argument("table", nargs="?", metavar="TABLE", help="a source or a gold table")
    project_argument(parser)
    parser.add_argument("--where", default="", metavar="CONDITION", help="which rows, in SQL")
    parser.add_argument("--limit", type=int, default=20, metavar="N", help="rows shown; default 20")
    parser.add_argument(
        "--openlineage", metavar="FILE", help="write every load and table as events, one a line"
    )


def run(options: argparse.Namespace) -> int:
    """Print each row with the records behind it; 0."""
    from qua3ck.kit.records import as_json

    if options.openlineage and options.table is not None and options.project == ".":
        options.table, options.project = None, options.table  # the one word is the project
    if (options.table is None) == (options.openlineage is None):
        raise Qua3ckError(
            "Say either a table or a file for events",
            where="the command line: qua3ck trace",
            fix="""qua3ck trace TABLE --where "id = '17'", or qua3ck trace --openlineage FILE""",
        )
    with opened(options) as project:
        if options.openlineage:
            count = project.openlineage(Path(options.openlineage))
            say(f"{count} events in {options.openlineage}")
            return 0
        found = project.trace(options.table, where=options.where, limit=options.limit)
    if options.json:
        say_json(as_json(found))
    else:
        say(*_lines(found))
    return 0


def _lines(found: Trace) -> list[str]:
    lines = [f"{found.table}  {found.matches} rows fit{_first(found)}"]
    for row in found.rows:
        lines.append("  " + ", ".join(f"{name}={value}" for name, value in row.values.items()))
        for record in row.records:
            when = f", loaded {record.known}" if record.known else ""
            content = f", sha256 {record.digest[:12]}" if record.digest else ""
            place = f"{record.source}: {record.piece}, {record.place}"
            lines.append(f"    from {place}{content}{when}")
        if not row.records:
            lines.append("    its records are not known: a function made it, without a shared key")
    for step in found.steps if found.rows else ():
        lines.append(f"  {step.table} by {step.made_by}")
        for column, rule in step.rules.items():
            behind = ", ".join(step.columns[column]) or "no column"
            lines.append(f"    {column} = {rule}   from {behind}")
    lines.append("next: qua3ck quarantine" if found.rows else "next: look at the condition")
    return lines


def _first(found: Trace) -> str:
    return f", the first {len(found.rows)} are shown" if len(found.rows) < found.matches else ""
