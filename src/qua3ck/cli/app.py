"""Show the project in a browser: decide, evidence, data, operation, versions, ledger."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from qua3ck.cli.terminal import number_between, project_argument, say, say_json
from qua3ck.kit.errors import Qua3ckError

if TYPE_CHECKING:
    from qua3ck.app import Start


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the words of this verb."""
    project_argument(parser)
    parser.add_argument("--host", default="127.0.0.1", help="where to listen; default: here only")
    parser.add_argument(
        "--port", type=number_between(0, 65535), default=8501, help="0 takes a free one"
    )
    parser.add_argument("--add-user", metavar="NAME", help="who may sign in; asks for a password")
    parser.add_argument(
        "--email", metavar="ADDRESS", help="with --add-user: of the sign-in service"
    )
    parser.add_argument("--remove-user", metavar="NAME", help="who may no longer sign in")


def run(options: argparse.Namespace) -> int:
    """Add or remove a user; or say where the view is and become it."""
    from qua3ck.app import start, users_file
    from qua3ck.project import open_project

    project = open_project(Path(options.project), actor=options.actor)
    users = users_file(project.read_only().project_id or project.name)
    if options.add_user or options.remove_user:
        return _change_users(options, users)
    started = start(
        project.root, users=users, actor=options.actor or "", host=options.host, port=options.port
    )
    if options.json:
        say_json({"url": started.url})
    else:
        say(f"open: {started.url}", "stop: Ctrl-C")
    sys.stdout.flush()
    return _become(started)


def _become(started: Start) -> int:
    """Replace this process by the view; where that cannot be done, wait for it."""
    if os.name == "nt":
        import subprocess

        done = subprocess.run(  # noqa: S603 - our own interpreter and module, no shell
            started.command, env=started.environment, check=False
        )
        return done.returncode
    words = started.command
    os.execve(words[0], words, started.environment)  # noqa: S606 - our own interpreter and module
    return 0


def _change_users(options: argparse.Namespace, users: Path) -> int:
    from qua3ck.app.users import add_user, remove_user
    from qua3ck.govern.people import checked_name

    if options.remove_user:
        remove_user(users, options.remove_user)
        said = f"{options.remove_user} may no longer sign in"
    else:
        name = checked_name(options.add_user, where="qua3ck app --add-user NAME")
        password = "" if options.email else _password(name)
        add_user(users, name, password=password, email=options.email or "")
        said = f"{name} may sign in; roles are those enrolled: qua3ck enrol {name} --role ROLE"
    say_json({"users": str(users)}) if options.json else say(said, "next: qua3ck app")
    return 0


def _password(name: str) -> str:
    """Return a password typed twice, or one line from a pipe."""
    import getpass

    if not sys.stdin.isatty():
        return sys.stdin.readline().rstrip("\n")
    first = getpass.getpass(f"password of {name} for the view: ")
    if first == getpass.getpass("once more: "):
        return first
    raise Qua3ckError(
        "The two passwords differ",
        where=f"qua3ck app --add-user {name}",
        fix="type the same password twice",
        code="V002",
    )
