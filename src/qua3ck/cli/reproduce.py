"""Rebuild a version from its pinned snapshot in a fresh process and compare."""

from __future__ import annotations

import argparse

from qua3ck.cli.terminal import opened, say, say_json, settle_version, version_argument


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the words of this verb."""
    version_argument(parser)
    parser.add_argument(
        "--fresh-env", action="store_true", help="in a new virtual environment from its lock"
    )


def run(options: argparse.Namespace) -> int:
    """Print every comparison; 1 if one that is needed differs."""
    from qua3ck.kit.records import as_json
    from qua3ck.project.status import approvals_due

    settle_version(options)
    with opened(options) as project:
        version = project.newest(options.version)
        made = project.reproduce(version, fresh_env=options.fresh_env)
    if options.json:
        say_json(as_json(made))
        return 0 if made.same else 1
    for one in made.compared:
        say(f"    {one.answer:<12} {one.what:<11} {one.says}; tolerance: {one.tolerance}")
    if made.same:
        say(f"K   version {version} is reproduced; certificate: {project.root / made.path}")
        due = approvals_due(project.file)
        verb, who = ("approve", " --as NAME") if due else ("promote", "")
        say(f"next: qua3ck {verb} {version} {options.project}{who} --reason WHY")
    else:
        say(f"K   version {version} is NOT reproduced", *(f"    {d}" for d in made.differences))
        say("next: qua3ck explain K010")
    return 0 if made.same else 1
