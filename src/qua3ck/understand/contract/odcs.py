"""Reads and writes data contracts of the Open Data Contract Standard (ODCS 3.1).

The file is read as YAML 1.2, so that ``NO`` stays Norway and every mistake has its line, and
then given to the standard's own model. That model drops a key it does not know wherever it is
nested; here such a key is a mistake, since ``requird: true`` must not pass for a check.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args, get_origin

from qua3ck.kit.errors import Qua3ckError, did_you_mean
from qua3ck.kit.records import write_atomic
from qua3ck.kit.yaml12 import Dialect, Keys, Places, read_yaml
from qua3ck.understand.section import ColumnType

if TYPE_CHECKING:
    from open_data_contract_standard.model import (
        DataQuality,
        OpenDataContractStandard,
        SchemaObject,
        SchemaProperty,
        ServiceLevelAgreementProperty,
    )
    from pydantic_core import ErrorDetails

VERSION = "v3.1.0"
_READ = ("v3.0.0", "v3.0.1", "v3.0.2", "v3.1.0", "v3.2.0")
_DIALECT = Dialect(
    what="contract",
    unreadable="U151",
    changed="U152",
    start="draft one with: qua3ck contract propose SOURCE",
    refuse_dates=False,
)
_TYPES: dict[str, ColumnType] = {
    "string": "string",
    "integer": "integer",
    "number": "number",
    "boolean": "boolean",
    "date": "date",
    "timestamp": "timestamp",
    "time": "string",
    "object": "string",
    "array": "string",
}
_RANGE = ("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "format")
_ZONES = ("timezone", "defaultTimezone")
_OPTIONS: dict[str, tuple[str, ...]] = {
    "string": ("minLength", "maxLength", "pattern", "format"),
    "date": _RANGE,
    "timestamp": (*_RANGE, *_ZONES),
    "time": (*_RANGE, *_ZONES),
    "integer": (*_RANGE, "multipleOf"),
    "number": (*_RANGE, "multipleOf"),
    "object": ("minProperties", "maxProperties", "required"),
    "array": ("minItems", "maxItems", "uniqueItems"),
    "boolean": (),
}
DIMENSIONS_OF_ODCS = (
    *("accuracy", "completeness", "conformity", "consistency"),
    *("coverage", "timeliness", "uniqueness"),
)
METRICS_OF_ODCS = ("nullValues", "missingValues", "invalidValues", "duplicateValues", "rowCount")
OPERATORS = (
    *("mustBe", "mustNotBe", "mustBeGreaterThan", "mustBeGreaterOrEqualTo"),
    *("mustBeLessThan", "mustBeLessOrEqualTo", "mustBeBetween", "mustNotBeBetween"),
)
_NEEDED = ("version", "apiVersion", "kind", "id", "status")
_EXAMPLES = {
    "version": "1.0.0",
    "apiVersion": VERSION,
    "kind": "DataContract",
    "id": "stock-contract",
    "status": "draft",
}
# What no reader of YAML takes for anything but text; yes, no, on, off, null are left out below.
_PLAIN = re.compile(
    r"(?!(?:y|n|yes|no|on|off|true|false|null)$)[A-Za-z][A-Za-z0-9_/-]*( [A-Za-z0-9_/(),.-]+)*",
    re.IGNORECASE,
)
# What a reader looks for first; the rest keeps the order of the standard's model.
_FIRST = (
    *("apiVersion", "kind", "id", "name", "version", "status", "property", "value", "description"),
    *("type", "engine", "metric", "physicalName", "logicalType", "primaryKey"),
    *("primaryKeyPosition", "required", "unique", "classification"),
)
_WANTED = {
    "string_type": "text",
    "bool_type": "true or false",
    "list_type": "a list",
    "dict_type": "a section with keys",
    "model_type": "a section with keys",
    "model_attributes_type": "a section with keys",
    "int_type": "a whole number",
    "float_type": "a number",
    "too_short": "a list of two",
    "too_long": "a list of two",
}


class ContractErrors(Qua3ckError):
    """All mistakes of one contract; reads as the first, ``all`` has every one."""

    def __init__(self, mistakes: tuple[Qua3ckError, ...]) -> None:
        first = mistakes[0]
        super().__init__(first.what, where=first.where, fix=first.fix, code=first.code)
        self.all = mistakes

    def __str__(self) -> str:
        """Return every mistake, each in its three lines."""
        return "\n".join(str(mistake) for mistake in self.all)


@dataclass(frozen=True)
class ContractColumn:
    """A column as agreed; ``name`` is what it is called in the data."""

    name: str
    type: ColumnType | None
    model: SchemaProperty
    keys: Keys


@dataclass(frozen=True)
class ContractTable:
    """A table as agreed.

    Attributes
    ----------
    name, physical : str
        What the contract calls it, and what it is called where it lies.
    columns : tuple of ContractColumn
        Empty if the contract lists none.
    sla : tuple of (keys, ServiceLevelAgreementProperty)
        The agreements on service that name this table, or no other.
    contract : Contract
        Where it stands.
    """

    name: str
    physical: str
    columns: tuple[ContractColumn, ...]
    model: SchemaObject
    sla: tuple[tuple[Keys, ServiceLevelAgreementProperty], ...]
    keys: Keys
    contract: Contract

    def where(self, *keys: str | int) -> str:
        """Return the place of something in the contract."""
        return self.contract.places.where(*keys)

    @cached_property
    def names(self) -> tuple[str, ...]:
        """The columns' names in the data."""
        return tuple(column.name for column in self.columns)

    def named(self, name: str) -> ContractColumn | None:
        """Return a column by its name in the data or in the contract."""
        for column in self.columns:
            if name in {column.name, column.model.name}:
                return column
        return None


@dataclass(frozen=True)
class Contract:
    """A data contract, checked."""

    path: Path
    model: OpenDataContractStandard
    places: Places

    @cached_property
    def tables(self) -> tuple[ContractTable, ...]:
        """The tables it describes."""
        return tuple(_table(self, at) for at in range(len(self.model.schema_ or ())))

    def table(self, name: str) -> ContractTable:
        """Return the table of a source: of that name, else the only one.

        Raises
        ------
        Qua3ckError
            If the contract describes several, and none has the name; or none at all.
        """
        found = [table for table in self.tables if name in {table.name, table.physical}]
        if found:
            return found[0]
        if len(self.tables) == 1:
            return self.tables[0]
        names = [table.name for table in self.tables]
        raise Qua3ckError(
            f'The contract describes {len(names)} tables, and none is called "{name}"'
            f"{did_you_mean(name, names)}",
            where=self.places.where("schema"),
            fix=f"name the source like one of them: {', '.join(names)}"
            if names
            else "describe the table under schema:",
            code="U155",
        )


def read_contract(path: Path) -> Contract:
    """Return a contract, read with the standard's own model and checked.

    Parameters
    ----------
    path : Path
        An ODCS 3.x file in YAML.

    Raises
    ------
    Qua3ckError
        If the file is not there or is no YAML.
    ContractErrors
        With every mistake found, each naming line, column, value and cure.
    """
    from open_data_contract_standard.model import OpenDataContractStandard
    from pydantic import ValidationError

    if not path.is_file():
        there = [entry.name for entry in path.parent.iterdir()] if path.parent.is_dir() else []
        raise Qua3ckError(
            f"There is no contract {path.name}{did_you_mean(path.name, there)}",
            where=str(path),
            fix="correct the path, or draft one with: qua3ck contract propose SOURCE",
            code="U151",
        )
    data, places = read_yaml(path, _DIALECT)
    _refuse_strangers(data, places)
    mistakes = list(_unknown_keys(OpenDataContractStandard, data, (), places))
    try:
        model = OpenDataContractStandard.model_validate(data, strict=True)
    except ValidationError as problem:
        mistakes += _mistyped(problem.errors(include_url=False), places)
    if mistakes:
        raise ContractErrors(_once(mistakes))
    contract = Contract(path, model, places)
    mistakes += _mistakes(contract)
    if mistakes:
        raise ContractErrors(_once(mistakes))
    return contract


def column_types(contract: Contract, table: str) -> dict[str, ColumnType]:
    """Return the declared types of a table's columns, by their names in the data.

    Times of day, objects and lists are kept as text. A column without ``logicalType`` is left
    out: its type is found by looking.
    """
    return {column.name: column.type for column in contract.table(table).columns if column.type}


def write_contract(
    model: OpenDataContractStandard,
    path: Path,
    *,
    header: str = "",
    comments: Mapping[Keys, str] | None = None,
) -> None:
    """Write a contract as YAML that readers of YAML 1.1 and 1.2 read alike.

    Parameters
    ----------
    header : str, optional
        Lines of comment at the top.
    comments : mapping, optional
        Path of keys and list numbers to a comment at the end of that line.

    Raises
    ------
    Qua3ckError
        If a file of that name is there already: a contract is an agreement, never overwritten.
    OSError
        If it cannot be written; then nothing of it stays.
    """
    text = contract_text(model, header=header, comments=comments)
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        path.open("x").close()  # the name is ours from here on
    except FileExistsError:
        raise Qua3ckError(
            f"There is a contract {path.name} already; it is not overwritten",
            where=str(path),
            fix="name another file with --into FILE, and compare the two",
            code="U154",
        ) from None
    try:
        write_atomic(path, text.encode())
    except BaseException:
        path.unlink(missing_ok=True)
        raise


def contract_text(
    model: OpenDataContractStandard,
    *,
    header: str = "",
    comments: Mapping[Keys, str] | None = None,
) -> str:
    """Return the YAML of :func:`write_contract`."""
    from io import StringIO

    from ruamel.yaml import YAML

    tree = _commented(model.model_dump(by_alias=True, exclude_unset=True))
    for keys, comment in (comments or {}).items():
        owner = tree
        for key in keys[:-1]:
            owner = owner[key]
        owner.yaml_add_eol_comment(comment, keys[-1], column=0)
    yaml = YAML(typ="rt")
    yaml.width = 4096
    yaml.indent(mapping=2, sequence=4, offset=2)
    text = StringIO()
    yaml.dump(tree, text)
    above = "".join(f"# {line}".rstrip() + "\n" for line in header.splitlines())
    return above + text.getvalue()


def may_be_named(table: ContractTable, column: str) -> bool:
    """Whether values of a column may stand in a finding: only if it is classified as public."""
    found = table.named(column)
    return found is not None and (found.model.classification or "").lower() == "public"


def extra(model: Any, name: str, default: Any = None) -> Any:
    """Return the value of one of the ``customProperties`` of anything in a contract."""
    for each in model.customProperties or ():
        if each.property == name:
            return each.value
    return default


def extra_keys(model: Any, name: str) -> Keys:
    """Return where in its owner the value of a custom property stands."""
    for at, each in enumerate(model.customProperties or ()):
        if each.property == name:
            return ("customProperties", at, "value")
    return ("customProperties",)


# -- what the file may say ---------------------------------------------------------


def _refuse_strangers(data: Any, places: Places) -> None:
    """Say at once what is no contract of a version that is read."""
    if not isinstance(data, dict):
        raise Qua3ckError(
            "This is no contract: a section with keys is expected",
            where=places.where(),
            fix=f"begin with apiVersion: {VERSION} and kind: DataContract",
            code="U152",
        )
    version = data.get("apiVersion")
    if version is not None and version not in _READ:
        raise Qua3ckError(
            f'apiVersion is "{version}"{did_you_mean(str(version), _READ)}',
            where=places.where("apiVersion"),
            fix=f"write it as {VERSION}; read are: {', '.join(_READ)}",
            code="U152",
        )
    if data.get("kind") not in {None, "DataContract"}:
        raise Qua3ckError(
            f'kind is "{data["kind"]}"',
            where=places.where("kind"),
            fix="write kind: DataContract, if it is one",
            code="U152",
        )


def _unknown_keys(model: Any, data: Any, keys: Keys, places: Places) -> Iterator[Qua3ckError]:
    """Yield every key, however nested, that the standard's model would silently drop."""
    if isinstance(data, list):
        for at, inner in enumerate(data):
            yield from _unknown_keys(model, inner, (*keys, at), places)
        return
    kind = _model_of(model)
    if kind is None or not isinstance(data, dict) or kind.__name__ == "Server":
        return  # the keys of a server depend on its type; nothing here is read from them
    fields = {field.alias or name: field for name, field in kind.model_fields.items()}
    for key, inner in data.items():
        if key in fields:
            yield from _unknown_keys(fields[key].annotation, inner, (*keys, key), places)
            continue
        near = did_you_mean(key, fields)
        options = f"correct it, or use one of: {', '.join(sorted(fields))}"
        yield Qua3ckError(
            f'Unknown key "{key}"{near}',
            where=places.where(*keys, key),
            fix=f"{'correct it' if near else options}; what is your own goes under "
            "customProperties:",
            code="U152",
        )


def _model_of(annotation: Any) -> Any:
    from pydantic import BaseModel

    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    if get_origin(annotation) is dict:
        return None
    found = (_model_of(inner) for inner in get_args(annotation))
    return next((kind for kind in found if kind is not None), None)


def _mistyped(details: list[ErrorDetails], places: Places) -> Iterator[Qua3ckError]:
    for detail in details:
        keys = _written(detail["loc"], places)
        name = next((key for key in reversed(keys) if isinstance(key, str)), "the file")
        found = detail["input"]
        wanted = _WANTED.get(detail["type"], detail["msg"])
        quote = detail["type"] == "string_type" and isinstance(found, int | float)
        yield Qua3ckError(
            f"{name} is {_shown(found)}; {wanted} is expected",
            where=places.where(*keys),
            fix=f'put it in quotes: {name}: "{found}"' if quote else f"write {wanted} at {name}:",
            code="U152",
        )


def _written(loc: tuple[int | str, ...], places: Places) -> Keys:
    """Return the part of pydantic's path that stands in the file: unions add names of types."""
    keys: Keys = ()
    for key in loc:
        if places.holds(*keys, key):
            keys = (*keys, key)
    return keys


def _shown(found: Any) -> str:
    if found is None:
        return "empty"
    if isinstance(found, str):
        return f'the text "{found}"' if len(found) <= 60 else f"a text of {len(found)} letters"
    if isinstance(found, list):
        return "a list"
    return "a section" if isinstance(found, dict) else str(found).lower()


def _once(mistakes: list[Qua3ckError]) -> tuple[Qua3ckError, ...]:
    """Keep one mistake per place: a union reports the same value once per member."""
    return tuple({mistake.where: mistake for mistake in reversed(mistakes)}.values())[::-1]


def _mistakes(contract: Contract) -> Iterator[Qua3ckError]:
    """Yield what the model lets pass and the standard does not."""
    places, model = contract.places, contract.model
    for name in _NEEDED:
        if not getattr(model, name) and not (name == "status" and model.apiVersion == "v3.2.0"):
            yield _missing(name, places.where(), _EXAMPLES[name])
    for at, table in enumerate(model.schema_ or ()):
        keys: Keys = ("schema", at)
        if not table.name:
            yield _missing("name", places.where(*keys), "stock")
        yield from _quality(table.quality, (*keys, "quality"), places)
        yield from _relations(table.relationships, (*keys, "relationships"), places, own=True)
        for number, column in enumerate(table.properties or ()):
            yield from _column(column, (*keys, "properties", number), places)
    for at, agreed in enumerate(model.slaProperties or ()):
        if not agreed.property:
            yield _missing("property", places.where("slaProperties", at), "freshness")
    yield from _nameless_extras(model, (), places)


def _column(column: SchemaProperty, keys: Keys, places: Places) -> Iterator[Qua3ckError]:
    if not column.name:
        yield _missing("name", places.where(*keys), "weight_kg")
    kind = column.logicalType
    if kind is not None and kind not in _TYPES:
        yield _not_one_of("logicalType", kind, _TYPES, places.where(*keys, "logicalType"))
    elif kind is not None:
        for option in column.logicalTypeOptions or {}:
            if option not in _OPTIONS[kind]:
                place = places.where(*keys, "logicalTypeOptions", option)
                yield _not_one_of(f"option of a {kind}", option, _OPTIONS[kind], place)
    yield from _quality(column.quality, (*keys, "quality"), places)
    yield from _relations(column.relationships, (*keys, "relationships"), places, own=False)
    for number, inner in enumerate(column.properties or ()):
        yield from _column(inner, (*keys, "properties", number), places)


def _quality(rules: list[DataQuality] | None, keys: Keys, places: Places) -> Iterator[Qua3ckError]:
    for at, rule in enumerate(rules or ()):
        here = (*keys, at)
        kinds = ("text", "library", "sql", "custom")
        if rule.type is not None and rule.type not in kinds:
            yield _not_one_of("type", rule.type, kinds, places.where(*here, "type"))
        if rule.dimension is not None and rule.dimension not in DIMENSIONS_OF_ODCS:
            place = places.where(*here, "dimension")
            yield _not_one_of("dimension", rule.dimension, DIMENSIONS_OF_ODCS, place)
        metric = rule.metric or rule.rule
        if metric is not None and metric not in METRICS_OF_ODCS:
            yield _not_one_of("metric", metric, METRICS_OF_ODCS, places.where(*here, "metric"))
        if metric is None and rule.type == "library":
            yield _missing("metric", places.where(*here), "nullValues")
        if rule.type == "sql" and not rule.query:
            example = "SELECT COUNT(*) FROM ${table} WHERE ${column} < 0"
            yield _missing("query", places.where(*here), example)
        if rule.type == "custom" and not (rule.engine and rule.implementation):
            wanted = "implementation" if rule.engine else "engine"
            yield _missing(wanted, places.where(*here), "..." if rule.engine else "qua3ck")
        given = [name for name in OPERATORS if getattr(rule, name) is not None]
        compared = metric is not None or rule.type == "sql"
        if compared and len(given) != 1:
            found = ", ".join(given) or "none"
            yield Qua3ckError(
                f"A rule needs one of mustBe, mustBeLessThan ...; found: {found}",
                where=places.where(*here),
                fix="write what its figure must be, such as: mustBe: 0",
                code="U152",
            )


def _relations(relations: Any, keys: Keys, places: Places, *, own: bool) -> Iterator[Qua3ckError]:
    for at, relation in enumerate(relations or ()):
        here = (*keys, at)
        if not relation.to:
            yield _missing("to", places.where(*here), "districts.code")
        if own and not relation.from_:
            yield _missing("from", places.where(*here), "stock.district")
        if not own and relation.from_:
            yield Qua3ckError(
                "from is given at a column, which is itself what the relationship starts from",
                where=places.where(*here, "from"),
                fix="take from: away, or move the relationship to the table",
                code="U152",
            )
        if own and _length(relation.from_) != _length(relation.to):
            yield Qua3ckError(
                f"from names {_length(relation.from_)} columns and to {_length(relation.to)}",
                where=places.where(*here),
                fix="name as many columns on both sides",
                code="U152",
            )


def _length(names: str | list[str] | None) -> int:
    return len(names) if isinstance(names, list) else 1


def _nameless_extras(model: Any, keys: Keys, places: Places) -> Iterator[Qua3ckError]:
    """Yield custom properties without a name, wherever they stand."""
    from pydantic import BaseModel

    for name, field in type(model).model_fields.items():
        value, here = getattr(model, name), (*keys, field.alias or name)
        many = enumerate(value) if isinstance(value, list) else [(None, value)]
        for at, inner in many:
            if not isinstance(inner, BaseModel):
                continue
            place: Keys = here if at is None else (*here, at)
            if name == "customProperties" and not getattr(inner, "property", None):
                yield _missing("property", places.where(*place), "unit")
            yield from _nameless_extras(inner, place, places)


def _missing(name: str, where: str, example: str) -> Qua3ckError:
    return Qua3ckError(
        f'"{name}" is missing', where=where, fix=f"add a line: {name}: {example}", code="U152"
    )


def _not_one_of(name: str, found: str, options: Any, where: str) -> Qua3ckError:
    listed = ", ".join(options) or "none"
    return Qua3ckError(
        f'{name}: "{found}" is not known{did_you_mean(str(found), options)}',
        where=where,
        fix=f"write one of: {listed}",
        code="U152",
    )


def _table(contract: Contract, at: int) -> ContractTable:
    model = (contract.model.schema_ or [])[at]
    name = model.name or ""
    physical = model.physicalName or name
    columns = tuple(
        ContractColumn(
            name=column.physicalName or column.name or "",
            type=_TYPES.get(column.logicalType or ""),
            model=column,
            keys=("schema", at, "properties", number),
        )
        for number, column in enumerate(model.properties or ())
    )
    known = {column.name for column in columns} | {column.model.name for column in columns}
    sla: list[tuple[Keys, ServiceLevelAgreementProperty]] = []
    for number, agreed in enumerate(contract.model.slaProperties or ()):
        element = agreed.element or contract.model.slaDefaultElement or ""
        owner = element.split(",")[0].partition(".")[0].strip() if "." in element else ""
        alone = len(contract.model.schema_ or ()) == 1
        if owner in {name, physical} or (not owner and (alone or element in known)):
            sla.append((("slaProperties", number), agreed))
    return ContractTable(name, physical, columns, model, tuple(sla), ("schema", at), contract)


def _commented(value: Any) -> Any:
    """Return plain data in the classes that can carry comments and quotes."""
    from ruamel.yaml.comments import CommentedMap, CommentedSeq
    from ruamel.yaml.scalarstring import DoubleQuotedScalarString

    if isinstance(value, dict):
        keys = sorted(value, key=lambda key: _FIRST.index(key) if key in _FIRST else len(_FIRST))
        return CommentedMap({key: _commented(value[key]) for key in keys})
    if isinstance(value, list):
        made = CommentedSeq([_commented(inner) for inner in value])
        if not any(isinstance(inner, dict | list) for inner in value):
            made.fa.set_flow_style()
        return made
    if isinstance(value, str) and not _PLAIN.fullmatch(value):
        return DoubleQuotedScalarString(value)
    return value
