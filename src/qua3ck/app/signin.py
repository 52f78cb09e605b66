"""Letting somebody in: by password, by the organisation's sign-in service, or by the link.

Who is in is remembered in this process for twelve hours under a random name that the browser
keeps in a cookie, so that a reload asks nobody again; a restart forgets everybody.
"""

from __future__ import annotations

import hmac
import secrets
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from qua3ck.app import pieces
from qua3ck.app.starting import Told
from qua3ck.app.texts import say
from qua3ck.app.users import User, password_fits, read_users, user_of_address
from qua3ck.kit.markup import Html, tag

COOKIE = "qua3ck_visit"
LASTS = 12 * 3600.0  # seconds
_TRIES, _PAUSE = 5, 60.0
_NAMES = 1000  # whoever tries more within a minute is held up by the hashing itself


@dataclass
class _Known:
    name: str
    until: float


class Doorkeeper:
    """Remembers who is in and who has guessed too often; one for the whole process."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._in: dict[str, _Known] = {}
        self._wrong: dict[str, tuple[int, float]] = {}

    def admit(self, name: str) -> str:
        """Let somebody in; returns the name of the visit for the browser to keep."""
        visit = secrets.token_urlsafe(32)
        now = self._clock()
        self._in = {key: one for key, one in self._in.items() if one.until > now}
        self._in[visit] = _Known(name, now + LASTS)
        return visit

    def known(self, visit: str) -> str | None:
        """Return who a visit belongs to; None if to nobody any more."""
        one = self._in.get(visit)
        return one.name if one is not None and one.until > self._clock() else None

    def leave(self, visit: str) -> None:
        """Forget a visit."""
        self._in.pop(visit, None)

    def wait(self, name: str) -> int:
        """Return the seconds until a name may be tried again."""
        tries, last = self._wrong.get(name, (0, 0.0))
        left = last + _PAUSE - self._clock()
        return max(0, round(left)) if tries >= _TRIES else 0

    def wrong(self, name: str) -> None:
        """Count a wrong password; of too many names those that were tried least are forgotten."""
        now = self._clock()
        self._wrong = {key: one for key, one in self._wrong.items() if now - one[1] <= _PAUSE}
        tries, _ = self._wrong.pop(name, (0, now))
        while len(self._wrong) >= _NAMES:
            del self._wrong[min(self._wrong, key=lambda key: self._wrong[key])]
        self._wrong[name] = (tries + 1, now)

    def right(self, name: str) -> None:
        """Forget the wrong ones."""
        self._wrong.pop(name, None)


KEEPER = Doorkeeper()


def visitor(told: Told, lang: str) -> str | None:
    """Return the name of who is in; else show how to get in and return None."""
    import streamlit as st

    users = read_users(Path(told.users)) if told.users else {}
    state = st.session_state
    visit = state.get(COOKIE) or st.context.cookies.get(COOKIE, "")
    name = KEEPER.known(visit)
    alone = bool(told.token) and not users  # nobody signs in here, neither now nor at the start
    if name is not None and (alone or name in users):
        state[COOKIE] = visit
        return name
    if users:
        return _by_password_or_service(users, lang)
    given = st.query_params.get("token", "")
    if told.token and hmac.compare_digest(given.encode(), told.token.encode()):
        from qua3ck.govern.people import actor_name

        name = actor_name(told.actor or None)
        _remember(name)
        del st.query_params["token"]
        return name
    _show(say("sign.link", lang), say("sign.link.says", lang), lang)
    return None


def leave() -> None:
    """Sign out who is in."""
    import streamlit as st

    KEEPER.leave(st.session_state.pop(COOKIE, ""))
    if _service() and st.user.is_logged_in:
        st.logout()


def remembering(visit: str) -> Html:
    """Return the script that has the browser keep a visit; nothing of it comes from outside."""
    kept = f"{COOKIE}={visit}; path=/; max-age={LASTS:.0f}; SameSite=Strict"
    return Html(f"<script>document.cookie='{kept}'</script>")


def _by_password_or_service(users: Mapping[str, User], lang: str) -> str | None:
    import streamlit as st

    service = _service()
    if service and st.user.is_logged_in:
        email = str(st.user.get("email", ""))
        verified = st.user.get("email_verified")  # some services send it as text
        user = user_of_address(users, email) if verified is True or verified == "true" else None
        if user is not None:
            _remember(user.name)
            return user.name
        _show(say("sign.title", lang), say("sign.unknown", lang, email=email), lang)
        if st.button(say("view.sign_out", lang)):
            st.logout()
        return None
    _show(say("sign.title", lang), say("sign.lead", lang), lang)
    with st.form("sign-in", width=420, border=False):
        name = st.text_input(say("sign.name", lang), autocomplete="username").strip().lower()
        password = st.text_input(
            say("sign.password", lang), type="password", autocomplete="current-password"
        )
        sent = st.form_submit_button(say("sign.title", lang), type="primary")
    if service and st.button(say("sign.service", lang)):
        st.login()
    if not sent:
        return None
    seconds = KEEPER.wait(name)
    if seconds:
        st.error(say("sign.wait", lang, seconds=seconds))
        return None
    if not password_fits(users, name, password):
        KEEPER.wrong(name)
        st.error(say("sign.wrong", lang))
        return None
    KEEPER.right(name)
    _remember(name)
    st.rerun()  # else the form would stand above the page
    return name


def _remember(name: str) -> None:
    import streamlit as st

    st.session_state[COOKIE] = KEEPER.admit(name)


def _service() -> bool:
    """Return whether a sign-in service (OpenID Connect) is set up for Streamlit."""
    import streamlit as st
    from streamlit.errors import StreamlitSecretNotFoundError

    try:
        return "auth" in st.secrets
    except (StreamlitSecretNotFoundError, FileNotFoundError):
        return False


def _show(title: str, says: str, lang: str) -> None:
    import streamlit as st

    st.html(tag("div", pieces.head("qua3ck", title, says), class_="q", lang=lang))
