"""Does a training function that leaks get caught, and an honest one left alone?"""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from qua3ck.understand.rerun import leak_finding, not_applicable
from qua3ck.understand.taking import run_again

N = 300


pytestmark = pytest.mark.usefixtures("own_modules")


def rows(seed: int = 0) -> pa.Table:
    random = np.random.default_rng(seed)
    return pa.table(
        {
            "id": random.permutation(9 * N)[:N],
            "house": random.integers(0, 80, N),
            "day": np.arange(N).astype("datetime64[D]"),
            "city": random.choice(["Ulm", "Bonn", "Kiel", "Jena"], N),
            "x": random.normal(size=N),
            "y": random.integers(0, 2, N),
        }
    )


HEAD = "import numpy\nimport pandas\n\n\ndef training_set(tables):\n    t = tables['rows'].copy()\n"
HONEST = {
    "as it is": "    return t\n",
    "logarithm": "    t['z'] = numpy.log1p(t.x.abs())\n    return t\n",
    "filter": "    return t[t.x > -1]\n",
    "renamed target": "    return t\n",
    "seeded shuffle": "    return t.sample(frac=1, random_state=3)\n",
    "mean of a feature": "    t['z'] = t.groupby('city').x.transform('mean')\n    return t\n",
}
LEAKY = {
    "global mean": "    t['z'] = t.x - t.y.mean()\n    return t\n",
    "global count": "    t['z'] = t.y.sum()\n    return t\n",
    "target encoding": "    t['z'] = t.groupby('city').y.transform('mean')\n    return t\n",
    "future lag": "    t = t.sort_values('day')\n    t['z'] = t.y.shift(-1)\n    return t\n",
    "rank": "    t['z'] = t.y.rank()\n    return t\n",
    # one target more moves the choice by seven rows: not all of them can be test rows
    "choice of rows": "    return t.iloc[7 * int(t.y.sum()) % 90 :]\n",
}
PAST = (
    "    t = t.sort_values('day')\n"
    "    t['z'] = t.y.shift(1)\n"
    "    t['m'] = t.y.expanding().mean().shift(1)\n"
    "    return t\n"
)


def verdict(bench, body: str, name: str, data: pa.Table | None = None, **declared):
    """Return whether the training rows changed with other test targets, and with none."""
    bench.csv(rows() if data is None else data)
    bench.code(HEAD + body, f"{name}.py")
    section = bench.section(training=f"{name}.training_set", **declared)
    facts = bench.take(section)
    if not facts["traced"]:
        return "not applicable"
    traced = {"sources": facts["sources"], "traced": facts["traced"]}
    job, wanted = bench.job(section), facts["gold"]["digest"]
    runs = [
        run_again(job, bench.workspace, traced, changed=changed)["digest"] == wanted
        for changed in (True, False)
    ]
    return {(True, True): "honest", (False, True): "leak"}.get(tuple(runs), "unstable")


UNITS = [{}, {"group": "house"}, {"time": "day"}]


@pytest.mark.parametrize("declared", UNITS[::2], ids=["content", "time"])
@pytest.mark.parametrize("kind", HONEST)
def test_an_honest_function_is_left_alone(bench, kind, declared):
    assert verdict(bench, HONEST[kind], f"h{id(kind)}", **declared) == "honest"


@pytest.mark.parametrize("declared", UNITS, ids=["content", "group", "time"])
@pytest.mark.parametrize("kind", LEAKY)
def test_a_leaky_function_is_caught(bench, kind, declared):
    assert verdict(bench, LEAKY[kind], f"l{id(kind)}", **declared) == "leak"


def test_lags_from_the_past_are_honest_in_time_and_a_leak_without(bench):
    assert verdict(bench, PAST, "past_time", time="day") == "honest"


def test_lags_from_other_rows_leak_where_time_is_not_the_split(bench):
    assert verdict(bench, PAST, "past_random", entity="id") == "leak"


def test_a_target_made_from_another_column_is_still_found(bench):
    data = rows()
    state = pa.array(np.where(data["y"].to_numpy() == 1, "unpaid", "paid"))
    data = data.drop_columns(["y"]).append_column("state", state)
    make = "    t['y'] = (t.pop('state') == 'unpaid').astype(int)\n"
    honest = make + "    return t\n"
    leak = make + "    t['z'] = t.groupby('city').y.transform('mean')\n    return t\n"
    assert verdict(bench, honest, "made", data) == "honest"
    assert verdict(bench, leak, "made_leak", data, entity="id") == "leak"


def test_a_quantity_as_target_is_tested_too(bench):
    data = (
        rows()
        .drop_columns(["y"])
        .append_column("y", pa.array(np.random.default_rng(1).normal(size=N)))
    )
    median = "    t['z'] = t.y.median()\n    return t\n"
    assert verdict(bench, median, "median", data) == "leak"
    assert verdict(bench, HONEST["filter"], "median_not", data) == "honest"


def test_a_function_that_differs_each_time_is_unstable(bench):
    body = "    return t.sample(frac=1)\n"
    assert verdict(bench, body, "unseeded") == "unstable"


def test_rows_that_cannot_be_found_in_the_sources_are_not_tested(bench):
    body = (
        "    return t.groupby('house').agg(y=('y', 'max'), s=('x', 'sum')).reset_index(drop=True)\n"
    )
    assert verdict(bench, body, "sums") == "not applicable"


def test_sql_is_tested_like_a_function(bench):
    bench.csv(rows())
    for name, extra, wanted in (
        ("ok", "x * 2", True),
        ("bad", "avg(y) OVER (PARTITION BY city)", False),
    ):
        query = "SELECT *, EXTRA AS z FROM rows ORDER BY id"
        (bench.root / f"{name}.sql").write_text(query.replace("EXTRA", extra))
        section = bench.section(training=f"{name}.sql", entity="id")
        facts = bench.take(section)
        traced = {"sources": facts["sources"], "traced": facts["traced"]}
        again = run_again(bench.job(section), bench.workspace, traced, changed=True)
        assert (again["digest"] == facts["gold"]["digest"]) == wanted


# -- gold tables between the sources and the training table

GOLD = """\
SELECT id AS client, house AS household, day AS asked_on, city AS town, x AS amount,
  paid_after > 30 AS late
FROM rows
"""
TRAINING = "SELECT client, household, asked_on, town, amount, {} AS z, late FROM loans"
GOLD_LEAKS = {
    "x * 2": "amount * 2",
    "past": "coalesce(avg(late::INT) OVER (ORDER BY asked_on ROWS BETWEEN UNBOUNDED PRECEDING"
    " AND 1 PRECEDING), 0)",
    "encoding": "avg(late::INT) OVER (PARTITION BY town)",
    "all": "(SELECT count(*) FROM loans WHERE late)",
}


def with_gold(bench, extra: str, gold: str = GOLD, **declared):
    """Take a project whose target is made in a gold table; return its facts and a rerun's."""
    days = np.random.default_rng(5).integers(0, 60, N)
    bench.csv(rows().drop_columns(["y"]).append_column("paid_after", pa.array(days)))
    (bench.root / "gold.sql").write_text(gold)
    (bench.root / "training.sql").write_text(f"{TRAINING.format(extra)} ORDER BY client")
    tables = {"loans": {"sql": "gold.sql"}}
    section = bench.section(training="training.sql", target="late", tables=tables, **declared)
    facts = bench.take(section)
    if not facts["traced"]:
        return facts, {}
    traced = {"sources": facts["sources"], "traced": facts["traced"]}
    return facts, run_again(bench.job(section), bench.workspace, traced, changed=True)


@pytest.mark.parametrize(
    ("extra", "declared", "honest"),
    [
        ("x * 2", {"time": "asked_on"}, True),
        ("past", {"time": "asked_on"}, True),
        ("encoding", {"time": "asked_on"}, False),
        ("x * 2", {"entity": "client"}, True),
        ("all", {"entity": "client"}, False),
        ("encoding", {"group": "household"}, False),
        ("x * 2", {}, True),
        ("encoding", {}, False),
    ],
)
def test_a_target_made_in_a_gold_table_is_traced_to_the_sources(bench, extra, declared, honest):
    facts, again = with_gold(bench, GOLD_LEAKS[extra], **declared)
    assert {(one["source"], one["column"]) for one in facts["traced"]} == {("rows", "paid_after")}
    assert len(facts["traced"][0]["positions"]) == facts["split"]["rows_test"]
    assert again["moved"]
    assert (again["digest"] == facts["gold"]["digest"]) == honest


def test_what_decides_the_side_of_a_row_is_never_changed(bench):
    gold = GOLD.replace("paid_after > 30", "paid_after + day_of(day) > 30")
    gold = gold.replace("day_of(day)", "date_part('day', day)")
    facts, again = with_gold(bench, GOLD_LEAKS["x * 2"], gold, time="asked_on")
    assert {one["column"] for one in facts["traced"]} == {"paid_after"}
    assert again["digest"] == facts["gold"]["digest"]


def test_a_change_that_moves_no_target_is_seen(bench):
    gold = GOLD.replace("paid_after > 30", "paid_after * 0 + id % 2 > 0")
    _, again = with_gold(bench, GOLD_LEAKS["x * 2"], gold, time="asked_on")
    assert again["moved"]  # id is behind the target too
    gold = GOLD.replace("paid_after > 30", "paid_after * 0 + x > 0")
    facts, again = with_gold(bench, GOLD_LEAKS["x * 2"], gold, time="asked_on")
    assert {one["column"] for one in facts["traced"]} == {"paid_after", "x"}
    gold = GOLD.replace("paid_after > 30", "paid_after * 0 + date_part('day', day) > 15")
    facts, again = with_gold(bench, GOLD_LEAKS["x * 2"], gold, time="asked_on")
    assert {one["column"] for one in facts["traced"]} == {"paid_after"}
    assert not again["moved"]


def test_a_function_between_is_named_as_what_nobody_looks_through(bench, codes):
    bench.csv(rows())
    bench.code(
        "def loans(tables):\n    t = tables['rows']\n    return t.assign(late=t.x + t.y > 0.5)\n"
    )
    (bench.root / "training.sql").write_text("SELECT id AS i, x, late FROM loans ORDER BY i")
    tables = {"loans": {"function": "features.loans", "reads": ["rows"]}}
    section = bench.section(training="training.sql", target="late", tables=tables)
    snapshot = bench.snapshot(section)
    (finding,) = [one for one in snapshot.findings if one.code == "U023"]
    assert "features.loans makes the target" in finding.says


def test_what_is_said_of_it():
    assert leak_finding("f.g", same=True, repeats=True, changed=60) is None
    leak = leak_finding("f.g", same=False, repeats=True, changed=60)
    unstable = leak_finding("f.g", same=False, repeats=False, changed=60)
    assert (leak.code, leak.severity) == ("U014", "block")
    assert (unstable.code, unstable.severity) == ("U015", "block")
    unknown = not_applicable("f.g", "rows were not found")
    assert (unknown.code, unknown.severity) == ("U023", "warn")
