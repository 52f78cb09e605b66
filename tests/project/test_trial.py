from __future__ import annotations

import json
import signal
import subprocess
import sys
from array import array
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "operate"))
sys.path.insert(0, str(Path(__file__).parents[1] / "operate" / "serve"))

from running import until
from small_shop import Shop, make_artefacts, make_shop

from qua3ck.cli.main import main
from qua3ck.govern import enrol
from qua3ck.kit.errors import Qua3ckError
from qua3ck.operate.serve import trial as serving
from qua3ck.operate.serve.trial import Load, Tried
from qua3ck.project import open_project
from qua3ck.project.trial import judge
from qua3ck.question import Kpi

KPI = Kpi(id="quick", metric="latency_p99_ms", at_most=10)
QUICK = [1.0] * 990 + [5.0] * 10
SLOW = [1.0] * 900 + [50.0] * 100


def load(times: Sequence[float], connections: int = 1, **more: int) -> Load:
    return Load(connections, 2.0, array("d", times), **{"errors": 0, "wrong": 0, **more})


def tried(*loads: Load, **more: Any) -> Tried:
    return Tried(1, golden_rows=20, ready_s=0.5, loads=loads, **more)


@pytest.mark.parametrize(
    ("loads", "verdict", "why"),
    [
        ([load(QUICK), load(QUICK, 8)], "pass", "as quick as promised"),
        ([load(QUICK), load(SLOW, 8)], "fail", "quick at 8 connections"),
        ([load(SLOW), load(QUICK[:100], 8)], "fail", "quick at 1 connection:"),
        # 0.99 ** 298 > 0.05: no upper bound at 95 % before 299 requests
        ([load([1.0] * 298)], "undecided", "it needs 299"),
        ([load([1.0] * 299)], "pass", "as promised"),
        ([load(QUICK), load(QUICK, 8, errors=1)], "fail", "1 requests failed"),
        ([load(QUICK, wrong=2)], "fail", "2 golden rows"),
        ([load([], errors=3)], "fail", "3 requests failed"),
    ],
)
def test_a_promise_holds_at_every_number_of_connections_or_not_at_all(loads, verdict, why):
    found = judge(tried(*loads), [KPI])
    assert (found.verdict, found.allowed) == (verdict, verdict == "pass")
    assert why in found.why


def test_without_a_promise_there_are_figures_and_no_verdict():
    other = Kpi(id="right", metric="accuracy", at_least=0.6)
    found = judge(tried(load(QUICK)), [other])
    assert (found.verdict, found.allowed) == ("not applicable", True)
    assert (found.loads[0].p50_ms, found.loads[0].p99_ms, found.loads[0].per_second) == (1, 1, 500)
    assert judge(tried(load(QUICK, wrong=1)), [other]).verdict == "fail"


def test_what_could_not_be_asked_fails():
    found = judge(tried(problem="the golden rows differ"), [])
    assert (found.verdict, found.loads) == ("fail", ())
    assert "the golden rows differ" in found.why


@pytest.fixture(scope="module")
def artefact(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_artefacts(tmp_path_factory.mktemp("artefacts"), versions=1)[0]


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, artefact: Path) -> Shop:
    """Two versions, none in use, and a latency of at most 100 ms promised."""
    for name in ("QUA3CK_WITNESS", "QUA3CK_PASSPHRASE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("QUA3CK_KEYS", str(tmp_path / "keys"))
    monkeypatch.setenv("QUA3CK_ACTOR", "ana")
    return make_shop(tmp_path / "shop", [artefact, artefact])


@pytest.fixture
def seen(monkeypatch: pytest.MonkeyPatch) -> Callable[..., list[Any]]:
    """Return what has a trial see the given loads, and gives what it was asked to do."""

    def see(*loads: Load) -> list[Any]:
        asked: list[Any] = []

        def try_version(plan: Any, release: Any, **words: Any) -> Tried:
            asked.append((plan.workers, release.version, words))
            return replace(tried(*loads, memory_mb=54.321), version=release.version)

        monkeypatch.setattr(serving, "try_version", try_version)
        return asked

    return see


def events(shop: Shop) -> list[Any]:
    return list(open_project(shop.root).read_only().ledger.entries("serving.tried"))


def test_what_came_of_it_is_in_the_ledger_and_is_told(shop, seen, capsys):
    asked = seen(load(QUICK), load(QUICK, 4))
    words = ["serve", str(shop.root), "--trial", "3", "--connections", "4", "--version", "2"]
    assert main([*words, "--workers", "3"]) == 0
    assert asked == [(3, 2, {"seconds": 3, "connections": (1, 4)})]
    said = capsys.readouterr().out
    assert "version 2 in trial: pass" in said
    assert "next: qua3ck promote 2" in said
    (event,) = events(shop)
    assert (event.actor, event.subject) == ("ana", "release 2")
    assert (event.body["verdict"], event.body["memory_mb"]) == ("pass", "54.3")
    assert event.body["loads"][1]["kpis"][0]["threshold"] == "100.0"
    assert event.body["machine"]["cpus"] >= 1
    assert open_project(shop.root).read_only().ledger.verify().ok
    assert main(["audit", str(shop.root), "2"]) == 0
    assert "serving.tried" in capsys.readouterr().out
    assert main(["audit", str(shop.root), "1"]) == 0
    assert "serving.tried" not in capsys.readouterr().out


@pytest.mark.parametrize(
    ("loads", "code"), [([load(SLOW, wrong=1)], 1), ([load(QUICK[:50])], 1), ([load(QUICK)], 0)]
)
def test_it_ends_with_1_unless_nothing_speaks_against_it(shop, seen, capsys, loads, code):
    seen(*loads)
    shop.move(1)
    assert main(["serve", str(shop.root), "--trial", "3", "--json"]) == code
    facts = json.loads(capsys.readouterr().out)
    assert (facts["version"], facts["loads"][0]["requests"]) == (1, len(loads[0].times_ms))


def test_it_is_said_before_anything_is_started_who_may_not_and_what_is_missing(shop, seen, capsys):
    asked = seen(load(QUICK))
    with pytest.raises(Qua3ckError, match="No version is champion"):
        open_project(shop.root).try_serving()
    with pytest.raises(Qua3ckError) as unknown:
        open_project(shop.root).try_serving(version=9)
    assert unknown.value.code == "K005"
    enrol(shop.workspace, "uma", roles=["auditor"])
    with pytest.raises(Qua3ckError) as auditor:
        open_project(shop.root, actor="uma").try_serving(version=1)
    assert auditor.value.code == "G002"
    assert main(["serve", str(shop.root), "--version", "2"]) == 2
    assert "qua3ck promote 2" in capsys.readouterr().err
    assert main(["serve", str(shop.root), "--trial", "1", "--host", "0.0.0.0"]) == 2  # noqa: S104
    assert "127.0.0.1" in capsys.readouterr().err
    assert (asked, events(shop)) == ([], [])


def test_a_trial_that_is_told_to_end_leaves_nothing_behind(shop):
    words = [sys.executable, "-m", "qua3ck", "serve", str(shop.root), "--trial", "60"]
    with subprocess.Popen([*words, "--version", "1"], stderr=subprocess.PIPE, text=True) as asked:
        try:
            until(lambda: list(shop.root.glob("state/trial-*/state/serve/running.json")))
            asked.send_signal(signal.SIGTERM)
            _, told = asked.communicate(timeout=60)
        finally:
            asked.kill()
    assert asked.returncode == 2
    assert "Interrupted" in told
    assert "Traceback" not in told
    assert list((shop.root / "state").glob("trial-*")) == []
    assert events(shop) == []
