"""Say where the report of a version is, and whether it is still the one that was released."""

from __future__ import annotations

import argparse

from qua3ck.cli.terminal import opened, say, say_json, settle_version, version_argument


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the words of this verb."""
    version_argument(parser)
    parser.add_argument(
        "--language",
        choices=("en", "de"),
        help="write it in this language; default: the one that was released",
    )


def run(options: argparse.Namespace) -> int:
    """Print the path of the report."""
    settle_version(options)
    with opened(options) as project:
        path = project.report(options.version, language=options.language)
    say_json({"report": str(path)}) if options.json else say(str(path))
    return 0
