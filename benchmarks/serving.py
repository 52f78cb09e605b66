"""What `qua3ck serve` gains over `mlflow models serve`, and how far it is from the floor.

The same fitted models behind both: a random forest, LightGBM and TF-IDF text, each with the
checks, the prediction log and the counters of a release switched on; and each once more as
the Python pipeline that a release falls back to where ONNX is not earned. MLflow serves the
same scikit-learn pipeline as it logs it, asked for probabilities. The floor is a bare ONNX
Runtime call in an empty ASGI application under uvicorn. With ``--peers`` the forest and
LightGBM are also served by mlserver 1.7.1 (its runtime for scikit-learn, without the pool of
processes, which does not start with uvloop 0.23) and BentoML 1.4.40, each installed on demand
under ``build/peers/``.

All servers run at once and are asked in turns, so that a busy machine hits all alike; one
worker each, 127.0.0.1 only, and before anything is measured all have to give the same
probabilities. Each server is asked for as long as 5,000 requests of one row take it (1,000 of
100 rows); p99 is of all of them together. Needs `wrk` (a package of every Linux distribution).

Memory is judged on what a worker holds when everything was answered (VmRSS): that is what a
machine must have for each of them as long as it serves. The peak is printed beside it: it
falls into the second in which a model is read (the file's bytes and what becomes of them, at
once) and is what a hard limit of a container must leave room for.

    python benchmarks/serving.py [--peers] [forest lightgbm text fallback_forest ...]
"""

from __future__ import annotations

import argparse
import itertools
import json
import math
import os
import re
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "operate"))

import httpx
import numpy as np
import pandas as pd
from peers.environments import NotInstalled, python_of
from small_shop import column, make_shop

from qua3ck.a3 import adapt, algorithms
from qua3ck.a3.package import Choice, package
from qua3ck.operate.records import ServePlan, write_plan
from qua3ck.store.releases import prelude

ROUNDS = int(os.environ.get("QUA3CK_BENCH_ROUNDS", "6"))
SECONDS = int(os.environ.get("QUA3CK_BENCH_SECONDS", "4"))  # of a turn, at least
REQUESTS = int(os.environ.get("QUA3CK_BENCH_REQUESTS", "5000"))  # of one row, over all rounds
WARM_S = 2  # at first; a server that has not answered by then is given twice as long
KINDS = ("forest", "lightgbm", "text")
KEPT = "fallback_"  # before a kind: as the Python pipeline
MODELS = (*KINDS, *(f"{KEPT}{kind}" for kind in KINDS))
WITH_PEERS = ("forest", "lightgbm")
SHAPES = ((1, 1), (1, 8), (100, 1), (100, 8))  # rows, connections
TRAIN = 4000
PATIENCE_S = 240
BARS = {  # p50, p99 and requests/s at least so many times better than MLflow
    "forest": (40, 10, 60),
    "lightgbm": (25, 10, 50),
    "text": (8, 10, 12),
    "fallback_forest": (1.5, None, None),
    "fallback_lightgbm": (5, None, None),
    "fallback_text": (2.5, None, None),
}
WORDS = [
    *("water", "pump", "broken", "village", "school", "clinic", "road", "flood", "delay"),
    *("supplies", "doctor", "payment", "missing", "market", "teacher", "bridge", "repaired"),
    *("late", "stock", "vaccine", "fridge", "power", "outage", "truck", "arrived", "rain"),
]
FLOOR = """
import sys
import numpy as np, uvicorn
from pathlib import Path
from qua3ck.store.releases import runner
from qua3ck.store.releases.artefact import read_manifest
from qua3ck.store.releases.rows import Rows
import json
import math
folder, rows = Path(sys.argv[1]), json.loads(sys.argv[3])
spec = read_manifest(folder).spec
table = {name: [row[name] for row in rows] for name in rows[0]}
feed = Rows(spec).prepare(table, len(rows)).feed()
run = runner.open_session((folder / "model.onnx").read_bytes())
headers = [(b"content-type", b"application/json"), (b"content-length", b"2")]
async def app(scope, receive, send):
    await receive()
    run(feed)
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": b"{}"})
uvicorn.run(app, port=int(sys.argv[2]), http="httptools", loop="uvloop", lifespan="off",
            access_log=False, log_level="error", ws="none")
"""
JOBLIB = """
import sys, joblib, skops.io
path = sys.argv[1]
joblib.dump(skops.io.load(path, trusted=skops.io.get_untrusted_types(file=path)), sys.argv[2])
"""
MLFLOW = """
import sys, skops.io, mlflow.sklearn
path = sys.argv[1]
pipeline = skops.io.load(path, trusted=skops.io.get_untrusted_types(file=path))
mlflow.sklearn.save_model(pipeline, sys.argv[2], pyfunc_predict_fn="predict_proba",
                          pip_requirements=["scikit-learn"], serialization_format="cloudpickle")
"""


Rows = list[dict[str, Any]]
Key = tuple[int, int]


@dataclass
class Served:
    """A server, how it is asked, and what was measured of it by number of rows and connections.

    ``body`` gives the request for rows, ``share`` the probability of the first class for each
    row of its answer; ``root`` is the process that was started, ``pid`` the one that answers.
    """

    name: str
    port: int
    path: str
    pid: int
    root: int
    body: Callable[[Rows], Any]
    share: Callable[[Any], list[float]] | None
    ready_s: float = 0.0
    seconds: dict[Key, int] = field(default_factory=dict)  # of a turn
    p50: dict[Key, list[float]] = field(default_factory=dict)  # us, one a round
    rate: dict[Key, list[float]] = field(default_factory=dict)  # requests a second, one a round
    cpu: dict[Key, list[float]] = field(default_factory=dict)  # us a request, one a round
    times: dict[Key, Counter[int]] = field(default_factory=dict)  # us to requests, all rounds

    def p99(self, key: Key) -> float:
        """Return the 99th percentile of all requests, in us."""
        return percentile(self.times[key], 99)

    def asked(self, key: Key) -> int:
        """Return the number of requests."""
        return self.times[key].total()


def main() -> dict[str, float]:
    """Print and return ratios for every model."""
    parser = argparse.ArgumentParser()
    parser.add_argument("models", nargs="*", metavar="model", help=", ".join(MODELS))
    parser.add_argument("--peers", action="store_true", help="also mlserver and BentoML")
    options = parser.parse_args()
    if unknown := set(options.models) - set(MODELS):
        parser.error(f"no such model: {', '.join(sorted(unknown))}")
    if shutil.which("wrk") is None:
        sys.exit("wrk is not installed: apt-get install wrk")
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("ended"))  # the servers end with it
    peers = installed() if options.peers else {}
    began = time.perf_counter()
    result: dict[str, float] = {}
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        os.environ["QUA3CK_KEYS"] = str(folder / "keys")
        for model in options.models or MODELS:
            found = measured(folder / model, model, peers if model in WITH_PEERS else {})
            print(json.dumps(found), file=sys.stderr)
            result |= found
    say(f"the whole run took {(time.perf_counter() - began) / 60:.0f} minutes")
    print(json.dumps(result))
    return result


def installed() -> dict[str, Path]:
    """Return the Python of every peer that can be installed; say which cannot."""
    found = {}
    for peer in ("mlserver", "bentoml"):
        try:
            found[peer] = python_of(peer)
        except NotInstalled as problem:
            say(f"{peer} is not measured: {problem}")
    return found


def measured(folder: Path, model: str, peers: dict[str, Path]) -> dict[str, float]:
    """Serve one model in every way and return its figures."""
    folder.mkdir()
    artefact, rows = fitted(folder, model)
    with ExitStack() as stack:
        servers = [
            stack.enter_context(qua3ck_server(folder, artefact)),
            stack.enter_context(mlflow_server(folder, artefact)),
        ]
        for peer, python in peers.items():
            start = {"mlserver": mlserver_server, "bentoml": bentoml_server}[peer]
            servers.append(stack.enter_context(start(folder, artefact, python, rows[0])))
        if not model.startswith(KEPT):
            servers.append(stack.enter_context(floor(folder, artefact, rows[:1])))
        agree(servers, rows)
        plan(folder, model, servers, rows)
        for _ in range(ROUNDS):
            for server, key in turns(servers):
                load(folder, server, rows[: key[0]], key[1], server.seconds[key])
        tell(model, servers)
        found = figures(model, servers)
        tell_floor(model, found)
        return found


def turns(servers: list[Served]) -> list[tuple[Served, Key]]:
    """Return who is asked what in a round: all servers in turn, one shape after the other."""
    return [
        (server, key)
        for key, server in itertools.product(SHAPES, servers)
        if server.name != "floor" or key[0] == 1
    ]


def agree(servers: list[Served], rows: Rows) -> None:
    """End the run unless every server answers every row alike."""
    found = {}
    for server in servers:
        if server.share is not None:
            said = ask(server, rows)
            found[server.name] = np.array(server.share(said))
    first, *others = found
    for name in others:
        if not np.allclose(found[first], found[name], atol=1e-4):
            sys.exit(f"{name} and {first} do not serve the same model")


def ask(server: Served, rows: Rows) -> Any:
    """Return the answer of a server to rows."""
    place = f"http://127.0.0.1:{server.port}{server.path}"
    said = httpx.post(place, json=server.body(rows), timeout=PATIENCE_S)
    return said.raise_for_status().json()


def plan(folder: Path, model: str, servers: list[Served], rows: Rows) -> None:
    """Warm every server up, and give each turns long enough for the requests it needs."""
    for server, key in turns(servers):
        rate = warmed(folder, server, rows[: key[0]], key[1])
        least = REQUESTS if key[0] == 1 else REQUESTS // 5
        server.seconds[key] = max(SECONDS, math.ceil(1.1 * least / ROUNDS / rate))
    whole = ROUNDS * sum(server.seconds[key] for server, key in turns(servers))
    each = {server.name: round(ROUNDS * sum(server.seconds.values()) / 60, 1) for server in servers}
    say(f"{model}: {ROUNDS} rounds take about {whole / 60:.0f} minutes ({each})")


def warmed(folder: Path, server: Served, rows: Rows, connections: int) -> float:
    """Return a server's requests a second once it answers at all.

    MLflow imports what it needs with the first request: more than a minute on a busy machine.
    """
    seconds = WARM_S
    while seconds <= PATIENCE_S:
        rate = load(folder, server, rows, connections, seconds, note=False)
        if rate:
            return rate
        seconds *= 2
    sys.exit(f"{server.name} did not answer within {PATIENCE_S} seconds")


def fitted(folder: Path, model: str) -> tuple[Path, list[dict[str, Any]]]:
    """Fit and package a model; return the artefact and rows to ask with."""
    of = model.removeprefix(KEPT)
    table, target = texts() if of == "text" else applications()
    kind = {"forest": "random_forest", "text": "logistic_regression"}.get(of, "gradient_boosting")
    params = {} if of == "text" else {"n_estimators": 200}
    spec = {
        "version": 1,
        "task": "binary",
        "classes": ["bad", "good"],
        "positive": "bad",
        "threshold": 0.5,
        "ignored": ["status"],
        "columns": [described(name, table[name]) for name in table],
    }
    raw = table.iloc[:TRAIN]
    prepared = prelude.prepare(table, spec)
    pipeline = adapt.build_pipeline(spec, algorithms.find(kind, "binary"), params, 7)
    adapt.fit(pipeline, prepared.iloc[:TRAIN], target[:TRAIN])
    choice = Choice("skops", "The fallback is measured.") if of != model else None
    made = package(
        pipeline, spec, folder=folder / "artefact", held_out=prepared.iloc[TRAIN:], training=raw,
        algorithm=kind, seed=1, choice=choice,
    )  # fmt: skip
    print(f"{model}: {made.model_format}, {made.size_mb:.1f} MB. {made.why}", file=sys.stderr)
    rows = json.loads(table.iloc[TRAIN:].to_json(orient="records"))
    return folder / "artefact", rows[:100]


def applications(rows: int = TRAIN + 500) -> tuple[pd.DataFrame, np.ndarray]:
    """Return invented applications: nine numbers and three categories."""
    rng = np.random.default_rng(5)
    numbers = {f"amount_{at}": rng.lognormal(3, 1, rows).round(2) for at in range(9)}
    homes = {f"kind_{at}": rng.choice(list("abcdef"), rows) for at in range(3)}
    table = pd.DataFrame({**numbers, **homes})
    raw = np.log(table["amount_0"] / table["amount_1"]) + (table["kind_0"] == "a")
    bad = raw + rng.normal(0, 1, rows) > 0
    return table, np.where(bad, "bad", "good").astype(object)


def texts(rows: int = TRAIN + 500) -> tuple[pd.DataFrame, np.ndarray]:
    """Return invented messages, and whether they sound bad."""
    rng = np.random.default_rng(6)
    made = [" ".join(rng.choice(WORDS, rng.integers(5, 40))) for _ in range(rows)]
    bad = np.array([("broken" in one) + ("missing" in one) - ("repaired" in one) for one in made])
    noise = rng.normal(0, 0.3, rows)
    return pd.DataFrame({"message": made}), np.where(bad + noise > 0.5, "bad", "good").astype(
        object
    )


def described(name: str, values: pd.Series) -> dict[str, Any]:
    """Return a column's declaration, as understand would."""
    if name == "message":
        return column(name, "text", type="string", words=True)
    if pd.api.types.is_numeric_dtype(values):
        return column(
            name, "number", type="double", low=float(values.min()), high=float(values.max())
        )
    known = sorted(values.unique())
    return column(name, "category", type="string", values=known, distinct=len(known))


@contextmanager
def qua3ck_server(folder: Path, artefact: Path) -> Iterator[Served]:
    """Serve as `qua3ck serve` does: supervisor, one worker, ledger, log, counters."""
    shop = make_shop(folder / "shop", [artefact])
    shop.move(1)
    port = free_port()
    plan = ServePlan(str(shop.root), "shop", shop.workspace.project_id, port=port)
    write_plan(plan, plan.state / "plan.json")
    words = [sys.executable, "-m", "qua3ck.operate.serve", str(plan.state / "plan.json")]
    health, path = "/v2/health/ready", "/invocations"
    with running("qua3ck", words, folder, port, health, path, split, named_shares) as served:
        (served.pid,) = json.loads((plan.state / "running.json").read_text())["workers"].values()
        yield served


@contextmanager
def mlflow_server(folder: Path, artefact: Path) -> Iterator[Served]:
    """Serve the same pipeline as MLflow logs it."""
    saved = pipeline(artefact, MLFLOW, folder / "mlflow")
    port = free_port()
    words = [
        sys.executable, "-m", "mlflow", "models", "serve", "-m", str(saved), "-p", str(port),
        "--env-manager", "local", "-h", "127.0.0.1",
    ]  # fmt: skip
    health, path = "/ping", "/invocations"
    with running("mlflow", words, folder, port, health, path, split, listed_shares) as served:
        yield served


@contextmanager
def mlserver_server(
    folder: Path, artefact: Path, python: Path, row: dict[str, Any]
) -> Iterator[Served]:
    """Serve the same pipeline with mlserver's own runtime for scikit-learn."""
    place = folder / "mlserver"
    place.mkdir()
    saved = pipeline(artefact, JOBLIB, place / "model.joblib")
    ports = [free_port() for _ in range(3)]
    names = ("http_port", "grpc_port", "metrics_port")
    settings = {"host": "127.0.0.1", "parallel_workers": 0, **dict(zip(names, ports, strict=True))}
    (place / "settings.json").write_text(json.dumps(settings))
    about = {
        "name": "model",
        "implementation": "mlserver_sklearn.SKLearnModel",
        "parameters": {
            "uri": str(saved),
            "content_type": "pd",
            "extra": {"predict_fn": "predict_proba"},
        },
        "inputs": [
            {"name": name, "datatype": datatype(cell), "shape": [-1],
             **({"parameters": {"content_type": "str"}} if isinstance(cell, str) else {})}
            for name, cell in row.items()
        ],
    }  # fmt: skip
    (place / "model-settings.json").write_text(json.dumps(about))
    words = [str(python.parent / "mlserver"), "start", str(place)]
    path = "/v2/models/model/infer"
    health = "/v2/models/model/ready"
    with running(
        "mlserver", words, folder, ports[0], health, path, tensors, tensor_shares
    ) as served:
        yield served


@contextmanager
def bentoml_server(
    folder: Path, artefact: Path, python: Path, row: dict[str, Any]
) -> Iterator[Served]:
    """Serve the same pipeline with BentoML."""
    del row
    saved = pipeline(artefact, JOBLIB, folder / "bentoml.joblib")
    port = free_port()
    words = [
        "env", f"MODEL={saved}", "BENTOML_DO_NOT_TRACK=true", f"BENTOML_HOME={folder / 'bentoml'}",
        str(python.parent / "bentoml"), "serve", "bento_service:Pipeline", "--working-dir",
        str(Path(__file__).parent / "peers"), "--host", "127.0.0.1", "--port", str(port),
    ]  # fmt: skip
    with running(
        "bentoml", words, folder, port, "/readyz", "/predict", records, plain_shares
    ) as served:
        yield served


def pipeline(artefact: Path, script: str, to: Path) -> Path:
    """Write the artefact's scikit-learn pipeline as another server wants it."""
    reference = artefact / "reference" / "model.skops"
    path = reference if reference.is_file() else artefact / "model.skops"
    subprocess.run([sys.executable, "-W", "ignore", "-c", script, path, to], check=True)
    return to


@contextmanager
def floor(folder: Path, artefact: Path, rows: list[dict[str, Any]]) -> Iterator[Served]:
    """Serve nothing but the call of the session."""
    port = free_port()
    words = [sys.executable, "-c", FLOOR, str(artefact), str(port), json.dumps(rows)]
    with running("floor", words, folder, port, "/", "/", split, None) as served:
        yield served


def split(rows: Rows) -> Any:
    """Return rows as MLflow's clients send them."""
    return {"dataframe_split": {"columns": list(rows[0]), "data": [list(r.values()) for r in rows]}}


def records(rows: Rows) -> Any:
    """Return rows as BentoML's clients send a table."""
    return {"table": rows}


def tensors(rows: Rows) -> Any:
    """Return rows as tensors, one a column."""
    return {
        "inputs": [
            {
                "name": name,
                "shape": [len(rows)],
                "datatype": datatype(rows[0][name]),
                "data": [row[name] for row in rows],
            }
            for name in rows[0]
        ]
    }


def datatype(cell: Any) -> str:
    """Return the tensor type of a cell."""
    return "BYTES" if isinstance(cell, str) else "FP64"


def named_shares(said: Any) -> list[float]:
    """Return the first class's probability of each row, from our answer."""
    return [one["p_bad"] for one in said["predictions"]]


def listed_shares(said: Any) -> list[float]:
    """Return it from MLflow's answer."""
    return [one[0] for one in said["predictions"]]


def tensor_shares(said: Any) -> list[float]:
    """Return it from mlserver's answer: one tensor, row after row."""
    return said["outputs"][0]["data"][::2]


def plain_shares(said: Any) -> list[float]:
    """Return it from BentoML's answer."""
    return [one[0] for one in said]


@contextmanager
def running(
    name: str,
    words: list[str],
    folder: Path,
    port: int,
    health: str,
    path: str,
    body: Callable[[Rows], Any],
    share: Callable[[Any], list[float]] | None,
) -> Iterator[Served]:
    """Run a server until the block ends; it is ready when ``health`` answers 200."""
    began = time.perf_counter()
    with (folder / f"{name}.log").open("wb") as log:
        here = {**os.environ, "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}
        process = subprocess.Popen(words, stdout=log, stderr=log, start_new_session=True, env=here)
    try:
        wait_for(f"http://127.0.0.1:{port}{health}", process, folder / f"{name}.log")
        ready = time.perf_counter() - began
        yield Served(name, port, path, process.pid, process.pid, body, share, ready)
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGTERM)
            try:
                process.wait(timeout=20)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()


def wait_for(url: str, process: subprocess.Popen[bytes], log: Path) -> None:
    """Wait until a server is ready."""
    until = time.monotonic() + PATIENCE_S
    while time.monotonic() < until:
        if process.poll() is not None:
            sys.exit(f"{log.stem} ended: {log.read_text()[-2000:]}")
        with suppress(httpx.TransportError):
            if httpx.get(url, timeout=2).status_code == 200:
                return
        time.sleep(0.01)
    sys.exit(f"not ready in time: {url}")


def load(
    folder: Path, server: Served, rows: Rows, connections: int, seconds: int, *, note: bool = True
) -> float:
    """Ask one server for a while, note what came of it, and return its requests a second.

    Only where nothing is noted may a server have answered nothing yet.
    """
    script = folder / "request.lua"
    script.write_text(
        'wrk.method = "POST"\nwrk.headers["Content-Type"] = "application/json"\n'
        f"wrk.body = {json.dumps(json.dumps(server.body(rows)))}\n"
        "done = function(summary, latency)\n"
        "  local wrong = summary.errors\n"
        '  io.write(string.format("ASKED %d WRONG %d US %d\\n", summary.requests, wrong.status'
        " + wrong.connect + wrong.read + wrong.write + wrong.timeout, summary.duration))\n"
        "  for at = 1, #latency do\n"
        '    io.write(string.format("TOOK %d %d\\n", latency(at)))\n  end\nend\n'
    )
    before = cpu_s(server.root)
    said = subprocess.run(
        ["wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "-s", str(script),
         "--timeout", f"{PATIENCE_S}s", f"http://127.0.0.1:{server.port}{server.path}"],
        capture_output=True, text=True, check=True,
    ).stdout  # fmt: skip
    found = re.search(r"ASKED (\d+) WRONG (\d+) US (\d+)", said)
    if found is None or int(found[2]) or (note and found[1] == "0"):
        sys.exit(f"{server.name} refused or did not answer: {said[:2000]}")
    requests, rate = int(found[1]), int(found[1]) / int(found[3]) * 1e6
    if note:
        key = (len(rows), connections)
        took = re.findall(r"TOOK (\d+) (\d+)", said)
        times = Counter({int(us): int(n) for us, n in took})
        server.times.setdefault(key, Counter()).update(times)
        server.p50.setdefault(key, []).append(percentile(times, 50))
        server.rate.setdefault(key, []).append(rate)
        spent = (cpu_s(server.root) - before) / requests * 1e6
        server.cpu.setdefault(key, []).append(max(1.0, spent))
    return rate


def percentile(times: Counter[int], percent: float) -> float:
    """Return the least time that this share of the requests did not exceed."""
    wanted, so_far = times.total() * percent / 100, 0
    for us in sorted(times):
        so_far += times[us]
        if so_far >= wanted:
            return us
    return max(times)


def figures(model: str, servers: list[Served]) -> dict[str, float]:
    """Return ratios of medians over the rounds, with their budgets."""
    ours, theirs, *rest = servers
    made: dict[str, float] = {}
    p50, p99, rate = BARS[model]
    one, eight, hundred = (1, 1), (1, 8), (100, 1)
    add(made, f"{model}_p50_times", ratio(theirs.p50, ours.p50, one), p50)
    add(made, f"{model}_p99_times", round(theirs.p99(one) / ours.p99(one), 1), p99)
    add(made, f"{model}_requests_times", ratio(ours.rate, theirs.rate, eight), rate)
    add(made, f"{model}_cpu_times", ratio(theirs.cpu, ours.cpu, eight), None)
    add(made, f"{model}_100_rows_p50_times", ratio(theirs.p50, ours.p50, hundred), None)
    for other in rest:
        if other.name == "floor":
            against_floor(made, model, ours, other)
        else:
            against_peer(made, model, ours, other)
    for server in servers:
        name = model if server is ours else f"{model}_{server.name}"
        add(made, f"{name}_p50_us", round(statistics.median(server.p50[one])), None)
        add(made, f"{name}_p99_us", round(server.p99(one)), None)
        add(made, f"{name}_requests", round(statistics.median(server.rate[eight])), None)
        add(made, f"{name}_asked", server.asked(one), None)
        add(made, f"{name}_mb", tree_mb(server.root), None)
    bounded = not model.startswith(KEPT)
    add(made, f"{model}_worker_mb", held_mb(ours.pid), None, most=120 if bounded else None)
    add(made, f"{model}_worker_peak_mb", peak_mb(ours.pid), None)
    add(made, f"{model}_ready_s", round(ours.ready_s, 2), None, most=2 if bounded else None)
    add(made, f"{model}_mlflow_ready_s", round(theirs.ready_s, 1), None)
    return made


def against_floor(made: dict[str, float], model: str, ours: Served, least: Served) -> None:
    """Add how far we are from the bare call."""
    one, eight = (1, 1), (1, 8)
    add(made, f"{model}_p50_of_floor", ratio(ours.p50, least.p50, one), None, most=2)
    add(made, f"{model}_requests_of_floor", ratio(least.rate, ours.rate, eight), None)
    add(made, f"{model}_cpu_of_floor", ratio(ours.cpu, least.cpu, eight), None)


def against_peer(made: dict[str, float], model: str, ours: Served, peer: Served) -> None:
    """Add how many times better than a peer we are."""
    one, eight, hundred = (1, 1), (1, 8), (100, 1)
    name = f"{model}_over_{peer.name}"
    add(made, f"{name}_p50_times", ratio(peer.p50, ours.p50, one), None)
    add(made, f"{name}_p99_times", round(peer.p99(one) / ours.p99(one), 1), None)
    add(made, f"{name}_requests_times", ratio(ours.rate, peer.rate, eight), None)
    add(made, f"{name}_100_rows_p50_times", ratio(peer.p50, ours.p50, hundred), None)


def tell(model: str, servers: list[Served]) -> None:
    """Print what was measured of every server, as a table of Markdown."""
    say(
        f"\n| {model} | p50, p99 ms of 1 row | requests/s at 8 | p50, p99 ms of 100 rows |"
        " requests/s at 8 | memory MB | ready s | requests |\n|---|---|---|---|---|---|---|---|"
    )
    for server in servers:
        cells = []
        for rows in (1, 100):
            if (rows, 1) not in server.p50:
                cells += ["", ""]
                continue
            p50 = statistics.median(server.p50[rows, 1]) / 1000
            p99 = server.p99((rows, 1)) / 1000
            cells += [f"{p50:.2f}, {p99:.2f}", f"{statistics.median(server.rate[rows, 8]):.0f}"]
        counted = ", ".join(str(server.asked(key)) for key in SHAPES if key in server.times)
        cells += [f"{tree_mb(server.root):.0f}", f"{server.ready_s:.1f}", counted]
        say(f"| {server.name} | {' | '.join(cells)} |")


def tell_floor(model: str, found: dict[str, float]) -> None:
    """Print how many times the bare call we take, and what the worker held and once had."""
    held, peak = found[f"{model}_worker_mb"], found[f"{model}_worker_peak_mb"]
    say(f"\n{model}: a worker holds {held:.0f} MB, {peak:.0f} MB while a model is read")
    if f"{model}_p50_of_floor" in found:
        times = {name: found[f"{model}_{name}_of_floor"] for name in ("p50", "requests", "cpu")}
        told = ", ".join(f"{name} {value:.1f}x" for name, value in times.items())
        say(f"{model}: of the floor {told}")


def say(text: str) -> None:
    """Print beside the result, which is the last line of standard output."""
    print(text, file=sys.stderr, flush=True)


def add(
    made: dict[str, float],
    name: str,
    value: float,
    least: float | None,
    *,
    most: float | None = None,
) -> None:
    """Note a figure, and its budget if it has one."""
    made[name] = value
    bound = least if least is not None else most
    if bound is not None:
        made[f"budget_{name}"] = bound


def ratio(above: dict[Any, list[float]], below: dict[Any, list[float]], key: Any) -> float:
    """Return the median of the rounds' ratios: both sides of a round met the same machine."""
    return round(statistics.median(a / b for a, b in zip(above[key], below[key], strict=True)), 1)


def peak_mb(pid: int, name: str = "VmHWM") -> float:
    """Return the most memory that a process ever had; 0 of one that has just ended."""
    found = re.search(rf"{name}:\s+(\d+)", about(pid, "status"))
    return round(int(found[1]) / 1000) if found else 0


def held_mb(pid: int) -> float:
    """Return the memory that a process has now; reading a model takes more for a moment."""
    return peak_mb(pid, "VmRSS")


def tree_mb(pid: int) -> float:
    """Return the most memory of a process and its children together."""
    return peak_mb(pid) + sum(tree_mb(child) for child in children(pid))


def cpu_s(pid: int) -> float:
    """Return the seconds that a process and its children, also those ended, have computed so far.

    On a busy machine a fairer measure than requests a second: a server with many threads is
    given a larger share of a full machine than one with a single thread.
    """
    below = sum(cpu_s(child) for child in children(pid))
    spent = about(pid, "stat").rpartition(")")[2].split()[11:15]  # its own, and who it waited for
    return below + sum(map(int, spent)) / os.sysconf("SC_CLK_TCK")


def about(pid: int, what: str) -> str:
    """Return what the system says of a process; nothing of one that has just ended."""
    with suppress(FileNotFoundError, ProcessLookupError):
        return Path(f"/proc/{pid}/{what}").read_text()
    return ""


def children(pid: int) -> list[int]:
    """Return the processes that a process has started."""
    words = ["ps", "-o", "pid=", "--ppid", str(pid)]
    found = subprocess.run(words, capture_output=True, text=True, check=False)
    return [int(one) for one in found.stdout.split()]


def free_port() -> int:
    """Return a port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


if __name__ == "__main__":
    main()
