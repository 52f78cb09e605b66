"""Make the judged candidate an immutable version with its evidence, and register it."""

from __future__ import annotations

import argparse
from pathlib import Path

from qua3ck.cli.terminal import finding_line, opened, project_argument, say, say_json


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
        *_scanned(project.root / release.path, risk, release.version),
        f"report: {project.root / release.path / 'report.html'}",
    )
    verb = "promote" if risk == "minimal" else "reproduce"
    say(f"next: qua3ck {verb} {release.version} {options.project}")
    return 0


def _scanned(folder: Path, risk: str, version: int) -> list[str]:
    """Return what the scan of the version found, and what to write before anybody signs."""
    from qua3ck.kit.records import load
    from qua3ck.transfer.security import SCANNED, Scan, what_to_write

    if not (folder / SCANNED).is_file():
        return []
    seen = load(Scan, folder / SCANNED)
    told = [finding_line(one) for one in seen.findings]
    checked = f"{seen.files} files, {seen.packages} packages, {seen.advisories} advisories"
    lines = [f"    scan: {checked}; {len(told)} finding{'' if len(told) == 1 else 's'}", *told]
    asks = what_to_write(seen.findings, risk=risk, version=version)
    return [*lines, f"    {asks}"] if asks else lines
