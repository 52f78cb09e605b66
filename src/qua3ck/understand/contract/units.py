"""A small closed table of units as field data write them: beside a number, or in a name."""

from __future__ import annotations

import re

# Spellings in lower case, without dots. Case-sensitive traps (Mg, mm, MT) are not read here:
# this table only says that something is a unit, never converts.
_SPELLINGS: dict[str, tuple[str, ...]] = {
    "kg": ("kg", "kgs", "kilo", "kilos", "kilogram", "kilograms"),
    "g": ("g", "gr", "grs", "gram", "grams"),
    "mg": ("mg", "mgs"),
    "t": ("t", "mt", "ton", "tons", "tonne", "tonnes"),
    "lb": ("lb", "lbs", "pound", "pounds"),
    "oz": ("oz", "ozs", "ounce", "ounces"),
    "l": ("l", "ltr", "litre", "litres", "liter", "liters"),
    "ml": ("ml", "mls"),
    "km": ("km", "kms"),
    "m": ("m", "metre", "metres", "meter", "meters"),
    "cm": ("cm", "cms"),
    "mm": ("mm", "mms"),
    "ft": ("ft", "feet", "foot"),
    "in": ("inch", "inches"),
    "percent": ("%", "percent", "pct"),
    "years": ("y", "yr", "yrs", "year", "years"),
    "months": ("mo", "mos", "month", "months"),
    "weeks": ("wk", "wks", "week", "weeks"),
    "days": ("d", "day", "days"),
    "hours": ("h", "hr", "hrs", "hour", "hours"),
    "minutes": ("min", "mins", "minute", "minutes"),
    "USD": ("$", "usd"),
    "EUR": ("€", "eur", "euro", "euros"),
    "IU": ("iu",),
    "C": ("°c",),
    "F": ("°f",),
}
_UNITS = {word: unit for unit, words in _SPELLINGS.items() for word in words}
# In a name a single letter is an initial more often than a unit.
_NAMED = {word: unit for word, unit in _UNITS.items() if len(word) > 1 and word.isalpha()}
_MEASURED = {"muac": "mm", "weight": "kg", "height": "cm", "length": "cm"}


def unit_of(text: str) -> str | None:
    """Return the unit that a text beside a number is, such as ``oz.``; None if it is none."""
    return _UNITS.get(re.sub(r"[.\s]", "", text).lower())


def unit_in_name(name: str) -> str | None:
    """Return the unit that a column's name says, such as ``weight_kg``; None if it says none."""
    words = [word for word in re.split(r"[^a-z%]+", _snake(name)) if word]
    if len(words) < 2:
        return None
    return _NAMED.get(words[-1])


def unit_expected(name: str) -> str | None:
    """Return the unit that such a column usually has, for a person to confirm."""
    return next((_MEASURED[w] for w in re.split(r"[^a-z]+", _snake(name)) if w in _MEASURED), None)


def _snake(name: str) -> str:
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower()
