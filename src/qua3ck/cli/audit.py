"""Who did what, when, why and on what evidence; ``audit verify`` checks that nothing was changed.

``qua3ck audit`` lists; ``qua3ck audit --on 2026-03-01`` says what was champion on that day.
"""

from __future__ import annotations

import argparse

from qua3ck.cli.terminal import opened, say, say_json, settle_version, version_argument


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the words of this verb."""
    version_argument(parser)
    parser.add_argument("--alias", metavar="NAME", help="only the moves of this alias")
    parser.add_argument("--on", metavar="DATE", help="what the alias was on that day (UTC)")


def run(options: argparse.Namespace) -> int:
    """Print the answer; ``verify`` ends with 1 if anything was changed."""
    from qua3ck.kit.records import as_json
    from qua3ck.transfer import verify as verified_now

    verify = "verify" in options.words
    options.words = [word for word in options.words if word != "verify"]
    settle_version(options)
    with opened(options) as project:
        if verify:
            verified = verified_now(project.read_only(), project.tracking())
            say_json(as_json(verified)) if options.json else say(*verified.lines())
            return 0 if verified.ok else 1
        answer = project.audit(version=options.version, alias=options.alias, on=options.on)
    say_json(as_json(answer)) if options.json else say(*answer.lines())
    return 0
