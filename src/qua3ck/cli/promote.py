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
    from qua3ck.kit.clock import stamp, utc_now

    settle_version(options)
    with opened(options) as project:
        version, began = project.newest(options.version), stamp(utc_now())
        moved = project.promote(
            version, alias=options.alias, reason=options.reason, at_once=options.at_once
        )
        if moved.at >= began:
            return tell(moved, options, next_step="qua3ck audit")
        written = project.read_only().ledger.entries()[-1].at >= began
    return _tell_already(moved, options, written=written)


def _tell_already(moved: Promotion, options: argparse.Namespace, *, written: bool) -> int:
    """Print that the alias was there before; a new reason is not kept."""
    from qua3ck.kit.records import as_json

    if options.json:
        say_json({**as_json(moved), "already": True})
        return 0
    since = f"since {moved.at[:16].replace('T', ' ')} UTC, by {moved.actor}"
    rest = "" if written else "; nothing was written"
    say(*(f"    {gate.answer:<9} {gate.name}: {gate.says}" for gate in moved.gates))
    say(f"K   {moved.alias} is version {moved.version} already, {since}{rest}")
    if moved.note:
        say(f"    {moved.note}")
    say(f"next: qua3ck audit {options.project}")
    return 0


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
