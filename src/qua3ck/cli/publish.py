"""Hand the declared tables to dashboards and spreadsheets: files, or a PostgreSQL schema."""

from __future__ import annotations

import argparse

from qua3ck.cli.terminal import opened, project_argument, say, say_json


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the words of this verb."""
    project_argument(parser)


def run(options: argparse.Namespace) -> int:
    """Print what was published, and what was left out; 0."""
    with opened(options) as project:
        handed = project.publish()
    if options.json:
        files = [str(path) for path in handed.files]
        facts = {"rows": dict(handed.rows), "files": files, "tables": list(handed.tables)}
        say_json({**facts, "left_out": list(handed.left_out)})
        return 0
    width = max(map(len, handed.rows))
    say(*(f"{name:<{width}}  {count:>9,} rows" for name, count in handed.rows.items()))
    say(*(f"file  {path}" for path in handed.files), *(f"table {name}" for name in handed.tables))
    if handed.left_out:
        say(f"left out, because a contract classifies them: {', '.join(handed.left_out)}")
    say("next: open them; data_dictionary says what each column means")
    return 0
