"""Make the judged candidate an immutable version with its evidence, and register it."""

from __future__ import annotations

import argparse

from qua3ck.cli.terminal import opened, project_argument, say, say_json


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the words of this verb."""
    project_argument(parser)


def run(options: argparse.Namespace) -> int:
    """Print the version, where it lies, and what it needs before it may be used."""
    from qua3ck.kit.records import as_json

    with opened(options) as project:
        release = project.release()
        risk, _ = project.risk_class()
    if options.json:
        say_json(as_json(release))
        return 0
    say(
        f"K   version {release.version}  {release.model_format}  digest {release.digest[:16]}",
        f"    {project.root / release.path}",
        f"report: {project.root / release.path / 'report.html'}",
    )
    verb = "promote" if risk == "minimal" else "reproduce"
    say(f"next: qua3ck {verb} {release.version} {options.project}")
    return 0
