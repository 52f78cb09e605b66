from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pyarrow as pa

from qua3ck.kit.findings import Finding
from qua3ck.understand.columns import describe_columns
from qua3ck.understand.page import profile_page
from qua3ck.understand.profiling import profile
from qua3ck.understand.section import Source, Understand

RANDOM = np.random.default_rng(0)
ROWS = pa.table(
    {
        "y": RANDOM.integers(0, 2, 200),
        "x": [None, *RANDOM.normal(size=199)],
        "city": ["Ulm"] * 150 + ["Bonn"] * 46 + ["Lonely Village"] * 4,
        "name": [f"Person {n}" for n in range(200)],
        "note": [f"a long remark about case number {n}" for n in range(200)],
        "day": pa.array(range(200), pa.int32()).cast(pa.date32()),
        "flag": [True, False] * 100,
    }
)


def made():
    section = Understand(sources={"s": Source(kind="csv", path="x")}, target="y")
    columns = describe_columns(ROWS, section, wanted=(), share=0.2)
    return profile(ROWS, columns, truth=ROWS["y"].to_numpy(), classes=("0", "1"))


def test_figures_agree_with_pandas():
    facts = made()
    x = ROWS["x"].to_pandas()
    about = facts["columns"]["x"]
    assert facts["classes"] == {
        "0": int((ROWS["y"].to_numpy() == 0).sum()),
        "1": int(ROWS["y"].to_numpy().sum()),
    }
    assert about["missing"] == 1
    assert about["distinct"] == x.nunique()
    assert np.isclose(about["mean"], x.mean())
    assert np.isclose(about["sd"], x.std())
    assert np.allclose(
        list(about["quantiles"].values()), x.quantile([float(q) for q in about["quantiles"]])
    )
    assert sum(about["histogram"]["counts"]) == 199
    assert len(about["histogram"]["counts"]) == 20
    by = pd.Series(x).groupby(ROWS["y"].to_numpy()).mean()
    assert np.isclose(about["by_class"]["1"]["mean"], by[1])
    assert facts["columns"]["day"]["range"] == [0, 199]
    assert facts["columns"]["flag"]["top"] == {"false": 100, "true": 100}


def test_rare_values_names_and_texts_are_not_shown():
    text = json.dumps(made())
    assert made()["columns"]["city"]["top"] == {"Ulm": 150, "Bonn": 46}
    assert made()["columns"]["city"]["other"] == "<5"
    for secret in ("Lonely", "Person", "remark"):
        assert secret not in text


def test_columns_of_one_value_or_huge_range_still_have_a_histogram():
    rows = pa.table(
        {"y": [0, 1] * 5, "a": [7.0] * 10, "b": [-1e308, 1e308] * 5, "c": [1e17, 1e17 + 16] * 5}
    )
    section = Understand(sources={"s": Source(kind="csv", path="x")}, target="y")
    facts = profile(rows, describe_columns(rows, section, wanted=(), share=0.2))
    for name in "abc":
        assert sum(facts["columns"][name]["histogram"]["counts"]) == 10
    json.dumps(facts, allow_nan=False)


def test_the_page_needs_no_network_and_quotes_what_it_is_given_safely():
    finding = Finding("U009", "warn", "column <b>", "says <script>alert(1)</script>")
    page = profile_page(made(), title="A & B", findings=[finding], digest="feed")
    assert "http" not in page.replace("http-equiv", "")
    assert "<script" not in page
    assert "A &amp; B" in page
    assert page.count("<svg") == 3
