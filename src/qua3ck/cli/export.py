"""Write files that hand the project over: container, cluster, CI, schedulers, Streamlit."""

from __future__ import annotations

import argparse
from pathlib import Path

from qua3ck.cli.terminal import opened, project_argument, say, say_json


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the words of this verb."""
    parser.add_argument(
        "kind", metavar="KIND", help="docker, kubernetes, github, airflow, dagster or streamlit"
    )
    project_argument(parser)
    parser.add_argument("--to", metavar="FOLDER", help="default: build/export/KIND in the project")
    parser.add_argument("--base", default="", metavar="IMAGE@DIGEST", help="what to build on")
    parser.add_argument("--image", default="", metavar="NAME", help="what the image is called")


def run(options: argparse.Namespace) -> int:
    """Print what was written, what of it was tested and what was not; 0."""
    with opened(options) as project:
        to = Path(options.to).absolute() if options.to else None
        made = project.export(options.kind, to=to, base=options.base, image=options.image)
    if options.json:
        facts = {"kind": made.kind, "folder": str(made.folder), "files": list(made.files)}
        say_json({**facts, "tested": list(made.tested), "untested": list(made.untested)})
        return 0
    say(f"K   {made.kind}: {len(made.files)} files in {made.folder}")
    say(*(f"    tested      {one}" for one in made.tested))
    say(*(f"    not tested  {one}" for one in made.untested))
    say(f"next: {made.next}")
    return 0
