"""Sign with your own key for a version, or for the question; or against it."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Literal

from qua3ck.cli.terminal import opened, say, say_json, settle_version, version_argument
from qua3ck.kit.errors import Qua3ckError

if TYPE_CHECKING:
    from qua3ck.govern import Approval
    from qua3ck.project import Project


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the words of this verb."""
    version_argument(parser)
    parser.add_argument("--reason", required=True, metavar="TEXT", help="kept in the ledger")
    parser.add_argument("--refuse", action="store_true", help="sign against it")
    parser.add_argument(
        "--question", action="store_true", help="sign the question with every promise in it"
    )


def run(options: argparse.Namespace) -> int:
    """Sign, and say what was signed over."""
    from qua3ck.kit.records import as_json

    settle_version(options)
    if options.question and options.version is not None:
        raise Qua3ckError(
            f"The question and version {options.version} are signed one at a time",
            where="the command line",
            fix="leave out the version, or --question",
        )
    decision = "refuse" if options.refuse else "approve"
    with opened(options) as project:
        subject: Literal["question"] | int = "question"
        if not options.question:
            subject = project.newest(options.version)
        given = project.approve(subject, decision=decision, reason=options.reason)
        waived = [] if options.question else _waived(project, given)
    if options.json:
        say_json(as_json(given))
        return 0
    signed = f"    signed over ledger head {given.head_n}, {given.head_hash[:16]}"
    word = "refused" if options.refuse else "approved"
    by = f"by {given.approver} ({', '.join(given.roles)})"
    if options.question:
        next_ = "explain Q012" if options.refuse else f"run {options.project}"
        say(f"{word}: the question {given.question[:12]} {by}", *_promises(given), signed)
        say(f"next: qua3ck {next_}")
        return 0
    say(
        f"{word}: version {given.version} {by}",
        signed,
        *waived,
        f"next: qua3ck promote {given.version} {options.project} --reason WHY",
    )
    return 0


def _waived(project: Project, given: Approval) -> list[str]:
    """Return what was accepted since the version was made; who signs now has it before them."""
    return [
        f"    accepted since it was made: {said.body['code']} {said.body['where']}"
        f" ({said.body['reason']}), by {said.actor}"
        for said in project.read_only().ledger.entries("security.accepted")
        if said.body["version"] == given.version
    ]


def _promises(given: Approval) -> list[str]:
    """Return everything that was signed, and that it was late if it was."""
    from qua3ck.question.promises import as_written

    lines = [f"    {name}: {text}" for name, text in as_written(given.promises).items()]
    late = f"    AFTER {given.opened} opening(s) of the seal" if given.opened else ""
    return [*lines, late] if late else lines
