"""Decide: a form made from the schema, the model's answer, what moved it, and many at once."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from datetime import date
from functools import partial
from typing import TYPE_CHECKING

from qua3ck.app import pieces
from qua3ck.app.asking import Given, ask, mark, switched_off
from qua3ck.app.fields import Field, Value, as_date, fields, typical_row
from qua3ck.app.pages import answering, many
from qua3ck.app.texts import percent
from qua3ck.app.visit import Visit
from qua3ck.kit.errors import Qua3ckError
from qua3ck.kit.markup import Html, join, tag
from qua3ck.operate.serve.routing import settled

if TYPE_CHECKING:
    from qua3ck.store.releases.model import Model


def show(visit: Visit) -> None:
    """Draw the page."""
    import streamlit as st

    if visit.version is None:
        pieces.put(visit, _nothing(visit))
        return
    facts = visit.facts()
    pieces.put(
        visit,
        pieces.head(_standing(visit), facts.question.asks, facts.question.decides),
        *_warning(visit),
    )
    model = visit.reader.model(visit.version)
    listed, why = _fields(visit, model)
    one, several = st.tabs([visit.say("decide.one"), visit.say("decide.many")])
    with one:
        left, right = st.columns([1, 1], gap="large")
        with left:
            _form(visit, listed, model)
            given = _given(visit, model)
        with right:
            answering.show_answer(visit, model, listed, given)
            answering.show_reasons(visit, model, listed, given, unknown=why)
        below, beside = st.columns([1, 1], gap="large")
        with below:  # on a phone columns stand one below the other: first of all the answer
            answering.show_what_if(visit, model, listed, given)
        with beside:
            answering.show_turns(visit, model, listed, given)
    with several:
        many.show(visit, model, listed)


def _nothing(visit: Visit) -> Html:
    question = visit.reader.project.file.question
    return join(
        pieces.head(visit.say("page.decide"), question.asks, question.decides),
        pieces.nothing(
            visit.say("nothing.released"),
            visit.say("nothing.released.says"),
            fix=visit.say("nothing.released.fix"),
        ),
    )


def _standing(visit: Visit) -> str:
    """Return which version answers, and since when."""
    if visit.alias == "champion":
        in_use = settled(visit.reader.routing()[0])
        since = _day_of(visit, -1 if in_use is None else in_use.since)
        return visit.say("decide.in_use", version=visit.version, date=since)
    alias = visit.place(visit.alias) if visit.alias else visit.say("page.decide")
    return visit.say("decide.alias", version=visit.version, alias=alias)


def _warning(visit: Visit) -> list[Html]:
    words = []
    off = switched_off(visit)
    if off is not None:
        instead = visit.say("decide.off.rule" if off.declared else "decide.off.nobody")
        since = _day_of(visit, off.since)
        words.append(visit.say("decide.off", date=since, reason=off.reason, instead=instead))
    going = visit.reader.routing()[1]
    if visit.alias == "canary" and going is not None:
        share = percent(going.share, visit.lang)
        both = {"version": going.version, "settled": going.settled}
        words.append(visit.say("decide.rolled_out", **both, share=share))
    elif visit.alias != "champion":
        words.append(visit.say("decide.not_in_use", version=visit.version))
    return [tag("p", each, class_="notice", role="note") for each in words]


def _day_of(visit: Visit, seq: int) -> str:
    """Return the day of an event of the ledger."""
    return visit.day(next((one.at for one in visit.reader.entries() if one.seq == seq), ""))


def _fields(visit: Visit, model: Model) -> tuple[tuple[Field, ...], str]:
    """Return the fields of the form, and why nothing is known of typical values, if so."""
    hidden, columns = visit.reader.hidden(), model.manifest.spec["columns"]
    try:
        about = visit.reader.profile(visit.version or 0)
    except Qua3ckError as problem:
        return fields(columns, {}, hidden=hidden), problem.what
    return fields(columns, about, hidden=hidden), ""


def _form(visit: Visit, listed: Sequence[Field], model: Model) -> None:
    import streamlit as st

    pieces.put(visit, pieces.section(visit.say("decide.form"), says=visit.say("decide.form.says")))
    first, second, _ = st.columns([3, 2, 1])
    known = {name: value for name, value in typical_row(listed).items() if value is not None}
    with first:
        st.button(visit.say("decide.example"), on_click=partial(_fill, listed, known))
    with second:
        st.button(visit.say("decide.clear"), on_click=partial(_fill, listed, {}), type="tertiary")
    meanings = visit.reader.meanings()
    with st.form("case", border=False):
        row: dict[str, Value] = {}
        for start in range(0, len(listed), 2):
            for column, field in zip(st.columns(2), listed[start : start + 2], strict=False):
                with column:
                    row[field.name] = _input(visit, field, meanings.get(field.name, ""))
        sent = st.form_submit_button(visit.say("decide.ask"), type="primary", shortcut="Ctrl+Enter")
    if sent:
        table = {name: [value] for name, value in row.items()}
        st.session_state["asked"] = ask(visit, model, table, 1)


def _given(visit: Visit, model: Model) -> Given | None:
    """Return what was answered last, if it would be asked of the same now."""
    import streamlit as st

    given: Given | None = st.session_state.get("asked")
    return given if given is not None and given.mark == mark(visit, model) else None


def _fill(listed: Sequence[Field], values: Mapping[str, Value]) -> None:
    import streamlit as st

    for field in listed:
        value = values.get(field.name)
        if field.kind == "date" and isinstance(value, str):
            st.session_state[_key(field)] = date.fromisoformat(value)
        elif field.kind == "number" and isinstance(value, int | float):
            st.session_state[_key(field)] = int(value) if field.whole else float(value)
        else:
            st.session_state[_key(field)] = value if field.kind != "text" else (value or "")
    st.session_state.pop("asked", None)


def _key(field: Field) -> str:
    return f"input-{field.name}"


def _input(visit: Visit, field: Field, meaning: str) -> Value:
    """Draw one input and return what stands in it; None where it was left empty."""
    import streamlit as st

    label, key = field.name.replace("_", " "), _key(field)
    help_ = " ".join(words for words in (meaning, _help(visit, field)) if words)
    if field.kind == "number":
        step = 1 if field.whole else _step(field)
        shown = None if field.whole else "%g"
        return st.number_input(
            label, value=None, step=step, format=shown, key=key, help=help_ or None
        )
    if field.kind == "bool":
        return st.selectbox(
            label,
            [True, False],
            index=None,
            key=key,
            help=help_ or None,
            placeholder=visit.say("decide.unknown"),
            format_func=lambda value: visit.say("yes" if value else "no"),
        )
    if field.kind == "date":
        found = st.date_input(
            label,
            value=None,
            key=key,
            help=help_ or None,
            format="YYYY-MM-DD",
            min_value=date(1900, 1, 1),
            max_value=date(2200, 1, 1),
        )
        return found.isoformat() if isinstance(found, date) else None
    if field.kind == "category":
        return st.selectbox(
            label,
            list(field.choices),
            index=None,
            key=key,
            help=help_ or None,
            placeholder=visit.say("decide.choose"),
            accept_new_options=True,
        )
    return st.text_area(label, key=key, help=help_ or None) or None


def _step(field: Field) -> float:
    """Return a step of one to ten hundredths of the range seen."""
    if field.low is None or field.high is None or field.high <= field.low:
        return 1.0
    return float(10.0 ** (math.floor(math.log10(field.high - field.low)) - 1))


def _help(visit: Visit, field: Field) -> str:
    if field.hidden:
        return visit.say("decide.hidden")
    words = []
    if field.low is not None and field.high is not None:
        low, high = (answering.value_words(visit, field, at) for at in (field.low, field.high))
        if field.kind == "date":
            low, high = as_date(field.low), as_date(field.high)
        words.append(visit.say("decide.seen", low=low, high=high))
    if field.typical is not None:
        usual = answering.value_words(visit, field, field.typical)
        words.append(visit.say("decide.usual", value=usual))
    return " ".join(words)
