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

    stopped = _stopped(conclusion, options) if conclusion.release_allowed else ()
    if options.json:
        say_json({**to_json(conclusion), **({"stopped": list(stopped)} if stopped else {})})
    elif stopped:
        *judged, _, _ = lines(conclusion)  # its last two lines offer the release
        rules = "; ".join(stopped)
        says = f"every KPI, slice and gap holds, but the question says to stop: {rules}"
        say(*judged, f"blocked: {says} (A013)", "next: qua3ck explain A013")
    else:
        say(*lines(conclusion))
    return 0 if conclusion.release_allowed and not stopped else 1


def _stopped(conclusion: Conclusion, options: argparse.Namespace) -> tuple[str, ...]:
    """Return the stop rules that hold since this very opening: no release passes them.

    All other facts were asked about before the seal was opened.
    """
    from qua3ck.question import stop
    from qua3ck.understand.seal import count_openings

    with opened(options) as project:
        workspace = project.read_only()
        ledger = workspace.ledger
        seals = [
            entry.subject
            for entry in ledger.entries("seal.opened")
            if entry.body["candidate"] == conclusion.candidate
        ]
        times = max((count_openings(workspace.root, ledger, seal) for seal in seals), default=0)
        return stop(project.file.question, {"opened": float(times)})
