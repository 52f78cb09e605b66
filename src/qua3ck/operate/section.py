"""The section ``operate`` of the project file: how a version is put before people, and watched."""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

Percent = Annotated[int, Field(ge=1, le=100)]
Scalar = str | int | float | bool
_SPAN = re.compile(r"^\s*(\d+(?:\.\d+)?)\s*(s|m|h|d)\s*$")
_SECONDS = {"s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}


class _Declared(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class Labels(_Declared):
    """Where the truth about past predictions will come from, and how late."""

    source: str
    delay: str


class Fallback(_Declared):
    """What is answered while serving is switched off.

    Either one fixed ``answer``, or a one-line ``rule`` over the columns of a request such
    as ``income < 100``: ``then`` where it holds, ``otherwise`` where it does not or cannot
    be told. A rule that gives a number is its own answer and needs no ``then``.
    """

    answer: Scalar | None = None
    rule: str | None = None
    then: Scalar | None = None
    otherwise: Scalar | None = None

    @model_validator(mode="after")
    def _one_way(self) -> Fallback:
        if (self.answer is None) == (self.rule is None):
            message = "a fallback needs exactly one of answer or rule"
            raise ValueError(message)
        if self.rule is not None and self.otherwise is None:
            message = "a rule needs otherwise: what is answered where it does not hold"
            raise ValueError(message)
        if self.answer is not None and (self.then, self.otherwise) != (None, None):
            message = "then and otherwise belong to a rule, not to a fixed answer"
            raise ValueError(message)
        return self


class Limits(_Declared):
    """What one request may take; more is refused with 413 or ended with 503."""

    bytes: Annotated[int, Field(ge=1024, le=1_000_000_000)] = 4_000_000
    rows: Annotated[int, Field(ge=1, le=10_000_000)] = 1000
    seconds: Annotated[float, Field(gt=0, le=3600)] = 10.0


class PredictionLog(_Declared):
    """How predictions are logged.

    ``durable`` has each line on the disk before its answer goes out. ``pseudonymise`` names
    further columns; those that contracts or ``sensitive`` call personal are taken anyway.
    """

    durable: bool = False
    pseudonymise: tuple[str, ...] = ()


class Tls(_Declared):
    """Files of the certificate chain and its private key, in PEM."""

    cert: str
    key: str


class Serve(_Declared):
    """The process that answers requests.

    ``grpc_port`` offers gRPC as well. ``key`` is the column by which a person stays with the
    same version. ``hold`` is the least time at each canary step (``10m``). ``false_stops`` is
    the chance that a canary which is no worse is stopped. ``ab_share`` is the share in percent
    that the challenger answers. ``refuse_outside`` refuses values outside the training range:
    of all columns, or of those named; else they are flagged. ``api_keys`` asks each request
    for a key.
    """

    host: str = "127.0.0.1"
    port: Annotated[int, Field(ge=0, le=65535)] = 8080
    workers: Annotated[int, Field(ge=1, le=64)] = 1
    grpc_port: Annotated[int, Field(ge=1, le=65535)] | None = None
    key: str | None = None
    hold: str = "10m"
    false_stops: Annotated[float, Field(gt=0, le=0.5)] = 0.05
    ab_share: Annotated[int, Field(ge=0, le=100)] = 0
    refuse_outside: bool | tuple[str, ...] = False
    limits: Limits = Limits()
    log: PredictionLog = PredictionLog()
    tls: Tls | None = None
    api_keys: bool = False

    @field_validator("hold")
    @classmethod
    def _is_span(cls, said: str) -> str:
        seconds(said)
        return said


class FeatureTable(_Declared):
    """A table whose columns are looked up by key when a request does not bring them."""

    table: str
    key: Annotated[tuple[str, ...], Field(min_length=1)]
    columns: Annotated[tuple[str, ...], Field(min_length=1)]


class Operate(_Declared):
    """The section ``operate``: how a version is served and watched.

    ``canary`` are the shares in percent by which a promoted champion takes over from the
    one before, such as ``[5, 25, 100]``; without it a move takes effect at once.
    ``features`` are tables that requests are completed from, kept in the project or, by
    ``feature_store: env:NAME``, in Redis.
    """

    alarm_budget: str | None = None
    labels: Labels | None = None
    canary: tuple[Percent, ...] = ()
    fallback: Fallback | None = None
    serve: Serve = Serve()
    features: dict[Annotated[str, Field(pattern=r"^[A-Za-z][A-Za-z0-9_-]*$")], FeatureTable] = {}
    feature_store: Annotated[str, Field(pattern=r"^env:[A-Za-z_][A-Za-z0-9_]*$")] | None = None

    @field_validator("canary")
    @classmethod
    def _climbs(cls, steps: tuple[int, ...]) -> tuple[int, ...]:
        if steps and (list(steps) != sorted(set(steps)) or steps[-1] != 100):
            message = "the steps of a canary climb and end with 100, such as [5, 25, 100]"
            raise ValueError(message)
        return steps


def seconds(span: str) -> float:
    """Return the seconds of a span such as ``90s``, ``10m``, ``2h`` or ``1d``.

    Raises
    ------
    ValueError
        If it is not a number with one of these units.
    """
    found = _SPAN.match(span)
    if found is None:
        message = f'"{span}" is no span of time; write a number and s, m, h or d, such as 10m'
        raise ValueError(message)
    return float(found[1]) * _SECONDS[found[2]]
