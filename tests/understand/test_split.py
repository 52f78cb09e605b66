from __future__ import annotations

from collections import Counter

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.datasets import load_iris

from qua3ck.kit.errors import Qua3ckError
from qua3ck.understand.section import Source, Understand
from qua3ck.understand.split import row_digests, split_rows
from qua3ck.understand.target import read_target

KEY = bytes(range(32))


def split(rows, *, kept=None, share=0.2, key=KEY, sources=(), **declared):
    section = Understand(sources={"s": Source(kind="csv", path="x")}, target="y", **declared)
    table = rows if isinstance(rows, pa.Table) else pa.table(rows)
    target = read_target(table, section, None)
    return split_rows(table, section, target, share=share, key=key, kept=kept, sources=sources)


def numbers(rows: int, *, seed: int = 0, classes: int = 2) -> pa.Table:
    random = np.random.default_rng(seed)
    return pa.table({"x": random.normal(size=rows), "y": random.integers(0, classes, rows)})


def test_iris_gives_thirty_test_rows_ten_of_each_class():
    frame = load_iris(as_frame=True).frame.rename(columns={"target": "y"})
    for key in (KEY, b"another project's secret, 32 bytes"):
        sides = split(pa.Table.from_pandas(frame), key=key)
        assert (sides.split.rows_train, sides.split.rows_test) == (120, 30)
        assert Counter(frame["y"][sides.test]) == {0: 10, 1: 10, 2: 10}
        assert sides.split.method == "stratified"
        assert sides.split.unit == "content"


def test_another_project_seals_other_rows():
    rows = numbers(500)
    same = split(rows).test & split(rows, key=b"x" * 32).test
    assert 5 < same.sum() < 40  # 20 by chance


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10_000), st.integers(1, 80))
def test_no_row_moves_whatever_is_appended_shuffled_or_dropped(seed, more):
    random = np.random.default_rng(seed)
    rows = numbers(100, seed=seed)
    first = split(rows)
    side = dict(zip(rows["x"].to_pylist(), first.test.tolist(), strict=True))
    later = pa.concat_tables([rows.slice(10), numbers(more, seed=seed + 1)])
    later = later.take(pa.array(random.permutation(later.num_rows)))
    second = split(later, kept=first.membership)
    for value, test in zip(later["x"].to_pylist(), second.test.tolist(), strict=True):
        assert side.get(value, test) == test


def test_a_corrected_target_does_not_move_its_row():
    rows = numbers(200)
    first = split(rows)
    corrected = rows.set_column(1, "y", pa.array(1 - rows["y"].to_numpy()))
    assert np.array_equal(split(corrected, kept=first.membership).test, first.test)


def test_a_corrected_cell_moves_no_row_where_an_entity_is_declared():
    rows = numbers(200).append_column("id", pa.array(range(200)))
    first = split(rows, entity="id")
    corrected = rows.set_column(0, "x", pa.array(np.zeros(200)))
    assert np.array_equal(split(corrected, kept=first.membership, entity="id").test, first.test)
    assert "U016" not in [f.code for f in first.findings]


def test_without_an_entity_it_is_said_that_corrections_can_move_a_row():
    assert [f.code for f in split(numbers(100)).findings] == ["U016"]


def test_new_columns_and_other_types_move_nothing():
    rows = pa.table({"x": [*range(1, 400, 2), 900], "y": [0, 1] * 100 + [1]})
    first = split(rows)
    wider = rows.append_column("z", pa.array(np.random.default_rng(1).normal(size=201)))
    decimal = wider.set_column(0, "x", wider["x"].cast("double"))
    assert np.array_equal(split(decimal, kept=first.membership).test, first.test)


def test_a_column_the_split_rests_on_may_not_vanish():
    rows = numbers(100).append_column("z", pa.array(range(0, 300, 3)))
    first = split(rows)
    with pytest.raises(Qua3ckError, match='"x" has vanished') as told:
        split(rows.drop_columns(["x"]), kept=first.membership)
    assert told.value.code == "U104"
    assert "entity" in told.value.fix


def test_identical_rows_share_a_side_whatever_their_target_and_row_number():
    rows = numbers(150)
    twice = pa.concat_tables([rows, rows.set_column(1, "y", pa.array(1 - rows["y"].to_numpy()))])
    numbered = twice.append_column("n", pa.array(range(300)))
    for table in (twice, numbered):
        sides = split(table)
        assert np.array_equal(sides.test[:150], sides.test[150:])


def test_new_rows_fall_by_the_first_cutoff():
    first = split(numbers(1000, seed=1))
    more = pa.concat_tables([numbers(1000, seed=1), numbers(4000, seed=2)])
    new = split(more, kept=first.membership).test[1000:]
    assert 0.14 < new.mean() < 0.26


def test_a_class_that_appears_later_is_split_too():
    first = split(numbers(500))
    late = pa.table({"x": np.arange(1000.0), "y": np.full(1000, 7)})
    second = split(pa.concat_tables([numbers(500), late]), kept=first.membership)
    assert 0.12 < second.test[500:].mean() < 0.28


def test_groups_stay_whole_and_classes_keep_their_shares():
    random = np.random.default_rng(3)
    group = random.integers(0, 200, 2000)
    rows = pa.table({"x": random.normal(size=2000), "g": group, "y": (group % 4 == 0).astype(int)})
    sides = split(rows, group="g")
    assert set(group[sides.test]).isdisjoint(group[sides.train])
    assert abs(sides.test.mean() - 0.2) < 0.01
    share = rows["y"].to_numpy()
    assert abs(share[sides.test].mean() - share.mean()) < 0.02
    assert (sides.split.method, sides.split.unit) == ("group", "group:g")


def test_time_splits_at_a_moment_with_ties_on_one_side():
    days = np.repeat(np.arange(100), 10).astype("datetime64[D]")
    shuffled = np.random.default_rng(0).permutation(days)
    rows = pa.table({"t": shuffled, "x": np.arange(1000.0) ** 2, "y": np.arange(1000) % 2})
    sides = split(rows, time="t")
    assert sides.split.cutoff == "1970-03-22T00:00:00.000000"
    assert shuffled[sides.train].max() < shuffled[sides.test].min()
    assert (sides.split.rows_train, sides.split.rows_test) == (800, 200)


@pytest.mark.parametrize(
    "moments",
    [
        pa.array(np.arange(100)),
        pa.array(np.arange(100) / 100),
        pa.array([f"2024-01-01T{n // 60:02}:{n % 60:02}:00" for n in range(100)]),
        pa.array(np.arange(100) * 10**6, pa.timestamp("us", "UTC")),
    ],
    ids=["whole", "decimal", "text", "zoned"],
)
def test_time_may_be_numbers_or_text_and_its_cutoff_is_for_ever(moments):
    rows = pa.table({"t": moments, "y": [0, 1] * 50})
    first = split(rows, time="t")
    assert first.test.tolist() == [False] * 80 + [True] * 20
    later = split(rows.slice(50), time="t", kept=first.membership)
    assert later.split.cutoff == first.split.cutoff
    assert later.test.tolist() == [False] * 30 + [True] * 20


def test_time_and_group_leave_out_early_rows_of_late_groups():
    rows = pa.table(
        {"t": range(100), "g": [n % 50 for n in range(90)] + [90, 91] * 5, "y": [0, 1] * 50}
    )
    sides = split(rows, time="t", group="g")
    group = rows["g"].to_numpy()
    assert set(group[sides.train]).isdisjoint(group[sides.test])
    assert sides.split.left_out == (~sides.train & ~sides.test).sum() == 10
    assert [f.code for f in sides.findings] == ["U020"]


@pytest.mark.parametrize(
    ("declared", "column", "says"),
    [
        ({"time": "tt"}, "t", 'No column "tt".*did you mean "t"'),
        ({"group": "t"}, "t", "empty in 2 of 10 rows: rows 1, 2"),
        ({"time": "t"}, "t", "empty in 2 of 10 rows"),
    ],
)
def test_a_row_without_time_or_group_has_no_side(declared, column, says):
    rows = pa.table({column: [None, None, *range(8)], "y": [0, 1] * 5})
    with pytest.raises(Qua3ckError, match=says) as told:
        split(rows, **declared)
    assert told.value.code == "U105"


def test_time_that_is_no_moment_or_one_moment_is_refused():
    with pytest.raises(Qua3ckError, match="cannot be read as moments"):
        split({"t": ["spring", "summer"] * 5, "y": [0, 1] * 5}, time="t")
    with pytest.raises(Qua3ckError, match="one value only"):
        split({"t": [3] * 10, "y": [0, 1] * 5}, time="t")


def test_one_group_cannot_be_split():
    with pytest.raises(Qua3ckError, match="both sides have rows") as told:
        split({"g": [1] * 10, "y": [0, 1] * 5}, group="g")
    assert told.value.code == "U103"


def test_declaring_another_unit_later_is_allowed_and_said():
    rows = numbers(100).append_column("id", pa.array(range(100)))
    first = split(rows)
    second = split(rows, entity="id", kept=first.membership)
    assert [(f.code, f.severity) for f in second.findings] == [("U021", "warn")]
    third = split(rows, share=0.4, kept=first.membership)
    assert third.split.rows_test == 20
    assert ("U021", "inform") in [(f.code, f.severity) for f in third.findings]


def test_few_different_rows_are_reported():
    rows = pa.table({"c": ["a", "b", "c", "d", "e"] * 40, "y": [0, 1] * 100})
    assert "U022" in [f.code for f in split(rows).findings]


def test_rows_are_counted_by_entity_and_by_content():
    rows = numbers(50).append_column("id", pa.array(range(0, 100, 2)))
    section = Understand(sources={"s": Source(kind="csv", path="x")}, target="y", entity="id")
    kept = split(rows, entity="id").membership
    digests = row_digests(rows, section, kept, key=KEY)
    assert set(digests) == {"content", "entity"}
    assert len(set(digests["entity"])) == 50
    corrected = rows.set_column(0, "x", pa.array(np.zeros(50)))
    again = row_digests(corrected, section, kept, key=KEY)
    assert again["entity"] == digests["entity"]
    assert set(again["content"]).isdisjoint(digests["content"])


def test_where_only_the_target_tells_rows_apart_it_belongs_to_the_content():
    random = np.random.default_rng(0)
    kinds, wage = random.integers(0, 9, 400), random.normal(size=400)
    sides = split({"kind": kinds, "y": wage})
    assert ("U022", "inform") in [(f.code, f.severity) for f in sides.findings]
    assert sides.split.rows_test == 80
    assert len(set(kinds[sides.test])) == 9


def test_features_that_come_and_go_move_nothing_where_the_sources_columns_suffice():
    rows = numbers(100)
    first = split(rows.append_column("z", pa.array(range(0, 300, 3))), sources={"x", "y"})
    assert np.array_equal(split(rows, kept=first.membership).test, first.test)
