"""Move an alias to a version, through the gates of the question's risk class."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from qua3ck.cli.terminal import opened, say, say_json, settle_version, version_argument

if TYPE_CHECKING:
    from qua3ck.transfer.records import Promotion


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the words of this verb."""
    version_argument(parser)
    parser.add_argument("--alias", default="champion", help="default: champion")
    parser.add_argument("--reason", default="", metavar="TEXT", help="kept in the ledger")
    parser.add_argument(
        "--at-once", action="store_true", help="without the steps of operate.canary"
    )


def run(options: argparse.Namespace) -> int:
    """Print each gate and the move; a gate that blocks ends with 1."""
    settle_version(options)
    with opened(options) as project:
        version = project.newest(options.version)
        moved = project.promote(
            version, alias=options.alias, reason=options.reason, at_once=options.at_once
        )
    return tell(moved, options, next_step="qua3ck audit")


def tell(moved: Promotion, options: argparse.Namespace, *, next_step: str) -> int:
    """Print an alias move."""
    from qua3ck.kit.records import as_json

    if options.json:
        say_json(as_json(moved))
        return 0
    before = f"version {moved.before}" if moved.before is not None else "nothing"
    say(*(f"    {gate.answer:<9} {gate.name}: {gate.says}" for gate in moved.gates))
    say(f"K   {moved.alias} is version {moved.version} (was {before}), moved by {moved.actor}")
    if moved.note:
        say(f"    {moved.note}")
    say(f"next: {next_step} {options.project}")
    return 0
