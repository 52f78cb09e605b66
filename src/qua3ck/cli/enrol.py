"""Enrol a person: keys in the key store, public half and roles in the project."""

from __future__ import annotations

import argparse
from pathlib import Path

from qua3ck.cli.terminal import opened, project_argument, say, say_json


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the words of this verb."""
    parser.add_argument("name", metavar="NAME", help="as question.roles names the person")
    project_argument(parser)
    parser.add_argument(
        "--role", action="append", required=True, metavar="ROLE", help="may be given twice"
    )
    parser.add_argument(
        "--public", metavar="FILE", help="the .pub file the person sent; else keys are made here"
    )


def run(options: argparse.Namespace) -> int:
    """Enrol and say where the keys are."""
    public = Path(options.public) if options.public else None
    with opened(options) as project:
        person = project.enrol(options.name, tuple(options.role), public=public)
    if options.json:
        say_json({"name": person.name, "roles": list(person.roles)})
        return 0
    say(
        f"enrolled: {person.name} as {', '.join(person.roles)}",
        f"    public keys: people/{person.name}.pub; private keys never lie in the project",
        f"next: qua3ck check {options.project}",
    )
    return 0
