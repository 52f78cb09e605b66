from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from statsmodels.stats.multitest import multipletests

from qua3ck.conclude.concentration import concentrations, holm, wrong_rows
from qua3ck.question.outcome import Outcome
from qua3ck.understand.records import Column

REGION = Column("region", "category", "string", "feature")


def test_holm_agrees_with_statsmodels():
    values = [0.01, 0.2, 0.003, 0.04, 0.5]
    assert holm(values) == pytest.approx(multipletests(values, method="holm")[1])


def test_the_part_that_is_wrong_more_often_comes_first():
    rows = pd.DataFrame({"region": ["north"] * 80 + ["south"] * 320})
    wrong = np.r_[np.arange(80) < 40, np.arange(320) < 32]
    (north,) = concentrations(rows, wrong, (REGION,))
    assert (north["part"], north["rows"], north["errors"], north["rate"]) == ("north", 80, 40, 0.5)
    assert north["rest"] == pytest.approx(0.1)
    assert north["low"] < 0.5 < north["high"]
    assert north["p"] < 0.001


def test_small_cells_are_not_shown():
    rows = pd.DataFrame({"region": ["tiny"] * 29 + ["small"] * 40 + ["rest"] * 331})
    wrong = np.r_[np.ones(29, bool), np.arange(40) < 4, np.zeros(331, bool)]
    assert concentrations(rows, wrong, (REGION,)) == ()


def test_numbers_are_looked_at_by_quarter_dates_by_year_and_gaps_by_themselves():
    random = np.random.default_rng(0)
    rows = pd.DataFrame(
        {
            "income": np.where(np.arange(400) % 4 == 0, np.nan, random.uniform(0, 100, 400)),
            "day": pd.to_datetime(np.repeat(["2020-05-01", "2021-05-01"], 200)),
        }
    )
    wrong = rows["income"].isna().to_numpy() & (np.arange(400) % 3 > 0)
    wrong |= (np.arange(400) >= 200) & (np.arange(400) % 2 == 0)
    columns = (
        Column("income", "number", "double", "feature"),
        Column("day", "date", "timestamp", "feature"),
    )
    parts = {(part["column"], part["part"]) for part in concentrations(rows, wrong, columns)}
    assert ("income", "missing") in parts
    assert any(column == "day" and "2021" in part for column, part in parts)


def test_text_targets_and_left_out_columns_are_not_looked_at():
    rows = pd.DataFrame({"note": ["a"] * 100 + ["b"] * 100})
    wrong = np.arange(200) < 90
    for role, kind in (("feature", "text"), ("left_out", "category")):
        assert concentrations(rows, wrong, (Column("note", kind, "string", role),)) == ()


def test_without_effect_parts_are_seldom_significant():
    hits = 0
    for seed in range(40):
        random = np.random.default_rng(seed)
        rows = pd.DataFrame({"region": random.choice(list("abcd"), 400)})
        found = concentrations(rows, random.uniform(size=400) < 0.2, (REGION,))
        hits += any(part["p"] < 0.05 for part in found)
    assert hits <= 6


def test_for_a_regression_the_worst_fifth_is_wrong():
    truth = np.arange(100, dtype=float)
    said = truth + np.linspace(0, 10, 100)
    wrong = wrong_rows(Outcome(truth=truth, values=said))
    assert (wrong.sum(), wrong[-20:].all()) == (20, True)
