"""The frame of every page: who looks, at which project and version, in which language."""

from __future__ import annotations

import logging
from collections.abc import Callable
from functools import lru_cache, partial
from importlib import import_module, resources
from pathlib import Path
from typing import TYPE_CHECKING

from qua3ck.app import pieces, signin
from qua3ck.app.reading import Reader
from qua3ck.app.starting import Told
from qua3ck.app.texts import LANGUAGES, say
from qua3ck.app.visit import Choice, Visit, choices, chosen
from qua3ck.kit.errors import Qua3ckError
from qua3ck.kit.markup import Html, tag

if TYPE_CHECKING:
    from collections.abc import Sequence

    import streamlit as st

_MARK = resources.files("qua3ck.app").joinpath("mark.svg")
_ICONS = {
    "decide": ":material/balance:",
    "evidence": ":material/verified:",
    "data": ":material/database:",
    "live": ":material/monitoring:",
    "releases": ":material/inventory_2:",
    "ledger": ":material/receipt_long:",
}


def show() -> None:
    """Draw the page that was asked for, for whoever looks at it."""
    import streamlit as st

    told = Told.from_environment()
    style = resources.files("qua3ck.app").joinpath("style.css").read_text("utf-8")
    st.set_page_config(page_title="qua3ck", page_icon=str(_MARK), layout="wide")
    st.html(f"<style>{style}</style>")
    reader = reader_of(told.root)
    try:
        lang = _language(reader)
        st.html(_told_to_browser(lang), unsafe_allow_javascript=True)
        name = signin.visitor(told, lang)
        if name is not None:
            _let_in(told, reader, name, lang)
    except Qua3ckError as found:  # the project file, the ledger or the users cannot be read
        nobody = Visit(reader, "", (), "en")
        pieces.put(nobody, pieces.problem(nobody, found))


def _let_in(told: Told, reader: Reader, name: str, lang: str) -> None:
    """Draw the menu and the page of whoever is in."""
    import streamlit as st

    visit_id = st.session_state.get(signin.COOKIE, "")
    st.html(signin.remembering(visit_id), unsafe_allow_javascript=True)
    roles = next((person.roles for person in reader.enrolled() if person.name == name), ())
    visit = Visit(reader, name, roles, lang)
    page = st.navigation([_page(visit, each) for each in visit.pages])
    title = visit.say("view.title", page=page.title, project=reader.project.name)
    st.set_page_config(page_title=title)
    _sidebar(visit, signed=bool(told.users) and Path(told.users).exists())
    page.run()


@lru_cache(maxsize=4)
def reader_of(root: str) -> Reader:
    """Return what this process knows of a project; one for all who look at it."""
    return Reader(Path(root))


def draw(page: str, visit: Visit) -> None:
    """Draw one page; an error the user can fix is shown in its three parts."""
    try:
        looked_at = _looked_at(visit)
        import_module(f"qua3ck.app.pages.{page}").show(looked_at)
    except Qua3ckError as found:
        pieces.put(visit, pieces.problem(visit, found))
    except Exception:  # the last net: no traceback reaches a reader
        logging.getLogger(__name__).exception("The page %s could not be drawn", page)
        ours = tag("p", visit.say("view.bug.says"))
        pieces.put(visit, pieces.box(visit.say("view.bug"), ours, kind="fail"))


def _page(visit: Visit, name: str) -> st.Page:
    import streamlit as st

    run: Callable[[], None] = partial(draw, name, visit)
    return st.Page(
        run,
        title=visit.say(f"page.{name}"),
        icon=_ICONS[name],
        url_path=name,
        default=name == "decide",
    )


def _language(reader: Reader) -> str:
    """Return the language that the reader chose, else the project's."""
    import streamlit as st

    if "lang" not in st.session_state:
        asked = st.query_params.get("lang", "")
        st.session_state["lang"] = asked if asked in LANGUAGES else reader.project.file.language
    return str(st.session_state["lang"])


def _looked_at(visit: Visit) -> Visit:
    """Return the visit with the version that is picked now, after aliases were read again."""
    import streamlit as st

    choice = chosen(choices(visit.reader, visit.roles), st.session_state.get("version", ""))
    if choice is None:
        return visit
    _say_if_moved(visit, choice)
    return Visit(visit.reader, visit.name, visit.roles, visit.lang, choice.version, choice.alias)


def _say_if_moved(visit: Visit, choice: Choice) -> None:
    import streamlit as st

    seen = st.session_state.get("seen", {})
    before = seen.get(choice.alias)
    if choice.alias and before not in (None, choice.version):
        alias = visit.place(choice.alias)
        words = visit.say("view.moved", alias=alias, before=before, version=choice.version)
        pieces.put(visit, tag("p", words, class_="notice", role="status"))
    st.session_state["seen"] = {**seen, choice.alias: choice.version}


def _sidebar(visit: Visit, *, signed: bool) -> None:
    import streamlit as st

    st.logo(_brand(visit.reader.project.name), size="large", icon_image=str(_MARK))
    listed = choices(visit.reader, visit.roles)
    with st.sidebar:
        if listed:
            st.selectbox(
                visit.say("view.version"),
                [choice.alias or str(choice.version) for choice in listed],
                key="version",
                format_func=partial(_choice_words, visit, listed),
            )
        st.selectbox(
            visit.say("view.language"),
            list(LANGUAGES),
            key="lang",
            format_func=LANGUAGES.__getitem__,
        )
        words = "view.who" if signed else "view.local"
        roles = ", ".join(visit.say(f"role.{role}") for role in visit.roles)
        told = visit.say("view.roles", roles=roles) if roles else visit.say("view.no_roles")
        st.html(
            tag(
                "div",
                tag("p", visit.say(words, name=visit.name)),
                tag("p", told),
                class_="q who",
                lang=visit.lang,
            )
        )
        if signed and st.button(visit.say("view.sign_out")):
            signin.leave()
            st.rerun()


def _choice_words(visit: Visit, listed: Sequence[Choice], key: str) -> str:
    choice = next(c for c in listed if key in (c.alias, str(c.version)))
    if choice.alias:
        alias = visit.place(choice.alias)
        return visit.say("view.alias", alias=alias, version=choice.version)
    return visit.say("view.unused", version=choice.version)


def _told_to_browser(lang: str) -> Html:
    """Return the script that names the language of the page, for whoever has it read aloud."""
    known = lang if lang in LANGUAGES else "en"
    return Html(f"<script>document.documentElement.lang='{known}'</script>")


def _brand(project: str) -> str:
    """Return the sign above the menu: the method's name and the project's."""
    style = "font-family:'Source Serif','Source Serif 4',Georgia,serif;font-weight:600"
    return tag(
        "svg",
        tag("title", project),
        tag(
            "text",
            "QUA³CK",
            x=0,
            y=13,
            fill="#9cc2f5",
            style="font:650 12px 'Source Sans',system-ui,sans-serif;letter-spacing:2px",
        ),
        tag("text", project, x=0, y=38, fill="#ffffff", style=f"{style};font-size:22px"),
        xmlns="http://www.w3.org/2000/svg",
        viewBox=f"0 0 {max(150, 12 * len(project))} 46",
        width=max(150, 12 * len(project)),
        height=46,
    )


__all__ = ["draw", "reader_of", "say", "show"]
