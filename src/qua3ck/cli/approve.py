"""Sign for a version, or against it, with your own key."""

from __future__ import annotations

import argparse

from qua3ck.cli.terminal import opened, say, say_json, settle_version, version_argument


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the words of this verb."""
    version_argument(parser)
    parser.add_argument("--reason", required=True, metavar="TEXT", help="kept in the ledger")
    parser.add_argument("--refuse", action="store_true", help="sign against it")


def run(options: argparse.Namespace) -> int:
    """Sign, and say what was signed over."""
    from qua3ck.kit.records import as_json

    settle_version(options)
    decision = "refuse" if options.refuse else "approve"
    with opened(options) as project:
        version = project.newest(options.version)
        given = project.approve(version, decision=decision, reason=options.reason)
    if options.json:
        say_json(as_json(given))
        return 0
    word = "refused" if options.refuse else "approved"
    say(
        f"{word}: version {version} by {given.approver} ({', '.join(given.roles)})",
        f"    signed over ledger head {given.head_n}, {given.head_hash[:16]}",
        f"next: qua3ck promote {version} {options.project} --reason WHY",
    )
    return 0
