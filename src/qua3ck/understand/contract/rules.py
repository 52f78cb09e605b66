"""What a contract asks of the rows, one record per rule, whichever way the contract says it.

ODCS has a dozen ways to ask for something: ``required``, ``logicalTypeOptions``, a library
metric, SQL, a relationship, an agreement on service. Each becomes one :class:`Rule` with a
dimension and with what is done where it is not met. What nobody here can execute (text,
another engine) becomes a rule too, *not applicable* with its reason: it never counts as passed.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Literal

from qua3ck.kit.errors import Qua3ckError, did_you_mean
from qua3ck.kit.yaml12 import Keys
from qua3ck.understand.contract.odcs import (
    OPERATORS,
    ContractColumn,
    ContractErrors,
    ContractTable,
    extra,
    extra_keys,
)
from qua3ck.understand.contract.sqlrule import NotSaid, dialect_of, read_figure

if TYPE_CHECKING:
    from open_data_contract_standard.model import DataQuality, Relationship

Dimension = Literal[
    "completeness", "accuracy", "consistency", "timeliness", "uniqueness", "validity"
]
DIMENSIONS: tuple[Dimension, ...] = (
    *("completeness", "accuracy", "consistency"),
    *("timeliness", "uniqueness", "validity"),
)
Action = Literal["inform", "hold", "block"]
ENGINE = "qua3ck"

_OURS: dict[str, Dimension] = {
    **{name: name for name in DIMENSIONS},
    "conformity": "validity",
    "coverage": "completeness",
}
# Words of other tools that stand in contracts; any other word leaves the default.
_ACTIONS: dict[str, Action] = {
    **dict.fromkeys(("inform", "info", "informational", "warning", "warn", "low"), "inform"),
    "hold": "hold",
    **dict.fromkeys(("block", "blocker", "critical", "fatal"), "block"),
}
_NATURE: dict[str, tuple[str, Dimension]] = {
    "required": ("U071", "completeness"),
    "markers": ("U071", "completeness"),
    "pattern": ("U072", "validity"),
    "range": ("U073", "validity"),
    "multiple": ("U073", "validity"),
    "length": ("U074", "validity"),
    "values": ("U075", "validity"),
    "unique": ("U076", "uniqueness"),
    "reference": ("U077", "consistency"),
    "equals": ("U078", "consistency"),
    "parts": ("U079", "consistency"),
    "sums": ("U079", "consistency"),
    "sql": ("U080", "validity"),
    "figure": ("U081", "validity"),
    "rows": ("U081", "completeness"),
    "grid": ("U082", "completeness"),
    "fresh": ("U083", "timeliness"),
    "near": ("U084", "uniqueness"),
    "none": ("U086", "validity"),
}
ROW_TESTS = frozenset(
    {"required", "markers", "pattern", "range", "multiple", "length", "values", "sql"}
    | {"parts", "reference", "equals", "unique"}
)
_FORMATS = {
    "email": r"^[^@\s]+@[^@\s]+\.[^@\s]+$",
    "uuid": r"^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$",
    "uri": r"^[A-Za-z][A-Za-z0-9+.-]*:\S+$",
    "hostname": r"^[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?$",
    "ipv4": r"^((25[0-5]|2[0-4][0-9]|1?[0-9]?[0-9])(\.|$)){4}$",
}
_KEPT_AS_TEXT = {"time", "object", "array"}


@dataclass(frozen=True)
class Bound:
    """What a figure must be: one of the standard's operators and its value.

    ``percent`` says that the figure is a share of the rows, in percent.
    """

    operator: str
    value: Any
    percent: bool = False

    def met(self, figure: Any) -> bool:
        """Whether the figure is as agreed; a figure that does not exist is not."""
        if figure is None or figure != figure:  # noqa: PLR0124 - only NaN differs from itself
            return False
        value = self.value
        match self.operator:
            case "mustBe":
                return bool(figure == value)
            case "mustNotBe":
                return bool(figure != value)
            case "mustBeGreaterThan":
                return bool(figure > value)
            case "mustBeGreaterOrEqualTo":
                return bool(figure >= value)
            case "mustBeLessThan":
                return bool(figure < value)
            case "mustBeLessOrEqualTo":
                return bool(figure <= value)
            case "mustBeBetween":
                return bool(value[0] <= figure <= value[1])
            case _:
                return not value[0] <= figure <= value[1]

    def __str__(self) -> str:
        """Return it as the contract says it."""
        words = re.sub(r"(?<!^)(?=[A-Z])", " ", self.operator).lower()
        return f"{words} {self.value}{' percent' if self.percent else ''}"

    @property
    def none(self) -> bool:
        """Whether it asks for nothing at all: then each row that counts can be held."""
        if self.operator == "mustBeLessThan":
            return not self.percent and self.value == 1
        return self.operator in {"mustBe", "mustBeLessOrEqualTo"} and self.value == 0


@dataclass(frozen=True)
class Rule:
    """One thing asked of a table.

    Attributes
    ----------
    id : str
        Unique in its table, the same at every load.
    test : str
        What is done; the keys of ``given`` depend on it.
    code : str
        The finding it gives.
    dimension : str
        One of :data:`DIMENSIONS`.
    action : {"inform", "hold", "block"}
        What follows where it is not met.
    columns : tuple of str
        What it looks at, named as in the data.
    says : str
        The rule in words.
    where : str
        Its place in the contract.
    bound : Bound, optional
        What its figure must be; without one no row may fail.
    given : mapping
        Limits, values, other tables ...
    """

    id: str
    test: str
    code: str
    dimension: Dimension
    action: Action
    columns: tuple[str, ...]
    says: str
    where: str
    bound: Bound | None = None
    given: Mapping[str, Any] = field(default_factory=dict)

    @property
    def holds(self) -> bool:
        """Whether single rows fail it and can be named."""
        return self.test in ROW_TESTS and self.bound is None and self.action != "inform"


def rules_of(table: ContractTable) -> tuple[Rule, ...]:
    """Return every rule of a table, each id once.

    Raises
    ------
    ContractErrors
        If a rule cannot be right: a pattern that is none, a limit of another type, a column
        that the contract does not list.
    """
    reader = RuleReader(table)
    rules = list(reader.rules())
    if reader.mistakes:
        raise ContractErrors(tuple(reader.mistakes))
    seen: Counter[str] = Counter()
    named = []
    for rule in rules:
        seen[rule.id] += 1
        named.append(replace(rule, id=f"{rule.id}.{seen[rule.id]}") if seen[rule.id] > 1 else rule)
    return tuple(named)


class ConstraintReader:
    """Makes rules, and reads those that stand in a column's own constraints."""

    def __init__(self, table: ContractTable) -> None:
        self.table = table
        self.mistakes: list[Qua3ckError] = []

    # -- making one --------------------------------------------------------------

    def rule(
        self,
        id_: str,
        test: str,
        keys: Keys,
        says: str,
        *,
        columns: Sequence[str] = (),
        dimension: str | None = None,
        action: str | None = None,
        bound: Bound | None = None,
        **given: Any,
    ) -> Rule:
        """Return one rule; what it does where it is not met depends on its test by default."""
        code, usual = _NATURE[test]
        named = _OURS.get(dimension or "", usual)
        by_rows = test in ROW_TESTS and bound is None
        default: Action = "hold" if by_rows else "inform" if test == "fresh" else "block"
        wanted = _ACTIONS.get((action or "").lower(), default)
        if wanted == "hold" and not by_rows:
            wanted = "block"  # there is no single row that could be held
        return Rule(
            id=id_,
            test=test,
            code=code,
            dimension=named,
            action=wanted,
            columns=tuple(columns),
            says=says,
            where=self.table.where(*keys),
            bound=bound,
            given=given,
        )

    def not_here(self, id_: str, keys: Keys, says: str, why: str, **about: Any) -> Rule:
        """Return a rule that nobody here can execute, and why."""
        return self.rule(id_, "none", keys, says, action="inform", why=why, **about)

    def mistake(self, what: str, keys: Keys, fix: str) -> None:
        """Keep a mistake; all are raised together."""
        where = self.table.where(*keys)
        self.mistakes.append(Qua3ckError(what, where=where, fix=fix, code="U153"))

    # -- constraints of a column -------------------------------------------------------

    def _actions(self, column: ContractColumn) -> dict[str, str]:
        """Return the action per constraint: ``severity`` is a word, or one per constraint."""
        given = extra(column.model, "severity")
        constraints = ("required", "unique", "pattern", "range", "length", "values")
        if given is None:
            return {}
        words = given if isinstance(given, dict) else dict.fromkeys(constraints, given)
        place = (*column.keys, *extra_keys(column.model, "severity"))
        for constraint, word in words.items():
            if constraint not in constraints:
                near = did_you_mean(str(constraint), constraints)
                self.mistake(
                    f'severity of "{constraint}", which is no constraint{near}',
                    place,
                    f"name one of: {', '.join(constraints)}",
                )
            elif str(word).lower() not in _ACTIONS:
                near = did_you_mean(str(word), _ACTIONS)
                self.mistake(
                    f'severity "{word}" is not known{near}', place, "write inform, hold or block"
                )
        return {key: str(word) for key, word in words.items()}

    def _options(self, column: ContractColumn, actions: Mapping[str, str]) -> Iterator[Rule]:
        options = dict(column.model.logicalTypeOptions or {})
        kind, name = column.model.logicalType, column.name
        keys = (*column.keys, "logicalTypeOptions")
        if not options:
            return
        if kind in _KEPT_AS_TEXT or kind is None:
            why = f"a column of type {kind} is kept as text" if kind else "it has no logicalType"
            yield self.not_here(f"{name}.options", keys, f"{name}: {', '.join(options)}", why)
            return
        yield from self._range(column, options, actions)
        yield from self._text(column, options, actions)
        if "multipleOf" in options:
            yield self.rule(
                f"{name}.multipleOf",
                "multiple",
                (*keys, "multipleOf"),
                f"{name} is a multiple of {options['multipleOf']}",
                columns=(name,),
                action=actions.get("range"),
                of=options["multipleOf"],
            )

    def _range(
        self, column: ContractColumn, options: Mapping[str, Any], actions: Mapping[str, str]
    ) -> Iterator[Rule]:
        name, keys = column.name, (*column.keys, "logicalTypeOptions")
        given = {}
        for option in ("minimum", "exclusiveMinimum", "maximum", "exclusiveMaximum"):
            if option in options:
                given[option] = self._limit(column, option, options[option])
        if column.model.logicalType == "integer" and "format" in options:
            bits = re.fullmatch(r"([iu])(8|16|32)", str(options["format"]))
            if bits:
                least, most = _whole(bits[1], int(bits[2]))
                given.setdefault("minimum", least)
                given.setdefault("maximum", most)
        low = given.get("minimum", given.get("exclusiveMinimum"))
        high = given.get("maximum", given.get("exclusiveMaximum"))
        if low is not None and high is not None and low > high:
            self.mistake(
                f"{name}: the least value {low} is above the greatest {high}; no row could pass",
                keys,
                "exchange the two, or correct one",
            )
        if given:
            signs = {"minimum": ">=", "exclusiveMinimum": ">", "maximum": "<="}
            said = " and ".join(f"{signs.get(key, '<')} {value}" for key, value in given.items())
            yield self.rule(
                f"{name}.range",
                "range",
                keys,
                f"{name} is {said}",
                columns=(name,),
                action=actions.get("range"),
                **given,
            )

    def _limit(self, column: ContractColumn, option: str, value: Any) -> Any:
        """Return a limit in the column's type; a text is read as a date or moment."""
        from datetime import UTC, datetime

        kind, keys = column.type, (*column.keys, "logicalTypeOptions", option)
        number = isinstance(value, int | float) and not isinstance(value, bool)
        if kind in {"integer", "number"} and number:
            return value
        try:
            if kind == "date" and isinstance(value, str):
                return datetime.fromisoformat(value).date()
            if kind == "timestamp" and isinstance(value, str):
                moment = datetime.fromisoformat(value)
                return moment.astimezone(UTC).replace(tzinfo=None) if moment.tzinfo else moment
        except ValueError:
            pass
        wanted = "a number" if kind in {"integer", "number"} else "a date such as 2024-03-01"
        self.mistake(
            f'{option} of {column.name} is "{value}"; {wanted} is expected of a {kind}',
            keys,
            f"write {option}: with {wanted}, or another logicalType",
        )
        return None

    def _text(
        self, column: ContractColumn, options: Mapping[str, Any], actions: Mapping[str, str]
    ) -> Iterator[Rule]:
        name, keys = column.name, (*column.keys, "logicalTypeOptions")
        limits = {key: options[key] for key in ("minLength", "maxLength") if key in options}
        if limits:
            said = " and ".join(
                f"{'at least' if key == 'minLength' else 'at most'} {value}"
                for key, value in limits.items()
            )
            yield self.rule(
                f"{name}.length",
                "length",
                keys,
                f"{name} has {said} characters",
                columns=(name,),
                action=actions.get("length"),
                **limits,
            )
        if "pattern" in options:
            yield from self._pattern(
                name, options["pattern"], (*keys, "pattern"), actions.get("pattern")
            )
        form = options.get("format")
        if form is not None and column.model.logicalType in {"string", "date", "timestamp"}:
            yield self._form(column, str(form), (*keys, "format"), actions)

    def _pattern(
        self, name: str, pattern: Any, keys: Keys, action: str | None, **about: Any
    ) -> Iterator[Rule]:
        says = f"{name} matches {pattern}"
        if not _runs(pattern):
            problem = _no_pattern(pattern)
            if problem:
                self.mistake(
                    f"The pattern of {name} is no regular expression: {problem}",
                    keys,
                    "correct it; try it at a few values first",
                )
                return
            why = "it looks ahead or back, which engines for millions of rows do not do"
            yield self.not_here(f"{name}.pattern", keys, says, why)
            return
        yield self.rule(
            f"{name}.pattern",
            "pattern",
            keys,
            says,
            columns=(name,),
            action=action,
            pattern=pattern,
            **about,
        )

    def _form(
        self, column: ContractColumn, form: str, keys: Keys, actions: Mapping[str, str]
    ) -> Rule:
        name, says = column.name, f"{column.name} has the format {form}"
        if column.type != "string":
            why = "how moments are written is declared with the source (dates:), and held to there"
            return self.not_here(f"{name}.format", keys, says, why)
        if form not in _FORMATS:
            return self.not_here(f"{name}.format", keys, says, f"no test is known for {form}")
        return self.rule(
            f"{name}.format",
            "pattern",
            keys,
            says,
            columns=(name,),
            action=actions.get("pattern"),
            pattern=_FORMATS[form],
        )

    def _enum(self, column: ContractColumn, actions: Mapping[str, str]) -> Iterator[Rule]:
        values = [each.value for each in column.model.enum or ()]
        if values:
            yield self.rule(
                f"{column.name}.enum",
                "values",
                (*column.keys, "enum"),
                f"{column.name} is one of {len(values)} values",
                columns=(column.name,),
                action=actions.get("values"),
                values=tuple(values),
            )

    # -- names ---------------------------------------------------------------------------

    def known(
        self, names: Sequence[str], keys: Keys, *, folded: bool = False
    ) -> tuple[str, ...] | None:
        """Return names as in the data, or None and a mistake if the contract lacks one.

        ``folded``: upper and lower case count as equal, as in SQL.
        """
        found = []
        for name in names:
            column = self.table.named(name)
            if column is None and folded:
                near = [c for c in self.table.columns if c.name.lower() == name.lower()]
                column = near[0] if near else None
            if column is None and self.table.columns:
                self.mistake(
                    f'There is no column "{name}"{did_you_mean(name, self.table.names)}',
                    keys,
                    f"name one of: {', '.join(self.table.names)}",
                )
                return None
            found.append(column.name if column else name)
        return tuple(found)


class RuleReader(ConstraintReader):
    """One walk over a table of a contract, collecting the mistakes on the way."""

    def rules(self) -> Iterator[Rule]:
        """Yield every rule, in the order of the contract."""
        for column in self.table.columns:
            yield from self._column(column)
        yield from self._key()
        at = (*self.table.keys, "quality")
        for number, quality in enumerate(self.table.model.quality or ()):
            yield from self._quality(quality, (*at, number), None)
        at = (*self.table.keys, "relationships")
        for number, relation in enumerate(self.table.model.relationships or ()):
            yield from self._relation(relation, (*at, number), None)
        yield from self._agreements()

    # -- columns -------------------------------------------------------------------

    def _column(self, column: ContractColumn) -> Iterator[Rule]:
        model, keys, name = column.model, column.keys, column.name
        actions = self._actions(column)
        if model.required or model.primaryKey:
            yield self.rule(
                f"{name}.required",
                "required",
                (*keys, "required" if model.required else "primaryKey"),
                f"{name} is filled",
                columns=(name,),
                action=actions.get("required"),
            )
        if model.unique:
            yield self.rule(
                f"{name}.unique",
                "unique",
                (*keys, "unique"),
                f"{name} has each value once",
                columns=(name,),
                action=actions.get("unique"),
            )
        yield from self._options(column, actions)
        yield from self._enum(column, actions)
        for number, quality in enumerate(model.quality or ()):
            yield from self._quality(quality, (*keys, "quality", number), column)
        for number, relation in enumerate(model.relationships or ()):
            yield from self._relation(relation, (*keys, "relationships", number), column)

    def _key(self) -> Iterator[Rule]:
        """Yield the primary key: its columns together have each value once."""
        parts = [column for column in self.table.columns if column.model.primaryKey]
        parts.sort(key=lambda column: column.model.primaryKeyPosition or 0)
        if parts and not (len(parts) == 1 and parts[0].model.unique):
            names = tuple(part.name for part in parts)
            yield self.rule(
                f"{'+'.join(names)}.primaryKey",
                "unique",
                (*parts[0].keys, "primaryKey"),
                f"{' with '.join(names)} names each row once",
                columns=names,
                action=self._actions(parts[0]).get("unique"),
            )

    # -- quality rules ---------------------------------------------------------------

    def _quality(
        self, quality: DataQuality, keys: Keys, column: ContractColumn | None
    ) -> Iterator[Rule]:
        owner = column.name if column else self.table.name
        id_ = quality.id or quality.name or f"{owner}.{quality.metric or quality.type or 'library'}"
        says = quality.description or f"{owner}: {quality.metric or quality.type}"
        about = {"dimension": quality.dimension, "action": quality.severity}
        metric = quality.metric or quality.rule
        if metric is not None:
            yield from self._metric(metric, quality, keys, column, id_, says)
        elif quality.type == "sql":
            yield self._sql(quality, keys, column, id_, says)
        elif quality.type == "custom" and quality.engine == ENGINE:
            from qua3ck.understand.contract.ours import own_check

            yield from own_check(self, quality.implementation, keys, id_, says, about)
        elif quality.type == "custom":
            why = f"it is for the engine {quality.engine}"
            yield self.not_here(id_, keys, says, why, **_dimension(quality))
        else:
            yield self.not_here(id_, keys, says, "it is words for people", **_dimension(quality))

    def _metric(
        self,
        metric: str,
        quality: DataQuality,
        keys: Keys,
        column: ContractColumn | None,
        id_: str,
        says: str,
    ) -> Iterator[Rule]:
        bound = self._bound(quality, keys)
        arguments = quality.arguments or {}
        names = (column.name,) if column else self._argued(arguments, keys)
        if bound is None or names is None:
            return
        about: dict[str, Any] = {
            "columns": names,
            "dimension": quality.dimension,
            "action": quality.severity,
            "bound": None if bound.none else bound,
        }
        if metric == "rowCount":
            yield self.rule(id_, "rows", keys, says, **about | {"bound": bound, "columns": ()})
        elif not names:
            self.mistake(
                f"{metric} is asked of the whole table",
                keys,
                "move it to a column, or name columns under arguments: {properties: [...]}",
            )
        elif metric == "nullValues":
            yield self.rule(id_, "required", keys, says, **about)
        elif metric == "missingValues":
            markers = tuple(arguments.get("missingValues", (None,)))
            yield self.rule(id_, "markers", keys, says, markers=markers, **about)
        elif metric == "duplicateValues":
            yield self.rule(id_, "unique", keys, says, **about)
        else:
            yield from self._invalid(arguments, keys, id_, says, about)

    def _invalid(
        self, arguments: Mapping[str, Any], keys: Keys, id_: str, says: str, about: dict[str, Any]
    ) -> Iterator[Rule]:
        if "validValues" in arguments:
            values = tuple(arguments["validValues"])
            yield self.rule(id_, "values", keys, says, values=values, **about)
        if "pattern" in arguments:
            name, place = about["columns"][0], (*keys, "arguments", "pattern")
            for rule in self._pattern(name, arguments["pattern"], place, about["action"]):
                yield replace(rule, id=f"{id_}.pattern", bound=about["bound"])
        if not {"validValues", "pattern"} & set(arguments):
            self.mistake(
                "invalidValues does not say what is valid",
                keys,
                "add arguments: {validValues: [...]} or {pattern: ...}",
            )

    def _argued(self, arguments: Mapping[str, Any], keys: Keys) -> tuple[str, ...] | None:
        names = arguments.get("properties", ())
        names = [names] if isinstance(names, str) else names
        return self.known(names, (*keys, "arguments"))

    def _bound(self, quality: DataQuality, keys: Keys) -> Bound | None:
        for operator in OPERATORS:
            value = getattr(quality, operator)
            if value is None:
                continue
            number = isinstance(value, int | float)
            if not number and (quality.metric or quality.rule):
                self.mistake(
                    f'{operator} is "{value}"; a number is expected',
                    (*keys, operator),
                    f"write {operator}: with a number",
                ) if not isinstance(value, list) else None
            return Bound(operator, value, percent=(quality.unit or "").lower() in {"percent", "%"})
        return None

    def _sql(
        self,
        quality: DataQuality,
        keys: Keys,
        column: ContractColumn | None,
        id_: str,
        says: str,
    ) -> Rule:
        names = {self.table.name, self.table.physical}
        servers = self.table.contract.model.servers or ()
        dialect = dialect_of(servers[0].type if servers else None)
        bound = self._bound(quality, keys)
        try:
            figure = read_figure(
                quality.query or "",
                tables=names,
                column=column.name if column else None,
                dialect=dialect,
            )
        except NotSaid as why:
            return self.not_here(id_, keys, says, str(why), **_dimension(quality))
        columns = self.known(figure.columns, (*keys, "query"), folded=True)
        by_row = figure.failing and bound is not None and bound.none
        return self.rule(
            id_,
            "sql" if by_row else "figure",
            keys,
            says,
            columns=columns or (),
            dimension=quality.dimension,
            action=quality.severity,
            bound=None if by_row else bound,
            figure=figure,
            shown=not figure.quotes,
        )

    # -- other tables, agreements on service ------------------------------------------

    def _relation(
        self, relation: Relationship, keys: Keys, column: ContractColumn | None
    ) -> Iterator[Rule]:
        theirs = [relation.to] if isinstance(relation.to, str) else list(relation.to or ())
        named = [relation.from_] if isinstance(relation.from_, str) else list(relation.from_ or ())
        mine = [column.name] if column else [_last(name) for name in named]
        found = self.known(mine, (*keys, "from"))
        tables = {_owner(name) for name in theirs}
        says = f"{', '.join(mine)} is found in {', '.join(theirs)}"
        id_ = relation.id or f"{'+'.join(mine)}.references"
        if len(tables) != 1 or any(".yaml#" in name for name in theirs):
            why = "it points into another contract, or into several tables"
            yield self.not_here(id_, keys, says, why)
        elif found is not None:
            yield self.rule(
                id_,
                "reference",
                keys,
                says,
                columns=found,
                dimension=extra(relation, "dimension"),
                action=extra(relation, "severity"),
                table=tables.pop(),
                theirs=tuple(_last(name) for name in theirs),
            )

    def _agreements(self) -> Iterator[Rule]:
        from qua3ck.understand.contract.freshness import freshness_rule

        for keys, agreed in self.table.sla:
            yield freshness_rule(self, agreed, keys)


def _runs(pattern: Any) -> bool:
    """Whether RE2, which all engines here use, understands a pattern."""
    import pyarrow as pa
    import pyarrow.compute as pc

    try:
        pc.match_substring_regex(pa.array([""]), pattern=pattern)
    except (pa.ArrowInvalid, TypeError):
        return False
    return True


def _no_pattern(pattern: Any) -> str:
    """Return why a pattern is none in any engine; empty if it is one."""
    try:
        re.compile(pattern)
    except (re.error, TypeError) as problem:
        return str(problem)
    return ""


def _dimension(quality: DataQuality) -> dict[str, Any]:
    return {"dimension": quality.dimension} if quality.dimension else {}


def _whole(sign: str, bits: int) -> tuple[int, int]:
    return (0, 2**bits - 1) if sign == "u" else (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1)


def _last(name: str) -> str:
    return name.replace("/", ".").rpartition(".")[2]


def _owner(name: str) -> str:
    return name.replace("/", ".").rpartition(".")[0].rpartition(".")[2]
