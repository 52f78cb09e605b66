"""C, conclude: opens the seal for one candidate, judges it, and says why it may ship or not."""

from qua3ck.conclude.changes import ThresholdChange, threshold_changes
from qua3ck.conclude.opening import Judge, conclude, judged
from qua3ck.conclude.reasons import decision_record
from qua3ck.conclude.records import Comparison, Conclusion
from qua3ck.conclude.words import lines, to_json

__all__ = [
    "Comparison",
    "Conclusion",
    "Judge",
    "ThresholdChange",
    "conclude",
    "decision_record",
    "judged",
    "lines",
    "threshold_changes",
    "to_json",
]
