"""Whatever is typed, written or fed in: what, where and fix; exit 2; and nothing is lost."""

from __future__ import annotations

import contextlib
import ctypes
import functools
import json
import os
import re
import resource
import runpy
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from ruamel.yaml import YAML
from stock_project import COLUMNS, FILE, PERSON, Bench, Said, as_csv, rows

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
        bench.edit("logistic_regression", "linear_regression")

    return harm


def written(*targets: str) -> Harm:
    """Feed a CSV file with these cells as targets in front, and numbers behind."""

    def harm(bench: Bench) -> None:
        made = rows()
        for at, line in enumerate(made):
            line[-1] = targets[at] if at < len(targets) else str(1.5 * (at % 37))
        bench.write(as_csv(made), "data/rows.csv")
        bench.edit("accuracy, at_least: 0.7", "mae, at_most: 9")
        bench.edit("logistic_regression", "linear_regression")

    return harm


def bits(made: list[list[str]]) -> None:
    for at, line in enumerate(made):
        line[-1] = "NA" if at < 9 else str(at % 2)


def spelled(made: list[list[str]]) -> None:
    for line in made[::3]:
        line[-1] = line[-1].capitalize()


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
    Bad(
        "metric of another task",
        edit("accuracy, at_least", "rmse, at_most"),
        ("rmse is not", "right"),
        1,
    ),
    Bad("id that is missing", edit("id: right, ", ""), ('"id" is missing', "question.kpis[0].id")),
    Bad("section that is missing", edit("  target: out\n", ""), ('"target" is missing', "target:")),
    Bad("stop rule of text", edit("rows < 50", 'rows < "x"'), ("cannot be read", "stop_if[0]")),
    Bad("stop rule by zero", edit("rows < 50", "rows / 0 < 1"), ("rows / 0 < 1", "stop_if[0]")),
    Bad(
        "misspelt algorithm",
        edit("logistic_regression", "logistc_regression"),
        ("a3.candidates[0]", "P010"),
    ),
    Bad("empty project file", write(""), ("The project file is empty", "qua3ck init")),
    Bad("comments alone", write("# later\n"), ("The project file is empty", "qua3ck init")),
    Bad("a list", write("- a\n- b\n"), ("no project file: a list; a section with keys", "line 1")),
    Bad(
        "unreadable YAML",
        edit("[logistic_regression]", "[logistic_regression"),
        ("as YAML", "line 17", "the one above"),
    ),
    Bad("tabs", edit("  target: out", "\ttarget: out"), ("line 14, column 1", "tab")),
    Bad("a key twice", edit("  folds: 2", "  folds: 2\n  folds: 3"), ('"folds"', "line 19")),
    Bad(
        "latin-1", raw(FILE.replace("stock.", "Süd.").encode("latin-1"), "qua3ck.yaml"), ("UTF-8",)
    ),
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
    Bad("one row in a class", put("out", PERSON, 5), ('"out"', "one row only: row 6", "target")),
    Bad("target with gaps", put("out", "", 2, 8), ("2 of 160 rows", "2 empty", "rows 3, 9")),
    Bad("target NaN", numbers([1.0, float("nan")]), ("1 of 160 rows", "rows 2", "target")),
    Bad("target inf", numbers([float("inf")]), ("1 of 160 rows (1 infinite): rows 1",)),
    Bad(
        "target NaN in text",
        written("1.0", "NaN"),
        ("number but for 1 of 160 rows", "rows 2", 'nulls: {out: ["NaN"]}', "understand.target"),
    ),
    Bad(
        "target inf in text",
        written("inf", "-inf", "1e999"),
        ('1 "-inf", 1 "inf", 1 infinite', "rows 1, 2, 3"),
    ),
    Bad(
        "target of 0, 1 and NA",
        table(bits),
        ('number but for 9 of 160 rows (9 "NA"): rows 1, 2, 3, 4, 5 ...', "accept: {U027:"),
    ),
    Bad(
        "target of yes, no and n/a",
        put("out", "n/a", 3, 11),
        ('no value in 2 of 160 rows (2 "n/a"): rows 4, 12', 'nulls: {out: ["n/a"]}', "U027"),
    ),
    Bad("target in two spellings", table(spelled), ("2 in 4 ways", '"Yes"', "accept: {U028:")),
    Bad(
        "duplicate columns",
        table(lambda _: None, (*COLUMNS[:2], "stock", "stock", *COLUMNS[4:])),
        ("Columns 3 and 4 of rows.csv have the same name", "header of rows.csv"),
    ),
    Bad(
        "column vanished",
        table(lambda made: [line.pop(3) for line in made], (*COLUMNS[:3], *COLUMNS[4:])),
        ('"demand"', "vanished", "understand.sources.rows"),
    ),
    Bad(
        "wrong encoding",
        raw(as_csv(rows()).replace("north", "nörd").encode("cp1252"), "data/rows.csv"),
        ("rows.csv", "byte", "encoding: cp1252", "understand.sources.rows.encoding"),
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
        own(
            TRAINING + "return rows['out']\n", section="understand", line="training: features.make"
        ),
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
        own(
            TRAINING + "raise SystemExit(0)\n", section="understand", line="training: features.make"
        ),
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
            "def adapt(rows):\n    return rows.head(3)\n",
            section="a3",
            line="adapt: features.adapt",
        ),
        ("adapt", "rows"),
    ),
    Bad(
        "candidate raises",
        both(
            own("def tree():\n    raise OSError('no')\n", section="a3", line="seed: 42"),
            edit("[logistic_regression]", "[features.tree]"),
        ),
        ("features.tree", "OSError", "features.py, line 4"),
    ),
    Bad(
        "candidate is no estimator",
        both(
            own("def tree():\n    return 'tree'\n", section="a3", line="seed: 42"),
            edit("[logistic_regression]", "[features.tree]"),
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


@functools.cache
def verifier() -> Callable[[Path], int]:
    """Return the stand-alone verifier, which needs neither our package nor the project file."""
    path = Path(__file__).parents[2] / "tools" / "verify_ledger.py"
    return runpy.run_path(str(path))["main"]


def nothing_is_lost(bench: Bench, before: list[dict[str, object]]) -> None:
    """Fail unless the ledger goes on from ``before``, verifies, and has no further opening."""
    after = bench.events()
    assert after[: len(before)] == before
    assert verifier()(bench.root) == 0
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
    assert bench.type("audit", "verify").code == 0
    nothing_is_lost(bench, before)


RECORDS = [
    Bad(
        "ragged",
        table(lambda made: made[41].append("extra")),
        ("waits in quarantine", "rows.csv: line 43", "U030"),
    ),
    Bad(
        "a type that does not fit",
        both(
            put("stock", f"{PERSON}", 6),
            edit("rows.csv}", "rows.csv, types: {stock: number}}"),
        ),
        ("waits in quarantine", "rows.csv: line 8", "rows, stock,", "U033"),
    ),
]


@pytest.mark.parametrize("bad", RECORDS, ids=named)
def test_a_record_that_does_not_fit_is_held_and_told_and_the_others_go_on(bad, at):
    bench = at("new")
    bad.harm(bench)
    said = bench.type("understand")
    assert said.code == 0, said.err
    for part in bad.says:
        assert part in said.out
    assert "Amina" not in said.out + said.err
    loaded = bench.events("source.loaded")[0]["body"]
    assert (loaded["came"], loaded["loaded"], loaded["held"]) == (160, 159, 1)
    corrected(bench)
    bench.done("understand")
    assert bench.events("source.loaded")[-1]["body"]["held"] == 0
    assert "U060" not in bench.type("understand").out


WRONG_TYPES = [
    ("project", "[stock]"),
    ("product", "indicator"),
    ("question", "Which clinics?"),
    ("question.asks", "[Which]"),
    ("question.stop_if", "rows < 50"),
    ("question.kpis", "{id: right, metric: accuracy, at_least: 0.7}"),
    ("question.kpis[0].confidence", "95"),
    ("question.kpis[0].slice", "[region]"),
    ("question.kpis[0].slice_by", "region"),
    ("question.kpis[0].min_rows", "many"),
    ("question.fairness", "region"),
    ("question.positive", "{yes: 1}"),
    ("question.costs", "5"),
    ("question.costs.false_negative", "-1"),
    ("question.risk", "high"),
    ("question.risk.affects", "'people, mostly'"),
    ("question.risk.automated", "perhaps"),
    ("question.roles.approvers", "rosa"),
    ("understand", "[rows]"),
    ("understand.sources", "data/rows.csv"),
    ("understand.sources", "{}"),
    ("understand.sources.rows.kind", "xlsx"),
    ("understand.sources.rows.delimiter", "';;'"),
    ("understand.sources.rows.null", "NA"),
    ("understand.sources.rows.types", "{stock: decimal}"),
    ("understand.target", "[out]"),
    ("understand.known_at_prediction", "[demand]"),
    ("understand.sensitive", "region"),
    ("understand.columns", "{stock: numeric}"),
    ("understand.accept", "[U016]"),
    ("a3", "logistic_regression"),
    ("a3.candidates", "logistic_regression"),
    ("a3.candidates", "[]"),
    ("a3.budget", "30"),
    ("a3.budget.trials", "0"),
    ("a3.budget.minutes", "ten"),
    ("a3.folds", "1"),
    ("a3.seed", "1.5"),
    ("conclude.test_share", "30"),
    ("conclude.openings", "0"),
    ("transfer.approve", "everybody"),
    ("transfer.tracking", "[a, b]"),
    ("operate.canary", "5"),
    ("operate.alarm_budget", "1"),
    ("operate.canary", "[25, 5]"),
    ("operate.fallback", "refer"),
    ("operate.serve.hold", "10"),
    ("operate.serve.ab_share", "101"),
    ("operate.serve.limits.rows", "0"),
]


def with_value(dotted: str, value: str) -> tuple[str, int]:
    """Return the project file with one value exchanged, and the line it stands in."""
    data = YAML(typ="safe").load(FILE)
    keys = [int(key) if key.isdigit() else key for key in re.findall(r"\w+", dotted)]
    here = data
    for key in keys[:-1]:
        here = here.setdefault(key, {}) if isinstance(here, dict) else here[key]
    here[keys[-1]] = "@"
    lines = json.dumps(data, indent=1).splitlines()
    line = next(number for number, text in enumerate(lines, 1) if '"@"' in text)
    return "\n".join(lines).replace('"@"', value), line


@pytest.mark.parametrize(("key", "value"), WRONG_TYPES)
def test_a_value_of_the_wrong_kind_is_told_with_its_key_and_line(key, value, at):
    bench = at("new")
    text, line = with_value(key, value)
    bench.write(text)
    bench.type("check").refused(key, f"qua3ck.yaml, line {line}, ")
    assert [path.name for path in bench.root.iterdir() if path.name != "data"] == ["qua3ck.yaml"]


# -- the seal ------------------------------------------------------------------


def test_without_the_key_of_the_seal_no_opening_is_spent(at):
    bench = at("loop")
    key = next((bench.keys / "secrets").glob("seal-*"))
    hidden = key.rename(bench.keys / "elsewhere")
    before = bench.events()
    bench.type("conclude").refused("cannot be opened", key.stem, "QUA3CK_KEYS", "U108")
    nothing_is_lost(bench, before)
    hidden.rename(key)
    assert bench.facts("conclude")["opening"] == 1


def test_with_a_wrong_key_no_opening_is_spent(at):
    bench = at("loop")
    key = next((bench.keys / "secrets").glob("seal-*"))
    right = key.read_bytes()
    key.write_bytes(bytes(reversed(right)))
    before = bench.events()
    bench.type("conclude").refused("does not fit the seal", "QUA3CK_KEYS", "U109")
    nothing_is_lost(bench, before)
    key.write_bytes(right)
    assert bench.facts("conclude")["opening"] == 1


def test_another_persons_key_store_is_refused_before_anything_is_done(at, tmp_path, monkeypatch):
    bench = at("loop")
    before = bench.events()
    monkeypatch.setenv("QUA3CK_KEYS", str(tmp_path / "other"))
    bench.type("conclude").refused('"ana"', "QUA3CK_KEYS")
    monkeypatch.setenv("QUA3CK_KEYS", str(bench.keys))
    nothing_is_lost(bench, before)
    assert bench.facts("conclude")["opening"] == 1


def test_a_second_opening_over_the_budget_is_refused_and_the_first_verdict_stays(at):
    bench = at("release")
    verdict = bench.facts("conclude")
    bench.edit("[logistic_regression]", "[decision_tree]")
    before = bench.events()
    bench.type("run").refused("opened 1 of 1 times", "by ana", "conclude.openings", "openings: 2")
    nothing_is_lost(bench, before)
    corrected(bench)
    assert bench.facts("conclude") == verdict
    assert bench.facts("release")["version"] == 1
    nothing_is_lost(bench, before)


def test_an_altered_seal_is_refused(at):
    bench = at("loop")
    sealed = next((bench.root / "sealed").glob("*/rows.bin"))
    stored = sealed.read_bytes()
    sealed.write_bytes(stored[:-1] + bytes([stored[-1] ^ 1]))
    before = bench.events()
    bench.type("conclude").refused("rows.bin", "changed", "U110")
    nothing_is_lost(bench, before)
    sealed.write_bytes(stored)
    assert bench.facts("conclude")["opening"] == 1


# -- the ledger ----------------------------------------------------------------

WRITING = (
    ("understand", "--again"),
    ("loop",),
    ("conclude",),
    ("run",),
    ("release",),
    ("reproduce",),
    ("enrol", "rosa", "--role", "risk_manager"),
    ("approve", "--reason", "read"),
    ("promote", "--reason", "again"),
    ("rollback", "--reason", "back"),
)


def test_after_a_line_of_the_ledger_was_edited_nothing_is_written_any_more(at):
    bench = at("promote")
    chain = bench.root / "ledger" / "chain.jsonl"
    honest = chain.read_bytes()
    lines = honest.splitlines(keepends=True)
    at_line = next(n for n, line in enumerate(lines) if b'"verdict.made"' in line)
    lines[at_line] = lines[at_line].replace(b'"n":48', b'"n":84')
    chain.write_bytes(b"".join(lines))
    kept = lasting(bench)
    for words in WRITING:
        bench.type(*words).refused("L006", f"chain.jsonl, line {at_line + 1}", "audit verify")
    said = bench.type("audit", "verify")
    assert said.code == 1
    assert f"line {at_line + 1}" in said.out
    assert chain.read_bytes() == b"".join(lines)
    assert lasting(bench) == kept
    chain.write_bytes(honest)
    assert bench.type("audit", "verify").code == 0
    bench.done("promote", "--reason", "again")


def test_after_the_last_line_of_the_ledger_was_cut_nothing_is_written_any_more(at):
    bench = at("promote")
    chain = bench.root / "ledger" / "chain.jsonl"
    honest = chain.read_bytes()
    cut = b"".join(honest.splitlines(keepends=True)[:-1])
    chain.write_bytes(cut)
    for words in WRITING:
        bench.type(*words).refused("L003", "chain.jsonl", "audit verify")
    assert chain.read_bytes() == cut
    assert bench.type("audit", "verify").code == 1
    chain.write_bytes(honest)
    bench.done("promote", "--reason", "again")


# -- the registry --------------------------------------------------------------

DEAD = "tracking: http://127.0.0.1:9"


def test_a_dead_mlflow_server_ends_the_loop_in_seconds_and_costs_no_trial(at):
    bench = at("understand")
    bench.write(f"{FILE}transfer: {{{DEAD}}}\n")
    before, began = bench.events(), time.monotonic()
    bench.type("loop").refused("MLflow server", "http://127.0.0.1:9", "transfer.tracking")
    assert time.monotonic() - began < 20
    nothing_is_lost(bench, before)
    corrected(bench)
    bench.done("loop")


def test_check_tells_of_the_project_although_the_registry_is_out_of_reach(at):
    bench = at("release")
    bench.write(f"{FILE}transfer: {{{DEAD}}}\n")
    bench.edit("automated: false}", "automated: false}\n  roles: {steward: nobody}")
    said = bench.done("check")
    assert said.err == ""
    assert said.out.index("P012") < said.out.index("S040")
    assert "The MLflow server does not answer" in said.out
    assert "start the server" in said.out


def test_a_release_that_could_not_be_registered_is_registered_by_the_next_call(at):
    bench = at("conclude")
    bench.write(f"{FILE}transfer: {{{DEAD}}}\n")
    bench.type("release").refused("MLflow server", "http://127.0.0.1:9", "transfer.tracking")
    assert len(bench.events("release.made")) == 1
    assert bench.events("release.registered") == []
    corrected(bench)
    assert bench.facts("release")["version"] == 1
    assert len(bench.events("release.made")) == 1
    assert len(bench.events("release.registered")) == 1
    bench.done("promote", "--reason", "it passed")


def test_a_promotion_holds_though_the_registry_is_out_of_reach(at):
    bench = at("release")
    bench.write(f"{FILE}transfer: {{{DEAD}}}\n")
    moved = bench.facts("promote", "--reason", "it passed")
    assert not moved["mirrored"]
    assert "does not answer" in moved["note"]
    corrected(bench)
    assert bench.facts("promote", "--reason", "it passed")["mirrored"]
    assert len(bench.events("alias.moved")) == 1


# -- the disk ------------------------------------------------------------------


@contextlib.contextmanager
def room(size: int) -> Iterator[None]:
    """Let no file grow beyond ``size`` bytes, in this process and its children."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_a_full_disk_while_writing_a_release_leaves_no_half_of_it(at):
    bench = at("conclude")
    before = bench.events()
    with room(60_000):
        bench.type("release").refused("Version 1 could not be written", "nothing of it was kept")
    assert [path for path in (bench.root / "releases").iterdir() if path.is_dir()] == []
    assert bench.events() == before
    nothing_is_lost(bench, before)
    assert bench.facts("release")["version"] == 1


def test_a_full_disk_while_writing_the_ledger_leaves_it_whole(at):
    bench = at("release")
    before = bench.events()
    size = (bench.root / "ledger" / "chain.jsonl").stat().st_size
    with room(size + 40):
        bench.type("promote", "--reason", "it passed").refused("alias.moved", "chain.jsonl", "room")
    assert bench.events() == before
    nothing_is_lost(bench, before)
    bench.done("promote", "--reason", "it passed")
    assert bench.events()[: len(before)] == before


@pytest.mark.parametrize(("stage", "verb", "size"), [
    ("new", "understand", 2_000), ("understand", "loop", 300), ("understand", "loop", 5_000),
    ("loop", "conclude", 3_000),
])  # fmt: skip
def test_a_full_disk_in_a_phase_is_told_and_the_phase_can_be_done_again(stage, verb, size, at):
    bench = at(stage)
    before = bench.events()
    with room(size):
        said = bench.type(verb)
    said.refused()
    assert bench.events()[: len(before)] == before
    bench.done(verb)
    assert len(bench.events("seal.opened")) == (verb == "conclude")
    assert verifier()(bench.root) == 0


# -- who, and who else ---------------------------------------------------------


@pytest.mark.parametrize("words", [words for words in WRITING if words[0] != "enrol"])
def test_who_is_not_enrolled_is_told_before_anything_is_done(words, at):
    bench = at("promote")
    (bench.root / "state" / "understand.json").unlink()  # there would be much to do
    before, kept = bench.events(), lasting(bench)
    bench.type(*words, "--as", "eve").refused('"eve" is not enrolled', "qua3ck enrol eve", "ana")
    assert bench.events() == before
    assert lasting(bench) == kept
    assert not (bench.root / "state" / "understand.json").exists()


@pytest.mark.parametrize("words", [words for words in WRITING if words[0] != "enrol"])
def test_who_may_not_is_told_before_anything_is_done(words, at):
    bench = at("promote")
    bench.done("enrol", "otto", "--role", "auditor")
    (bench.root / "state" / "understand.json").unlink()
    before, kept = bench.events(), lasting(bench)
    bench.type(*words, "--as", "otto").refused('"otto" may not', "auditor")
    assert bench.events() == before
    assert lasting(bench) == kept


@pytest.mark.parametrize("verb", ["understand", "loop", "conclude", "run", "release", "reproduce"])
def test_two_at_once_in_one_folder(verb, at):
    bench = at("release")
    before = bench.events()
    with sole_worker(bench.root, verb="run"):
        bench.type(verb).refused("Another qua3ck is at work", "qua3ck run", str(os.getpid()))
    assert bench.events() == before
    if verb != "reproduce":
        bench.done(verb)


def test_a_folder_that_cannot_be_written_is_told_and_can_still_be_read(at):
    bench = at("release")
    before = bench.events()
    folders = [bench.root, *(path for path in bench.root.rglob("*") if path.is_dir())]
    for path in bench.root.rglob("*"):
        path.chmod(0o555 if path.is_dir() else 0o444)
    bench.root.chmod(0o555)
    try:
        for words in (
            ("run",),
            ("release",),
            ("promote", "--reason", "x"),
            ("enrol", "x", "--role", "auditor"),
        ):
            said = without_privileges(bench, *words)
            said.refused("Permission denied", str(bench.root))
        for words in (("audit", "verify"), ("check",), ("report",)):
            assert without_privileges(bench, *words).code == 0
    finally:
        for path in folders:
            path.chmod(0o755)
    assert bench.events() == before
    for path in bench.root.rglob("*"):
        path.chmod(0o755 if path.is_dir() else 0o644)
    bench.done("promote", "--reason", "it passed")


def without_privileges(bench: Bench, *words: str) -> Said:
    """Type a command as somebody whom the rights on files bind, which root is not."""
    done = subprocess.run(
        [sys.executable, "-m", "qua3ck", *words, str(bench.root)],
        capture_output=True,
        text=True,
        check=False,
        preexec_fn=_bound_by_rights,
    )
    return Said(done.returncode, done.stdout, done.stderr)


def _bound_by_rights() -> None:
    if os.geteuid() == 0:
        libc = ctypes.CDLL(None, use_errno=True)
        for capability in (1, 2):  # CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH
            libc.prctl(24, capability, 0, 0, 0)  # PR_CAPBSET_DROP


# -- the first attempt goes wrong ----------------------------------------------


@pytest.mark.parametrize("bad", [
    Bad("header misspelt", table(lambda _: None, (*COLUMNS[:5], "outt")), ('"outt"',)),
    Bad("two headers misspelt", table(lambda _: None, ("a", "b", *COLUMNS[2:5], "c")), ('"out"',)),
    Bad("target constant", put("out", "no"), ("same value",)),
    Bad("semicolons and commas", edit("0", "0,0", "data/rows.csv"), ("cells",)),
], ids=named)  # fmt: skip
def test_after_a_first_attempt_that_failed_the_correct_table_is_taken(bad, at):
    bench = at("new")
    bad.harm(bench)
    bench.type("understand").refused(*bad.says)
    corrected(bench)
    taken = bench.facts("understand")
    assert {column["name"] for column in taken["columns"]} == set(COLUMNS)


def test_leading_zeros_of_ids_are_kept(at):
    bench = at("understand")
    taken = bench.facts("understand")
    clinic = next(column for column in taken["columns"] if column["name"] == "clinic")
    assert (clinic["type"], clinic["role"]) == ("string", "left_out")
    bench.edit("  target: out", "  target: out\n  entity: clinic")
    assert {c["name"]: c["role"] for c in bench.facts("understand")["columns"]}[
        "clinic"
    ] == "entity"


@pytest.mark.parametrize("name", ["data/rows.csv", "data/rows.yaml", "elsewhere"])
def test_what_is_no_project_is_told_and_not_quoted(name, at):
    bench = at("new")
    shutil.copy(bench.root / "data" / "rows.csv", bench.root / "data" / "rows.yaml")
    Bench(bench.root / name, bench.keys).type("run").refused(name)
