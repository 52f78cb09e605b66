from datetime import UTC, datetime, timedelta, timezone

from qua3ck.kit import stamp


def test_a_moment_is_written_in_utc_whatever_its_zone():
    moment = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
    elsewhere = moment.astimezone(timezone(timedelta(hours=9)))
    assert stamp(moment) == stamp(elsewhere) == "2026-01-02T03:04:05.000000Z"
