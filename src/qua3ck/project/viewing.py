"""What a view of a project reads: versions, evidence, the model, the tables; it changes nothing."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from qua3ck.kit.errors import Qua3ckError
from qua3ck.project.file import ProjectFile

if TYPE_CHECKING:
    from qua3ck.govern import Approval, Gate, Person, Release, Workspace
    from qua3ck.ledger import Entry
    from qua3ck.operate.records import Routing, ServePlan
    from qua3ck.operate.serve.routing import Rollout
    from qua3ck.project.traffic import Traffic
    from qua3ck.question import Word
    from qua3ck.store.releases.model import Model
    from qua3ck.transfer.facts import Facts
    from qua3ck.understand.catalog import TableFacts


class ViewVerbs:
    """What may be seen of a project; the part of :class:`qua3ck.project.Project` that only reads.

    Whoever keeps an answer keeps it under :meth:`mark`, which is another as soon as something
    was written down; and a model under the digest that the signed ledger has.
    """

    root: Path
    file: ProjectFile
    if TYPE_CHECKING:  # what the other half brings

        def read_only(self) -> Workspace:
            """Return the workspace opened for reading."""

        def routing_plan(self) -> ServePlan:
            """Return as much of a plan as says who answers whom."""

    def mark(self) -> str:
        """Return a text that is another one after every ledger event and edit of the file."""
        watched = (self.root / "ledger" / "chain.jsonl", self.root / "qua3ck.yaml")
        stats = [path.stat() if path.exists() else None for path in watched]
        return "-".join(f"{one.st_size:x}.{one.st_mtime_ns:x}" if one else "0" for one in stats)

    def entries(self) -> tuple[Entry, ...]:
        """Return the ledger, oldest first, each line held against the one before."""
        return tuple(self.read_only().ledger.entries())

    def releases(self) -> tuple[Release, ...]:
        """Return every version that was ever made, oldest first."""
        from qua3ck.govern import list_releases

        return list_releases(self.read_only().ledger)

    def aliases(self) -> dict[str, int]:
        """Return where each alias points now."""
        from qua3ck.transfer.history import aliases_now

        return aliases_now(self.read_only().ledger)

    def enrolled(self) -> tuple[Person, ...]:
        """Return everybody who is enrolled; nobody in a project that has not begun."""
        from qua3ck.govern import people

        return people(self.root)

    def evidence(self, version: int, *, lang: str | None = None) -> Facts:
        """Return what a version's report is written from, after its files were checked.

        Parameters
        ----------
        lang : str, optional
            Language of what is made from it; default the project's.

        Raises
        ------
        Blocked
            If a file of the version is not the one that was released (K004).
        """
        from qua3ck.transfer.released import released_facts

        lang = lang or self.file.language
        return released_facts(self.read_only(), version, section=self.file.transfer, lang=lang)

    def gates(self, version: int) -> tuple[Gate, ...]:
        """Return what each gate answers for a version, as things stand now."""
        from qua3ck.govern import find_release
        from qua3ck.transfer.promotion import gate_answers

        workspace = self.read_only()
        release = find_release(workspace.ledger, version)
        return gate_answers(workspace, self.file.question, release, self.file.transfer)

    def agreements(self) -> tuple[Word, ...]:
        """Return who agreed to the question as it stands, to an earlier one, or not yet."""
        from qua3ck.question import agreements

        return agreements(self.file.question, self.read_only().ledger.entries())

    def approvals(self, version: int) -> tuple[Approval, ...]:
        """Return every word on a version in the order signed, each signature checked."""
        from qua3ck.govern import approvals

        return approvals(self.read_only(), version)

    def model(self, version: int) -> Model:
        """Return a version's model, every byte proven against the signed ledger."""
        from qua3ck.govern import find_release
        from qua3ck.govern.releases import model_folder
        from qua3ck.store.releases.model import load_model

        release = find_release(self.read_only().ledger, version)
        return load_model(model_folder(self.root, release), digest=release.candidate)

    def profile(self, version: int) -> Mapping[str, Any]:
        """Return what the training rows of a version looked like, by column.

        The released page names the SHA-256 of these figures, and the version's digest covers
        the page; so both are proven. Counts below five are in neither.

        Raises
        ------
        Qua3ckError
            If the figures are not there or not those of the page (P016).
        """
        facts = self.evidence(version)
        figures = self.root / Path(facts.snapshot.profile).with_suffix(".json")
        release = facts.release
        page = self.root / (release.path if release else "") / "evidence" / "profile.html"
        text = figures.read_bytes() if figures.is_file() else b""
        if not text or hashlib.sha256(text).hexdigest() not in page.read_text(encoding="utf-8"):
            raise Qua3ckError(
                f"The figures about the training rows of version {version} are "
                + ("not those that were released" if text else "not here"),
                where=str(figures),
                fix="restore the folder evidence/ from a backup",
                code="P016",
            )
        found: dict[str, Any] = json.loads(text)["columns"]
        return found

    def hidden_columns(self) -> frozenset[str]:
        """Return the columns of which no value and no range may be shown to a reader.

        Those the file calls sensitive, those a contract classifies as more than internal, and
        those that are named like something personal and that no contract has released.
        """
        from qua3ck.understand.contract.personal import looks_personal
        from qua3ck.understand.contract.said import said_of

        section = self.file.understand
        said = [table.columns for table in said_of(section, self.root).values()]
        stated = {name: one for columns in said for name, one in columns.items()}
        closed = {name for name, one in stated.items() if one.private}
        open_ = {name for name, one in stated.items() if one.shown}
        named = {name for version in self.releases() for name in self._columns(version.version)}
        guessed = {name for name in named - open_ if looks_personal(name)}
        return frozenset({*section.sensitive, *closed, *guessed})

    def meanings(self) -> Mapping[str, str]:
        """Return what the contracts say that a column means, by its name."""
        from qua3ck.understand.contract.said import said_of

        tables = said_of(self.file.understand, self.root).values()
        return {n: c.meaning for table in tables for n, c in table.columns.items() if c.meaning}

    def routing(self) -> tuple[Routing, Rollout | None]:
        """Return who answers requests now, and the rollout that is going on, if one is."""
        from qua3ck.operate.records import Routing
        from qua3ck.operate.serve.routing import rollout, routing

        entries = self.entries()
        if not entries:
            return Routing(arms=()), None
        return routing(entries, self.routing_plan()), rollout(entries)

    def traffic(self, *, hours: int = 24) -> Traffic:
        """Return what was answered in the last hours, counted by hour, place and version."""
        from qua3ck.project.traffic import traffic

        return traffic(self.root, now=self.read_only().clock(), hours=hours)

    def tables(self) -> tuple[TableFacts, ...]:
        """Return the facts of every source and gold table: freshness, quality, quarantine."""
        from qua3ck.project.tables import table_facts

        return table_facts(file=self.file, workspace=self.read_only())

    def _columns(self, version: int) -> tuple[str, ...]:
        return tuple(column.name for column in self.evidence(version).snapshot.columns)
