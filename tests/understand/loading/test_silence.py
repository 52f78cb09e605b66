"""A source is silent when its cadence passed, and half of it again, without anything new."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from qua3ck.kit.errors import Qua3ckError
from qua3ck.understand import Source
from qua3ck.understand.loading.silence import period, silence

LAST = datetime(2026, 5, 1, tzinfo=UTC)


def source(cadence: str) -> Source:
    return Source(kind="csv", path="a.csv", cadence=cadence)


@pytest.mark.parametrize(
    ("cadence", "quiet", "late"),
    [
        ("daily", 36, 37),
        ("weekly", 252, 253),
        ("7d", 252, 253),
        ("monthly", 1116, 1117),
        ("12h", 18, 19),
    ],
)
def test_one_and_a_half_cadences_may_pass(cadence, quiet, late):
    assert silence("stock", source(cadence), LAST, LAST + timedelta(hours=quiet)) is None
    finding = silence("stock", source(cadence), LAST, LAST + timedelta(hours=late))
    assert (finding.code, finding.severity) == ("U067", "warn")
    assert cadence in finding.says


@pytest.mark.parametrize("cadence", ["", "once", "never"])
def test_who_promises_nothing_is_never_late(cadence):
    assert silence("stock", source(cadence), LAST, LAST + timedelta(days=9999)) is None


@pytest.mark.parametrize("cadence", ["now and then", "0d", "montly", "d", "-1d"])
def test_what_could_not_be_watched_is_refused(cadence):
    with pytest.raises(Qua3ckError, match="is no cadence") as told:
        period(cadence, place="understand.sources.stock")
    assert told.value.code == "U145"


def test_silence_is_reported_by_a_load_and_can_be_accepted(bench):
    stock = bench(cadence="daily")
    stock.write("a.csv", "id,x\n1,5\n")
    stock.load()
    stock.now += timedelta(days=3)
    assert "U067" in [one.code for one in stock.load().findings]
    accepted = stock.load(accepted={"U067": "the office is closed"})
    assert accepted.accepted == {"U067": ("stock",)}
    assert [one.accepted for one in accepted.findings] == ["the office is closed"]
