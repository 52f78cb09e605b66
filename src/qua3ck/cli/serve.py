"""Answer requests with the promoted version; this process becomes the one that serves."""

from __future__ import annotations

import argparse
import os
import signal
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING

from qua3ck.cli.terminal import number_between, opened, project_argument, say, say_json

if TYPE_CHECKING:
    from collections.abc import Iterator

    from qua3ck.operate.records import Routing
    from qua3ck.project.trial import Trial

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
    parser.add_argument(
        "--trial",
        type=number_between(1, 600),
        metavar="SECONDS",
        help="serve on 127.0.0.1 for so long, ask the golden rows, judge, and end",
    )
    parser.add_argument(
        "--version",
        type=number_between(1, 999_999_999),
        metavar="N",
        help="with --trial: another than the champion",
    )
    parser.add_argument(
        "--connections",
        type=number_between(1, 256),
        metavar="N",
        help="with --trial: how many ask at once in its second half; default: 8",
    )


def run(options: argparse.Namespace) -> int:
    """Serve until Ctrl-C or SIGTERM, or try a version and say how it did."""
    from qua3ck.kit.extras import need

    for module in ("uvicorn", "msgspec"):
        need(module, extra="serve", what="serving")
    _refuse_unused(options)
    return _serve(options) if options.trial is None else _try(options)


def _serve(options: argparse.Namespace) -> int:
    """Say what will be served and where, and become it."""
    from qua3ck.operate.records import read_plan
    from qua3ck.operate.serve.routing import routing

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
    return _become([sys.executable, "-m", "qua3ck.operate.serve", str(path)])


def _try(options: argparse.Namespace) -> int:
    """Say how a version does where it would serve; 1 unless nothing speaks against it."""
    from qua3ck.kit.records import as_json

    with _ended_like_ctrl_c(), opened(options) as project:
        trial = project.try_serving(
            seconds=options.trial,
            connections=8 if options.connections is None else options.connections,
            version=options.version,
            workers=options.workers,
        )
        in_use = project.aliases().get("champion") == trial.version
    if options.json:
        say_json(as_json(trial))
    else:
        say(f"K   version {trial.version} in trial: {trial.verdict}: {trial.why}")
        say(*_tried(trial), f"next: {_after(trial, in_use=in_use)}")
    return 0 if trial.allowed else 1


@contextmanager
def _ended_like_ctrl_c() -> Iterator[None]:
    """Let SIGTERM end what is done here as Ctrl-C does, so that it tidies up behind itself."""
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _tried(trial: Trial) -> Iterator[str]:
    from qua3ck.project.trial import connections

    if not trial.loads:
        return
    memory = "" if trial.memory_mb is None else f", {trial.memory_mb:.0f} MB a worker at most"
    yield f"    ready in {trial.ready_s:.1f} s, {trial.golden_rows} golden rows asked{memory}"
    for one in trial.loads:
        yield (
            f"    {connections(one.connections)}: {one.requests:,} requests,"
            f" {one.per_second:,.0f} a second, {one.errors} failed, {one.wrong} wrong"
        )
        shown = [(name, ms) for name, ms in (("p50", one.p50_ms), ("p99", one.p99_ms)) if ms]
        if not one.kpis and shown:
            yield f"      {', '.join(f'{name} {ms:.2f} ms' for name, ms in shown)}"
        for kpi in one.kpis:
            low, high = (f"{ms:.2f}" if ms is not None else "?" for ms in (kpi.low, kpi.high))
            value = "?" if kpi.value is None else f"{kpi.value:.2f}"
            wanted = f"wanted <= {kpi.threshold:g}"
            yield f"      {kpi.id} {value} ms  [{low}, {high}]  {wanted}  {kpi.verdict}"


def _after(trial: Trial, *, in_use: bool) -> str:
    """Return what to type next."""
    if trial.allowed:
        return "qua3ck serve" if in_use else f"qua3ck promote {trial.version}"
    if trial.verdict == "undecided":
        return "qua3ck serve --trial, with more seconds"
    return f"qua3ck audit {trial.version}"


def _refuse_unused(options: argparse.Namespace) -> None:
    """Refuse what would be passed over: a word of a trial without one, or a place for one."""
    from qua3ck.kit.errors import Qua3ckError

    tries = options.trial is not None
    for name in ("host", "port") if tries else ("version", "connections"):
        if getattr(options, name) is not None:
            what = "a trial takes a free port of 127.0.0.1" if tries else "it is said of a trial"
            raise Qua3ckError(
                f"--{name} is not used here: {what}",
                where=f"qua3ck serve --{name}",
                fix="try a version: qua3ck serve --trial 10 --version 2;"
                " put it into use: qua3ck promote 2",
            )


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


def _become(command: list[str]) -> int:
    os.execv(command[0], command)  # noqa: S606 - our own interpreter and module
