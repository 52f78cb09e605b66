"""The section ``understand``: sources, the training table, what its columns mean."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

ColumnKind = Literal["number", "category", "text", "date", "bool", "ignore"]
ColumnType = Literal["string", "integer", "number", "boolean", "date", "timestamp"]
Kind = Literal["csv", "excel", "json", "parquet", "delta", "database", "http", "function"]

_FILES = {"csv", "excel", "json", "parquet", "delta"}
_REMOTE = {"database", "http"}
_TEXT = {"names", "decimal", "thousands", "null", "nulls", "types", "dates", "header"}
_EVERY_KIND = {
    *("kind", "key", "extract", "valid_from", "partition", "shrinks", "contract"),
    *("owner", "licence", "cadence", "contact"),
}
_OF_KIND = {
    "csv": {"path", "sha256", "delimiter", "quote", "encoding", "skip", "footer", "comment"}
    | _TEXT,
    "excel": {"path", "sha256", "sheet", "range", "skip", "footer"} | _TEXT,
    "json": {"path", "sha256", "encoding", "records", "types", "dates", "null", "nulls"},
    "parquet": {"path", "sha256"},
    "delta": {"path"},
    "database": {"url", "table", "query", "watermark", "overlap"},
    "http": {"url", "records", "watermark", "overlap", "types", "dates", "null", "nulls"},
    "function": {"function"},
}


class _Declared(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class Source(_Declared):
    """Where rows come from, how they are read, and who answers for them.

    One class for all kinds; a key that does not belong to the kind is refused by name.
    """

    kind: Kind
    path: str | None = None
    function: str | None = None
    # delimited text
    delimiter: Annotated[str, Field(min_length=1, max_length=1)] | None = None
    quote: Annotated[str, Field(max_length=1)] = '"'
    encoding: str = "utf-8"
    skip: Annotated[int, Field(ge=0)] = 0
    footer: Annotated[int, Field(ge=0)] = 0
    comment: str | None = None
    # tables of text cells: delimited text, Excel
    header: Annotated[int, Field(ge=0)] = 1
    names: tuple[str, ...] = ()
    decimal: Literal[".", ","] = "."
    thousands: Literal[",", ".", " ", "'"] | None = None
    null: tuple[str, ...] = ()
    nulls: dict[str, tuple[str, ...]] = {}
    types: dict[str, ColumnType] = {}
    dates: dict[str, tuple[str, ...]] = {}
    # Excel
    sheet: str | int | None = None
    range: str | None = None
    # JSON, HTTP
    records: str | None = None
    # databases, HTTP
    url: str | None = None
    table: str | None = None
    query: str | None = None
    # what makes a row the same row, and what is new
    key: tuple[str, ...] = ()
    extract: Literal["full", "changes"] | None = None
    watermark: str | None = None
    overlap: str | None = None
    valid_from: str | None = None
    partition: tuple[str, ...] = ()
    shrinks: Annotated[float, Field(ge=0, le=1)] = 0.5
    # who answers for it
    owner: str = ""
    licence: str = ""
    cadence: str = ""
    contact: str = ""
    sha256: str | None = None
    contract: str | None = None

    @model_validator(mode="after")
    def _place_given(self) -> Source:
        if self.kind == "function" and not self.function:
            message = "a source of kind function needs function: module.name"
            raise ValueError(message)
        if self.kind in _FILES and not self.path:
            message = f"a source of kind {self.kind} needs path: a file or a pattern"
            raise ValueError(message)
        if self.kind in _REMOTE and not self.url:
            message = f"a source of kind {self.kind} needs url:"
            raise ValueError(message)
        return self

    @model_validator(mode="after")
    def _keys_fit_the_kind(self) -> Source:
        allowed = _EVERY_KIND | _OF_KIND[self.kind]
        given = {name for name, value in self if value != type(self).model_fields[name].default}
        strange = sorted(given - allowed)
        if strange:
            message = f"a source of kind {self.kind} takes no {strange[0]}:"
            raise ValueError(message)
        return self


class GoldTable(_Declared):
    """A table made of sources and other such tables: one SQL file, or one function.

    ``reads`` names what a function is given; a query says it itself. ``key`` are the columns
    that tell its rows apart.
    """

    sql: str | None = None
    function: str | None = None
    reads: tuple[str, ...] = ()
    key: tuple[str, ...] = ()
    says: str = ""

    @model_validator(mode="after")
    def _made_one_way(self) -> GoldTable:
        if (self.sql is None) == (self.function is None):
            message = "a table needs either sql: file.sql or function: module.name"
            raise ValueError(message)
        if self.function and not self.reads:
            message = "a table made by a function needs reads: [the tables it is given]"
            raise ValueError(message)
        return self


class Known(_Declared):
    """What is not known yet when the prediction is made."""

    exclude: tuple[str, ...] = ()


class Understand(_Declared):
    """The whole section."""

    sources: Annotated[dict[str, Source], Field(min_length=1)]
    tables: dict[str, GoldTable] = {}
    target: Annotated[str, Field(min_length=1)]
    training: str | None = None
    task: Literal["auto", "classification", "regression"] = "auto"
    time: str | None = None
    group: str | None = None
    entity: str | None = None
    known_at_prediction: Known = Known()
    sensitive: tuple[str, ...] = ()
    columns: dict[str, ColumnKind] = {}
    accept: dict[str, str] = {}
