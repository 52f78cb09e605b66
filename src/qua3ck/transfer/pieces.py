"""Pieces that every part of the report is built from: tables, lists, verdicts, their words."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import partial
from typing import TYPE_CHECKING

from qua3ck.conclude.figures import digits_for, figure, interval, verdict_figures
from qua3ck.kit.markup import Content, Html, join, tag
from qua3ck.question.metrics import METRICS
from qua3ck.transfer import charts
from qua3ck.transfer.facts import Facts, source_entry
from qua3ck.transfer.german import FINDINGS, in_german
from qua3ck.transfer.german import METRICS as IN_GERMAN
from qua3ck.transfer.texts import local, moment, text

if TYPE_CHECKING:
    from qua3ck.a3.records import Score
    from qua3ck.conclude.records import Comparison
    from qua3ck.kit.findings import Finding
    from qua3ck.kit.verdicts import Verdict
    from qua3ck.ledger import Entry

SIGNS = {"pass": "✓", "fail": "✗", "undecided": "?", "blocked": "✗"}


def verdict_table(
    facts: Facts, verdicts: Sequence[Verdict], *, caption: str | None, rests_on: bool
) -> Html:
    """Return one row per verdict: figures, drawing and answer; with ``rests_on`` also n."""
    say = partial(text, lang=facts.lang)
    rows: list[tuple[Content, ...]] = []
    for verdict in verdicts:
        value, bounds, _ = figures(facts, verdict)
        wanted = wanted_words(facts, verdict)
        said = say(f"verdict.{verdict.verdict}")
        label = say(
            "bar.label", id=verdict.id, value=value, interval=bounds, wanted=wanted, verdict=said
        )
        bar = charts.verdict_bar(verdict, label=label)
        shown = with_unit(facts, verdict, value)
        word = answer_word(verdict.verdict, said)
        row = [verdict_name(facts, verdict), shown, bounds, wanted, bar, word]
        row += [f"{count(facts, verdict.n)} {unit_words(facts, verdict)}"] if rests_on else []
        rows.append(tuple(row))
    heads = ["promise", "measured", "interval", "wanted", "drawing", "verdict"]
    heads += ["rows"] if rests_on else []
    names = [f"column.{head}" for head in heads]
    return fact_table(facts, names, rows, numeric=(1, 2, 3), caption=caption)


def method_table(facts: Facts, verdicts: Sequence[Verdict]) -> Html:
    """Return how each interval was made, its confidence, and what would decide it."""
    rows: list[tuple[Content, ...]] = [
        (
            verdict.id,
            told(facts, verdict.method or verdict.says),
            percent_words(facts, verdict.confidence),
            _what_would_decide(facts, verdict),
        )
        for verdict in verdicts
    ]
    heads = ("column.promise", "kpis.method", "kpis.confidence", "kpis.would_decide")
    return fact_table(facts, heads, rows, numeric=(2,))


def _what_would_decide(facts: Facts, verdict: Verdict) -> Content:
    if verdict.verdict != "undecided":
        return text("kpis.decided", facts.lang)
    if verdict.low is None or verdict.high is None:
        return told(facts, verdict.says)
    if verdict.rows_needed is None or not verdict.rows_needed_for:
        return text("rows_needed.none", facts.lang)
    return text(
        "rows_needed",
        facts.lang,
        needed=count(facts, verdict.rows_needed),
        unit=unit_words(facts, verdict),
        way=text(f"verdict.{verdict.rows_needed_for}", facts.lang),
    )


def fact_table(
    facts: Facts,
    heads: Sequence[str],
    rows: Iterable[Sequence[Content]],
    *,
    numeric: tuple[int, ...] = (),
    caption: str | None = None,
    plain: frozenset[str] = frozenset(),
) -> Html:
    """Return a table; ``heads`` are keys of the catalogue except those in ``plain``."""
    named = [head if head in plain else text(head, facts.lang) for head in heads]
    marks = ["num" if place in numeric else None for place in range(len(heads))]
    head = [
        tag("th", name, scope="col", class_=mark) for name, mark in zip(named, marks, strict=True)
    ]
    body = []
    for row in rows:
        cells = [tag("th", row[0], scope="row", class_=marks[0])]
        cells += [
            tag("td", cell, class_=mark) for cell, mark in zip(row[1:], marks[1:], strict=True)
        ]
        body.append(tag("tr", *cells))
    table = tag(
        "table",
        *([tag("caption", caption)] if caption else []),
        tag("thead", tag("tr", *head)),
        tag("tbody", *body),
    )
    return tag("div", table, class_="scroll")


def fact_list(*pairs: tuple[str, Content]) -> Html:
    """Return names and what belongs to them."""
    return tag("dl", *(join(tag("dt", name), tag("dd", value)) for name, value in pairs))


def bullets(lines: Iterable[Content]) -> Html:
    """Return an unordered list."""
    return tag("ul", *(tag("li", line) for line in lines))


def monospaced(value: str) -> Html:
    """Return a digest or command in letters of equal width."""
    return tag("span", value, class_="mono")


def answer_word(kind: str, word: str) -> Html:
    """Return an answer as sign and word, so that colour is not needed."""
    sign = tag("span", SIGNS[kind], class_="sign", aria_hidden="true")
    return tag("span", sign, word, class_=f"word {kind}")


def source_note(facts: Facts, event: str, *needles: str) -> Html:
    """Return the line that names the ledger entry behind a part; empty if none is known."""
    entry = source_entry(facts, event, *needles)
    return Html("") if entry is None else entry_note(facts, entry)


def entry_note(facts: Facts, entry: Entry) -> Html:
    """Return the line that names a ledger entry."""
    said = text("source", facts.lang, seq=entry.seq, event=entry.event, hash=entry.hash)
    return tag("p", said, class_="source")


def verdict_name(facts: Facts, verdict: Verdict) -> str:
    """Return a verdict's id, with its metric's title where the id does not say it.

    A part of the data is written with blanks, so that a narrow column breaks between words.
    """
    title = METRICS[verdict.metric].title
    if "[" in verdict.id:
        promise, _, part = verdict.id.removesuffix("]").partition("[")
        return f"{promise}, {part.replace('=', ' = ', 1)}"
    plain = verdict.id.replace("_", " ").lower()
    known = metric_title(verdict.metric, facts.lang)
    return verdict.id if plain.startswith(title.lower()) else f"{verdict.id} ({known})"


def measure_words(facts: Facts, name: str) -> str:
    """Return what a metric means, in one sentence."""
    definition = METRICS[name].definition
    if facts.lang == "de":
        definition = IN_GERMAN[name][1]
    title = metric_title(name, facts.lang)
    return text("measure", facts.lang, title=title, definition=definition)


def metric_title(name: str, lang: str) -> str:
    """Return what a metric is called in a language."""
    return IN_GERMAN[name][0] if lang == "de" else METRICS[name].title


def with_unit(facts: Facts, verdict: Verdict, value: str) -> str:
    """Return a figure with ms or MB behind it where the metric has that unit."""
    unit = METRICS[verdict.metric].unit
    if unit not in ("ms", "MB") or verdict.value is None:
        return value
    return text("measured_in", facts.lang, value=value, unit=unit)


def unit_words(facts: Facts, verdict: Verdict) -> str:
    """Return what ``n`` counts."""
    return text(f"unit.{verdict.unit}", facts.lang)


def rival_words(facts: Facts, comparison: Comparison) -> str:
    """Return whom a candidate was compared with."""
    return text(f"against.{comparison.against}", facts.lang)


def rival_in_full(facts: Facts, comparison: Comparison) -> str:
    """Return whom a candidate was compared with, and what that one does if it is no model."""
    who = text(f"rival.{comparison.against}", facts.lang)
    return f"{who} ({native(facts, comparison.says)})" if comparison.says else who


def difference_words(facts: Facts, comparison: Comparison) -> tuple[str, str]:
    """Return the gain and its bounds, both rounded."""
    digits = digits_for(comparison.difference, comparison.low, comparison.high)
    bounds = interval(comparison.low, comparison.high, digits)
    return rounded(facts, comparison.difference, digits), local(bounds, facts.lang)


def score_words(facts: Facts, score: Score) -> str:
    """Return a validation score, with its interval where it has one."""
    digits = digits_for(score.value, score.low, score.high)
    if score.low is None or score.high is None:
        return rounded(facts, score.value, 4)
    bounds = local(interval(score.low, score.high, digits), facts.lang)
    return f"{rounded(facts, score.value, digits)} {bounds}"


def param_words(facts: Facts, value: object) -> str:
    """Return an algorithm's setting with at most four digits."""
    return local(f"{value:.4g}", facts.lang) if isinstance(value, float) else str(value)


def percent_words(facts: Facts, share: float) -> str:
    """Return a share in per cent."""
    return local(f"{100 * share:.4g} %", facts.lang)


def moment_words(facts: Facts, at: str) -> str:
    """Return date and minute of an ISO 8601 moment."""
    return moment(at, facts.lang)


def count(facts: Facts, number: int) -> str:
    """Return a whole number with its thousands set apart."""
    return local(f"{number:,}", facts.lang)


def rounded(facts: Facts, value: float | None, digits: int) -> str:
    """Return a figure with so many decimals; a dash for none."""
    return local(figure(value, digits), facts.lang)


def figures(facts: Facts, verdict: Verdict) -> tuple[str, str, str]:
    """Return value, interval and threshold of a verdict as the language writes them."""
    value, bounds, limit = verdict_figures(verdict)
    return local(value, facts.lang), local(bounds, facts.lang), local(limit, facts.lang)


def ends(facts: Facts, bounds: str) -> tuple[str, str]:
    """Return the two ends of an interval that :func:`figures` wrote."""
    low, high = bounds.strip("[]").split("; " if facts.lang == "de" else ", ")
    return low, high


def native(facts: Facts, words: str) -> str:
    """Return what another room wrote, in the language of the report where that is known."""
    return (in_german(words) or words) if facts.lang == "de" else words


def told(facts: Facts, words: str) -> Content:
    """Return what another room wrote; what stays English in another language is marked so."""
    return told_in(facts.lang, words)


def told_in(lang: str, words: str) -> Content:
    """Return what another room wrote in a language; what stays English is marked so."""
    known = in_german(words) if lang == "de" else words
    return tag("span", words, lang="en") if known is None and words else known or ""


def wanted_words(facts: Facts, verdict: Verdict) -> str:
    """Return the promise in words: ``at least 0.75``."""
    limit = figures(facts, verdict)[2]
    limit = with_unit(facts, verdict, limit)
    return text(f"wanted.{verdict.direction}", facts.lang, limit=limit)


def finding_title(facts: Facts, finding: Finding) -> str:
    """Return what a finding says; in another language than English what its code stands for."""
    return FINDINGS.get(finding.code, finding.says) if facts.lang == "de" else finding.says


def finding_words(facts: Facts, finding: Finding) -> Content:
    """Return what a finding says; in German what its code stands for, and the words below."""
    title, whole = finding_title(facts, finding), in_german(finding.says)
    if facts.lang == "de" and whole is not None:
        return whole
    if title == finding.says:
        return told(facts, finding.says)
    return join(title, tag("div", finding.says, lang="en", class_="soft"))
