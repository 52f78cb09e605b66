"""Drafts a contract from data, for a person to edit: what is seen is not yet what was agreed.

Every number carries, as a comment, what it was found in. Limits are the range seen, rounded
outwards; a person widens them to what is possible. No value of a column that looks personal
is written down.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import combinations
from pathlib import Path
from typing import TYPE_CHECKING, Any

from qua3ck.kit.findings import Finding
from qua3ck.kit.yaml12 import Keys
from qua3ck.understand.contract.agreement import type_name
from qua3ck.understand.contract.cells import Cells, read_cells
from qua3ck.understand.contract.odcs import VERSION, write_contract
from qua3ck.understand.contract.personal import looks_personal
from qua3ck.understand.contract.suspects import find_suspects
from qua3ck.understand.contract.units import unit_expected, unit_in_name

if TYPE_CHECKING:
    import pyarrow as pa
    from open_data_contract_standard.model import OpenDataContractStandard, SchemaProperty

_MOST_VALUES = 20
_REPEATS = 10  # rows per value, before a few values are taken for all there are
_LEAST_FOR_PATTERN = 20
_LEAST_FOR_KEY = 30  # rows
_MOST_FOR_KEY = 12  # columns tried in pairs
_LEAST_SHARED = 5
_LETTERS_OF_A_CODE = 4
_LOOKED_AT = 1000
_KEY_NAME = re.compile(r"(^|[_\-. ])(id|uuid|key|code|nr|no|number)$", re.IGNORECASE)
_SPECIAL = re.compile(r"[.^$*+?()\[\]{}|\\]")
_HEADER = """Drafted by qua3ck from {rows} rows of {name}. Nothing here is agreed yet: read each
line, correct it, take out what is chance, then declare it with the source:
  {name}: {{..., contract: {path}}}
A rule that fails holds the row; customProperties severity: inform only tells, block holds the
load. Hold it against the standard with: qua3ck contract check {path}"""


@dataclass(frozen=True)
class Draft:
    """A contract drafted from data.

    Attributes
    ----------
    model : OpenDataContractStandard
        The draft.
    comments : mapping
        Where it stands to how it was found.
    findings : tuple of Finding
        Suspect cells that were seen on the way; nothing was changed.
    """

    model: OpenDataContractStandard
    comments: Mapping[Keys, str]
    findings: tuple[Finding, ...]
    rows: int
    name: str

    def write(self, path: Path, *, shown: str = "") -> None:
        """Write it; never over a contract that is there."""
        header = _HEADER.format(rows=f"{self.rows:,}", name=self.name, path=shown or path)
        write_contract(self.model, path, header=header, comments=self.comments)


def propose_contract(
    rows: pa.Table,
    *,
    name: str,
    project: str = "",
    others: Mapping[str, pa.Table] | None = None,
    about: Mapping[str, str] | None = None,
) -> Draft:
    """Return a draft from a table.

    Parameters
    ----------
    rows : pyarrow.Table
        Typed columns; those that begin with ``_`` are ours and left out.
    name : str
        The source.
    project : str, optional
        Goes into the contract's id.
    others : mapping, optional
        Other tables by name, in which references are looked for.
    about : mapping, optional
        ``owner``, ``contact``, ``licence`` of the source, as far as declared.
    """
    from open_data_contract_standard.model import OpenDataContractStandard, SchemaObject

    plain = rows.select([each for each in rows.column_names if each[0] != "_"])
    look = _Look(plain, dict(others or {}))
    table = SchemaObject(name=name, physicalType="table", properties=look.columns())
    given: dict[str, Any] = {
        "apiVersion": VERSION,
        "kind": "DataContract",
        "id": "-".join(part for part in (project, name) if part),
        "name": name,
        "version": "0.1.0",
        "status": "draft",
        "schema": [table],
    }
    about = about or {}
    if about.get("licence"):
        from open_data_contract_standard.model import Description

        given["description"] = Description(limitations=f"Licence: {about['licence']}")
    if about.get("owner"):
        from open_data_contract_standard.model import Team

        given["team"] = Team(name=about["owner"])
    suspects = find_suspects(plain, name=name)
    model = OpenDataContractStandard(**given)
    return Draft(model, look.comments, suspects.findings, rows.num_rows, name)


@dataclass
class _Look:
    """One look at a table: the columns as agreed-to-be, and how each thing was found."""

    rows: pa.Table
    others: Mapping[str, pa.Table]
    comments: dict[Keys, str] = field(default_factory=dict)

    def columns(self) -> list[SchemaProperty]:
        from open_data_contract_standard.model import SchemaProperty

        cells = {name: read_cells(self.rows[name], name) for name in self.rows.column_names}
        key = _key(list(cells.values()), self.rows)
        made = []
        for at, name in enumerate(self.rows.column_names):
            keys: Keys = ("schema", 0, "properties", at)
            about = dict(self._column(cells[name], key, keys))
            made.append(SchemaProperty(name=name, **about))
        return made

    def note(self, keys: Keys, comment: str) -> None:
        """Keep how something was found."""
        self.comments[keys] = comment

    def _column(self, cells: Cells, key: Sequence[str], keys: Keys) -> Iterator[tuple[str, Any]]:
        kind = type_name(self.rows[cells.name].type)
        known = kind in {"string", "integer", "number", "boolean", "date", "timestamp"}
        personal = looks_personal(cells.name, cells.values[:_LOOKED_AT] if cells.text else ())
        yield "logicalType", kind if known else "string"
        if cells.name in key:
            yield "primaryKey", True
            if len(key) > 1:
                yield "primaryKeyPosition", key.index(cells.name) + 1
            together = f" together with {', '.join(k for k in key if k != cells.name)}"
            self.note(
                (*keys, "primaryKey"),
                f"different in all {cells.rows:,} rows{together if len(key) > 1 else ''}",
            )
        if cells.filled == cells.rows:
            yield "required", True
            self.note((*keys, "required"), f"filled in all {cells.rows:,} rows")
        elif cells.filled:
            empty = cells.rows - cells.filled
            self.note((*keys, "logicalType"), f"empty in {empty:,} of {cells.rows:,} rows")
        if _unique(cells) and cells.name not in key and kind != "number":
            yield "unique", True
            self.note((*keys, "unique"), f"{len(cells.values):,} different values")
        if personal:
            yield "classification", "restricted"
            self.note((*keys, "classification"), f"looks like {personal}: a guess, please check")
        else:
            yield from self._limits(cells, kind, key, keys)
            yield from self._values(cells, kind, keys)
        yield from self._unit(cells, kind, keys)
        yield from self._references(cells, keys)

    def _limits(
        self, cells: Cells, kind: str, key: Sequence[str], keys: Keys
    ) -> Iterator[tuple[str, Any]]:
        if kind in {"integer", "number"} and cells.name not in key and not _unique(cells):
            low, high = _range(self.rows[cells.name])
            if low is not None and high is not None:
                limits = {"minimum": _outwards(low, -1), "maximum": _outwards(high, 1)}
                yield "logicalTypeOptions", limits
                self.note(
                    (*keys, "logicalTypeOptions", "maximum"),
                    f"seen {low:g} to {high:g} in {cells.filled:,} rows, rounded outwards",
                )
        elif kind in {"date", "timestamp"}:
            low, high = _range(self.rows[cells.name])
            if low is not None and high is not None:
                yield "logicalTypeOptions", {"minimum": str(low)[:10]}
                self.note(
                    (*keys, "logicalTypeOptions", "minimum"),
                    f"seen {str(low)[:10]} to {str(high)[:10]} in {cells.filled:,} rows",
                )
        elif kind == "string":
            pattern = _pattern(cells)
            if pattern:
                yield "logicalTypeOptions", {"pattern": pattern}
                self.note(
                    (*keys, "logicalTypeOptions", "pattern"),
                    f"fits all {len(cells.values):,} different values",
                )

    def _values(self, cells: Cells, kind: str, keys: Keys) -> Iterator[tuple[str, Any]]:
        from open_data_contract_standard.model import DataQuality

        few = 0 < len(cells.values) <= _MOST_VALUES
        if kind != "string" or not few or cells.filled < _REPEATS * len(cells.values):
            return
        rule = DataQuality(
            metric="invalidValues",
            arguments={"validValues": sorted(cells.values)},
            mustBe=0,
            dimension="conformity",
        )
        yield "quality", [rule]
        found = f"all {len(cells.values)} values seen in {cells.filled:,} rows"
        self.note(
            (*keys, "quality", 0, "arguments", "validValues"),
            f"{found}, the rarest {int(cells.counts.min()):,} times",
        )

    def _unit(self, cells: Cells, kind: str, keys: Keys) -> Iterator[tuple[str, Any]]:
        from open_data_contract_standard.model import CustomProperty

        said = unit_in_name(cells.name)
        usual = unit_expected(cells.name) if said is None else None
        unit = said or usual
        if kind not in {"integer", "number"} or unit is None:
            return
        yield "customProperties", [CustomProperty(property="unit", value=unit)]
        how = "by its name" if said else "what such a column usually has: please check"
        self.note((*keys, "customProperties", 0, "value"), how)

    def _references(self, cells: Cells, keys: Keys) -> Iterator[tuple[str, Any]]:
        from open_data_contract_standard.model import Relationship

        for name, table in self.others.items():
            for column in table.column_names:
                if _is_reference(cells, self.rows[cells.name], table[column], column):
                    yield "relationships", [Relationship(to=f"{name}.{column}")]
                    self.note(
                        (*keys, "relationships", 0, "to"),
                        f"all {len(cells.values):,} values are there",
                    )
                    return


def _key(columns: Sequence[Cells], rows: pa.Table) -> tuple[str, ...]:
    """Return the column, or the two, that are different in every row; by name, then by place."""
    alone = [cells.name for cells in columns if _unique(cells) and _may_be_key(cells, rows)]
    alone.sort(key=lambda name: (_KEY_NAME.search(name) is None, rows.column_names.index(name)))
    if alone or rows.num_rows < _LEAST_FOR_KEY:
        return tuple(alone[:1])
    filled = [
        cells
        for cells in columns
        if cells.rows and cells.filled == cells.rows and _may_be_key(cells, rows)
    ][:_MOST_FOR_KEY]
    for one, other in combinations(filled, 2):
        if len(one.values) * len(other.values) >= one.rows and _together(one, other):
            return (one.name, other.name)
    return ()


def _may_be_key(cells: Cells, rows: pa.Table) -> bool:
    """Whether it can name rows: a measurement (a number with a fraction) differs by chance."""
    return type_name(rows[cells.name].type) != "number"


def _unique(cells: Cells) -> bool:
    """Whether no value repeats, in rows enough or by its name: a few rows differ by chance."""
    enough = cells.rows >= _LEAST_FOR_KEY or _KEY_NAME.search(cells.name) is not None
    return enough and cells.rows > 1 and len(cells.values) == cells.rows


def _together(one: Cells, other: Cells) -> bool:
    import numpy as np

    pairs = one.codes * len(other.values) + other.codes
    return len(np.unique(pairs)) == one.rows


def _range(column: pa.ChunkedArray) -> tuple[Any, Any]:
    import pyarrow as pa
    import pyarrow.compute as pc

    finite = column
    if pa.types.is_floating(column.type):
        finite = column.filter(pc.is_finite(column))
    both = pc.min_max(finite).as_py()
    return both["min"], both["max"]


def _outwards(value: float, direction: int) -> float:
    """Return a limit rounded away from what was seen, to two digits; never past zero."""
    if value == 0 or (value > 0 and direction < 0):
        return 0
    power = 10 ** (math.floor(math.log10(abs(value))) - 1)
    steps = value / power
    rounded = (math.ceil(steps - 1e-9) if direction > 0 else math.floor(steps + 1e-9)) * power
    limit = min(rounded, 0) if value < 0 and direction > 0 else rounded
    return int(limit) if float(limit).is_integer() else round(limit, 10)


def _pattern(cells: Cells) -> str | None:
    """Return a pattern that every value fits, if they are codes: same parts, in one order.

    Codes have digits and no blanks. Letters that all have in common are written down only where
    they are few and no word (``REF``, not ``Amina``): a name would be a value of the data.
    """
    if len(cells.values) < _LEAST_FOR_PATTERN or any(" " in value for value in cells.values):
        return None
    parts = [re.findall(r"[A-Z]+|[a-z]+|[0-9]+|[^A-Za-z0-9]", value) for value in cells.values]
    kinds = {tuple(_class(part) for part in each) for each in parts}
    if len(kinds) != 1 or not any(kind == "[0-9]" for kind in next(iter(kinds))):
        return None
    pattern, order = "", next(iter(kinds))
    words = "[A-Z][a-z]" in "".join(order)
    for at, kind in enumerate(order):
        seen = {each[at] for each in parts}
        least, most = min(map(len, seen)), max(map(len, seen))
        letters = kind in {"[A-Z]", "[a-z]"}
        if len(seen) == 1 and not (letters and (words or most > _LETTERS_OF_A_CODE)):
            pattern += _SPECIAL.sub(r"\\\g<0>", next(iter(seen)))
        elif most == 1:
            pattern += kind
        else:
            pattern += f"{kind}{{{least}}}" if least == most else f"{kind}{{{least},{most}}}"
    return f"^{pattern}$"


def _class(part: str) -> str:
    if part[0].isdigit():
        return "[0-9]"
    if part[0].isascii() and part[0].isalpha():
        return "[A-Z]" if part[0].isupper() else "[a-z]"
    return part


def _is_reference(
    cells: Cells, mine: pa.ChunkedArray, theirs: pa.ChunkedArray, column: str
) -> bool:
    """Whether all values stand in a column that has each once; numbers only with a like name.

    Small whole numbers are contained in every row number, so numbers alone prove nothing.
    """
    import pyarrow.compute as pc

    if type_name(mine.type) != type_name(theirs.type) or len(cells.values) < _LEAST_SHARED:
        return False
    if type_name(mine.type) not in {"string", "integer"}:
        return False
    like = column.lower() in cells.name.lower() or cells.name.lower() in column.lower()
    if not cells.text and not like:
        return False
    distinct = pc.count_distinct(theirs).as_py()
    if distinct != len(theirs):
        return False
    return bool(pc.all(pc.is_in(mine.drop_null(), value_set=theirs.combine_chunks())).as_py())
