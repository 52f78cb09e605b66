"""Evidence: whether each promise holds, on what, for whom, and how it was decided."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from qua3ck.app import pieces
from qua3ck.app.fields import LEAST
from qua3ck.app.texts import number
from qua3ck.app.visit import Visit
from qua3ck.govern.approvals import standing
from qua3ck.kit.markup import Content, Html, join, tag
from qua3ck.transfer import evidence as parts
from qua3ck.transfer import report
from qua3ck.transfer.pieces import SIGNS, method_table, verdict_table

if TYPE_CHECKING:
    from qua3ck.kit.verdicts import Verdict
    from qua3ck.transfer.facts import Facts


def show(visit: Visit) -> None:
    """Draw the page."""
    import streamlit as st

    if visit.version is None:
        pieces.put(visit, _nothing(visit))
        return
    facts = visit.facts()
    pieces.put(visit, _head(visit, facts), _answer(visit, facts), _tiles(visit, facts))
    names = ("promises", "groups", "errors", "decision", "loop")
    tabs = st.tabs([visit.say(f"evidence.tab.{name}") for name in names])
    makers = (_promises, _groups, _errors, _decision, _loop)
    for tab, make in zip(tabs, makers, strict=True):
        with tab:
            pieces.put(visit, make(visit, facts))
    st.download_button(
        visit.say("evidence.report"),
        report.render(facts).encode(),
        file_name=f"{facts.project}-{facts.version}-{visit.lang}.html",
        mime="text/html",
        on_click="ignore",
    )


def _nothing(visit: Visit) -> Html:
    """Return what stands here before the first release: the last verdict says why not yet."""
    return join(
        pieces.head(visit.say("page.evidence"), visit.say("evidence.title")),
        pieces.nothing(
            visit.say("nothing.released"),
            visit.say("nothing.released.says"),
            fix=visit.say("nothing.released.fix"),
        ),
    )


def _head(visit: Visit, facts: Facts) -> Html:
    conclusion = facts.conclusion
    made = visit.say(
        "made",
        date=visit.moment(conclusion.at),
        rows=number(conclusion.rows, visit.lang),
        opening=conclusion.opening,
        openings=conclusion.openings,
    )
    return pieces.head(
        visit.say("evidence.kicker", version=facts.version), visit.say("evidence.title"), made
    )


def _answer(visit: Visit, facts: Facts) -> Html:
    kind = report.answer(facts)
    sign = tag("span", SIGNS[kind], class_="sign", aria_hidden="true")
    said = [tag("p", sentence) for sentence in report.answer_sentences(facts) if sentence]
    return tag(
        "section", tag("h2", sign, visit.say(f"answer.{kind}")), *said, class_=f"verdict {kind}"
    )


def _tiles(visit: Visit, facts: Facts) -> Html:
    verdicts, conclusion = facts.verdicts(), facts.conclusion
    passed = sum(verdict.verdict == "pass" for verdict in verdicts)
    said = standing(visit.reader.approvals(visit.version or 0))
    approved = sorted(one.approver for one in said if one.decision == "approve")
    return pieces.tiles(
        (
            visit.say("evidence.tab.promises"),
            visit.say("evidence.of", n=passed, all=len(verdicts)),
            visit.say("verdict.pass"),
        ),
        (
            visit.say("evidence.tile.rows"),
            number(conclusion.rows, visit.lang),
            visit.say("evidence.tile.rows.below"),
        ),
        (
            visit.say("asked.risk_class"),
            visit.say(f"risk.{facts.risk_class}"),
            visit.say(f"who.needs.{facts.approve}"),
        ),
        (visit.say("evidence.tile.approved"), str(len(approved)), ", ".join(approved) or "–"),
    )


def _promises(visit: Visit, facts: Facts) -> Html:
    changes = [tag("h3", visit.say("changes")), parts.changed_thresholds(facts)]
    return join(
        tag("p", visit.say("promises.caption"), class_="soft"),
        verdict_table(facts, facts.conclusion.kpis, caption=None, rests_on=True),
        tag("h3", visit.say("evidence.method")),
        method_table(facts, facts.conclusion.kpis),
        *changes,
        tag("h3", visit.say("not_for")),
        pieces.bullets(report.misuse(facts)),
    )


def _groups(visit: Visit, facts: Facts) -> Html:
    conclusion = facts.conclusion
    return join(
        tag("h3", visit.say("slices")),
        _judged(visit, facts, conclusion.slices, nothing="slices.none"),
        tag("h3", visit.say("fairness")),
        _judged(visit, facts, conclusion.fairness, nothing="fairness.none"),
    )


def _judged(visit: Visit, facts: Facts, verdicts: Sequence[Verdict], *, nothing: str) -> Html:
    """Return the verdicts on groups; of a group that is too small only that there is one."""
    large = [verdict for verdict in verdicts if verdict.n >= LEAST]
    made: list[Content] = []
    if not verdicts:
        made.append(tag("p", visit.say(nothing)))
    if large:
        made.append(verdict_table(facts, large, caption=None, rests_on=True))
    if len(large) < len(verdicts):
        words = visit.say("evidence.small", n=len(verdicts) - len(large), least=LEAST)
        made.append(tag("p", words, class_="soft"))
    return join(*made)


def _errors(visit: Visit, facts: Facts) -> Html:
    del visit
    made: list[Content] = []
    if facts.conclusion.confusion:
        matrix = parts.confusion_matrix(facts, least=LEAST)
        classes = parts.per_class_table(facts, least=LEAST)
        made += [tag("div", matrix, classes, class_="charts"), parts.calibration_chart(facts)]
    return join(*made, parts.concentration_table(facts), parts.measured_facts(facts))


def _decision(visit: Visit, facts: Facts) -> Html:
    return join(
        parts.decision_lists(facts),
        tag("h3", visit.say("comparison")),
        parts.comparison_table(facts),
        tag("h3", visit.say("findings")),
        parts.findings_table(facts),
    )


def _loop(visit: Visit, facts: Facts) -> Html:
    del visit
    charts: list[Html] = []
    if len(facts.candidate.learning_curve) > 1:
        charts.append(parts.learning_chart(facts))
    if facts.candidate.influences:
        charts.append(parts.influence_chart(facts))
    return join(parts.chosen_facts(facts), tag("div", *charts, class_="charts"))
