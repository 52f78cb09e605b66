"""Hand the declared tables to dashboards and spreadsheets: files, or a PostgreSQL schema."""

from __future__ import annotations

import argparse

from qua3ck.cli.terminal import counted, opened, project_argument, say, say_json


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the words of this verb."""
    project_argument(parser)
    parser.add_argument(
        "--online", action="store_true", help="write operate.features for requests instead"
    )
    parser.add_argument("--as-of", default="", metavar="DAY", help="online: as known on that day")


def run(options: argparse.Namespace) -> int:
    """Print what was published, and what was left out; 0."""
    if options.online:
        return _online(options)
    with opened(options) as project:
        handed = project.publish()
    if options.json:
        files = [str(path) for path in handed.files]
        facts = {"rows": dict(handed.rows), "files": files, "tables": list(handed.tables)}
        say_json({**facts, "left_out": list(handed.left_out)})
        return 0
    width = max(map(len, handed.rows))
    for name, count in handed.rows.items():
        say(f"{name:<{width}}  {count:>9,} row{'' if count == 1 else 's'}")
    say(*(f"file  {path}" for path in handed.files), *(f"table {name}" for name in handed.tables))
    if handed.left_out:
        say(f"left out, because a contract classifies them: {', '.join(handed.left_out)}")
    say("next: open them; data_dictionary says what each column means")
    return 0


def _online(options: argparse.Namespace) -> int:
    from qua3ck.kit.clock import utc_now
    from qua3ck.kit.records import as_json

    with opened(options) as project:
        written = project.write_features(as_of=options.as_of)
    now = utc_now()
    if options.json:
        say_json([{**as_json(told), "age_seconds": told.age(now)} for told in written])
        return 0
    for told in written:
        known = told.as_of or told.known
        fresh = f"known up to {known[:19]}Z, {told.age(now) / 3600:,.1f} h ago" if known else ""
        fresh = fresh or "made now; its tables say how fresh they are"
        keys = counted(told.rows, "key")
        say(f"O   {told.name}: {keys} of {told.table} version {told.version}; {fresh}")
    say("next: qua3ck serve")
    return 0
