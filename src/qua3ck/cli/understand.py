"""Load the sources, split, seal the test rows; list what was found in the data."""

from __future__ import annotations

import argparse

from qua3ck.cli.terminal import finding_line, opened, project_argument, say, say_json


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the words of this verb."""
    project_argument(parser)
    parser.add_argument("--again", action="store_true", help="even if nothing has changed")


def run(options: argparse.Namespace) -> int:
    """Print the snapshot and its findings; 1 if one of them blocks."""
    from qua3ck.kit.records import as_json
    from qua3ck.project import snapshot_line

    with opened(options) as project:
        snapshot = project.understand(again=options.again)
    blocked = any(finding.blocks for finding in snapshot.findings)
    if options.json:
        say_json(as_json(snapshot))
        return int(blocked)
    say(snapshot_line(snapshot), *map(finding_line, snapshot.findings))
    say(f"profile: {project.root / snapshot.profile}")
    code = next((finding.code for finding in snapshot.findings if finding.blocks), "")
    say(f"next: qua3ck explain {code}" if blocked else f"next: qua3ck loop {options.project}")
    return int(blocked)
