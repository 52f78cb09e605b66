"""Move an alias to a version, through the gates of the question's risk class."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any

from qua3ck.cli.terminal import opened, say, say_json, settle_version, version_argument

if TYPE_CHECKING:
    from qua3ck.operate.serve.routing import Rollout
    from qua3ck.project import Project
    from qua3ck.transfer.records import Promotion


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the words of this verb."""
    version_argument(parser)
    parser.add_argument("--alias", default="champion", help="default: champion")
    parser.add_argument("--reason", default="", metavar="TEXT", help="kept in the ledger")
    parser.add_argument(
        "--at-once", action="store_true", help="without the steps of operate.canary"
    )


def run(options: argparse.Namespace) -> int:
    """Print each gate and the move; a gate that blocks ends with 1."""
    from qua3ck.kit.clock import stamp, utc_now

    settle_version(options)
    with opened(options) as project:
        version, began = project.newest(options.version), stamp(utc_now())
        moved = project.promote(
            version, alias=options.alias, reason=options.reason, at_once=options.at_once
        )
        rollout = _rollout(project, moved)
        if moved.at >= began:
            return tell(moved, options, rollout=rollout, next_step="qua3ck audit")
        written = project.read_only().ledger.entries()[-1].at >= began
    return _tell_already(moved, options, rollout, written=written)


def _rollout(project: Project, moved: Promotion) -> Rollout | None:
    """Return the rollout that a move began; None if it is at once, or there is none any more."""
    _, going = project.routing()
    if going is None or moved.alias != "champion" or moved.version != going.version:
        return None
    return going


def _tell_already(
    moved: Promotion, options: argparse.Namespace, rollout: Rollout | None, *, written: bool
) -> int:
    """Print that the alias was there before; a new reason is not kept."""
    if options.json:
        say_json({**_facts(moved, rollout), "already": True})
        return 0
    since = f"since {moved.at[:16].replace('T', ' ')} UTC, by {moved.actor}"
    rest = "" if written else "; nothing was written"
    told = f"K   {_now(moved, rollout)} already, {since}{rest}"
    say(*_gates(moved), told, *_steps(rollout), *_note(moved))
    say(f"next: qua3ck audit {options.project}")
    return 0


def tell(
    moved: Promotion,
    options: argparse.Namespace,
    *,
    next_step: str,
    rollout: Rollout | None = None,
) -> int:
    """Print an alias move, and the rollout that it began, if one."""
    if options.json:
        say_json(_facts(moved, rollout))
        return 0
    before = f"version {moved.before}" if moved.before is not None else "nothing"
    told = f"K   {_now(moved, rollout)} (was {before}), moved by {moved.actor}"
    say(*_gates(moved), told, *_steps(rollout), *_note(moved))
    say(f"next: {next_step} {options.project}")
    return 0


def _facts(moved: Promotion, rollout: Rollout | None) -> dict[str, Any]:
    from qua3ck.kit.records import as_json

    return {**as_json(moved), "rollout": None if rollout is None else as_json(rollout)}


def _now(moved: Promotion, rollout: Rollout | None) -> str:
    if rollout is None:
        return f"{moved.alias} is version {moved.version}"
    return f"version {moved.version} is being rolled out as {moved.alias}"


def _gates(moved: Promotion) -> list[str]:
    return [f"    {gate.answer:<9} {gate.name}: {gate.says}" for gate in moved.gates]


def _note(moved: Promotion) -> list[str]:
    return [f"    {moved.note}"] if moved.note else []


def _steps(rollout: Rollout | None) -> list[str]:
    """Return who answers what share of the requests, and how to watch it; nothing if all."""
    if rollout is None:
        return []
    now = round(rollout.share * 100)
    then = "".join(f", then {step} %" for step in rollout.steps if step > now)
    return [
        f"    version {rollout.version} gets {now} % of the requests{then}; "
        f"version {rollout.settled} answers the others, and tables",
        f"    qua3ck serve takes each step, or stops if version {rollout.version} does worse; "
        'to watch: qua3ck app, page "In operation", or qua3ck audit',
    ]
