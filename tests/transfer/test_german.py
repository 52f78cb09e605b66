"""The German of sentences that other rooms write: those rooms are asked for them here."""

from __future__ import annotations

import inspect
import re
from dataclasses import replace

import pandas as pd
import pytest

from qua3ck.a3 import baseline
from qua3ck.a3.codes import PAGES as A3_PAGES
from qua3ck.conclude import reasons
from qua3ck.conclude.codes import PAGES as CONCLUDE_PAGES
from qua3ck.govern.risk import _ANNEX_III, risk_class
from qua3ck.kit.verdicts import Verdict
from qua3ck.question.metrics import METRICS
from qua3ck.store.releases import prelude
from qua3ck.store.releases.parity import Parity
from qua3ck.transfer import german, report
from qua3ck.transfer.german import FINDINGS, in_german
from qua3ck.understand.columns import CONSTANT, EMPTY, IDENTIFIER, IGNORED, NOT_KNOWN

WHY = risk_class("people", "credit", automated=False)[1]
ENGLISH = re.compile(r"\b(the|rows|with|than|were|which|not|and|wrong|better|about|would)\b")


def german_of(words: str) -> str:
    """Return the German; fail if it is not known, or not German throughout."""
    said = in_german(words)
    assert said is not None, words
    assert not ENGLISH.search(said), said
    return said


def test_every_metric_has_a_german_name_and_meaning():
    assert set(german.METRICS) == set(METRICS)


def test_what_is_not_known_stays_what_it_is():
    assert in_german("Something that nobody ever wrote.") is None


def test_figures_stay_the_same_and_are_written_the_german_way():
    said = german_of(
        "logistic_regression was kept among 1,204 finished trials, with a validation auc of 0.8410."
        " Limits come first; of those that validation cannot tell from the best, the explainable,"
        " the quicker and the smaller one is taken."
    )
    assert said.startswith("Logistische Regression wurde unter 1.204 zu Ende geführten Versuchen")
    assert "auc 0,8410" in said


def test_the_reasons_and_risks_that_conclude_writes_are_known(facts):
    question, candidate = facts.question, facts.candidate
    open_ = Verdict(
        "right", "accuracy", 0.93, 0.805, 0.988, 0.95, "at_least", "undecided", 30,
        rows_needed=503, rows_needed_for="fail",
    )  # fmt: skip
    failed = replace(open_, verdict="fail", rows_needed=None)
    for allowed in (True, False):
        said = reasons.reasons(
            question, candidate, [open_, failed], facts.conclusion.comparisons, allowed=allowed
        )
        assert [german_of(one) for one in said]
    errors = [
        {"column": "income", "part": part, "rows": 1200, "rate": 0.31, "rest": 0.17, "p": 0.001}
        for part in ("below 37", "from 0 below 3000", "from 3000")
    ]
    listed = reasons.risks(
        facts.snapshot,
        replace(candidate, honest=0.8, optimistic=0.9, train_score=0.95),
        [open_, replace(open_, rows_needed=None), replace(open_, rows_needed_for="pass")],
        {"bad": {"support": 12.0}},
        errors,
    )
    said = [german_of(one) for one in listed]
    assert any("income, von 0 bis unter 3000: falsch bei 0,31 von 1.200" in one for one in said)
    assert any("Etwa 503 Zeilen" in one for one in said)


@pytest.mark.parametrize(
    "says",
    [
        'always says "good", the most frequent class',
        'always says "good", the cheaper decision for everybody',
        "always says the mean",
        "always says the median",
    ],
)
def test_what_the_naive_rival_does_is_known(says):
    assert says.partition('"')[0] in inspect.getsource(baseline), "as the loop writes it"
    german_of(says)


@pytest.mark.parametrize("parity", [Parity(713, 0, 2e-7, 1e-5)])
def test_how_onnx_was_earned_is_known(parity):
    assert "713 echten Zeilen" in german_of(f"ONNX was earned. {parity.says}")
    german_of(f"The ONNX graph disagrees with the pipeline. {parity.says}")


def test_every_risk_class_gives_its_reason_in_german():
    for _, title, words in _ANNEX_III:
        assert in_german(title) is not None, title
        german_of(risk_class("people", words[0], automated=False)[1])
    german_of(risk_class(None, "gardening", automated=False)[1])
    german_of(risk_class("people", "gardening", automated=False)[1])
    german_of(risk_class("people", "gardening", automated=True)[1])
    german_of(risk_class("nobody", "gardening", automated=False)[1])


@pytest.mark.parametrize("why", [NOT_KNOWN, IDENTIFIER, CONSTANT, EMPTY, IGNORED])
def test_why_a_column_is_left_out_is_known(why):
    german_of(why)


def test_every_finding_of_a_check_has_a_german_title():
    never_found = {
        "A010",
        "A011",
        "A012",
        "A013",
        "A014",
        "A017",
        "A020",
        "A022",
    }  # raised, no findings
    never_found |= {"C015", "C016", "C017", "C018"}
    codes = {page.code for page in (*A3_PAGES, *CONCLUDE_PAGES)} - never_found
    assert codes <= set(FINDINGS)


@pytest.mark.parametrize(
    "words",
    [
        "champion: nowhere -> version 1 (promote): it passed",
        "champion: version 2 -> version 1 (rollback): it failed",
        "rosa signs for version 1: read",
        "rosa signs AGAINST version 1: unclear",
        "version 1 came out the same",
        "release 1: name credit, registered 3, version 1, again: the registry had lost it",
        "rosa as risk_manager, owner; KEY REPLACED by ana",
        "rosa signs for version 1: read; with a key that ana put in place of another",
        "1 of 2 approvals; to be given by rosa; the key of rosa was put in place of another by an"
        " author (ana), and counts once another owner enrols it too: qua3ck enrol rosa --role ROLE"
        " --public rosa.pub",
        "candidate 6d215ef8be95 may be released",
        "opening 1 of 2 for candidate 6d215ef8be95, 1782 rows",
        "1782 rows sealed as 49eb52ea859d2aa8, key wrapped to steward",
        "all 4 pass",
        "approved by rosa, malik",
        "1 of 2 approvals; to be given by rosa, not by an author (ana)",
    ],
)
def test_events_and_gates_are_known(words):
    german_of(words)


def test_what_is_wrong_with_rows_that_are_handed_in_is_known():
    spec = {
        "task": "regression",
        "columns": [
            {"name": "area", "kind": "number"},
            {"name": "filed", "kind": "date"},
            {"name": "old", "kind": "bool"},
        ],
    }
    bad = [["large", "soon", "perhaps", 1], ["1", "2", "3", 2]]
    tables = [
        pd.DataFrame(bad, columns=["area", "filed", "old", "note"], dtype=object),
        pd.DataFrame(bad, columns=["aera", "filed", "filed", "old"], dtype=object),
        pd.DataFrame([], columns=["area", "filed", "old"]),
    ]
    said = [problem for table in tables for problem in prelude.check(table, spec)]
    assert len(said) >= 7
    for one in said:
        what, _, rest = one.partition(" Where: ")
        where, _, fix = rest.partition(" Fix: ")
        for words in (what, where.rstrip("."), fix.rstrip(".")):
            assert in_german(words) is not None, words


def test_a_whole_report_in_german_has_no_english_that_is_not_marked(facts, undecided_facts):
    for one in (facts, undecided_facts):
        text = report.render(replace(one, lang="de", risk_reason=WHY))
        assert '<html lang="de">' in text
        body = text[text.index("<main>") :]
        unmarked = re.sub(r'<(span|div) lang="en".*?</\1>', "", body)
        for own in ("asks", "decides", "why_now", "risks"):
            unmarked = unmarked.replace(getattr(one.question, own), "")
        shown = re.sub(r"<[^>]+>", " ", unmarked)
        names = {"rows": "", "with": "", "not": ""}
        found = {
            shown[m.start() - 60 : m.end() + 60]
            for m in ENGLISH.finditer(shown)
            if m[0] not in names
        }
        assert found == set()


@pytest.mark.parametrize(
    ("english", "kept"),
    [
        (
            "champion: nowhere -> version 2 (promote, by steps of 5, 25, 100 %): tried",
            "5, 25, 100 %",
        ),
        (
            "champion: version 1 -> version 2 (promote, by steps of 5, 100 %): tried",
            "Version 1 → Version 2",
        ),
        ("the model is switched off: late stock figures", "abgeschaltet"),
        ("the model answers again: stock counted", "antwortet wieder"),
        ('Column "area" is empty, and no training row was', "„area“"),
        (
            'Column "area" lies outside of what was seen in training: about 0 to 48.5',
            "etwa 0 bis 48,5",
        ),
        (
            'Column "filed_on" lies outside of what was seen in training: about 2023-12-29 to'
            " 2025-11-28 (and 2 more)",
            "etwa 2023-12-29 bis 2025-11-28 (und 2 weitere)",
        ),
        ('Column "area" lies outside of what was seen in training', "„area“ liegt außerhalb"),
        ('Column "area" is empty, and no training row was (and 1 more)', "(und 1 weitere)"),
        ('Column "use" is a category that no training row has', "Kategorie, die in keiner"),
        (
            'Column "use" is a category that no training row has; did you mean "home"?',
            "Ist „home“ gemeint?",
        ),
        (
            'Column "area" is infinite or too large for a number of the model',
            "unendlich oder zu groß",
        ),
        ('send one of: "home", "shop" and 3 more', "„home“, „shop“ und 3 weitere"),
        ('send one of: "home"', "„home“"),
        ("check its spelling; what training had of this column is not told", "Schreibweise"),
        ("send a finite number, or null where the column may be empty", "endliche Zahl"),
        ("row 1 of 1", "Zeile 1 von 1"),
        ("row 17", "Zeile 17"),
        ("2 of 2 rows, first in row 1", "2 von 2 Zeilen, zuerst in Zeile 1"),
        ("version 2: from 5 % to 25 %", "von 5 % auf 25 %"),
        ("release 2: name permits, registered 2, version 2", "registriert als permits 2"),
        ("permits: m 2", "2 Öffnungen des Siegels erlaubt"),
        ("permits: format 1, id 603783b6959d611d", "Kennung 603783b6959d611d"),
        (
            "nothing found that blocks; NOT CHECKED: known vulnerabilities (no advisories"
            " declared)",
            "NICHT GEPRÜFT: bekannte Schwachstellen (keine Meldungen erklärt)",
        ),
        (
            "nothing found that blocks; warned of K025 advisories.json, K023 requirements.txt,"
            " and 2 more",
            "gewarnt vor K025 advisories.json, K023 requirements.txt und 2 weiteren",
        ),
        ("nothing found that blocks", "nichts gefunden, was im Weg steht"),
        ("the version was not scanned", "nicht durchsucht"),
        ("send a value for it", "angeben"),
        ("check its unit and its digits", "prüfen"),
    ],
)
def test_what_operation_writes_is_known(english, kept):
    assert kept in german_of(english)


def gates_with_reasons() -> list[str]:
    """Return what the gate of the scan says of reasons that count, and of those that do not."""
    from qua3ck.govern.gates import Waiver, security_gate
    from qua3ck.kit.findings import Finding

    plain = Finding("K024", "block", "model.skops", "x", accepted="it is ours; we read it")
    missing = "known vulnerabilities (no advisories declared)"
    ids, unknown = {"ids": ["OSV-1"]}, {"not_checked": missing}
    known = Finding("K025", "warn", "numpy 2.0", "x", evidence=ids, accepted="never called")
    blind = Finding("K026", "warn", "advisories", "x", evidence=unknown, accepted="none to be had")
    waivers = [Waiver(plain, "ana", 7, released=True), Waiver(blind, "ana", 12)]
    return [
        security_gate([plain, known, blind], risk=risk, waivers=waivers, needed=2).says
        for risk in ("minimal", "high")
    ]


def test_the_gate_of_the_scan_is_told_in_german_with_its_reasons():
    for says in gates_with_reasons():
        told = german_of(says)
        for word in ("accepted", "put on record", "puts", "count", "approvals", "CHECKED", "known"):
            assert word not in told, told
        for kept in ("K024 model.skops", "K025 numpy 2.0 OSV-1", "it is ours; we read it", "12"):
            assert kept in told


def test_signatures_under_a_question_are_told_in_german_promise_by_promise(facts):
    told = "; ".join(f"{name.strip()}: {one}" for name, one in promises_of(facts.question).items())
    for word, late, kept in (
        ("for", "", "für die Frage"),
        ("AGAINST", "", "gegen die Frage"),
        ("for", ", AFTER 1 opening(s)", "NACHDEM schon geöffnet worden war, 1-mal"),
    ):
        says = german_of(f"rosa signs {word} the question ({told}){late}: read")
        assert kept in says
        assert "ROC-AUC mindestens 0,75 bei Sicherheit 0,95" in says
        assert says.endswith(": read")
    says = german_of(f"promises {told}, AFTER 2 verdict(s) had been seen")
    assert "zwischen Gruppen von sex" in says
    assert "NACHDEM 2 Urteile bekannt waren" in says


def promises_of(question) -> dict[str, str]:
    """Return every promise in words, of a question that has each kind."""
    from qua3ck.question.promises import as_written, promised

    sliced = question.kpis[0].model_copy(
        update={"slice_by": ("sex", "home"), "slice": {"region": "north"}}
    )
    record = promised(question.model_copy(update={"kpis": (sliced, *question.kpis)}))
    older = {key: record[key] for key in ("kpis", "fairness")}
    older["kpis"] = [{key: kpi[key] for key in ("id", "metric", "at_least")}
                     for kpi in record["kpis"][:1]]  # fmt: skip
    told = {**as_written(older), **{f"{name} ": one for name, one in as_written(record).items()}}
    users_own = ("stop rules", "positive class", "leading KPI")
    return {name: one for name, one in told.items() if name.strip() not in users_own}


def test_promises_and_their_changes_are_told_in_german(facts):
    from qua3ck.conclude.changes import ThresholdChange
    from qua3ck.conclude.findings import change_findings

    told = promises_of(facts.question)
    assert all(german_of(name.strip()) for name in told if " " in name.strip())
    says = {name: german_of(one) for name, one in told.items()}
    assert says["auc "].startswith("ROC-AUC mindestens 0,75 bei Sicherheit 0,95")
    assert says["auc"].endswith("Sicherheit, Teil, Gruppen damals nicht festgehalten")
    assert says["sex_gap "].endswith("zwischen Gruppen von sex, je mindestens 100 Zeilen")
    assert says["costs of errors "] == "falsch negativ 5, falsch positiv 1"
    assert says["risk answers "] == "betrifft Menschen, Bereich credit, ein Mensch entscheidet"
    changed = [
        ThresholdChange(name.strip(), before, told["brier "], "2026-03-01", "ana", 3, 2)
        for name, before in told.items()
    ]
    for finding in change_findings(changed):
        assert "Nach einem Urteil hat ana" in german_of(finding.says)
    gate = (
        f"changed in the project file after it was judged: sex_gap: {told['sex_gap ']} -> not"
        " asked; costs of errors: not declared -> false_negative 5, false_positive 1:"
        " qua3ck conclude, then qua3ck release"
    )
    assert "zwischen Gruppen von sex" in german_of(gate)
    assert "Kosten von Fehlern: nicht angegeben -> falsch negativ 5" in german_of(gate)


def test_a_kpi_keeps_its_id_where_a_word_of_ours_is_the_same(facts):
    from qua3ck.conclude.changes import ThresholdChange
    from qua3ck.conclude.findings import change_findings

    said, meant = "brier at_most 0.18 at confidence 0.95", "Brier-Wert höchstens 0,18 bei"
    told = german_of(f"promises leading KPI: brier; brier: {said}; time: {said}")
    assert told.startswith("Zusagen führende Kennzahl: brier; brier: Brier-Wert höchstens 0,18")
    assert f"; time: {meant}" in told
    for before in ("not on record then", said):
        (found,) = change_findings(
            [ThresholdChange("time", before, said, "2026-03-01", "ana", 3, 2)]
        )
        assert "nach der Zeit" not in german_of(found.says)
        assert meant in german_of(found.says)
    brier = facts.question.kpis[1]
    for metric, kpi in ((brier.metric, brier), ("roc_auc", facts.question.kpis[0])):
        assert in_german(metric) is None, kpi


def test_what_a_user_wrote_in_a_promise_is_never_translated():
    told = in_german("promises positive class: fail; stop rules: rows; leading KPI: time")
    assert told == ("Zusagen positive Klasse: fail; Abbruchregeln: rows; führende Kennzahl: time")
    moved = in_german("promises positive class: not declared -> number; leading KPI: none -> time")
    assert moved == (
        "Zusagen positive Klasse: nicht angegeben -> number; führende Kennzahl: keine -> time"
    )


def test_details_of_findings_are_german():
    from qua3ck.question.agreement import Word
    from qua3ck.question.promises import Moved
    from qua3ck.transfer.security.scan import none_declared

    assert "keine Meldungen" in german_of(none_declared().says)
    for why in ("the costs of the question", "the KPIs that depend on the decision"):
        says = f"A row is called good from a probability of 0.608 on; {why} decided that on"
        assert "0,608" in german_of(f"{says} validation rows.")
    changed = (Moved("auc", "roc_auc at_least 0.75", "roc_auc at_least 0.7"), Moved("a", "", "b"))
    entry = {"seq": 3, "at": "2026-11-22T01:00:00Z"}
    words = [
        Word("rosa"),
        Word("rosa", decision="approve", stands=True, in_time=True, since=3, **entry),
        Word("rosa", decision="approve", stands=True, in_time=False, since=1, **entry),
        Word("rosa", decision="refuse", stands=True, **entry),
        Word("rosa", decision="approve", stands=False, moved=changed, **entry),
        Word("rosa", decision="refuse", stands=False, **entry),
    ]
    said = [*map(repr, words), "; ".join(map(repr, words)), "nobody is named who could agree to it"]
    for one in said:
        for cure in ("", " Type: qua3ck approve --question --as NAME --reason WHY"):
            told = german_of(f"The question and its thresholds: {one}.{cure}")
            for word in ("agreed", "refused", "ledger", "since", "before", "Type", "earlier"):
                assert word not in told, told
