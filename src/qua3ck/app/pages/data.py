"""Data: what a version learned from, how fresh the sources are, what is held back and why."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING

from qua3ck.app import pieces
from qua3ck.app.texts import TEXTS, number, percent
from qua3ck.app.visit import Visit
from qua3ck.kit.markup import Content, Html, join, tag
from qua3ck.transfer.evidence import split_words, target_words

if TYPE_CHECKING:
    from qua3ck.understand.catalog import TableFacts
    from qua3ck.understand.contract.history import DimensionScore
    from qua3ck.understand.loading.worklist import Waiting

_FRESH = {"fresh": "pass", "late": "warn", "once": "none", "unknown": "none", "absent": "none"}


def show(visit: Visit) -> None:
    """Draw the page."""
    tables = visit.reader.tables()
    sources = [table for table in tables if table.layer == "source"]
    gold = [table for table in tables if table.layer == "gold"]
    pieces.put(
        visit,
        pieces.head(visit.say("page.data"), visit.say("data.title"), visit.say("data.lead")),
        _tiles(visit, sources),
        pieces.section(visit.say("data.sources"), _sources(visit, sources)),
        pieces.section(visit.say("data.waiting"), _waiting(visit)),
        pieces.section(
            visit.say("data.quality"),
            *(_quality(visit, one) for one in sources if one.quality),
            *_no_quality(visit, sources),
            says=visit.say("data.quality.says"),
        ),
        *([pieces.section(visit.say("data.gold"), _gold(visit, gold))] if gold else []),
        *_learned_from(visit),
    )


def _tiles(visit: Visit, sources: Sequence[TableFacts]) -> Html:
    rows, held = sum(one.rows for one in sources), sum(one.held for one in sources)
    late = [one.name for one in sources if one.fresh == "late"]
    newest = max((one.loaded for one in sources if one.loaded), default="–")
    return pieces.tiles(
        (visit.say("data.tile.sources"), str(len(sources)), visit.say("data.tile.declared")),
        (visit.say("data.tile.rows"), number(rows, visit.lang), visit.say("data.tile.current")),
        (visit.say("data.tile.held"), number(held, visit.lang), visit.say("data.tile.answer")),
        (
            visit.say("data.tile.late"),
            str(len(late)),
            ", ".join(late) or visit.say("data.tile.newest", at=visit.day(newest)),
        ),
    )


def _sources(visit: Visit, sources: Sequence[TableFacts]) -> Html:
    rows: list[tuple[Content, ...]] = []
    for one in sources:
        fresh = pieces.word(_FRESH[one.fresh], visit.say(f"data.fresh.{one.fresh}"))
        who = one.who.get("owner", "") or "–"
        cadence = _cadence(visit, one.who.get("cadence", ""))
        loaded: Content = pieces.when(visit, one.loaded) if one.loaded else "–"
        name = join(one.name, tag("div", one.says, class_="soft")) if one.says else one.name
        counts = number(one.rows, visit.lang), number(one.held, visit.lang)
        rows.append((name, *counts, loaded, cadence, fresh, who))
    heads = ("source", "rows", "held", "loaded", "cadence", "fresh", "owner")
    return pieces.table(visit.heads("data", heads), rows, numeric=(1, 2))


def _cadence(visit: Visit, said: str) -> str:
    """Return a cadence in words; one that is counted, such as 7d, stays as it is written."""
    return visit.say(f"cadence.{said}") if f"cadence.{said}" in TEXTS else said or "–"


def _gold(visit: Visit, gold: Sequence[TableFacts]) -> Html:
    rows = [
        (
            one.name,
            one.says or "–",
            number(one.rows, visit.lang),
            ", ".join(one.reads),
            pieces.when(visit, one.loaded),
        )
        for one in gold
    ]
    heads = ("table", "says", "rows", "reads", "made")
    return pieces.table(visit.heads("data", heads), rows, numeric=(2,))


def _waiting(visit: Visit) -> Html:
    """Return how much waits and why; what was received is for the work list, not for here."""
    waiting = visit.reader.waiting()
    if not waiting:
        return tag("p", visit.say("data.waiting.none"))
    rows = [line for name, listed in waiting.items() for line in _counted(visit, name, listed)]
    heads = ("source", "where", "code", "problem", "cells")
    made = pieces.table(visit.heads("data", heads), rows, numeric=(4,))
    return join(made, tag("p", visit.say("data.waiting.says"), class_="soft"))


def _counted(visit: Visit, name: str, listed: Sequence[Waiting]) -> list[tuple[Content, ...]]:
    counts = Counter((one.column, one.code, one.problem) for one in listed)
    return [
        (
            name,
            column or visit.say("data.whole_record"),
            code,
            pieces.wrote(visit, problem),
            number(count, visit.lang),
        )
        for (column, code, problem), count in counts.most_common()
    ]


def _quality(visit: Visit, one: TableFacts) -> Html:
    """Return what share of the checked cells held, by dimension, and how that went."""
    last = max(score.at for score in one.quality)
    now = [score for score in one.quality if score.at == last]
    rows = [
        (
            visit.say(f"dimension.{score.dimension}"),
            number(score.looked_at, visit.lang),
            number(score.failing, visit.lang),
            percent(score.share, visit.lang, 2),
            _course(visit, one.quality, score.dimension),
        )
        for score in now
    ]
    heads = ("dimension", "looked_at", "failing", "share", "course")
    caption = visit.say("data.quality.caption", name=one.name, at=visit.moment(last))
    return pieces.table(visit.heads("data", heads), rows, numeric=(1, 2, 3), caption=caption)


def _course(visit: Visit, scores: Sequence[DimensionScore], dimension: str) -> str:
    shares = [score.share for score in scores if score.dimension == dimension]
    if len(shares) < 2:
        return visit.say("data.first_load")
    first, last = percent(shares[0], visit.lang, 1), percent(shares[-1], visit.lang, 1)
    return visit.say("data.over_loads", first=first, last=last, n=len(shares))


def _no_quality(visit: Visit, sources: Sequence[TableFacts]) -> list[Html]:
    names = [one.name for one in sources if not one.quality]
    if not names:
        return []
    return [tag("p", visit.say("data.quality.none", names=", ".join(names)))]


def _learned_from(visit: Visit) -> list[Html]:
    if visit.version is None:
        return []
    facts = visit.facts()
    snapshot = facts.snapshot
    left_out = sum(column.role == "left_out" for column in snapshot.columns)
    columns = visit.say("data.columns.says", features=len(snapshot.features()), left_out=left_out)
    listed = pieces.facts(
        (visit.say("data.target"), target_words(facts)),
        (visit.say("data.split"), split_words(facts)),
        (visit.say("data.columns"), columns),
        (visit.say("data.snapshot"), tag("span", snapshot.id[:16], class_="mono")),
    )
    title = visit.say("data.learned_from", version=visit.version)
    return [pieces.section(title, listed)]
