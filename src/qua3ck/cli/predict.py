"""Answer every row of a table by a promoted version, or hold it with a reason."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from qua3ck.cli.terminal import (
    finding_line,
    number_between,
    opened,
    project_argument,
    say,
    say_json,
)

if TYPE_CHECKING:
    from qua3ck.operate.batch import Predicted


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the words of this verb."""
    parser.add_argument("table", metavar="TABLE", help="a source, a gold table, .csv or .parquet")
    project_argument(parser)
    parser.add_argument("--to", required=True, metavar="TABLE", help="a table, .csv or .parquet")
    parser.add_argument("--alias", default="champion", help="default: champion")
    parser.add_argument(
        "--version",
        type=number_between(1, 999_999_999),
        metavar="N",
        help="a version that was promoted once",
    )
    parser.add_argument(
        "--key",
        action="append",
        default=[],
        metavar="COLUMN",
        help="copy it beside each answer; may stand several times",
    )
    parser.add_argument("--like", default="", metavar="SOURCE", help="read a .csv as this source")


def run(options: argparse.Namespace) -> int:
    """Print what was answered and what is held; 1 if nothing could be answered."""
    from qua3ck.kit.records import as_json

    with opened(options) as project:
        made = project.predict(
            options.table,
            to=options.to,
            alias=options.alias,
            version=options.version,
            key=options.key,
            like=options.like,
        )
    code = int(made.predicted == 0)
    if options.json:
        say_json({**as_json(made), "rows_per_second": round(made.rows_per_second)})
        return code
    say(_first_line(made), *map(finding_line, made.findings))
    if made.left_aside:
        say(f"    not read by the version: {', '.join(made.left_aside)}")
    say(f"next: {_next(made, options)}")
    return code


def _first_line(made: Predicted) -> str:
    by = f"version {made.version}" + (f" ({made.alias})" if made.alias else "")
    place = made.to + (f" version {made.to_version}" if made.to_version is not None else "")
    counts = f"{made.rows:,} rows in, {made.predicted:,} answered, {made.held:,} held"
    if not made.fresh:
        return f"O   {made.source}: nothing new: {place} has these rows by {by} ({counts})"
    taken = f", {made.taken_up:,} of them before" if made.taken_up else ""
    speed = f"{made.seconds:.1f} s, {made.rows_per_second:,.0f} rows/s"
    return f"O   {made.source} -> {place} by {by}: {counts}{taken}; {speed}"


def _next(made: Predicted, options: argparse.Namespace) -> str:
    project = "" if options.project == "." else f" {options.project}"
    codes = [finding.code for finding in made.findings if finding.severity == "warn"]
    return f"qua3ck explain {codes[0]}" if codes else f"qua3ck audit{project}"
