"""Copy the project to another disk or a bucket, checked byte by byte; never the keys."""

from __future__ import annotations

import argparse
import shlex

from qua3ck.cli.terminal import opened, project_argument, say, say_json


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the words of this verb."""
    project_argument(parser)
    parser.add_argument("--to", required=True, metavar="FOLDER_OR_URL", help="where to")
    parser.add_argument(
        "--rehearse", action="store_true", help="also restore it for a test, and record that"
    )
    parser.add_argument(
        "--whole", action="store_true", help="read everything again, not only what is new"
    )


def run(options: argparse.Namespace) -> int:
    """Print what was copied, and how to bring it back."""
    from qua3ck.kit.records import as_json

    with opened(options) as project:
        made = project.backup(options.to, rehearse=options.rehearse, whole=options.whole)
    if options.json:
        say_json(as_json(made))
        return 0
    say(
        f"    backup {made.name}: {made.files} files, {megabytes(made.size)};"
        f" new here: {made.new_files} files, {megabytes(made.new_size)}"
    )
    if made.left_out:
        say(f"    left out, because links are not followed: {', '.join(made.left_out)}")
    if made.rehearsed:
        say("    rehearsed: restored, every byte as it was, its ledger verified")
    else:
        say("    read back after writing; not rehearsed (--rehearse)")
    say("    the keys are not in it: keep a copy of your key store elsewhere")
    say(f"next: qua3ck restore {shlex.quote(options.to)} --to NEW_FOLDER")
    return 0


def megabytes(size: int) -> str:
    """Return bytes as people say them."""
    return f"{size / 1e6:.1f} MB" if size >= 100_000 else f"{size} bytes"
