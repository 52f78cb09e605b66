"""The verbs of a project on a version in use: predict tables by it, hand it over to others."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from qua3ck.kit.errors import Qua3ckError
from qua3ck.project.file import ProjectFile

if TYPE_CHECKING:
    from qua3ck.govern import Workspace
    from qua3ck.operate.batch import Predicted
    from qua3ck.operate.features import Told
    from qua3ck.transfer.export import Exported


class PredictVerbs:
    """What may be done with a version that is in use.

    A part of :class:`qua3ck.project.Project`; it is only used as that.
    """

    root: Path
    file: ProjectFile
    if TYPE_CHECKING:  # what the other parts bring

        @property
        def name(self) -> str:
            """The project's name in its file."""

        def read_only(self) -> Workspace:
            """Return the workspace opened for reading."""

        def workspace(self) -> Workspace:
            """Return the open workspace."""

    def predict(
        self,
        table: str,
        *,
        to: str,
        alias: str = "champion",
        version: int | None = None,
        key: Sequence[str] = (),
        like: str = "",
    ) -> Predicted:
        """Answer every row of a table, or hold it with a reason.

        Parameters
        ----------
        table : str
            A source, a gold table, or the path of a ``.csv`` or ``.parquet`` file.
        to : str
            A table of the layer ``predictions``, or the path of a file.
        alias : str
            Whose version answers.
        version : int, optional
            Instead of an alias: a version that was promoted once.
        key : sequence of str
            Columns to copy beside each answer; default: the declared key, unless it is
            personal.
        like : str
            The source whose declared way of reading holds for a text file.
        """
        from qua3ck.operate.batch import Asked, predict

        asked = Asked(table, to, alias, version, tuple(key), like)
        operate = self.file.operate
        refuse = operate.serve.refuse_outside if operate is not None else False
        return predict(asked, self.workspace(), self.file.understand, refuse=refuse)

    def write_features(self, *, as_of: str = "") -> tuple[Told, ...]:
        """Write the declared feature tables for requests to be completed from.

        Parameters
        ----------
        as_of : str
            A day (meant to its end) or a moment in UTC; empty for the present.
        """
        from qua3ck.operate.features import open_store, write_features
        from qua3ck.operate.section import Operate
        from qua3ck.transfer.history import moment

        operate = self.file.operate or Operate()
        if not operate.features:
            raise Qua3ckError(
                "No feature table is declared",
                where="the project file: operate.features",
                fix="declare one: features: {NAME: {table: TABLE, key: [ID], columns: [...]}}",
                code="O063",
            )
        workspace = self.workspace()
        store = open_store(self.root, workspace.project_id, operate.feature_store or "")
        when = moment(as_of, where="--as-of") if as_of else None
        return write_features(operate.features, self.file.understand, workspace, store, as_of=when)

    def export(
        self, kind: str, *, to: Path | None = None, base: str = "", image: str = ""
    ) -> Exported:
        """Write the project as files for a place where others run things.

        Parameters
        ----------
        kind : str
            docker, kubernetes, github, airflow, dagster or streamlit.
        to : Path, optional
            A folder; default ``build/export/KIND`` in the project.
        base : str
            An image with its digest to build on, instead of the one known.
        image : str
            What the built image is called.
        """
        from qua3ck.govern import alias_at, list_releases
        from qua3ck.transfer.export import export

        ledger = self.read_only().ledger
        made = {release.version: release for release in list_releases(ledger)}
        version = alias_at(ledger, "champion") or max(made, default=None)
        return export(
            kind,
            root=self.root,
            project=self.name,
            release=made[version] if version is not None else None,
            to=to or self.root / "build" / "export" / kind,
            base=base,
            image=image,
        )
