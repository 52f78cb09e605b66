"""The checks that ODCS has no word for; it leaves room for them as ``engine: qua3ck``.

Expected rows, sums of parts, agreement with another table, near duplicates. Each stands in a
contract as ``{type: custom, engine: qua3ck, implementation: {check: NAME, ...}}``, so that
every other reader of the standard can pass it over.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from qua3ck.kit.errors import did_you_mean
from qua3ck.kit.yaml12 import Keys
from qua3ck.understand.contract.duplicates import ALIKE

if TYPE_CHECKING:
    from qua3ck.understand.contract.rules import Rule, RuleReader

EVERY = ("day", "week", "month", "quarter", "year")


@dataclass(frozen=True)
class Asked:
    """One check as the contract asks for it."""

    reader: RuleReader
    given: Mapping[str, Any]
    keys: Keys
    id: str
    says: str
    about: Mapping[str, Any]

    def columns(self, name: str) -> tuple[str, ...] | None:
        """Return the columns named under a key."""
        value = self.given[name]
        names = [value] if isinstance(value, str) else list(value)
        return self.reader.known(names, (*self.keys, name))

    def rule(self, test: str, **given: Any) -> Rule:
        """Return the rule."""
        words = {key: value for key, value in self.about.items() if value is not None}
        return self.reader.rule(self.id, test, self.keys, self.says, **words, **given)


def own_check(
    reader: RuleReader,
    given: str | Mapping[str, Any] | None,
    keys: Keys,
    id_: str,
    says: str,
    about: Mapping[str, Any],
) -> Iterator[Rule]:
    """Yield the rule of one ``engine: qua3ck`` check; mistakes go to the reader."""
    place = (*keys, "implementation")
    name = given.get("check") if isinstance(given, dict) else None
    if not isinstance(given, dict) or name not in _CHECKS:
        found = f'"{name}"' if name else "none"
        reader.mistake(
            f"The check of engine qua3ck is {found}{did_you_mean(str(name), _CHECKS)}",
            place,
            f"write implementation: {{check: ...}} with one of: {', '.join(_CHECKS)}",
        )
        return
    needed, allowed, make = _CHECKS[name]
    for key in needed:
        if key not in given:
            reader.mistake(f'{name} needs "{key}"', place, f"add {key}: under implementation:")
            return
    for key in given:
        if key not in {"check", *needed, *allowed}:
            reader.mistake(
                f'{name} takes no "{key}"{did_you_mean(key, (*needed, *allowed))}',
                (*place, key),
                f"use one of: {', '.join((*needed, *allowed))}",
            )
            return
    rule = make(Asked(reader, given, place, id_, says, about))
    if rule is not None:
        yield rule


def _expected_rows(asked: Asked) -> Rule | None:
    """Return: every unit has a row in every period."""
    units = asked.columns("units")
    periods = asked.given["periods"]
    if not isinstance(periods, dict) or "column" not in periods or "every" not in periods:
        asked.reader.mistake(
            "periods needs column: and every:",
            (*asked.keys, "periods"),
            f"write periods: {{column: month, every: month}}; every is one of: {', '.join(EVERY)}",
        )
        return None
    strange = sorted(set(periods) - {"column", "every", "from", "to"})
    if strange or periods["every"] not in EVERY:
        word = strange[0] if strange else str(periods["every"])
        options = ("column", "every", "from", "to") if strange else EVERY
        asked.reader.mistake(
            f'periods: "{word}" is not known{did_you_mean(word, options)}',
            (*asked.keys, "periods"),
            f"use one of: {', '.join(options)}",
        )
        return None
    moment = asked.reader.known([periods["column"]], (*asked.keys, "periods", "column"))
    ends = {end: _day(asked, periods, end) for end in ("from", "to")}
    if units is None or moment is None:
        return None
    listed = asked.given.get("unitsIn")
    if listed is not None and str(listed).count(".") != 1:
        asked.reader.mistake(
            f'unitsIn is "{listed}"; a table and its column are expected',
            (*asked.keys, "unitsIn"),
            "write it as table.column, such as districts.code",
        )
        return None
    return asked.rule(
        "grid",
        columns=(*units, *moment),
        units=units,
        period=moment[0],
        every=periods["every"],
        ends=ends,
        listed=tuple(listed.split(".")) if listed else None,
        share=_share(asked),
    )


def _day(asked: Asked, periods: Mapping[str, Any], end: str) -> Any:
    from datetime import date

    value = periods.get(end)
    if value is None:
        return None
    parts = [*str(value).split("-"), "1", "1"][:3]
    try:
        return date(*map(int, parts))
    except (ValueError, TypeError):
        asked.reader.mistake(
            f'{end} is "{value}"; a day, month or year is expected',
            (*asked.keys, "periods", end),
            f'write {end}: "2024-01-01", "2024-01" or "2024"',
        )
        return None


def _share(asked: Asked) -> float:
    value = asked.given.get("atLeast", 1)
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value <= 1:
        asked.reader.mistake(
            f'atLeast is "{value}"; a share over 0, up to 1, is expected',
            (*asked.keys, "atLeast"),
            "write atLeast: 0.95",
        )
        return 1.0
    return float(value)


def _sum_of_parts(asked: Asked) -> Rule | None:
    """Return: in each row the parts add up to the total."""
    total, parts = asked.columns("total"), asked.columns("parts")
    if total is None or parts is None:
        return None
    return asked.rule(
        "parts",
        columns=(*total, *parts),
        total=total[0],
        parts=parts,
        tolerance=_tolerance(asked),
    )


def _equals_in(asked: Asked) -> Rule | None:
    """Return: the value is that of another table for the same key."""
    mine, column = _pairs(asked, "on"), asked.columns("column")
    if mine is None or column is None:
        return None
    return asked.rule(
        "equals",
        columns=(*column, *mine),
        table=str(asked.given["table"]),
        on=mine,
        theirs=str(asked.given.get("theirs", column[0])),
        tolerance=_tolerance(asked),
    )


def _sum_equals(asked: Asked) -> Rule | None:
    """Return: the rows of each group add up to what another table says of the group."""
    mine, column = _pairs(asked, "by"), asked.columns("column")
    if mine is None or column is None:
        return None
    return asked.rule(
        "sums",
        columns=(*column, *mine),
        table=str(asked.given["table"]),
        on=mine,
        theirs=str(asked.given.get("theirs", column[0])),
        tolerance=_tolerance(asked),
    )


def _near_duplicates(asked: Asked) -> Rule | None:
    """Return: no two rows are nearly the same."""
    columns = asked.columns("columns")
    within = asked.columns("within") if "within" in asked.given else ()
    alike = asked.given.get("alike", ALIKE)
    if not isinstance(alike, int | float) or not 0 < alike <= 1:
        asked.reader.mistake(
            f'alike is "{alike}"; a share over 0, up to 1, is expected',
            (*asked.keys, "alike"),
            f"write alike: {ALIKE}",
        )
        return None
    if columns is None or within is None:
        return None
    return asked.rule(
        "near", columns=(*columns, *within), compared=columns, within=within, alike=float(alike)
    )


def _pairs(asked: Asked, name: str) -> dict[str, str] | None:
    """Return our columns and theirs: given as one name, a list, or a mapping."""
    value = asked.given[name]
    pairs = value if isinstance(value, dict) else {}
    if not pairs:
        names = [value] if isinstance(value, str) else list(value)
        pairs = {each: each for each in names}
    known = asked.reader.known(list(pairs), (*asked.keys, name))
    return None if known is None else dict(zip(known, pairs.values(), strict=True))


def _tolerance(asked: Asked) -> float:
    value = asked.given.get("tolerance", 0)
    if isinstance(value, bool) or not isinstance(value, int | float) or value < 0:
        asked.reader.mistake(
            f'tolerance is "{value}"; a number from 0 is expected',
            (*asked.keys, "tolerance"),
            "write tolerance: 0.01, in the unit of the column",
        )
        return 0.0
    return float(value)


_CHECKS: dict[str, tuple[tuple[str, ...], tuple[str, ...], Callable[[Asked], Rule | None]]] = {
    "expectedRows": (("units", "periods"), ("unitsIn", "atLeast"), _expected_rows),
    "sumOfParts": (("total", "parts"), ("tolerance",), _sum_of_parts),
    "equalsIn": (("table", "on", "column"), ("theirs", "tolerance"), _equals_in),
    "sumEquals": (("table", "by", "column"), ("theirs", "tolerance"), _sum_equals),
    "nearDuplicates": (("columns",), ("within", "alike"), _near_duplicates),
}
