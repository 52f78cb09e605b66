"""Bring a backup back into a new folder, checked byte by byte."""

from __future__ import annotations

import argparse
import shlex

from qua3ck.cli.backup import megabytes
from qua3ck.cli.terminal import say, say_json, watched


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the words of this verb."""
    parser.add_argument(
        "source", metavar="FOLDER_OR_URL", help="what was given to: qua3ck backup --to"
    )
    parser.add_argument("--to", required=True, metavar="FOLDER", help="new or empty")
    parser.add_argument("--name", metavar="NAME", help="which backup; default: the newest")
    parser.add_argument("--json", action="store_true", help="print the same facts as JSON")


def run(options: argparse.Namespace) -> int:
    """Print what was brought back."""
    from qua3ck.kit.records import as_json
    from qua3ck.project.backup import restore

    with watched(options) as progress:
        made = restore(
            options.source,
            options.to,
            name=options.name,
            tell=lambda text, done, total: progress(
                "B", text, done // 1_000_000, -(-total // 1_000_000)
            ),
        )
    if options.json:
        say_json(as_json(made))
        return 0
    say(
        f"    {made.folder}: {made.files} files, {megabytes(made.size)}, every byte as it was;"
        f" {made.events} events in its ledger"
    )
    for one in made.ahead:
        say(
            f"    {one.path} has seen {one.events} events: {one.events - made.events} happened"
            " after this backup and are lost with the old folder. If you go on with this one,"
            " keep that file as evidence and put it aside:",
            f"      mv {shlex.quote(one.path)} {shlex.quote(one.path + '.before-restore')}",
        )
    say("    the keys are not in a backup: set QUA3CK_KEYS to the folder that has them")
    said = (
        "qua3ck explain L007" if made.ahead else f"qua3ck audit verify {shlex.quote(made.folder)}"
    )
    say(f"next: {said}")
    return 0
