"""The risk class of a product, in the words of the EU AI Act (Regulation 2024/1689)."""

from __future__ import annotations

import difflib
import re
from typing import Literal

from qua3ck.kit.errors import Qua3ckError

RiskClass = Literal["minimal", "limited", "high"]

# Annex III, by point: the words of ``question.risk.domain`` that fall under it.
_ANNEX_III: tuple[tuple[str, str, tuple[str, ...]], ...] = (
    ("1", "biometrics", ("biometrics", "emotion_recognition")),
    ("2", "critical infrastructure", ("critical_infrastructure", "water_supply", "energy_supply")),
    ("3", "education and vocational training", ("education", "admission", "exam", "school")),
    ("4", "employment", ("employment", "recruitment", "hiring", "workers", "human_resources")),
    (
        "5(a)",
        "essential public assistance benefits and services",
        (
            "essential_services",
            "benefits",
            "social_protection",
            "public_assistance",
            "cash_assistance",
            "humanitarian_assistance",
            "housing",
        ),
    ),
    (
        "5(b)",
        "creditworthiness of natural persons",
        ("credit", "creditworthiness", "lending", "loan", "mortgage", "microfinance"),
    ),
    (
        "5(c)",
        "risk and price of life and health insurance",
        ("insurance", "health_insurance", "life_insurance"),
    ),
    (
        "5(d)",
        "emergency calls and triage of patients",
        ("health_triage", "triage", "emergency", "emergency_services"),
    ),
    ("6", "law enforcement", ("law_enforcement", "police")),
    ("7", "migration, asylum and border control", ("migration", "asylum", "border", "refugees")),
    (
        "8",
        "justice and democratic processes",
        ("justice", "courts", "elections", "democratic_processes"),
    ),
)
_WORDS = {word: (point, title) for point, title, words in _ANNEX_III for word in words}


def risk_class(affects: str | None, domain: str, automated: bool) -> tuple[RiskClass, str]:
    """Return the risk class that the answers give, and the reason for it.

    Parameters
    ----------
    affects : {"people", "organisation", "nobody"} or None
        Whom a wrong number hits; None if nobody has said.
    domain : str
        The field of use; case, blanks and dashes do not matter, and a phrase ("bank loan
        scoring") falls under the point of any word in it.
    automated : bool
        Whether it decides without a person.

    Returns
    -------
    tuple of (class, reason)
        ``high`` for people in a domain of Annex III, for people affected by an automated
        decision, for any automated decision about credit, and as long as nobody has said
        whom it affects; ``limited`` for other people, else ``minimal``. Critical
        infrastructure is high whomever it affects.

    Raises
    ------
    Qua3ckError
        If the domain is nearly one of Annex III: a slip must not lower the class.

    Notes
    -----
    "Automated and people is high" is stricter than the Act, which knows it only within
    Annex III; it follows the General Data Protection Regulation, Art. 22. This is an
    aid, not legal advice.
    """
    word = re.sub(r"[\s-]+", "_", domain.strip().lower())
    _refuse_slip(word, domain)
    point, title = _point(word)
    if affects is None:
        return "high", (
            "nobody has said whom a wrong number hits, and until then the strictest class"
            " holds: answer question.risk.affects (people, organisation or nobody)"
        )
    infrastructure = point == "2" and affects != "nobody"
    credit = point == "5(b)" and automated  # who lends to a firm lends to its owners
    if point and (affects == "people" or infrastructure or credit):
        return "high", f"EU AI Act, Annex III {point}: {title}"
    if affects == "people" and automated:
        return "high", "people are affected by a decision that no person takes (GDPR Art. 22)"
    if affects == "people":
        return "limited", f'people are affected; "{domain}" is not in EU AI Act, Annex III'
    return "minimal", f"no natural person is affected (affects: {affects})"


def _point(word: str) -> tuple[str, str]:
    """Return point and title of Annex III for a domain; the longest known words in it count."""
    parts = word.split("_")
    for length in range(len(parts), 0, -1):
        for start in range(len(parts) - length + 1):
            found = _WORDS.get("_".join(parts[start : start + length]))
            if found:
                return found
    return "", ""


def _refuse_slip(word: str, domain: str) -> None:
    near = difflib.get_close_matches(word, _WORDS, n=1, cutoff=0.8)
    if not _point(word)[0] and near:
        raise Qua3ckError(
            f'Unknown domain "{domain}"; did you mean "{near[0]}"?',
            where="question.risk.domain",
            fix=f"write domain: {near[0]}, or a word that is not so near to it",
            code="G010",
        )
