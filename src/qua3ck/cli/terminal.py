"""What the verbs share: the project argument, progress on a terminal, printing."""

from __future__ import annotations

import argparse
import json
import re
import shlex
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from math import ceil
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING, Any

from qua3ck.kit.errors import Qua3ckError

if TYPE_CHECKING:
    from rich.console import Console

    from qua3ck.kit.findings import Finding
    from qua3ck.project import Project


def project_argument(parser: argparse.ArgumentParser) -> None:
    """Add PROJECT, ``--as`` and ``--json``, which every verb on a project has."""
    parser.add_argument(
        "project", nargs="?", default=".", metavar="PROJECT", help="folder with a qua3ck.yaml"
    )
    parser.add_argument("--as", dest="actor", metavar="NAME", help="who acts; default: you")
    parser.add_argument("--json", action="store_true", help="print the same facts as JSON")


def version_argument(parser: argparse.ArgumentParser) -> None:
    """Add ``[VERSION] [PROJECT]`` in either order: a number is a version."""
    parser.add_argument(
        "words", nargs="*", metavar="[VERSION] [PROJECT]", help="default: the newest, this folder"
    )
    parser.add_argument("--as", dest="actor", metavar="NAME", help="who acts; default: you")
    parser.add_argument("--json", action="store_true", help="print the same facts as JSON")
    parser.set_defaults(version=None, project=".")


def settle_version(options: argparse.Namespace) -> None:
    """Sort the words of ``version_argument`` into ``options.version`` and ``options.project``."""
    for word in options.words:
        number = word.removeprefix("v")
        if number.isdigit() and options.version is None and not Path(word).is_dir():
            options.version = int(number)
        elif options.project == ".":
            options.project = word
        else:
            raise Qua3ckError(
                f'"{word}" is one word too many',
                where="the command line",
                fix="write one VERSION (a number) and one PROJECT (a folder)",
            )


def name_and_project(words: Sequence[str]) -> tuple[str, str]:
    """Tell a name from a project (default: this folder), typed in either order."""
    name, project = (*words, "", "")[:2]
    if _stands(name) and not _stands(project or "."):
        name, project = project, name
    return name, project or "."


def _stands(word: str) -> bool:
    """Return whether a word is a project that is there: its folder, or its file."""
    path = Path(word)
    return (path / "qua3ck.yaml").is_file() or (path.name == "qua3ck.yaml" and path.is_file())


def counted(count: int, noun: str) -> str:
    """Return a number of things as people say it: ``1 row``, ``2,000 rows``."""
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def number_between(
    low: float, high: float, *, kind: type[int] | type[float] = int
) -> Callable[[str], Any]:
    """Return what reads a number of the command line, and refuses one outside of its bounds."""

    def read(text: str) -> int | float:
        try:
            number = kind(text)
        except ValueError:
            number = None
        if number is None or not low <= number <= high:
            what = "whole number" if kind is int else "number"
            message = f"{text!r} is no {what} from {low:.15g} to {high:.15g}"
            raise argparse.ArgumentTypeError(message)
        return number

    return read


def say(*lines: str) -> None:
    """Print lines to standard output."""
    print(*lines, sep="\n")


def say_json(facts: Any) -> None:
    """Print facts as JSON."""
    say(json.dumps(facts, indent=1, ensure_ascii=False, default=str))


def finding_line(finding: Finding) -> str:
    """Return a finding as one line; an accepted one says so."""
    accepted = f" (accepted: {finding.accepted})" if finding.accepted else ""
    return f"    {finding.severity:<6} {finding.code}  {finding.where}: {finding.says}{accepted}"


@contextmanager
def opened(options: argparse.Namespace) -> Iterator[Project]:
    """Open the project named on the command line, with progress if a person is watching."""
    from qua3ck.project import open_project

    project = open_project(Path(options.project), actor=options.actor)
    with _progress(quiet=options.json) as progress:
        project.watch(progress)
        try:
            yield project
        except Qua3ckError as problem:
            problem.fix = named_project(problem.fix, options.project)
            raise


def named_project(fix: str, project: str) -> str:
    """Return what to do with the project as it was typed in each command about its data.

    The rooms that say what to type do not know from where the command was given.
    """
    word = shlex.quote(project)
    if project == ".":
        return fix
    return re.sub(
        rf"\bqua3ck (load|quarantine|contract propose)\b(?! {re.escape(word)})( \.(?= ))?",
        lambda found: f"qua3ck {found[1]} {word}",
        fix,
    )


@contextmanager
def watched(options: argparse.Namespace) -> Iterator[Callable[[str, str, int, int], None]]:
    """Give what shows progress, for a verb that opens no project."""
    with _progress(quiet=options.json) as progress:
        yield progress


@contextmanager
def _progress(*, quiet: bool) -> Iterator[Callable[[str, str, int, int], None]]:
    if quiet or not sys.stderr.isatty():
        yield _plain if not quiet else _nothing
        return
    from rich.console import Console

    with bar(Console(stderr=True)) as show:
        yield show


@contextmanager
def bar(
    console: Console, now: Callable[[], float] = monotonic
) -> Iterator[Callable[[str, str, int, int], None]]:
    """Give what shows progress on a terminal, one bar per phase, gone at the end.

    The words stand last and go on in a second line where the terminal is narrow: rows per
    second and the time left are never cut off.
    """
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        ProgressColumn,
        Task,
        TextColumn,
    )
    from rich.table import Column
    from rich.text import Text

    class Times(ProgressColumn):
        """Goes on between two steps, too."""

        def render(self, task: Task) -> Text:
            """Return the times of a phase."""
            return Text(times(task.elapsed or 0.0, int(task.completed), int(task.total or 0)))

    shown = Progress(
        TextColumn("{task.fields[phase]:<3}"),
        BarColumn(bar_width=16),
        MofNCompleteColumn(),
        Times(table_column=Column(no_wrap=True)),
        TextColumn("{task.description}", markup=False, table_column=Column(overflow="fold")),
        console=console,
        get_time=now,
        transient=True,
    )
    tasks: dict[str, Any] = {}

    def show(phase: str, text: str, done: int, total: int) -> None:
        if phase not in tasks:
            for earlier in tasks.values():
                shown.stop_task(earlier)
            tasks[phase] = shown.add_task(text, phase=phase)
        elif shown.tasks[tasks[phase]].finished and done < total:
            shown.reset(tasks[phase], phase=phase)  # the next of several sources
        shown.update(tasks[phase], description=text, completed=done, total=total or None)

    with shown:
        yield show


def times(seconds: float, done: int, total: int) -> str:
    """Return the time that went by, and about how long the rest takes if all goes on so."""
    gone = str(timedelta(seconds=int(seconds)))
    if not 0 < done < total or seconds < 1:
        return gone
    return f"{gone}, {timedelta(seconds=ceil(seconds * (total - done) / done))} left"


_said: set[tuple[str, str]] = set()


def _plain(phase: str, text: str, done: int, total: int) -> None:
    """Say each new step once, for logs."""
    del done, total
    step = text.split(":", maxsplit=1)[0]
    if (phase, step) not in _said:
        _said.add((phase, step))
        print(f"{phase:<3} {text}", file=sys.stderr)


def _nothing(phase: str, text: str, done: int, total: int) -> None:
    """Say nothing: the answer is JSON."""
    del phase, text, done, total
