"""Do every phase that is stale, from the sources to the verdict on the sealed rows."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from qua3ck.cli.conclude import tell
from qua3ck.cli.terminal import finding_line, opened, project_argument, say

if TYPE_CHECKING:
    from qua3ck.a3.records import Candidate
    from qua3ck.understand.records import Snapshot


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the words of this verb."""
    project_argument(parser)


def run(options: argparse.Namespace) -> int:
    """Print a line per phase as it ends, and the verdict; 1 unless it allows a release."""
    with opened(options) as project:
        if not options.json:
            say(f"Q   {project.file.question.asks}")
        conclusion = project.run(each=None if options.json else _say_phase)
    return tell(conclusion, options)


def _say_phase(record: Snapshot | Candidate) -> None:
    from qua3ck.a3.records import Candidate
    from qua3ck.project import candidate_line, snapshot_line

    line = candidate_line(record) if isinstance(record, Candidate) else snapshot_line(record)
    say(line, *map(finding_line, record.findings))
