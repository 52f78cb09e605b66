from __future__ import annotations

import importlib.util
import json
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from qua3ck.understand.contract.cells import read_cells
from qua3ck.understand.contract.suspects import DETECTORS, find_suspects, outliers

ROOT = Path(__file__).parents[3]
DATA = ROOT.parent / "shared" / "data" / "dirty-tables"
needs_data = pytest.mark.skipif(not DATA.is_dir(), reason="the tables with known truth not here")


def judge():
    spec = importlib.util.spec_from_file_location(
        "dirty_tables", ROOT / "benchmarks" / "dirty_tables.py"
    )
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@needs_data
@pytest.mark.parametrize(("name", "least"), [("beers", 0.9), ("hospital", 0.6)])
def test_wrong_cells_of_real_tables_are_found_without_labels(name, least):
    tables = judge()
    dirty, clean = tables.cells(name, "dirty"), tables.cells(name, "clean")
    found, _ = tables.suspected(dirty)
    assert tables.scores(found, tables.wrong(dirty, clean))[2] >= least
    assert tables.suspected(clean)[0].mean() <= 0.01


@needs_data
def test_a_large_clean_table_raises_hardly_any_suspicion():
    tables = judge()
    assert tables.suspected(tables.cells("tax10k", "clean"))[0].mean() <= 0.01


def test_every_kind_of_suspicion_is_told_with_rows_and_without_values():
    days = [f"2024-{month:02d}-{day:02d}" for month in range(1, 6) for day in range(1, 21)]
    rows = pa.table(
        {
            "site": ["S01", "S02", "S03", "S04"] * 25,
            "town": ["Bamako", "Kayes", "Gao City", "Mopti"] * 24
            + ["Bamako", "Mopti", "Gao City", "Mopti"],
            "item": ["therapeutic food"] * 60 + ["plain soap bars"] * 39 + ["therapeutix food"],
            "weight": ["3.5 kg"] * 70 + ["3.5"] * 29 + ["5 lb"],
            "count": ["12"] * 99 + ["n/a"],
            "day": [*days[:-1], "2O24-05-20"],
            "note": ["all well in the village"] * 99 + ["it&amp;s late"],
            "grams": [*(str(3 + n % 7) for n in range(99)), "9000"],
            "phone": [*(f"70{n:06d}" for n in range(99)), ""],
            "_row": pa.array(range(11, 111), pa.int64()),
        }
    )
    suspects = find_suspects(rows, name="stock")
    found = {kind: column for column, kind in suspects.cells}
    assert set(found) == {each.kind for each in DETECTORS}
    assert suspects.cells["town", "contradiction"].nonzero()[0].tolist() == [97]
    assert suspects.cells["item", "spelling"].nonzero()[0].tolist() == [99]
    assert suspects.cells["weight", "unit"].sum() == 30
    assert suspects.cells["day", "form"].nonzero()[0].tolist() == [99]
    assert ("site", "town") in {(each.fixes, each.fixed) for each in suspects.dependencies}
    told = json.dumps([[f.says, f.where, dict(f.evidence)] for f in suspects.findings])
    for cell in ("Kayes", "therapeutix", "5 lb", "9000", "2O24", "&amp;"):
        assert cell not in told
    assert {finding.code for finding in suspects.findings} == {"U088"}
    assert {finding.severity for finding in suspects.findings} == {"inform"}
    (spelt,) = [f for f in suspects.findings if f.evidence["kind"] == "spelling"]
    assert spelt.evidence["example_rows"] == [110]


@pytest.mark.parametrize("seed", range(5))
def test_random_tables_raise_no_suspicion(seed):
    random = np.random.default_rng(seed)
    rows = pa.table(
        {
            "sex": random.choice(["female", "male"], 800),
            "district": random.choice([f"D{n:02d}" for n in range(30)], 800),
            "item": random.choice(["plumpy nut", "plumpy sup", "bednet", "soap"], 800),
            "weight": random.normal(12, 3, 800).round(1),
            "money": np.exp(random.normal(5, 2, 800)).round(2),
            "age": random.integers(0, 60, 800),
        }
    )
    found = find_suspects(rows).cells
    assert sum(int(mask.sum()) for mask in found.values()) <= 0.001 * rows.num_rows * 6


def test_outliers_are_far_on_both_scales_or_no_outliers():
    def seen(values):
        return outliers(read_cells(pa.chunked_array([pa.array(values)]), "x")).sum()

    kilograms = [3.0 + n % 20 / 2 for n in range(200)]
    assert seen([*kilograms, 7500.0]) == 1
    assert seen([*kilograms, 20.0]) == 0
    assert seen(np.exp(np.linspace(0, 9, 200)).tolist()) == 0  # a long tail
    assert seen([*range(50), -5000]) == 1  # one is allowed in any table
    assert seen([*range(50), -5000, -6000]) == 0
    assert seen([1.0] * 50 + [2.0]) == 0  # no middle half to be far from
    assert seen([1.0, 2.0, 3.0, 1e6]) == 0  # too few to say
