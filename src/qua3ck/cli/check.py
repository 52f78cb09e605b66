"""Hold the project file against what exists: metrics, files, functions, people, aliases."""

from __future__ import annotations

import argparse
from dataclasses import asdict

from qua3ck.cli.terminal import finding_line, opened, project_argument, say, say_json


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the words of this verb."""
    project_argument(parser)


def run(options: argparse.Namespace) -> int:
    """Print the findings; 1 if one of them blocks."""
    with opened(options) as project:
        findings = project.check()
        risk, reason = project.risk_class()
        agreed = project.agreements()
    blocked = any(finding.blocks for finding in findings)
    if options.json:
        say_json(
            {
                "ok": not blocked,
                "risk_class": risk,
                "risk_reason": reason,
                "findings": [asdict(finding) for finding in findings],
                "agreements": [asdict(word) for word in agreed],
            }
        )
        return int(blocked)
    say(
        f"{project.name}: {project.file.question.asks}",
        f"    6 of 6 questions answered, {len(project.file.question.kpis)} KPIs",
        f"    risk class {risk}: {reason}",
        *map(finding_line, findings),
    )
    code = next((finding.code for finding in findings if finding.blocks), "")
    say(f"next: qua3ck explain {code}" if blocked else f"next: qua3ck run {options.project}")
    return int(blocked)
