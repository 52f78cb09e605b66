"""What the ledger is told: each commit once, what was accepted before it, nothing twice."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace

import pytest

from qua3ck.understand.loading.recording import record_loads, recorded_loads


class Chain:
    """As much of a ledger as is needed."""

    actor = "ana"

    def __init__(self) -> None:
        self.events: list[SimpleNamespace] = []

    def append(self, event, subject, body):
        self.events.append(SimpleNamespace(event=event, subject=subject, body=dict(body)))

    def entries(self, event=None, *, subject=None):
        return [e for e in self.events if e.event == event and e.subject == subject]


@pytest.fixture
def chain():
    return Chain()


def test_a_load_is_recorded_once(bench, chain):
    stock = bench()
    stock.write("a.csv", "id,x\n1,5\n2,6\n3\n")
    done = stock.load()
    for _ in range(2):
        record_loads([done], chain)
    (event,) = chain.events
    assert (event.event, event.subject) == ("source.loaded", "stock")
    told = {name: event.body[name] for name in ("table", "version", "came", "loaded", "held")}
    assert told == {"table": "silver/stock", "version": 0, "came": 3, "loaded": 2, "held": 1}
    assert recorded_loads(chain, "stock") == (done.known,)


def test_a_load_that_a_crash_kept_from_the_ledger_is_recorded_by_the_next(bench, chain):
    stock = bench()
    stock.write("a.csv", "id,x\n1,5\n")
    first = stock.load()
    record_loads([first], chain)
    stock.write("b.csv", "id,x\n2,6\n")
    lost = stock.load(record=False)
    nothing = stock.load()
    assert nothing.known == ""
    record_loads([nothing], chain)
    assert recorded_loads(chain, "stock") == (first.known, lost.known)
    assert chain.events[-1].body["version"] == lost.version


def test_what_was_accepted_stands_in_front_of_the_load_with_reason_and_name(bench, chain):
    stock = bench()
    stock.write("a.csv", "id,x\n1,5\n2,6\n3,7\n")
    record_loads([stock.load()], chain)
    stock.write("a.csv", "id,x\n1,5\n")
    done = stock.load(accepted={"U065": "two were tests"}, actor="rosa")
    record_loads([done, done], chain)
    accepted, loaded = chain.events[1:]
    assert accepted.event == "load.accepted"
    assert accepted.body == {
        "code": "U065",
        "known": done.known,
        "reason": "two were tests",
        "by": "rosa",
        "for": ["a.csv"],
    }
    assert loaded.event == "source.loaded"


def test_what_is_accepted_without_a_commit_is_recorded_too(bench, chain):
    stock = bench(cadence="1h")
    stock.write("a.csv", "id,x\n1,5\n")
    record_loads([stock.load()], chain)
    quiet = stock.load(accepted={"U067": "closed"}, actor="ana")
    record_loads([quiet], chain, reasons={"U067": "closed"})
    assert chain.events[-1].event == "load.accepted"
    assert chain.events[-1].body["reason"] == "closed"
    assert replace(quiet, accepted={}).body == {}
