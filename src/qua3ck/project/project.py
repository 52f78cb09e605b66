"""A project folder as an object: the same verbs as the command line."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from qua3ck.kit.clock import Clock, utc_now
from qua3ck.kit.errors import Blocked, Qua3ckError
from qua3ck.kit.findings import Finding
from qua3ck.project import checks, plan
from qua3ck.project.asking import set_openings, set_question
from qua3ck.project.file import NAME, Places, ProjectFile, read_project_file
from qua3ck.project.running import sole_worker
from qua3ck.project.status import status_lines, why_not_released

if TYPE_CHECKING:
    from qua3ck.a3.records import Candidate
    from qua3ck.conclude import Judge
    from qua3ck.conclude.records import Conclusion
    from qua3ck.govern import Approval, Person, Workspace
    from qua3ck.project.backup import Backup
    from qua3ck.project.contracts import Drafted, Held
    from qua3ck.store.tracking import Tracking
    from qua3ck.transfer.auditing import Audit, Verified
    from qua3ck.transfer.records import Certificate, Promotion, Release
    from qua3ck.understand.gold import Built, Trace
    from qua3ck.understand.loading import Load
    from qua3ck.understand.loading.statistics import Took
    from qua3ck.understand.loading.worklist import Waiting
    from qua3ck.understand.publish import Handed
    from qua3ck.understand.records import Snapshot
    from qua3ck.understand.sources.propose import Proposal

Progress = Callable[[str, str, int, int], None]


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


class Project:
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

    def load(
        self, names: Sequence[str] = (), *, accept: Mapping[str, str] | None = None
    ) -> tuple[Load, ...]:
        """Bring sources up to date, remote ones too; all, if none is named.

        Parameters
        ----------
        accept : mapping, optional
            Finding code to the reason why what it holds back is loaded all the same.
        """
        from qua3ck.govern import person, require
        from qua3ck.understand.loading import load_sources

        workspace = self.workspace()
        who = person(self.root, workspace.actor)
        require(who.name, who.roles, "run")
        return load_sources(
            self.file.understand, workspace, names=names, accept=accept, tell=self._tell_load
        )

    def make_tables(self) -> tuple[Built, ...]:
        """Make the gold tables that are stale; returns all, or none if a source is not loaded."""
        from qua3ck.understand.gold import make_tables
        from qua3ck.understand.loading import silver

        section, warehouse = self.file.understand, self.workspace().warehouse
        there = all(warehouse.version(silver(name)) is not None for name in section.sources)
        if not section.tables or not there:
            return ()
        with self._at_work("load"):
            tell = self._tell_load
            return make_tables(self.file.understand, self.workspace(), tell=tell)

    def trace(self, table: str, *, where: str = "", limit: int = 20) -> Trace:
        """Return the rows of a table that fit, each with the records behind it.

        Parameters
        ----------
        where : str
            A SQL condition over the table's columns; empty for all rows.
        """
        from qua3ck.project.tables import trace_table

        return trace_table(table, where, limit, file=self.file, workspace=self.read_only())

    def openlineage(self, path: Path) -> int:
        """Write every load and table as OpenLineage events, one a line; returns their number."""
        from qua3ck.project.tables import write_openlineage

        return write_openlineage(path, file=self.file, workspace=self.read_only())

    def publish(self) -> Handed:
        """Hand the declared tables to files and databases."""
        from qua3ck.project.tables import publish_tables

        with self._at_work("publish"):
            return publish_tables(file=self.file, workspace=self.workspace())

    def catalog(self, folder: Path | None = None) -> Path:
        """Write the data catalogue as pages; returns the first."""
        from qua3ck.project.tables import write_catalog

        to = folder or self.root / "catalog"
        return write_catalog(to, file=self.file, workspace=self.read_only())

    def propose(self, names: Sequence[str] = ()) -> dict[str, tuple[Proposal, bool]]:
        """Infer how sources of delimited text are written, and declare it in the project file.

        Returns
        -------
        dict
            Source to what was proposed with its evidence, and whether the file was changed.
        """
        from qua3ck.understand.loading.proposing import propose_each

        return propose_each(
            self.file.understand, names, root=self.root, project=self.places.path
        )

    def quarantine(self, names: Sequence[str] = ()) -> dict[str, tuple[Waiting, ...]]:
        """Return what waits in quarantine, by source; only sources of which something does."""
        from qua3ck.understand.loading import known_sources
        from qua3ck.understand.loading.worklist import work_list

        workspace, sources = self.read_only(), self.file.understand.sources
        wanted = known_sources(names, self.file.understand)
        lists = {name: work_list(name, sources[name], workspace) for name in wanted}
        return {name: waiting for name, waiting in lists.items() if waiting}

    def export_quarantine(self, name: str, path: Path) -> Path:
        """Write what waits of a source as a sheet to be answered."""
        from qua3ck.understand.loading.worklist import export_list

        waiting = self.quarantine([name]).get(name, ())
        return export_list(name, waiting, path, project=self.name)

    def take_answers(self, name: str, path: Path) -> tuple[int, tuple[Load, ...]]:
        """Keep the answers of a sheet that came back, and load the source again with them.

        Returns
        -------
        tuple of (int, tuple of Load)
            How many answers were taken, and what the load did.
        """
        from qua3ck.understand.loading import known_sources
        from qua3ck.understand.loading.worklist import take_answers

        (known,) = known_sources([name], self.file.understand)
        source = self.file.understand.sources[known]
        taken, _ = take_answers(known, source, self.workspace(), path)
        return len(taken), self.load([known])

    def load_history(self, names: Sequence[str] = ()) -> tuple[Took, ...]:
        """Return how long the loads of sources took, and how much they brought."""
        from qua3ck.understand.loading.statistics import load_history

        wanted = tuple(names) or tuple(self.file.understand.sources)
        return load_history(self.read_only().warehouse, wanted)

    def draft_contract(self, name: str, *, into: Path | None = None) -> Drafted:
        """Draft the contract of a source from its data; default: contracts/NAME.odcs.yaml."""
        from qua3ck.project.contracts import draft_contract

        warehouse = self.read_only().warehouse
        return draft_contract(self.root, self.file, warehouse, name, into=into)

    def check_contracts(self) -> tuple[Held, ...]:
        """Hold the contracts that sources name against the standard and their sources."""
        from qua3ck.project.contracts import check_contracts

        return check_contracts(self.root, self.file)

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
            snapshot = self._understand()
            tell(snapshot)
            candidate = self._loop(snapshot, searched=judge.start)
            tell(candidate)
            return self._conclude(snapshot, candidate, judge=judge)

    def release(self) -> Release:
        """Make the judged candidate an immutable version; Blocked if its verdict is not pass."""
        from qua3ck.transfer import make_release

        with self._at_work("release"):
            snapshot = self._understand()
            candidate = self._loop(snapshot)
            return make_release(
                self.file.question,
                snapshot,
                candidate,
                self._conclude(snapshot, candidate),
                self.workspace(),
                tracking=self.tracking(),
                section=self.file.transfer,
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

    def report(self, version: int | None = None) -> Path:
        """Return the path of a version's report."""
        from qua3ck.transfer import find_release

        release = find_release(self.read_only().ledger, self.newest(version))
        return self.root / release.path / "report.html"

    def enrol(self, name: str, roles: tuple[str, ...], *, public: Path | None = None) -> Person:
        """Enrol a person with keys and roles; only the owner may."""
        from qua3ck.govern import enrol

        return enrol(self.workspace(), name, roles, public=public)

    def approve(
        self, version: int, *, decision: str = "approve", reason: str, approver: str | None = None
    ) -> Approval:
        """Sign for or against a version, as one enrolled person; default: who acts."""
        from qua3ck.govern import approve

        workspace = self.workspace()
        who = approver or workspace.actor
        return approve(workspace, version, approver=who, decision=decision, reason=reason)

    def promote(self, version: int, *, alias: str = "champion", reason: str) -> Promotion:
        """Move an alias to a version through the gates of the risk class."""
        from qua3ck.transfer import promote

        with self._at_work("promote", needs="promote"):
            set_openings(self.file.conclude.openings, self.workspace())
            return promote(
                self.workspace(),
                self.file.question,
                version,
                alias=alias,
                reason=reason,
                tracking=self.tracking(),
                section=self.file.transfer,
            )

    def rollback(self, *, alias: str = "champion", reason: str) -> Promotion:
        """Move an alias back to the version it had before."""
        from qua3ck.transfer import rollback

        with self._at_work("rollback", needs="promote"):
            return rollback(self.workspace(), alias=alias, reason=reason, tracking=self.tracking())

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
        """Check the ledger, its signatures, and every version's files against it."""
        from qua3ck.transfer import verify

        return verify(self.read_only())

    def backup(self, to: str, *, rehearse: bool = False, whole: bool = False) -> Backup:
        """Copy everything but the keys to a folder or URL; only what is new is copied.

        Parameters
        ----------
        rehearse : bool
            Also restore it for a test, compare every byte and verify the ledger in it.
        whole : bool
            Read everything again, here and there, and mend what was damaged there.
        """
        from qua3ck.govern import person, require
        from qua3ck.project.backup import make_backup

        workspace = self.workspace()
        who = person(self.root, workspace.actor)
        require(who.name, who.roles, "run")  # loads may go on meanwhile: no sole_worker
        return make_backup(workspace, to, rehearse=rehearse, whole=whole)

    def read_only(self) -> Workspace:
        """Return the workspace opened for reading; needs no key and writes nothing."""
        from qua3ck.govern import open_workspace

        return open_workspace(self.root, self.name, actor=self._actor, read_only=True)

    def _tell_load(self, text: str, share: float | None) -> None:
        self._progress("U", text, round(100 * (share or 0)), 100)

    # -- one phase each, under the lock ----------------------------------------

    @contextmanager
    def _at_work(self, verb: str, *, needs: str = "run") -> Iterator[None]:
        """Hold the folder for a verb that writes, if the actor may; else say so at once."""
        from qua3ck.govern import person, require

        with sole_worker(self.root, verb=verb):
            who = person(self.root, self.workspace().actor)
            require(who.name, who.roles, needs)
            yield

    def _understand(self, *, again: bool = False) -> Snapshot:
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
            lambda: take_snapshot(
                self.file.understand,
                self.file.question,
                test_share=self.file.conclude.test_share,
                seed=self.file.a3.seed,
                workspace=workspace,
            ),
            state=lambda: plan.silver_versions(workspace, self.file),
        )

    def _loop(
        self, snapshot: Snapshot, *, searched: Callable[[], None] | None = None
    ) -> Candidate:
        from qua3ck.a3 import hold_stop_rules, run_loop
        from qua3ck.a3.records import Candidate

        checks.refuse_unfit(self.file.question, snapshot)
        candidate = plan.recall_or_do(
            self.root,
            "loop",
            plan.loop_key(self.root, self.file, snapshot.id),
            Candidate,
            lambda: run_loop(
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
