"""One project as a running view reads it: nothing stale, and nothing read twice without need.

Every answer is kept under a mark that changes with the ledger and the project file, so that an
alias that moves is seen at the next click. A model is kept under the digest that the signed
ledger has for it, so that a version is loaded once and never mistaken for another.
"""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable, Hashable, Mapping
from dataclasses import replace
from pathlib import Path
from threading import RLock
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from qua3ck.govern import Approval, Gate, Person, Release
    from qua3ck.ledger import Entry
    from qua3ck.operate.records import Routing, ServePlan
    from qua3ck.operate.serve.desk import Desk
    from qua3ck.operate.serve.routing import Rollout
    from qua3ck.project import Project
    from qua3ck.project.traffic import Traffic
    from qua3ck.store.releases.model import Model
    from qua3ck.transfer.auditing import Audit, Verified
    from qua3ck.transfer.facts import Facts
    from qua3ck.understand.catalog import TableFacts
    from qua3ck.understand.loading.worklist import Waiting

R = TypeVar("R")
_FRESH = 10.0  # seconds
_KEPT = 8  # models, each loaded


class Reader:
    """What the view knows of a project at this moment; one for all who look at it.

    Parameters
    ----------
    root : Path
        The project's folder.
    actor : str, optional
        Who the readings are made for; reading needs no right and no key.
    """

    def __init__(self, root: Path, actor: str | None = None) -> None:
        self.root = root
        self._actor = actor
        self._lock = RLock()
        self._mark = ""
        self._current: dict[Hashable, Any] = {}
        self._lasting: OrderedDict[Hashable, Any] = OrderedDict()
        self._desk: Desk | None = None

    @property
    def project(self) -> Project:
        """The project, opened anew whenever its file was edited."""
        from qua3ck.project import open_project

        stat = (self.root / "qua3ck.yaml").stat()
        key = ("project", stat.st_mtime_ns, stat.st_size)
        return self._once(key, lambda: open_project(self.root, actor=self._actor))

    def aliases(self) -> Mapping[str, int]:
        """Return which version has each place now.

        ``champion`` is the version in use, as a server has it; ``canary`` the one that is being
        rolled out. The alias champion knows neither steps nor stops. All others as they point.
        """
        return self._now("aliases", self._places)

    def releases(self) -> tuple[Release, ...]:
        """Return every version, oldest first."""
        return self._now("releases", self.project.releases)

    def entries(self) -> tuple[Entry, ...]:
        """Return the ledger, oldest first."""
        return self._now("entries", self.project.entries)

    def enrolled(self) -> tuple[Person, ...]:
        """Return everybody who is enrolled."""
        return self._now("enrolled", self.project.enrolled)

    def evidence(self, version: int, lang: str) -> Facts:
        """Return what a version's report is written from."""
        return self._now(
            ("evidence", version, lang), lambda: self.project.evidence(version, lang=lang)
        )

    def gates(self, version: int) -> tuple[Gate, ...]:
        """Return what each gate answers for a version."""
        return self._now(("gates", version), lambda: self.project.gates(version))

    def approvals(self, version: int) -> tuple[Approval, ...]:
        """Return every word on a version."""
        return self._now(("approvals", version), lambda: self.project.approvals(version))

    def profile(self, version: int) -> Mapping[str, Any]:
        """Return what the training rows looked like."""
        return self._now(("profile", version), lambda: self.project.profile(version))

    def hidden(self) -> frozenset[str]:
        """Return the columns of which no value is shown."""
        return self._now("hidden", self.project.hidden_columns)

    def meanings(self) -> Mapping[str, str]:
        """Return what a column means, by its name."""
        return self._now("meanings", self.project.meanings)

    def tables(self) -> tuple[TableFacts, ...]:
        """Return the facts of every source and gold table."""
        return self._now("tables", self.project.tables)

    def waiting(self) -> Mapping[str, tuple[Waiting, ...]]:
        """Return what waits in quarantine, by source."""
        return self._now("waiting", self.project.quarantine)

    def routing(self) -> tuple[Routing, Rollout | None]:
        """Return who answers requests now, and the rollout that is going on."""
        return self._now("routing", self.project.routing)

    def desk(self) -> Desk:
        """Return who answers as a server of the project would; another one for another plan.

        Raises
        ------
        Qua3ckError
            If a server could not be planned: the ledger does not verify, the key of the
            pseudonyms cannot be had.
        """
        from qua3ck.operate.serve.desk import Desk

        with self._lock:
            plan, before = self._now("plan", self._plan), self._desk
            if before is not None and before.plan == plan:
                return before
            found = self._desk = Desk(plan, self.release)
        if before is not None:  # outside of the lock: who is being answered may need it
            before.close()
        return found

    def release(self, version: int) -> Release:
        """Return a version."""
        return next(one for one in self.releases() if one.version == version)

    def _places(self) -> Mapping[str, int]:
        from qua3ck.operate.serve.routing import settled

        now, going = self.routing()
        in_use = settled(now)
        found = {name: at for name, at in self.project.aliases().items() if name != "champion"}
        if in_use is not None:
            found["champion"] = in_use.version
        if going is not None:
            found["canary"] = going.version
        return found

    def _plan(self) -> ServePlan:
        from qua3ck.app.batch import MOST_ROWS

        plan = self.project.serve_plan()
        rows = max(MOST_ROWS, plan.limits.max_rows)
        return replace(plan, limits=replace(plan.limits, max_rows=rows))

    def traffic(self) -> Traffic:
        """Return what was answered lately; never older than ten seconds."""
        with self._lock:
            read_at, found = self._now(
                "traffic", lambda: (time.monotonic(), self.project.traffic())
            )
            if time.monotonic() - read_at > _FRESH:
                self._current.pop("traffic")
                _, found = self._now("traffic", lambda: (time.monotonic(), self.project.traffic()))
            return found

    def audit(self) -> Audit:
        """Return every event in a sentence."""
        return self._now("audit", self.project.audit)

    def verified(self, *, again: bool = False) -> tuple[Verified, str]:
        """Return whether the record is as it was written, and when that was looked at.

        Parameters
        ----------
        again : bool
            Look again now; else what was found since the ledger last grew is returned.
        """
        with self._lock:
            if again:
                self._current.pop("verified", None)
            clock = self.project.read_only().clock
            return self._now("verified", lambda: (self.project.verify(), clock().isoformat()))

    def model(self, version: int) -> Model:
        """Return a version's model, kept under its digest."""
        digest = self.release(version).candidate
        return self._once(("model", digest), lambda: self.project.model(version))

    def _now(self, what: Hashable, read: Callable[[], R]) -> R:
        """Return an answer that holds until the ledger or the file changes."""
        with self._lock:
            mark = self.project.mark()
            if mark != self._mark:
                self._mark = mark
                self._current.clear()
            if what not in self._current:
                self._current[what] = read()
            found: R = self._current[what]
            return found

    def _once(self, key: Hashable, read: Callable[[], R]) -> R:
        """Return an answer that never changes: what its key names is that thing alone."""
        with self._lock:
            if key not in self._lasting:
                self._lasting[key] = read()
                while len(self._lasting) > _KEPT:
                    self._lasting.popitem(last=False)
            self._lasting.move_to_end(key)
            found: R = self._lasting[key]
            return found
