"""Releases: every version and its way into use, two side by side, a signature for or against."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from qua3ck.app import pieces, seeing
from qua3ck.app.texts import local
from qua3ck.app.visit import Visit
from qua3ck.conclude.figures import verdict_figures
from qua3ck.govern.approvals import standing
from qua3ck.kit.errors import Qua3ckError
from qua3ck.kit.markup import Content, Html, join, tag
from qua3ck.transfer.pieces import count, native

if TYPE_CHECKING:
    from qua3ck.govern import Release
    from qua3ck.kit.verdicts import Verdict
    from qua3ck.transfer.facts import Facts


def show(visit: Visit) -> None:
    """Draw the page."""
    releases = visit.reader.releases()
    head = pieces.head(
        visit.say("page.releases"), visit.say("releases.title"), visit.say("releases.lead")
    )
    if not releases:
        nothing = pieces.nothing(
            visit.say("nothing.released"),
            visit.say("nothing.released.says"),
            fix=visit.say("nothing.released.fix"),
        )
        pieces.put(visit, head, nothing)
        return
    pieces.put(
        visit,
        head,
        pieces.section(visit.say("releases.all"), _history(visit, releases)),
        pieces.section(visit.say("releases.moves"), _moves(visit)),
    )
    _sign(visit, releases)
    _compare(visit, releases)


SIGN = {"approve": "✓", "refuse": "✗"}


def _algorithm(facts: Facts) -> str:
    return native(facts, facts.candidate.algorithm).replace("_", " ")


def _history(visit: Visit, releases: Sequence[Release]) -> Html:
    aliases: dict[int, list[str]] = {}
    for alias, version in visit.reader.aliases().items():
        aliases.setdefault(version, []).append(visit.place(alias))
    rows: list[tuple[Content, ...]] = []
    for release in reversed(releases):
        words = standing(visit.reader.approvals(release.version))
        said = ", ".join(f"{SIGN[one.decision]} {one.approver}" for one in words)
        rows.append(
            (
                str(release.version),
                pieces.when(visit, release.at),
                _algorithm(visit.facts(release.version)),
                release.model_format,
                said or "–",
                ", ".join(aliases.get(release.version, [])) or visit.say("releases.not_in_use"),
                tag("span", release.digest[:12], class_="hash"),
            )
        )
    heads = ("version", "made", "algorithm", "format", "signed", "use", "digest")
    return pieces.table(visit.heads("releases", heads), rows)


def _moves(visit: Visit) -> Html:
    moves = [entry for entry in visit.reader.entries() if entry.event == "alias.moved"]
    if not moves:
        return tag("p", visit.say("releases.moves.none"))
    rows = []
    for entry in reversed(moves):
        body = entry.body
        before = "–" if body["from"] is None else str(body["from"])
        rows.append(
            (
                pieces.when(visit, entry.at),
                visit.say(f"alias.{body['alias']}"),
                f"{before} → {body['version']}",
                _kind(visit, body),
                entry.actor,
                str(body["reason"]),
            )
        )
    heads = ("at", "alias", "from_to", "kind", "who", "why")
    return pieces.table(visit.heads("releases", heads), rows)


def _kind(visit: Visit, body: Mapping[str, Any]) -> str:
    if body.get("steps"):
        steps = ", ".join(str(step) for step in body["steps"])
        return visit.say("releases.kind.steps", steps=steps)
    return visit.say(f"releases.kind.{body.get('kind', 'promote')}")


def _sign(visit: Visit, releases: Sequence[Release]) -> None:
    """Draw what stands between a version and its use, and the form to sign, for who may."""
    import streamlit as st

    pieces.put(visit, pieces.section(visit.say("sign.for"), says=visit.say("sign.for.says")))
    versions = [release.version for release in reversed(releases)]
    version = st.selectbox(
        visit.say("releases.column.version"), versions, key="sign-version", width=260
    )
    pieces.put(visit, _gates(visit, version), _words(visit, version))
    if not seeing.may_sign(visit.roles):
        pieces.put(visit, tag("p", visit.say("sign.may_not"), class_="soft"))
        return
    with st.form("sign", border=False, clear_on_submit=True):
        decisions = {word: visit.say(f"sign.{word}") for word in ("approve", "refuse")}
        decision = st.radio(
            visit.say("sign.decision"),
            list(decisions),
            index=None,
            format_func=decisions.__getitem__,
            horizontal=True,
        )
        reason = st.text_area(visit.say("sign.reason"), help=visit.say("sign.reason.help"))
        read = st.checkbox(visit.say("sign.read", version=version))
        sent = st.form_submit_button(visit.say("sign.send"), type="primary")
    if sent:
        _signed(visit, version, decision, reason, read=read)


def _signed(visit: Visit, version: int, decision: str | None, reason: str, *, read: bool) -> None:
    import streamlit as st

    from qua3ck.project import open_project

    if decision is None or not reason.strip() or not read:
        pieces.put(visit, tag("p", visit.say("sign.missing"), class_="notice", role="alert"))
        return
    try:
        project = open_project(visit.reader.root, actor=visit.name)
        given = project.approve(version, decision=decision, reason=reason.strip())
    except Qua3ckError as problem:
        pieces.put(visit, pieces.problem(visit, problem))
        return
    st.session_state["signed"] = visit.say(
        f"sign.done.{decision}", version=version, n=given.head_n, hash=given.head_hash[:16]
    )
    st.rerun()


def _words(visit: Visit, version: int) -> Html:
    import streamlit as st

    done = st.session_state.pop("signed", "")
    made: list[Content] = []
    if done:
        made.append(tag("div", pieces.box(done, kind="pass", level="h3"), role="status"))
    for one in visit.reader.approvals(version):
        key = "who.approved" if one.decision == "approve" else "who.refused"
        words = visit.say(
            key, name=one.approver, date=visit.moment(one.at), reason=one.reason, seq=one.head_n
        )
        made.append(tag("li", words))
    items = [piece for piece in made if piece.startswith("<li")]
    boxes = [piece for piece in made if not piece.startswith("<li")]
    return join(*boxes, tag("ul", *items)) if items else join(*boxes)


def _gates(visit: Visit, version: int) -> Html:
    rows = [
        (
            visit.say(f"gate.{gate.name}"),
            pieces.word(gate.answer, visit.say(f"verdict.{gate.answer}")),
            pieces.wrote(visit, gate.says),
        )
        for gate in visit.reader.gates(version)
    ]
    heads = visit.heads("releases", ("gate", "answer", "why"))
    return pieces.table(heads, rows, caption=visit.say("gates.caption", version=version))


def _compare(visit: Visit, releases: Sequence[Release]) -> None:
    import streamlit as st

    pieces.put(visit, pieces.section(visit.say("compare.title")))
    if len(releases) < 2:
        pieces.put(visit, tag("p", visit.say("compare.only_one")))
        return
    versions = [release.version for release in reversed(releases)]
    left, right, _ = st.columns([2, 2, 4])
    with left:
        first = st.selectbox(visit.say("compare.first"), versions, index=1, key="compare-first")
    with right:
        second = st.selectbox(visit.say("compare.second"), versions, index=0, key="compare-second")
    pieces.put(visit, _compared(visit, visit.facts(first), visit.facts(second)))


def _compared(visit: Visit, first: Facts, second: Facts) -> Html:
    ids = dict.fromkeys(v.id for v in (*first.verdicts(), *second.verdicts()))
    rows: list[tuple[Content, ...]] = []
    for name in ids:
        cells = [_verdict(visit, facts, name) for facts in (first, second)]
        rows.append((name, *cells))
    pairs = (
        ("column.algorithm", _algorithm),
        ("compare.features", lambda f: str(len(f.snapshot.features()))),
        ("compare.rows", lambda f: count(f, f.snapshot.split.rows_train)),
        ("data.snapshot", lambda f: f.snapshot.id[:12]),
        ("kpis.digest", lambda f: f.conclusion.question[:12]),
    )
    rows += [(visit.say(key), read(first), read(second)) for key, read in pairs]
    heads = [visit.say("column.promise")]
    heads += [visit.say("compare.version", version=facts.version) for facts in (first, second)]
    return join(
        pieces.table(heads, rows),
        tag("p", visit.say("compare.says"), class_="soft"),
        *_columns_differ(visit, first, second),
    )


def _verdict(visit: Visit, facts: Facts, name: str) -> Content:
    found: Verdict | None = next((v for v in facts.verdicts() if v.id == name), None)
    if found is None:
        return visit.say("changes.gone")
    value, bounds, _ = (local(words, visit.lang) for words in verdict_figures(found))
    word = pieces.word(found.verdict, visit.say(f"verdict.{found.verdict}"))
    return join(f"{value} {bounds} ", word)


def _columns_differ(visit: Visit, first: Facts, second: Facts) -> list[Html]:
    before = {column.name for column in first.snapshot.features()}
    after = {column.name for column in second.snapshot.features()}
    lines = []
    if after - before:
        lines.append(visit.say("compare.new", names=", ".join(sorted(after - before))))
    if before - after:
        lines.append(visit.say("compare.gone", names=", ".join(sorted(before - after))))
    return [pieces.bullets(lines)] if lines else [tag("p", visit.say("compare.same_columns"))]
