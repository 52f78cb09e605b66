"""Which pages a person sees: decided by the roles that the signed ledger has, by nothing else.

Numbers that decide something and the proof behind them are for everybody who may sign in.
What lies behind them (data, traffic, the ledger) is for those who work on it or control it.
"""

from __future__ import annotations

from collections.abc import Iterable

from qua3ck.govern.roles import MAY, ROLES

PAGES = ("decide", "evidence", "data", "live", "releases", "ledger")
_EVERYBODY = frozenset({"decide", "evidence"})
_BEHIND: dict[str, frozenset[str]] = {
    "data": frozenset(ROLES) - {"domain_expert"},
    "live": frozenset(ROLES) - {"domain_expert"},
    "releases": frozenset(ROLES),
    "ledger": frozenset(ROLES) - {"domain_expert", "data_engineer"},
}


def pages_for(roles: Iterable[str]) -> tuple[str, ...]:
    """Return the pages that somebody with these roles sees, in the order of the menu."""
    held = set(roles)
    return tuple(page for page in PAGES if page in _EVERYBODY or held & _BEHIND[page])


def may_try(roles: Iterable[str]) -> bool:
    """Return whether a version that is not in use may be tried out: by whoever runs or signs."""
    return bool(set(roles) & (MAY["run"] | MAY["approve"] | MAY["promote"] | {"auditor"}))


def may_sign(roles: Iterable[str]) -> bool:
    """Return whether an approval may be signed; the signing itself checks it again."""
    return bool(set(roles) & MAY["approve"])
