"""What others make of a running server: promtool, mlserver's answers, MLflow's server and client.

mlserver cannot be installed beside our lock: ``mlserver.json`` has our requests and what it
answered to each, with the same released model; ``prove/mlserver_answers.py`` asks it again.
MLflow's server is here itself, in this process, with the release in MLflow's form.
"""

from __future__ import annotations

import asyncio
import json
import os
import re
import socket
import subprocess
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from asgi import ROW
from judging import cells, columns, over_grpc, over_http
from running import Server, serving, until
from small_shop import make_shop

from qua3ck.operate.records import ServePlan

ASKED = json.loads((Path(__file__).parent / "mlserver.json").read_text())
HTTP = {case["name"]: case for case in ASKED["http"]}
GRPC = {case["name"]: case for case in ASKED["grpc"]}
# Where we answer otherwise, on purpose.
STRICTER = {
    "shape and data disagree": "mlserver repeats the one cell; a guess",
    "a column too many": "mlserver fails with 500, as at all that the model itself refuses",
    "a column is missing": "the same",
    "a text for a number": "the same",
}


@pytest.fixture(scope="module")
def server(artefacts, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A process of its own that answers HTTP and gRPC."""
    folder = tmp_path_factory.mktemp("judged")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("QUA3CK_KEYS", str(folder / "keys"))
        shop = make_shop(folder / "shop", artefacts[:1])
        shop.move(1)
        plan = ServePlan(str(shop.root), "shop", shop.workspace.project_id, port=0, grpc_port=port)
        with serving(plan, folder) as running:
            yield running


def place(server: Server) -> str:
    return server.url.removeprefix("http://")


# -- promtool ---------------------------------------------------------------------------------


@pytest.fixture
def metrics(server: Server) -> str:
    """What the server says of itself after an answer and a refusal."""
    assert server.predict(ROW)[0] == 200
    assert server.ask("/invocations", {"inputs": {}})[0] == 400
    status, headers, text = server.ask("/metrics")
    assert (status, headers["content-type"].split(";")[0]) == (200, "application/openmetrics-text")
    assert 'status="200"' in text
    assert 'status="400"' in text
    return text


def test_prometheus_reads_every_sample(metrics, judge, tmp_path):
    """Its own reader of OpenMetrics, which wants a time behind each sample."""
    lines = [one if one.startswith("#") else f"{one} 1700000000" for one in metrics.splitlines()]
    (tmp_path / "metrics.txt").write_text("\n".join(lines) + "\n")
    words = [judge("promtool"), "tsdb", "create-blocks-from", "openmetrics"]
    done = subprocess.run(
        [*words, tmp_path / "metrics.txt", tmp_path / "data"],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    (block,) = (tmp_path / "data").glob("*/meta.json")
    counted = json.loads(block.read_text())["stats"]["numSamples"]
    assert counted == sum(not one.startswith("#") for one in lines)
    (tmp_path / "metrics.txt").write_text("\n".join(lines[:-1]) + "\n")  # no end: cut off
    done = subprocess.run(
        [*words, tmp_path / "metrics.txt", tmp_path / "cut"], capture_output=True, check=False
    )
    assert done.returncode == 1


def test_promtool_finds_nothing_to_say_of_the_metrics(metrics, judge):
    """Its linter reads the format before OpenMetrics, where a counter is declared by its sample."""
    counters = re.findall(r"# TYPE (\w+) counter", metrics)
    assert "qua3ck_requests" in counters
    text = re.sub(rf"(# (?:TYPE|HELP) (?:{'|'.join(counters)})) ", r"\1_total ", metrics)
    for given, ends in ((text, 0), (metrics.replace("_seconds", "_milliseconds"), 3)):
        done = subprocess.run(
            [judge("promtool"), "check", "metrics"],
            input=given, capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert done.returncode == ends, done.stderr


# -- mlserver ---------------------------------------------------------------------------------


@pytest.mark.parametrize("name", HTTP)
def test_answers_over_http_as_mlserver_does(server: Server, name: str):
    case = HTTP[name]
    ours, theirs = over_http(place(server), case), case["mlserver"]
    if name in STRICTER:
        assert 400 <= ours["status"] < 500, STRICTER[name]
        assert "error" in ours["keys"]
    elif theirs["status"] == 200:
        assert ours["status"] == 200
        assert_same_answer(ours["body"], theirs["body"], case.get("body", {}))
    elif 400 <= theirs["status"] < 500:
        # mlserver's framework answers 422 with a key of its own to what cannot be read at all;
        # the protocol wants 400 and "error".
        said = 400 if theirs["status"] == 422 else theirs["status"]
        assert ours["status"] == said
        assert "error" in ours["keys"]
    else:
        pytest.fail(f"mlserver failed with {theirs['status']}; say in STRICTER what we do")


def assert_same_answer(ours: Any, theirs: Any, asked: Any) -> None:
    """Every key that mlserver has is here too; what the model says is the same."""
    if theirs is None:  # health: the status is the answer
        return
    assert set(theirs) - {"parameters"} <= set(ours)
    if "outputs" in theirs and "model_version" in theirs:
        assert (ours["model_name"], ours["model_version"]) == ("shop", "1")
        assert ours["id"]
        assert asked.get("id", ours["id"]) == ours["id"]
        assert_same_cells(columns(ours["outputs"]), columns(theirs["outputs"]))
        assert_same_tensors(ours["outputs"], theirs["outputs"])
    elif "inputs" in theirs:
        assert ours["name"] == theirs["name"]
        for side in ("inputs", "outputs"):
            for mine, other in zip(ours[side], theirs[side], strict=True):
                assert mine == {key: other[key] for key in ("name", "datatype", "shape")}


def assert_same_cells(ours: dict[str, list[Any]], theirs: dict[str, list[Any]]) -> None:
    assert list(ours) == list(theirs) == ["label", "p_bad", "p_good"]
    assert ours["label"] == theirs["label"]
    for name in ("p_bad", "p_good"):
        assert ours[name] == pytest.approx(theirs[name], abs=1e-6)


def assert_same_tensors(ours: list[dict[str, Any]], theirs: list[dict[str, Any]]) -> None:
    """A column is [rows] here and [rows, 1] there; the protocol has both."""
    for mine, other in zip(ours, theirs, strict=True):
        assert (mine["name"], mine["datatype"]) == (other["name"], other["datatype"])
        assert [*mine["shape"], *other["shape"][1:]] == other["shape"]


@pytest.mark.parametrize("name", GRPC)
def test_answers_over_grpc_as_mlserver_does(server: Server, name: str):
    pytest.importorskip("tritonclient.grpc")
    case = GRPC[name]
    at = f"127.0.0.1:{server.plan.grpc_port}"
    until(lambda: over_grpc(at, GRPC["live"])["code"] == "OK", why="gRPC does not answer")
    ours, theirs = over_grpc(at, case), case["mlserver"]
    if theirs["code"] in ("INTERNAL", "UNKNOWN"):  # mlserver has no code for it
        wanted = {"ModelReady": "NOT_FOUND", "ModelInfer": "INVALID_ARGUMENT"}[case["call"]]
        assert ours["code"] == wanted
        return
    assert ours["code"] == theirs["code"]
    if case["call"] == "ModelInfer" and ours["code"] == "OK":
        assert ours["answer"]["id"] == case["request"]["id"]
        assert_same_cells(cells(ours["answer"]), cells(theirs["answer"]))
        assert_same_tensors(ours["answer"]["outputs"], theirs["answer"]["outputs"])
        raw = "raw_output_contents"
        assert (raw in ours["answer"]) == (raw in theirs["answer"])
    elif ours["code"] == "OK":
        assert set(theirs["answer"]) <= set(ours["answer"])


# -- MLflow -----------------------------------------------------------------------------------

JSON, CSV = "application/json", "text/csv"
ROWS = [ROW, {"income": 80.25, "age": 61, "home": "own"}, {"income": 0.5, "age": 40, "home": "own"}]
GAP = [{**ROWS[0], "income": None}, ROWS[1]]
NAMES = list(ROW)
CELLS = [list(row.values()) for row in ROWS]
TABLE = {name: [row[name] for row in ROWS] for name in ROW}
SPLIT = {"columns": NAMES, "data": CELLS}
LINES = "\n".join([",".join(NAMES), *(",".join(map(str, row)) for row in CELLS)]) + "\n"
GOOD: dict[str, tuple[str, Any]] = {
    "dataframe_split": (JSON, {"dataframe_split": SPLIT}),
    "dataframe_split with an index": (JSON, {"dataframe_split": {**SPLIT, "index": [7, 8, 9]}}),
    "dataframe_records": (JSON, {"dataframe_records": ROWS}),
    "instances": (JSON, {"instances": ROWS}),
    "inputs by column": (JSON, {"inputs": TABLE}),
    "one row": (JSON, {"dataframe_records": ROWS[:1]}),
    "an empty cell": (JSON, {"dataframe_records": GAP}),
    "a column left out that may be empty": (
        JSON,
        {"dataframe_records": [{"age": 22, "home": "rent"}]},
    ),
    "a whole number for a decimal": (JSON, {"dataframe_records": [{**ROW, "income": 33}]}),
    "a whole number with a point": (JSON, {"dataframe_records": [{**ROW, "age": 22.0}]}),
    "no params": (JSON, {"dataframe_split": SPLIT, "params": {}}),
    "params that are null": (JSON, {"dataframe_split": SPLIT, "params": None}),
    "charset": ("application/json; charset=utf-8", {"dataframe_split": SPLIT}),
    "CSV": (CSV, LINES),
    "CSV with an empty cell": (CSV, "income,age,home\n,22,rent\n"),
    "CSV in another order": (CSV, 'home,age,income\n"rent",22,33.5\n'),
    "CSV with charset": ("text/csv; charset=UTF-8", LINES),
}
BAD: dict[str, tuple[str, Any]] = {
    "no JSON": (JSON, "{"),
    "a list": (JSON, ROWS),
    "a text": (JSON, '"rows"'),
    "no format": (JSON, {"rows": ROWS}),
    "two formats": (JSON, {"dataframe_records": ROWS, "inputs": TABLE}),
    "a column is missing": (JSON, {"dataframe_records": [{"income": 33.5, "home": "rent"}]}),
    "a text for a number": (JSON, {"dataframe_records": [{**ROW, "age": "old"}]}),
    "a fraction for a whole number": (JSON, {"dataframe_records": [{**ROW, "age": 22.5}]}),
    "a fraction in a CSV": (CSV, "income,age,home\n33.5,22.5,rent\n"),
    "cells without names": (JSON, {"instances": CELLS}),
    "a row too short": (JSON, {"dataframe_split": {**SPLIT, "data": [[33.5, 22]]}}),
    "columns of different length": (JSON, {"inputs": {**TABLE, "age": [1]}}),
    "no row": (JSON, {"dataframe_records": []}),
    "bytes that are no text": (JSON, b"\xff\xfe{}"),
    "CSV that is no text": (CSV, b"income,age,home\n1,2,\xff\n"),
    "CSV without a column": (CSV, "income,home\n33.5,rent\n"),
    "another charset": ("application/json; charset=latin-1", {"dataframe_split": SPLIT}),
    "another kind of content": ("text/plain", "rows"),
}
# MLflow answers these; we refuse, because the answer would rest on a guess or be for nothing.
REFUSED: dict[str, tuple[str, Any]] = {
    "a column that the model does not know": (JSON, {"dataframe_records": [{**ROW, "shoes": 43}]}),
    "params that the model does not have": (JSON, {"dataframe_split": SPLIT, "params": {"k": 1}}),
    "a key beside the format": (JSON, {"dataframe_split": SPLIT, "more": 1}),
    "NaN, which is no JSON": (
        JSON,
        '{"dataframe_records": [{"income": NaN, "age": 2, "home": "own"}]}',
    ),
    "a null where training had none": (JSON, {"dataframe_records": [{**ROW, "age": None}]}),
}


@pytest.fixture(scope="module")
def mlflow(artefacts, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[..., Any]]:
    """Return what asks MLflow's scoring server, with the release as its registry has it."""
    httpx = pytest.importorskip("httpx")
    scoring = pytest.importorskip("mlflow.pyfunc.scoring_server")
    import mlflow.pyfunc as library

    from qua3ck.store.releases import pyfunc

    folder = tmp_path_factory.mktemp("mlflow")
    wanted = pyfunc.files(artefacts[0], into=folder / "code")
    before = dict(os.environ)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it uses what pandas 3 calls out of date
        library.save_model(path=str(folder / "model"), **wanted)
        model = library.load_model(str(folder / "model"))
        app = scoring.init(model)

    async def ask(kind: str, body: bytes) -> tuple[int, Any]:
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url="http://mlflow") as client:
            said = await client.post("/invocations", content=body, headers={"content-type": kind})
        return said.status_code, said.json() if said.status_code == 200 else said.text

    def csv(kind: str, body: bytes) -> tuple[int, Any]:
        """Without the signature: its reader of CSV cannot read one with columns of any type."""
        try:
            said = scoring.invocations(body, kind, model, None)
        except scoring.MlflowException as problem:
            return problem.get_http_status_code(), problem.message
        return said.status, json.loads(said.response)

    def asked(kind: str, body: Any) -> tuple[int, Any]:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            if kind.startswith(CSV):
                return csv(kind, spelt(body))
            return asyncio.run(ask(kind, spelt(body)))

    yield asked
    for name in set(os.environ) - set(before):
        del os.environ[name]


def spelt(body: Any) -> bytes:
    text = body if isinstance(body, str | bytes) else json.dumps(body)
    return text if isinstance(text, bytes) else text.encode()


def ours(steady, kind: str, body: Any) -> tuple[int, Any]:
    said = steady.ask("/invocations", spelt(body), headers={"content-type": kind})
    return said.status, said.json()


@pytest.mark.parametrize("name", GOOD)
def test_each_format_is_answered_as_mlflow_answers_it(mlflow, steady, name):
    wanted, got = mlflow(*GOOD[name]), ours(steady, *GOOD[name])
    assert (wanted[0], got[0]) == (200, 200), (wanted, got)
    assert set(got[1]) == set(wanted[1]) == {"predictions"}
    for mine, theirs in zip(got[1]["predictions"], wanted[1]["predictions"], strict=True):
        assert mine == pytest.approx(theirs, abs=1e-9)


@pytest.mark.parametrize("name", BAD)
def test_what_mlflow_refuses_is_refused(mlflow, steady, name):
    wanted, got = mlflow(*BAD[name]), ours(steady, *BAD[name])
    assert 400 <= wanted[0] < 500, wanted
    assert 400 <= got[0] < 500
    assert (got[0] == 415) == (wanted[0] == 415)
    assert {"what", "where", "fix"} <= set(got[1])


@pytest.mark.parametrize("name", REFUSED)
def test_what_only_mlflow_answers(mlflow, steady, name):
    assert mlflow(*REFUSED[name])[0] == 200
    status, said = ours(steady, *REFUSED[name])
    assert status in (400, 422)
    assert {"what", "where", "fix"} <= set(said)


def test_parquet_is_left_to_batch(mlflow, steady, tmp_path):
    """MLflow reads it; here it is refused by name, for its reader is larger than a worker."""
    import pandas as pd

    pd.DataFrame(ROWS).to_parquet(tmp_path / "rows.parquet")
    asked = ("application/vnd.apache.parquet", (tmp_path / "rows.parquet").read_bytes())
    assert mlflow(*asked)[0] == 200
    assert ours(steady, *asked)[0] == 415


def test_mlflows_client_drives_our_server(mlflow, server: Server):
    """``ScoringServerClient``, and the form that MLflow makes of an input example."""
    del mlflow  # imported, and its warnings with it
    import pandas as pd
    from mlflow.models import convert_input_example_to_serving_input
    from mlflow.pyfunc.scoring_server.client import ScoringServerClient

    host, port = place(server).split(":")
    client = ScoringServerClient(host, port)
    client.wait_server_ready(timeout=20)
    assert client.get_version()
    table = pd.DataFrame(ROWS)
    got = client.invoke(table).get_predictions()
    assert list(got["label"]) == [server.predict(row)[2]["predictions"][0]["label"] for row in ROWS]
    assert list(got.columns) == ["label", "p_bad", "p_good"]
    for example in (table, ROWS, TABLE):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            body = json.loads(convert_input_example_to_serving_input(example))
        status, _, said = server.ask("/invocations", body)
        assert status == 200, (body, said)
        pd.testing.assert_frame_equal(pd.DataFrame(said["predictions"]), got)
