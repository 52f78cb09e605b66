"""What moved a score, and what would have: one input changed at a time, the others kept.

Plain on purpose, and said so on the page: it shows what this model does with this case. It
shows no cause in the world, and not what inputs do together. Every figure is the released
model's own answer, so nothing is approximated.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from qua3ck.app.fields import Field, Value, as_date, as_number, typical_row

if TYPE_CHECKING:
    from qua3ck.store.releases.model import Model

STEPS = 41


@dataclass(frozen=True)
class Answer:
    """A model's answer to one case.

    ``score`` is the probability of ``about``, the positive class of two or the likeliest of
    more; of a regression it is the value itself, and ``label`` and ``about`` are empty.
    ``threshold`` is the score from which on the positive class is said; None where there is
    no such line.
    """

    label: str
    score: float
    about: str
    scores: Mapping[str, float]
    threshold: float | None = None


@dataclass(frozen=True)
class Reason:
    """How much a score differs from what it would be if one input were typical."""

    name: str
    value: Value
    typical: Value
    moved: float


@dataclass(frozen=True)
class Turn:
    """The nearest change of a single input that would give another label."""

    name: str
    value: Value
    to: Value
    label: str


def answer(model: Model, row: Mapping[str, Value]) -> Answer:
    """Return the model's answer to one row.

    Raises
    ------
    Qua3ckError
        If the row does not fit the model.
    """
    return answers(model, [row])[0]


def answers(model: Model, rows: Sequence[Mapping[str, Value]]) -> list[Answer]:
    """Return the model's answers to some rows, all scored for the same class."""
    found = model.predict(_table(rows, model.columns)).frame(model.manifest)
    lines = zip(*(found[name].tolist() for name in found.columns), strict=True)
    return [read(model, dict(zip(found.columns, line, strict=True))) for line in lines]


def read(model: Model, outputs: Mapping[str, Any]) -> Answer:
    """Return what one row of outputs says: ``label`` and ``p_<class>``, or ``value``."""
    manifest = model.manifest
    if "value" in outputs:
        return Answer("", float(outputs["value"]), "", {})
    label = str(outputs["label"])
    scores = {name: float(outputs[f"p_{name}"]) for name in manifest.classes}
    if manifest.task != "binary":
        return Answer(label, scores[label], label, scores)
    about, limit = str(manifest.positive), float(manifest.spec["threshold"])
    return Answer(label, scores[about], about, scores, limit)


def reasons(model: Model, row: Mapping[str, Value], listed: Sequence[Field]) -> tuple[Reason, ...]:
    """Return what each input moved, the most first.

    Each input by itself is put at its typical value, and the score then is held against the
    score of the case. Inputs whose typical value is not known, or that are typical already,
    are left out.
    """
    typical = typical_row(listed)
    differ = [
        field
        for field in listed
        if field.typical is not None and not _same(row.get(field.name), field.typical)
    ]
    if not differ:
        return ()
    own = answer(model, row)
    changed = answers(model, [{**row, field.name: field.typical} for field in differ])
    found = [
        Reason(
            field.name,
            row.get(field.name),
            typical[field.name],
            own.score - (one.scores.get(own.about, one.score)),
        )
        for field, one in zip(differ, changed, strict=True)
    ]
    return tuple(sorted(found, key=lambda reason: -abs(reason.moved)))


def course(
    model: Model, row: Mapping[str, Value], field: Field
) -> tuple[tuple[Value, float, str], ...]:
    """Return value, score and label while one input goes through what was seen of it."""
    values = field_values(field)
    if not values:
        return ()
    own = answer(model, row)
    found = answers(model, [{**row, field.name: value} for value in values])
    return tuple(
        (value, one.scores.get(own.about, one.score), one.label)
        for value, one in zip(values, found, strict=True)
    )


def turns(model: Model, row: Mapping[str, Value], listed: Sequence[Field]) -> tuple[Turn, ...]:
    """Return, for each input that can, the nearest value that alone gives another label."""
    own = answer(model, row)
    found = []
    for field in listed:
        others = [
            (value, label) for value, _, label in course(model, row, field) if label != own.label
        ]
        if others and own.label:
            at = row.get(field.name)
            value, label = min(others, key=lambda other: _distance(other[0], at))
            found.append(Turn(field.name, at, value, label))
    return tuple(found)


def field_values(field: Field) -> list[Value]:
    """Return the values that one input goes through, no more than 41.

    Of numbers and dates what lies between the ends of most training rows: those of a range
    are few rows' or, rounded outwards, nobody's. Of categories the frequent ones.
    """
    if field.kind == "bool":
        return [False, True]
    if field.kind == "category":
        return list(field.choices)
    if field.kind not in ("number", "date") or field.inner is None:
        return []
    low, high = field.inner
    numbers = [low + (high - low) / (STEPS - 1) * at for at in range(STEPS)]
    written = [
        round(one) if field.whole or field.kind == "date" else _short(one) for one in numbers
    ]
    kept = [one for one in dict.fromkeys(written) if low <= one <= high]  # none rounded outwards
    if len(kept) < 2:
        return []  # nothing to vary
    return [as_date(one) for one in kept] if field.kind == "date" else list(kept)


def _short(number: float) -> float:
    return float(f"{number:.6g}")


def _distance(value: Value, at: Value) -> float:
    here, there = as_number(value), as_number(at)
    return abs(here - there) if here is not None and there is not None else 0.0


def _same(one: Value, other: Value) -> bool:
    first, second = as_number(one), as_number(other)
    return one == other if first is None or second is None else first == second


def _table(rows: Sequence[Mapping[str, Value]], columns: Sequence[str]) -> Any:
    import pandas as pd

    return pd.DataFrame(
        [[row.get(name) for name in columns] for row in rows], columns=list(columns), dtype=object
    )
