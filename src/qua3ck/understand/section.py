"""The section ``understand``: sources, the training table, what its columns mean."""

from __future__ import annotations

import re
import urllib.parse
from datetime import UTC, datetime, timedelta
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from qua3ck.understand.steps import Step

ColumnKind = Literal["number", "category", "text", "date", "bool", "ignore"]
ColumnType = Literal["string", "integer", "number", "boolean", "date", "timestamp"]
Kind = Literal["csv", "excel", "json", "parquet", "arrow", "delta", "database", "http", "function"]

_FILES = {"csv", "excel", "json", "parquet", "arrow", "delta"}
_REMOTE = {"database", "http"}
_ENV = re.compile(r"env:[A-Za-z_][A-Za-z0-9_]*")
_SECRET_NAME = re.compile(
    r"(?i)^key$|(^|[-_])((api|access|account|subscription)[-_]?key|authorization|cookie|token"
    r"|secret|password|passwd|pwd|sig|signature)$"
)
_TEXT = {"names", "decimal", "thousands", "null", "nulls", "types", "dates", "header"}
_EVERY_KIND = {
    *("kind", "key", "extract", "valid_from", "partition", "shrinks", "contract"),
    *("owner", "licence", "cadence", "contact"),
}
_WEB = {"auth", "headers", "hosts", "timeout"}
_OF_KIND = {
    "csv": {"path", "sha256", "delimiter", "quote", "encoding", "skip", "footer", "comment"}
    | {"tidy", "escape", "loose_ends"}
    | _TEXT
    | _WEB,
    "excel": {"path", "sha256", "sheet", "range", "skip", "footer", "tidy"} | _TEXT | _WEB,
    "json": {"path", "sha256", "encoding", "records", "types", "dates", "null", "nulls"}
    | {"carry"}
    | _WEB,
    "parquet": {"path", "sha256"} | _WEB,
    "arrow": {"path", "sha256"} | _WEB,
    "delta": {"path"},
    "database": {"url", "table", "query", "watermark", "overlap", "deleted", "types"},
    "http": {"url", "records", "watermark", "overlap", "types", "dates", "null", "nulls"}
    | {"deleted", "parameters", "paging", "count"}
    | _WEB,
    "function": {"function"},
}


Lines = Annotated[int, Field(ge=0, le=1_000_000)]
_DAY = r"^\d{4}-\d{2}-\d{2}(T\d{2}:\d{2}(:\d{2})?Z)?$"


class _Declared(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


def _day(moment: str) -> str:
    try:
        end_of(moment)
    except ValueError:
        message = f"there is no such day as {moment}; write one such as 2026-03-01"
        raise ValueError(message) from None
    return moment


def _only_env(value: object) -> object:
    if isinstance(value, str) and _ENV.fullmatch(value):
        return value
    message = "a secret stands in the environment only; write env:NAME here"
    raise ValueError(message)


_Secret = Annotated[str, BeforeValidator(_only_env)]


class Auth(_Declared):
    """How a web server is told who asks; passwords and tokens only as ``env:NAME``.

    ``user`` with ``password``, or ``token``: sent as ``Authorization: prefix token``, or plain
    under the name of ``header``, or as the query parameter ``parameter``.
    """

    user: str | None = None
    password: _Secret | None = None
    token: _Secret | None = None
    prefix: str = "Bearer"
    header: str | None = None
    parameter: str | None = None

    @model_validator(mode="after")
    def _one_way(self) -> Auth:
        if (self.token is None) == (self.password is None):
            message = "auth needs either user: and password: env:NAME, or token: env:NAME"
            raise ValueError(message)
        if self.password is not None and self.user is None:
            message = "auth with a password needs user:"
            raise ValueError(message)
        return self


class Paging(_Declared):
    """How an answer leads to the next one.

    ``next``: where in the answer the next URL (style next) or the cursor stands. ``parameter``
    carries the cursor, the page's number or the offset; ``size_parameter`` the wished ``size``.
    ``pages``: where the number of pages stands.
    """

    style: Literal["cursor", "page", "offset", "link", "next"]
    next: str | None = None
    parameter: str | None = None
    size_parameter: str | None = None
    size: Annotated[int, Field(ge=1, le=1_000_000)] | None = None
    first: Annotated[int, Field(ge=0, le=1_000_000)] = 1
    pages: str | None = None

    @model_validator(mode="after")
    def _complete(self) -> Paging:
        if self.style in {"cursor", "next"} and not self.next:
            message = f"paging of style {self.style} needs next: where it stands in the answer"
            raise ValueError(message)
        if self.style in {"cursor", "page", "offset"} and not self.parameter:
            message = f"paging of style {self.style} needs parameter: the name in the URL"
            raise ValueError(message)
        if (self.size is None) != (self.size_parameter is None):
            message = "paging needs size: and size_parameter: together, or neither"
            raise ValueError(message)
        return self


def _secret_in(url: str) -> bool:
    """Whether a URL has a password, or a parameter whose name sounds like one."""
    if _ENV.fullmatch(url) or "://" not in url:
        return False
    try:
        parts = urllib.parse.urlsplit(url)
        names = [name for name, _ in urllib.parse.parse_qsl(parts.query)]
    except ValueError:
        return True  # what cannot be taken apart cannot be shown to be free of one
    return parts.password is not None or any(
        name == "odbc_connect" or _SECRET_NAME.search(name) for name in names
    )


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
    escape: Annotated[str, Field(min_length=1, max_length=1)] | None = None
    loose_ends: bool = False
    encoding: str = "utf-8"
    skip: Lines = 0
    footer: Lines = 0
    comment: str | None = None
    # tables of text cells: delimited text, Excel
    header: Annotated[int, Field(ge=0, le=100)] = 1
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
    # sheets made for eyes: delimited text, Excel
    tidy: tuple[Step, ...] = ()
    # JSON, HTTP
    records: str | None = None
    carry: dict[str, str] = {}
    # databases, HTTP
    url: str | None = None
    table: str | None = None
    query: str | None = None
    # what makes a row the same row, and what is new
    key: tuple[str, ...] = ()
    extract: Literal["full", "changes"] | None = None
    watermark: str | None = None
    overlap: Annotated[str, Field(pattern=r"^[0-9]+[smhd]?$")] | None = None
    deleted: str | None = None
    # HTTP, and files by https://
    auth: Auth | None = None
    headers: dict[str, str] = {}
    parameters: dict[str, str] = {}
    paging: Paging | None = None
    count: str | None = None
    hosts: tuple[str, ...] = ()
    timeout: Annotated[float, Field(gt=0, le=3600)] = 60.0
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
    def _holds_no_secret(self) -> Source:
        for name, value in (("url", self.url), ("path", self.path)):
            if value and _secret_in(value):
                message = f"the {name} holds a secret; put it into the environment: env:NAME"
                raise ValueError(message)
        for name, value in (*self.headers.items(), *self.parameters.items()):
            if _SECRET_NAME.search(name) and not _ENV.fullmatch(value):
                message = f"{name} looks like a secret; write {name}: env:NAME"
                raise ValueError(message)
        return self

    @model_validator(mode="after")
    def _new_rows_can_be_told(self) -> Source:
        if self.watermark and not self.key:
            message = "watermark needs key: rows that come again must be known as the same"
            raise ValueError(message)
        if (self.path or "").startswith(("http://", "https://")):
            if not self.licence:
                message = "a file from the web needs licence: under what terms it may be used"
                raise ValueError(message)
            if not self.sha256 and not self.extract:
                message = "a file from the web needs sha256:, or extract: if its bytes may change"
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

    @property
    def identity(self) -> tuple[str, ...]:
        """The columns that make a row the same row when it comes again; else its piece."""
        if not self.key:
            return ("_piece",)
        return self.row_key

    @property
    def row_key(self) -> tuple[str, ...]:
        """The columns that tell rows apart: the key, and when they begin to hold; () without."""
        further = (self.valid_from,) if self.valid_from and self.valid_from not in self.key else ()
        return (*self.key, *further) if self.key else ()


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


class Star(_Declared):
    """A table for dashboards: facts, with the columns that go to tables of their own.

    ``dimensions`` maps the name of such a table to its columns; ``key`` are the columns that
    tell the facts apart.
    """

    key: tuple[str, ...] = ()
    dimensions: dict[str, Annotated[tuple[str, ...], Field(min_length=1)]] = {}
    leave_out: tuple[str, ...] = ()


class Publish(_Declared):
    """What is handed to dashboards and spreadsheets, and as what.

    ``to`` holds ``parquet``, ``csv``, ``excel``, or ``env:NAME`` for a PostgreSQL database.
    """

    tables: Annotated[dict[str, Star], Field(min_length=1)]
    to: Annotated[tuple[str, ...], Field(min_length=1)] = ("parquet",)
    folder: str = "published"
    db_schema: str = "published"


class Known(_Declared):
    """What is not known yet when the prediction is made."""

    exclude: tuple[str, ...] = ()


class Understand(_Declared):
    """The whole section."""

    sources: Annotated[dict[str, Source], Field(min_length=1)]
    tables: dict[str, GoldTable] = {}
    publish: Publish | None = None
    as_of: Annotated[str, Field(pattern=_DAY), AfterValidator(_day)] | None = None
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


def end_of(moment: str) -> datetime:
    """Return the moment that ``as_of`` means: a day is meant to its end, in UTC."""
    if "T" in moment:
        return datetime.fromisoformat(moment)
    return datetime.fromisoformat(moment).replace(tzinfo=UTC) + timedelta(days=1, microseconds=-1)
