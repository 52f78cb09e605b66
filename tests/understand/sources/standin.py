"""A web server on 127.0.0.1 that pages like those of the field, and misbehaves on demand."""

from __future__ import annotations

import json
import socket
import struct
import threading
import urllib.parse
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass(frozen=True)
class Seen:
    """A request as it arrived."""

    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]


@dataclass(frozen=True)
class Reply:
    """An answer, and how it is sent.

    ``how``: whole; ``reset`` (half of it, then the line is reset); ``cut`` (half of the length
    that was promised); ``open`` (half, without a length); ``stall`` (half, then nothing).
    """

    status: int = 200
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    how: str = "whole"


Script = Callable[[Seen], Reply]


class Standin:
    """A running server; ``seen`` are its requests, ``faults`` are used up before the script."""

    def __init__(self, script: Script) -> None:
        self.script = script
        self.seen: list[Seen] = []
        self.faults: deque[Reply | None] = deque()
        self.stopped = threading.Event()
        self._server = _Server(("127.0.0.1", 0), _Handler)
        self._server.standin = self
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,))
        self._thread.start()

    def close(self) -> None:
        """Stop, and let go whoever still waits."""
        self.stopped.set()
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


def as_json(content: Any, **headers: str) -> Reply:
    body = content if isinstance(content, bytes) else json.dumps(content).encode()
    return Reply(200, body, {"content-type": "application/json", **headers})


def page_of(rows: Sequence[Any], seen: Seen, *, at: str, size: int) -> Sequence[Any]:
    """Return the rows of a page whose offset stands in the query."""
    start = int(seen.query.get(at, 0))
    return rows[start : start + size]


def by_cursor(rows: Sequence[Any], *, size: int) -> Script:
    """Answer like Slack: the cursor of the next page, empty on the last."""

    def answer(seen: Seen) -> Reply:
        start = int(seen.query.get("cursor", 0))
        after = str(start + size) if start + size < len(rows) else ""
        return as_json({"items": rows[start : start + size], "meta": {"cursor": after}})

    return answer


def by_number(rows: Sequence[Any], *, size: int) -> Script:
    """Answer like DHIS2: a pager with page, pageCount and total; nextPage but on the last."""

    def answer(seen: Seen) -> Reply:
        number = int(seen.query.get("page", 1))
        pages = -(-len(rows) // size)
        pager = {"page": number, "pageCount": pages, "total": len(rows), "pageSize": size}
        if number < pages:
            pager["nextPage"] = f"http://{seen.headers['host']}{seen.path}?page={number + 1}"
        return as_json({"pager": pager, "items": rows[(number - 1) * size : number * size]})

    return answer


def by_offset(rows: Sequence[Any], *, most: int) -> Script:
    """Answer like Kobo: limit and start, but never more than ``most`` at once."""

    def answer(seen: Seen) -> Reply:
        start, limit = int(seen.query.get("start", 0)), int(seen.query.get("limit", 100))
        return as_json({"count": len(rows), "results": rows[start : start + min(limit, most)]})

    return answer


def by_link(rows: Sequence[Any], *, size: int) -> Script:
    """Answer like GitHub: a bare list, the next URL in the Link header."""

    def answer(seen: Seen) -> Reply:
        start = int(seen.query.get("after", 0))
        links = {"link": f'<{seen.path}?after={start + size}>; rel="next", </x>; rel="first"'}
        more = links if start + size < len(rows) else {}
        return as_json(list(rows[start : start + size]), **more)

    return answer


def by_next(rows: Sequence[Any], *, size: int) -> Script:
    """Answer like RapidPro: next and previous URLs, null at the ends."""

    def answer(seen: Seen) -> Reply:
        start = int(seen.query.get("cursor", 0))
        host = seen.headers["host"]
        query = urllib.parse.urlencode({**seen.query, "cursor": start + size})
        after = f"http://{host}{seen.path}?{query}" if start + size < len(rows) else None
        return as_json({"next": after, "previous": None, "results": rows[start : start + size]})

    return answer


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    standin: Standin

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Stay silent: clients are cut off on purpose."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server

    def do_GET(self) -> None:
        parts = urllib.parse.urlsplit(self.path)
        query = dict(urllib.parse.parse_qsl(parts.query, keep_blank_values=True))
        headers = {name.lower(): value for name, value in self.headers.items()}
        seen = Seen(parts.path, query, headers)
        standin = self.server.standin
        standin.seen.append(seen)
        fault = standin.faults.popleft() if standin.faults else None
        self._send(fault or standin.script(seen))

    def _send(self, reply: Reply) -> None:
        body = reply.body
        half = body if reply.how == "whole" else body[: len(body) // 2]
        self.send_response(reply.status)
        for name, value in reply.headers.items():
            self.send_header(name, value)
        if reply.how == "open":
            self.send_header("connection", "close")
            self.close_connection = True
        elif reply.status != 304:
            self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(half)
        self.wfile.flush()
        if reply.how == "reset":
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        if reply.how == "stall":
            self.server.standin.stopped.wait(10)
        if reply.how in {"reset", "cut", "stall"}:
            self.close_connection = True

    def log_message(self, *words: Any) -> None:
        """Stay silent."""
