"""Run every benchmark beside this file and print one table: `make bench`.

A benchmark is a script whose last line of output is a JSON object of name to number. A name
``budget_<name>`` gives the budget of ``<name>``: at least where it ends in ``_per_s``, else
at most. Ratios are measured in one interleaved run by the benchmark itself.
"""

from __future__ import annotations

import json
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
        [sys.executable, str(script)],
        cwd=HERE.parent,
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    figures: dict[str, float] = json.loads(done.stdout.strip().splitlines()[-1])
    return figures


def rows(figures: Mapping[str, float]) -> Iterator[tuple[str, str, str, bool | None]]:
    """Yield name, figure, budget and whether it is kept (None without one)."""
    for name, value in figures.items():
        if name.startswith(BUDGET):
            continue
        budget = figures.get(BUDGET + name)
        if budget is None:
            yield name, f"{value:,}", "", None
        elif name.endswith("_per_s"):
            yield name, f"{value:,}", f">= {budget:,}", value >= budget
        else:
            yield name, f"{value:,}", f"<= {budget:,}", value <= budget


def main(names: list[str]) -> int:
    """Print the table; return 1 if a budget was missed."""
    console = Console()
    table = Table("benchmark", "what", "measured", "budget", "")
    missed = 0
    for script in sorted(HERE.glob("*.py")):
        if script.name == Path(__file__).name or (names and script.stem not in names):
            continue
        started = time.perf_counter()
        for name, figure, budget, kept in rows(measured(script)):
            missed += kept is False
            answer = {True: "kept", False: "MISSED", None: ""}[kept]
            table.add_row(script.stem, name, figure, budget, answer)
        table.add_section()
        console.print(f"{script.stem}: {time.perf_counter() - started:.0f} s", style="dim")
    console.print(table)
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
