"""The report of a version: one HTML file that a manager understands on page one.

Page one is here, the evidence behind it in ``evidence``. Rendering the same facts gives the
same bytes, because the file is part of what a release's digest covers.
"""

from __future__ import annotations

from functools import partial
from importlib import resources
from typing import TYPE_CHECKING

from qua3ck.kit.markup import Content, Html, join, tag
from qua3ck.question.agreement import agreements
from qua3ck.transfer.evidence import evidence
from qua3ck.transfer.facts import Facts
from qua3ck.transfer.pieces import (
    SIGNS,
    bullets,
    count,
    difference_words,
    ends,
    fact_list,
    figures,
    finding_title,
    measure_words,
    metric_title,
    moment_words,
    native,
    percent_words,
    rival_words,
    unit_words,
    verdict_name,
    verdict_table,
    wanted_words,
    with_unit,
)
from qua3ck.transfer.texts import text

if TYPE_CHECKING:
    from qua3ck.conclude.records import Comparison
    from qua3ck.kit.verdicts import Verdict
    from qua3ck.question.agreement import Word

__all__ = ["Facts", "answer", "answer_sentences", "misuse", "render"]

MOST_PARTS = 5


def render(facts: Facts) -> str:
    """Return the report as one HTML text without script or network."""
    say = partial(text, lang=facts.lang)
    title = say("title", project=facts.project, version=facts.version)
    style = resources.files("qua3ck.transfer").joinpath("report.css").read_text(encoding="utf-8")
    head = tag(
        "head",
        tag("meta", charset="utf-8"),
        tag("meta", name="viewport", content="width=device-width, initial-scale=1"),
        tag("title", title),
        tag("style", Html(style)),
    )
    body = tag(
        "body",
        tag("main", _front(facts), evidence(facts)),
        tag("footer", tag("p", say("foot"))),
    )
    return f"<!doctype html>\n{tag('html', head, body, lang=facts.lang)}\n"


def answer(facts: Facts) -> str:
    """Return the answer in a word: pass, fail, undecided, or blocked by something else."""
    found = {verdict.verdict for verdict in facts.verdicts()}
    if facts.conclusion.release_allowed:
        return "pass"
    if "fail" in found:
        return "fail"
    return "undecided" if "undecided" in found else "blocked"


def answer_sentences(facts: Facts) -> tuple[str, ...]:
    """Return the answer as sentences: what holds, the first figure with its bounds, the gain."""
    say = partial(text, lang=facts.lang)
    conclusion, verdicts, kind = facts.conclusion, facts.verdicts(), answer(facts)
    blocking = next((finding_title(facts, f) for f in facts.findings() if f.blocks), "")
    first = say(
        f"answer.{kind}.says",
        rows=count(facts, conclusion.rows),
        n=len(verdicts),
        failed=sum(verdict.verdict == "fail" for verdict in verdicts),
        undecided=sum(verdict.verdict == "undecided" for verdict in verdicts),
        reason=blocking,
    )
    return first, _first_figure(facts), *(_gain_sentences(facts))


def misuse(facts: Facts) -> tuple[str, ...]:
    """Return what the version must not be used for."""
    say = partial(text, lang=facts.lang)
    said = [say("not_for.else")]
    if not facts.conclusion.release_allowed:
        said.insert(0, say("not_for.blocked"))
    if not facts.question.risk.automated:
        said.append(say("not_for.automatic"))
    unproven = [verdict.id for verdict in facts.verdicts() if verdict.verdict != "pass"]
    if unproven:
        said.append(say("not_for.unproven", names=", ".join(unproven)))
    said.append(say("not_for.outside", rows=count(facts, facts.snapshot.split.rows_train)))
    return tuple(said)


def _front(facts: Facts) -> Html:
    say = partial(text, lang=facts.lang)
    conclusion, kind = facts.conclusion, answer(facts)
    made = say(
        "made",
        date=moment_words(facts, conclusion.at),
        rows=count(facts, conclusion.rows),
        opening=conclusion.opening,
        openings=conclusion.openings,
    )
    sign = tag("span", SIGNS[kind], class_="sign", aria_hidden="true")
    box = tag(
        "section",
        tag("h2", sign, say(f"answer.{kind}"), class_=kind),
        *(tag("p", sentence) for sentence in answer_sentences(facts) if sentence),
        tag("p", measure_words(facts, _telling(facts).metric), class_="soft"),
        class_=f"answer {kind}",
        aria_label=say("answer"),
    )
    return tag(
        "div",
        tag("p", say("kicker", version=facts.version), class_="kicker"),
        tag("h1", facts.project),
        tag("p", made, class_="soft"),
        box,
        tag("h2", say("asked")),
        _asked(facts),
        tag("h2", say("promises")),
        verdict_table(
            facts, _front_verdicts(facts), caption=say("promises.caption"), rests_on=False
        ),
        *_parts_in_short(facts),
        tag("h2", say("next")),
        bullets(_next_steps(facts)),
        tag("div", _misuse_part(facts), _who_part(facts), class_="two"),
        class_="front",
    )


def _asked(facts: Facts) -> Html:
    say, question = partial(text, lang=facts.lang), facts.question
    reason = native(facts, facts.risk_reason)
    risk = say("risk.because", risk=say(f"risk.{facts.risk_class}"), reason=reason)
    return fact_list(
        (say("asked.question"), question.asks),
        (say("asked.decides"), question.decides),
        (say("asked.why_now"), question.why_now),
        (say("asked.risks"), question.risks),
        (say("asked.risk_class"), risk),
    )


def _front_verdicts(facts: Facts) -> tuple[Verdict, ...]:
    """Return every KPI and gap; of the parts of the data only the first that do not hold."""
    short = [verdict for verdict in facts.conclusion.slices if verdict.verdict != "pass"]
    return (
        *facts.conclusion.kpis,
        *facts.conclusion.fairness,
        *sorted(short, key=lambda verdict: verdict.verdict)[:MOST_PARTS],
    )


def _parts_in_short(facts: Facts) -> list[Html]:
    slices = facts.conclusion.slices
    if not slices:
        return []
    passed = sum(verdict.verdict == "pass" for verdict in slices)
    said = text("promises.parts", facts.lang, n=len(slices), passed=passed)
    return [tag("p", said, " ", tag("a", text("slices", facts.lang), href="#slices"))]


def _misuse_part(facts: Facts) -> Html:
    return tag("section", tag("h2", text("not_for", facts.lang)), bullets(misuse(facts)))


def _who_part(facts: Facts) -> Html:
    say, roles = partial(text, lang=facts.lang), facts.question.roles
    lines: list[str] = [say("who.owner", name=roles.owner)] if roles.owner else []
    lines.extend(_agreed_lines(facts))
    for entry in facts.approvals():
        refused = entry.event == "approval.refused"
        lines.append(
            say(
                "who.refused" if refused else "who.approved",
                name=entry.body.get("approver", entry.actor),
                date=moment_words(facts, entry.at),
                reason=entry.body.get("reason", ""),
                seq=entry.seq,
            )
        )
    lines.append(say(f"who.needs.{facts.approve}"))
    if not facts.approvals() and facts.approve != "nobody":
        lines.append(say("who.nobody_yet"))
    return tag("section", tag("h2", say("who")), bullets(lines))


def _agreed_lines(facts: Facts) -> list[str]:
    """Return who agreed to the question: when, and whether a result was known by then."""
    words = agreements(facts.question, facts.entries)
    said = [
        text(
            _agreed_key(word),
            facts.lang,
            name=word.name,
            date=moment_words(facts, word.at),
            reason=word.reason,
            seq=word.seq,
            since=word.since,
        )
        for word in words
        if word.decision
    ]
    silent = ", ".join(word.name for word in words if not word.decision)
    return [*said, text("who.not_agreed", facts.lang, names=silent)] if silent else said


def _agreed_key(word: Word) -> str:
    if word.decision == "refuse":
        return "who.against"
    if not word.stands:
        return "who.agreed.earlier"
    if not word.in_time:
        return "who.agreed.late"
    return "who.agreed" if word.since == word.seq else "who.agreed.again"


def _telling(facts: Facts) -> Verdict:
    """Return the verdict that the answer is about: the first that says the same."""
    verdicts = facts.verdicts()
    return next((v for v in verdicts if v.verdict == answer(facts)), verdicts[0])


def _first_figure(facts: Facts) -> str:
    telling = _telling(facts)
    value, bounds, _ = figures(facts, telling)
    wanted = wanted_words(facts, telling)
    name = verdict_name(facts, telling)
    if telling.low is None or telling.high is None:
        return text("answer.first.no_bounds", facts.lang, name=name, value=value, wanted=wanted)
    low, high = ends(facts, bounds)
    return text(
        "answer.first",
        facts.lang,
        name=name,
        value=with_unit(facts, telling, value),
        low=low,
        high=high,
        wanted=wanted,
        confidence=percent_words(facts, telling.confidence),
    )


def _gain_sentences(facts: Facts) -> list[str]:
    firsts: dict[str, Comparison] = {}
    for comparison in facts.conclusion.comparisons:
        firsts.setdefault(comparison.against, comparison)
    said = []
    for comparison in firsts.values():
        gain, bounds = difference_words(facts, comparison)
        key = "answer.gain" if comparison.verdict == "pass" else "answer.no_gain"
        said.append(
            text(
                key,
                facts.lang,
                against=rival_words(facts, comparison),
                metric=metric_title(comparison.metric, facts.lang),
                gain=gain,
                low=ends(facts, bounds)[0],
                interval=bounds,
            )
        )
    return said


def _next_steps(facts: Facts) -> list[Content]:
    if facts.conclusion.release_allowed:
        return _steps_when_allowed(facts)
    steps: list[Content] = []
    for verdict in facts.verdicts():
        steps.extend(_step_for(facts, verdict))
    about_verdicts = {"C002", "C003", "C004", "C005"}
    others = (f for f in facts.findings() if f.blocks and f.code not in about_verdicts)
    say = partial(text, "next.finding", facts.lang)
    told = [say(says=finding_title(facts, each), code=each.code) for each in others]
    return [*steps, *told]


def _steps_when_allowed(facts: Facts) -> list[Content]:
    """Return what is still to be done until it is in use; or since when it is."""
    moved = facts.in_use()
    if moved is not None:
        at = moment_words(facts, moved.at)
        return [text("next.in_use", facts.lang, date=at, seq=moved.seq)]
    steps: list[tuple[str, str]] = []
    if facts.risk_class != "minimal" and not facts.reproduced():
        steps.append(("next.reproduce", f"qua3ck reproduce {facts.version}"))
    if not facts.agreed_by_enough():
        steps.append(("next.approve", f'qua3ck approve {facts.version} --as NAME --reason "..."'))
    steps.append(("next.promote", f'qua3ck promote {facts.version} --reason "..."'))
    return [join(text(key, facts.lang), " ", tag("code", command)) for key, command in steps]


def _step_for(facts: Facts, verdict: Verdict) -> list[str]:
    say = partial(text, lang=facts.lang, id=verdict.id, n=count(facts, verdict.n))
    if verdict.verdict == "pass":
        return []
    if verdict.verdict == "fail":
        return [say("next.improve")]
    unit = unit_words(facts, verdict)
    if verdict.low is None or verdict.high is None:
        return [say("next.too_few", unit=unit)]
    if verdict.rows_needed is None or not verdict.rows_needed_for:
        return [say("next.no_number")]
    way = text(f"verdict.{verdict.rows_needed_for}", facts.lang)
    needed = count(facts, verdict.rows_needed)
    return [say("next.more_rows", needed=needed, unit=unit, way=way)]
