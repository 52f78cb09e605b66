"""The verbs of a project on its sources and tables, from loading to handing out."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING

from qua3ck.kit.errors import Qua3ckError
from qua3ck.kit.wording import one_line
from qua3ck.kit.yaml12 import Places
from qua3ck.project.file import ProjectFile

if TYPE_CHECKING:
    from qua3ck.govern import Workspace
    from qua3ck.project.backup import Backup
    from qua3ck.project.contracts import Drafted, Held
    from qua3ck.understand.gold import Built, Trace
    from qua3ck.understand.loading import Load
    from qua3ck.understand.loading.accepting import Taken
    from qua3ck.understand.loading.proposing import Proposed
    from qua3ck.understand.loading.statistics import Took
    from qua3ck.understand.loading.worklist import Waiting
    from qua3ck.understand.publish import Handed

Progress = Callable[[str, str, int, int], None]


class DataVerbs:
    """What may be done with a project's data before, and without, any model.

    The half of :class:`qua3ck.project.Project` that opens no seal; it is only used as that.
    """

    root: Path
    file: ProjectFile
    places: Places
    _progress: Progress
    if TYPE_CHECKING:  # what the other half brings

        @property
        def name(self) -> str:
            """The project's name in its file."""

        def workspace(self) -> Workspace:
            """Return the open workspace."""

        def read_only(self) -> Workspace:
            """Return the workspace opened for reading."""

        def _at_work(self, verb: str, *, needs: str = "run") -> AbstractContextManager[None]: ...

    def load(
        self, names: Sequence[str] = (), *, accept: Mapping[str, str] | None = None
    ) -> tuple[Load, ...]:
        """Bring sources up to date, remote ones too; all, if none is named.

        Parameters
        ----------
        accept : mapping, optional
            Finding code to the reason why what it holds back is loaded all the same.

        Raises
        ------
        Qua3ckError
            If a reason is blank, a name or code is not known, or a source cannot be read.
        """
        from qua3ck.govern import person, require
        from qua3ck.understand.loading import load_sources

        reasons = {code: one_line(why) for code, why in (accept or {}).items()}
        blank = [code for code, why in reasons.items() if not why]
        if blank:
            raise Qua3ckError(
                f"{', '.join(blank)}: accepted, and nothing says why",
                where="load: accept",
                fix=f"write who said so, and why: accept={{{blank[0]!r}: 'they renamed it'}}",
            )
        workspace = self.workspace()
        who = person(self.root, workspace.actor)
        require(who.name, who.roles, "run")
        return load_sources(
            self.file.understand, workspace, names=names, accept=reasons, tell=self._tell_load
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

    def trace(
        self, table: str, *, where: str = "", limit: int = 20, show_personal: bool = False
    ) -> Trace:
        """Return the rows of a table that fit, each with the records behind it.

        Parameters
        ----------
        where : str
            A SQL condition over the table's columns; empty for all rows.
        show_personal : bool
            Also show cells of columns that a contract classifies as more than internal. Only
            for who may run the phases; that it was done is on record.

        Raises
        ------
        Qua3ckError
            If there is no such table, the condition cannot be read, or the actor may not see
            what is classified.
        """
        from qua3ck.project.tables import trace_table

        workspace = self.workspace() if show_personal else self.read_only()
        return trace_table(
            table, where, limit, file=self.file, workspace=workspace, show_personal=show_personal
        )

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

    def propose(
        self, names: Sequence[str] = (), *, show: Callable[[Proposed], None] | None = None
    ) -> tuple[Proposed, ...]:
        """Infer how sources of delimited text are written, and declare it in the project file.

        Parameters
        ----------
        show : callable, optional
            Told of each proposal with its evidence, before the file is changed.

        Returns
        -------
        tuple of Proposed
            For each source what was proposed, or why nothing was; one does not stop the others.
        """
        from qua3ck.understand.loading.proposing import propose_each

        told = {} if show is None else {"show": show}
        project = self.places.path
        return propose_each(self.file.understand, names, root=self.root, project=project, **told)

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
        from qua3ck.understand.loading import known_sources
        from qua3ck.understand.loading.accepting import export_list

        (known,) = known_sources([name], self.file.understand)
        source = self.file.understand.sources[known]
        return export_list(known, source, self.read_only(), path, title=self.name)

    def take_answers(self, name: str, path: Path) -> tuple[Taken, tuple[Load, ...]]:
        """Keep the answers of a sheet to what is still open, and load the source again with them.

        Returns
        -------
        tuple of (Taken, tuple of Load)
            What became of the sheet, and what the load did.
        """
        from qua3ck.understand.loading import known_sources
        from qua3ck.understand.loading.accepting import take_answers

        (known,) = known_sources([name], self.file.understand)
        source = self.file.understand.sources[known]
        taken = take_answers(known, source, self.workspace(), path)
        return taken, self.load([known])

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

    def _tell_load(self, text: str, share: float | None) -> None:
        self._progress("U", text, round(100 * (share or 0)), 100)
