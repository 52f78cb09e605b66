"""Head and body of an answer leave in one write, and nothing is ever held back for good."""

from __future__ import annotations

import pytest

from qua3ck.operate.serve.writing import OneWrite

HEAD = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n"


class Wire:
    def __init__(self) -> None:
        self.writes: list[bytes] = []
        self.closed = False

    def write(self, data: bytes) -> None:
        self.writes.append(data)

    def close(self) -> None:
        self.closed = True

    def get_extra_info(self, name: str) -> str:
        return name


@pytest.fixture
def wire() -> Wire:
    return Wire()


def test_head_and_body_are_one_write(wire: Wire):
    transport = OneWrite(wire)
    for _ in range(2):
        transport.write(HEAD)
        transport.write(b"{}")
    assert wire.writes == [HEAD + b"{}"] * 2


def test_a_head_without_a_body_goes_out_when_the_answer_is_complete(wire: Wire):
    transport = OneWrite(wire)
    transport.write(HEAD)
    assert wire.writes == []
    transport.flush()
    transport.flush()
    assert wire.writes == [HEAD]


def test_closing_holds_nothing_back(wire: Wire):
    transport = OneWrite(wire)
    transport.write(HEAD)
    transport.close()
    assert (wire.writes, wire.closed) == ([HEAD], True)


@pytest.mark.parametrize(
    "data", [b"HTTP/1.1 100 Continue\r\n\r\n", b"chunk\r\n\r\n", b"HTTP/1.1 200 OK\r\n", b""]
)
def test_what_is_no_head_of_an_answer_goes_out_at_once(wire: Wire, data: bytes):
    OneWrite(wire).write(data)
    assert wire.writes == [data]


def test_everything_else_is_the_transports(wire: Wire):
    assert OneWrite(wire).get_extra_info("peername") == "peername"
