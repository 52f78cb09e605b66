"""How large and how fast the tables are; fold them, give up old versions, go back to one."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from qua3ck.cli.backup import megabytes
from qua3ck.cli.load import settle_words
from qua3ck.cli.terminal import number_between, opened, say, say_json
from qua3ck.kit.errors import Qua3ckError, did_you_mean

if TYPE_CHECKING:
    from qua3ck.project import Project
    from qua3ck.project.warehouse import Kept, TableSize

ACTIONS = ("sizes", "versions", "compact", "vacuum", "restore")
_SHOWN = 20  # names in one line
_MOST_DAYS = 36_500  # as project.warehouse has it, which is too heavy for --help


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the words of this verb."""
    parser.add_argument(
        "words",
        nargs="*",
        metavar="[ACTION] [PROJECT] [TABLE ...]",
        help=f"one of {', '.join(ACTIONS)}; default: sizes, this folder, every table",
    )
    parser.add_argument(
        "--to",
        type=number_between(0, 999_999_999),
        metavar="VERSION",
        help="restore: which version",
    )
    parser.add_argument(
        "--keep-days",
        type=number_between(0, _MOST_DAYS),
        default=365,
        metavar="DAYS",
        help="vacuum: what was known in the last so many days stays readable; default 365",
    )
    parser.add_argument(
        "--yes", action="store_true", help="do it; without it vacuum and restore only say what"
    )
    parser.add_argument("--as", dest="actor", metavar="NAME", help="who acts; default: you")
    parser.add_argument("--json", action="store_true", help="print the same facts as JSON")


def run(options: argparse.Namespace) -> int:
    """Print what an action found or did; 0."""
    words = settle_words(options)
    action = words.pop(0) if words else "sizes"
    if action not in ACTIONS:
        raise Qua3ckError(
            f'"{action}" is no action on tables{did_you_mean(action, ACTIONS)}',
            where="the command line: qua3ck warehouse",
            fix=f"write one of: {', '.join(ACTIONS)}; then names of sources and tables",
        )
    _fitting(action, words, options)
    with opened(options) as project:
        facts, lines = _DO[action](project, words, options)
    if options.json:
        say_json(facts)
    else:
        say(*lines)
    return 0


def _fitting(action: str, words: list[str], options: argparse.Namespace) -> None:
    """Refuse words that the action does not have."""
    wrong = ""
    if action in {"versions", "restore"} and len(words) != 1:
        wrong = f"{action} is for one table; {len(words)} are named"
    elif (action == "restore") != (options.to is not None):
        wrong = "restore needs --to VERSION" if action == "restore" else f"{action} has no --to"
    elif options.yes and action not in {"vacuum", "restore"}:
        wrong = f"{action} asks for no --yes: it removes nothing"
    if wrong:
        raise Qua3ckError(
            wrong,
            where="the command line: qua3ck warehouse",
            fix="qua3ck warehouse versions SOURCE, then: "
            "qua3ck warehouse restore SOURCE --to VERSION"
            if action in {"versions", "restore"}
            else f"leave it out: qua3ck warehouse {' '.join([action, *words])}",
        )


def _sizes(
    project: Project, names: list[str], options: argparse.Namespace
) -> tuple[object, list[str]]:
    from qua3ck.kit.records import as_json

    found = project.table_sizes(names)
    width = max((len(one.table) for one in found), default=0)
    lines = [line for one in found for line in _size_lines(one, width)] or ["nothing is stored yet"]
    if found:
        lines.append(f"    {megabytes(sum(one.folder for one in found))} in all")
    return (
        {"tables": [as_json(one) for one in found]},
        [
            *lines,
            f"next: qua3ck warehouse vacuum{_project(options)}" if found else "next: qua3ck load",
        ],
    )


def _size_lines(one: TableSize, width: int) -> list[str]:
    grown = f", {one.grown:.1f} x what it was some loads ago" if one.grown is not None else ""
    lines = [
        f"U   {one.table:<{width}}  {_counted(one.rows, 'row')} in {_counted(one.files, 'file')}, "
        f"{megabytes(one.size)}; with all {_counted(one.versions, 'version')} "
        f"{megabytes(one.folder)}{grown}"
    ]
    if one.last is not None:
        lines.append(f"        last load {one.last.says()}")
    return lines


def _versions(
    project: Project, names: list[str], options: argparse.Namespace
) -> tuple[object, list[str]]:
    from qua3ck.kit.records import as_json

    found = project.table_versions(names[0])
    lines = [_version_line(one) for one in found] or [f"nothing of {names[0]} is stored yet"]
    back = f" restore{_project(options)} {names[0]} --to VERSION" if len(found) > 1 else ""
    after = f"next: qua3ck warehouse{back or _project(options)}"
    return {"versions": [as_json(one) for one in found]}, [*lines, after]


def _version_line(one: Kept) -> str:
    told = [] if one.rows is None else [_counted(one.rows, "row")]
    told += [] if one.pieces is None else [f"{_counted(one.pieces, 'piece')} read"]
    told += ["undone"] if one.undone else []
    told += [] if one.readable else ["given up"]
    moment = f"{one.at[:19]}Z" if one.at else " " * 20
    return f"    {one.version:>5}  {moment}  {one.act:<12} {', '.join(told)}".rstrip()


def _compact(
    project: Project, names: list[str], options: argparse.Namespace
) -> tuple[object, list[str]]:
    done = project.compact(names)
    lines = [f"U   {table}: folded, version {version}" for table, version in done.items()]
    return (
        {"folded": done},
        [*(lines or ["nothing is stored yet"]), f"next: qua3ck warehouse{_project(options)}"],
    )


def _vacuum(
    project: Project, names: list[str], options: argparse.Namespace
) -> tuple[object, list[str]]:
    from qua3ck.project.warehouse import ranges

    found = project.vacuum(names, keep_days=options.keep_days, act=options.yes)
    facts = {
        table: {"versions": list(one.versions), "files": list(one.files), "bytes": one.size}
        for table, one in found.items()
    }
    word = "removed" if options.yes else "would remove"
    lines = [
        f"U   {table}: {word} {_counted(len(one.files), 'file')}, {megabytes(one.size)}"
        + (f"; can not be read any more: version {ranges(one.versions)}" if one.versions else "")
        for table, one in found.items()
    ]
    if not lines:
        lines = [f"    nothing to give up: all is pinned, or of the last {options.keep_days} days"]
        after = f"qua3ck warehouse{_project(options)}"
    elif options.yes:
        after = f"qua3ck warehouse{_project(options)}"
    else:
        lines.append("    this can not be undone; what snapshots and releases rest on stays")
        after = _again(options)
    return {"done": options.yes, "tables": facts}, [*lines, f"next: {after}"]


def _restore(
    project: Project, names: list[str], options: argparse.Namespace
) -> tuple[object, list[str]]:
    from qua3ck.kit.records import as_json

    found = project.restore_table(names[0], options.to, act=options.yes)
    word = "brought back as" if options.yes else "would bring back"
    number = f"version {found.version}: " if options.yes else ""
    lines = [
        f"U   {found.source}: {word} {number}version {found.to}, {_counted(found.rows, 'row')} "
        f"(before: {found.before:,}); {_counted(len(found.undone), 'load')} undone"
    ]
    if found.pieces:
        shown = ", ".join(found.pieces[:_SHOWN]) + (" ..." if len(found.pieces) > _SHOWN else "")
        lines.append(f"    came in them, and is read again if it is still there: {shown}")
    if options.yes:
        lines.append("    correct or move these first; then load")
    after = f"qua3ck load{_project(options)} {found.source}" if options.yes else _again(options)
    return as_json(found), [*lines, f"next: {after}"]


def _counted(number: int, word: str) -> str:
    return f"{number:,} {word}{'' if number == 1 else 's'}"


def _again(options: argparse.Namespace) -> str:
    """Return the same command with the word that has it done."""
    import shlex

    words = [*options.words]
    words += ["--to", str(options.to)] if options.to is not None else []
    words += ["--keep-days", str(options.keep_days)] if options.keep_days != 365 else []
    return f"qua3ck warehouse {shlex.join(words)} --yes"


def _project(options: argparse.Namespace) -> str:
    return "" if options.project == "." else f" {options.project}"


_DO = {
    "sizes": _sizes,
    "versions": _versions,
    "compact": _compact,
    "vacuum": _vacuum,
    "restore": _restore,
}
