from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from qua3ck.kit.errors import Qua3ckError
from qua3ck.understand.columns import describe_columns
from qua3ck.understand.section import Known, Source, Understand

N = 100
RANDOM = np.random.default_rng(5)
ROWS = pa.table(
    {
        "y": [0, 1] * 50,
        "age": RANDOM.integers(18, 90, N),
        "height": RANDOM.normal(size=N),
        "gaps": [None, *RANDOM.normal(size=N - 1)],
        "city": RANDOM.choice(["Ulm", "Bonn"], N),
        "member": RANDOM.choice([True, False], N),
        "joined": pa.array(RANDOM.integers(0, 9000, N), pa.int32()).cast(pa.date32()),
        "note": [f"the field officer wrote remark number {n}" for n in range(N)],
        "ref": [f"A-{n:04}" for n in range(N)],
        "row": range(N),
        "loan_id": RANDOM.permutation(10**6)[:N],
        "amount": RANDOM.permutation(10**6)[:N],
        "same": ["x"] * N,
        "empty": pa.array([None] * N, pa.string()),
    }
)


def described(rows=ROWS, *, wanted=(), **section):
    declared = Understand(sources={"s": Source(kind="csv", path="x")}, target="y", **section)
    return {c.name: c for c in describe_columns(rows, declared, wanted=wanted, share=0.2)}


@pytest.mark.parametrize(
    ("name", "kind", "role"),
    [
        ("y", "number", "target"),
        ("age", "number", "feature"),
        ("height", "number", "feature"),
        ("city", "category", "feature"),
        ("member", "bool", "feature"),
        ("joined", "date", "feature"),
        ("note", "text", "feature"),
        ("ref", "category", "left_out"),
        ("row", "number", "left_out"),
        ("loan_id", "number", "left_out"),
        ("amount", "number", "feature"),
        ("same", "category", "left_out"),
        ("empty", "category", "left_out"),
    ],
)
def test_kind_and_part_follow_the_values(name, kind, role):
    got = described()[name]
    assert (got.kind, got.role) == (kind, role)
    assert bool(got.why) == (role == "left_out")


def test_a_row_number_is_known_with_the_gaps_of_the_sealed_rows():
    rows = ROWS.set_column(9, "row", pa.array(np.sort(RANDOM.permutation(125)[:N])))
    assert described(rows)["row"].role == "left_out"


def test_gaps_ranges_and_values_are_noted():
    got = described()
    assert [name for name, c in got.items() if c.indicator] == ["gaps", "empty"]
    assert got["city"].values == ("Bonn", "Ulm")
    assert (got["age"].low, got["age"].high) == (
        min(ROWS["age"].to_pylist()),
        max(ROWS["age"].to_pylist()),
    )
    assert got["joined"].low == min(ROWS["joined"].cast("int32").to_pylist())
    assert got["city"].low is None


def test_at_most_a_thousand_values_of_a_category_are_kept_the_commonest():
    names = [f"v{n:04}" for n in range(1500)]
    rows = pa.table({"y": [0, 1] * 1500, "c": names + ["v1499"] * 1500})
    kept = described(rows)["c"]
    assert len(kept.values) == 1000
    assert "v1499" in kept.values
    assert kept.distinct == 1500


@pytest.mark.parametrize(
    ("name", "declared"),
    [
        ("age", "category"),
        ("note", "category"),
        ("city", "text"),
        ("ref", "category"),
        ("member", "number"),
        ("row", "number"),
    ],
)
def test_what_is_declared_wins(name, declared):
    got = described(columns={name: declared})[name]
    assert (got.kind, got.role) == (declared, "feature")


@pytest.mark.parametrize(
    ("section", "name", "role"),
    [
        ({"columns": {"age": "ignore"}}, "age", "left_out"),
        ({"sensitive": ("city",)}, "city", "sensitive"),
        ({"known_at_prediction": Known(exclude=("age",))}, "age", "left_out"),
        ({"time": "joined"}, "joined", "time"),
        ({"time": "joined", "columns": {"joined": "date"}}, "joined", "feature"),
        ({"group": "city"}, "city", "group"),
        ({"entity": "ref"}, "ref", "entity"),
    ],
)
def test_each_declaration_gives_its_part(section, name, role):
    assert described(**section)[name].role == role


def test_what_the_question_slices_by_is_looked_at_but_never_given_to_the_model():
    got = described(wanted={"ref", "age"})
    assert (got["ref"].role, got["age"].role) == ("sensitive", "feature")


@pytest.mark.parametrize(
    ("section", "says"),
    [
        ({"sensitive": ("citty",)}, 'No column "citty".*did you mean "city"'),
        ({"columns": {"agee": "number"}}, 'did you mean "age"'),
        ({"columns": {"city": "number"}}, "cannot be a number"),
        ({"columns": {"age": "date"}}, "cannot be a date"),
    ],
)
def test_a_declaration_that_cannot_be_is_refused(section, says):
    with pytest.raises(Qua3ckError, match=says) as told:
        described(**section)
    assert told.value.code == "U105"
