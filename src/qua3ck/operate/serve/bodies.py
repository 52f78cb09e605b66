"""The bodies of requests: read whole, within limits of size and time."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any, cast

from qua3ck.operate.records import ServePlan
from qua3ck.operate.serve.answers import Refused

Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]


class Gone(Exception):
    """Whoever asked has hung up."""


class Bodies:
    """Reads bodies; :meth:`sweep` ends what takes too long.

    Parameters
    ----------
    plan : ServePlan
        Its ``limits`` of bytes and seconds.
    """

    def __init__(self, plan: ServePlan) -> None:
        self._limits = plan.limits
        self._loop: asyncio.AbstractEventLoop | None = None
        self._reading: dict[asyncio.Task[Any], float] = {}

    async def read(self, receive: Receive, *, length: int, began: float) -> bytes:
        """Return the whole body, or refuse what is too large or comes too slowly.

        Parameters
        ----------
        receive : callable
            As ASGI has it.
        length : int, bytes
            What the request says; -1 where it does not.
        began : float
            ``time.perf_counter()`` when the request was met.

        Raises
        ------
        Refused
            With 413 or 408.
        Gone
            If whoever asked has hung up.
        """
        most = self._limits.max_bytes
        if length > most:
            raise _too_large(most)
        task = self._task()
        self._reading[task] = began + self._limits.timeout_s
        parts: list[bytes] = []
        size = 0
        try:
            while True:
                message = await receive()
                if message["type"] == "http.disconnect":
                    raise Gone
                part = message.get("body", b"")
                size += len(part)
                if size > most:
                    raise _too_large(most)
                if not message.get("more_body", False):
                    return b"".join([*parts, part]) if parts else part
                parts.append(part)
        except asyncio.CancelledError:
            if self._reading[task] > 0:
                raise
            task.uncancel()
            raise _too_slow(self._limits.timeout_s) from None
        finally:
            del self._reading[task]

    def sweep(self) -> None:
        """End the reading of bodies that take too long; to be called about once a second.

        A timer for each request would cost more than reading it.
        """
        now = time.perf_counter()
        for task, until in list(self._reading.items()):
            if 0 < until < now:
                self._reading[task] = 0.0
                task.cancel()

    def _task(self) -> asyncio.Task[Any]:
        """Return the task that runs; asked of a known loop it costs no system call."""
        task = asyncio.current_task(self._loop)
        if task is None:  # the first request, or a test with another loop
            self._loop = asyncio.get_running_loop()
            task = asyncio.current_task(self._loop)
        return cast("asyncio.Task[Any]", task)


def _too_large(most: int) -> Refused:
    return Refused(
        413,
        f"The body has more than {most} bytes",
        where="the body",
        fix="send fewer rows at once, or use: qua3ck predict",
    )


def _too_slow(seconds: float) -> Refused:
    return Refused(
        408,
        f"The request was not complete after {seconds:g} seconds",
        where="the body",
        fix="send it again, in one piece",
    )
