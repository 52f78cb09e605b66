"""What K hands on: an immutable version with its evidence."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Release:
    """One version under ``releases/<version>/``; ``digest`` covers every file in it."""

    version: int
    path: str
    digest: str
    candidate: str
    snapshot: str
    question: str
    opening: int
    model_format: str
    registered: str
    at: str
