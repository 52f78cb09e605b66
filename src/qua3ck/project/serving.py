"""The verbs of a project on serving: the plan of the process that answers, off and on, keys."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from qua3ck.kit.errors import Qua3ckError
from qua3ck.kit.wording import one_line
from qua3ck.kit.yaml12 import Places
from qua3ck.project.file import ProjectFile

if TYPE_CHECKING:
    from qua3ck.govern import Workspace
    from qua3ck.operate.records import Canary, ErrorKind, Fallback, Log, ServePlan, Tls
    from qua3ck.operate.section import Operate
    from qua3ck.operate.serve.access import ApiKey
    from qua3ck.project.data import Progress
    from qua3ck.project.trial import Trial

_LATENCY = {"latency_p50_ms": 0.5, "latency_p95_ms": 0.05, "latency_p99_ms": 0.01}
_ERRORS: dict[str, ErrorKind] = {"mae": "absolute", "rmse": "squared", "mape": "relative"}
_BOUND = 4.0  # promised errors: three standard deviations where errors are bell-shaped


class ServeVerbs:
    """What may be done with a project that answers requests.

    A part of :class:`qua3ck.project.Project`; it is only used as that.
    """

    root: Path
    file: ProjectFile
    places: Places
    _progress: Progress
    if TYPE_CHECKING:  # what the other parts bring

        @property
        def name(self) -> str:
            """The project's name in its file."""

        def workspace(self) -> Workspace:
            """Return the open workspace."""

        def read_only(self) -> Workspace:
            """Return the workspace opened for reading."""

    def serve(
        self, *, host: str | None = None, port: int | None = None, workers: int | None = None
    ) -> Path:
        """Write the plan of a serving process and return its path.

        The process itself is ``python -m qua3ck.operate.serve PLAN``: one that serves must
        not be able to import what this one has.

        Parameters
        ----------
        host, port, workers : optional
            Instead of what ``operate.serve`` of the project file says.

        Raises
        ------
        Qua3ckError
            If the ledger does not verify (O004), the fallback rule cannot be read or names
            a column that the champion does not have (O009), a TLS file is missing (O010), or
            there is no such port or number of workers.
        """
        from dataclasses import replace

        from qua3ck.operate.records import write_plan

        _check_bounds(port=port, workers=workers)
        plan = self.serve_plan()
        plan = replace(
            plan,
            host=plan.host if host is None else host,
            port=plan.port if port is None else port,
            workers=plan.workers if workers is None else workers,
        )
        path = plan.state / "plan.json"
        write_plan(plan, path)
        return path

    def try_serving(
        self,
        *,
        seconds: float = 10.0,
        connections: int = 8,
        version: int | None = None,
        workers: int | None = None,
    ) -> Trial:
        """Serve a version for a moment on 127.0.0.1, ask its golden rows, and judge how it did.

        What came of it is written into the ledger (``serving.tried``); nothing is promoted.

        Parameters
        ----------
        seconds : float
            How long it is asked: half at one connection, half at ``connections``.
        connections : int
            How many ask at once, each one row after another.
        version : int, optional
            Default: the champion. Another one need not be promoted.
        workers : int, optional
            Instead of what ``operate.serve`` of the project file says.

        Raises
        ------
        Qua3ckError
            As :meth:`serve`; if nothing is champion and no version is named, or there is no
            such version (K005).
        """
        from dataclasses import replace

        from qua3ck.govern import alias_at, find_release
        from qua3ck.project.trial import make_trial

        _check_bounds(workers=workers)
        plan, workspace = self.serve_plan(), self.workspace()
        number = alias_at(workspace.ledger, "champion") if version is None else version
        if number is None:
            raise Qua3ckError(
                "No version is champion, so it is not clear which one to try",
                where="qua3ck serve --trial",
                fix="name one: qua3ck serve --trial 10 --version 1",
            )
        told = f"trying version {number} on 127.0.0.1: {seconds:g} seconds of requests"
        self._progress("K", told, 0, 0)
        return make_trial(
            plan if workers is None else replace(plan, workers=workers),
            find_release(workspace.ledger, number),
            workspace,
            self.file.question.kpis,
            seconds=seconds,
            connections=connections,
        )

    def serve_plan(self) -> ServePlan:
        """Return what a serving process is told; see :meth:`serve`."""
        from qua3ck.operate.records import Limits, ServePlan
        from qua3ck.operate.section import Operate

        workspace = self.read_only()
        _refuse_tampered(workspace)
        section = self.file.operate or Operate()
        serve = section.serve
        actor, may_promote = _writer(workspace)
        return ServePlan(
            root=str(self.root),
            project=self.name,
            project_id=workspace.project_id,
            host=serve.host,
            port=serve.port,
            workers=serve.workers,
            grpc_port=serve.grpc_port or 0,
            key=serve.key or "",
            ab_share=serve.ab_share / 100,
            refuse_outside=self._refuse_outside(section, workspace),
            canary=self._canary(section),
            fallback=self._fallback(section, workspace),
            limits=Limits(serve.limits.bytes, serve.limits.rows, serve.limits.seconds),
            log=self._log(section, workspace),
            tls=self._tls(section),
            keys_required=serve.api_keys,
            actor=actor,
            may_promote=may_promote,
            features=(section.feature_store or "") if section.features else None,
        )

    def routing_plan(self) -> ServePlan:
        """Return as much of a plan as says who answers whom, for whoever only looks.

        Checks nothing and needs no key; it speaks of a server that may write to the ledger.
        """
        from qua3ck.operate.records import ServePlan
        from qua3ck.operate.section import Operate

        section = self.file.operate or Operate()
        return ServePlan(
            root=str(self.root),
            project=self.name,
            project_id=self.read_only().project_id,
            ab_share=section.serve.ab_share / 100,
            fallback=_declared(section),
            actor="whoever serves",
        )

    def switch_off(self, reason: str) -> None:
        """Have every serving process answer with the declared fallback, within a second.

        Raises
        ------
        Qua3ckError
            If no reason is given (O011), or the actor may not.
        """
        self._switch("serving.off", reason, "qua3ck off")

    def switch_on(self, reason: str) -> None:
        """Have models answer again."""
        self._switch("serving.on", reason, "qua3ck off --on")

    def add_key(self, name: str, *, scopes: tuple[str, ...] = (), per_second: float = 0.0) -> str:
        """Make an API key, write its hash into the ledger, and return it: it is shown once.

        Parameters
        ----------
        name : str
            Who will use it.
        scopes : tuple of str
            Of :data:`qua3ck.operate.serve.access.SCOPES`; default ``predict``.
        per_second : float, default 0
            Most requests a second; 0 for no limit.
        """
        from qua3ck.operate.serve.access import known_scopes, new_key

        if per_second < 0:
            raise Qua3ckError(
                f"A key cannot be held to {per_second:g} requests a second",
                where="qua3ck key add --per-second",
                fix="write a number above 0, or leave it out for no limit",
            )
        key, ident, hashed = new_key(name)
        body = {
            "id": ident,
            "name": name,
            "scopes": list(known_scopes(scopes)),
            "hash": hashed,
            "per_second": per_second,
        }
        self.workspace().ledger.append("key.added", name, body)
        return key

    def revoke_key(self, name: str) -> tuple[ApiKey, ...]:
        """Revoke every key of a name, or the one with this id; return them.

        Raises
        ------
        Qua3ckError
            If there is none (O012).
        """
        from qua3ck.kit.errors import did_you_mean

        known = self.api_keys()
        found = tuple(key for key in known if name in {key.name, key.id})
        if not found:
            names = sorted({key.name for key in known})
            raise Qua3ckError(
                f'There is no API key "{name}"{did_you_mean(name, names)}',
                where=f"the ledger; keys: {', '.join(names) or 'none'}",
                fix="list them with: qua3ck key list",
                code="O012",
            )
        for key in found:
            body = {"id": key.id, "name": key.name}
            self.workspace().ledger.append("key.revoked", key.name, body)
        return found

    def api_keys(self) -> tuple[ApiKey, ...]:
        """Return the API keys that hold now, without the keys themselves."""
        from qua3ck.operate.serve.access import api_keys

        return api_keys(self.read_only().ledger.entries())

    def _switch(self, event: str, reason: str, command: str) -> None:
        reason = one_line(reason)
        if not reason:
            raise Qua3ckError(
                "No reason is given",
                where=command,
                fix=f'say why in a sentence: {command} --reason "..."',
                code="O011",
            )
        self.workspace().ledger.append(event, "serving", {"reason": reason})

    def _canary(self, section: Operate) -> Canary:
        from dataclasses import replace

        from qua3ck.operate.records import Canary
        from qua3ck.operate.section import seconds

        promised = [kpi for kpi in self.file.question.kpis if kpi.at_most is not None]
        judged = Canary(seconds(section.serve.hold), section.serve.false_stops)
        for kpi in reversed(promised):  # the first of each kind counts
            if kpi.metric in _LATENCY:
                share = _LATENCY[kpi.metric]
                judged = replace(judged, latency_ms=kpi.threshold, latency_share=share)
            elif kpi.metric in _ERRORS and kpi.threshold > 0:
                bound = _BOUND * kpi.threshold
                judged = replace(judged, error=_ERRORS[kpi.metric], error_bound=bound)
        return judged

    def _fallback(self, section: Operate, workspace: Workspace) -> Fallback | None:
        from qua3ck.kit import rules

        said = section.fallback
        if said is None or said.rule is None:
            return _declared(section)
        where = self.places.where("operate", "fallback", "rule")
        known = _columns_in_use(workspace)
        for name in rules.names(said.rule, where=where):
            if known and name not in known:
                from qua3ck.kit.errors import did_you_mean

                raise Qua3ckError(
                    f'The fallback rule names "{name}", which no request has'
                    f"{did_you_mean(name, known)}",
                    where=where,
                    fix=f"use columns of the champion: {', '.join(sorted(known))}",
                    code="O009",
                )
        return _declared(section)

    def _refuse_outside(self, section: Operate, workspace: Workspace) -> bool | tuple[str, ...]:
        from qua3ck.kit.errors import did_you_mean

        said, known = section.serve.refuse_outside, _columns_in_use(workspace)
        for name in () if isinstance(said, bool) or not known else said:
            if name not in known:
                raise Qua3ckError(
                    f'refuse_outside names "{name}", which the champion does not read'
                    f"{did_you_mean(name, known)}",
                    where=self.places.where("operate", "serve", "refuse_outside"),
                    fix=f"use columns of the champion: {', '.join(sorted(known))}",
                    code="O013",
                )
        return said

    def _log(self, section: Operate, workspace: Workspace) -> Log:
        from qua3ck.operate.records import Log

        serve = section.serve
        personal = {*serve.log.pseudonymise, *self.file.understand.sensitive}
        personal |= _private(self.file, self.root, workspace)
        personal |= {serve.key} if serve.key else set()
        if not personal:
            return Log(serve.log.durable)
        name = f"serve-{workspace.project_id}"
        workspace.keys.secret(name, create=True)
        place = workspace.keys.folder / "secrets" / f"{name}.key"
        return Log(serve.log.durable, tuple(sorted(personal)), str(place))

    def _tls(self, section: Operate) -> Tls | None:
        from qua3ck.operate.records import Tls

        said = section.serve.tls
        if said is None:
            return None
        paths = {"cert": self.root / said.cert, "key": self.root / said.key}
        for name, path in paths.items():
            if not path.is_file():
                raise Qua3ckError(
                    f"The file for TLS is not there: {path.name}",
                    where=self.places.where("operate", "serve", "tls", name),
                    fix="write its path, from the project's folder or from /",
                    code="O010",
                )
        return Tls(str(paths["cert"]), str(paths["key"]))


def _check_bounds(**given: int | None) -> None:
    """Refuse options that the section ``operate.serve`` would not take either."""
    from pydantic import ValidationError

    from qua3ck.operate.section import Serve

    for name, value in given.items():
        if value is None:
            continue
        try:
            Serve.model_validate({name: value})
        except ValidationError as problem:
            said = problem.errors()[0]["msg"].removeprefix("Input ")
            raise Qua3ckError(
                f"There can be no server with {name} {value}: it {said}",
                where=f"qua3ck serve --{name}, or {name} of Project.serve",
                fix=f"name another one, or leave it out for operate.serve.{name}",
            ) from problem


def _declared(section: Operate) -> Fallback | None:
    from qua3ck.operate.records import Fallback

    said = section.fallback
    if said is None:
        return None
    if said.rule is None:
        return Fallback(otherwise=said.answer)
    return Fallback(said.rule, said.then, said.otherwise)


def _refuse_tampered(workspace: Workspace) -> None:
    found = workspace.ledger.verify()
    if not found.ok and not (workspace.root / "releases").exists() and not found.events:
        raise Qua3ckError(
            "Nothing was ever released here, so nothing can be served",
            where=str(workspace.root),
            fix="qua3ck run; then qua3ck release, and qua3ck promote",
        )
    if not found.ok:
        raise Qua3ckError(
            f"The ledger does not verify, so nothing can be served by it: {found.problems[0]}",
            where=str(workspace.ledger.folder),
            fix="qua3ck audit verify; restore ledger/ from a backup that verifies",
            code="O004",
        )


def _writer(workspace: Workspace) -> tuple[str, bool]:
    """Return who may write of rollouts here, and whether they may move an alias; "" if nobody."""
    from qua3ck.govern import person
    from qua3ck.govern.roles import allowed

    if not workspace.keys.has_identity(workspace.actor):
        return "", False
    try:
        who = person(workspace.root, workspace.actor)
    except Qua3ckError as problem:
        if problem.code != "G001":
            raise
        return "", False
    return (who.name if allowed(who.roles, "run") else ""), allowed(who.roles, "promote")


def _columns_in_use(workspace: Workspace) -> set[str]:
    """Return the columns that the champion reads; empty if there is none yet."""
    from qua3ck.govern import alias_at, find_release, model_folder
    from qua3ck.store.releases.artefact import read_manifest

    version = alias_at(workspace.ledger, "champion")
    if version is None:
        return set()
    release = find_release(workspace.ledger, version)
    manifest = read_manifest(model_folder(workspace.root, release))
    return {str(column["name"]) for column in manifest.spec["columns"]}


def _private(file: ProjectFile, root: Path, workspace: Workspace) -> set[str]:
    """Return the columns that stay in the house: as a contract says, else by their names."""
    from qua3ck.govern import list_releases, model_folder
    from qua3ck.store.releases.artefact import read_manifest
    from qua3ck.understand.contract.personal import looks_personal
    from qua3ck.understand.contract.said import said_of

    stated = [pair for table in said_of(file.understand, root).values()
              for pair in table.columns.items()]  # fmt: skip
    manifests = [
        read_manifest(folder)
        for release in list_releases(workspace.ledger)
        if (folder := model_folder(root, release)).is_dir()
    ]
    named = {str(column["name"]) for one in manifests for column in one.spec["columns"]}
    shown = {name for name, one in stated if one.shown}
    guessed = {name for name in named - shown if looks_personal(name)}
    return guessed | {name for name, one in stated if one.private}
