"""The answer to one case: how sure it is, what moved it, and what would have changed it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from qua3ck.app import drawing, pieces
from qua3ck.app.asking import Given
from qua3ck.app.fields import Field, Value, as_number
from qua3ck.app.reasons import Answer, Reason, Turn, course, field_values, read, reasons, turns
from qua3ck.app.texts import local, number, percent
from qua3ck.app.visit import Visit
from qua3ck.conclude.figures import verdict_figures
from qua3ck.kit.markup import Content, Html, join, tag

if TYPE_CHECKING:
    from qua3ck.kit.verdicts import Verdict
    from qua3ck.store.releases.model import Model

MOST = 8
_SMALL = 0.005
_ERRORS = ("mae", "median_absolute_error", "rmse", "mape")


def show_answer(visit: Visit, model: Model, listed: Sequence[Field], given: Given | None) -> None:
    """Draw the answer, or why there is none, or the words that say where it will appear."""
    title = visit.say("decide.answer" if given is None or given.by_model else "decide.instead")
    if given is None:
        empty = tag("p", visit.say("decide.nothing_yet"), class_="soft")
        pieces.put(visit, tag("div", tag("h2", title, class_="title"), empty, class_="answer none"))
        return
    if given.problem is not None:
        pieces.put(visit, pieces.problem(visit, given.problem, title="decide.refused"))
        return
    facts = visit.facts()
    parts: list[Content] = [tag("h2", title, class_="title")]
    if given.by_model:
        found = read(model, given.first)
        told = _label(visit, found, facts.snapshot.target) if found.label else _value(visit, found)
        parts += [*told, *_cautions(visit, listed, given.row)]
    else:
        parts += _instead(visit, given, facts.snapshot.target)
    person = tag("p", tag("strong", f"{visit.say('decide.person')}: "), facts.question.decides)
    parts.append(tag("div", person, class_="person"))
    parts.append(tag("p", visit.say("decide.logged", id=given.request_id), class_="soft logged"))
    pieces.put(visit, tag("div", *parts, class_="answer", role="status"))


def _instead(visit: Visit, given: Given, target: str) -> list[Content]:
    """Return the declared answer of a project whose serving is switched off."""
    said = given.first.get("label", given.first.get("value"))
    words = number(said, visit.lang) if isinstance(said, float) else str(said)
    return [
        tag("p", f"{target}: ", tag("strong", words), class_="label"),
        tag("p", visit.say("decide.instead.says")),
    ]


def show_reasons(
    visit: Visit,
    model: Model,
    listed: Sequence[Field],
    given: Given | None,
    *,
    unknown: str,
) -> None:
    """Draw what moved the answer of a model."""
    if given is None or not given.by_model:
        return
    found, row = read(model, given.first), given.row
    if unknown:
        told: Html = tag("p", visit.say("reasons.unknown", why=unknown), class_="notice")
    else:
        told = _reasons(visit, found, reasons(model, row, listed), listed)
    note = tag("p", visit.say("reasons.says"), class_="soft")
    pieces.put(visit, pieces.section(visit.say("reasons.title"), told, note))


def show_what_if(visit: Visit, model: Model, listed: Sequence[Field], given: Given | None) -> None:
    """Draw how the score goes while one input varies."""
    import streamlit as st

    varied = _varied(listed)
    if given is None or not given.by_model or not varied:
        return
    pieces.put(visit, pieces.section(visit.say("what_if.title")))
    name = st.selectbox(visit.say("what_if.input"), list(varied), key="what-if", width=320)
    pieces.put(visit, _course(visit, model, given.row, varied[name], read(model, given.first)))


def show_turns(visit: Visit, model: Model, listed: Sequence[Field], given: Given | None) -> None:
    """Draw what single change would give another answer; a number has no other answer."""
    varied = _varied(listed)
    if given is None or not given.by_model or not model.manifest.classes or not varied:
        return
    pieces.put(visit, _turns(visit, turns(model, given.row, list(varied.values())), varied))


def _varied(listed: Sequence[Field]) -> dict[str, Field]:
    return {field.name: field for field in listed if not field.hidden and field_values(field)}


def value_words(visit: Visit, field: Field, value: Value) -> str:
    """Return a value of an input as the reader's language writes it."""
    if value is None:
        return visit.say("decide.unknown")
    if isinstance(value, bool):
        return visit.say("yes" if value else "no")
    if isinstance(value, int | float):
        return number(float(value), visit.lang)
    return "–" if field.hidden else value


def _score(visit: Visit, share: float) -> str:
    """Return a probability in per cent; one that only nearly is 0 or 1 does not claim to be."""
    if 0 < share < _SMALL:
        return f"< {percent(0.01, visit.lang)}"
    return (
        f"> {percent(0.99, visit.lang)}" if 1 - _SMALL < share < 1 else percent(share, visit.lang)
    )


def _label(visit: Visit, found: Answer, target: str) -> list[Html]:
    score = _score(visit, found.score)
    parts = [
        tag("p", f"{target}: ", tag("strong", found.label), class_="label"),
        tag(
            "p",
            visit.say("decide.probability", name=found.about),
            tag("span", score, class_="score"),
            class_="probability",
        ),
        _bar(visit, found),
    ]
    if found.threshold is not None:
        limit = percent(found.threshold, visit.lang)
        says = visit.say("decide.threshold", threshold=limit, positive=found.about)
        parts.append(tag("p", says))
    elif len(found.scores) > 2:
        ordered = sorted(found.scores.items(), key=lambda pair: -pair[1])
        rows = [(name, _score(visit, share)) for name, share in ordered]
        parts.append(pieces.facts(*rows))
    parts.append(_calibrated(visit, found))
    return parts


def _bar(visit: Visit, found: Answer) -> Html:
    score = _score(visit, found.score)
    limit = found.threshold
    label = visit.say("decide.bar.plain", score=score)
    marks = [tag("span", class_="filled", style=f"width:{100 * found.score:.1f}%")]
    if limit is not None:
        label = visit.say("decide.bar", score=score, threshold=percent(limit, visit.lang))
        marks.append(tag("span", class_="tick", style=f"left:{100 * limit:.1f}%"))
    ends = tag("div", tag("span", "0 %"), tag("span", "100 %"), class_="ends", aria_hidden="true")
    return tag("div", tag("div", *marks, class_="meter", role="img", aria_label=label), ends)


def _calibrated(visit: Visit, found: Answer) -> Html:
    """Return how often a score like this came true on the sealed rows, with its interval."""
    bins: Sequence[Mapping[str, Any]] = visit.facts().conclusion.calibration.get("bins") or ()
    if not bins:
        return tag("p", visit.say("decide.calibrated.none"), class_="soft")
    near = min(bins, key=lambda one: abs(float(one["predicted"]) - found.score))
    key = "decide.calibrated" if len(found.scores) == 2 else "decide.calibrated.likeliest"
    words = visit.say(
        key,
        rows=number(near["rows"], visit.lang),
        observed=percent(near["observed"], visit.lang),
        low=percent(near["low"], visit.lang),
        high=percent(near["high"], visit.lang),
        name=found.about,
    )
    return tag("p", words)


def _value(visit: Visit, found: Answer) -> list[Html]:
    facts = visit.facts()
    shown = number(float(f"{found.score:.4g}"), visit.lang)
    parts = [
        tag("p", visit.say("decide.value"), class_="probability"),
        tag("p", tag("strong", shown), class_="label"),
    ]
    measured = [v for v in facts.conclusion.kpis if v.metric in _ERRORS and v.value is not None]
    return [*parts, *(_typical_error(visit, verdict) for verdict in measured[:1])]


def _typical_error(visit: Visit, verdict: Verdict) -> Html:
    from qua3ck.transfer.pieces import metric_title

    value, bounds, _ = verdict_figures(verdict)
    words = visit.say(
        "decide.value.error",
        rows=number(verdict.n, visit.lang),
        metric=metric_title(verdict.metric, visit.lang),
        value=local(value, visit.lang),
        interval=local(bounds, visit.lang),
    )
    return tag("p", words)


def _cautions(visit: Visit, listed: Sequence[Field], row: Mapping[str, Value]) -> list[Html]:
    outside = [field.name for field in listed if field.outside(row.get(field.name))]
    empty = [field.name for field in listed if row.get(field.name) is None]
    made = []
    if outside:
        says = tag("p", visit.say("decide.outside.says", names=", ".join(outside)))
        made.append(pieces.box(visit.say("decide.outside"), says, kind="warn", level="h3"))
    if empty:
        says = tag("p", visit.say("decide.empty.says", names=", ".join(empty)))
        made.append(pieces.box(visit.say("decide.empty"), says, kind="plain", level="h3"))
    return made


def _reasons(visit: Visit, found: Answer, listed: Sequence[Reason], known: Sequence[Field]) -> Html:
    if not listed:
        return tag("p", visit.say("reasons.none"))
    by_name = {field.name: field for field in known}
    small = _SMALL if found.label else 0.0
    shown = [one for one in listed if abs(one.moved) >= small][:MOST] or list(listed[:1])
    widest = max(abs(one.moved) for one in shown) or 1.0
    rows = []
    for one in shown:
        field = by_name[one.name]
        words = _moved(visit, found, one.moved)
        here = value_words(visit, field, one.value)
        usual = visit.say("reasons.against", value=value_words(visit, field, one.typical))
        against = [] if field.hidden else [tag("div", usual, class_="soft")]
        rows.append(
            (
                one.name.replace("_", " "),
                tag("span", here, *against),
                tag(
                    "span",
                    _push(one.moved / widest),
                    tag("span", words, class_="by"),
                    class_="push",
                ),
            )
        )
    heads = [visit.say(f"reasons.{name}") for name in ("input", "here", "moved")]
    caption = visit.say("reasons.caption", name=found.about) if found.label else ""
    made = pieces.table(heads, rows, caption=caption, class_="reasons")
    left = len(listed) - len(shown)
    if not left:
        return made
    least = abs(shown[-1].moved)
    points = _points(visit, least, signed=False) if found.label else number(least, visit.lang)
    rest = tag("p", visit.say("reasons.rest", n=left, points=points), class_="soft")
    return join(made, rest)


def _push(share: float) -> Html:
    """Return a bar from the middle to the right for more, to the left for less."""
    wide = 50 * abs(share)
    left = 50.0 if share >= 0 else 50 - wide
    side = "more" if share >= 0 else "less"
    bar = tag("span", class_=f"bar {side}", style=f"left:{left:.1f}%;width:{wide:.1f}%")
    return tag("span", bar, class_="track", aria_hidden="true")


def _moved(visit: Visit, found: Answer, moved: float) -> str:
    if not found.label:
        return ("+" if moved > 0 else "−" if moved < 0 else "") + number(
            float(f"{abs(moved):.3g}"), visit.lang
        )
    return visit.say("reasons.points", points=_points(visit, moved, signed=True))


def _points(visit: Visit, share: float, *, signed: bool) -> str:
    sign = ("+" if share > 0 else "−" if share < 0 else "±") if signed else ""
    return sign + number(abs(100 * share), visit.lang, 1)


def _course(
    visit: Visit, model: Model, row: Mapping[str, Value], field: Field, found: Answer
) -> Html:
    listed = course(model, row, field)
    scored = bool(found.label)
    if field.kind not in ("number", "date"):
        heads = [visit.say("what_if.value"), visit.say("what_if.score")]
        rows = []
        for value, score, _ in listed:
            words = value_words(visit, field, value)
            mark = tag("strong", words) if value == row.get(field.name) else words
            rows.append(
                (mark, percent(score, visit.lang, 1) if scored else number(score, visit.lang))
            )
        return pieces.table(heads, rows, numeric=(1,), caption=field.name)
    points = [
        drawing.Point(as_number(value) or 0.0, score, value_words(visit, field, value))
        for value, score, _ in listed
    ]
    at = as_number(row.get(field.name))
    inside = at is not None and points[0].at <= at <= points[-1].at
    here = drawing.Point(at or 0.0, found.score) if inside else None
    told = percent if scored else number
    label = visit.say(
        "what_if.label",
        name=field.name,
        low=points[0].words,
        high=points[-1].words,
        first=told(points[0].value, visit.lang),
        last=told(points[-1].value, visit.lang),
        here=f"{value_words(visit, field, row.get(field.name))}, {told(found.score, visit.lang)}",
    )
    drawn = drawing.line(
        points, label=label, share=scored, limit=found.threshold, here=here, lang=visit.lang
    )
    return tag("figure", drawn, tag("figcaption", label))


def _turns(visit: Visit, listed: Sequence[Turn], known: Mapping[str, Field]) -> Html:
    title = visit.say("what_if.turns")
    if not listed:
        return pieces.section(title, tag("p", visit.say("what_if.turns.none")))
    rows = [
        (
            turn.name.replace("_", " "),
            value_words(visit, known[turn.name], turn.value),
            value_words(visit, known[turn.name], turn.to),
            turn.label,
        )
        for turn in listed
    ]
    heads = [visit.say(k) for k in ("reasons.input", "what_if.from", "what_if.to", "what_if.then")]
    note = tag("p", visit.say("what_if.turns.says"), class_="soft")
    return pieces.section(title, pieces.table(heads, rows, numeric=(1, 2), class_="wide"), note)
