from __future__ import annotations

from qua3ck.understand.section import Source
from qua3ck.understand.sources.answering import unanswered, unanswered_finding


def test_a_source_says_who_answers_for_it_or_is_told_what_is_missing():
    source = Source(kind="csv", path="a.csv", owner="Stock unit", cadence=" ")
    assert unanswered(source) == ("licence", "cadence", "contact")
    finding = unanswered_finding(source, place="understand.sources.stock")
    assert finding is not None
    assert (finding.code, finding.severity) == ("U055", "inform")
    whole = source.model_copy(update=dict.fromkeys(("licence", "cadence", "contact"), "x"))
    assert unanswered(whole) == ()
    assert unanswered_finding(whole, place="p") is None
