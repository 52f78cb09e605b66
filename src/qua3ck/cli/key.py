"""Make, list and revoke the API keys of the server; a key is shown once, when it is made."""

from __future__ import annotations

import argparse
import json
import shlex
from typing import TYPE_CHECKING

from qua3ck.cli.terminal import number_between, opened, say, say_json
from qua3ck.kit.errors import Qua3ckError

if TYPE_CHECKING:
    from qua3ck.project import Project


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
        then = _next(project, scopes, options.project)
    if options.json:
        say_json({"name": name, "key": key, "scopes": list(scopes)})
        return 0
    say(
        f"key: {key}",
        f"    of {name}, for {', '.join(scopes)}; it is not kept here and not shown again",
    )
    if not asked:
        say("    nobody is asked for a key yet: write operate: {serve: {api_keys: true}}")
    say(f"next: {then}")
    return 0


def _next(project: Project, scopes: tuple[str, ...], typed: str) -> str:
    """Return what to type to use a key; what is sent is a row that is nobody's."""
    from qua3ck.govern import find_release, model_folder
    from qua3ck.operate.section import Serve
    from qua3ck.operate.serve import supervisor
    from qua3ck.store.releases import golden

    champion = project.aliases().get("champion")
    if champion is None:
        made = project.releases()
        return f"qua3ck promote {made[-1].version} {typed}" if made else f"qua3ck run {typed}"
    serve = project.file.operate.serve if project.file.operate is not None else Serve()
    runs = supervisor.running(project.root / "state" / "serve")
    place = runs.get("url") or supervisor.address(serve.host, serve.port, tls=bool(serve.tls))
    words = ["curl", "-H", '"authorization: Bearer KEY"']
    if serve.tls is not None:
        words += ["--cacert", shlex.quote(str(project.root / serve.tls.cert))]
    if "predict" in scopes:
        release = find_release(project.read_only().ledger, champion)
        rows, _ = golden.stored(model_folder(project.root, release))
        row = next((one for one in rows[::-1] if None not in one.values()), rows[-1])
        body = json.dumps({"dataframe_records": [row]}, ensure_ascii=False)
        words += ["-H", '"content-type: application/json"', "-d", shlex.quote(body)]
        return " ".join([*words, f"{place}/invocations"])
    if "read" in scopes:
        return " ".join([*words, f"{place}/v2/models/{project.name}"])
    return " ".join([*words, "-X", "POST", f"{place}/v2/repository/models/{project.name}/load"])


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
