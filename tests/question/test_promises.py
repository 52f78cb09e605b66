"""What a question promises is one record; what it is told as leaves nothing out."""

from __future__ import annotations

from qua3ck.kit.hashes import canonical_json
from qua3ck.question.promises import as_written, moved, promised
from qua3ck.question.records import Kpi, Question


def asked(*kpis: Kpi, **more) -> Question:
    told = {"asks": "a", "decides": "b", "why_now": "c", "risks": "d", "stop_if": ("rows < 1",)}
    return Question(kpis=kpis, **{**told, **more})


AUC = Kpi(id="auc", metric="roc_auc", at_least=0.75)
LATENCY = Kpi(id="latency", metric="latency_p99_ms", at_most=50.0)


def test_the_record_goes_into_a_ledger_as_it_is():
    assert b'"at_least":"0.75"' in canonical_json(promised(asked(AUC, LATENCY)))


def test_what_was_not_declared_is_told_apart_from_what_was_not_kept():
    record = promised(asked(AUC))
    assert as_written(record)["costs of errors"] == "not declared"
    del record["costs"]
    assert as_written(record)["costs of errors"] == "not on record then"


def test_rows_per_group_are_promised_only_where_there_are_groups():
    fewer = AUC.model_copy(update={"min_rows": 5})
    assert moved(promised(asked(AUC)), promised(asked(fewer))) == ()


def test_the_kpi_that_leads_is_the_first_about_predictions():
    assert as_written(promised(asked(LATENCY, AUC)))["leading KPI"] == "auc"
    assert moved(promised(asked(LATENCY, AUC)), promised(asked(AUC, LATENCY))) == ()


def test_a_change_reads_from_before_to_after():
    (dropped,) = moved(promised(asked(AUC, LATENCY)), promised(asked(AUC)))
    assert str(dropped) == "latency: latency_p99_ms at_most 50.0 at confidence 0.95 -> not asked"


def test_an_empty_record_is_no_error():
    assert set(as_written({}).values()) == {"none", "not on record then"}
