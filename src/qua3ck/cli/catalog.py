"""Write the catalogue: every table, column, owner and figure as pages that need no server."""

from __future__ import annotations

import argparse
from pathlib import Path

from qua3ck.cli.terminal import opened, project_argument, say, say_json


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the words of this verb."""
    project_argument(parser)
    parser.add_argument("--to", metavar="FOLDER", help="default: catalog/ in the project")


def run(options: argparse.Namespace) -> int:
    """Print where the first page is; 0."""
    with opened(options) as project:
        page = project.catalog(Path(options.to) if options.to else None)
    if options.json:
        say_json({"page": str(page)})
    else:
        say(f"catalogue: {page}", "next: open it in a browser; it needs no network")
    return 0
