from __future__ import annotations

import io
import json

from qua3ck.operate.serve.telling import Teller


def test_a_line_is_one_object_with_time_level_process_and_facts():
    stream = io.StringIO()
    Teller("worker-1", stream=stream).error("request.failed", request_id="r1", at=["app.py:3"])
    said = json.loads(stream.getvalue())
    assert said.pop("at") == ["app.py:3"]
    assert said == {
        "level": "error", "who": "worker-1", "event": "request.failed", "request_id": "r1",
    }  # fmt: skip


class Gone(io.StringIO):
    def write(self, _text: str) -> int:
        raise BrokenPipeError


def test_a_stream_that_nobody_reads_any_more_stops_nothing():
    Teller("x", stream=Gone()).info("a")
    closed = io.StringIO()
    closed.close()
    Teller("x", stream=closed).warn("b")
