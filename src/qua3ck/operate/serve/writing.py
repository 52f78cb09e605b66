"""Sends the head and the body of an answer to the socket in one write instead of two.

For one row the second system call, and the client it wakes for half an answer, cost more
than checking the row.
"""

from __future__ import annotations

import asyncio
from typing import Any


class OneWrite:
    """A transport that holds the head of an answer back until its body comes.

    Parameters
    ----------
    transport : asyncio.Transport
        What is written to.
    """

    def __init__(self, transport: asyncio.Transport) -> None:
        self._transport = transport
        self._head = b""

    def __getattr__(self, name: str) -> Any:
        """Return whatever else the transport can."""
        return getattr(self._transport, name)

    def write(self, data: bytes) -> None:
        """Write, together with what was held; hold the head of a final answer."""
        if self._head:
            data, self._head = self._head + data, b""
        elif data.endswith(b"\r\n\r\n") and data.startswith(b"HTTP/1.1 ") and data[9:10] != b"1":
            self._head = data
            return
        self._transport.write(data)

    def flush(self) -> None:
        """Write what is held: an answer without a body is complete with its head."""
        if self._head:
            data, self._head = self._head, b""
            self._transport.write(data)

    def close(self) -> None:
        """Flush and close."""
        self.flush()
        self._transport.close()


def one_write() -> type[asyncio.Protocol]:
    """Return uvicorn's HTTP protocol with such a transport."""
    from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

    class Protocol(HttpToolsProtocol):
        def connection_made(self, transport: Any) -> None:
            super().connection_made(transport)
            self.transport = OneWrite(transport)  # type: ignore[assignment]

        def on_response_complete(self) -> None:
            self.transport.flush()  # type: ignore[attr-defined]
            super().on_response_complete()

    return Protocol
