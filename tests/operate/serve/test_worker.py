"""A process of its own, judged by the clients of the field."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from asgi import ROW, Client
from running import Server, serving, until
from small_shop import make_shop
from test_versions import spoil_golden

from qua3ck.operate.records import ServePlan

DAY_S = 86_400.0
FORBIDDEN = ("pandas", "mlflow", "sklearn", "duckdb", "deltalake", "scipy", "lightgbm", "optuna")
ROOMS = ("transfer", "conclude", "a3", "understand", "project", "cli", "question")
MOST_MB = 120


@pytest.fixture(scope="module")
def server(artefacts, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("server")
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


class Clock:
    """Seconds that only a test moves."""

    now = 1000.0

    def __call__(self) -> float:
        return self.now


def test_the_golden_rows_are_replayed_a_day_later_and_a_difference_ends_the_version(
    shop, plan_of, monkeypatch
):
    from qua3ck.operate.serve import worker as working

    monkeypatch.setattr(working, "_tidy", lambda: None)  # it is for a process of its own
    shop.move(1)
    clock = Clock()
    worker = working.Worker(plan_of(shop), 0, now=clock)
    client = Client(worker.app, worker.versions, worker.follower, worker.metrics, worker.logbook)
    worker.look()
    spoil_golden(shop.root / "releases" / "1" / "model")
    clock.now += DAY_S - 1
    worker.look()
    assert (client.invoke(ROW).status, client.ask("/v2/health/ready").status) == (200, 200)
    clock.now += 1
    worker.look()
    said = client.invoke(ROW)
    assert (said.status, client.ask("/v2/health/ready").status) == (503, 503)
    assert "golden rows" in said.json()["what"]


def outputs(said) -> dict[str, np.ndarray]:
    return {name: said.as_numpy(name) for name in ("label", "p_bad", "p_good")}


def asked(client, library) -> dict[str, np.ndarray]:
    """Send one row with tritonclient, as its documentation does."""
    cells = {
        "income": np.array([33.5]),
        "age": np.array([22], dtype=np.int64),
        "home": np.array(["rent"], dtype=object),
    }
    types = {"income": "FP64", "age": "INT64", "home": "BYTES"}
    inputs = []
    for name, column in cells.items():
        inputs.append(library.InferInput(name, [1], types[name]))
        inputs[-1].set_data_from_numpy(column)
    return outputs(client.infer("shop", inputs))


def test_tritonclient_over_http(server: Server):
    library = pytest.importorskip("tritonclient.http")
    client = library.InferenceServerClient(server.url.removeprefix("http://"))
    try:
        assert client.is_server_live()
        assert client.is_server_ready()
        assert client.is_model_ready("shop")
        assert client.is_model_ready("shop", "1")
        assert not client.is_model_ready("shop", "7")
        (one,) = client.get_model_repository_index()
        assert (one["name"], one["version"], one["state"]) == ("shop", "1", "READY")
        client.load_model("shop")
        with pytest.raises(Exception, match="no such path"):
            client.load_model("another")
        assert client.get_server_metadata()["name"] == "qua3ck"
        assert [one["name"] for one in client.get_model_metadata("shop")["inputs"]] == list(ROW)
        got = asked(client, library)
        want = server.predict(ROW)[2]["predictions"][0]
        assert got["label"][0].decode() == want["label"]
        assert got["p_bad"][0] == want["p_bad"]
        with pytest.raises(Exception, match=r"age.*missing"):
            client.infer("shop", [_only("income", library)])
    finally:
        client.close()


def _only(name: str, library):
    one = library.InferInput(name, [1], "FP64")
    one.set_data_from_numpy(np.array([1.0]))
    return one


def test_tritonclient_over_grpc(server: Server):
    library = pytest.importorskip("tritonclient.grpc")
    client = library.InferenceServerClient(f"127.0.0.1:{server.plan.grpc_port}")
    try:
        until(client.is_server_ready, why="gRPC does not answer")
        assert client.is_server_live()
        assert client.is_model_ready("shop", "1")
        assert client.get_server_metadata().name == "qua3ck"
        metadata = client.get_model_metadata("shop")
        assert (metadata.inputs[0].name, metadata.inputs[0].datatype) == ("income", "FP64")
        got = asked(client, library)
        want = server.predict(ROW)[2]["predictions"][0]
        assert got["label"][0].decode() == want["label"]
        assert got["p_bad"][0] == want["p_bad"]
        with pytest.raises(Exception, match=r"INVALID_ARGUMENT.*age.*missing"):
            client.infer("shop", [_only("income", library)])
        with pytest.raises(Exception, match="NOT_FOUND"):
            client.get_model_metadata("nothing")
    finally:
        client.close()


def test_curl(server: Server):
    if shutil.which("curl") is None:
        pytest.skip("curl is not installed")
    body = json.dumps({"dataframe_split": {"columns": list(ROW), "data": [list(ROW.values())]}})
    done = subprocess.run(
        [
            "curl",
            "-sS",
            "-H",
            "content-type: application/json",
            "-d",
            body,
            f"{server.url}/invocations",
        ],
        capture_output=True,
        check=True,
    )
    assert json.loads(done.stdout)["predictions"][0]["label"] in {"bad", "good"}


def test_keeps_a_connection_and_answers_head_without_a_body(server: Server):
    import http.client
    from urllib.parse import urlsplit

    connection = http.client.HTTPConnection(urlsplit(server.url).netloc, timeout=10)
    try:
        for _ in range(3):
            connection.request("HEAD", "/v2/health/live")
            answer = connection.getresponse()
            assert (answer.status, answer.read()) == (200, b"")
            assert server.on(connection, "/v2/health/live")[2] == {"live": True}
    finally:
        connection.close()


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="no /proc")
def test_a_worker_stays_small(server: Server):
    for _ in range(200):
        server.predict(ROW)
    for pid in server.workers():
        status = Path(f"/proc/{pid}/status").read_text()
        (line,) = [one for one in status.splitlines() if one.startswith("VmHWM")]
        assert int(line.split()[1]) / 1000 < MOST_MB


def test_schemathesis_finds_no_answer_that_is_not_documented(server: Server):
    program = Path(sys.executable).with_name("st")
    if not program.exists():
        pytest.skip("schemathesis is not installed")
    checks = (
        "not_a_server_error,status_code_conformance,content_type_conformance,"
        "response_schema_conformance"
    )
    words = ["run", f"{server.url}/openapi.json", "--checks", checks, "--max-examples", "15"]
    words += ["--seed", "4", "--no-color", "--generation-database", "none"]
    done = subprocess.run([str(program), *words], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-4000:]
    assert server.said("request.failed") == []


LOADED = """
    import json, sys
    from pathlib import Path
    from qua3ck.operate.records import read_plan
    from qua3ck.operate.serve.worker import Worker
    worker = Worker(read_plan(Path(sys.argv[1])), 3)
    worker.look()
    assert not worker.app.problem()
    print(json.dumps(sorted(sys.modules)))
"""


def test_a_worker_loads_nothing_that_trains_or_loads(server: Server):
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(LOADED), str(server.plan.state / "plan.json")],
        capture_output=True,
        text=True,
        check=False,
        env=dict(os.environ),
    )
    assert done.returncode == 0, done.stderr
    loaded = json.loads(done.stdout.splitlines()[-1])
    names = {name.split(".")[0] for name in loaded}
    assert names & set(FORBIDDEN) == set()
    rooms = {name.split(".")[1] for name in loaded if name.startswith("qua3ck.")}
    assert rooms & set(ROOMS) == set()
