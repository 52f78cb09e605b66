"""What a serving process says about itself: one JSON object a line on standard error."""

from __future__ import annotations

import json
import sys
from typing import TextIO

from qua3ck.kit.clock import stamp, utc_now


class Teller:
    """Writes lines such as ``{"at": ..., "level": "info", "event": "worker.started", ...}``.

    Parameters
    ----------
    who : str
        The process: ``supervisor``, ``keeper`` or ``worker-0``.
    stream : text stream, optional
        Default: standard error. A stream that is gone is passed over: a log must not stop
        what it tells of.
    """

    def __init__(self, who: str, *, stream: TextIO | None = None) -> None:
        self._who = who
        self._stream = stream

    def info(self, event: str, **facts: object) -> None:
        """Say that something happened as it should."""
        self._write("info", event, facts)

    def warn(self, event: str, **facts: object) -> None:
        """Say that something wants to be looked at."""
        self._write("warn", event, facts)

    def error(self, event: str, **facts: object) -> None:
        """Say that something failed; ``request_id`` ties it to an answer."""
        self._write("error", event, facts)

    def _write(self, level: str, event: str, facts: dict[str, object]) -> None:
        line = {"at": stamp(utc_now()), "level": level, "who": self._who, "event": event, **facts}
        stream = self._stream or sys.stderr
        try:
            stream.write(json.dumps(line, ensure_ascii=False, default=str) + "\n")
            stream.flush()
        except (OSError, ValueError):  # closed, or a pipe that nobody reads any more
            return
