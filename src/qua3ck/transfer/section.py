"""The section ``transfer`` of the project file: who must approve, where versions are registered."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict


class Transfer(BaseModel):
    """The whole section; ``approve`` may ask for more than the risk class does, never less."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    approve: Literal["nobody", "one_person", "two_person"] | None = None
    tracking: str | None = None
