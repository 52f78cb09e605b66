"""From rows to an answer: who answers, whether the rows may be answered, what is logged.

The fast path of one row: no table, no model of the request beyond plain lists, one call of
the session, one line for the log.
"""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Awaitable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

from qua3ck.kit import rules
from qua3ck.kit.errors import Qua3ckError
from qua3ck.operate.records import Arm, Fallback, Routing, ServePlan
from qua3ck.operate.serve.answers import Answer, Ask, Flag, Refused, Table
from qua3ck.operate.serve.people import canary_of
from qua3ck.operate.serve.routing import choose
from qua3ck.operate.serve.versions import NO_CHAMPION, Serving, Version, Versions
from qua3ck.store.releases.rows import Prepared, Strange

if TYPE_CHECKING:
    from qua3ck.operate.serve.joining import Joining
    from qua3ck.operate.serve.logbook import Logbook
    from qua3ck.operate.serve.people import People

T = TypeVar("T")
_RULE = "operate.fallback.rule"
_ALWAYS = frozenset({"missing", "not_finite", "fraction"})


class _Part(NamedTuple):
    """What one arm answered: to which rows (from 0, empty for all), and by what it read."""

    answer: Answer
    table: Table
    places: tuple[int, ...] = ()


class Predictor:
    """Answers rows with the versions in use.

    Parameters
    ----------
    plan : ServePlan
        Limits, key column and what is refused outside the training range.
    versions : Versions
        What is loaded, and who answers whom.
    log : Logbook
        Written before an answer goes out.
    people : People, optional
        Tells who is the same person, for the judge of a rollout; a view has none.
    """

    def __init__(
        self, plan: ServePlan, versions: Versions, log: Logbook, people: People | None = None
    ) -> None:
        self._people = people
        self._plan = plan
        self._versions = versions
        self._log = log
        self._joining = _joining(plan)

    async def answer(self, ask: Ask) -> Answer:
        """Return the answer to rows, logged.

        Raises
        ------
        Refused
            If the rows cannot be read, hold what training never had and the plan refuses
            that, or nobody can answer.
        """
        if ask.rows > self._plan.limits.max_rows:
            raise _too_many(ask.rows, self._plan.limits.max_rows)
        serving = self._versions.serving
        routing = serving.routing
        unknown: tuple[Flag, ...] = ()
        if routing is not None and routing.off is not None:
            made = _fallback(routing.off, ask, serving)
            parts = [_Part(made, self._read_without_a_model(routing.off, ask, serving))]
        elif routing is None or not routing.arms:
            raise _nobody(serving.problem)
        else:
            ask, unknown = await self._completed(ask)
            parts = await self._by_model(ask, serving, routing)
        self._keep(ask, parts, ask.began, unknown, routing)
        made = parts[0].answer if len(parts) == 1 else _joined(parts, ask.rows)
        return replace(made, flags=(*unknown, *made.flags)) if unknown else made

    def place(self, ask: Ask, routing: Routing) -> int | None:
        """Return the place of whoever asks, for the judge of a rollout; None if it cannot be one.

        Whoever names a version was not drawn by lot, and a request about several people has
        no one place.
        """
        if ask.version is not None:
            return None
        keys = _keys(ask, self._plan.key)
        if self._people is None or len(set(keys)) > 1 or (len(keys) > 1 and not keys[0]):
            return None
        return self._people.place(routing, keys[0])

    async def _completed(self, ask: Ask) -> tuple[Ask, tuple[Flag, ...]]:
        """Add what the request's keys stand for, where feature tables are declared."""
        return (ask, ()) if self._joining is None else await self._joining.complete(ask)

    async def shadow(self, ask: Ask) -> Answer | None:
        """Score rows with the shadow, after they were answered; logged, never answered."""
        serving = self._versions.serving
        routing = serving.routing
        if routing is None or routing.shadow is None or routing.off is not None:
            return None
        began = time.perf_counter()
        try:
            ask, _ = await self._completed(ask)
            version = serving.versions[routing.shadow.version]
            made = await self._with(ask, version, "shadow")
        except Refused:
            return None  # another version may know other columns: nothing to compare
        self._keep(ask, [_Part(made, version.rows.only(ask.table, self._keys()))], began)
        return made

    async def _by_model(self, ask: Ask, serving: Serving, routing: Routing) -> list[_Part]:
        if ask.version is not None:
            arms = [_arm_of(ask.version, routing)]
        elif len(routing.arms) == 1:
            arms = [routing.arms[0]]
        else:
            arms = _arms(ask, routing, self._plan.key)
        first = arms[0]
        if len(arms) == 1 or all(arm is first for arm in arms):
            version = serving.versions[first.version]
            made = await self._with(ask, version, first.name)
            return [_Part(made, version.rows.only(ask.table, self._keys()))]
        return [await self._some(ask, serving, arm, arms) for arm in dict.fromkeys(arms)]

    async def _some(self, ask: Ask, serving: Serving, arm: Arm, arms: list[Arm]) -> _Part:
        """Answer the rows that are an arm's; others belong to people who have another."""
        places = tuple(at for at, one in enumerate(arms) if one is arm)
        table = {name: [cells[at] for at in places] for name, cells in ask.table.items()}
        part = Ask(table, len(places), ask.request_id, ask.key, None, ask.began, ask.met)
        version = serving.versions[arm.version]
        made = await self._with(part, version, arm.name)
        return _Part(made, version.rows.only(table, self._keys()), places)

    def _keys(self) -> frozenset[str]:
        """Return the columns that the server reads itself: who stays, and what is looked up."""
        keys = frozenset({self._plan.key}) if self._plan.key else frozenset()
        return keys if self._joining is None else keys | self._joining.keys

    def _read_without_a_model(self, off: Fallback, ask: Ask, serving: Serving) -> Table:
        """Return what the rule or a model reads of a request; the rest is kept nowhere."""
        names = {*self._keys(), *_names(off)}
        for version in serving.versions.values():
            names.update(version.rows.columns)
        return {name: cells for name, cells in ask.table.items() if name in names}

    def _keep(
        self,
        ask: Ask,
        parts: Sequence[_Part],
        began: float,
        unknown: Sequence[Flag] = (),
        routing: Routing | None = None,
    ) -> None:
        microseconds = int((time.perf_counter() - began) * 1e6)
        # a flag is said once, however many rows have it: the line stands beside every row
        lines = [
            self._log.record(
                request_id=ask.request_id,
                version=made.version,
                arm=made.arm,
                table=table,
                outputs=made.outputs,
                latency_us=microseconds,
                places=places,
                who=self._who(ask, table, routing),
                flags=list(dict.fromkeys(f"{f.kind}:{f.column}" for f in (*unknown, *made.flags))),
            )
            for made, table, places in parts
        ]
        try:
            self._log.write(lines)
        except Qua3ckError as problem:
            raise Refused(503, problem.what, where="the log", fix=problem.fix) from problem

    def _who(self, ask: Ask, table: Table, routing: Routing | None) -> list[int]:
        """Return the place of each row's person while a rollout is on; one for all the same."""
        if self._people is None or routing is None or ask.version is not None:
            return []
        if canary_of(routing) is None:
            return []
        keys = _keys(Ask(table, ask.rows, ask.request_id, ask.key), self._plan.key)
        return [self._people.place(routing, key) for key in keys]

    async def _with(self, ask: Ask, version: Version, arm: str) -> Answer:
        ask.met.append((arm, version.number))
        prepared, flags = self._read(ask, version)
        raw = version.run(prepared) if version.batcher is None else await version.run_soon(prepared)
        return Answer(version.outputs(raw), version.number, arm, flags)

    def _read(self, ask: Ask, version: Version) -> tuple[Prepared, tuple[Flag, ...]]:
        rows, table = version.rows, ask.table
        if not rows.fits(table):
            table = self._without_key(table, version)
        try:
            prepared = rows.prepare(table, ask.rows)
        except ValueError:
            said = rows.value_problems(table, ask.rows)
            raise Refused.of_sentence(422, said[0], more=len(said) - 1) from None
        strange = rows.strange(prepared)
        return prepared, self._flags(strange, ask.rows) if strange else ()

    def _without_key(self, table: Any, version: Version) -> Any:
        """Return the table without columns that are keys only; refuse what else does not fit."""
        rows = version.rows
        keys = self._keys() - set(rows.columns)
        kept = {name: cells for name, cells in table.items() if name not in keys}
        if rows.fits(kept):
            return kept
        said = rows.name_problems(kept)
        raise Refused.of_sentence(422, said[0], more=len(said) - 1)

    def _flags(self, strange: Sequence[Strange], rows: int) -> tuple[Flag, ...]:
        refused = [one for one in strange if refuses(self._plan, one)]
        if refused:
            one = refused[0]
            more = f" (and {len(refused) - 1} more)" if len(refused) > 1 else ""
            raise Refused(
                422,
                f'Column "{one.column}" {one.says}{more}',
                where=f"row {one.row + 1} of {rows}",
                fix=one.fix,
            )
        return tuple(Flag(one.row + 1, one.column, one.kind, one.says) for one in strange)


def refuses(plan: ServePlan, one: Strange) -> bool:
    """Whether something that training never had is refused, and not only flagged."""
    return one.kind in _ALWAYS or plan.refuses_outside(one.column)


def _joining(plan: ServePlan) -> Joining | None:
    """Return what looks features up; a project without them spares the imports."""
    if plan.features is None:
        return None
    from qua3ck.operate.serve.joining import Joining

    return Joining(plan)


def _joined(parts: Sequence[_Part], rows: int) -> Answer:
    """Return one answer of several arms' parts; the version is that of most rows."""
    outputs: dict[str, list[Any]] = {}
    flags: list[Flag] = []
    for made, _, places in parts:
        for name, cells in made.outputs.items():
            column = outputs.setdefault(name, [None] * rows)
            for at, cell in zip(places, cells, strict=True):
                column[at] = cell
        flags += [Flag(places[f.row - 1] + 1, f.column, f.kind, f.says) for f in made.flags]
    most = max(parts, key=lambda part: len(part.places)).answer
    arms = "+".join(dict.fromkeys(part.answer.arm for part in parts))
    return Answer(outputs, most.version, arms, tuple(flags))


def _arms(ask: Ask, routing: Routing, column: str) -> list[Arm]:
    """Return the arm of each row; all the same one where nothing tells the rows apart."""
    cells = ask.table.get(column) if column and not ask.key else None
    if cells is not None:
        return [choose(routing, _key_bytes(cell)) for cell in cells]
    return [choose(routing, ask.key.encode() if ask.key else os.urandom(8))] * ask.rows


def _keys(ask: Ask, column: str) -> list[bytes]:
    """Return the keys of a request's people: one for each row, or one for all; empty for none."""
    cells = ask.table.get(column) if column and not ask.key else None
    if cells is None:
        return [ask.key.encode()]
    return [b"" if cell is None else _key_bytes(cell) for cell in cells]


def _key_bytes(cell: Any) -> bytes:
    return os.urandom(8) if cell is None else str(cell).encode()


def _arm_of(version: int, routing: Routing) -> Arm:
    for arm in routing.arms:
        if arm.version == version:
            return arm
    used = ", ".join(str(arm.version) for arm in routing.arms)
    raise Refused(
        404,
        f"Version {version} is not in use",
        where=f"the path; versions in use: {used}",
        fix="name one of them, or none for whichever is in use",
    )


def switched_off(off: Fallback) -> Refused:
    """Return what everybody is told while serving is off and no fallback is declared."""
    return Refused(
        503,
        f"Serving is switched off: {off.reason or 'no reason given'}",
        where="the project's ledger; no answer without a model is declared",
        fix="ask the project's owner to switch it on: qua3ck off --on",
    )


def _fallback(off: Fallback, ask: Ask, serving: Serving) -> Answer:
    if not off.declared:
        raise switched_off(off)
    task = next((version.manifest.task for version in serving.versions.values()), "")
    said = [_ruled(off, ask, row) for row in range(ask.rows)]
    number = task == "regression" or (not task and not isinstance(off.otherwise, str))
    outputs = {"value": said} if number else {"label": [_as_label(one) for one in said]}
    return Answer(outputs, 0, "fallback")


def _names(off: Fallback) -> tuple[str, ...]:
    """Return the columns that a fallback's rule reads."""
    try:
        return rules.names(off.rule, where=_RULE) if off.rule else ()
    except Qua3ckError:
        return ()


def _ruled(off: Fallback, ask: Ask, row: int) -> Any:
    """Return the declared answer for one row; ``otherwise`` where the rule cannot be told."""
    if not off.rule:
        return off.otherwise
    cells = {name: column[row] for name, column in ask.table.items()}
    known = {name: float("nan") if cell is None else cell for name, cell in cells.items()}
    try:
        found = rules.evaluate(off.rule, known, where=_RULE)
    except Qua3ckError:
        return off.otherwise
    if found is None:
        return off.otherwise
    if off.then is None:
        return float(found)
    return off.then if found else off.otherwise


def _as_label(said: Any) -> str:
    return str(said).lower() if isinstance(said, bool) else str(said)


def _nobody(problem: str) -> Refused:
    return Refused(
        503,
        "No version can answer" + (f": {problem}" if problem else ""),
        where="this server",
        fix=cure(problem),
    )


def cure(problem: str) -> str:
    """Return what helps where no version answers, and why that is."""
    if not problem or problem == NO_CHAMPION:
        return "promote a version: qua3ck promote VERSION; /v2/health/ready says when it answers"
    return (
        "have what was changed put back, or promote another version: qua3ck promote VERSION;"
        " this server looks again every half minute"
    )


def _too_many(rows: int, most: int) -> Refused:
    return Refused(
        413,
        f"The request has {rows} rows; at most {most} are answered at once",
        where="the request",
        fix=f"send at most {most} rows in a request, or use: qua3ck predict",
    )


async def in_time(seconds: float, work: Awaitable[T]) -> T:
    """Await ``work``, refusing with 503 what takes longer than the plan allows."""
    try:
        async with asyncio.timeout(seconds):
            return await work
    except TimeoutError:
        raise Refused(
            503,
            f"The answer took longer than {seconds:g} seconds",
            where="this server",
            fix="send fewer rows, or again when it is less busy",
        ) from None
