"""Servers that stand in for those of the field; all on 127.0.0.1."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from standin import Script, Standin


@pytest.fixture
def serve(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[Script], Standin]]:
    """Start a server that answers by a function; closed after the test."""
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy"):
        monkeypatch.delenv(name, raising=False)
    started: list[Standin] = []

    def start(script: Script) -> Standin:
        started.append(Standin(script))
        return started[-1]

    yield start
    for server in started:
        server.close()
