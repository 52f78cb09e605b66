"""Bring a backup back, checked byte by byte; an older state goes on only with a reason."""

from __future__ import annotations

import argparse
import shlex
from typing import TYPE_CHECKING

from qua3ck.cli.backup import megabytes
from qua3ck.cli.terminal import say, say_json, watched

if TYPE_CHECKING:
    from qua3ck.project.backup import Restored, Witness


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the words of this verb."""
    parser.add_argument(
        "source", metavar="FOLDER_OR_URL", help="what was given to: qua3ck backup --to"
    )
    parser.add_argument("--to", required=True, metavar="FOLDER", help="new or empty")
    parser.add_argument(
        "--replace", action="store_true", help="rename the project that stands there, and keep it"
    )
    parser.add_argument(
        "--set-back",
        metavar="WHY",
        help="let this older state go on although later events are known here; recorded",
    )
    parser.add_argument("--as", dest="actor", metavar="NAME", help="who says so; default: you")
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
            replace=options.replace,
            set_back=options.set_back,
            actor=options.actor,
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
    if made.moved:
        say(f"    the project that stood there is kept: {made.moved}")
    say(*(_seen(one, made) for one in made.ahead))
    if made.set_back:
        say("    recorded: this older state goes on; a folder that knows more is refused now")
    elif made.ahead:
        say(
            "    If a newer folder still stands, go on there. Until an owner says that this older"
            " state is to go on, nothing can be done in it (L007)"
        )
    say("    the keys are not in a backup: set QUA3CK_KEYS to the folder that has them")
    say(f"next: {_next(made, options)}")
    return 0


def _seen(one: Witness, made: Restored) -> str:
    later = one.events - made.events
    what = f"{later} happened after this backup" if later > 0 else "not those of this backup"
    kept = "; kept beside it as evidence" if made.set_back else ""
    return f"    {one.path} has seen {one.events} events, {what}{kept}"


def _next(made: Restored, options: argparse.Namespace) -> str:
    if not made.ahead or made.set_back:
        return f"qua3ck audit verify {shlex.quote(made.folder)}"
    words = ["restore", options.source, "--to", options.to, "--name", made.name]
    return f"qua3ck {shlex.join(words)} --set-back WHY"
