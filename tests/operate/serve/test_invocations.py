"""MLflow's input formats (``protocol.invocations``): every form says the same rows."""

from __future__ import annotations

import json
from typing import Any

import pytest
from asgi import ROW, Client

from qua3ck.operate.records import Fallback

ROWS = [ROW, {"income": None, "age": 70, "home": "own"}]
SPLIT = {"columns": list(ROW), "index": [7, 8], "data": [list(row.values()) for row in ROWS]}
COLUMNS = {name: [row[name] for row in ROWS] for name in ROW}
FORMS: dict[str, Any] = {
    "dataframe_split": SPLIT,
    "dataframe_records": ROWS,
    "instances": ROWS,
    "inputs": COLUMNS,
}


@pytest.mark.parametrize("form", FORMS)
def test_every_form_is_answered_alike(steady: Client, form: str):
    said = steady.ask("/invocations", {form: FORMS[form], "params": {}})
    assert said.status == 200, said.body
    assert said.json() == steady.invoke(*ROWS).json()
    assert (said.headers["x-qua3ck-version"], said.headers["x-qua3ck-arm"]) == ("1", "champion")


def test_a_matrix_of_one_column_each_and_single_values_are_columns_too(steady: Client):
    want = steady.invoke(ROW).json()
    for table in (ROW, {name: [[cell]] for name, cell in ROW.items()}):
        assert steady.ask("/invocations", {"inputs": table}).json() == want


@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_csv_is_read_as_the_columns_are(steady: Client, newline: str):
    lines = ["home,age,income", "rent,22,33.5", '"own",70,', ""]
    said = steady.ask(
        "/invocations", newline.join(lines).encode(), headers={"content-type": "text/csv"}
    )
    assert said.json() == steady.invoke(*ROWS).json()


def test_rows_may_leave_out_what_may_be_empty(steady: Client):
    said = steady.invoke({"age": 70, "home": "own"}, ROW)
    wanted = steady.invoke(ROWS[1], ROW)
    assert said.json() == wanted.json()


def test_flags_stand_beside_the_predictions_and_only_where_there_are_any(steady: Client):
    assert "flags" not in steady.invoke(*ROWS).json()
    (flag,) = steady.invoke(ROW, {**ROW, "home": "castle"}).json()["flags"]
    assert (flag["row"], flag["column"], flag["kind"]) == (2, "home", "unseen")


def test_mlflow_reads_the_answer_as_its_own_servers(steady: Client):
    """What MLflow's client does with the text that comes back."""
    said = json.loads(steady.invoke(*ROWS).body)
    assert list(said) == ["predictions"]
    assert [set(line) for line in said["predictions"]] == [{"label", "p_bad", "p_good"}] * 2


def test_mlflows_client_reads_the_answer_of_a_fallback(client_of, shop):
    library = pytest.importorskip("mlflow.deployments")
    client = client_of(fallback=Fallback(otherwise="good"))
    shop.append("serving.off", reason="it discriminates")
    client.follow()
    body = client.invoke(*ROWS).body.decode()
    assert json.loads(body)["arm"] == "fallback"
    read = library.PredictionsResponse.from_json(body).get_predictions()
    assert read.to_dict("records") == [{"label": "good"}] * 2
