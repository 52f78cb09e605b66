"""The section ``transfer`` of the project file: who must approve, where versions are registered."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, StringConstraints

_Reason = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1)]


class Transfer(BaseModel):
    """The whole section; ``approve`` may ask for more than the risk class does, never less.

    ``advisories`` is a JSON file, folder or zip of known vulnerabilities in the form of OSV.
    ``accept`` gives the reason for living with what the scan of a version found, by the
    advisory (``GHSA-...``), by code and file (``K021 code/features.py``), or by the code
    where the finding is about no file (``K026``). One that is written after a version was made
    counts for it, at limited and high risk, once the approvals are later than its record.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    approve: Literal["nobody", "one_person", "two_person"] | None = None
    tracking: str | None = None
    advisories: Annotated[str, StringConstraints(min_length=1)] | None = None
    accept: dict[str, _Reason] = {}
