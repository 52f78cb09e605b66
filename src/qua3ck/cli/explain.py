"""Show the page behind a code: what it means, an example of the trap, the cure; or the metrics."""

from __future__ import annotations

import argparse

from qua3ck.kit.errors import Qua3ckError, did_you_mean
from qua3ck.kit.findings import CodePage

ROOMS = (
    "store",
    "ledger",
    "govern",
    "question",
    "understand",
    "a3",
    "conclude",
    "transfer",
    "operate",
    "project",
    "app",
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the words of this verb."""
    parser.add_argument("code", metavar="CODE", help='a code such as U003, "codes" or "metrics"')
    parser.add_argument("--json", action="store_true", help="print the same facts as JSON")


def run(options: argparse.Namespace) -> int:
    """Print one page, or a list."""
    from dataclasses import asdict

    from qua3ck.cli.terminal import say, say_json

    if options.code == "metrics":
        return _metrics(as_json=options.json)
    pages = code_pages()
    if options.code == "codes":
        listed = [f"{page.code}  {page.title}" for page in pages.values()]
        say_json([asdict(page) for page in pages.values()]) if options.json else say(*listed)
        return 0
    page = pages.get(options.code.upper())
    if page is None:
        raise Qua3ckError(
            f'Unknown code "{options.code}"{did_you_mean(options.code.upper(), pages)}',
            where=f"the command line: qua3ck explain {options.code}",
            fix="list all with: qua3ck explain codes",
        )
    if options.json:
        say_json(asdict(page))
    else:
        say(
            f"{page.code}  {page.title}",
            f"means:   {page.means}",
            f"example: {page.example}",
            f"cure:    {page.cure}",
        )
    return 0


def code_pages() -> dict[str, CodePage]:
    """Return every page of every room, by code."""
    from importlib import import_module
    from importlib.util import find_spec

    pages: dict[str, CodePage] = {}
    for room in ROOMS:
        if find_spec(f"qua3ck.{room}.codes") is not None:
            found = import_module(f"qua3ck.{room}.codes").PAGES
            pages.update({page.code: page for page in found})
    return dict(sorted(pages.items()))


def _metrics(*, as_json: bool) -> int:
    from qua3ck.cli.terminal import say, say_json
    from qua3ck.question import METRICS

    facts = [
        {"name": m.name, "better": m.direction, "tasks": list(m.tasks), "means": m.definition}
        for m in METRICS.values()
    ]
    if as_json:
        say_json(facts)
    else:
        say(*(f"{m['name']:<30} {m['better']:<9} {m['means']}" for m in facts))
    return 0
