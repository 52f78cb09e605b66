"""Move an alias back to the version it pointed to before."""

from __future__ import annotations

import argparse

from qua3ck.cli.promote import tell
from qua3ck.cli.terminal import opened, project_argument


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the words of this verb."""
    project_argument(parser)
    parser.add_argument("--alias", default="champion", help="default: champion")
    parser.add_argument("--reason", required=True, metavar="TEXT", help="kept in the ledger")


def run(options: argparse.Namespace) -> int:
    """Print what the alias is now and what it was."""
    with opened(options) as project:
        moved = project.rollback(alias=options.alias, reason=options.reason)
    return tell(moved, options, next_step="qua3ck audit")
