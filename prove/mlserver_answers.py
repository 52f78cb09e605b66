"""Ask mlserver what the tests ask us, with the same released model: are its answers as recorded?

mlserver is the reference server of the Open Inference Protocol and cannot be installed beside
our lock. The tests compare our answers with the recorded ones; this script installs mlserver
under ``build/peers/``, sends it the same requests and compares, or records anew.

    python prove/mlserver_answers.py [--write]
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
TESTS = ROOT / "tests" / "operate"
RECORDED = TESTS / "serve" / "mlserver.json"
sys.path[:0] = [str(ROOT / "benchmarks"), str(TESTS), str(TESTS / "serve")]

PATIENCE_S = 120
VAGUE = {"id"}  # drawn anew for each request that names none


def main() -> int:
    """Compare or record; 1 if an answer is another one than recorded."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--write", action="store_true", help="record mlserver's answers anew")
    options = parser.parse_args()
    recorded = json.loads(RECORDED.read_text())
    with tempfile.TemporaryDirectory() as name, mlserver(Path(name)) as ports:
        found = answers(recorded, ports)
    if options.write:
        RECORDED.write_text(json.dumps(found, indent=1) + "\n")
        print(f"{len(found['http'])} answers over HTTP and {len(found['grpc'])} over gRPC recorded")
        return 0
    differ = [
        new["name"]
        for kind in ("http", "grpc")
        for old, new in zip(recorded[kind], found[kind], strict=True)
        if not alike(old["mlserver"], new["mlserver"])
    ]
    print(f"mlserver answers otherwise than recorded: {differ}" if differ else "all as recorded")
    return 1 if differ else 0


def answers(recorded: dict[str, Any], ports: tuple[int, int]) -> dict[str, Any]:
    """Return the requests with mlserver's answers to them."""
    from judging import over_grpc, over_http

    http = [
        {**case, "mlserver": over_http(f"127.0.0.1:{ports[0]}", case)} for case in recorded["http"]
    ]
    grpc = [
        {**case, "mlserver": over_grpc(f"127.0.0.1:{ports[1]}", case)} for case in recorded["grpc"]
    ]
    return {**recorded, "http": http, "grpc": grpc}


@contextlib.contextmanager
def mlserver(folder: Path) -> Iterator[tuple[int, int]]:
    """Serve the small shop's first version with mlserver; give its ports for HTTP and gRPC."""
    from peers.environments import NotInstalled, python_of
    from serving import free_port
    from small_shop import make_artefact

    from qua3ck.store.releases import pyfunc

    try:
        python = python_of("mlserver")
    except NotInstalled as problem:
        sys.exit(f"mlserver was not asked: {problem}")
    model = folder / "shop"
    make_artefact(model, 1)
    (model / "model.py").write_text(pyfunc.generate(model))
    ports = [free_port() for _ in range(3)]
    (folder / "settings.json").write_text(
        json.dumps(
            {
                "host": "127.0.0.1",
                "http_port": ports[0],
                "grpc_port": ports[1],
                "metrics_port": ports[2],
                "parallel_workers": 0,
            }
        )
    )
    (model / "model-settings.json").write_text(json.dumps(settings(model)))
    log = folder / "mlserver.log"
    path = str(ROOT / "benchmarks" / "peers")
    with log.open("wb") as stream:
        process = subprocess.Popen(
            [python.parent / "mlserver", "start", str(folder)], stdout=stream, stderr=stream,
            start_new_session=True, env={**os.environ, "PYTHONPATH": path},
        )  # fmt: skip
    try:
        wait(ports[0], process, log)
        yield ports[0], ports[1]
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGTERM)
        process.wait(timeout=30)


def settings(model: Path) -> dict[str, Any]:
    """Return mlserver's description of the model: the columns and outputs of the release."""
    from asgi import TYPES

    outputs = {"label": "BYTES", "p_bad": "FP64", "p_good": "FP64"}
    return {
        "name": "shop",
        "implementation": "released_runtime.Released",
        "parameters": {"uri": str(model), "version": "1", "content_type": "pd"},
        "inputs": [
            {"name": name, "datatype": kind, "shape": [-1],
             **({"parameters": {"content_type": "str"}} if kind == "BYTES" else {})}
            for name, kind in TYPES.items()
        ],
        "outputs": [
            {"name": name, "datatype": kind, "shape": [-1]} for name, kind in outputs.items()
        ],
    }  # fmt: skip


def wait(port: int, process: subprocess.Popen[bytes], log: Path) -> None:
    """Wait until mlserver is ready."""
    from judging import over_http

    until = time.monotonic() + PATIENCE_S
    case = {"method": "GET", "path": "/v2/models/shop/ready"}
    while time.monotonic() < until:
        if process.poll() is not None:
            sys.exit(f"mlserver ended: {log.read_text()[-2000:]}")
        with contextlib.suppress(OSError):
            if over_http(f"127.0.0.1:{port}", case)["status"] == 200:
                return
        time.sleep(0.2)
    sys.exit(f"mlserver was not ready in time: {log.read_text()[-2000:]}")


def alike(old: Any, new: Any) -> bool:
    """Whether two answers say the same; numbers to 1e-6, ids not at all."""
    if isinstance(old, float) and isinstance(new, float):
        return abs(old - new) < 1e-6
    if isinstance(old, dict) and isinstance(new, dict):
        return old.keys() == new.keys() and all(
            name in VAGUE or alike(old[name], new[name]) for name in old
        )
    if isinstance(old, list) and isinstance(new, list):
        return len(old) == len(new) and all(map(alike, old, new))
    return bool(old == new)


if __name__ == "__main__":
    sys.exit(main())
