"""MLflow: every trial is a run, every release a version of a registered model.

SQLite in the project folder by default, any server by URL. MLflow takes seconds to import,
so nothing here imports it before the first call that needs it. It is the notebook of the
field, not the evidence: its tags and aliases can be changed by anybody, the ledger's cannot.
"""

from __future__ import annotations

import contextlib
import logging
import math
import os
import secrets
import socket
import sqlite3
import tempfile
import urllib.parse
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from qua3ck.kit.errors import Qua3ckError

TAG = "qua3ck."
_LOCAL = "sqlite:///"
_REACH_SECONDS = 5.0
_QUIET = {
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT": "true",
    "MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR": "false",
    "GIT_PYTHON_REFRESH": "quiet",
}
# MLflow's own would wait for minutes; set for this process, and only where the user has not.
_PATIENCE = {
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "1",
    "MLFLOW_HTTP_REQUEST_BACKOFF_FACTOR": "1",
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "10",
}
_PLACES = (
    ("experiments", "artifact_location"),
    ("runs", "artifact_uri"),
    ("logged_models", "artifact_location"),
    ("model_versions", "source"),
    ("model_versions", "storage_location"),
)


class Tracking:
    """The runs and the registered models of one project.

    Parameters
    ----------
    uri : str
        ``sqlite:////path/mlflow.db`` or a server's URL.
    root : Path
        The project folder; artefacts go to ``mlartifacts/`` in it unless a server keeps them.
    project : str
        Name of the MLflow experiment.

    Notes
    -----
    A project folder that was moved or copied is noticed by the path its experiment has in the
    database; all paths of artefacts are then rewritten to where the folder is now.
    """

    def __init__(self, uri: str, root: Path, project: str) -> None:
        self.uri = uri
        self.root = root.resolve()
        self.project = project
        self._made: Any = None
        self._experiment = ""

    def __repr__(self) -> str:
        """Return project and place; without the password a URL may carry."""
        return f"Tracking({self.project}, {_shown(self.uri)})"

    # -- the loop's runs -------------------------------------------------------

    def prepare(self) -> None:
        """Load MLflow's client, and make the local database if there is none.

        Both take seconds and can be done in a second thread, while another process reads the
        sources. Nothing depends on it: what goes wrong here goes wrong again, and is told, at
        the first call that needs the store.
        """
        from mlflow.exceptions import MlflowException
        from sqlalchemy.exc import SQLAlchemyError

        if _is_server(self.uri):
            return
        with _hushed(), contextlib.suppress(MlflowException, SQLAlchemyError, OSError):
            _prepare_folder(self.uri, self.root)

    def begin(self, name: str, *, key: str, tags: Mapping[str, str]) -> str:
        """Return the run that stands for a whole loop, the old one if ``key`` has one.

        Parameters
        ----------
        name : str
            Shown in the MLflow view.
        key : str
            Tells loops apart; a loop that goes on after a kill goes on in its run.
        tags : mapping
            Written as ``qua3ck.<name>``.
        """
        with self._asked() as client:
            found = self._find(client, {"loop": key, "kind": "loop"})
            if found:
                return str(found[0].info.run_id)
            made = client.create_run(
                self._experiment,
                run_name=name,
                tags=_tagged({**tags, "loop": key, "kind": "loop"}),
            )
            return str(made.info.run_id)

    def log_trial(
        self,
        parent: str,
        number: int,
        *,
        name: str,
        params: Mapping[str, Any],
        metrics: Mapping[str, float],
        tags: Mapping[str, str],
        failed: bool = False,
    ) -> str:
        """Record one trial as a run below ``parent`` and return its id.

        Parameters
        ----------
        parent : str
            From :meth:`begin`.
        number : int
            The trial's number in its loop.
        name : str
            Shown in the MLflow view.
        params : mapping
            Written as text.
        metrics : mapping
            KPI id (or another name) to number; what is not finite is left out.
        tags : mapping
            Written as ``qua3ck.<name>``.
        failed : bool, default False
            Whether the trial ended with an error.

        Notes
        -----
        Three calls to the store, whatever the number of figures: create, batch, end.
        """
        with self._asked() as client:
            from mlflow.entities import Metric, Param

            listed = {**tags, "trial": str(number), "kind": "trial"}
            run = client.create_run(
                self._experiment,
                run_name=name,
                tags={**_tagged(listed), "mlflow.parentRunId": parent},
            )
            run_id = str(run.info.run_id)
            moment = run.info.start_time
            finite = {key: float(value) for key, value in metrics.items() if math.isfinite(value)}
            client.log_batch(
                run_id,
                metrics=[Metric(key, value, moment, 0) for key, value in finite.items()],
                params=[Param(key, str(value)[:500]) for key, value in params.items()],
            )
            client.set_terminated(run_id, status="FAILED" if failed else "FINISHED")
            return run_id

    def drop_orphans(self, parent: str, *, known: Mapping[int, str]) -> int:
        """Delete the trial runs below ``parent`` that no finished trial owns; how many.

        Parameters
        ----------
        parent : str
            From :meth:`begin`.
        known : mapping of int to str
            Trial number to the run that was noted for it. A kill between the run and its
            note leaves a run that is here deleted and logged again.
        """
        with self._asked() as client:
            keep = set(known.values())
            below = client.search_runs(
                [self._experiment],
                filter_string=f"tags.`mlflow.parentRunId` = '{parent}'",
                max_results=50_000,
            )
            orphans = [run.info.run_id for run in below if run.info.run_id not in keep]
            for run_id in orphans:
                client.delete_run(run_id)
            return len(orphans)

    def end(
        self, run: str, *, metrics: Mapping[str, float], tags: Mapping[str, str], failed: bool
    ) -> None:
        """Write the loop's outcome to its run and close it."""
        with self._asked() as client:
            from mlflow.entities import Metric, RunTag

            moment = client.get_run(run).info.start_time
            client.log_batch(
                run,
                metrics=[
                    Metric(key, float(value), moment, 0)
                    for key, value in metrics.items()
                    if math.isfinite(value)
                ],
                tags=[RunTag(key, value) for key, value in _tagged(tags).items()],
            )
            client.set_terminated(run, status="FAILED" if failed else "FINISHED")

    # -- the registry ----------------------------------------------------------

    def register(self, folder: Path, name: str, *, tags: Mapping[str, str], run: str = "") -> str:
        """Register a release's artefact as a new version of a model and return the version.

        Parameters
        ----------
        folder : pathlib.Path
            The artefact, as ``store.releases`` wrote it.
        name : str
            The registered model.
        tags : mapping
            Tags of the version, written as ``qua3ck.<name>``.
        run : str, optional
            The run that the model came from.

        Notes
        -----
        Models from code: what MLflow keeps is the generated file, the model file and the
        manifest, with requirements and signature given, so that nothing is guessed. A version
        that already has all of ``tags`` is returned and not made twice.
        """
        with self._asked() as client:
            tagged = _tagged(tags)
            for version in self._versions(client, name):
                if tagged and all(version.tags.get(key) == text for key, text in tagged.items()):
                    return str(version.version)
            with tempfile.TemporaryDirectory() as made:
                made_in = Path(made)
                return self._log_model(client, folder, name, tags=tagged, run=run, made=made_in)

    def set_alias(self, name: str, version: str | int, alias: str) -> None:
        """Point an alias of a registered model at a version."""
        with self._asked() as client:
            client.set_registered_model_alias(name, alias, str(version))

    def drop_alias(self, name: str, alias: str) -> None:
        """Take an alias away from a registered model."""
        with self._asked() as client:
            client.delete_registered_model_alias(name, alias)

    def aliases(self, name: str) -> dict[str, str]:
        """Return alias to version of a registered model; empty if there is no such model."""
        with self._asked() as client:
            found = client.search_registered_models(filter_string=f"name = '{name}'")
            if not found:
                return {}
            return {alias: str(version) for alias, version in found[0].aliases.items()}

    def copies(self, name: str) -> dict[str, str] | None:
        """Return version to the folder that MLflow loads it from; None if a server keeps them.

        Notes
        -----
        Read from the database as it lies there: MLflow is not loaded and nothing is changed or
        made, so that whoever may only read can ask too. A path of before the project folder
        was moved is given as it is now.
        """
        if not self.uri.startswith(_LOCAL):
            return None
        database = Path(self.uri.removeprefix(_LOCAL)).resolve()
        if not database.is_file():
            return {}
        try:
            return _loaded_from(database, self.root, name)
        except sqlite3.Error as problem:
            raise self._unreachable(problem) from problem

    def release_versions(self, name: str, *, tag: str) -> dict[str, str]:
        """Return version to the text of its tag ``qua3ck.<tag>``, for versions that have it."""
        with self._asked() as client:
            return {
                str(version.version): version.tags[TAG + tag]
                for version in self._versions(client, name)
                if TAG + tag in version.tags
            }

    # -- below -----------------------------------------------------------------

    @contextmanager
    def _asked(self) -> Iterator[Any]:
        """Give the client; what it raises becomes the user's error, never a traceback."""
        with _hushed():
            from mlflow.exceptions import MlflowException
            from sqlalchemy.exc import SQLAlchemyError

            try:
                yield self._client()
            except (MlflowException, SQLAlchemyError, sqlite3.Error, OSError) as problem:
                raise self._unreachable(problem) from problem

    def _client(self) -> Any:
        if self._made is None:
            if _is_server(self.uri):
                _reach(self.uri)
            else:
                _prepare_folder(self.uri, self.root)
            from mlflow.tracking import MlflowClient

            client = MlflowClient(tracking_uri=self.uri, registry_uri=self.uri)
            self._experiment = self._own_experiment(client)
            self._made = client
        return self._made

    def _own_experiment(self, client: Any) -> str:
        found = client.get_experiment_by_name(self.project)
        if found is not None:
            return str(found.experiment_id)
        location = None if _is_server(self.uri) else (self.root / "mlartifacts").as_posix()
        return str(client.create_experiment(self.project, artifact_location=location))

    def _find(self, client: Any, tags: Mapping[str, str]) -> list[Any]:
        asked = " and ".join(f"tags.`{key}` = '{text}'" for key, text in _tagged(tags).items())
        found: list[Any] = client.search_runs(
            [self._experiment], filter_string=asked, max_results=1
        )
        return found

    def _versions(self, client: Any, name: str) -> list[Any]:
        found: list[Any] = client.search_model_versions(filter_string=f"name = '{name}'")
        return found

    def _log_model(
        self, client: Any, folder: Path, name: str, *, tags: Mapping[str, str], run: str, made: Path
    ) -> str:
        """File the model and make it a version, through the client: no global state is touched."""
        from mlflow.models import Model

        if not client.search_registered_models(filter_string=f"name = '{name}'"):
            client.create_registered_model(name)
        logged = client.create_logged_model(
            self._experiment, name=name, source_run_id=run or None, tags=dict(tags)
        )
        about = Model(
            artifact_path=name,
            model_uuid=logged.model_id,
            model_id=logged.model_id,
            run_id=run or None,
        )
        local = _save(folder, about, made)
        client.log_model_artifacts(logged.model_id, str(local))
        client.finalize_logged_model(logged.model_id, "READY")
        # SQLite's store would look up "models:/<id>" in the process's global tracking URI.
        by_id = {"source": f"models:/{logged.model_id}", "model_id": logged.model_id}
        place = by_id if _is_server(self.uri) else {"source": logged.artifact_location}
        version = client.create_model_version(name, run_id=run or None, tags=dict(tags), **place)
        return str(version.version)

    def _unreachable(self, problem: Exception) -> Qua3ckError:
        if isinstance(problem, Qua3ckError):
            return problem
        if _is_server(self.uri):
            waited = f" within {_REACH_SECONDS:g} s" if isinstance(problem, TimeoutError) else ""
            what = f"The MLflow server does not answer{waited} ({type(problem).__name__})"
            fix = "start the server, or remove transfer.tracking to keep runs in the folder"
        else:
            what = f"MLflow's database could not be used: {_first_line(problem)}"
            fix = "see that the disk has space and mlflow.db is writable, then run again"
        return Qua3ckError(what, where=_shown(self.uri), fix=fix, code="S040")


def write_copy(folder: Path, name: str, *, into: Path) -> Path:
    """Write what would be registered of an artefact now; return that folder.

    Parameters
    ----------
    folder : pathlib.Path
        The artefact.
    name : str
        The registered model.
    into : pathlib.Path
        An empty folder.

    Notes
    -----
    Byte for byte what :meth:`Tracking.register` keeps, but for the ids and the moment in
    ``MLmodel`` and the versions of what is installed here.
    """
    with _hushed():
        from mlflow.models import Model

        return _save(folder, Model(artifact_path=name), into)


def _save(folder: Path, about: Any, made: Path) -> Path:
    import mlflow.pyfunc

    from qua3ck.store.releases import pyfunc

    local = made / "model"
    wanted = pyfunc.files(folder, into=made / "code")
    mlflow.pyfunc.save_model(path=str(local), mlflow_model=about, **wanted)
    _drop_own_paths(local / "MLmodel", (folder, made / "code"))
    return local


def _drop_own_paths(description: Path, folders: tuple[Path, ...]) -> None:
    """Take this machine's folders out of a model's description: they mean nothing elsewhere."""
    text = description.read_text(encoding="utf-8")
    for folder in folders:
        text = text.replace(folder.as_posix() + "/", "")
    description.write_text(text, encoding="utf-8")


@contextmanager
def _hushed() -> Iterator[None]:
    """Keep MLflow from talking on the terminal, from telemetry and from asking git."""
    for name, value in {**_QUIET, **_PATIENCE}.items():
        os.environ.setdefault(name, value)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of MLflow's own libraries; nothing of ours runs here
        import mlflow.tracking  # noqa: F401 - sets up its own logging, which is then turned down

        loggers = [logging.getLogger(name) for name in ("mlflow", "alembic", "urllib3")]
        before = [logger.level for logger in loggers]
        for logger in loggers:
            logger.setLevel(logging.ERROR)
        try:
            yield
        finally:
            for logger, level in zip(loggers, before, strict=True):
                logger.setLevel(level)


def _tagged(tags: Mapping[str, str]) -> dict[str, str]:
    return {TAG + key: str(text) for key, text in tags.items()}


def _is_server(uri: str) -> bool:
    return uri.startswith(("http://", "https://"))


def _shown(uri: str) -> str:
    parts = urllib.parse.urlsplit(uri)
    return uri.replace(f"{parts.username}:{parts.password}@", "") if parts.password else uri


def _reach(uri: str) -> None:
    """Ask for any answer once, so that a server that is down or hangs is said in seconds.

    What it answers does not matter and is not believed; neither a name nor a password is sent.
    """
    parts = urllib.parse.urlsplit(uri)
    port = parts.port or (443 if parts.scheme == "https" else 80)
    if any(
        os.environ.get(name) for name in ("HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy")
    ):
        return  # a proxy may reach what a direct connection cannot
    host = parts.hostname or ""
    with socket.create_connection((host, port), timeout=_REACH_SECONDS) as connection:
        if parts.scheme != "http":
            return  # what a certificate is worth is for MLflow's client to decide
        path = f"{parts.path.rstrip('/')}/health"
        asked = f"GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n"
        connection.sendall(asked.encode("ascii", "replace"))
        connection.recv(1)


def _prepare_folder(uri: str, root: Path) -> None:
    if not uri.startswith(_LOCAL):
        return
    database = Path(uri.removeprefix(_LOCAL))
    database.parent.mkdir(parents=True, exist_ok=True)
    if database.is_file():
        if os.access(database, os.W_OK):  # who may only read asks for no artefact's path
            adopt_moved_folder(database, root)
    else:
        _make_database(database, root)


def _make_database(database: Path, root: Path) -> None:
    """Create MLflow's tables in a file beside, then give it its name.

    A kill in the middle of MLflow's forty migrations leaves a database that no later run can
    open; this way there is a whole one or none. So nothing has to be on the disk before the
    end, and it is synced once instead of after each of them, which takes seconds.
    """
    from mlflow.store.tracking.sqlalchemy_store import SqlAlchemyStore

    for old in database.parent.glob(f".{database.name}.*.part*"):
        old.unlink(missing_ok=True)
    # MLflow remembers the engine of a file that it failed on: each attempt gets its own name.
    beside = database.with_name(f".{database.name}.{secrets.token_hex(4)}.part")
    with _not_synced(beside):
        store = SqlAlchemyStore(f"sqlite:///{beside}", (root / "mlartifacts").as_posix())
    store.engine.dispose()
    with beside.open("rb+") as written:
        os.fsync(written.fileno())
    beside.replace(database)


@contextmanager
def _not_synced(database: Path) -> Iterator[None]:
    """Open an SQLite file without waiting for the disk, whoever opens it."""
    from sqlalchemy import Engine, event

    def opened(connection: object, record: object) -> None:
        del record
        if not isinstance(connection, sqlite3.Connection):
            return  # another thread reads a source from a server
        files = [row[2] for row in connection.execute("PRAGMA database_list")]
        if str(database.resolve()) in files:
            connection.execute("PRAGMA synchronous = OFF")

    event.listen(Engine, "connect", opened)
    try:
        yield
    finally:
        event.remove(Engine, "connect", opened)


def adopt_moved_folder(database: Path, root: Path) -> int:
    """Rewrite MLflow's absolute artefact paths to where the project folder is now.

    Parameters
    ----------
    database : pathlib.Path
        ``mlflow.db``.
    root : pathlib.Path
        The project folder as it is now.

    Returns
    -------
    int
        How many paths were rewritten; 0 if the folder is where it was.
    """
    now = (root / "mlartifacts").as_posix()
    with contextlib.closing(sqlite3.connect(database, timeout=30)) as connection:
        tables = {row[0] for row in connection.execute("SELECT name FROM sqlite_master")}
        if "experiments" not in tables:
            return 0
        gone = _homes(connection) - {now}
        changed = 0
        with connection:
            for old in sorted(gone):
                for table, column in _PLACES:
                    if table in tables:
                        changed += _replace(connection, table, column, old, now)
        return changed


def _homes(connection: sqlite3.Connection) -> set[str]:
    """Return every ``mlartifacts/`` that an experiment has, by its path on record."""
    rows = connection.execute("SELECT artifact_location FROM experiments").fetchall()
    return {_root_of(text) for (text,) in rows if text and text.endswith("/mlartifacts")}


def _loaded_from(database: Path, root: Path, name: str) -> dict[str, str]:
    """Return version to place as MLflow's registry would give it, with this folder's paths."""
    asked = "SELECT version, coalesce(nullif(storage_location, ''), source) FROM model_versions"
    where = "name = ? AND current_stage <> 'Deleted_Internal'"
    uri = f"{database.as_uri()}?mode=ro"
    with contextlib.closing(sqlite3.connect(uri, uri=True, timeout=30)) as connection:
        rows = connection.execute(f"{asked} WHERE {where}", (name,)).fetchall()
        homes = _homes(connection) if rows else set()
    places = {str(version): _root_of(place or "") for version, place in rows}
    now = (root / "mlartifacts").as_posix()
    for version, place in places.items():
        for old in homes:
            if place.startswith(old + "/"):
                places[version] = now + place.removeprefix(old)
    return places


def _root_of(location: str) -> str:
    return urllib.parse.unquote(location.removeprefix("file://"))


def _replace(connection: sqlite3.Connection, table: str, column: str, old: str, new: str) -> int:
    """Swap the beginning of a path in one column; names come from a fixed list."""
    changed = 0
    for start, swap in (("file://" + old, "file://" + new), (old, new)):
        done = connection.execute(
            f"UPDATE {table} SET {column} = ? || substr({column}, ?) "  # noqa: S608 - fixed names
            f"WHERE {column} = ? OR substr({column}, 1, ?) = ?",
            (swap, len(start) + 1, start, len(start) + 1, start + "/"),
        )
        changed += done.rowcount
    return changed


def _first_line(problem: Exception) -> str:
    return (str(problem).strip().splitlines() or [type(problem).__name__])[0][:160]
