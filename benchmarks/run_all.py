"""Run every benchmark beside this file and print one table: `make bench`.

A benchmark is a script whose last line of output is a JSON object of name to number. A name
``budget_<name>`` gives the budget of ``<name>``: at least where it ends in ``_per_s`` or
``_times``, else at most. Ratios are measured in one interleaved run by the benchmark itself.
A benchmark that gives no figures had no data; that counts as a missed budget where
``QUA3CK_MUST_RUN`` (``1``, or a list with ``data``) says that the data are there.

Serving is measured beside its peers too, where their environments can be made under
``build/peers/`` (minutes, and a package index); ``QUA3CK_BENCH_PEERS=0`` leaves them out.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

from rich.console import Console
from rich.table import Table

HERE = Path(__file__).parent
BUDGET = "budget_"


def measured(script: Path) -> Mapping[str, float]:
    """Run one benchmark in a process of its own and return its figures."""
    done = subprocess.run(
        [sys.executable, str(script), *options(script.stem)],
        cwd=HERE.parent,
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    figures: dict[str, float] = json.loads(done.stdout.strip().splitlines()[-1])
    return figures


def options(name: str) -> list[str]:
    """Return what a benchmark is asked for beyond its name."""
    peers = os.environ.get("QUA3CK_BENCH_PEERS", "1") != "0"
    return ["--peers"] if name == "serving" and peers else []


def rows(figures: Mapping[str, float]) -> Iterator[tuple[str, str, str, bool | None]]:
    """Yield name, figure, budget and whether it is kept (None without one)."""
    for name, value in figures.items():
        if name.startswith(BUDGET):
            continue
        budget = figures.get(BUDGET + name)
        if budget is None:
            yield name, f"{value:,}", "", None
        elif name.endswith(("_per_s", "_times")):
            yield name, f"{value:,}", f">= {budget:,}", value >= budget
        else:
            yield name, f"{value:,}", f"<= {budget:,}", value <= budget


def main(names: list[str]) -> int:
    """Print the table; return 1 if a budget was missed."""
    console = Console()
    table = Table("benchmark", "what", "measured", "budget", "")
    missed = 0
    promised = not {"1", "data"}.isdisjoint(os.environ.get("QUA3CK_MUST_RUN", "").split(","))
    for script in sorted(HERE.glob("*.py")):
        if script.name == Path(__file__).name or (names and script.stem not in names):
            continue
        started = time.perf_counter()
        figures = measured(script)
        if not figures:
            missed += promised
            table.add_row(script.stem, "no data", "", "", "MISSED" if promised else "not measured")
        for name, figure, budget, kept in rows(figures):
            missed += kept is False
            answer = {True: "kept", False: "MISSED", None: ""}[kept]
            table.add_row(script.stem, name, figure, budget, answer)
        table.add_section()
        console.print(f"{script.stem}: {time.perf_counter() - started:.0f} s", style="dim")
    console.print(table)
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
