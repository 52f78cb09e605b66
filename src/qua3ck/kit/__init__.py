"""What every room may use: errors, findings, verdicts, hashes, time."""

from qua3ck.kit.clock import Clock, stamp, utc_now
from qua3ck.kit.errors import Blocked, NotEnoughEvidence, Qua3ckError, did_you_mean
from qua3ck.kit.findings import CodePage, Finding, Severity
from qua3ck.kit.verdicts import Answer, Direction, Verdict

__all__ = [
    "Answer",
    "Blocked",
    "Clock",
    "CodePage",
    "Direction",
    "Finding",
    "NotEnoughEvidence",
    "Qua3ckError",
    "Severity",
    "Verdict",
    "did_you_mean",
    "stamp",
    "utc_now",
]
