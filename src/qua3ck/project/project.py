"""A project folder as an object: the same verbs as the command line."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from qua3ck.kit.clock import Clock, utc_now
from qua3ck.kit.errors import Blocked, Qua3ckError
from qua3ck.kit.findings import Finding
from qua3ck.kit.wording import one_line
from qua3ck.kit.yaml12 import Places
from qua3ck.project import checks, plan
from qua3ck.project.asking import (
    hold_leaks,
    hold_seal,
    not_judged,
    refuse_to_begin,
    set_openings,
    set_question,
)
from qua3ck.project.columns import refuse_unknown_groups
from qua3ck.project.data import DataVerbs, Progress
from qua3ck.project.file import NAME, ProjectFile, read_project_file
from qua3ck.project.predicting import PredictVerbs
from qua3ck.project.running import beside, sole_worker
from qua3ck.project.serving import ServeVerbs
from qua3ck.project.status import status_lines, why_not_released
from qua3ck.project.viewing import ViewVerbs
from qua3ck.project.warehouse import WarehouseVerbs

if TYPE_CHECKING:
    from qua3ck.a3.records import Candidate
    from qua3ck.conclude import Judge
    from qua3ck.conclude.records import Conclusion
    from qua3ck.govern import Approval, Person, Release, Workspace
    from qua3ck.store.tracking import Tracking
    from qua3ck.transfer.auditing import Audit, Verified
    from qua3ck.transfer.records import Certificate, Promotion
    from qua3ck.understand.records import Snapshot


def silent(phase: str, text: str, done: int, total: int) -> None:
    """Say nothing of progress."""
    del phase, text, done, total


def open_project(path: str | Path = ".", *, actor: str | None = None) -> Project:
    """Open a project folder.

    Parameters
    ----------
    path : str or Path, default "."
        The folder, or its ``qua3ck.yaml``.
    actor : str, optional
        Who acts; default ``$QUA3CK_ACTOR``, else the login name.

    Returns
    -------
    Project
        With the verbs of the command line as methods.

    Raises
    ------
    Qua3ckError
        If there is no project file, or it has mistakes; says line, value and cure.
    """
    return Project(_project_file(Path(path)), actor=actor)


class Project(DataVerbs, PredictVerbs, ServeVerbs, ViewVerbs, WarehouseVerbs):
    """A project: its file, its folder, and what may be done with it.

    Parameters
    ----------
    path : Path
        The project file.
    actor : str, optional
        Who acts.
    progress : callable, optional
        Called with (phase, text, done, total) as work goes on.
    clock : callable, optional
        Gives the present moment.
    """

    def __init__(
        self,
        path: Path,
        *,
        actor: str | None = None,
        progress: Progress = silent,
        clock: Clock = utc_now,
    ) -> None:
        self.root = path.parent.resolve()
        self.file: ProjectFile
        self.places: Places
        self.file, self.places = read_project_file(path)
        self._actor = actor
        self._clock = clock
        self._progress = progress
        self._workspace: Workspace | None = None

    def __repr__(self) -> str:
        """Return what is asked, and the record each phase left."""
        return "\n".join(status_lines(self.root, self.file))

    @property
    def name(self) -> str:
        """The project's name in its file."""
        return self.file.project

    def watch(self, progress: Progress) -> None:
        """Have ``progress`` called with (phase, text, done, total) as work goes on."""
        self._progress = progress
        self._workspace = None

    # -- the phases ------------------------------------------------------------

    def check(self) -> tuple[Finding, ...]:
        """Hold the project file against what exists; writes nothing.

        Returns
        -------
        tuple of Finding
            Empty if nothing is to be said. Mistakes that stop a run raise instead.
        """
        return checks.check(self.root, self.file, self.places)

    def risk_class(self) -> tuple[str, str]:
        """Return the risk class that the answers give, and why."""
        from qua3ck.govern import risk_class

        risk = self.file.question.risk
        return risk_class(affects=risk.affects, domain=risk.domain, automated=risk.automated)

    def understand(self, *, again: bool = False) -> Snapshot:
        """Load, split and seal; returns the snapshot that the loop reads."""
        with self._at_work("understand"):
            return self._understand(again=again)

    def loop(self) -> Candidate:
        """Search algorithms, features and hyperparameters; returns the candidate."""
        with self._at_work("loop"):
            return self._loop(self._understand())

    def conclude(self) -> Conclusion:
        """Open the seal for the candidate and judge it; never twice for the same one."""
        with self._at_work("conclude", needs="open the seal"):
            snapshot = self._understand()
            return self._conclude(snapshot, self._loop(snapshot))

    def run(self, *, each: Callable[[Snapshot | Candidate], None] | None = None) -> Conclusion:
        """Do every phase that is stale, from the sources to the verdict.

        Parameters
        ----------
        each : callable, optional
            Called with the snapshot and with the candidate as soon as there is one.
        """
        from qua3ck.conclude import Judge

        tell = each or (lambda _: None)
        with self._at_work("run", needs="open the seal"), Judge() as judge:
            snapshot = self._understand(meanwhile=self.tracking().prepare)
            tell(snapshot)
            candidate = self._loop(snapshot, searched=judge.start)
            tell(candidate)
            return self._conclude(snapshot, candidate, judge=judge)

    def release(self) -> Release:
        """Make the judged candidate an immutable version; Blocked if its verdict is not pass.

        Trains nothing and opens nothing: what was not judged has no verdict that anybody read.
        """
        from qua3ck.conclude import judged
        from qua3ck.transfer import make_release

        with self._at_work("release"):
            stale = partial(not_judged, self.root)
            snapshot = self._understand(make=stale)
            candidate = self._loop(snapshot, make=stale)
            section, question = self.file.conclude, self.file.question
            conclusion = judged(section, question, snapshot, candidate, self.workspace())
            return make_release(
                question,
                snapshot,
                candidate,
                conclusion or not_judged(self.root),
                self.workspace(),
                tracking=self.tracking(),
                section=self.file.transfer,
                language=self.file.language,
            )

    def workspace(self) -> Workspace:
        """Return the open workspace: ledger, warehouse, keys and who acts."""
        from qua3ck.govern import open_workspace

        if self._workspace is None:
            self._workspace = open_workspace(
                self.root,
                self.name,
                actor=self._actor,
                clock=self._clock,
                progress=self._progress,
            )
        return self._workspace

    def tracking(self) -> Tracking:
        """Return the MLflow tracking and registry that the project file names."""
        from qua3ck.store.tracking import Tracking

        uri = self.file.transfer.tracking or f"sqlite:///{self.root / 'mlflow.db'}"
        return Tracking(uri, self.root, self.name)

    # -- the version's life ----------------------------------------------------

    def newest(self, version: int | None = None) -> int:
        """Return the version asked for, else the newest.

        Raises
        ------
        Blocked
            If there is none: says what the verdict was.
        """
        versions = sorted(
            int(path.name) for path in (self.root / "releases").glob("*") if path.name.isdigit()
        )
        if version is not None or versions:
            return version if version is not None else versions[-1]
        raise Blocked(
            f"There is no released version{why_not_released(self.root)}",
            where=str(self.root / "releases"),
            fix="qua3ck run, then qua3ck release; only a verdict that passes can be released",
            code="P014",
        )

    def report(self, version: int | None = None, *, language: str | None = None) -> Path:
        """Return the path of a version's report.

        Parameters
        ----------
        language : {"en", "de"}, optional
            Default the one that was released. Another is written from the same records into
            ``state/``, because a released file never changes.
        """
        from qua3ck.govern import find_release

        release = find_release(self.read_only().ledger, self.newest(version))
        released = self.root / release.path / "report.html"
        if language is None:
            return released
        from qua3ck.transfer.released import write_report

        facts = self.evidence(release.version, lang=language)
        return write_report(
            facts, self.root / "state" / f"report-{release.version}.{language}.html"
        )

    def enrol(self, name: str, roles: tuple[str, ...], *, public: Path | None = None) -> Person:
        """Enrol a person with keys and roles; only the owner may."""
        from qua3ck.govern import enrol

        return enrol(self.workspace(), name, roles, public=public)

    def approve(
        self,
        version: int | Literal["question"],
        *,
        decision: str = "approve",
        reason: str,
        approver: str | None = None,
    ) -> Approval:
        """Sign for or against a version, as one enrolled person; default: who acts.

        Parameters
        ----------
        version : int or "question"
            "question" signs what is asked, with every threshold as the project file has it
            now: before the seal is opened, so that no number was chosen to fit a result.
        decision : {"approve", "refuse"}
            The latest word of a person counts.
        reason : str
            Kept in the ledger and shown in the report.
        approver : str, optional
            Default: who acts.
        """
        from qua3ck.govern import approve
        from qua3ck.govern.people import actor_name
        from qua3ck.question import agree

        refuse_to_begin(self.root, approver or actor_name(self._actor))
        workspace = self.workspace()
        who, reason = approver or workspace.actor, one_line(reason)
        if version == "question":
            checks.refuse_mistakes(self.root, self.file, self.places)
            checks.refuse_unfit(self.file.question)
            return agree(
                self.file.question, workspace, approver=who, decision=decision, reason=reason
            )
        return approve(workspace, version, approver=who, decision=decision, reason=reason)

    def promote(
        self, version: int, *, alias: str = "champion", reason: str, at_once: bool = False
    ) -> Promotion:
        """Move an alias to a version through the gates of the risk class.

        A champion is put into use by the steps of ``operate.canary``, unless ``at_once``.
        """
        from qua3ck.transfer import promote

        steps = self.file.operate.canary if self.file.operate and not at_once else ()

        with self._at_work("promote", needs="promote"):
            set_openings(self.file.conclude.openings, self.workspace())
            return promote(
                self.workspace(),
                self.file.question,
                version,
                alias=alias,
                reason=one_line(reason),
                tracking=self.tracking(),
                section=self.file.transfer,
                steps=steps,
            )

    def rollback(self, *, alias: str = "champion", reason: str) -> Promotion:
        """Move an alias back to the version it had before."""
        from qua3ck.transfer import rollback

        with self._at_work("rollback", needs="promote"):
            said = one_line(reason)
            return rollback(self.workspace(), alias=alias, reason=said, tracking=self.tracking())

    def reproduce(self, version: int, *, fresh_env: bool = False) -> Certificate:
        """Rebuild a version from its pinned snapshot and compare."""
        from qua3ck.transfer import reproduce

        with self._at_work("reproduce"):
            return reproduce(self.workspace(), version, fresh_env=fresh_env)

    def audit(
        self, *, version: int | None = None, alias: str | None = None, on: str | None = None
    ) -> Audit:
        """Return who did what, when and why; or what an alias was on a day."""
        from qua3ck.transfer import audit

        return audit(self.read_only(), version=version, alias=alias, on=on)

    def verify(self) -> Verified:
        """Check the ledger, its signatures, every version's files, and what MLflow loads of it."""
        from qua3ck.transfer import verify

        return verify(self.read_only(), self.tracking())

    def read_only(self) -> Workspace:
        """Return the workspace opened for reading; needs no key and writes nothing."""
        from qua3ck.govern import open_workspace

        return open_workspace(self.root, self.name, actor=self._actor, read_only=True)

    # -- one phase each, under the lock ----------------------------------------

    @contextmanager
    def _at_work(self, verb: str, *, needs: str = "run") -> Iterator[None]:
        """Hold the folder for a verb that writes, if the actor may; else say so at once."""
        from qua3ck.govern import person, require

        with sole_worker(self.root, verb=verb):
            who = person(self.root, self.workspace().actor)
            require(who.name, who.roles, needs)
            yield

    def _understand(
        self,
        *,
        again: bool = False,
        meanwhile: Callable[[], None] = lambda: None,
        make: Callable[[], Snapshot] | None = None,
    ) -> Snapshot:
        from qua3ck.understand import take_snapshot
        from qua3ck.understand.records import Snapshot

        workspace = self.workspace()
        checks.refuse_mistakes(self.root, self.file, self.places)
        checks.refuse_unfit(self.file.question)
        set_question(self.file.question, workspace)
        set_openings(self.file.conclude.openings, workspace)
        if again:
            plan.forget(self.root, "understand")
        return plan.recall_or_do(
            self.root,
            "understand",
            plan.understand_key(self.root, self.file),
            Snapshot,
            make
            or partial(
                beside,
                meanwhile,
                lambda: take_snapshot(
                    self.file.understand,
                    self.file.question,
                    test_share=self.file.conclude.test_share,
                    seed=self.file.a3.seed,
                    workspace=workspace,
                ),
            ),
            state=lambda: plan.last_loads(workspace, self.file),
        )

    def _loop(
        self,
        snapshot: Snapshot,
        *,
        searched: Callable[[], None] | None = None,
        make: Callable[[], Candidate] | None = None,
    ) -> Candidate:
        from qua3ck.a3 import hold_stop_rules, run_loop
        from qua3ck.a3.records import Candidate

        refuse_unknown_groups(self.file, self.places, snapshot)
        checks.refuse_unfit(self.file.question, snapshot)
        hold_leaks(snapshot)
        candidate = plan.recall_or_do(
            self.root,
            "loop",
            plan.loop_key(self.root, self.file, snapshot.id),
            Candidate,
            make
            or partial(
                run_loop,
                self.file.a3,
                self.file.question,
                snapshot,
                self.workspace(),
                tracking=self.tracking(),
                searched=searched,
            ),
        )
        hold_stop_rules(self.file.question, snapshot, self.workspace(), candidate)
        return candidate

    def _conclude(
        self, snapshot: Snapshot, candidate: Candidate, *, judge: Judge | None = None
    ) -> Conclusion:
        from qua3ck.conclude import conclude
        from qua3ck.govern import alias_at
        from qua3ck.kit.records import save

        workspace = self.workspace()
        hold_seal(self.file.question, self.file.conclude, candidate, workspace)
        version = alias_at(workspace.ledger, "champion")
        champion = self.root / "releases" / str(version) if version is not None else None
        conclusion = conclude(
            self.file.conclude,
            self.file.question,
            snapshot,
            candidate,
            workspace,
            champion=champion,
            seed=self.file.a3.seed,
            judge=judge,
        )
        save(conclusion, self.root / "state" / "conclusion.json")
        return conclusion


def _project_file(path: Path) -> Path:
    found = path / NAME if path.is_dir() else path
    if found.is_file() and found.suffix in {".yaml", ".yml"}:
        return found
    what = f"{path} is no project file" if found.is_file() else f"{path} does not exist"
    raise Qua3ckError(
        f"There is no {NAME} here" if path.is_dir() else what,
        where=str(path),
        fix=f"name the project's folder, or make a new one with: qua3ck init {path}",
        code="P001",
    )
