"""Print the JSON Schema of the project file, for editors that check while you type."""

from __future__ import annotations

import argparse


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the words of this verb."""
    parser.add_argument("--json", action="store_true", help="it always is JSON")


def run(options: argparse.Namespace) -> int:
    """Print the schema."""
    from qua3ck.cli.terminal import say_json
    from qua3ck.project import json_schema

    del options
    say_json(json_schema())
    return 0
