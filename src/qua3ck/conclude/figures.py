"""Numbers for a reader: enough digits to judge by, never rounded across a threshold.

A bound is rounded away from the estimate, so that the printed interval is never narrower
than the real one and a printed 0.80 is never a 0.796 that missed ">= 0.80".
"""

from __future__ import annotations

import math
from decimal import ROUND_CEILING, ROUND_FLOOR, ROUND_HALF_EVEN, Decimal
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from qua3ck.kit.verdicts import Direction, Verdict

MISSING = "–"
SIGN: dict[Direction, str] = {"at_least": ">=", "at_most": "<="}
_MOST_DIGITS = 4


def figure(value: float | None, digits: int, *, rounding: str = ROUND_HALF_EVEN) -> str:
    """Return ``value`` with ``digits`` decimals and comma thousands; a dash for none or NaN."""
    if value is None or not math.isfinite(value):
        return MISSING
    step = Decimal(1).scaleb(-digits)
    rounded = Decimal(repr(float(value))).quantize(step, rounding=rounding)
    return f"{rounded + 0:,}"


def interval(low: float | None, high: float | None, digits: int) -> str:
    """Return ``[low, high]`` rounded outwards; a dash for a bound that does not exist.

    Where both are the same number, it was measured without doubt and is rounded as it is.
    """
    if low is not None and low == high:
        return f"[{figure(low, digits)}, {figure(high, digits)}]"
    below = figure(low, digits, rounding=ROUND_FLOOR)
    above = figure(high, digits, rounding=ROUND_CEILING)
    return f"[{below}, {above}]"


def digits_for(value: float | None, low: float | None, high: float | None) -> int:
    """Return how many decimals say something: two significant digits of the interval's width."""
    finite = [x for x in (low, high) if x is not None and math.isfinite(x)]
    width = finite[1] - finite[0] if len(finite) == 2 else 0.0
    if width <= 0:
        size = abs(value) if value is not None and math.isfinite(value) else 0.0
        width = size / 10 or size or 0.1  # a tenth of the smallest float is zero
    return min(_MOST_DIGITS, max(0, 1 - math.floor(math.log10(width))))


def verdict_digits(verdict: Verdict) -> int:
    """Return the decimals for one verdict, so that the value stays on its side when rounded."""
    digits = digits_for(verdict.value, verdict.low, verdict.high)
    digits = max(digits, _decimals(verdict.threshold))
    while digits < _MOST_DIGITS and _crosses(verdict, digits):
        digits += 1
    return digits


def verdict_figures(verdict: Verdict) -> tuple[str, str, str]:
    """Return value, interval and threshold of a verdict: ``("0.83", "[0.76, 0.89]", "0.8")``."""
    digits = verdict_digits(verdict)
    limit = figure(verdict.threshold, _decimals(verdict.threshold))
    return figure(verdict.value, digits), interval(verdict.low, verdict.high, digits), limit


def wanted(verdict: Verdict) -> str:
    """Return the promise in signs: ``>= 0.80``, at least with two decimals for a share."""
    share = verdict.threshold != int(verdict.threshold)
    digits = max(2, _decimals(verdict.threshold)) if share else 0
    return f"{SIGN[verdict.direction]} {figure(verdict.threshold, digits)}"


def _decimals(number: float) -> int:
    written = Decimal(repr(number)).normalize().as_tuple().exponent
    return min(_MOST_DIGITS, max(0, -int(written)))


def _crosses(verdict: Verdict, digits: int) -> bool:
    value = verdict.value
    if value is None or not math.isfinite(value) or value == verdict.threshold:
        return False
    rounded = round(value, digits)
    return rounded == verdict.threshold or (rounded > verdict.threshold) != (
        value > verdict.threshold
    )
