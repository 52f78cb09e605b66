"""Who answers for a source: without owner, licence, cadence and contact nobody can be asked."""

from __future__ import annotations

from qua3ck.kit.findings import Finding
from qua3ck.understand.section import Source

ASKED = ("owner", "licence", "cadence", "contact")


def unanswered(source: Source) -> tuple[str, ...]:
    """Return which of owner, licence, cadence and contact are not declared."""
    return tuple(name for name in ASKED if not getattr(source, name).strip())


def unanswered_finding(source: Source, *, place: str) -> Finding | None:
    """Return the finding that says so, or None if all are declared."""
    missing = unanswered(source)
    if not missing:
        return None
    return Finding(
        "U055",
        "inform",
        place,
        f"Nobody answers for this source: {', '.join(missing)} not declared.",
        {"missing": list(missing)},
    )
