"""Reads ``qua3ck.yaml`` and says of every mistake the line, the value and what to type.

YAML is read as version 1.2 from its node tree, so that every value keeps its place and its
spelling: ``NO`` stays a word, and what YAML would quietly change (``012``, ``1_000``,
``2024-03-01``) is refused instead. The sections belong to their rooms; this module only
puts them together.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, get_args, get_origin

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from qua3ck.a3.section import A3
from qua3ck.conclude.section import Conclude
from qua3ck.kit.errors import Qua3ckError, did_you_mean
from qua3ck.kit.yaml12 import Dialect, Keys, Places, read_yaml
from qua3ck.operate.section import Operate
from qua3ck.question.records import Question
from qua3ck.transfer.section import Transfer
from qua3ck.understand.section import Understand

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails

NAME = "qua3ck.yaml"
_LONG = 60

_DIALECT = Dialect(
    what="project file", unreadable="P002", changed="P003", start="write one with: qua3ck init"
)
_CHECKLIST = {
    "asks": "what is to be known, as a question",
    "decides": "who decides what with the answer",
    "why_now": "why it is needed now",
    "risks": "what a wrong answer costs, and whom",
    "stop_if": "[rows < 1000]    # when to give up",
    "kpis": "[{id: right, metric: accuracy, at_least: 0.9}]",
}
_WANTED = {
    "float_type": "a number",
    "int_type": "a whole number",
    "string_type": "text",
    "bool_type": "true or false",
    "tuple_type": "a list",
    "dict_type": "a section with keys",
    "model_type": "a section with keys",
    "model_attributes_type": "a section with keys",
}
#: What a text must look like, by the pattern that says so.
FORMS = {
    r"^[a-z][a-z0-9_]*$": "small letters, digits and _ after a small letter",
    r"^[A-Za-z][A-Za-z0-9_-]*$": "letters, digits, - and _ after a letter",
    r"^[0-9]+[smhd]?$": "a number and s, m, h or d, such as 2h,",
    r"^env:[A-Za-z_][A-Za-z0-9_]*$": "env: and the name of an environment variable",
    r"^\d{4}-\d{2}-\d{2}(T\d{2}:\d{2}(:\d{2})?Z)?$": "a day such as 2026-03-01",
}
_OUT_OF_RANGE = {"greater_than", "greater_than_equal", "less_than", "less_than_equal"}
_ENDS = {"ge": "at least", "gt": "above", "le": "at most", "lt": "below"}


class ProjectFile(BaseModel):
    """The whole project file."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    project: Annotated[str, Field(pattern=r"^[A-Za-z][A-Za-z0-9_-]*$")]
    product: Literal["model"] = "model"
    language: Literal["en", "de"] = "en"
    question: Question
    understand: Understand
    a3: A3 = A3()
    conclude: Conclude = Conclude()
    transfer: Transfer = Transfer()
    operate: Operate | None = None


class ProjectFileErrors(Qua3ckError):
    """All mistakes of one project file; reads as the first, ``all`` has every one."""

    def __init__(self, mistakes: tuple[Qua3ckError, ...]) -> None:
        first = mistakes[0]
        super().__init__(first.what, where=first.where, fix=first.fix, code=first.code)
        self.all = mistakes

    def __str__(self) -> str:
        """Return every mistake, each in its three lines."""
        return "\n".join(str(mistake) for mistake in self.all)


def read_project_file(path: Path) -> tuple[ProjectFile, Places]:
    """Return the checked project file and the places of its values.

    Parameters
    ----------
    path : Path
        ``qua3ck.yaml`` itself.

    Raises
    ------
    ProjectFileErrors
        With every mistake found, each naming line, column, value and cure.
    """
    data, places = read_yaml(path, _DIALECT)
    try:
        file = ProjectFile.model_validate_json(json.dumps(data), strict=True)
    except ValidationError as problem:
        details = _without_echoes(problem.errors(include_url=False))
        details.sort(key=lambda detail: detail["type"] == "missing")
        mistakes = tuple(
            _decimal_comma(detail, data, places) or _mistake(detail, places) for detail in details
        )
        raise ProjectFileErrors(mistakes) from None
    mistakes = (*_rules_unread(file, places), *_unfit(file, places))
    if mistakes:
        raise ProjectFileErrors(mistakes)
    return file, places


def json_schema() -> dict[str, Any]:
    """Return the JSON Schema of the project file, for editors."""
    return ProjectFile.model_json_schema()


def _rules_unread(file: ProjectFile, places: Places) -> Iterator[Qua3ckError]:
    """Yield every rule that cannot be read, or stops at what is no fact."""
    from qua3ck.kit import rules
    from qua3ck.question import check_stop_rule

    question, own = file.question, places.where("a3", "rule")
    tries: list[Callable[[], object]] = [
        partial(check_stop_rule, question, rule, where=places.where("question", "stop_if", i))
        for i, rule in enumerate(question.stop_if)
    ]
    if file.a3.rule is not None:  # its columns are known only when the table is there
        tries.append(partial(rules.names, file.a3.rule, where=own))
    for attempt in tries:
        try:
            attempt()
        except Qua3ckError as problem:
            yield Qua3ckError(problem.what, where=problem.where, fix=problem.fix, code="P006")


def _unfit(file: ProjectFile, places: Places) -> Iterator[Qua3ckError]:
    """Yield what can be read and makes no sense beside the rest."""
    question, target = file.question, file.understand.target
    groups: list[tuple[str, Keys]] = [
        (name, ("question", "kpis", i, "slice_by", j))
        for i, kpi in enumerate(question.kpis)
        for j, name in enumerate(kpi.slice_by)
    ]
    groups += [
        (gap.by, ("question", "fairness", i, "by")) for i, gap in enumerate(question.fairness)
    ]
    for name, keys in groups:
        if name == target:
            yield Qua3ckError(
                f"{next(key for key in reversed(keys) if isinstance(key, str))} names the target: "
                "in a group whose answer is known there is nothing to judge",
                where=places.where(*keys),
                fix="name another column; how well each class is found says the metric recall",
                code="P006",
            )
    for i, name in enumerate(file.understand.sensitive):
        if name == target:
            yield Qua3ckError(
                "sensitive names the target: it would be kept out of the model and be its answer",
                where=places.where("understand", "sensitive", i),
                fix=f"take {name} out of the list, or name another target",
                code="P006",
            )
    approvers = question.roles.approvers
    for i, name in enumerate(approvers):
        if name in approvers[:i]:
            yield Qua3ckError(
                f'approvers names "{name}" twice; one person gives one approval',
                where=places.where("question", "roles", "approvers", i),
                fix="name each person once",
                code="P006",
            )


def _without_echoes(details: list[ErrorDetails]) -> list[ErrorDetails]:
    """Keep one mistake per value: a union reports the same value once per member."""
    places = {tuple(k for k in detail["loc"] if not _is_type_name(k)) for detail in details}
    seen: set[Keys] = set()
    kept = []
    for detail in details:
        place = tuple(key for key in detail["loc"] if not _is_type_name(key))
        deeper = any(len(p) > len(place) and p[: len(place)] == place for p in places)
        if place not in seen and not (detail["type"] == "too_short" and deeper):
            seen.add(place)
            kept.append(detail)
    return kept


def _is_type_name(key: str | int) -> bool:
    return isinstance(key, str) and key in {"str", "int", "float", "bool", "constrained-str"}


def _decimal_comma(detail: ErrorDetails, data: Any, places: Places) -> Qua3ckError | None:
    """Recognise ``{at_most: 0,35}``, which YAML reads as 0 and a further key "35"."""
    if detail["type"] != "extra_forbidden" or detail["input"] is not None:
        return None
    keys = tuple(key for key in detail["loc"] if not _is_type_name(key))
    inside = data
    for key in keys[:-1]:
        inside = inside[key]
    *before, digits = list(inside)[: list(inside).index(keys[-1]) + 1]
    whole = inside[before[-1]] if before else None
    if not re.fullmatch(r"[0-9]+ *%?", digits) or type(whole) is not int:
        return None
    name, said = before[-1], f"{whole},{digits}"
    return Qua3ckError(
        f"{name} is {said}, with a decimal comma: the comma ends the number here",
        where=places.where(*keys[:-1], name),
        fix=f"write {name}: {_as_number(said)}",
        code="P006",
    )


def _mistake(detail: ErrorDetails, places: Places) -> Qua3ckError:
    keys = tuple(key for key in detail["loc"] if not _is_type_name(key))
    where = places.where(*keys)
    name = next((key for key in reversed(keys) if isinstance(key, str)), "the file")
    kind, found = detail["type"], detail["input"]
    if kind == "extra_forbidden":
        options = _keys_allowed(ProjectFile, keys[:-1])
        return Qua3ckError(
            f'Unknown key "{name}"{did_you_mean(name, options)}',
            where=where,
            fix=f"use one of: {', '.join(options)}",
            code="P004",
        )
    if kind == "missing":
        return Qua3ckError(
            f'"{name}" is missing',
            where=where,
            fix=f"add a line: {name}: {_CHECKLIST.get(name, '...')}",
            code="P005",
        )
    if not keys:
        return Qua3ckError(
            f"This is no project file: {_shown(found)}; a section with keys is expected",
            where=where,
            fix="write its sections (question, understand, a3), or name the project's folder",
            code="P006",
        )
    if kind in _WANTED:
        return Qua3ckError(
            f"{name} is {_shown(found)}; {_WANTED[kind]} is expected",
            where=where,
            fix=_fix_for_type(name, kind, found),
            code="P006",
        )
    if kind == "literal_error":
        options = [o.strip().strip("'") for o in re.split(r", | or ", detail["ctx"]["expected"])]
        return Qua3ckError(
            f"{name} is {_shown(found)}{did_you_mean(str(found), options)}",
            where=where,
            fix=f"write one of: {', '.join(options)}",
            code="P006",
        )
    if kind in _OUT_OF_RANGE:
        wanted = _range_of(keys)
        return Qua3ckError(
            f"{name} is {_shown(found)}; {wanted} is expected",
            where=where,
            fix=f"write {name}: a number, {wanted}",
            code="P006",
        )
    told = _misshapen(detail, name)
    if told is not None:
        return Qua3ckError(told[0], where=where, fix=told[1], code="P006")
    message = detail["msg"].removeprefix("Value error, ")
    return Qua3ckError(
        f"{name} is not right: {message}",
        where=where,
        fix=_fix_for_value(name, message),
        code="P006",
    )


def _misshapen(detail: ErrorDetails, name: str) -> tuple[str, str] | None:
    """Return what is too short, too long or of another form, and what to write; else None."""
    kind, found, said = detail["type"], detail["input"], detail.get("ctx", {})
    if kind == "too_short":
        sample = "{...}" if isinstance(found, dict) else "[...]"
        fix = f"write {name}: {_CHECKLIST.get(name, sample)}"
        return f"{name} is empty; at least one entry is expected", fix
    if kind == "string_too_short":
        return f"{name} is empty; text is expected", f"write text after {name}: "
    if kind == "string_too_long":
        most = said["max_length"]
        what = f"{name} is {_shown(found)}; at most {most} character is expected"
        return what, f"write {name}: one character" if most == 1 else f"shorten {name}"
    if kind == "string_pattern_mismatch":
        form = FORMS.get(said["pattern"], "another form")
        return f"{name} is {_shown(found)}; {form} is expected", f"write {name}: {form.rstrip(',')}"
    return None


def _fix_for_type(name: str, kind: str, found: Any) -> str:
    if kind in {"float_type", "int_type"} and isinstance(found, str):
        number = _as_number(found)
        if number:
            return f"write {name}: {number} (a number, without quotes)"
    if kind == "tuple_type":
        return f"write {name}: [{found}]" if isinstance(found, str) else f"write {name}: [...]"
    if kind == "string_type" and found is not None:
        return f'put it in quotes: {name}: "{found}"'
    return f"write {_WANTED[kind]} after {name}:"


def _as_number(text: str) -> str:
    """Return ``0.35`` for ``0,35`` and ``35 %``, empty for what is no number."""
    found = re.fullmatch(r"([-+]?[0-9]*[.,]?[0-9]+) *(%?)", text.strip())
    if found is None:
        return ""
    number = Decimal(found[1].replace(",", "."))
    return f"{number / 100:f}" if found[2] else f"{number:f}"


def _fix_for_value(name: str, message: str) -> str:
    if "at_least" in message:
        return "write at_least: NUMBER or at_most: NUMBER, one of the two"
    return f"change {name}; the keys and their values are listed by: qua3ck schema"


def _shown(found: Any) -> str:
    if found is None:
        return "empty"
    if isinstance(found, str):
        return f'the text "{found}"' if len(found) <= _LONG else f"a text of {len(found)} letters"
    if isinstance(found, list):
        return "a list"
    return "a section" if isinstance(found, dict) else str(found).lower()


def _keys_allowed(model: type[BaseModel], keys: Keys) -> list[str]:
    here: Any = model
    for key in keys:
        here = _step(here, key)
    found = next(_models_in(here), None)
    return sorted(found.model_fields) if found is not None else []


def _step(kind: Any, key: str | int) -> Any:
    """Return the declared type of what stands under ``key``, or None."""
    if _is_model(kind):
        field = kind.model_fields.get(str(key))
        return field.annotation if field else None
    if get_origin(kind) in {dict, tuple}:
        return get_args(kind)[1 if get_origin(kind) is dict else 0]
    inner = (_step(part, key) for part in get_args(kind))
    return next((found for found in inner if found is not None), None)


def _range_of(keys: Keys) -> str:
    """Return the declared ends of a number, such as ``at least 2 and at most 20``."""
    here: Any = ProjectFile
    for key in keys[:-1]:
        here = _step(here, key)
    model = next(_models_in(here), None)
    field = model.model_fields[str(keys[-1])] if model else None
    limits = (
        [*field.metadata, *_limits(field.annotation)] if field else _limits(_step(here, keys[-1]))
    )
    ends = ((says, getattr(one, end, None)) for end, says in _ENDS.items() for one in limits)
    return " and ".join(f"{says} {end}" for says, end in ends if end is not None)


def _limits(kind: Any) -> list[Any]:
    """Return what a type's annotations say about its values, those of its parts included."""
    said = [
        one
        for given in getattr(kind, "__metadata__", ())
        for one in getattr(given, "metadata", [given])
    ]
    return said + [one for part in get_args(kind) for one in _limits(part)]


def _models_in(annotation: Any) -> Iterator[Any]:
    if _is_model(annotation):
        yield annotation
    elif get_origin(annotation) not in {None, dict, tuple}:
        for inner in get_args(annotation):
            yield from _models_in(inner)


def _is_model(kind: Any) -> bool:
    return isinstance(kind, type) and issubclass(kind, BaseModel)
