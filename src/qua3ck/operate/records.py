"""What operation works with: the plan of a serving process, and who answers with what share.

A plan is written by the project before the process that serves replaces it; it holds no
secret, and nothing of it is read from the project file again while serving.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from qua3ck.kit.records import as_json, write_atomic

Scalar = str | int | float | bool
ErrorKind = Literal["", "absolute", "squared", "relative"]
ArmName = Literal["champion", "canary", "challenger", "shadow", "app"]


@dataclass(frozen=True)
class Fallback:
    """What is answered instead of a model.

    ``rule`` is a one-line rule over a request's columns, empty for a fixed answer. ``then``
    is answered where it holds; None where the rule's own number is the answer.
    ``otherwise`` is the answer in every other case; None where nothing was declared: then
    nobody gets an answer. ``reason`` and ``since`` (seq in the ledger) say why and from
    when on; they are empty in a plan.
    """

    rule: str = ""
    then: Scalar | None = None
    otherwise: Scalar | None = None
    reason: str = ""
    since: int = -1

    @property
    def declared(self) -> bool:
        """Whether there is anything to answer with."""
        return self.otherwise is not None


@dataclass(frozen=True)
class Canary:
    """How a rollout is judged.

    ``hold_s`` is the least time at each step, ``false_stops`` the chance that a canary which
    is no worse is ever stopped. ``latency_ms`` and ``latency_share``: at most this share of
    the answers may take longer than this; 0 where no latency was promised. ``error`` is what
    is judged of answers that are numbers: ``absolute`` or ``squared`` in the target's unit, or
    ``relative`` to what came true; empty where no such error was promised. An error beyond
    ``error_bound`` counts as that.
    """

    hold_s: float = 600.0
    false_stops: float = 0.05
    latency_ms: float = 0.0
    latency_share: float = 0.01
    error: ErrorKind = ""
    error_bound: float = 0.0


@dataclass(frozen=True)
class Limits:
    """What one request may take."""

    max_bytes: int = 4_000_000
    max_rows: int = 1000
    timeout_s: float = 10.0


@dataclass(frozen=True)
class Log:
    """How predictions are logged; ``pseudonymise`` are the columns that are replaced.

    ``key_file`` is where the key of the pseudonyms lies, outside the project.
    """

    durable: bool = False
    pseudonymise: tuple[str, ...] = ()
    key_file: str = ""


@dataclass(frozen=True)
class Tls:
    """Absolute paths of the certificate chain and its private key."""

    cert: str
    key: str


@dataclass(frozen=True)
class ServePlan:
    """Everything that a serving process is told; ``root`` is an absolute path.

    ``grpc_port`` is 0 where gRPC is not offered. ``key`` is the column by which somebody
    stays with the same version, empty for none.
    ``ab_share`` is in [0, 1]. ``refuse_outside``: true for all columns, or their names.
    ``actor`` is who writes to the ledger of rollouts, empty if nobody here may;
    ``may_promote`` whether that person may also move an alias. ``features`` is where requests
    are completed from: None for nowhere, empty for the file in the project, else ``env:NAME``
    of the variable with a Redis URL. ``tried`` is the one version that answers in a trial on
    127.0.0.1, promoted or not; 0 where the ledger decides, as it does for everybody else.
    """

    root: str
    project: str
    project_id: str
    host: str = "127.0.0.1"
    port: int = 8080
    workers: int = 1
    grpc_port: int = 0
    key: str = ""
    ab_share: float = 0.0
    refuse_outside: bool | tuple[str, ...] = False
    canary: Canary = Canary()
    fallback: Fallback | None = None
    limits: Limits = Limits()
    log: Log = Log()
    tls: Tls | None = None
    keys_required: bool = False
    actor: str = ""
    may_promote: bool = False
    features: str | None = None
    tried: int = 0

    @property
    def folder(self) -> Path:
        """The project's folder."""
        return Path(self.root)

    @property
    def hidden(self) -> frozenset[str]:
        """The columns of which no range and no category is told: those the log replaces."""
        return frozenset(self.log.pseudonymise)

    def refuses_outside(self, column: str) -> bool:
        """Whether what training never had is refused in this column, and not only flagged."""
        outside = self.refuse_outside
        return outside if isinstance(outside, bool) else column in outside

    @property
    def state(self) -> Path:
        """Where the serving processes keep their plan, counters and logs."""
        return Path(self.root) / "state" / "serve"


@dataclass(frozen=True)
class Arm:
    """A version and its share of the traffic, in [0, 1]; a shadow's counts rows it scores.

    The arm ``app`` is the view, where a reader says which version is asked.
    ``since`` is the seq of the ledger's event that put it there: another one, another draw
    of who gets this arm.
    """

    name: ArmName
    version: int
    share: float
    since: int = -1


@dataclass(frozen=True)
class Routing:
    """Who answers, as of event ``at_seq`` of the ledger.

    ``arms`` in the order in which :func:`qua3ck.operate.serve.routing.choose` asks them;
    their shares sum to 1, the last one takes the rest; empty where no version was ever
    promoted. ``off`` is set while serving is switched off. ``salt`` keeps the draw the same
    in every worker.
    """

    arms: tuple[Arm, ...]
    shadow: Arm | None = None
    off: Fallback | None = None
    at_seq: int = -1
    salt: str = ""

    @property
    def versions(self) -> frozenset[int]:
        """Every version that must be loaded."""
        return frozenset(a.version for a in (*self.arms, *([self.shadow] if self.shadow else [])))


def write_plan(plan: ServePlan, path: Path) -> None:
    """Write a plan as JSON, whole or not at all."""
    write_atomic(path, json.dumps(as_json(plan), indent=1, ensure_ascii=False).encode())


def read_plan(path: Path) -> ServePlan:
    """Return the plan that :func:`write_plan` wrote; without pydantic, which a worker spares."""
    facts = json.loads(path.read_bytes())
    parts = {"canary": Canary, "limits": Limits, "fallback": Fallback, "tls": Tls}
    for name, kind in parts.items():
        facts[name] = kind(**facts[name]) if facts[name] is not None else None
    log = facts["log"]
    facts["log"] = Log(**{**log, "pseudonymise": tuple(log["pseudonymise"])})
    if isinstance(facts["refuse_outside"], list):
        facts["refuse_outside"] = tuple(facts["refuse_outside"])
    return ServePlan(**facts)
