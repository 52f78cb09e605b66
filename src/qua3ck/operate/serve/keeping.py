"""What goes on beside the answers: judging a canary, moving the log, verifying the ledger.

Runs in the supervisor's process, in a thread: a worker has no key to sign with. It reads
counters and logs, and writes into the ledger what it decides; the workers follow the ledger.
Whatever it needs to go on after a restart lies in one file.
"""

from __future__ import annotations

import json
import subprocess
import sys
import threading
import time
from collections import Counter, OrderedDict
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from qua3ck.kit.clock import Clock, utc_now
from qua3ck.kit.errors import Qua3ckError
from qua3ck.kit.records import load, save
from qua3ck.operate.records import Canary as Judged
from qua3ck.operate.records import ServePlan
from qua3ck.operate.serve import canary
from qua3ck.operate.serve.canary import Block, Firsts, Judgement, Watch
from qua3ck.operate.serve.compacting import Compactor
from qua3ck.operate.serve.following import Follower
from qua3ck.operate.serve.metrics import Counted, counted
from qua3ck.operate.serve.people import met_first, noted
from qua3ck.operate.serve.routing import Rollout
from qua3ck.operate.serve.telling import Teller
from qua3ck.operate.serve.truth import Truth

if TYPE_CHECKING:
    from qua3ck.govern import Workspace

_LOOK_S = 1.0
_VERIFY_S = 3600.0
_AGAIN_S = 600.0
_LEAST = 100  # answers of the canary at each step before the next
_REMEMBERED = 200_000
_AGAIN_BYTES = 256 * 1024 * 1024  # of the log, after a restart
_UNFIT = (
    ArithmeticError, AttributeError, LookupError, RuntimeError, TypeError, ValueError,
)  # fmt: skip

_Counts = Mapping[str, tuple[int, float]]


@dataclass(frozen=True)
class State:
    """What is known of the rollout ``seq``, so that a restart goes on.

    ``canary`` and ``champion`` are the counts (number, bad) of each watched thing at the last
    look; ``step`` the seq of the step, ``step_began`` the canary's answers when it began.
    ``log`` is how long each file of the log was when the rollout began; None if not known.
    """

    seq: int
    step: int
    step_began: int
    canary: dict[str, tuple[int, float]]
    champion: dict[str, tuple[int, float]]
    judgement: Judgement
    log: dict[str, int] | None = None


@dataclass
class Keeper:
    """Does what is due whenever it is asked; :meth:`run` asks once a second.

    Attributes
    ----------
    plan, path : ServePlan, Path
        The plan, and where it lies, for the process that moves the log.
    """

    plan: ServePlan
    path: Path
    teller: Teller = field(default_factory=lambda: Teller("keeper"))
    clock: Clock = utc_now
    now: Callable[[], float] = time.monotonic
    follower: Follower = field(init=False)
    outcomes: Outcomes = field(init=False)
    compactor: Compactor = field(init=False)
    truth: Truth = field(init=False)
    _state: State | None = None
    _outcomes_of: int = -1
    _met: dict[tuple[str, int], int] = field(default_factory=dict)
    _met_of: int = -1
    _told_of: int = 0
    _workspace: Workspace | None = None
    _due: dict[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Begin to follow the ledger."""
        self.follower = Follower(self.plan)
        self.outcomes = Outcomes(self.plan)
        self.compactor = Compactor(self.plan, self.path, now=self.now)
        self.truth = Truth(self.plan)
        with suppress(OSError, ValueError):
            self._state = load(State, self._file)
        self._due["verify"] = self.now() + _VERIFY_S

    def run(self, ended: threading.Event) -> None:
        """Step once a second until ``ended`` is set; an error of one step does not end it."""
        while not ended.wait(_LOOK_S):
            try:
                self.step()
            except Qua3ckError as problem:
                self._once("problem", problem.what, where=problem.where, fix=problem.fix)
            except Exception as problem:  # noqa: BLE001 - the answers do not depend on it
                self._once("failed", f"{type(problem).__name__}: {problem}")
        self.compactor.end()
        self.truth.close()

    def step(self) -> None:
        """Do everything that is due now."""
        self.follower.poll()
        if self.follower.problem is not None:
            problem = self.follower.problem
            self._once("ledger.not_trusted", problem.what, where=problem.where, fix=problem.fix)
            return
        self.judge()
        self._close_what_is_open()
        self.truth.step()
        self.compactor.step()
        self._verify()

    def judge(self) -> None:
        """Look at the rollout that is going on; step on, stop it, or wait."""
        going = self.follower.rollout()
        if going is None:
            self._forget()
            return
        state = self._resumed(going)
        counts, outcomes = counted(self.plan), self.outcomes.read()
        self._tell_passed_over()
        new = _counts(counts.get(("canary", going.version)), outcomes["canary"])
        old = _counts(counts.get(("champion", going.settled)), outcomes["champion"])
        if state is None:
            judgement = canary.begin(promised=self.plan.canary.latency_ms > 0)
            log = self.outcomes.began
            state = State(going.seq, going.since, _all(new), new, old, judgement, log)
        judgement = canary.look(
            state.judgement,
            _blocks(state, new, old),
            self._firsts(going.seq),
            share=going.share,
            slow_share=self.plan.canary.latency_share,
        )
        began = state.step_began if state.step == going.since else _all(new)
        state = State(going.seq, going.since, began, new, old, judgement, state.log)
        self._keep(state)
        self._decide(going, state, new)

    def _resumed(self, going: Rollout) -> State | None:
        """Return what is known of a rollout; outcomes are counted from here on.

        Labels that come after a restart also count for answers given before it, so the log is
        read again; what had come true by then is in the state already.
        """
        state = self._state if self._state is not None and self._state.seq == going.seq else None
        if self._outcomes_of == going.seq:
            return state
        self.outcomes.begin(since=None if state is None else state.log)
        self._outcomes_of = going.seq
        if state is None:
            return None
        none = {"outcomes": (0, 0)}
        canary_now, champion_now = {**state.canary, **none}, {**state.champion, **none}
        return replace(state, canary=canary_now, champion=champion_now)

    def _firsts(self, rollout: int) -> dict[str, list[Firsts]]:
        """Return who got a first (eighth, 64th) bad answer since the last look.

        After a restart those of before are known already.
        """
        now = noted(self.plan, rollout)
        if self._met_of != rollout:
            known = self._state is not None and self._state.seq == rollout
            self._met = {key: (one | other) if known else 0 for key, (one, other) in now.items()}
            self._met_of = rollout
        found: dict[str, list[Firsts]] = {"outcomes": self.outcomes.firsts()}
        for key, sides in now.items():  # the levels of a kind in their order
            one, other, self._met[key] = met_first(sides, self._met[key])
            found.setdefault(key[0], []).append(Firsts((1.0,) * one, (1.0,) * other))
        return found

    def _tell_passed_over(self) -> None:
        if self.outcomes.passed_over > self._told_of:
            self._told_of = self.outcomes.passed_over
            what = "lines of the log that the judge of the canary cannot read were passed over"
            self._once("outcomes.passed_over", what, lines=self._told_of)

    def _decide(self, going: Rollout, state: State, new: _Counts) -> None:
        if state.judgement.stops(self.plan.canary.false_stops):
            self._stop(going, state)
            return
        held = (self.clock() - datetime.fromisoformat(going.at)).total_seconds()
        at_step = _all(new) - state.step_began
        following = going.following
        if following is None or held < self.plan.canary.hold_s or at_step < _LEAST:
            return
        body = {**_evidence(going, state, self.plan.canary), "share": following}
        if self._write("canary.stepped", going, body):
            self.teller.info("canary.stepped", version=going.version, share=following)

    def _stop(self, going: Rollout, state: State) -> None:
        blames = state.judgement.blames
        body = {
            **_evidence(going, state, self.plan.canary),
            "why": blames,
            "back_to": going.settled,
        }
        if self._write("canary.stopped", going, body):
            self.teller.warn(
                "canary.stopped", version=going.version, why=blames, back_to=going.settled
            )

    def _write(self, event: str, going: Rollout, body: Mapping[str, Any]) -> bool:
        """Write what was decided, unless somebody moved on meanwhile or nobody here may."""
        if not self.plan.actor:
            self._once("canary.nobody_may_write", f"{event} of version {going.version} is due")
            return False
        ledger = self._open().ledger
        with ledger.locked():
            self.follower.poll()
            if self.follower.rollout() != going:
                return False
            ledger.append(event, f"release {going.version}", body)
        self.follower.poll()
        return True

    def _close_what_is_open(self) -> None:
        """Record rollouts that another move cut short; move the alias of a stopped one back."""
        if not self.plan.actor:
            return
        left = self.follower.left_open()
        for seq in left.cut_short:
            self._open().ledger.append(
                "canary.stopped", "champion", {"rollout": seq, "why": "replaced by another move"}
            )
        if left.alias_ahead is None or self.now() < self._due.get("back", 0.0):
            return
        self._due["back"] = self.now() + _AGAIN_S
        if self.plan.may_promote:
            self._move_back(left.alias_ahead)
        else:
            self.teller.warn(
                "canary.alias_ahead",
                what=f"{self.plan.actor} may not move an alias; requests get the version before",
                fix='somebody who may promote types: qua3ck rollback --reason "..."',
            )

    def _move_back(self, seq: int) -> None:
        """Have ``qua3ck rollback`` do it, with its checks and its registry, in its own process."""
        reason = f"the canary that began with event {seq} was stopped by itself"
        words = ["rollback", self.plan.root, "--as", self.plan.actor, "--reason", reason]
        done = subprocess.run(  # noqa: S603 - our own interpreter and module
            [sys.executable, "-m", "qua3ck", *words], capture_output=True, text=True, check=False
        )
        if done.returncode == 0:
            self.teller.info("alias.moved_back", after=seq)
        else:
            self.teller.error("alias.not_moved_back", says=done.stderr.strip()[-500:])

    def _verify(self) -> None:
        """Verify the whole ledger, with its witnesses, once an hour."""
        if self.now() < self._due["verify"]:
            return
        self._due["verify"] = self.now() + _VERIFY_S
        found = self._read_only().ledger.verify()
        tell = self.teller.info if found.ok else self.teller.error
        tell("ledger.verified", ok=found.ok, events=found.events, problems=found.problems[:3])

    def _keep(self, state: State) -> None:
        if state != self._state:
            self._state = state
            save(state, self._file)

    def _forget(self) -> None:
        if self._state is not None:
            self._state = None
            self._file.unlink(missing_ok=True)

    @property
    def _file(self) -> Path:
        return self.plan.state / "rollout.json"

    def _open(self) -> Workspace:
        from qua3ck.govern import open_workspace

        if self._workspace is None:
            self._workspace = open_workspace(
                self.plan.folder, self.plan.project, actor=self.plan.actor, clock=self.clock
            )
        return self._workspace

    def _read_only(self) -> Workspace:
        from qua3ck.govern import open_workspace

        who = self.plan.actor or None
        return open_workspace(self.plan.folder, self.plan.project, actor=who, read_only=True)

    def _once(self, event: str, says: str, **facts: object) -> None:
        """Say the same thing only every ten minutes."""
        key = f"{event}: {says}"
        if self.now() >= self._due.get(key, 0.0):
            self._due[key] = self.now() + _AGAIN_S
            self.teller.error(event, what=says, **facts)


class Outcomes:
    """What came true of answers given since a rollout began, read from the log as it grows.

    A label is right or wrong; of a number it is kept how far it was off, where the plan says
    how that is measured. What came true is taken once for each row; a person's wrong answers
    count at the first, the eighth and the 64th. The last 200,000 requests are remembered.

    Attributes
    ----------
    began : dict
        How long each file of the log was when the rollout began.
    passed_over : int
        How many lines could not be read or judged.
    """

    def __init__(self, plan: ServePlan) -> None:
        self._plan = plan
        self._at: dict[str, int] = {}
        self._answers: OrderedDict[str, _Answered] = OrderedDict()
        self._counts = _nothing_counted()
        self._firsts = _nothing_met()
        self._wrong: Counter[int] = Counter()
        self.began: dict[str, int] = {}
        self.passed_over = 0

    def begin(self, *, since: Mapping[str, int] | None = None) -> None:
        """Forget everything, and read from the end of the log as it is now.

        Parameters
        ----------
        since : mapping, optional
            How long each file was when the rollout began: answers since then are known again,
            as far as their lines are not yet moved into the warehouse and stand in the last
            256 MB. What came true until now is not counted.
        """
        from qua3ck.operate.serve.compacting import log_files

        self._answers.clear()
        self._wrong.clear()
        now: dict[str, int] = {}
        for path in log_files(self._plan):
            with suppress(FileNotFoundError):
                now[path.name] = path.stat().st_size
        self._at = now if since is None else _read_again(now, since)
        self.began = dict(now if since is None else since)
        if since is not None:
            self._catch_up(max(now.values(), default=0))
        self._counts = _nothing_counted()
        self._firsts = _nothing_met()

    def read(self) -> dict[str, tuple[int, float]]:
        """Return (number, wrong) of the outcomes so far, for canary and champion.

        Of numbers, the sum of the errors stands for how many were wrong.
        """
        self._grown()
        return {arm: (int(n), wrong) for arm, (n, wrong) in self._counts.items()}

    def firsts(self) -> list[Firsts]:
        """Return the people whose first (eighth, 64th) wrong answer was not returned before."""
        found = [Firsts(tuple(one["canary"]), tuple(one["champion"])) for one in self._firsts]
        self._firsts = _nothing_met()
        return found

    def _catch_up(self, longest: int) -> None:
        """Read files of at most this many bytes; a log under load grows on and never ends."""
        from qua3ck.operate.serve.compacting import PIECE_BYTES

        for _ in range(1 + 2 * longest // PIECE_BYTES):
            if not self._grown():
                return

    def _grown(self) -> bool:
        """Take the lines that came, a piece of each file; return whether any did."""
        from qua3ck.operate.serve.compacting import log_files, read_whole_lines

        grown = False
        for path in log_files(self._plan):
            with suppress(FileNotFoundError):  # moved into the warehouse just now
                lines, self._at[path.name] = read_whole_lines(path, self._at.get(path.name, 0))
                grown = grown or bool(lines)
                for line in lines.splitlines():
                    self._take(line)
        return grown

    def _take(self, line: bytes) -> None:
        """Take one line; one that cannot be read is counted, and holds up no other."""
        try:
            said = json.loads(line)
            if "of" in said:
                self._came_true(said)
            elif said["arm"] in self._counts:
                self._answered(said)
        except _UNFIT:
            self.passed_over += 1

    def _answered(self, said: Mapping[str, Any]) -> None:
        answers = said["out"].get("value" if self._plan.canary.error else "label")
        if answers is None:  # numbers of which nothing is promised
            return
        self._answers[said["id"]] = _Answered(
            said["arm"], answers, said.get("rows", ()), said.get("who", ())
        )
        if len(self._answers) > _REMEMBERED:
            self._answers.popitem(last=False)

    def _came_true(self, said: Mapping[str, Any]) -> None:
        from qua3ck.operate.serve.outcomes import spelt

        known = self._answers.get(said["of"])
        if known is None:
            return
        arm, answers, rows, who = known
        row = said["row"]
        at = rows.index(row) if rows else range(len(answers)).index(row)
        answered, came = answers[at], said["outcome"]
        if answered is None:
            return
        if self._plan.canary.error:
            part = canary.part_of_bound(float(answered), float(came), self._plan.canary)
        else:
            part = float(spelt(answered) != spelt(came))
        self._counts[arm][0] += 1
        self._counts[arm][1] += part
        answers[at] = None
        if part or self._plan.canary.error:  # an exact number is a person's answer, too
            self._met(arm, part, int(who[at] if len(who) > 1 else who[0]) if who else -1)

    def _met(self, arm: str, part: float, place: int) -> None:
        """Note a wrong answer of a person, or a number; who has no place is another each time."""
        times = 1
        if place >= 0:
            self._wrong[place] = times = self._wrong[place] + 1
        if part and times in canary.LEVELS:
            self._firsts[canary.LEVELS.index(times)][arm].append(part)


class _Answered(NamedTuple):
    """An answer whose truth may come: its arm, values, rows of the request, people's places."""

    arm: str
    answers: list[Any]
    rows: Sequence[int]
    who: Sequence[int]


def _nothing_counted() -> dict[str, list[float]]:
    return {"canary": [0, 0], "champion": [0, 0]}


def _nothing_met() -> list[dict[str, list[float]]]:
    return [{"canary": [], "champion": []} for _ in canary.LEVELS]


def _read_again(now: Mapping[str, int], since: Mapping[str, int]) -> dict[str, int]:
    """Return from which byte on each file is read again; of the oldest nothing is."""
    at: dict[str, int] = {}
    left = _AGAIN_BYTES
    for name in sorted(now, reverse=True):
        start = min(since.get(name, 0), now[name])
        left -= now[name] - start
        at[name] = start if left >= 0 else now[name]
    return at


def _counts(one: Counted | None, outcomes: tuple[int, float]) -> dict[str, tuple[int, float]]:
    """Return (number, bad) of each watched thing."""
    if one is None:
        return {**dict.fromkeys(canary.WATCHED, (0, 0)), "outcomes": outcomes}
    n = one.requests
    return {
        "errors": (n, one.failed),
        "slow": (n, min(n, one.slow)),
        "refusals": (n, one.refused),
        "outcomes": outcomes,
    }


def _all(counts: _Counts) -> int:
    return counts["errors"][0]


def _blocks(state: State, new: _Counts, old: _Counts) -> dict[str, Block]:
    """Return what came in since the last look."""
    blocks = {}
    for name in canary.WATCHED:
        n, bad = _more(new[name], state.canary[name])
        m, worse = _more(old[name], state.champion[name])
        blocks[name] = Block(n, bad, m, worse)
    return blocks


def _more(now: tuple[int, float], before: tuple[int, float]) -> tuple[int, float]:
    """Return (number, bad) since before; a worker counts on while it is being read."""
    n = max(0, now[0] - before[0])
    return n, min(n, max(0, now[1] - before[1]))


def _evidence(going: Rollout, state: State, judged: Judged) -> dict[str, Any]:
    """Return what a decision rests on, for the ledger."""
    watches = state.judgement.watches
    return {
        "rollout": going.seq,
        "version": going.version,
        "at_share": round(going.share * 100),
        "worth": f"{state.judgement.worth:.4g}",
        "seen": {
            name: {
                **_sides(watch, judged if name == "outcomes" else Judged()),
                "people": list(watch.people),
                "worth": f"{watch.worth:.4g}",
            }
            for name, watch in watches.items()
        },
    }


def _sides(watch: Watch, judged: Judged) -> dict[str, Any]:
    """Return (number, bad) of both sides, or (number, mean error) in the target's own unit."""
    seen = watch.total
    pairs = {
        "canary": (seen.canary, seen.canary_bad),
        "champion": (seen.champion, seen.champion_bad),
    }
    if not judged.error:
        return {side: [n, int(bad)] for side, (n, bad) in pairs.items()}
    made: dict[str, Any] = {"error": judged.error, "bound": f"{judged.error_bound:.4g}"}
    for side, (n, parts) in pairs.items():
        mean = parts / n if n else 0.0
        mean = mean**0.5 if judged.error == "squared" else mean
        made[side] = [n, f"{mean * judged.error_bound:.4g}"]
    return made
