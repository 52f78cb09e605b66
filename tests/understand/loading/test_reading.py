"""What was known on a day, and what was valid on a day."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest

from qua3ck.kit.errors import Qua3ckError


def on(day: str) -> datetime:
    return datetime.fromisoformat(day).replace(tzinfo=UTC)


def test_what_did_we_know_on_1_march_about_february(bench):
    beds = bench(key=["clinic"], valid_from="since")
    beds.now = on("2026-02-09")
    beds.write("a.csv", "clinic,since,beds\nF1,2026-02-01,50\nF2,2026-01-01,10\n")
    beds.load()
    beds.now = on("2026-03-04")
    beds.write(
        "b.csv", "clinic,since,beds\nF1,2026-02-01,40\nF1,2026-03-01,45\n"
    )  # a late correction
    beds.load()
    mid_february = date(2026, 2, 15)

    def f1(**asked):
        return next(row["beds"] for row in beds.rows(**asked) if row["clinic"] == "F1")

    assert f1(as_of=on("2026-03-01"), valid_on=mid_february) == 50
    assert f1(as_of=on("2026-03-06"), valid_on=mid_february) == 40
    assert f1(valid_on=date(2026, 3, 2)) == 45
    assert len(beds.rows()) == 3  # both periods of F1 are current
    assert [row["clinic"] for row in beds.rows(valid_on=date(2026, 1, 15))] == ["F2"]


def test_without_valid_from_nothing_can_be_asked_about_a_day(bench):
    stock = bench(key=["id"])
    stock.write("a.csv", "id,x\n1,5\n")
    stock.load()
    with pytest.raises(Qua3ckError, match="since when") as told:
        stock.rows(valid_on=date(2026, 1, 1))
    assert told.value.code == "U149"


def test_before_the_first_load_nothing_was_known(bench):
    stock = bench()
    stock.write("a.csv", "id,x\n1,5\n")
    stock.load()
    with pytest.raises(Qua3ckError, match="Nothing was known"):
        stock.rows(as_of=on("2025-12-31"))


def test_the_order_of_rows_does_not_tell_how_they_came(bench, tmp_path):
    stock = bench(key=["id"])
    stock.write("a.csv", "id,x\n3,7\n1,5\n2,6\n")
    stock.load()
    stock.write("a.csv", "id,x\n2,8\n3,7\n1,5\n")
    stock.load()
    fresh = bench(key=["id"])
    fresh.root = tmp_path / "fresh"
    fresh.write("a.csv", "id,x\n2,8\n3,7\n1,5\n")
    fresh.load()
    assert fresh.digest() == stock.digest()
