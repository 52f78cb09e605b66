"""The section ``understand``: sources, the training table, what its columns mean."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

ColumnKind = Literal["number", "category", "text", "date", "bool", "ignore"]


class _Declared(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class Source(_Declared):
    """Where rows come from, and who answers for them."""

    kind: Literal["csv", "parquet", "function"]
    path: str | None = None
    function: str | None = None
    delimiter: Annotated[str, Field(min_length=1, max_length=1)] | None = None
    encoding: str = "utf-8"
    decimal: Literal[".", ","] = "."
    null: tuple[str, ...] = ()
    types: dict[str, Literal["string", "integer", "number", "boolean", "date", "timestamp"]] = {}
    owner: str = ""
    licence: str = ""
    cadence: str = ""
    contact: str = ""
    contract: str | None = None

    @model_validator(mode="after")
    def _place_given(self) -> Source:
        if self.kind == "function" and not self.function:
            message = "a source of kind function needs function: module.name"
            raise ValueError(message)
        if self.kind != "function" and not self.path:
            message = f"a source of kind {self.kind} needs path: a file or a pattern"
            raise ValueError(message)
        return self


class Known(_Declared):
    """What is not known yet when the prediction is made."""

    exclude: tuple[str, ...] = ()


class Understand(_Declared):
    """The whole section."""

    sources: Annotated[dict[str, Source], Field(min_length=1)]
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
