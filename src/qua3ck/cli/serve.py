"""Answer requests with the promoted version; this process becomes the one that serves."""

from __future__ import annotations

import argparse
import os
import sys
from typing import TYPE_CHECKING, NoReturn

from qua3ck.cli.terminal import number_between, opened, project_argument, say, say_json

if TYPE_CHECKING:
    from qua3ck.operate.records import Routing

_NOBODY = "nobody yet: qua3ck promote 1"
_OWN = ("127.0.0.1", "::1", "localhost")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the words of this verb."""
    project_argument(parser)
    parser.add_argument("--host", metavar="HOST", help="default: operate.serve.host")
    parser.add_argument(
        "--port",
        type=number_between(0, 65535),
        metavar="PORT",
        help="default: operate.serve.port",
    )
    parser.add_argument(
        "--workers",
        type=number_between(1, 64),
        metavar="N",
        help="default: operate.serve.workers",
    )


def run(options: argparse.Namespace) -> int:
    """Say what will be served and where, then serve until Ctrl-C or SIGTERM."""
    from qua3ck.kit.extras import need
    from qua3ck.operate.records import read_plan
    from qua3ck.operate.serve.routing import routing

    for module in ("uvicorn", "msgspec"):
        need(module, extra="serve", what="serving")
    with opened(options) as project:
        path = project.serve(host=options.host, port=options.port, workers=options.workers)
        plan = read_plan(path)
        champion = project.aliases().get("champion")
        answers = routing(project.entries(), plan)
    if options.json:
        arms = [{"version": a.version, "arm": a.name, "share": a.share} for a in answers.arms[::-1]]
        facts = {"plan": str(path), "champion": champion, "host": plan.host, "port": plan.port}
        say_json({**facts, "answers": arms, "off": answers.off is not None})
    else:
        say(f"K   {project.name} is answered by {_who(answers)}")
        if not plan.actor:
            say("    nobody here may write to the ledger, so no canary begins here")
        if plan.host not in _OWN and not plan.keys_required:
            say(f"    {plan.host}: whoever reaches it may ask; keys: operate.serve.api_keys: true")
        say("stop: Ctrl-C; what is in flight is answered first")
    sys.stdout.flush()
    _become([sys.executable, "-m", "qua3ck.operate.serve", str(path)])


def _who(answers: Routing) -> str:
    """Return who answers now: the settled version first, then who has a part of the traffic."""
    if answers.off is not None:
        return "the declared fallback: it is switched off (qua3ck off --on)"
    if len(answers.arms) < 2:
        return f"version {answers.arms[0].version}" if answers.arms else _NOBODY
    settled, *others = answers.arms[::-1]
    parts = [f"version {one.version} ({one.share:.0%}, {one.name})" for one in others]
    said = " and ".join([f"version {settled.version} ({settled.share:.0%})", *parts])
    return said.replace("%", " %")


def _become(command: list[str]) -> NoReturn:
    os.execv(command[0], command)  # noqa: S606 - our own interpreter and module
