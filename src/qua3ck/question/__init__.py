"""Q, the question: KPIs, metrics, and verdicts that know how little they rest on.

Everything is loaded on first use: a room that only wants the records pays for no numpy.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from qua3ck.question.agreement import (
        Word,
        agree,
        agreement_findings,
        agreements,
        hold_agreement,
    )
    from qua3ck.question.checks import check_question, check_stop_rule, stop
    from qua3ck.question.comparing import Difference, compare
    from qua3ck.question.judging import Judgement, judge, judge_kpi
    from qua3ck.question.metrics import METRICS, Metric, metric
    from qua3ck.question.outcome import Outcome, positive_class
    from qua3ck.question.records import Costs, FairnessGap, Kpi, Question, Risk, Roles
    from qua3ck.question.scoring import score

_HOME = {
    "METRICS": "metrics",
    "Costs": "records",
    "Difference": "comparing",
    "FairnessGap": "records",
    "Judgement": "judging",
    "Kpi": "records",
    "Metric": "metrics",
    "Outcome": "outcome",
    "Question": "records",
    "Risk": "records",
    "Roles": "records",
    "Word": "agreement",
    "agree": "agreement",
    "agreement_findings": "agreement",
    "agreements": "agreement",
    "check_question": "checks",
    "check_stop_rule": "checks",
    "compare": "comparing",
    "hold_agreement": "agreement",
    "judge": "judging",
    "judge_kpi": "judging",
    "metric": "metrics",
    "positive_class": "outcome",
    "score": "scoring",
    "stop": "checks",
}

__all__ = [
    "METRICS",
    "Costs",
    "Difference",
    "FairnessGap",
    "Judgement",
    "Kpi",
    "Metric",
    "Outcome",
    "Question",
    "Risk",
    "Roles",
    "Word",
    "agree",
    "agreement_findings",
    "agreements",
    "check_question",
    "check_stop_rule",
    "compare",
    "hold_agreement",
    "judge",
    "judge_kpi",
    "metric",
    "positive_class",
    "score",
    "stop",
]


def __getattr__(name: str) -> Any:
    """Load the module that holds ``name``; no module is called like a name listed here."""
    if name not in _HOME:
        message = f"module {__name__!r} has no attribute {name!r}"
        raise AttributeError(message)
    return getattr(import_module(f"{__name__}.{_HOME[name]}"), name)


def __dir__() -> list[str]:
    """List what may be imported from here."""
    return list(__all__)
