"""Write a new, commented project that only needs its answers."""

from __future__ import annotations

import argparse
from pathlib import Path


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the words of this verb."""
    parser.add_argument("folder", metavar="FOLDER", help="made if it is missing")
    parser.add_argument(
        "--data",
        default="data/*.csv",
        metavar="PATTERN",
        help="the CSV files, from FOLDER; if only this folder has them they are named from FOLDER",
    )
    parser.add_argument("--target", default="target", metavar="COLUMN", help="what to predict")
    parser.add_argument(
        "--task", choices=["classification", "regression"], default="classification"
    )
    parser.add_argument("--json", action="store_true", help="print the same facts as JSON")


def run(options: argparse.Namespace) -> int:
    """Write the file and say what to do next."""
    import shlex

    from qua3ck.cli.terminal import say, say_json
    from qua3ck.project import start_project

    folder = Path(options.folder)
    path = start_project(folder, data=options.data, target=options.target, task=options.task)
    if options.json:
        say_json({"written": str(path)})
    else:
        say(
            f"written: {path}", f"next: edit it, then type: qua3ck check {shlex.quote(str(folder))}"
        )
    return 0
