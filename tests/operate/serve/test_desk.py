"""Answers at the view (``serve.desk``) are a server's: checked, switched off and logged alike."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from asgi import ROW, open_client

from qua3ck.govern import find_release
from qua3ck.kit.errors import Qua3ckError
from qua3ck.operate.records import Fallback, Log, ServePlan
from qua3ck.operate.serve.compacting import compact, log_files
from qua3ck.operate.serve.desk import Desk

TABLE = {name: [value] for name, value in ROW.items()}


@pytest.fixture
def desk_of(shop, plan_of: Callable[..., ServePlan]):
    """Return a maker of desks over a shop whose champion is version 1."""
    shop.move(1)
    opened: list[Desk] = []

    def build(**more: Any) -> Desk:
        ledger = shop.workspace.ledger
        ticks = more.pop("ticks", None) or [0.0]
        plan = plan_of(shop, **more)
        opened.append(Desk(plan, lambda n: find_release(ledger, n), now=lambda: ticks[0]))
        return opened[-1]

    yield build
    for one in opened:
        one.close()
        if one._compactor.process is not None:
            one._compactor.process.wait()


def lines(desk: Desk) -> list[dict[str, Any]]:
    return [
        json.loads(line)
        for path in log_files(desk.plan)
        for line in path.read_text(encoding="utf-8").splitlines()
    ]


@pytest.fixture(autouse=True)
def _no_process_beside(monkeypatch):
    monkeypatch.setattr("qua3ck.operate.serve.compacting.Compactor.step", lambda self: None)


def test_an_answer_is_a_servers_and_stands_in_its_log(desk_of, shop, plan_of):
    desk = desk_of()
    made = desk.answer(1, TABLE, 1, request_id="one")
    served = open_client(plan_of(shop)).invoke(ROW).json()["predictions"][0]
    assert {name: cells[0] for name, cells in made.outputs.items()} == served
    (line,) = [one for one in lines(desk) if one["arm"] == "app"]
    assert (line["id"], line["v"], line["in"]) == ("one", 1, TABLE)
    assert line["out"] == made.outputs
    assert line["us"] > 0


def test_personal_columns_stand_in_the_log_as_pseudonyms(desk_of, shop):
    shop.workspace.keys.secret("serve-test", create=True)
    place = shop.workspace.keys.folder / "secrets" / "serve-test.key"
    desk = desk_of(log=Log(False, ("home",), str(place)))
    desk.answer(1, TABLE, 1, request_id="one")
    (line,) = lines(desk)
    assert line["in"]["home"][0].startswith("~")
    assert line["in"]["age"] == TABLE["age"]


def test_switched_off_the_declared_rule_answers_and_is_logged(desk_of):
    desk = desk_of()
    made = desk.answer(1, TABLE, 1, request_id="one", off=Fallback(otherwise="good"))
    assert (made.version, made.arm, made.outputs) == (0, "fallback", {"label": ["good"]})
    assert [(one["v"], one["arm"]) for one in lines(desk)] == [(0, "fallback")]
    assert desk.answer(1, TABLE, 1, request_id="two").arm == "app", "on again, at once"


def test_switched_off_without_a_rule_nobody_is_answered(desk_of):
    with pytest.raises(Qua3ckError, match="switched off: a defect"):
        desk_of().answer(1, TABLE, 1, request_id="one", off=Fallback(reason="a defect"))


def test_what_a_server_refuses_is_refused_here_in_the_same_words(desk_of, shop, plan_of):
    desk = desk_of(refuse_outside=("age",))
    client = open_client(plan_of(shop, refuse_outside=("age",)))
    for change in ({"age": 81}, {"age": None}, {"home": ""}, {"age": "old"}):
        row = {**ROW, **change}
        said = client.invoke(row).json()
        with pytest.raises(Qua3ckError) as found:
            desk.answer(1, {name: [cell] for name, cell in row.items()}, 1, request_id="one")
        words, _, told = said["what"].partition(": about")
        assert (found.value.what, found.value.where) == (words, said["where"])
        assert bool(told) == (change == {"age": 81}), "a range is told by a server alone"
    assert lines(desk) == []
    many = {name: [cell] * 3 for name, cell in ROW.items()} | {"age": [81, 30, 17]}
    assert [(one.column, one.row) for one in desk.refused(1, many, 3)] == [("age", 0), ("age", 2)]


def test_what_cannot_be_logged_is_not_answered(desk_of, monkeypatch):
    desk = desk_of()
    desk.answer(1, TABLE, 1, request_id="one")

    def full(*_: Any) -> int:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("qua3ck.operate.serve.logbook.os.write", full)
    with pytest.raises(Qua3ckError, match="could not be logged"):
        desk.answer(1, TABLE, 1, request_id="two")


def test_a_version_that_no_longer_answers_its_golden_rows_answers_nobody(desk_of, monkeypatch):
    ticks = [0.0]
    desk = desk_of(ticks=ticks)
    desk.answer(1, TABLE, 1, request_id="one")
    monkeypatch.setattr(
        "qua3ck.operate.serve.versions.golden.differences", lambda *_: ["row 1 differs"]
    )
    desk.answer(1, TABLE, 1, request_id="two")
    ticks[0] += 86_401
    with pytest.raises(Qua3ckError, match="golden rows: row 1 differs"):
        desk.answer(1, TABLE, 1, request_id="three")
    with pytest.raises(Qua3ckError, match="golden rows"):
        desk.answer(2, TABLE, 1, request_id="four")


def test_many_rows_are_one_line_and_a_flag_is_said_once(desk_of):
    desk = desk_of()
    many = {name: [cell] * 500 for name, cell in ROW.items()} | {"age": [81] * 500}
    made = desk.answer(1, many, 500, request_id="many")
    assert len(made.flags) == 500
    assert [one["flags"] for one in lines(desk)] == [["outside:age"]]


def test_what_a_view_wrote_is_moved_and_its_file_kept_while_it_writes(desk_of):
    one, two = desk_of(), desk_of()
    one.answer(1, TABLE, 1, request_id="one")
    two.answer(1, TABLE, 1, request_id="two")
    moved = compact(one.plan)
    assert moved.predictions == 2
    assert two._logbook.path.exists()
    two.answer(1, TABLE, 1, request_id="three")
    assert compact(replace(one.plan)).predictions == 1
