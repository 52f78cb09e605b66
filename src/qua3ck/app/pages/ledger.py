"""Ledger: what happened, searched; and whether the record is as it was written."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import TYPE_CHECKING

from qua3ck.app import pieces
from qua3ck.app.texts import number
from qua3ck.app.visit import Visit
from qua3ck.kit.markup import Content, Html, join, tag

if TYPE_CHECKING:
    from qua3ck.transfer.auditing import Event, Verified

MOST = 200


def show(visit: Visit) -> None:
    """Draw the page."""
    import streamlit as st

    pieces.put(
        visit,
        pieces.head(visit.say("page.ledger"), visit.say("ledger.title"), visit.say("ledger.lead")),
    )
    again = st.session_state.pop("verify-again", False)
    pieces.put(visit, _verified(visit, again=again))
    st.button(visit.say("ledger.again"), on_click=_ask_again)
    told = visit.reader.audit().events
    pieces.put(visit, pieces.section(visit.say("ledger.search")))
    first, second, third, fourth = st.columns([4, 3, 3, 3])
    with first:
        words = st.text_input(visit.say("ledger.words"), key="ledger-words")
    with second:
        events = sorted({one.event for one in told})
        event = st.selectbox(
            visit.say("column.event"),
            events,
            index=None,
            placeholder=visit.say("ledger.every"),
            key="ledger-event",
        )
    with third:
        actors = sorted({one.actor for one in told})
        actor = st.selectbox(
            visit.say("column.actor"),
            actors,
            index=None,
            placeholder=visit.say("ledger.everybody"),
            key="ledger-actor",
        )
    with fourth:
        until = st.date_input(
            visit.say("ledger.until"), value=None, format="YYYY-MM-DD", key="ledger-until"
        )
    day = until if isinstance(until, date) else None
    found = search(
        told, words=words, event=event or "", actor=actor or "", until=day, lang=visit.lang
    )
    pieces.put(visit, _listed(visit, found, total=len(told)))


def search(
    told: Sequence[Event],
    *,
    words: str = "",
    event: str = "",
    actor: str = "",
    until: date | None = None,
    lang: str = "en",
) -> tuple[Event, ...]:
    """Return the events that fit, the newest first.

    Parameters
    ----------
    words : str
        Each must occur in number, event, name or sentence; case does not matter.
    until : date, optional
        The last day, in UTC.
    lang : str, default "en"
        The language that the sentences are searched in.
    """
    asked = words.lower().split()

    def fits(one: Event) -> bool:
        says = "".join(one.says.pieces(lang))
        whole = f"{one.seq} {one.event} {one.actor} {says} {one.at}".lower()
        return (
            all(word in whole for word in asked)
            and (not event or one.event == event)
            and (not actor or one.actor == actor)
            and (until is None or one.at[:10] <= until.isoformat())
        )

    return tuple(one for one in reversed(told) if fits(one))


def _ask_again() -> None:
    import streamlit as st

    st.session_state["verify-again"] = True


def _verified(visit: Visit, *, again: bool) -> Html:
    checked, at = visit.reader.verified(again=again)
    events, releases = number(checked.events, visit.lang), number(checked.releases, visit.lang)
    if checked.ok:
        says = tag(
            "p", visit.say("ledger.ok.says", events=events, releases=releases, at=visit.moment(at))
        )
        beyond = [tag("p", line, class_="soft") for line in _beyond(visit, checked)]
        return pieces.box(visit.say("ledger.ok"), says, *beyond, kind="pass")
    listed = tag("div", pieces.bullets(checked.problems), lang="en")
    fix = tag("p", visit.say("ledger.not_ok.says"))
    return tag(
        "div", pieces.box(visit.say("ledger.not_ok"), listed, fix, kind="fail"), role="alert"
    )


def _beyond(visit: Visit, checked: Verified) -> tuple[str, str]:
    """Return what was looked at outside of the folder, and what was not."""
    seen = (
        visit.say("ledger.no_witness")
        if checked.witness is None
        else visit.say(
            "ledger.witness",
            seen=number(checked.witness, visit.lang),
            events=number(checked.events, visit.lang),
        )
    )
    copies = (
        visit.say("ledger.no_copies")
        if checked.copies is None
        else visit.say("ledger.copies", copies=number(checked.copies, visit.lang))
    )
    return seen, copies


def _listed(visit: Visit, found: Sequence[Event], *, total: int) -> Html:
    said = visit.say(
        "ledger.found", n=number(len(found), visit.lang), all=number(total, visit.lang)
    )
    count = tag("p", said, class_="soft", role="status")
    if not found:
        return join(count, tag("p", visit.say("ledger.none")))
    entries = visit.reader.entries()
    rows: list[tuple[Content, ...]] = [
        (
            str(one.seq),
            pieces.when(visit, one.at),
            one.actor,
            join(visit.say_event(one.event), tag("div", one.event, class_="soft", lang="en")),
            one.says.html(visit.lang),
            tag("span", entries[one.seq].hash[:12], class_="hash"),
        )
        for one in found[:MOST]
    ]
    heads = ("seq", "at", "actor", "event", "says", "hash")
    listed = pieces.table(visit.heads("ledger", heads), rows, numeric=(0,))
    more = [tag("p", visit.say("ledger.more", n=MOST), class_="soft")] if len(found) > MOST else []
    return join(count, listed, *more)
