"""Pieces that every page is built from: its head, boxes, lists, tables, and how they are shown.

Our own markup, escaped by ``kit.markup``, instead of Streamlit's ready-made figures: real
headings and tables can be read aloud, printed and searched, and look like the report.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from qua3ck.app.drawing import as_images
from qua3ck.app.visit import Visit
from qua3ck.kit.errors import Qua3ckError
from qua3ck.kit.markup import Content, Html, join, tag
from qua3ck.transfer.pieces import told_in

SIGNS = {"pass": "✓", "fail": "✗", "undecided": "?", "warn": "!", "none": "–"}


def put(visit: Visit, *content: Content) -> None:
    """Show markup in the language of the reader."""
    import streamlit as st

    st.html(as_images(tag("div", *content, class_="q", lang=visit.lang)))


def head(kicker: str, title: str, *lead: Content) -> Html:
    """Return the head of a page: what it is, its title, a sentence or two."""
    return tag(
        "header",
        tag("p", kicker, class_="kicker"),
        tag("h1", title),
        *(tag("p", words, class_="lead") for words in lead if words),
        class_="head",
    )


def section(title: str, *content: Content, says: str = "", class_: str | None = None) -> Html:
    """Return a part of a page under its heading."""
    told = [tag("p", says, class_="soft")] if says else []
    return tag("section", tag("h2", title), *told, *content, class_=class_)


def box(title: Content, *content: Content, kind: str = "plain", level: str = "h2") -> Html:
    """Return a framed box; its kind (pass, fail, undecided, warn) shows beside the words."""
    sign = [tag("span", SIGNS[kind], class_="sign", aria_hidden="true")] if kind in SIGNS else []
    return tag("div", tag(level, *sign, title, class_="title"), *content, class_=f"box {kind}")


def nothing(title: str, says: str, *, fix: str = "") -> Html:
    """Return the honest picture of nothing: what is missing and what would bring it."""
    told = [tag("p", tag("code", fix))] if fix else []
    return tag("div", tag("h2", title, class_="title"), tag("p", says), *told, class_="empty")


def facts(*pairs: tuple[str, Content]) -> Html:
    """Return names and what belongs to them."""
    return tag("dl", *(join(tag("dt", name), tag("dd", value)) for name, value in pairs))


def tiles(*pairs: tuple[str, Content, str]) -> Html:
    """Return a few figures in a row: what it is, the figure, a word below."""
    made = [
        tag(
            "div",
            tag("dt", name),
            tag("dd", value, class_="figure"),
            tag("dd", below, class_="below") if below else "",
            class_="tile",
        )
        for name, value, below in pairs
    ]
    return tag("dl", *made, class_="tiles")


def table(
    heads: Sequence[str],
    rows: Iterable[Sequence[Content]],
    *,
    numeric: tuple[int, ...] = (),
    caption: str = "",
    class_: str | None = None,
) -> Html:
    """Return a table whose first column names its rows."""
    marks = ["num" if place in numeric else None for place in range(len(heads))]
    top = [
        tag("th", name, scope="col", class_=mark) for name, mark in zip(heads, marks, strict=True)
    ]
    body = []
    for row in rows:
        first = tag("th", row[0], scope="row", class_=marks[0])
        cells = [tag("td", c, class_=m) for c, m in zip(row[1:], marks[1:], strict=True)]
        body.append(tag("tr", first, *cells))
    made = tag(
        "table",
        *([tag("caption", caption)] if caption else []),
        tag("thead", tag("tr", *top)),
        tag("tbody", *body),
        class_=class_ or ("narrow" if len(heads) < 4 else None),
    )
    return tag(
        "div", made, class_="scroll", tabindex="0", role="group", aria_label=caption or heads[0]
    )


def when(visit: Visit, at: str) -> Html:
    """Return a moment for a cell of a table: it is never broken at its hyphens."""
    return tag("span", visit.moment(at), class_="when")


def wrote(visit: Visit, words: str) -> Content:
    """Return what another room wrote, in the reader's language or marked as English."""
    return told_in(visit.lang, words)


def bullets(lines: Iterable[Content]) -> Html:
    """Return an unordered list."""
    return tag("ul", *(tag("li", line) for line in lines))


def word(kind: str, words: str) -> Html:
    """Return an answer as sign and word, so that colour is not needed."""
    sign = tag("span", SIGNS.get(kind, SIGNS["none"]), class_="sign", aria_hidden="true")
    return tag("span", sign, words, class_=f"word {kind}")


def problem(visit: Visit, found: Qua3ckError, *, title: str = "view.error") -> Html:
    """Return an error in its three parts, as the command line says it.

    Parameters
    ----------
    title : str, default "view.error"
        Key of the words above it.
    """
    code = f" ({found.code})" if found.code else ""
    told = facts(
        (visit.say("view.where"), wrote(visit, found.where)),
        (visit.say("view.fix"), wrote(visit, found.fix)),
    )
    says = tag("p", wrote(visit, found.what), code)
    return tag("div", box(visit.say(title), says, told, kind="fail"), role="alert")
