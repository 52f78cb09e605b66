"""What a footer proves is what a look at every row says; the judge is the check without it."""

from __future__ import annotations

import math
from datetime import date

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from qua3ck.understand.contract import check
from qua3ck.understand.contract import proven as module
from qua3ck.understand.contract.rules import Rule

INF = math.inf


def rule(test, **bounds):
    return Rule(
        id=f"x.{test}",
        code="U073",
        dimension="validity",
        action="hold",
        test=test,
        columns=("x",),
        says="",
        where="",
        given=bounds,
    )


def proven(asked, footer):
    return bool(module.proven([asked], footer))


@pytest.fixture
def footer(tmp_path):
    """Return a writer of a column in blocks of three rows that gives the file's footer."""

    def write(values, kind=None):
        path = tmp_path / "rows.parquet"
        pq.write_table(pa.table({"x": pa.array(values, kind)}), path, row_group_size=3)
        return pq.read_metadata(path)

    return write


@pytest.mark.parametrize(
    ("values", "bounds", "says"),
    [
        ([0, 5, 9, None, 3, 10], {"minimum": 0, "maximum": 10}, True),
        ([0, 5, 9, None, 3, 11], {"minimum": 0, "maximum": 10}, False),
        ([0, 5, 9, -1], {"minimum": 0}, False),
        ([0.0, 5.5, math.nan, 3.0], {"minimum": 0, "maximum": 5.5}, True),
        ([0.0, 5.5, math.nan, 3.0], {"exclusiveMinimum": 0}, False),
        ([-0.0, 5.5], {"exclusiveMinimum": 0}, False),
        ([0.0, 5.5, 3.0], {"exclusiveMaximum": 5.5}, False),
        ([1.0, INF], {"maximum": 1e300}, False),
        ([1, 2, 3, None, None, None], {"minimum": 1}, True),
    ],
)
def test_a_range_is_proven_where_the_ends_of_every_block_lie_within_it(
    footer, values, bounds, says
):
    assert proven(rule("range", **bounds), footer(values)) is says


@pytest.mark.parametrize(
    ("values", "kind", "bounds"),
    [
        ([math.nan, math.nan], None, {"minimum": 0}),  # no ends are written
        ([1, 2], None, {"minimum": 0.5}),
        ([1.0, 2.0], None, {"maximum": 2**53 + 1}),
        ([0.1, 0.2], pa.float32(), {"maximum": 0.2}),
        ([date(2024, 1, 1)], None, {"minimum": date(2023, 1, 1)}),
        (["b"], None, {"minimum": "a"}),
        ([[1, 2], [3]], None, {"minimum": 0}),
        ([True], None, {"minimum": 0}),
    ],
)
def test_what_an_end_may_not_say_exactly_is_left_to_a_look_at_the_rows(
    footer, values, kind, bounds
):
    assert not proven(rule("range", **bounds), footer(values, kind))


@pytest.mark.parametrize(
    ("values", "says"),
    [
        ([1, 2, 3, 4], True),
        (["a", "", "b", "c"], True),
        ([1, 2, 3, None], False),
        ([1.0, 2.0], False),  # one of them could be no number, which a footer leaves out
        ([{"y": 1}], False),
    ],
)
def test_that_every_row_is_filled_is_proven_by_the_count_of_nulls(footer, values, says):
    assert proven(rule("required"), footer(values)) is says


def test_a_file_without_statistics_proves_nothing(tmp_path):
    path = tmp_path / "rows.parquet"
    pq.write_table(pa.table({"x": [1, 2]}), path, write_statistics=False)
    said = pq.read_metadata(path)
    assert not proven(rule("required"), said)
    assert not proven(rule("range", minimum=0), said)


def test_a_footer_that_is_too_long_is_not_read(footer, monkeypatch):
    monkeypatch.setattr(module, "_MOST", 2)
    assert proven(rule("required"), footer([1] * 6))
    assert not proven(rule("required"), footer([1] * 7))


@pytest.mark.parametrize("test", ["pattern", "values", "unique", "sql"])
def test_of_other_rules_a_footer_proves_nothing(footer, test):
    assert not proven(rule(test), footer([1, 2]))


NUMBERS = st.none() | st.floats(-3, 3, allow_nan=False) | st.sampled_from([math.nan, -0.0, INF])
BOUNDS = "exclusiveMinimum: -1, maximum: 2"


@settings(
    max_examples=15,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(st.lists(NUMBERS, min_size=1, max_size=8), st.lists(st.integers(-1, 4), max_size=8))
def test_a_check_says_the_same_with_and_without_the_footer(desk, kilos, boxes):
    length = max(len(kilos), len(boxes))
    rows = pa.table(
        {
            "kg": pa.array([*kilos, *[None] * (length - len(kilos))], pa.float64()),
            "n": pa.array([*boxes, *[1] * (length - len(boxes))], pa.int64()),
        }
    )
    table = desk.columns(
        f"[{{name: kg, logicalType: number, logicalTypeOptions: {{{BOUNDS}}}}}, "
        "{name: n, logicalType: integer, required: true, logicalTypeOptions: {minimum: 0}}]"
    )
    quick = desk.check(rows, table)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(check, "proven", lambda *_: frozenset())
        slow = desk.check(rows, table)
    assert quick.answers() == slow.answers()
    assert (quick.good, quick.lines) == (slow.good, slow.lines)


def test_where_the_footer_proves_every_rule_no_row_is_looked_at(desk):
    table = desk.columns(
        "[{name: kg, logicalType: number, logicalTypeOptions: {minimum: 0}}, "
        "{name: n, logicalType: integer, required: true}]"
    )
    seen = desk.check({"kg": [0.5, None, math.nan], "n": [1, 2, 3]}, table)
    assert (seen.answers(), seen.good) == ({"kg.range": "pass", "n.required": "pass"}, [1, 2, 3])
    assert list((desk.folder / "checked").iterdir()) == []
