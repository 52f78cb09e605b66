"""Make, list and revoke the API keys of the server; a key is shown once, when it is made."""

from __future__ import annotations

import argparse

from qua3ck.cli.terminal import number_between, opened, say, say_json
from qua3ck.kit.errors import Qua3ckError


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the words of this verb."""
    parser.add_argument("act", choices=("add", "list", "revoke"), metavar="add|list|revoke")
    parser.add_argument(
        "words", nargs="*", metavar="NAME [PROJECT]", help="who uses the key; list: only a project"
    )
    parser.add_argument(
        "--scope",
        action="append",
        default=[],
        metavar="SCOPE",
        help="predict (default), read or operate; may be given twice",
    )
    parser.add_argument(
        "--per-second",
        type=number_between(0, 1_000_000, kind=float),
        default=0.0,
        metavar="N",
        help="most requests; default no limit",
    )
    parser.add_argument("--as", dest="actor", metavar="NAME", help="who acts; default: you")
    parser.add_argument("--json", action="store_true", help="print the same facts as JSON")


def run(options: argparse.Namespace) -> int:
    """Do it and say what to do next."""
    words = list(options.words)
    most = 1 if options.act == "list" else 2
    if len(words) > most or (options.act != "list" and not words):
        raise Qua3ckError(
            f"{options.act} takes {'a PROJECT' if most == 1 else 'a NAME and a PROJECT'}",
            where=f"the command line: qua3ck key {options.act}",
            fix="qua3ck key add loan-desk --scope predict; qua3ck key revoke loan-desk;"
            " qua3ck key list",
        )
    name = words.pop(0) if options.act != "list" else ""
    options.project = words[0] if words else "."
    acts = {"add": _add, "list": _list, "revoke": _revoke}
    return acts[options.act](options, name)


def _add(options: argparse.Namespace, name: str) -> int:
    with opened(options) as project:
        key = project.add_key(name, scopes=tuple(options.scope), per_second=options.per_second)
        asked = project.file.operate is not None and project.file.operate.serve.api_keys
    scopes = tuple(options.scope) or ("predict",)
    if options.json:
        say_json({"name": name, "key": key, "scopes": list(scopes)})
        return 0
    say(
        f"key: {key}",
        f"    of {name}, for {', '.join(scopes)}; it is not kept here and not shown again",
    )
    if not asked:
        say("    nobody is asked for a key yet: write operate: {serve: {api_keys: true}}")
    say('next: curl -H "authorization: Bearer KEY" http://127.0.0.1:8080/v2')
    return 0


def _list(options: argparse.Namespace, name: str) -> int:
    del name
    with opened(options) as project:
        known = project.api_keys()
    if options.json:
        say_json(
            [
                {"id": k.id, "name": k.name, "scopes": k.scopes, "per_second": k.per_second}
                for k in known
            ]
        )
        return 0
    for key in known:
        rate = f", at most {key.per_second:g} a second" if key.per_second else ""
        say(f"{key.id}  {key.name}: {', '.join(key.scopes)}{rate}")
    if not known:
        say("no API key")
    say("next: qua3ck key add NAME --scope predict")
    return 0


def _revoke(options: argparse.Namespace, name: str) -> int:
    with opened(options) as project:
        gone = project.revoke_key(name)
    if options.json:
        say_json([{"id": key.id, "name": key.name} for key in gone])
        return 0
    say(*(f"revoked: {key.id}  {key.name}" for key in gone))
    say(f"next: qua3ck key list {options.project}")
    return 0
