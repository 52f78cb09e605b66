"""Open the seal for the candidate and judge every KPI, slice and fairness gap."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from qua3ck.cli.terminal import opened, project_argument, say, say_json

if TYPE_CHECKING:
    from qua3ck.conclude.records import Conclusion


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the words of this verb."""
    project_argument(parser)


def run(options: argparse.Namespace) -> int:
    """Print the verdict; 1 unless it allows a release."""
    with opened(options) as project:
        conclusion = project.conclude()
    return tell(conclusion, options)


def tell(conclusion: Conclusion, options: argparse.Namespace) -> int:
    """Print a conclusion and return the exit code it stands for."""
    from qua3ck.conclude import lines, to_json

    if options.json:
        say_json(to_json(conclusion))
    else:
        say(*lines(conclusion))
    return 0 if conclusion.release_allowed else 1
