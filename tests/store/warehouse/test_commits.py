from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pyarrow as pa
import pytest
from deltalake import write_deltalake
from hypothesis import given
from hypothesis import strategies as st

from qua3ck.kit.errors import Qua3ckError
from qua3ck.store.warehouse import next_known
from qua3ck.store.warehouse.commits import newest, version_at

START = datetime(2026, 1, 1, tzinfo=UTC)
TABLE = "silver/stock"


@given(
    st.lists(
        st.datetimes(datetime(1990, 1, 1), datetime(2090, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001
        min_size=1,
        max_size=8,
    )
)
def test_moments_of_loads_grow_whatever_the_clock_does(clock):
    known: list[datetime] = []
    for now in clock:
        known.append(next_known(now, known[-1] if known else None, None))
    assert known == sorted(set(known))
    assert known[0] == clock[0]


def test_a_clock_that_stands_still_moves_by_a_microsecond():
    assert next_known(START, START) == START + timedelta(microseconds=1)
    assert next_known(START, START - timedelta(1), START + timedelta(1)) > START + timedelta(1)


def test_what_was_known_on_a_day(house, load, rows, values):
    first = load(rows([1]))
    second = load(rows([1, 2], "new"))
    house.compact(TABLE, by=("id",))
    load(rows([3], "newest"))
    assert values(as_of=first) == values(as_of=second - timedelta(microseconds=1)) == [(1, "old")]
    assert values(as_of=second) == [(1, "new"), (2, "new")]
    assert house.version_as_of(TABLE, second) == 1  # the load, not its fold: it is what is pinned
    assert house.version_as_of(TABLE, START + timedelta(days=999)) == house.version(TABLE)
    assert len(values(as_of=START + timedelta(days=999))) == 3
    with pytest.raises(Qua3ckError, match="Nothing was known") as told:
        values(as_of=first - timedelta(microseconds=1))
    assert told.value.code == "S009"
    assert first.isoformat() in told.value.fix


def test_going_back_is_an_act_with_a_moment_of_its_own(house, load, rows, values):
    first = load(rows([1]))
    bad = load(rows([1, 2], "bad").append_column("extra", pa.array([1, 2])))
    undone = bad + timedelta(hours=1)
    house.restore(TABLE, 0, known=undone)
    assert values() == [(1, "old")]
    assert house.columns(TABLE) == house.columns(TABLE, version=0)
    assert values(as_of=first) == [(1, "old")]
    assert [value for _, value in values(as_of=bad)] == ["bad", "bad"]  # so we thought then
    assert values(as_of=undone) == [(1, "old")]
    assert house.known(TABLE) == undone
    with pytest.raises(Qua3ckError, match="comes after"):
        house.restore(TABLE, 0, known=bad)
    load(rows([1, 5], "good"))
    assert values() == [(1, "good"), (5, "good")]


def test_an_old_version_says_what_it_said_then(house, folder, load, rows):
    """The history of delta-rs, asked at an old version, numbers the newest lines with it."""
    moments = [load(rows([number])) for number in range(4)]
    for number, moment in enumerate(moments):
        assert newest(folder, number).known == moment
        assert newest(folder, number).base.version == 0


def test_versions_of_other_programs_carry_what_was_known_before(house, folder, load, rows, values):
    known = load(rows([1, 2]))
    foreign = rows([2, 3], "theirs")
    moment = pa.array([known + timedelta(hours=1)] * 2, pa.timestamp("us", "UTC"))
    write_deltalake(str(folder), foreign.append_column("_known", moment), mode="append")
    assert [one.act for one in house.loads(TABLE, every=True)] == ["load", "other"]
    assert house.known(TABLE) == known
    assert values() == [(1, "old"), (2, "theirs"), (3, "theirs")]
    load(rows([3], "ours"))
    assert values() == [(1, "old"), (2, "theirs"), (3, "ours")]


def test_rows_of_other_programs_count_by_their_own_moment(house, folder, load, rows, values):
    """Not as newer than the base because they came later."""
    known = load(rows([1, 2]))
    early = pa.array([known - timedelta(days=9)] * 2, pa.timestamp("us", "UTC"))
    late = rows([2, 3], "late").append_column("_known", early)
    write_deltalake(str(folder), late, mode="append")
    assert values() == [(1, "old"), (2, "old"), (3, "late")]


def test_a_table_that_was_written_as_a_whole_has_no_loads(house, folder, rows):
    house.write(TABLE, rows([1]), note="all")
    assert (house.known(TABLE), house.loads(TABLE)) == (None, [])
    assert house.loads(TABLE, every=True)[0].act == "write"
    assert version_at(folder, 7) is None
    with pytest.raises(Qua3ckError) as told:
        house.version_as_of(TABLE, START)
    assert told.value.code == "S009"
    assert (house.known("a/b"), house.loads("a/b"), house.loads("a/b", every=True)) == (
        None,
        [],
        [],
    )
    with pytest.raises(Qua3ckError) as told:
        house.version_as_of("a/b", START)
    assert told.value.code == "S003"
