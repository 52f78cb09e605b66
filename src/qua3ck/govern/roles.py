"""Which role may do what. A person may have several; the auditor only reads, on purpose."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from qua3ck.kit.errors import Qua3ckError, did_you_mean

ROLES: Mapping[str, str] = {
    "owner": "answers for the product and enrols the others",
    "analyst": "asks the question, runs the phases, opens the seal",
    "risk_manager": "signs for the risk",
    "data_steward": "answers for the data and holds the key of the seal",
    "auditor": "reads and verifies everything, changes nothing",
    "domain_expert": "knows the field and may sign",
    "ml_engineer": "runs the phases and puts versions into use",
    "data_engineer": "brings data in and runs the phases",
}

MAY: Mapping[str, frozenset[str]] = {
    "run": frozenset({"owner", "analyst", "data_steward", "ml_engineer", "data_engineer"}),
    "open the seal": frozenset({"owner", "analyst", "data_steward", "ml_engineer"}),
    "approve": frozenset({"owner", "risk_manager", "data_steward", "domain_expert"}),
    "promote": frozenset({"owner", "risk_manager", "ml_engineer"}),
    "register": frozenset(ROLES) - {"auditor", "domain_expert"},  # who may run or promote
    "enrol": frozenset({"owner"}),
    "set back": frozenset({"owner"}),
    "switch off": frozenset(ROLES) - {"auditor"},
}

# What a ledger event needs; an event that is not listed needs the right to run. Approvals
# are checked for the approver, who is not always the one who types.
_EVENT_NEEDS: Mapping[str, str | None] = {
    "project.created": None,
    "person.enrolled": None,
    "approval.given": None,
    "approval.refused": None,
    "ledger.repaired": None,
    "release.registered": "register",
    "ledger.set_back": "set back",
    "openings.declared": None,
    "seal.opened": "open the seal",
    "seal.reread": "open the seal",
    "alias.moved": "promote",
    "promotion.refused": "promote",
    "security.accepted": "promote",
    "serving.off": "switch off",
    "serving.on": "promote",
    "key.added": "promote",
    "key.revoked": "switch off",
}


def allowed(roles: Iterable[str], action: str) -> bool:
    """Return whether any of ``roles`` may do ``action`` (a key of :data:`MAY`)."""
    return bool(MAY[action] & set(roles))


def require(name: str, roles: Iterable[str], action: str) -> None:
    """Refuse ``action`` unless one of the person's roles may do it.

    Raises
    ------
    Qua3ckError
        Says which roles may.
    """
    held = tuple(roles)
    if allowed(held, action):
        return
    needed = " or ".join(sorted(MAY[action]))
    raise Qua3ckError(
        f'"{name}" may not {action}: enrolled as {", ".join(held) or "nothing"}, needs {needed}',
        where=f"people/{name}.pub",
        fix=f"act as somebody who may (QUA3CK_ACTOR), or have the owner type: "
        f"qua3ck enrol {name} --role {sorted(MAY[action])[0]}",
        code="G002",
    )


def event_needs(event: str) -> str | None:
    """Return the action that writing ``event`` takes; None if being enrolled is enough."""
    return _EVENT_NEEDS.get(event, "run")


def known_roles(roles: Iterable[str], *, where: str) -> tuple[str, ...]:
    """Return the roles, each once, in the order given.

    Raises
    ------
    Qua3ckError
        If there is none, or one that does not exist.
    """
    listed = tuple(dict.fromkeys(roles))
    for role in listed:
        if role not in ROLES:
            raise Qua3ckError(
                f'Unknown role "{role}"{did_you_mean(role, ROLES)}',
                where=where,
                fix=f"use one or more of: {', '.join(ROLES)}",
                code="G003",
            )
    if not listed:
        raise Qua3ckError(
            "A person needs at least one role",
            where=where,
            fix=f"add --role with one of: {', '.join(ROLES)}",
            code="G003",
        )
    return listed
