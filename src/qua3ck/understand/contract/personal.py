"""Columns that look personal, by what they are called or what their cells look like.

A guess for a person to confirm: better a column too many, since values of such a column never
stand in a contract, a finding or a message.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from itertools import pairwise

# English, French, Spanish, Portuguese, German, and what field tools export.
_WORDS: dict[str, str] = {
    "a name": (
        "firstname|lastname|fullname|surname|forename|familyname|givenname|middlename|maiden|"
        "nom|prenom|nombre|nombres|apellido|apellidos|nome|sobrenome|vorname|nachname|fname|"
        "lname|mother|father|caregiver|guardian|respondent|beneficiary|contact|"
        "enumerator|interviewer"
    ),
    "a telephone number": "phone|telephone|tel|mobile|msisdn|cell|cellphone|whatsapp|telefono|"
    "telefone|telefon|urn",
    "an e-mail address": "email|mail|courriel|correo",
    "an address": "address|adresse|direccion|endereco|street|strasse",
    "a birth date": "dob|birthdate|dateofbirth|birthday|naissance|nacimiento|nascimento|"
    "geburtsdatum",
    "an identity number": "passport|ssn|nationalid|nid|cpf|cnic|aadhaar|nin|idcard|iban|account",
    "a place of one person": "gps|lat|latitude|lon|lng|longitude|geolocation",
    "an address in a network": "ip|ipaddress|imei|deviceid|uid",
    "a sensitive fact": "religion|ethnicity|ethnie|tribe|disability|hiv|pregnant|pregnancy",
}
_NAMES = {word: kind for kind, words in _WORDS.items() for word in words.split("|")}
# What of a name is about a thing: a facility's name is no person's.
_THINGS = re.compile(
    r"facility|district|region|item|product|company|country|file|measure|column|station|site|"
    r"vendor|project|brewery|hospital|school|table|health|center|centre|province|village",
    re.IGNORECASE,
)
_PERSONS = re.compile(
    r"child|person|patient|client|customer|user|contact|member|head|owner|staff|employee",
    re.IGNORECASE,
)
_CONTENT = {
    "an e-mail address": re.compile(r"^[^@\s]+@[^@\s]+\.[A-Za-z]{2,}$"),
    "a telephone number": re.compile(r"^(tel:)?\+[\d\s().-]{8,18}$"),
    "an address in a network": re.compile(r"^\d{1,3}(\.\d{1,3}){3}$"),
    "an identity number": re.compile(r"^[A-Z]{2}\d{2}[A-Z0-9]{11,30}$"),
}
_MOST = 0.5


def looks_personal(name: str, values: Iterable[str] = ()) -> str | None:
    """Return what a column seems to hold of persons, such as ``a name``; None if nothing.

    Parameters
    ----------
    values : iterable of str, optional
        Some filled cells; more than half must look so.
    """
    words = _words(name)
    said = _by_name(name, words)
    return said or _by_content(list(values))


def _by_name(name: str, words: Sequence[str]) -> str | None:
    together = ["".join(pair) for pair in pairwise(words)]
    for word in (*words, *together, "".join(words)):
        if word in _NAMES and not (_THINGS.search(name) and _NAMES[word] == "a name"):
            return _NAMES[word]
    if "name" in words and (len(words) == 1 or _PERSONS.search(name)):
        return "a name" if not _THINGS.search(name) else None
    return None


def _by_content(values: Sequence[str]) -> str | None:
    if not values:
        return None
    for kind, form in _CONTENT.items():
        if sum(form.match(value) is not None for value in values) > _MOST * len(values):
            return kind
    return None


def _words(name: str) -> list[str]:
    split = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower()
    return [word for word in re.split(r"[^a-zà-ÿ]+", split) if word]
