"""Whether a source has gone silent: its cadence passed, and half of it again, without news."""

from __future__ import annotations

import re
from datetime import datetime, timedelta

from qua3ck.kit.errors import Qua3ckError, did_you_mean
from qua3ck.kit.findings import Finding
from qua3ck.understand.loading.held import SILENT
from qua3ck.understand.section import Source

_WORDS = {
    "hourly": timedelta(hours=1),
    "daily": timedelta(days=1),
    "weekly": timedelta(days=7),
    "monthly": timedelta(days=31),
    "quarterly": timedelta(days=92),
    "yearly": timedelta(days=366),
}
_UNITS = {"h": timedelta(hours=1), "d": timedelta(days=1), "w": timedelta(days=7)}
_GRACE = 1.5  # a monthly file that comes a few days late is no news


def period(cadence: str, *, place: str) -> timedelta | None:
    """Return what ``monthly`` or ``7d`` means; None where nothing is promised.

    Raises
    ------
    Qua3ckError
        For a word that is no cadence: it would promise something and be watched by nobody.
    """
    text = cadence.strip().lower()
    if not text or text in {"once", "never"}:
        return None
    if text in _WORDS:
        return _WORDS[text]
    counted = re.fullmatch(r"([1-9][0-9]{0,3}) ?([hdw])", text)
    if counted:
        return int(counted[1]) * _UNITS[counted[2]]
    words = (*_WORDS, "once")
    raise Qua3ckError(
        f'"{cadence}" is no cadence{did_you_mean(text, words)}',
        where=f"{place}.cadence",
        fix=f"write one of: {', '.join(words)}; or a number of hours, days or weeks, such as 7d",
        code="U145",
    )


def silence(name: str, source: Source, last: datetime, now: datetime) -> Finding | None:
    """Return the finding about a source of which nothing new has come for too long."""
    promised = period(source.cadence, place=f"understand.sources.{name}")
    if promised is None or now - last <= promised * _GRACE:
        return None
    return Finding(
        SILENT,
        "warn",
        f"{name}, last news {last:%Y-%m-%d}",
        f"Nothing new for {(now - last).days} days; the cadence is {source.cadence}.",
        {"last": last.isoformat(), "cadence": source.cadence, "days": (now - last).days},
    )
