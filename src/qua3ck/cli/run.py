"""Do every phase that is stale, from the sources to the verdict on the sealed rows."""

from __future__ import annotations

import argparse

from qua3ck.cli.conclude import tell
from qua3ck.cli.terminal import finding_line, opened, project_argument, say


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the words of this verb."""
    project_argument(parser)


def run(options: argparse.Namespace) -> int:
    """Print a line per phase as it ends, and the verdict; 1 unless it allows a release."""
    from qua3ck.project import candidate_line, snapshot_line

    with opened(options) as project:
        if not options.json:
            say(f"Q   {project.file.question.asks}")
            snapshot = project.understand()
            say(snapshot_line(snapshot), *map(finding_line, snapshot.findings))
            candidate = project.loop()
            say(candidate_line(candidate), *map(finding_line, candidate.findings))
        conclusion = project.run()
    return tell(conclusion, options)
