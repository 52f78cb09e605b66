"""A project small enough to be mistreated, and what it takes to type at it."""

from __future__ import annotations

import contextlib
import io
import json
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from qua3ck.cli.main import main

PERSON = "Amina Jallow"  # stands in every row; no message may repeat it
FILE = """\
project: stock
question:
  asks: Which clinics run out of therapeutic food next month?
  decides: The supply officer, in the monthly order.
  why_now: The order is due.
  risks: A clinic without stock.
  stop_if: [rows < 50]
  kpis:
    - {id: right, metric: accuracy, at_least: 0.7}
  risk: {affects: nobody, domain: other, automated: false}
understand:
  sources:
    rows: {kind: csv, path: data/rows.csv}
  target: out
a3:
  candidates: [logistic_regression]
  budget: {trials: 3}
  folds: 2
conclude: {test_share: 0.3}
"""
COLUMNS = ("clinic", "contact", "stock", "demand", "region", "out")


def rows() -> list[list[str]]:
    """Return 160 clinics whose stock and demand decide, but for noise, whether they run out."""
    random = np.random.default_rng(1)
    made = []
    for number in range(160):
        stock, demand, noise = random.normal([50, 50, 0], [20, 20, 4])
        region = str(random.choice(["north", "south", "east"]))
        out = "yes" if demand - stock + noise > 0 else "no"
        clinic, contact = f"{number:04d}", f"{PERSON} {number}"
        made.append([clinic, contact, f"{stock:.2f}", f"{demand:.2f}", region, out])
    return made


def as_csv(table: list[list[str]], columns: tuple[str, ...] = COLUMNS) -> str:
    """Return a table as CSV text."""
    return "\n".join(",".join(line) for line in [list(columns), *table]) + "\n"


@dataclass(frozen=True)
class Said:
    """How a command line ended, and what it said."""

    code: int
    out: str
    err: str

    @property
    def errors(self) -> list[tuple[str, str, str]]:
        """What, where and fix of every error told; fails if one has another shape."""
        lines = self.err.splitlines()
        first = next((at for at, line in enumerate(lines) if line.startswith("error: ")), None)
        assert first is not None, self.err
        told = lines[first:]
        assert len(told) % 3 == 0, self.err
        found = [tuple(told[at : at + 3]) for at in range(0, len(told), 3)]
        for what, where, fix in found:
            assert what.startswith("error: "), what
            assert where.startswith("  where: "), where
            assert fix.startswith("  fix:   "), fix
        return [(what[7:], where[9:], fix[9:]) for what, where, fix in found]

    def refused(self, *parts: str, code: int = 2) -> None:
        """Fail unless this is a refusal in three lines that has every one of ``parts``."""
        assert self.code == code, f"exit {self.code}\n{self.out}{self.err}"
        told = "\n".join("\n".join(error) for error in self.errors)
        for part in parts:
            assert part in told, told
        everything = self.out + self.err
        assert "Traceback" not in everything
        assert "Amina" not in everything
        assert "Jallow" not in everything


@dataclass(frozen=True)
class Bench:
    """A project's folder with its own key store."""

    root: Path
    keys: Path

    def type(self, *words: str) -> Said:
        """Type ``qua3ck VERB [...] PROJECT`` in this process."""
        out, err = io.StringIO(), io.StringIO()
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            code = main([*words, str(self.root)])
        return Said(code, out.getvalue(), err.getvalue())

    def done(self, *words: str) -> Said:
        """Type it and fail unless it ends with 0."""
        said = self.type(*words)
        assert said.code == 0, said.out + said.err
        return said

    def facts(self, *words: str) -> Any:
        """Type it with ``--json`` and return what it answers."""
        return json.loads(self.done(*words, "--json").out)

    def write(self, text: str, name: str = "qua3ck.yaml") -> None:
        """Write a file of the project."""
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")

    def edit(self, old: str, new: str, name: str = "qua3ck.yaml") -> None:
        """Replace text that stands in a file."""
        text = (self.root / name).read_text(encoding="utf-8")
        assert old in text
        self.write(text.replace(old, new), name)

    def add(self, section: str, line: str) -> None:
        """Put a line below a section's head."""
        self.edit(f"\n{section}:\n", f"\n{section}:\n  {line}\n")

    def events(self, name: str | None = None) -> list[dict[str, Any]]:
        """Return the ledger's events, read without our package."""
        chain = self.root / "ledger" / "chain.jsonl"
        lines = chain.read_bytes().splitlines() if chain.exists() else []
        entries = [json.loads(line) for line in lines]
        return [entry for entry in entries if name in {None, entry["event"]}]

    def keep_split(self) -> None:
        """Make the key that decides the split, so that all copies seal the same rows."""
        from qua3ck.store.keys import KeyStore

        name = self.events("project.created")[0]["body"]["id"]
        KeyStore.default().secret(f"project-{name}", create=True)

    def copy(self, to: Path) -> Bench:
        """Return a copy of project and keys."""
        shutil.copytree(self.root, to / "project")
        shutil.copytree(self.keys, to / "keys")
        return Bench(to / "project", to / "keys")
