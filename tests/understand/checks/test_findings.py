"""Each finding has a table that raises it, and a clean one that does not."""

from __future__ import annotations

import dataclasses

import numpy as np
import pyarrow as pa
import pytest
from sklearn import datasets

from qua3ck.understand.checks import View, check_across, check_leaks, check_quality, check_structure
from qua3ck.understand.codes import PAGES
from qua3ck.understand.columns import describe_columns
from qua3ck.understand.section import Known, Source, Understand
from qua3ck.understand.target import read_target

N = 400


def view(rows, **section) -> View:
    table = rows if isinstance(rows, pa.Table) else pa.table(rows)
    declared = Understand(sources={"s": Source(kind="csv", path="x")}, target="y", **section)
    target = read_target(table, declared, None)
    columns = describe_columns(table, declared, wanted=(), share=0.2)
    return View(table, columns, target, target.truth(table), declared, seed=0)


def found(seen: View) -> list[tuple[str, str]]:
    every = [
        *check_quality(seen),
        *check_leaks(seen, from_function=False),
        *check_structure(seen),
    ]
    return [(one.code, one.severity) for one in every]


def clean(seed: int = 0, rows: int = N) -> dict[str, object]:
    random = np.random.default_rng(seed)
    x = random.normal(size=rows)
    return {
        "x": x,
        "count": random.poisson(5, rows),
        "city": random.choice(["Ulm", "Bonn", "Kiel"], rows),
        "y": (x + random.normal(size=rows) > 0).astype(int),
    }


def with_column(name: str, values: object, **section) -> View:
    return view(clean() | {name: values}, **section)


def y(seed: int = 0) -> np.ndarray:
    return np.asarray(clean(seed)["y"])


def drifting() -> dict[str, object]:
    slow = np.sin(np.arange(N) / 40)
    return clean() | {"y": (slow + np.random.default_rng(1).normal(size=N) / 3 > 0).astype(int)}


def grouped(name: str) -> dict[str, object]:
    random = np.random.default_rng(2)
    group = random.integers(0, 60, N)
    outcome = random.integers(0, 2, 60)[group]
    noise = random.random(N) < 0.1
    return clean() | {
        name: group * 17 + 3,
        "roof": random.normal(size=60).round(3)[group],
        "wall": random.normal(size=60).round(3)[group],
        "y": np.where(noise, 1 - outcome, outcome),
    }


CASES = [
    ("U001", "block", lambda: with_column("late", 3 * y() + 1)),
    ("U001", "block", lambda: with_column("state", np.where(y() == 1, "closed", "open"))),
    ("U001", "block", lambda: view({"x": np.arange(400.0) * 2, "y": np.arange(400) * 5.5 + 2})),
    (
        "U002",
        "warn",
        lambda: with_column("near", np.where(np.arange(N) % 250 == 0, 1 - y(), y()) + 0.0),
    ),
    ("U003", "warn", lambda: with_column("ref", [f"A{n}" for n in range(N)])),
    ("U003", "warn", lambda: with_column("row", np.arange(N))),
    ("U003", "warn", lambda: with_column("row", np.r_[np.arange(N - 8), np.arange(8)])),
    (
        "U007",
        "inform",
        lambda: with_column("after", y() * 2, known_at_prediction=Known(exclude=("after",))),
    ),
    ("U008", "warn", lambda: view(clean() | {"y": ["rare"] * 5 + ["a", "b"] * 197 + ["a"]})),
    ("U009", "inform", lambda: with_column("same", ["x"] * N)),
    ("U009", "inform", lambda: with_column("none", pa.array([None] * N, pa.string()))),
    ("U010", "warn", lambda: view(drifting())),
    (
        "U010",
        "inform",
        lambda: with_column(
            "day", pa.array(np.random.default_rng(3).permutation(N), pa.int32()).cast(pa.date32())
        ),
    ),
    (
        "U010",
        "warn",
        lambda: view(
            pa.table(drifting() | {"day": pa.array(range(N), pa.int32()).cast(pa.date32())}).take(
                pa.array(np.random.default_rng(4).permutation(N))
            )
        ),
    ),
    ("U011", "warn", lambda: view(grouped("household_id"))),
    ("U011", "warn", lambda: view(grouped("plot"))),
    ("U012", "inform", lambda: with_column("phone", [None] * 250 + list(np.arange(150) % 7))),
    ("U029", "warn", lambda: with_column("rate", [np.inf, -np.inf, 1e39, *range(397)])),
    ("U012", "warn", lambda: with_column("phone", [None] * 390 + list(np.arange(10) % 7))),
    (
        "U013",
        "warn",
        lambda: view(pa.concat_tables([pa.table(clean()), pa.table(clean()).slice(0, 60)])),
    ),
]


@pytest.mark.parametrize(("code", "severity", "make"), CASES)
def test_the_trap_is_found(code, severity, make):
    assert (code, severity) in found(make())


@pytest.mark.parametrize(("code", "make"), [(c, m) for c, _, m in CASES if c in {"U010", "U011"}])
def test_what_is_declared_is_not_reported_as_undeclared(code, make):
    seen = make()
    names = [
        column.name for column in seen.columns if column.name in {"day", "household_id", "plot"}
    ]
    if not names:
        return
    part = {"time": names[0]} if code == "U010" else {"group": names[0]}
    declared = dataclasses.replace(seen, section=seen.section.model_copy(update=part))
    assert code not in [c for c, _ in found(declared)]


@pytest.mark.parametrize("seed", range(20))
def test_clean_tables_raise_nothing(seed):
    assert found(view(clean(seed))) == []


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("name", ["iris", "wine", "breast_cancer", "diabetes"])
def test_shuffled_textbook_tables_raise_nothing(name, seed):
    frame = getattr(datasets, f"load_{name}")(as_frame=True).frame
    table = pa.Table.from_pandas(
        frame.rename(columns={"target": "y"}).sample(frac=1, random_state=seed),
        preserve_index=False,
    )
    assert found(view(table, task="regression" if name == "diabetes" else "auto")) == []


@pytest.mark.parametrize("name", ["iris", "wine"])
def test_a_table_sorted_by_its_target_is_not_taken_for_time(name):
    frame = getattr(datasets, f"load_{name}")(as_frame=True).frame
    table = pa.Table.from_pandas(frame.rename(columns={"target": "y"}))
    assert found(view(table)) == []


@pytest.mark.parametrize("seed", range(5))
def test_rare_classes_and_many_columns_raise_no_false_alarm(seed):
    random = np.random.default_rng(seed)
    rows = {f"c{n}": random.normal(size=600) for n in range(15)}
    rows |= {f"k{n}": random.integers(0, 150, 600) for n in range(5)}
    assert found(view(rows | {"y": (random.random(600) < 0.05).astype(int)})) == []


def test_few_columns_repeat_by_chance_and_that_is_no_warning():
    random = np.random.default_rng(0)
    rows = {
        "a": random.integers(0, 4, N),
        "b": random.integers(0, 4, N),
        "y": random.integers(0, 2, N),
    }
    assert ("U013", "warn") not in found(view(rows))


def test_a_returned_column_that_is_not_known_in_time_says_what_it_alone_would_tell():
    seen = with_column("after", y() * 2, known_at_prediction=Known(exclude=("after",)))
    told = [f for f in check_leaks(seen, from_function=True) if f.code == "U007"]
    assert told[0].severity == "warn"
    assert told[0].evidence["score"] == 1.0
    assert "not known at prediction time" in told[0].says


@pytest.mark.parametrize("seed", range(20))
def test_numbers_drawn_from_as_few_values_as_there_are_rows_name_nothing(seed):
    drawn = np.random.default_rng(seed).integers(0, N, N)
    assert "U003" not in [code for code, _ in found(with_column("drawn", drawn))]


def test_infinite_cells_are_counted_per_column_and_empty_ones_are_not_among_them():
    rates = [np.inf] * 8 + [np.nan] * 5 + [None] * 5 + [float(n % 50) for n in range(N - 18)]
    told = [f for f in check_quality(with_column("rate", rates)) if f.code == "U029"]
    assert [(f.where, f.evidence["infinite"]) for f in told] == [(f"column rate, 8 of {N} rows", 8)]
    assert "In prediction" in told[0].says


def test_findings_quote_no_row_of_an_identifier():
    seen = with_column("name", [f"Ada Nr. {n}" for n in range(N)])
    assert all("Ada" not in f.says for f in check_quality(seen))


def sides(train, test, features=("x",), **section):
    declared = Understand(sources={"s": Source(kind="csv", path="x")}, target="y", **section)
    return [
        (f.code, f.severity)
        for f in check_across(pa.table(train), pa.table(test), declared, features)
    ]


def test_rows_on_both_sides_are_found():
    assert sides({"x": [1.0, 2.0]}, {"x": [2, 3]}) == [("U004", "warn")]
    assert sides({"x": [1.0]}, {"x": [*range(1, 101)]}) == [("U004", "inform")]
    assert sides({"x": [1]}, {"x": [2]}) == []


def test_near_copies_on_both_sides_are_found_without_a_word_of_them():
    said = "Amina asked when the water point will be repaired"
    train = pa.table({"note": [said, "all was well"], "sex": ["f", "m"], "n": [1, 2]})
    slips = [said, said.replace("repaired", "repaird"), said.upper(), "Musa sent no report"]
    test = pa.table({"note": slips, "sex": ["f", "f", "m", "f"], "n": [1, 9, 1, 4]})
    declared = Understand(sources={"s": Source(kind="csv", path="x")}, target="y")
    kinds = {"note": "text", "sex": "category", "n": "number"}
    found = list(check_across(train, test, declared, list(kinds), kinds))
    assert [(one.code, one.evidence["rows"]) for one in found] == [("U004", 1), ("U089", 1)]
    assert "Amina" not in str(found)
    assert [one.code for one in check_across(train, test, declared, ["n"], {"n": "number"})] == [
        "U004"
    ]


def test_groups_and_entities_on_both_sides_are_found():
    train, test = {"x": [1, 2], "g": ["a", "b"]}, {"x": [3, 4], "g": ["b", "c"]}
    assert sides(train, test, group="g") == [("U005", "block")]
    assert sides(train, test, entity="g") == [("U005", "warn")]
    early, late = train | {"t": [1, 2]}, test | {"t": [3, 4]}
    assert sides(early, late, entity="g", time="t") == [("U005", "inform")]
    assert sides(train, {"x": [3], "g": ["c"]}, group="g") == []


def test_training_rows_that_are_not_older_are_found():
    assert sides({"x": [1, 2], "t": [1, 5]}, {"x": [3], "t": [5]}, time="t") == [("U006", "block")]
    assert sides({"x": [1, 2], "t": [1, 4]}, {"x": [3], "t": [5]}, time="t") == []


def test_every_code_has_one_page():
    codes = [page.code for page in PAGES]
    assert len(codes) == len(set(codes))
    assert all(len(page.means) > 20 and len(page.cure) > 5 for page in PAGES)
