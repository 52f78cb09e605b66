"""Switch the model off: requests get the declared fallback at once, in every serving process."""

from __future__ import annotations

import argparse

from qua3ck.cli.terminal import opened, project_argument, say, say_json


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the words of this verb."""
    project_argument(parser)
    parser.add_argument("--reason", default="", metavar="TEXT", help="kept in the ledger")
    parser.add_argument("--on", action="store_true", help="have the model answer again")


def run(options: argparse.Namespace) -> int:
    """Write it into the ledger, which every serving process follows within a second."""
    with opened(options) as project:
        (project.switch_on if options.on else project.switch_off)(options.reason)
        section = project.file.operate
        declared = section is not None and section.fallback is not None
    if options.json:
        say_json({"serving": "on" if options.on else "off", "fallback": declared})
        return 0
    if options.on:
        say("K   the model answers again", f"next: qua3ck audit {options.project}")
        return 0
    what = "the declared fallback answers" if declared else "requests are refused with 503"
    say(f"K   the model is switched off: {what}")
    if not declared:
        say("    nothing is declared under operate.fallback, so nobody gets an answer,")
        say("    and the server says that it is not ready (/v2/health/ready)")
    say(f'next: qua3ck off --on --reason "..." {options.project}')
    return 0
