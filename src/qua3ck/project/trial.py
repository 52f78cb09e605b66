"""Whether a version keeps its promise of latency where it would serve, and answers rightly there.

What was promised in Q is judged as C judges it, on an interval: in C through the artefact
alone, here through a server on this machine, at one connection and at several.
"""

from __future__ import annotations

import os
import platform
from dataclasses import dataclass
from importlib.metadata import version as installed
from typing import TYPE_CHECKING, Literal

from qua3ck.kit.hashes import decimals
from qua3ck.kit.records import as_json

if TYPE_CHECKING:
    from collections.abc import Sequence

    from qua3ck.govern import Release, Workspace
    from qua3ck.kit.verdicts import Verdict
    from qua3ck.operate.records import ServePlan
    from qua3ck.operate.serve.trial import Load, Tried
    from qua3ck.question import Kpi

Word = Literal["pass", "fail", "undecided", "not applicable"]
_WORST: tuple[Word, ...] = ("fail", "undecided", "pass")


@dataclass(frozen=True)
class Loaded:
    """What came of asking at so many connections; ``kpis`` are the promises of latency.

    Times in ms of one row, the client on the same machine included.
    """

    connections: int
    requests: int
    per_second: float
    p50_ms: float | None
    p99_ms: float | None
    errors: int
    wrong: int
    kpis: tuple[Verdict, ...]


@dataclass(frozen=True)
class Trial:
    """What came of a trial; ``why`` is one sentence for a reader.

    ``memory_mb`` is the most that any worker took, None where the system does not tell;
    ``ready_s`` the time from start to the first answer.
    """

    version: int
    verdict: Word
    why: str
    workers: int
    golden_rows: int
    ready_s: float
    memory_mb: float | None
    loads: tuple[Loaded, ...]

    @property
    def allowed(self) -> bool:
        """Whether nothing speaks against serving it."""
        return self.verdict in {"pass", "not applicable"}


def make_trial(
    plan: ServePlan,
    release: Release,
    workspace: Workspace,
    kpis: Sequence[Kpi],
    *,
    seconds: float,
    connections: int,
) -> Trial:
    """Try a version and write what came of it into the ledger.

    Parameters
    ----------
    plan : ServePlan
        What a server of this project is told.
    release, workspace : Release, Workspace
        The version, and who writes.
    kpis : sequence of Kpi
        The question's; those of latency are judged.
    seconds, connections : float, int
        Half of the time is asked at one connection, half at so many.

    Raises
    ------
    Qua3ckError
        If the actor is not enrolled (G001) or may not write of it (G002); before the trial.
    """
    from qua3ck.govern import person, require
    from qua3ck.operate.serve.trial import try_version

    who = person(workspace.root, workspace.actor)
    require(who.name, who.roles, "run")
    steps = tuple(dict.fromkeys((1, connections)))
    tried = try_version(plan, release, seconds=seconds, connections=steps)
    trial = judge(tried, kpis, workers=plan.workers)
    machine = {
        "system": platform.system(),
        "machine": platform.machine(),
        "cpus": os.cpu_count() or 0,
        "python": platform.python_version(),
        "qua3ck": installed("qua3ck"),
    }
    body = {**as_json(trial), "candidate": release.candidate, "machine": machine}
    workspace.ledger.append("serving.tried", f"release {release.version}", decimals(body))
    return trial


def judge(tried: Tried, kpis: Sequence[Kpi], *, workers: int = 1) -> Trial:
    """Return what a trial means: any error or wrong answer fails, whatever was promised.

    Notes
    -----
    A promise of latency has to hold at every number of connections. Its bounds are exact for
    requests that do not wait for one another; at more connections than there are processors
    they do, and a burst of slow ones counts for more than it is.
    """
    asked = [kpi for kpi in kpis if kpi.metric.startswith("latency_")]
    loads = tuple(_loaded(load, asked) for load in tried.loads)
    verdict, why = _verdict(tried, loads)
    return Trial(
        tried.version, verdict, why, workers, tried.golden_rows,
        round(tried.ready_s, 2), None if tried.memory_mb is None else round(tried.memory_mb, 1),
        loads,
    )  # fmt: skip


def _loaded(load: Load, kpis: Sequence[Kpi]) -> Loaded:
    import numpy as np

    from qua3ck.question.judging import judge_kpi
    from qua3ck.question.outcome import Outcome

    times = np.asarray(load.times_ms, dtype=float)
    outcome = Outcome(truth=np.empty(0), latencies_ms=times)
    p50, p99 = np.quantile(times, [0.5, 0.99], method="inverted_cdf") if len(times) else (None,) * 2
    return Loaded(
        connections=load.connections,
        requests=len(times),
        per_second=round(len(times) / load.seconds, 1) if load.seconds else 0.0,
        p50_ms=None if p50 is None else round(float(p50), 3),
        p99_ms=None if p99 is None else round(float(p99), 3),
        errors=load.errors,
        wrong=load.wrong,
        kpis=tuple(judge_kpi(k, outcome, confidence=k.confidence, seed=0) for k in kpis),
    )


def _verdict(tried: Tried, loads: Sequence[Loaded]) -> tuple[Word, str]:
    if tried.problem:
        return "fail", f"it could not be asked: {tried.problem}"
    errors, wrong = sum(one.errors for one in loads), sum(one.wrong for one in loads)
    if errors or wrong:
        return "fail", f"{errors} requests failed and {wrong} golden rows were answered otherwise"
    found = [(kpi, one) for one in loads for kpi in one.kpis]
    if not found:
        return "not applicable", "no KPI promises a latency; every answer was right"
    answers = {kpi.verdict for kpi, _ in found}
    worst = next(word for word in _WORST if word in answers)
    kpi, one = next((kpi, one) for kpi, one in found if kpi.verdict == worst)
    if worst == "pass":
        return worst, "every answer was right, and as quick as promised"
    return worst, f"{kpi.id} at {connections(one.connections)}: {kpi.says}"


def connections(n: int) -> str:
    """Return a number of connections in words."""
    return f"{n} connection{'s' * (n != 1)}"
