"""The section ``conclude`` of the project file: how much is sealed, how often and when it opens."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field


class Conclude(BaseModel):
    """The whole section."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    test_share: Annotated[float, Field(gt=0, lt=0.9)] = 0.2
    openings: Annotated[int, Field(ge=1, le=100)] = 1
    agreed_first: bool = False
