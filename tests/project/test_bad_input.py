"""Whatever is typed, written or fed in: what, where and fix; exit 2; and nothing is lost."""

from __future__ import annotations

import functools
import os
import resource
import shutil
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from stock_project import COLUMNS, FILE, PERSON, Bench, as_csv, rows

from qua3ck.cli.main import main
from qua3ck.kit.hashes import tree_digest
from qua3ck.project.running import sole_worker

Harm = Callable[[Bench], None]
LASTING = ("releases", "candidates", "sealed", "people", "evidence")


@dataclass(frozen=True)
class Bad:
    """A mistake: how it is made, what the answer must name, and the exit code."""

    name: str
    harm: Harm
    says: tuple[str, ...]
    code: int = 2


def edit(old: str, new: str, name: str = "qua3ck.yaml") -> Harm:
    return lambda bench: bench.edit(old, new, name)


def write(text: str, name: str = "qua3ck.yaml") -> Harm:
    return lambda bench: bench.write(text, name)


def raw(data: bytes, name: str) -> Harm:
    return lambda bench: (bench.root / name).write_bytes(data) and None


def table(change: Callable[[list[list[str]]], object], columns: tuple[str, ...] = COLUMNS) -> Harm:
    """Feed rows in which something was changed."""

    def harm(bench: Bench) -> None:
        made = rows()
        change(made)
        bench.write(as_csv(made, columns), "data/rows.csv")

    return harm


def put(column: str, value: str, *places: int) -> Harm:
    """Feed one value into some rows; all if none is named."""

    def change(made: list[list[str]]) -> None:
        for place in places or range(len(made)):
            made[place][COLUMNS.index(column)] = value

    return table(change)


def both(*harms: Harm) -> Harm:
    def harm(bench: Bench) -> None:
        for one in harms:
            one(bench)

    return harm


def own(code: str, *, section: str, line: str) -> Harm:
    """Declare a function of the project, written in features.py from line 3 on."""
    return both(
        write(f"import pandas as pd\n\n{code}", "features.py"),
        lambda bench: bench.add(section, line),
    )


def numbers(values: list[float]) -> Harm:
    """Feed a Parquet file with these targets in front, and ones and twos behind."""

    def harm(bench: Bench) -> None:
        made = rows()
        outs = values + [1.5 * (at % 37) for at in range(len(made) - len(values))]
        columns = {name: [line[at] for line in made] for at, name in enumerate(COLUMNS[:-1])}
        pq.write_table(pa.table({**columns, "out": outs}), bench.root / "data" / "rows.parquet")
        bench.edit("{kind: csv, path: data/rows.csv}", "{kind: parquet, path: data/rows.parquet}")
        bench.edit("accuracy, at_least: 0.7", "mae, at_most: 9")
        bench.edit("decision_tree", "linear_regression")

    return harm


IN_THE_FILE = [
    Bad("unknown key", edit("  folds:", "  fold:"), ('"fold"', '"folds"', "line 18", "a3.fold")),
    Bad(
        "misspelt metric",
        edit("metric: accuracy", "metric: acuracy"),
        ('"acuracy"; did you mean "accuracy"?', "line 9", "question.kpis[0].metric"),
    ),
    Bad(
        "threshold as text",
        edit("at_least: 0.7", 'at_least: "0.7"'),
        ('the text "0.7"', "line 9", "question.kpis[0].at_least", "write at_least: 0.7"),
    ),
    Bad(
        "KPI without direction",
        edit(", at_least: 0.7", ""),
        ("exactly one of at_least or at_most", "line 9", "question.kpis[0]"),
    ),
    Bad("threshold in percent", edit("0.7}", "70}"), ("70 is outside", "Did you mean 0.7?"), 1),
    Bad("against the sense", edit("at_least", "at_most"), ("write at_least: 0.7", "right"), 1),
    Bad("metric of another task", edit("accuracy", "rmse"), ("rmse is not defined", "right"), 1),
    Bad("id that is missing", edit("id: right, ", ""), ('"id" is missing', "question.kpis[0].id")),
    Bad("section that is missing", edit("  target: out\n", ""), ('"target" is missing', "target:")),
    Bad("stop rule of text", edit("rows < 50", 'rows < "x"'), ("cannot be read", "stop_if[0]")),
    Bad("stop rule by zero", edit("rows < 50", "rows / 0 < 1"), ("rows / 0 < 1", "stop_if[0]")),
    Bad("misspelt algorithm", edit("decision_tree", "decison_tree"), ("a3.candidates[0]", "P010")),
    Bad("empty project file", write(""), ("The project file is empty", "qua3ck init")),
    Bad("comments alone", write("# later\n"), ("The project file is empty", "qua3ck init")),
    Bad("a list", write("- a\n- b\n"), ("is a list; a section with keys is expected", "line 1")),
    Bad("unreadable YAML", edit("[decision_tree]", "[decision_tree"), ("as YAML", "line 16")),
    Bad("tabs", edit("  target: out", "\ttarget: out"), ("line 14, column 1", "tab")),
    Bad("a key twice", edit("  folds: 2", "  folds: 2\n  folds: 3"), ('"folds"', "line 19")),
    Bad("latin-1", raw(FILE.replace("stock.", "Süd.").encode("latin-1"), "qua3ck.yaml"), ("UTF-8",)),
    Bad("YAML's octal", edit("  folds: 2", "  folds: 02"), ("02", "leading zeros", "a3.folds")),
    Bad(
        "leading zeros of an id",
        edit("rows.csv}", "rows.csv, null: [007]}"),
        ("007", 'quote it: "007"', "understand.sources.rows.null[0]", "line 13"),
    ),
]
IN_THE_DATA = [
    Bad(
        "missing file",
        lambda bench: (bench.root / "data" / "rows.csv").rename(bench.root / "data" / "row.csv"),
        ('"data/rows.csv"', '"row.csv"', "line 13", "understand.sources.rows.path"),
    ),
    Bad("0 bytes", write("", "data/rows.csv"), ("rows.csv is empty", "understand.sources.rows")),
    Bad("header only", write(as_csv([]), "data/rows.csv"), ("header and no rows",)),
    Bad(
        "target missing",
        edit("target: out", "target: outt"),
        ('No column "outt"', 'did you mean "out"?', "understand.target"),
    ),
    Bad("target constant", put("out", "no"), ('"out" has the same value in every row',)),
    Bad("one row in a class", put("out", "perhaps", 5), ('"out"', "1 row", "understand.target")),
    Bad("target with gaps", put("out", "", 2, 8), ("2 of 160 rows", "2 empty", "rows 3, 9")),
    Bad("target NaN", numbers([1.0, float("nan")]), ("1 of 160 rows", "rows 2", "target")),
    Bad("target inf", numbers([float("inf")]), ("1 of 160 rows (1 infinite): rows 1",)),
    Bad(
        "duplicate columns",
        table(lambda _: None, (*COLUMNS[:2], "stock", "stock", *COLUMNS[4:])),
        ('two columns called "stock"', "header of rows.csv"),
    ),
    Bad(
        "column vanished",
        table(lambda made: [line.pop(3) for line in made], (*COLUMNS[:3], *COLUMNS[4:])),
        ('"demand"', "vanished", "understand.sources.rows"),
    ),
    Bad(
        "ragged",
        table(lambda made: made[41].append("extra")),
        ("Row 42 of rows.csv has 7 cells, the header has 6", "understand.sources.rows.path"),
    ),
    Bad(
        "wrong encoding",
        raw(as_csv(rows()).replace("north", "nörd").encode("cp1252"), "data/rows.csv"),
        ("rows.csv", "byte", "encoding: cp1252", "understand.sources.rows.encoding"),
    ),
    Bad(
        "a type that does not fit",
        both(
            put("stock", f"{PERSON}", 6),
            edit("rows.csv}", "rows.csv, types: {stock: number}}"),
        ),
        ('"stock"', "rows 7", "understand.sources.rows.types.stock"),
    ),
]
SOURCE = "def load():\n    "
TRAINING = "def make(tables):\n    rows = tables['rows']\n    "
IN_THE_CODE = [
    Bad(
        "source raises",
        both(
            own(SOURCE + f"raise ValueError('{PERSON}')\n", section="a3", line="seed: 42"),
            edit("{kind: csv, path: data/rows.csv}", "{kind: function, function: features.load}"),
        ),
        ("features.load raised ValueError in features.py, line 4", "sources.rows.function"),
    ),
    Bad(
        "source returns text",
        both(
            own(SOURCE + f"return '{PERSON}'\n", section="a3", line="seed: 42"),
            edit("{kind: csv, path: data/rows.csv}", "{kind: function, function: features.load}"),
        ),
        ("features.load returned an object of type str", "sources.rows.function"),
    ),
    Bad(
        "training raises",
        own(
            TRAINING + "return rows[rows['contact'] == rows['contact'][0]]['no such']\n",
            section="understand",
            line="training: features.make",
        ),
        ("features.make raised KeyError in features.py, line 5", "understand.training"),
    ),
    Bad(
        "training returns nothing",
        own(TRAINING + "rows.head()\n", section="understand", line="training: features.make"),
        ("features.make returned nothing", "understand.training"),
    ),
    Bad(
        "training returns a column",
        own(TRAINING + "return rows['out']\n", section="understand", line="training: features.make"),
        ("features.make returned an object of type Series", "understand.training"),
    ),
    Bad(
        "training returns no rows",
        own(
            TRAINING + "return rows.head(0)\n", section="understand", line="training: features.make"
        ),
        ("0 rows", "understand.training"),
    ),
    Bad(
        "training ends the process",
        own(TRAINING + "raise SystemExit(0)\n", section="understand", line="training: features.make"),
        ("features.make raised SystemExit in features.py, line 5",),
    ),
    Bad(
        "training asks for input",
        own(TRAINING + "input()\n", section="understand", line="training: features.make"),
        ("features.make raised EOFError in features.py, line 5",),
    ),
    Bad(
        "no such function",
        own(TRAINING + "return rows\n", section="understand", line="training: features.mak"),
        ('features.py has no function "mak"', '"make"', "understand.training"),
    ),
    Bad(
        "not Python",
        own("def make(tables)\n", section="understand", line="training: features.make"),
        ("features.py, line 3", "understand.training"),
    ),
    Bad(
        "adapt raises",
        own(
            "def adapt(rows):\n    raise ValueError(rows.iloc[0].to_string())\n",
            section="a3",
            line="adapt: features.adapt",
        ),
        ("features.py, line 4", "ValueError"),
    ),
    Bad(
        "adapt returns text",
        own(
            "def adapt(rows):\n    return rows.to_csv()\n",
            section="a3",
            line="adapt: features.adapt",
        ),
        ("str", "adapt"),
    ),
    Bad(
        "adapt drops rows",
        own(
            "def adapt(rows):\n    return rows.head(3)\n", section="a3", line="adapt: features.adapt"
        ),
        ("adapt", "rows"),
    ),
    Bad(
        "candidate raises",
        both(
            own("def tree():\n    raise OSError('no')\n", section="a3", line="seed: 42"),
            edit("[decision_tree]", "[features.tree]"),
        ),
        ("features.tree", "OSError", "features.py, line 4"),
    ),
    Bad(
        "candidate is no estimator",
        both(
            own("def tree():\n    return 'tree'\n", section="a3", line="seed: 42"),
            edit("[decision_tree]", "[features.tree]"),
        ),
        ("features.tree", "str"),
    ),
]


def named(bad: Bad) -> str:
    return bad.name.replace(" ", "-")


def lasting(bench: Bench) -> dict[str, str]:
    """Return the digest of every folder that no mistake may change."""
    found = {}
    for name in LASTING:
        folder = bench.root / name
        files = sorted(path for path in folder.rglob("*") if path.is_file())
        found[name] = tree_digest(files, root=folder)
    return found


def nothing_is_lost(bench: Bench, before: list[dict[str, object]]) -> None:
    """Fail unless the ledger goes on from ``before``, verifies, and has no further opening."""
    after = bench.events()
    assert after[: len(before)] == before
    assert bench.type("audit", "verify").code == 0
    openings = [event for event in before if event["event"] == "seal.opened"]
    assert bench.events("seal.opened") == openings


def corrected(bench: Bench) -> None:
    """Put everything right that a mistake touched."""
    shutil.rmtree(bench.root / "data")
    (bench.root / "features.py").unlink(missing_ok=True)
    bench.write(FILE)
    bench.write(as_csv(rows()), "data/rows.csv")


@pytest.mark.parametrize("bad", [*IN_THE_FILE, *IN_THE_DATA, *IN_THE_CODE], ids=named)
def test_a_mistake_is_told_with_its_place_and_cure_and_costs_nothing(bad, at):
    bench = at("promote")
    verdict, kept, before = bench.facts("conclude"), lasting(bench), bench.events()
    bad.harm(bench)
    bench.type("run").refused(*bad.says, code=bad.code)
    nothing_is_lost(bench, before)
    corrected(bench)
    assert bench.facts("conclude")["kpis"] == verdict["kpis"]
    now = lasting(bench)
    assert {name: now[name] for name in now if name != "sealed"} == {
        name: kept[name] for name in kept if name != "sealed"
    }
    assert bench.facts("audit", "--alias", "champion")
    nothing_is_lost(bench, before)
