"""Where a method may be used: the rows it needs before its bounds cover what they say.

Each line was found by simulation and is held up by ``prove/coverage.py``: inside it every
bound covers at least confidence - 0.01; outside the verdict is undecided, "too few rows
for this method". ``docs/coverage.md`` shows the figures.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import floor
from types import MappingProxyType

from scipy.special import bdtr

from qua3ck.question.units import at_length

ONE_IN_TWENTY = 0.05


@dataclass(frozen=True)
class Domain:
    """What must be there before a method is used.

    Attributes
    ----------
    method : str
        Its name, as in ``Verdict.method``.
    units : int
        Fewest rows, groups, blocks or requests.
    rarer : int
        Fewest units of the rarest kind that the metric compares (class, or group's hits
        and misses); 0 where there is none.
    effective : float
        Fewest units that carry the figure: (sum u^2)^2 / sum u^4 over their influences u.
        For a share it is the number of the rarer answer, for errors with heavy tails how
        many large ones were seen.
    why : str
        What goes wrong below.
    sightings : int, default 0
        How often a kind of unit that one in twenty is of must be among them, as surely as
        the bound is to cover: what was not drawn moves a mean without a limit, and shows
        neither in the spread nor in ``effective``.
    """

    method: str
    units: int
    rarer: int
    effective: float
    why: str
    sightings: int = 0

    def fewest(self, confidence: float) -> int:
        """Return the fewest units for a bound at ``confidence``, one-sided."""
        fewest = self.units
        while self.sightings and bdtr(self.sightings - 1, fewest, ONE_IN_TWENTY) > 1 - confidence:
            fewest += 1
        return fewest

    def refusal(
        self, *, units: int, unit: str, rarer: float, effective: float, confidence: float
    ) -> str:
        """Return why the method may not be used here; empty if it may."""
        fewest, called = self.fewest(confidence), at_length(unit)
        if units < fewest:
            return f"too few {called} for this method: {units}, it needs {fewest}"
        if rarer < self.rarer:
            return (
                f"too few {called} for this method: {floor(rarer)} of the rarest kind,"
                f" it needs {self.rarer}"
            )
        if effective < self.effective:
            return (
                f"too few {called} for this method: the figure rests on about"
                f" {floor(effective * 10) / 10:g} of them, it needs {self.effective:g}"
            )
        return ""


_TABLE = (
    Domain("Clopper-Pearson", 1, 0, 0, "never: it is exact"),
    Domain("order statistics", 1, 0, 0, "never: exact, but it has no bound below a number of rows"),
    Domain("DeLong, logit", 40, 20, 0, "a class of few rows hides the spread of its scores"),
    Domain("Newcombe", 20, 0, 0, "the hybrid of two intervals is too short"),
    Domain("BCa bootstrap", 30, 5, 8, "resampling cannot show what was not drawn"),
    Domain("BCa, absolute errors", 30, 0, 8, "large errors may not have been drawn yet", 1),
    Domain("BCa, squared errors", 30, 0, 8, "squared, a few large errors carry the figure", 5),
    Domain("calibration, corrected", 100, 0, 8, "noise in a bin looks like miscalibration"),
    Domain("clusters, share", 10, 0, 3, "the spread between few groups is unknown"),
    Domain("clusters, t", 10, 0, 8, "the spread between few groups is unknown"),
    Domain("blocks, share", 20, 0, 3, "the memory of a short series is underestimated"),
    Domain("blocks, t", 20, 0, 8, "the memory of a short series is underestimated"),
)

DOMAINS: Mapping[str, Domain] = MappingProxyType({domain.method: domain for domain in _TABLE})
