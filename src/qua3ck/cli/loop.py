"""Search algorithms, features and hyperparameters on the training rows."""

from __future__ import annotations

import argparse

from qua3ck.cli.terminal import finding_line, opened, project_argument, say, say_json


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the words of this verb."""
    project_argument(parser)


def run(options: argparse.Namespace) -> int:
    """Print the candidate, what it has to beat, and what would help most now."""
    from qua3ck.kit.records import as_json
    from qua3ck.project import candidate_line

    with opened(options) as project:
        candidate = project.loop()
    if options.json:
        say_json(as_json(candidate))
        return 0
    say(candidate_line(candidate))
    for name, score in candidate.scores.items():
        naive = candidate.baseline.get(name)
        beside = f", naive baseline {naive.value:.4g}" if naive else ""
        say(f"    {name:<14} {score.value:.4g}{beside}")
    say(
        *map(finding_line, candidate.findings),
        f"    {candidate.next_step}",
        f"next: qua3ck conclude {options.project}",
    )
    return 0
