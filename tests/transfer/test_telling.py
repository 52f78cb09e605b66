"""Every event that the code writes has a sentence in each language; people's words stay."""

from __future__ import annotations

import ast
import re
from functools import cache
from importlib import import_module
from pathlib import Path
from string import Formatter
from types import SimpleNamespace

import pytest

from qua3ck.app import texts
from qua3ck.kit.records import as_json
from qua3ck.transfer import telling
from qua3ck.transfer.auditing import Event
from qua3ck.transfer.telling import Own, Said, told

SOURCE = Path(telling.__file__).parents[1]
REASON = "weil die Grenze falsch war {so} <sagte> sie"
DIGEST = "ab" * 32
MOMENT = "2026-03-05T12:00:00.000000Z"
QUESTION = {
    "kpis": [{"id": "auc", "metric": "roc_auc", "at_least": "0.7", "confidence": "0.95"}],
    "fairness": [], "positive": "good", "costs": None, "stop_if": ["opened > 1"],
    "risk": {"affects": "people", "domain": "credit", "automated": False},
}  # fmt: skip
SIGNED = {"statement": {"promises": QUESTION, "opened": 2}}
MOVE = {"alias": "champion", "version": 2, "from": 1, "reason": REASON, "gates": {}}
STOPPED = {"version": 2, "at_share": 5, "back_to": 1, "why": "errors"}
BODIES = [  # as the code writes them; `test_events_are_found` sees to it that none is forgotten
    ("project.created", {"project": "loans", "id": "a1", "format": 1}),
    ("person.enrolled", {"roles": ["owner"], "signed": {}}),
    ("person.enrolled", {"roles": [], "signed": {}}),
    ("key.added", {"id": "ab", "name": "desk", "scopes": ["predict"], "hash": DIGEST}),
    ("key.revoked", {"id": "ab", "name": "desk"}),
    ("ledger.repaired", {"did": "finished", "seq": 7}),
    ("ledger.repaired", {"did": "cut", "seq": 7, "bytes": 31, "sha256": DIGEST}),
    ("ledger.set_back", {"backup": "b1", "events": 4, "reason": REASON,
                         "seen": [{"events": 9, "hash": DIGEST}]}),
    ("backup.made", {"place": "a folder", "manifest": DIGEST, "files": 1200, "bytes": 10}),
    ("backup.rehearsed", {"place": "a folder", "files": 1200, "bytes": 10, "events": 9}),
    ("question.set", {"digest": DIGEST, **QUESTION, "after_verdicts": [3]}),
    ("openings.declared", {"m": 2, "from": 1}),
    ("source.loaded", {"table": "silver/x", "version": 0, "loaded": 4454, "held": 3, "rows": 9,
                       "digest": DIGEST}),
    ("load.accepted", {"code": "U133", "known": "", "reason": REASON, "by": "ana", "for": ["x"]}),
    ("quarantine.answered", {"answers": 3, "open": 4, "mapping": DIGEST}),
    ("table.made", {"table": "gold/x", "version": 1, "rows": 9, "digest": DIGEST, "key": "k",
                    "made_of": {"silver/x": 0}}),
    ("table.restored", {"table": "silver/x", "version": 5, "to": 2, "known": MOMENT}),
    ("history.removed", {"tables": "silver/x", "bytes": 99, "kept_since": MOMENT, "given_up": {}}),
    ("personal.shown", {"columns": ["phone"], "rows": 9}),
    ("tables.published", {"rows": {"late": 1234}, "left_out": ["phone"]}),
    ("features.written", {"tables": {"x": {"table": "gold/x", "version": 1, "rows": 1234}},
                          "as_of": MOMENT}),
    ("seal.made", {"seal": "s1", "reading": "", "rows": 1234, "steward": "", "files": {}}),
    ("seal.made", {"seal": "s1", "reading": "", "rows": 1234, "steward": "dora", "files": {}}),
    ("seal.opened", {"seal": "s1", "candidate": DIGEST, "k": 1, "m": 2, "rows": 1234}),
    ("seal.reread", {"seal": "s1", "candidate": DIGEST, "k": 1}),
    ("loop.stopped", {"rules": ["opened > 1"], "facts": {}}),
    ("candidate.kept", {"algorithm": "random_forest", "format": "onnx", "trials": 24,
                        "snapshot": DIGEST}),
    ("verdict.made", {"candidate": DIGEST, "release_allowed": True}),
    ("verdict.made", {"candidate": DIGEST, "release_allowed": False}),
    ("release.made", {"version": 1, "candidate": DIGEST, "opening": 1, "model_format": "onnx",
                      "digest": DIGEST, "path": "releases/1"}),
    ("release.registered", {"version": 1, "name": "loans", "registered": 3, "again": True}),
    ("security.accepted", {"version": 1, "code": "K026", "severity": "block", "where": "here",
                           "ids": ["a"], "says": "x", "reason": REASON}),
    ("security.accepted", {"version": 1, "code": "K026", "severity": "warn", "where": "here",
                           "ids": [], "says": "x", "reason": REASON}),
    ("approval.given", {"version": 1, "approver": "rosa", "decision": "approve",
                        "reason": REASON, "signed": {}}),
    ("approval.given", {"approver": "rosa", "decision": "approve", "reason": REASON,
                        "signed": SIGNED}),
    ("approval.refused", {"version": 1, "approver": "rosa", "decision": "refuse",
                          "reason": REASON, "signed": {}}),
    ("promotion.refused", {"alias": "champion", "version": 2, "reason": "x",
                           "gates": {"kpis": "fail"}}),
    ("reproduction.made", {"version": 1, "same": True, "differences": []}),
    ("reproduction.made", {"version": 1, "same": False, "differences": ["model.onnx"]}),
    ("alias.moved", {**MOVE, "kind": "promote", "steps": [5, 25, 100]}),
    ("alias.moved", {**MOVE, "kind": "rollback", "from": None}),
    ("canary.stepped", {"version": 2, "at_share": 5, "share": 25, "seen": {}}),
    ("canary.stopped", {**STOPPED, "seen": {"errors": {"canary": [30, 30], "champion": [570, 0]}}}),
    ("canary.stopped", {**STOPPED, "why": "outcomes",
                        "seen": {"outcomes": {"error": "squared", "canary": [30, "1.25"],
                                              "champion": [570, "0.5"]}}}),
    ("canary.stopped", {"rollout": 8, "why": "replaced by another move"}),
    ("serving.off", {"reason": REASON}),
    ("serving.on", {"reason": REASON}),
    ("serving.tried", {"version": 2, "verdict": "fail", "why": "an answer is not the golden one",
                       "loads": [{"connections": 1, "p99_ms": "4.1", "errors": 0, "wrong": 0},
                                 {"connections": 8, "p99_ms": None, "errors": 3, "wrong": 1}]}),
    ("predictions.made", {"source": "loans", "to": "scores", "version": 1, "alias": "champion",
                          "predicted": 4451, "rows": 4454, "held": 3, "strange": 2,
                          "to_digest": DIGEST, "at": MOMENT}),
]  # fmt: skip
ENGLISH = re.compile(
    r"\b(the|of|rows|with|which|not|and|were|at|by|version \d|before|answered|held|table)\b"
)


@cache
def written_by_the_code() -> dict[str, str]:
    """Return every event that any module of ours appends to the ledger, and where."""
    found: dict[str, str] = {}
    for path in sorted(SOURCE.rglob("*.py")):
        source = path.read_text(encoding="utf-8")
        if "ledger" not in source.lower():
            continue
        tree = ast.parse(source)
        name = ".".join(("qua3ck", *path.relative_to(SOURCE).with_suffix("").parts))
        for function in [one for one in ast.walk(tree) if isinstance(one, ast.FunctionDef)]:
            for call in ast.walk(function):
                if _appends(call, name):
                    where = f"{path.relative_to(SOURCE)}:{call.lineno}"
                    events = _values(call.args[0], function, tree, name)
                    assert events, f"{where}: which event is appended cannot be seen"
                    found |= dict.fromkeys(events, where)
    return found


def _appends(call: ast.AST, module: str) -> bool:
    if not isinstance(call, ast.Call) or not isinstance(call.func, ast.Attribute):
        return False
    to = ast.unparse(call.func.value)
    if module == "qua3ck.ledger.writing":
        return call.func.attr == "_write" and not isinstance(call.args[0], ast.Name)
    return call.func.attr == "append" and to.split(".")[-1].endswith("ledger")


def _values(asked: ast.expr, function: ast.FunctionDef, tree: ast.Module, name: str) -> set[str]:
    """Return what an expression may be: a constant, one of a module, or what callers hand in."""
    if isinstance(asked, ast.Constant):
        return {asked.value}
    module = vars(import_module(name))
    if isinstance(asked, ast.Subscript):
        return set(module[ast.unparse(asked.value)].values())
    if not isinstance(asked, ast.Name):
        return set()
    if isinstance(module.get(asked.id), str):
        return {module[asked.id]}
    handed = [argument.arg for argument in function.args.args if argument.arg != "self"]
    if asked.id not in handed:
        return set()
    calls = [
        call for call in ast.walk(tree)
        if isinstance(call, ast.Call) and ast.unparse(call.func).split(".")[-1] == function.name
    ]  # fmt: skip
    place = handed.index(asked.id)
    return {call.args[place].value for call in calls if isinstance(call.args[place], ast.Constant)}


def said(event: str, body: dict, subject: str = "loans") -> Said:
    return Said.of(told(SimpleNamespace(event=event, subject=subject, body=body)))


def test_events_are_found():
    found = written_by_the_code()
    for known in ("predictions.made", "approval.refused", "canary.stepped", "ledger.repaired",
                  "serving.off", "load.accepted", "table.made"):  # fmt: skip
        assert known in found
    assert set(found) == {event for event, _ in BODIES}


@pytest.mark.parametrize("event", sorted(written_by_the_code()))
def test_every_event_has_a_sentence_and_a_name_in_both_languages(event):
    assert event in telling.EVENTS
    name = texts.TEXTS[f"event.{event}"]
    assert name["en"]
    assert name["de"]


def test_no_sentence_is_left_over():
    assert set(written_by_the_code()) == telling.EVENTS


@pytest.mark.parametrize(("event", "body"), BODIES)
def test_a_sentence_says_the_same_in_both_languages_and_is_no_dump(event, body):
    one = said(event, body)
    keys = [part.key for part in one.parts]
    assert "plain" not in keys
    english, german = str(one), "".join(one.pieces("de"))
    assert english == "".join(one.pieces("en"))
    assert not ENGLISH.search(german.replace(REASON, "")), german
    assert DIGEST not in english
    assert (REASON in german) == (REASON in english) == (REASON in body.values())


@pytest.mark.parametrize(("event", "body"), BODIES)
def test_what_people_wrote_stands_by_itself(event, body):
    if REASON in body.values():
        for lang in texts.LANGUAGES:
            assert REASON in [one for one in said(event, body).pieces(lang) if isinstance(one, Own)]


def test_each_sentence_has_the_same_gaps_in_both_languages():
    def gaps(words):
        return {name for _, name, _, _ in Formatter().parse(words) if name}

    for key, (english, german) in telling.SENTENCES.items():
        assert gaps(english) == gaps(german), key


def test_answers_of_a_table_are_told_with_figures_as_each_language_writes_them():
    one = said("predictions.made", dict(BODIES)["predictions.made"], "scores")
    assert str(one) == (
        "4,451 of 4,454 rows of loans answered by version 1 (champion), written to scores; 3 held;"
        " 2 answered that lie outside of what was seen in training"
    )
    assert "".join(one.pieces("de")).startswith("4.451 von 4.454 Zeilen aus loans von Version 1")


def test_markup_names_no_language_for_what_people_wrote_and_english_for_bare_facts():
    one = said("serving.off", {"reason": "<b>"})
    assert one.html("de") == 'das Modell ist abgeschaltet: <span lang="">&lt;b&gt;</span>'
    assert said("some.day", {"rows": 3}).html("de") == '<span lang="en">loans: rows 3</span>'
    assert said("some.day", {"rows": 3}).html("en") == "loans: rows 3"


def test_as_a_record_it_is_its_english_text():
    event = Event(1, MOMENT, "ana", "serving.off", said("serving.off", {"reason": "storm"}))
    assert as_json(event)["says"] == "the model is switched off: storm"


def test_an_event_that_is_not_known_or_holds_less_is_told_by_its_facts():
    assert (
        str(said("some.day", {"rows": 3, "digest": DIGEST}))
        == f"loans: rows 3, digest {DIGEST[:12]}"
    )
    assert str(said("backup.made", {"files": 3})) == "loans: files 3"
