"""Enrol a person: keys in the key store, public half and roles in the project."""

from __future__ import annotations

import argparse
from pathlib import Path

from qua3ck.cli.terminal import opened, project_argument, say, say_json
from qua3ck.kit.errors import Qua3ckError


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the words of this verb."""
    parser.add_argument("name", metavar="NAME", help="as question.roles names the person")
    project_argument(parser)
    parser.add_argument(
        "--role", action="append", default=[], metavar="ROLE", help="may be given twice"
    )
    parser.add_argument(
        "--public", metavar="FILE", help="the .pub file the person sent; else keys are made here"
    )
    parser.add_argument(
        "--export",
        metavar="FILE",
        help="only write your own public keys to FILE, for the owner; needs no project, no role",
    )


def run(options: argparse.Namespace) -> int:
    """Enrol and say where the keys are, and whether they are others than before."""
    from qua3ck.govern.people import replaced_keys

    if options.export:
        return _export(options)
    if not options.role:
        raise Qua3ckError(
            "The following arguments are required: --role",
            where="the command line: qua3ck enrol",
            fix=f"qua3ck enrol {options.name} --role ROLE; or, to send your keys to the owner: "
            f"qua3ck enrol {options.name} --export {options.name}.pub",
        )
    public = Path(options.public) if options.public else None
    with opened(options) as project:
        person = project.enrol(options.name, tuple(options.role), public=public)
        replaced = [
            finding.says
            for finding in replaced_keys(project.read_only().ledger.entries())
            if finding.evidence["name"] == person.name
        ]
    if options.json:
        told = {"name": person.name, "roles": list(person.roles)}
        say_json({**told, "replaced": replaced} if replaced else told)
        return 0
    say(
        f"enrolled: {person.name} as {', '.join(person.roles)}",
        f"    public keys: people/{person.name}.pub; private keys never lie in the project",
        *(f"    {says}" for says in replaced),
        f"next: qua3ck check {options.project}",
    )
    return 0


def _export(options: argparse.Namespace) -> int:
    """Write the person's own public keys, and say what to do with them."""
    from qua3ck.govern.people import export_public
    from qua3ck.store.keys import KeyStore

    if options.public or options.role:
        raise Qua3ckError(
            "--export goes with no --public and no --role: the owner gives the roles",
            where="the command line: qua3ck enrol",
            fix=f"qua3ck enrol {options.name} --export {options.export}",
        )
    file = Path(options.export)
    person = export_public(KeyStore.default(), options.name, file)
    if options.json:
        say_json({"name": person.name, "written": str(file), **person.public.as_text()})
        return 0
    say(
        f"written: {file}, the public keys of {person.name}",
        "    the private keys stay in your key store; nobody is enrolled by this file alone",
        f"next: send it to the owner, who types: qua3ck enrol {person.name} --public {file.name}"
        " --role ROLE",
    )
    return 0
