"""Every page, in both languages, for those who may see it: what it shows and what it never does."""

from __future__ import annotations

import html as markup
import json
import re

import pytest
from streamlit.testing.v1 import AppTest

from qua3ck.app import batch, seeing
from qua3ck.app.asking import ask, refused
from qua3ck.app.reading import Reader
from qua3ck.app.texts import LANGUAGES, say
from qua3ck.app.visit import Visit, choices, chosen
from qua3ck.project import open_project
from qua3ck.transfer.german import in_german

LITTLE = "lighthouse"  # five permits of 500: it would name its owners


def _page(page: str, root: str, roles: tuple[str, ...], lang: str, name: str, asked: str) -> None:
    """What AppTest runs: one page for one visit; it must import what it uses."""
    import streamlit as st

    from qua3ck.app.view import draw, reader_of
    from qua3ck.app.visit import Visit

    if asked:
        st.session_state["version"] = asked
    draw(page, Visit(reader_of(root), name, roles, lang))


@pytest.fixture
def look(made, monkeypatch):
    """Return a function that looks at one page."""
    monkeypatch.setenv("QUA3CK_KEYS", str(made.keys))
    monkeypatch.setenv("QUA3CK_ACTOR", "ana")
    monkeypatch.setattr("qua3ck.operate.serve.compacting.Compactor.step", lambda self: None)

    def looked(page, *, roles=("owner",), lang="en", root=made.root, name="ana", asked=""):
        given = {"page": page, "root": str(root), "roles": roles, "lang": lang, "name": name}
        at = AppTest.from_function(_page, kwargs={**given, "asked": asked}, default_timeout=120)
        at.run()
        assert not at.exception
        return at

    return looked


def words(at):
    """Return what a reader sees of our own markup, and all labels and choices of inputs."""
    shown = [re.sub(r"<[^>]+>", " ", html.proto.body) for html in at.get("html")]
    inputs = [*at.selectbox, *at.number_input, *at.text_area, *at.text_input, *at.radio]
    shown += [f"{one.label} {getattr(one, 'help', '')}" for one in inputs]
    shown += [f"{choice}" for one in at.selectbox for choice in one.options]
    return markup.unescape(" ".join(" ".join(shown).split()))


def fill_in(at):
    """Fill in a typical case, and what the form tells nothing about."""
    press(at, "Fill in a typical case")
    next(one for one in at.number_input if one.label == "contact phone").set_value(500)


def logged(desk):
    """Return the answers that stand in the log."""
    files = sorted((desk.root / "state" / "serve" / "log").glob("*.jsonl"))
    return [json.loads(line) for each in files for line in each.read_text("utf-8").splitlines()]


def press(at, label):
    next(button for button in at.button if button.label == label).click().run()
    assert not at.exception
    return words(at)


@pytest.mark.parametrize("lang", LANGUAGES)
@pytest.mark.parametrize("page", seeing.PAGES)
def test_every_page_is_drawn_in_both_languages(look, page, lang):
    shown = words(look(page, lang=lang))
    assert say(f"page.{page}", lang).lower() in shown.lower() or page in ("decide", "evidence")
    assert say("view.error", lang) not in shown
    assert "{" not in shown, "a value was not put in"


@pytest.mark.parametrize("page", seeing.PAGES)
def test_neither_a_small_group_nor_a_personal_value_is_shown_anywhere(look, desk, page):
    at = look(page, root=desk.root)
    shown = words(at)
    if page == "decide":
        fill_in(at)
        shown += words(at) + press(at, "Show the answer")
        assert "second: no" in shown
    assert LITTLE not in shown
    assert "ago_phone" not in shown
    phones = re.findall(r"Seen: [^.]*\.", " ".join(str(one.help) for one in at.number_input))
    by_label = {one.label: one.help or "" for one in at.number_input}
    if page == "decide":
        assert by_label["contact phone"] == say("decide.hidden", "en")
        assert len(phones) == len(by_label) - 1


def test_a_case_is_answered_with_its_reasons_and_what_would_turn_it(look, desk):
    at = look("decide", root=desk.root)
    assert "It appears here" in words(at)
    fill_in(at)
    next(one for one in at.number_input if one.label == "area").set_value(600.0)
    shown = press(at, "Show the answer")
    assert "second: yes" in shown
    assert re.search(r"Probability of “yes” (> )?\d+\s%", shown)
    assert "From 50\u00a0% on, the answer is “yes”." in shown or "From 50 % on" in shown
    assert re.search(r"Of the \d+ sealed cases that scored most like this one", shown)
    assert re.search(r"area 600 typical: \d+ \+\d+\.\d points", shown)
    assert "a person decides every visit" in shown
    assert re.search(r"area 600 \d+(\.\d+)? no", shown), (
        "the nearest area that gives another answer"
    )
    assert "What is computed from other inputs does not change alone" in shown
    assert "In the typical case each value is usual by itself" in shown


def test_what_is_unlike_training_is_said_and_what_is_missing_is_refused(look, desk):
    at = look("decide", root=desk.root)
    fill_in(at)
    next(one for one in at.number_input if one.label == "storeys").set_value(60)
    assert "storeys: outside of what the training rows held" in press(at, "Show the answer")
    next(one for one in at.number_input if one.label == "area").set_value(None)
    shown = press(at, "Show the answer")
    assert "No answer was given" in shown
    assert 'Column "area" is empty, and no training row was' in shown
    assert "second:" not in shown


def test_a_refusal_names_neither_a_small_group_nor_the_ends_of_training(desk, monkeypatch):
    monkeypatch.setattr("qua3ck.operate.serve.compacting.Compactor.step", lambda self: None)
    file = desk.root / "qua3ck.yaml"
    text = file.read_text(encoding="utf-8")
    file.write_text(f"{text}operate:\n  serve: {{refuse_outside: true}}\n", encoding="utf-8")
    visit = Visit(Reader(desk.root), "ana", ("owner",), "de", 1, "champion")
    model = visit.reader.model(1)
    known = {one["name"]: one for one in model.manifest.spec["columns"]}
    assert LITTLE in known["use"]["values"], "else nothing is shown here"
    row = {"area": 221.5, "storeys": 3, "use": "home", "heritage": True, "contact_phone": 500}
    row["filed_on"] = "2024-05-31"
    for wrong in ({"use": "lighthous"}, {"area": 99999.0}, {"filed_on": "2199-01-01"}):
        table = {name: [cell] for name, cell in {**row, **wrong}.items()}
        problem = ask(visit, model, table, 1).problem
        (many,) = batch.refusals(refused(visit, table, 1), 1)
        for told in ((problem.what, problem.where, problem.fix), (many.what, many.where, many.fix)):
            assert "home" not in told[2], "which values are frequent is for the form to say"
            assert LITTLE not in " ".join(told)
            assert re.findall(r"\d+", " ".join(told[:2])) in (["1", "1"], ["1"]), "of a row alone"
            assert None not in map(in_german, told), told
    visit.reader.desk().close()


def test_every_answer_is_logged_once_and_under_the_number_that_is_shown(look, desk):
    at = look("decide", root=desk.root)
    fill_in(at)
    shown = press(at, "Show the answer")
    at.run()
    (line,) = logged(desk)
    assert f"Logged as {line['id']}" in shown
    assert f"Logged as {line['id']}" in words(at)
    assert (line["v"], line["arm"], line["out"]["label"]) == (1, "app", ["no"])
    assert line["in"]["storeys"] != [None]
    assert line["in"]["contact_phone"][0].startswith("~")
    press(at, "Show the answer")
    assert len(logged(desk)) == 2
    assert "in dieser Ansicht gefragt 1 2 " in words(look("live", root=desk.root, lang="de"))


def test_switched_off_the_declared_rule_answers_at_once_and_no_reason_is_given(look, desk):
    file = desk.root / "qua3ck.yaml"
    text = file.read_text(encoding="utf-8")
    file.write_text(f"{text}operate:\n  fallback: {{answer: 'yes'}}\n", encoding="utf-8")
    at = look("decide", root=desk.root)
    fill_in(at)
    assert "second: no" in press(at, "Show the answer")
    desk.type("off", "--reason", "wrong limits")
    at.run()
    assert re.search(
        r"switched off since \d{4}-\d\d-\d\d: wrong limits\. The declared rule", words(at)
    )
    assert "In use, switched off" in words(look("releases", root=desk.root))
    assert "second: no" not in words(at), "given before it was switched off"
    shown = press(at, "Show the answer")
    assert "Answer without a model second: yes" in shown
    assert "What moved it" not in shown
    assert [(one["v"], one["arm"]) for one in logged(desk)] == [(1, "app"), (0, "fallback")]
    desk.type("off", "--on", "--reason", "mended")
    assert "second: no" in press(at, "Show the answer")
    assert "switched off" not in words(at)
    live = words(look("live", root=desk.root))
    assert live.index("switched on") < live.index("switched off"), "the last first"


def test_switched_off_without_a_rule_nobody_is_promised_an_answer(look, desk):
    desk.type("off", "--reason", "wrong limits")
    shown = words(look("decide", root=desk.root, lang="de"))
    assert "abgeschaltet: wrong limits. Es ist keine Ersatzregel erklärt" in shown


def rolled_out(desk):
    """Have version 2 take over from version 1 by steps; return the entry of the move."""
    file = desk.root / "qua3ck.yaml"
    text = file.read_text(encoding="utf-8")
    file.write_text(f"{text}operate:\n  canary: [20, 100]\n", encoding="utf-8")
    desk.type("promote", "2", "--reason", "asks for less")
    return open_project(desk.root).entries()[-1]


def test_a_version_that_is_being_rolled_out_is_not_yet_the_one_in_use(look, desk):
    at = look("decide", root=desk.root)
    move = rolled_out(desk)
    at.run()
    shown = words(at)
    assert "Version 1, in use since" in shown
    assert "has moved" not in shown
    assert "storeys" in [one.label for one in at.number_input], "the form of version 1"
    reader = Reader(desk.root)
    listed = [(one.alias, one.version) for one in choices(reader, ())]
    assert listed == [("champion", 1), ("canary", 2)]
    tried = words(look("decide", root=desk.root, asked="canary"))
    assert "Version 2, Being rolled out, 20 %" in tried
    assert "gets 20 % of the requests; version 1 is in use" in tried
    releases = words(look("releases", root=desk.root))
    assert re.search(r"– Being rolled out, 20\s%", releases)
    assert "✓ rosa In use" in releases
    assert "put into use by steps: 20, 100 %" in releases
    ledger = open_project(desk.root).workspace().ledger
    body = {"rollout": move.seq, "version": 2, "share": 100}
    ledger.append("canary.stepped", "champion", {**body, "from": 20, "seen": {}})
    assert [(one.alias, one.version) for one in choices(reader, ())] == [("champion", 2)]


def test_a_version_whose_rollout_was_stopped_is_not_in_use_though_the_alias_has_it(look, desk):
    move = rolled_out(desk)
    ledger = open_project(desk.root).workspace().ledger
    ledger.append("canary.stopped", "champion", {"rollout": move.seq, "why": "it was worse"})
    assert open_project(desk.root).aliases() == {"champion": 2}
    listed = [(one.alias, one.version) for one in choices(Reader(desk.root), ("owner",))]
    assert listed == [("champion", 1), ("", 2)]
    assert "Version 1, in use since" in words(look("decide", root=desk.root))
    releases = words(look("releases", root=desk.root))
    assert "not in use" in releases
    assert "✓ rosa In use" in releases


def test_an_emptied_form_forgets_the_answer(look, desk):
    at = look("decide", root=desk.root)
    fill_in(at)
    assert "Answer of the model second:" in press(at, "Show the answer")
    assert "second:" not in press(at, "Empty the form")
    assert at.number_input[0].value is None


def test_an_answer_of_one_version_is_not_shown_for_another(look, desk):
    at = look("decide", root=desk.root)
    fill_in(at)
    press(at, "Show the answer")
    at.session_state["version"] = "2"
    at.run()
    assert "Version 2 is not in use" in words(at)
    assert "second:" not in words(at)


def test_the_picker_follows_an_alias_that_moves_and_says_so(look, desk):
    at = look("decide", root=desk.root)
    assert "Version 1, in use since" in words(at)
    desk.type("promote", "2", "--reason", "asks for less")
    at.run()
    assert "Version 2, in use since" in words(at)
    assert "In use has moved from version 1 to version 2" in words(at)
    assert "storeys" not in [one.label for one in at.number_input], "its own form"


def test_who_only_reads_cannot_pick_what_is_not_in_use(reader):
    assert [choice.version for choice in choices(reader, ())] == [1]
    listed = choices(reader, ("ml_engineer",))
    assert [(choice.alias, choice.version) for choice in listed] == [("champion", 1), ("", 2)]
    assert chosen(listed, "2").version == 2
    assert chosen(listed, "99").version == 1
    assert chosen((), "1") is None


def test_evidence_says_the_verdict_in_words_and_figures(look):
    shown = words(look("evidence"))
    assert "Yes, it holds." in shown
    assert re.search(r"right \(accuracy\).*?\[0\.\d+, 0\.\d+\] at least 0\.55 ✓ passed", shown)
    assert "right, district = north" in shown
    assert "Confusion matrix" in shown
    german = words(look("evidence", lang="de"))
    assert re.search(r"\[0,\d+; 0,\d+\] mindestens 0,55 ✓ bestanden", german)


def test_who_signs_again_counts_once_and_whoever_refuses_later_no_longer(look, desk):
    desk.type("approve", "1", "--as", "rosa", "--reason", "read again")
    desk.type("approve", "1", "--as", "emil", "--reason", "plausible")
    assert "Signatures for it 2 emil, rosa" in words(look("evidence", root=desk.root))
    desk.type("approve", "1", "--as", "emil", "--refuse", "--reason", "areas are wrong")
    assert "Signatures for it 1 rosa" in words(look("evidence", root=desk.root))
    assert "✓ rosa, ✗ emil" in words(look("releases", root=desk.root))


def test_small_counts_are_not_told_and_do_not_follow_from_the_others(look, reader):
    confusion = reader.evidence(1, "en").conclusion.confusion
    small = [count for row in confusion for count in row if 0 < count < 10]
    at = look("evidence")
    matrix = next(h.proto.body for h in at.get("html") if 'class="matrix"' in h.proto.body)
    cells = re.findall(r"<td[^>]*>([^<]*)</td>", matrix.split("matrix", 1)[1].split("</table>")[0])
    cells = [cell for cell in cells if cell]
    if not small:
        assert all(cell.isdigit() for cell in cells)
    for at_, row in enumerate(confusion):
        told = cells[2 * at_ : 2 * at_ + 2]
        if any(0 < count < 10 for count in row):
            assert not any(cell.isdigit() and int(cell) > 0 for cell in told)


def test_data_tells_sources_quality_and_what_waits(look):
    shown = words(look("data"))
    assert "building office" in shown
    assert "Nothing is held back" in shown
    assert "No rules are agreed for: permits" in shown
    assert re.search(r"350 rows to learn from, 150 sealed", shown)


def test_in_operation_says_honestly_that_nothing_was_answered(look):
    shown = words(look("live"))
    assert "in use 1 100" in shown
    assert "No answer has been logged" in shown
    assert "Drift and live KPIs are not watched yet" in shown


def test_releases_show_gates_signatures_and_two_versions_side_by_side(look):
    shown = words(look("releases"))
    assert "✓ rosa" in shown
    assert "plans the week" in shown
    assert "No longer asked: storeys" in shown
    assert re.search(r"right 0\.\d+ \[0\.\d+, 0\.\d+\] ✓ passed 0\.\d+", shown)


def test_whoever_may_not_sign_sees_no_form(look):
    at = look("releases", roles=("auditor",), name="dora")
    assert "Your role reads here" in words(at)
    assert not at.radio


def test_a_signature_needs_a_decision_a_reason_and_reading(look, desk):
    at = look("releases", root=desk.root, roles=("domain_expert",), name="emil")
    assert "Nothing was signed" in press(at, "Sign")
    assert [one.approver for one in Reader(desk.root).approvals(2)] == []


def test_a_refusal_is_signed_with_the_own_key_and_stands_in_the_ledger(look, desk):
    at = look("releases", root=desk.root, roles=("domain_expert",), name="emil")
    at.radio[0].set_value("refuse")
    at.text_area[0].set_value("The district is missing.")
    at.checkbox[0].set_value(True)
    assert "Signed: version 2 refused" in press(at, "Sign")
    (given,) = open_project(desk.root).approvals(2)
    assert (given.approver, given.decision) == ("emil", "refuse")
    assert given.reason == "The district is missing."
    assert open_project(desk.root).verify().ok


def test_whoever_has_no_key_here_is_told_and_nothing_is_signed(look, desk):
    for path in desk.keys.glob("people/rosa*"):
        path.unlink()
    for path in desk.keys.glob("rosa*"):
        path.unlink()
    at = look("releases", root=desk.root, roles=("risk_manager",), name="rosa")
    at.radio[0].set_value("approve")
    at.text_area[0].set_value("fine")
    at.checkbox[0].set_value(True)
    assert "This cannot be shown" in press(at, "Sign")
    assert Reader(desk.root).approvals(2) == ()


def test_the_ledger_is_searched_and_verified(look):
    at = look("ledger")
    shown = words(at)
    assert "The record is as it was written" in shown
    assert re.search(r"it saw (\d+) of \1 events", shown)
    assert re.search(r"Copies in the model registry: \d+, each as it was registered", shown)
    at.text_input[0].input("ROSA approval").run()
    assert re.search(r"1 of \d+ events", words(at))
    at.text_input[0].input("no such thing").run()
    assert "No event fits." in words(at)


def test_the_ledger_tells_what_happened_in_german_and_leaves_the_words_of_people(look):
    at = look("ledger", lang="de")
    shown = words(at)
    assert "ana als owner" in shown
    assert "Version 1 aus Kandidat" in shown
    assert '<span lang="">plans the week</span>' in "".join(
        html.proto.body for html in at.get("html")
    )
    at.text_input[0].input("ZEILEN versiegelt").run()
    assert re.search(r"[12] von \d+ Ereignissen", words(at))


def test_the_ledger_says_where_there_is_no_witness(look, desk, tmp_path, monkeypatch):
    at = look("ledger", root=desk.root)
    monkeypatch.setenv("QUA3CK_KEYS", str(tmp_path / "of nobody"))
    at.button[0].click().run()
    assert "Witness: none was looked at" in words(at)


def test_a_ledger_that_was_changed_is_shown_as_such_and_nothing_else(look, desk):
    chain = desk.root / "ledger" / "chain.jsonl"
    chain.write_bytes(chain.read_bytes().replace(b"plans the week", b"plans the year"))
    shown = words(look("ledger", root=desk.root))
    assert "This cannot be shown" in shown
    assert "L006" in shown


def test_before_the_first_release_every_page_says_what_is_missing(look, tmp_path, monkeypatch):
    root = tmp_path / "new"
    monkeypatch.setenv("QUA3CK_KEYS", str(tmp_path / "keys"))
    from desk_project import FILE, rows

    (root / "data").mkdir(parents=True)
    (root / "qua3ck.yaml").write_text(FILE)
    (root / "data" / "permits.csv").write_text("\n".join(rows()))
    for page in ("decide", "evidence", "releases"):
        assert "Nothing has been released yet" in words(look(page, root=root))
    assert "Nobody answers yet" in words(look("live", root=root))


def test_our_own_mistake_is_no_traceback(look, monkeypatch):
    def broken(visit):
        raise ZeroDivisionError

    monkeypatch.setattr("qua3ck.app.pages.data.show", broken)
    shown = words(look("data"))
    assert "This is a mistake of ours" in shown
    assert "ZeroDivisionError" not in shown
