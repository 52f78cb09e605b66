"""Command lines that die on order, forked from a process that has imported what they need.

Importing MLflow takes seconds, a fork takes none. As a script this reads one JSON line per
command from standard input and answers with its process number, then with its exit status.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from dataclasses import asdict, dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

NEEDED = (
    "qua3ck.cli.run", "qua3ck.cli.promote", "qua3ck.cli.release", "qua3ck.project.project",
    "qua3ck.a3.loop", "qua3ck.a3.package", "qua3ck.a3.convert", "qua3ck.transfer.report",
    "mlflow.tracking", "mlflow.pyfunc", "mlflow.store.tracking.sqlalchemy_store", "optuna",
    "sklearn.pipeline", "sklearn.ensemble", "sklearn.linear_model", "sklearn.tree", "skl2onnx",
    "skops.io", "onnxruntime", "lightgbm", "deltalake", "pandas", "scipy.stats",
)  # fmt: skip


@dataclass(frozen=True)
class Death:
    """When to die: around a call whose arguments hold a word, once a file holds it, or in time.

    ``place`` is ``module:Name.function``, the path of a file in the project, or ``seconds``.
    """

    place: str
    word: str
    when: str = "before"
    by: int = signal.SIGKILL


class Line:
    """One command line at work."""

    def __init__(self, mother: Mother, pid: int, said: Path) -> None:
        self._mother = mother
        self._said = said
        self.pid = pid

    def end(self) -> tuple[int, str]:
        """Wait; return the exit code, negative if a signal ended it, and all that was said."""
        code = self._mother.status(self.pid)
        return code, self._said.read_text(encoding="utf-8")


class Mother:
    """The process that has imported everything."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._count = 0
        self._ended: dict[int, int] = {}
        self._process = subprocess.Popen(
            [sys.executable, __file__],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )

    def start(self, *words: str, die: Death | None = None) -> Line:
        """Start ``qua3ck`` with these words in the environment of now."""
        self._count += 1
        said = self._folder / f"{self._count}.txt"
        keys = {name: os.environ[name] for name in ("QUA3CK_KEYS", "QUA3CK_ACTOR")}
        order = {"words": words, "env": keys, "die": asdict(die) if die else None}
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps({**order, "said": str(said)}) + "\n")
        self._process.stdin.flush()
        while "began" not in (answer := self._heard()):
            self._ended[answer["pid"]] = answer["ended"]
        return Line(self, answer["began"], said)

    def status(self, pid: int) -> int:
        """Wait for one of its children and return its exit code."""
        while pid not in self._ended:
            answer = self._heard()
            self._ended[answer["pid"]] = answer["ended"]
        return self._ended.pop(pid)

    def end(self) -> None:
        """End it."""
        self._process.kill()
        self._process.communicate()

    def _heard(self) -> dict[str, int]:
        assert self._process.stdout is not None
        answer: dict[str, int] = json.loads(self._process.stdout.readline())
        return answer


def _serve() -> None:
    for name in NEEDED:
        import_module(name)
    for line in sys.stdin:
        order = json.loads(line)
        pid = os.fork()
        if pid == 0:
            _live(order)
        _answer({"began": pid})
        threading.Thread(target=_await, args=(pid,)).start()


def _await(pid: int) -> None:
    status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    _answer({"pid": pid, "ended": status})


def _answer(facts: dict[str, int]) -> None:
    os.write(1, json.dumps(facts).encode() + b"\n")


def _live(order: dict[str, Any]) -> None:
    from qua3ck.cli.main import main

    os.setsid()
    # A shell's background job ignores Ctrl-C, and so would all that is started from it.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    said = os.open(order["said"], os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    for stream in (1, 2):
        os.dup2(said, stream)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    os.environ.update(order["env"])
    code = 99
    try:
        if order["die"]:
            _arm(Death(**order["die"]), Path(order["words"][-1]))
        code = main(order["words"])
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


def _arm(death: Death, root: Path) -> None:
    if death.place == "seconds":
        threading.Timer(float(death.word), _die, (death,)).start()
        return
    if ":" not in death.place:
        threading.Thread(target=_watch, args=(death, root / death.place), daemon=True).start()
        return
    module, _, dotted = death.place.partition(":")
    *owners, name = dotted.split(".")
    owner = import_module(module)
    for part in owners:
        owner = getattr(owner, part)
    setattr(owner, name, _deadly(getattr(owner, name), death))


def _deadly(function: Callable[..., Any], death: Death) -> Callable[..., Any]:
    def called(*arguments: Any, **named: Any) -> Any:
        meant = death.word in " ".join(map(str, arguments))
        if meant and death.when == "before":
            _die(death)
        result = function(*arguments, **named)
        if meant and death.when == "after":
            _die(death)
        return result

    return called


def _watch(death: Death, file: Path) -> None:
    pause = threading.Event()
    while not (file.exists() and death.word.encode() in file.read_bytes()):
        pause.wait(0.002)
    _die(death)


def _die(death: Death) -> None:
    if death.by == signal.SIGINT:
        os.killpg(0, signal.SIGINT)  # as a terminal does: to all of the command line
    else:
        os.kill(os.getpid(), death.by)


if __name__ == "__main__":
    _serve()
