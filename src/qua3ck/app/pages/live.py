"""In operation: who answers now, a rollout on its way, how much was answered, what went wrong."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from qua3ck.app import drawing, pieces
from qua3ck.app.texts import number, percent
from qua3ck.app.visit import Visit
from qua3ck.kit.markup import Html, join, tag

if TYPE_CHECKING:
    from qua3ck.operate.records import Routing
    from qua3ck.operate.serve.routing import Rollout
    from qua3ck.project.traffic import Traffic

_ALARMS = ("alarm.raised", "canary.stopped", "serving.off", "serving.on", "promotion.refused")
_LATEST = 20


def show(visit: Visit) -> None:
    """Draw the page."""
    import streamlit as st

    now = visit.reader.project.read_only().clock().isoformat()
    title, lead = visit.say("live.title"), visit.say("live.lead", at=visit.moment(now))
    pieces.put(visit, pieces.head(visit.say("page.live"), title, lead))
    st.button(visit.say("live.again"))
    routing, rollout = visit.reader.routing()
    traffic = visit.reader.traffic()
    pieces.put(
        visit,
        pieces.section(visit.say("live.routing"), _routing(visit, routing, rollout)),
        pieces.section(visit.say("live.traffic"), _traffic(visit, traffic)),
        pieces.section(visit.say("live.alarms"), _alarms(visit)),
    )


def _routing(visit: Visit, routing: Routing, rollout: Rollout | None) -> Html:
    if not routing.arms:
        return pieces.nothing(visit.say("live.nobody"), visit.say("live.nobody.says"))
    made: list[Html] = []
    if routing.off is not None:
        words = visit.say("live.off.says", seq=routing.off.since, reason=routing.off.reason)
        made.append(pieces.box(visit.say("live.off"), tag("p", words), kind="warn", level="h3"))
    arms = [*routing.arms, *([routing.shadow] if routing.shadow else [])]
    rows = [
        (
            visit.say(f"live.arm.{arm.name}"),
            str(arm.version),
            percent(arm.share, visit.lang) if arm.name != "shadow" else "–",
        )
        for arm in arms
    ]
    heads = visit.heads("live", ("arm", "version", "share"))
    made.append(pieces.table(heads, rows, numeric=(1, 2)))
    made.append(tag("p", _rollout(visit, rollout)))
    return join(*made)


def _rollout(visit: Visit, rollout: Rollout | None) -> str:
    if rollout is None:
        return visit.say("live.no_rollout")
    return visit.say(
        "live.rollout",
        version=rollout.version,
        before=rollout.settled,
        steps=", ".join(str(step) for step in rollout.steps),
        share=percent(rollout.share, visit.lang),
    )


def _traffic(visit: Visit, traffic: Traffic) -> Html:
    if not traffic.answers:
        return pieces.nothing(
            visit.say("live.traffic.none"),
            visit.say("live.traffic.none.says"),
            fix=visit.say("live.traffic.none.fix"),
        )
    points = [
        drawing.Point(float(at), float(count), moment[11:16])
        for at, (moment, count) in enumerate(traffic.hours)
    ]
    label = visit.say(
        "live.traffic.label",
        first=visit.moment(traffic.hours[0][0]),
        last=visit.moment(traffic.hours[-1][0]),
        total=number(traffic.answers, visit.lang),
        most=number(max(count for _, count in traffic.hours), visit.lang),
    )
    drawn = tag(
        "figure", drawing.columns(points, label=label, lang=visit.lang), tag("figcaption", label)
    )
    part = []
    if traffic.part:
        from qua3ck.project.traffic import MOST_BYTES

        words = visit.say("live.part", mb=MOST_BYTES // 1024 // 1024)
        part.append(tag("p", words, class_="notice"))
    return join(drawn, *part, _arms(visit, traffic))


def _arms(visit: Visit, traffic: Traffic) -> Html:
    rows = [
        (
            visit.say(f"live.arm.{arm.arm}"),
            str(arm.version) if arm.version else "–",
            number(arm.answers, visit.lang),
            number(arm.flagged, visit.lang),
            visit.say("live.ms", ms=number(arm.p50_ms, visit.lang, 2)),
            visit.say("live.ms", ms=number(arm.p99_ms, visit.lang, 2)),
            pieces.when(visit, arm.last),
        )
        for arm in traffic.arms
    ]
    names = ("arm", "version", "answers", "flagged", "p50", "p99", "last")
    heads = visit.heads("live", names)
    return pieces.table(heads, rows, numeric=(1, 2, 3, 4, 5))


def _alarms(visit: Visit) -> Html:
    told = [one for one in visit.reader.audit().events if one.event in _ALARMS]
    watch = tag("p", visit.say("live.alarms.watch"), class_="soft")
    if not told:
        return join(tag("p", visit.say("live.alarms.none")), watch)
    return join(_listed(visit, told[-_LATEST:]), watch)


def _listed(visit: Visit, told: Sequence[object]) -> Html:
    from qua3ck.transfer.auditing import Event

    rows = [
        (
            pieces.when(visit, one.at),
            visit.say_event(one.event),
            one.actor,
            one.says.html(visit.lang),
        )
        for one in reversed(told)
        if isinstance(one, Event)
    ]
    heads = visit.heads("ledger", ("at", "event", "actor", "says"))
    return pieces.table(heads, rows)
