"""Who answers, what is refused or flagged, and what the log has of it."""

from __future__ import annotations

import asyncio
import sys
from collections import Counter
from typing import Any

import pytest
from asgi import ROW, Client, open_client, tensors

from qua3ck.operate.records import Fallback
from qua3ck.operate.serve.metrics import counted
from qua3ck.operate.serve.people import noted


def people(count: int) -> list[dict[str, Any]]:
    return [{**ROW, "applicant": f"a{number}"} for number in range(count)]


def test_every_answer_is_in_the_log_as_it_went_out(client: Client):
    said = client.invoke(ROW, ROW)
    (line,) = client.logged()
    assert line["id"] == said.headers["x-request-id"]
    assert (line["v"], line["arm"]) == (1, "champion")
    assert line["in"] == {name: [cell, cell] for name, cell in ROW.items()}
    assert line["out"]["label"] == [one["label"] for one in said.json()["predictions"]]
    assert line["us"] > 0


MORE = {"applicant": "a17", "status": "bad"}  # of the training table, and not for the model


def test_what_the_model_does_not_read_is_taken_and_logged_nowhere(shop, plan_of):
    shop.move(1)
    shop.move(2, "shadow")
    client = open_client(plan_of(shop))
    answers = [client.invoke({**ROW, **MORE}), client.infer({**ROW, **MORE})]
    assert [said.status for said in answers] == [200, 200]
    assert answers[0].json() == client.invoke(ROW).json()
    lines = client.logged()
    assert {line["arm"] for line in lines} == {"champion", "shadow"}
    assert all(line["in"] == {name: [cell] for name, cell in ROW.items()} for line in lines)


def test_a_column_that_somebody_is_known_by_is_logged(shop, plan_of):
    shop.move(1)
    shop.move(2, steps=(50, 100))
    client = open_client(plan_of(shop, key="applicant", actor="ana"))
    client.invoke(*({**ROW, **MORE, "applicant": f"a{n}"} for n in range(20)))
    lines = client.logged()
    assert {line["arm"] for line in lines} == {"champion", "canary"}
    assert {frozenset(line["in"]) for line in lines} == {frozenset({*ROW, "applicant"})}


def test_the_fallback_logs_what_it_or_the_model_reads_and_nothing_else(shop, plan_of):
    shop.move(1)
    rule = Fallback(rule="income < wish", then="bad", otherwise="good")
    client = open_client(plan_of(shop, fallback=rule))
    shop.append("serving.off", reason="it discriminates")
    client.follow()
    said = client.invoke({**ROW, **MORE, "wish": 90, "iban": "DE00"})
    assert said.json()["predictions"] == [{"label": "bad"}]
    assert set(client.logged()[-1]["in"]) == {*ROW, "wish"}


def test_whoever_cannot_log_says_that_it_is_not_ready(client: Client, monkeypatch):
    def full(*_: object) -> int:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr("qua3ck.operate.serve.logbook.os.write", full)
        assert client.invoke(ROW).status == 503
        ready = client.ask("/v2/health/ready")
        assert ready.status == 503
        assert "could not be logged" in ready.json()["what"]
    assert client.invoke(ROW).status == 200
    assert client.ask("/v2/health/ready").status == 200


def test_what_cannot_be_logged_is_not_answered(client: Client, monkeypatch):
    def full(lines: Any) -> None:
        from qua3ck.kit.errors import Qua3ckError

        raise Qua3ckError("The prediction could not be logged", where="disk", fix="make room")

    monkeypatch.setattr(client.logbook, "write", full)
    said = client.invoke(ROW)
    assert said.status == 503
    assert "make room" in said.json()["fix"]


@pytest.mark.parametrize(
    ("refuse", "row", "status"),
    [
        (False, {"age": 99}, 200),
        (True, {"age": 99}, 422),
        (("age",), {"age": 99}, 422),
        (("home",), {"age": 99}, 200),
        (("home",), {"home": "castle"}, 422),
        (False, {"age": None}, 422),
    ],
)
def test_refuses_outside_the_training_range_only_where_declared(client_of, refuse, row, status):
    said = client_of(refuse_outside=refuse).invoke({**ROW, **row})
    assert said.status == status
    if status == 422:
        assert "row 1 of 1" in said.json()["where"]


def test_a_person_stays_with_a_version_alone_or_among_others(shop, plan_of):
    shop.move(1)
    shop.move(2, steps=(40, 100))
    client = open_client(plan_of(shop, key="applicant", actor="ana"))
    rows = people(60)
    alone = [client.invoke(row) for row in rows]
    versions = [said.headers["x-qua3ck-version"] for said in alone]
    shares = Counter(versions)
    assert set(shares) == {"1", "2"}
    assert 10 < shares["2"] < 40
    wanted = [said.json()["predictions"][0] for said in alone]
    together = client.invoke(*rows)
    assert together.json()["predictions"] == wanted
    assert set(together.headers["x-qua3ck-arm"].split("+")) == {"canary", "champion"}
    lines = [line for line in client.logged() if line["id"] == together.headers["x-request-id"]]
    by_version = {line["v"]: line["rows"] for line in lines}
    assert by_version == {
        v: [at for at, one in enumerate(versions) if one == str(v)] for v in (1, 2)
    }
    assert [client.invoke(row).headers["x-qua3ck-version"] for row in rows] == versions


def test_a_key_beside_the_columns_keeps_somebody_with_a_version(shop, plan_of):
    shop.move(1)
    shop.move(2, steps=(50, 100))
    client = open_client(plan_of(shop, actor="ana"))
    headers = {"content-type": "application/json", "x-qua3ck-key": "a17"}
    versions = {client.invoke(ROW, headers=headers).headers["x-qua3ck-version"] for _ in range(20)}
    assert len(versions) == 1
    named = {client.infer(ROW, parameters={"key": "a17"}).json()["model_version"]}
    assert named == versions


def test_a_version_can_be_asked_for_by_its_number_while_it_is_in_use(shop, plan_of):
    shop.move(1)
    shop.move(2, steps=(5, 100))
    client = open_client(plan_of(shop, actor="ana"))
    for version in ("1", "2"):
        path = f"/v2/models/shop/versions/{version}/infer"
        assert client.ask(path, {"inputs": tensors(ROW)}).json()["model_version"] == version
    assert client.ask("/v2/models/shop/versions/3").status == 404


def test_a_shadow_scores_and_logs_but_never_answers(shop, plan_of):
    shop.move(1)
    shop.move(2, "shadow")
    client = open_client(plan_of(shop))
    said = client.invoke(ROW)
    assert said.headers["x-qua3ck-version"] == "1"
    first, second = client.logged()
    assert (first["arm"], first["v"]) == ("champion", 1)
    assert (second["arm"], second["v"]) == ("shadow", 2)
    assert first["id"] == second["id"]
    assert first["out"]["p_bad"] != second["out"]["p_bad"]
    assert counted(plan_of(shop))["shadow", 2].requests == 1


RULE = Fallback(rule="income < 30", then="bad", otherwise="good")


@pytest.mark.parametrize(
    ("fallback", "row", "label"),
    [
        (RULE, {"income": 10}, "bad"),
        (RULE, {"income": 50}, "good"),
        (RULE, {"income": None}, "good"),
        (RULE, {"income": "x"}, "good"),
        (Fallback(otherwise="good"), {}, "good"),
    ],
)
def test_switched_off_the_declared_rule_answers_at_once(shop, plan_of, fallback, row, label):
    shop.move(1)
    client = open_client(plan_of(shop, fallback=fallback))
    shop.append("serving.off", reason="it discriminates")
    client.follow()
    said = client.invoke({**ROW, **row})
    assert said.json() == {"predictions": [{"label": label}], "arm": "fallback"}
    assert said.headers["x-qua3ck-arm"] == "fallback"
    assert client.logged()[-1]["arm"] == "fallback"
    assert client.ask("/v2/health/ready").status == 200
    shop.append("serving.on")
    client.follow()
    assert client.invoke(ROW).headers["x-qua3ck-arm"] == "champion"


def test_switched_off_without_a_rule_nobody_is_answered(shop, plan_of):
    shop.move(1)
    client = open_client(plan_of(shop))
    shop.append("serving.off", reason="it discriminates")
    client.follow()
    said = client.invoke(ROW)
    assert said.status == 503
    assert "it discriminates" in said.json()["what"]


def test_the_fast_path_calls_no_logging_library_no_pydantic_and_no_pandas(client: Client):
    client.invoke(ROW)
    called: set[str] = set()

    def note(frame: Any, event: str, _: Any) -> None:
        if event == "call":
            called.add(str(frame.f_globals.get("__name__")))

    async def ask() -> None:
        sys.setprofile(note)
        try:
            said = await client.asks("/invocations", {"dataframe_records": [ROW]})
        finally:
            sys.setprofile(None)
        assert said.status == 200

    asyncio.run(ask())
    rooms = {name.split(".")[0] for name in called}
    assert rooms & {"logging", "pydantic", "pandas", "pyarrow", "sklearn", "mlflow"} == set()
    assert "qua3ck.store.releases.rows" in called


def test_while_a_version_is_rolled_out_the_log_says_who_is_the_same_person(shop, plan_of):
    shop.move(1)
    plan = plan_of(shop, key="applicant", actor="ana")
    client = open_client(plan)
    client.invoke({**ROW, "applicant": "a1"})
    shop.move(2, steps=(50, 100))
    client.follow()
    for _ in range(2):
        client.invoke(*({**ROW, "applicant": f"a{n}"} for n in range(20)))
    client.ask("/v2/models/shop/versions/2/infer", {"inputs": tensors({**ROW, "applicant": "a1"})})
    lines = client.logged()
    assert "who" not in lines[0], "nothing was rolled out"
    assert "who" not in lines[-1], "who asks for a version was not drawn by lot"
    places = [dict(zip(line["rows"], line["who"], strict=True)) for line in lines[1:-1]]
    first, second = ({**places[at], **places[at + 1]} for at in (0, 2))
    assert first == second
    assert len(set(first.values())) == 20


@pytest.mark.parametrize(
    ("people", "key", "noted_as"), [("a1 a1", "", 1), ("a1 a2", "", 0), ("a1 a2", "p9", 1)]
)
def test_a_refusal_is_noted_for_one_person_and_never_for_several(
    shop, plan_of, people, key, noted_as
):
    """Of several people in one request nobody can be said to have got it."""
    shop.move(1)
    seq = shop.move(2, steps=(50, 100))
    plan = plan_of(shop, key="applicant", actor="ana")
    client = open_client(plan)
    headers = {"content-type": "application/json", **({"x-qua3ck-key": key} if key else {})}
    for _ in range(3):
        rows = [{**ROW, "age": None, "applicant": one} for one in people.split()]
        assert client.invoke(*rows, headers=headers).status == 422
    sides = noted(plan, seq)["refusals", 0]
    assert sum(side.bit_count() for side in sides) == noted_as
