"""Taking a snapshot, and reading its training rows: what the other rooms call."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from qua3ck.kit.errors import Qua3ckError
from qua3ck.kit.findings import Finding
from qua3ck.kit.hashes import canonical_json, decimals, digest, file_digest
from qua3ck.kit.records import as_json, from_json, write_atomic
from qua3ck.question.records import Question
from qua3ck.understand.child import run_child
from qua3ck.understand.records import Column, Order, Pinned, Snapshot, Split
from qua3ck.understand.section import Understand
from qua3ck.understand.sending import sent

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

    from qua3ck.govern import Workspace

_SHOWN = {"feature", "target", "time", "group", "sensitive"}
_STEPS = 4


@dataclass(frozen=True)
class Opened:
    """The sealed rows, in the columns of :func:`training_rows`, and which opening this is."""

    rows: pd.DataFrame
    opening: int


def take_snapshot(
    understand: Understand,
    question: Question,
    *,
    test_share: float,
    seed: int,
    workspace: Workspace,
) -> Snapshot:
    """Load the sources, make and split the training table, seal its test rows.

    Parameters
    ----------
    understand : Understand
        The section of the project file.
    question : Question
        Names the positive class, the steward and the columns of slices.
    test_share : float, in (0, 1)
        Of the rows, to be sealed; counts the first time only.
    seed : int
        For the checks' samples; the split does not depend on it.
    workspace : Workspace
        The open project.

    Returns
    -------
    Snapshot
        Pinned sources and gold, columns, split, seal, profile and findings. No test row has
        been in this process.

    Raises
    ------
    Qua3ckError
        For whatever the user can fix; says what, where and how.

    Notes
    -----
    Ledger: ``source.loaded`` for new content, ``seal.made`` for a new seal.
    """
    steps = _Steps(workspace, total=_STEPS + len(understand.sources))
    job = _job(understand, question, test_share, seed, workspace)
    facts = run_child("take", job, workspace, tell=steps.tell)
    _record(facts, workspace, reading=_reading(understand, facts))
    findings = _told([from_json(Finding, one) for one in facts["findings"]], facts, workspace)
    if understand.training is not None:
        steps.tell("testing the training function for leaks")
        findings += _test_function(understand.training, facts, job, workspace)
    else:
        findings.append(_nothing_to_test())
    noted = _accepted(findings, understand.accept)
    page = _write_profile(facts["profile"], noted, workspace)
    steps.end()
    return _snapshot(facts, understand, noted, page=page, workspace=workspace)


def training_rows(snapshot: Snapshot, workspace: Workspace) -> pd.DataFrame:
    """Return the training rows: features, target, time, group and sensitive columns.

    Classes come as text, as in ``snapshot.classes``; the order is the snapshot's.

    Raises
    ------
    Qua3ckError
        If the warehouse no longer holds what the snapshot pinned.
    """
    from qua3ck.store.warehouse import content_digest

    rows = workspace.warehouse.read(snapshot.gold.table, version=snapshot.gold.version)
    if content_digest(rows) != snapshot.gold.digest:
        raise Qua3ckError(
            f"{snapshot.gold.table} at version {snapshot.gold.version} is not what the snapshot "
            "pinned: its content was changed",
            where=f"warehouse/{snapshot.gold.table}",
            fix="restore warehouse/ from a copy, or make a new snapshot: qua3ck understand",
            code="U111",
        )
    return _frame(rows, snapshot)


def open_seal(snapshot: Snapshot, workspace: Workspace, *, candidate: str, openings: int) -> Opened:
    """Open the seal for a candidate: the ledger first, then the key.

    Parameters
    ----------
    candidate : str
        The candidate's digest.
    openings : int
        The budget; counted per row over all seals of the project.

    Raises
    ------
    Qua3ckError
        If the budget is used up, the key is not here or is another, or files were changed.
    """
    from qua3ck.understand.seal import open_rows

    rows, opening = open_rows(workspace, snapshot.seal, candidate=candidate, openings=openings)
    return Opened(_frame(rows, snapshot), opening)


def reread_seal(snapshot: Snapshot, workspace: Workspace, *, candidate: str) -> Opened:
    """Read the sealed rows again for a candidate they were opened for; logged, not counted.

    Raises
    ------
    Qua3ckError
        For any other candidate.
    """
    from qua3ck.understand.seal import reread_rows

    rows, opening = reread_rows(workspace, snapshot.seal, candidate=candidate)
    return Opened(_frame(rows, snapshot), opening)


class _Steps:
    """Counts the steps that the worker tells of, for the progress bar."""

    def __init__(self, workspace: Workspace, *, total: int) -> None:
        self._progress, self._total, self._done = workspace.progress, total, 0

    def tell(self, text: str, share: float | None = None) -> None:
        del share
        self._progress("U", text, min(self._done, self._total), self._total)
        self._done += 1

    def end(self) -> None:
        self._progress("U", "done", self._total, self._total)


def _job(
    section: Understand,
    question: Question,
    test_share: float,
    seed: int,
    workspace: Workspace,
) -> dict[str, Any]:
    sliced = [name for kpi in question.kpis for name in (*kpi.slice_by, *(kpi.slice or {}))]
    return {
        "root": str(workspace.root),
        "project": workspace.project,
        "actor": workspace.actor,
        "section": sent(section),
        "positive": question.positive,
        "wanted": [*sliced, *(gap.by for gap in question.fairness)],
        "test_share": test_share,
        "seed": seed,
        "steward": _steward(question.roles.steward, workspace),
    }


def _steward(name: str | None, workspace: Workspace) -> dict[str, str] | None:
    if name is None:
        return None
    from qua3ck.govern import person

    return {"name": name, "sealing": person(workspace.root, name).sealing.hex()}


def _reading(section: Understand, facts: Mapping[str, Any]) -> str:
    """Return a digest of what makes rows from sources, but for where the files lie.

    With the columns: one that goes, or a date that is written so that it becomes text, gives
    every row another digest, too. Whole and decimal numbers are the same to it.
    """
    read = sent(section)
    read.pop("accept", None)
    for source in read["sources"].values():
        source.pop("path", None)
    columns = {one["name"]: _plain_type(one["type"]) for one in facts["columns"]}
    return digest({"section": read, "code": facts["code_digest"], "columns": columns})


def _plain_type(name: str) -> str:
    if name.startswith(("int", "uint", "float", "halffloat", "double", "decimal")):
        return "number"
    return "moment" if name.startswith(("date", "timestamp")) else name


def _told(
    findings: Sequence[Finding], facts: Mapping[str, Any], workspace: Workspace
) -> list[Finding]:
    """Return the findings; that opened rows are gone is no warning where all rows are new."""
    from qua3ck.understand.seal import count_openings

    if count_openings(workspace.root, workspace.ledger, facts["seal"]["id"]):
        return list(findings)
    says = (
        "Of the entities that were sealed and opened before not one is in the table any more, "
        "and it is made as it was then: its rows are new, and their openings count afresh."
    )
    return [
        replace(one, severity="inform", says=says) if one.code == "U026" else one
        for one in findings
    ]


def _record(facts: Mapping[str, Any], workspace: Workspace, *, reading: str) -> None:
    """Write into the ledger what is new; after a crash before it, the next run catches up."""
    from qua3ck.understand.gold.build import Built
    from qua3ck.understand.gold.making import record_tables
    from qua3ck.understand.loading.recording import record_loads
    from qua3ck.understand.loading.task import Load
    from qua3ck.understand.seal import Sealed, seal_body

    record_loads((from_json(Load, one) for one in facts["loads"]), workspace.ledger)
    record_tables((from_json(Built, one) for one in facts["tables"]), workspace.ledger)
    sealed = Sealed(**facts["seal"])
    body = seal_body(sealed, reading=reading)
    made = workspace.ledger.entries("seal.made", subject=sealed.id)
    if not made or dict(made[-1].body["files"]) != body["files"]:
        workspace.ledger.append("seal.made", sealed.id, body)


def _test_function(
    function: str, facts: Mapping[str, Any], job: Mapping[str, Any], workspace: Workspace
) -> list[Finding]:
    """Run the training function again with other test targets, and compare."""
    from qua3ck.understand.rerun import leak_finding, not_applicable

    traced = {"sources": facts["sources"], "traced": facts["traced"]}
    wanted = facts["gold"]["digest"]
    if not facts["traced"]:
        # Without a way from test rows to source rows only the plain repetition can be asked.
        same = run_child("run same", job, workspace, further=traced)["digest"] == wanted
        unstable = leak_finding(function, same=same, repeats=same, changed=0)
        why = (
            f"{facts['untraced']} makes the target, and nobody looks through a function"
            if facts["untraced"]
            else "its test rows were not found in the sources, or no source column makes the "
            "target; declare entity: with a column that sources and training table share"
        )
        return [*([unstable] if unstable else []), not_applicable(function, why)]
    changed = sum(len(one["positions"]) for one in facts["traced"])
    try:
        again = run_child("run changed", job, workspace, further=traced)
    except Qua3ckError as problem:
        return [not_applicable(function, f"with other targets it fails: {problem.what}")]
    found = again["digest"]
    if found == wanted and not again.get("moved", True):
        columns = ", ".join(sorted({f"{one['source']}.{one['column']}" for one in facts["traced"]}))
        return [not_applicable(function, f"with other values of {columns} no target changed")]
    if found == wanted:
        return []
    repeats = run_child("run same", job, workspace, further=traced)["digest"] == wanted
    leak = leak_finding(function, same=False, repeats=repeats, changed=changed)
    return [leak] if leak else []


def _nothing_to_test() -> Finding:
    says = (
        "There is no training function, so nothing can carry test targets into training rows; "
        "the second run was not needed."
    )
    return Finding("U024", "inform", "understand.training", says)


def _accepted(findings: Sequence[Finding], accept: Mapping[str, str]) -> tuple[Finding, ...]:
    from qua3ck.understand.codes import PAGES

    known = {page.code for page in PAGES}
    for code in accept:
        if code not in known:
            raise Qua3ckError(
                f'There is no finding "{code}" of this section',
                where=f"understand.accept.{code}",
                fix=f"write one of: {', '.join(sorted(known))}",
                code="U105",
            )
    return tuple(replace(one, accepted=accept.get(one.code, "")) for one in findings)


def _write_profile(
    facts: Mapping[str, Any], findings: Sequence[Finding], workspace: Workspace
) -> tuple[str, str]:
    """Write the profile as JSON and as a page; return the page's path and its SHA-256."""
    import hashlib

    from qua3ck.understand.page import profile_page

    text = json.dumps(facts, indent=1, ensure_ascii=False, allow_nan=False).encode()
    fingerprint = hashlib.sha256(text).hexdigest()
    page = profile_page(
        facts, title=workspace.project, findings=findings, digest=fingerprint
    ).encode()
    name = f"evidence/profile-{hashlib.sha256(page).hexdigest()[:16]}"
    try:
        write_atomic(workspace.root / f"{name}.json", text)
        write_atomic(workspace.root / f"{name}.html", page)
    except OSError as problem:
        raise Qua3ckError(
            f"The profile cannot be written: {problem.strerror}",
            where=str(workspace.root / "evidence"),
            fix="make room or give yourself the right to write there, then run again",
            code="U101",
        ) from problem
    return f"{name}.html", file_digest(workspace.root / f"{name}.html")


def _snapshot(
    facts: Mapping[str, Any],
    section: Understand,
    findings: tuple[Finding, ...],
    *,
    page: tuple[str, str],
    workspace: Workspace,
) -> Snapshot:
    sources = tuple(
        Pinned(one["table"], one["version"], one["rows"], one["digest"])
        for one in facts["sources"].values()
    )
    columns = tuple(from_json(Column, one) for one in facts["columns"])
    gold, split = from_json(Pinned, facts["gold"]), from_json(Split, facts["split"])
    order, cluster = _order(section, columns, gold.rows)
    snapshot = Snapshot(
        id="",
        project=workspace.project,
        sources=sources,
        gold=gold,
        target=section.target,
        task=facts["target"]["task"],
        order=order,
        classes=tuple(facts["target"]["classes"]),
        positive=facts["target"]["positive"],
        time=section.time or "",
        cluster=cluster,
        columns=columns,
        split=split,
        seal=facts["seal"]["id"],
        code_digest=facts["code_digest"],
        profile=page[0],
        profile_digest=page[1],
        findings=findings,
    )
    return replace(snapshot, id=snapshot_id(snapshot))


def snapshot_id(snapshot: Snapshot) -> str:
    """Return the SHA-256 (hex) of what a snapshot contains, not of where or when it was made."""
    facts = as_json(snapshot)
    for name in ("id", "findings", "profile", "profile_digest"):
        del facts[name]
    for pinned in (*facts["sources"], facts["gold"]):
        del pinned["version"]
    return digest(json.loads(canonical_json(decimals(facts))))


def _order(section: Understand, columns: Sequence[Column], rows: int) -> tuple[Order, str]:
    if section.time:
        return "time", section.group or ""
    if section.group:
        return "grouped", section.group
    repeated = [c for c in columns if c.name == section.entity and c.distinct < rows]
    return ("grouped", repeated[0].name) if repeated else ("independent", "")


def _frame(rows: pa.Table, snapshot: Snapshot) -> pd.DataFrame:
    from qua3ck.understand.target import class_texts

    extra = {snapshot.cluster, snapshot.time}
    texts = {c.name for c in snapshot.columns if c.kind in {"category", "text"}}
    names = [c.name for c in snapshot.columns if c.role in _SHOWN or c.name in extra]
    shown = rows.select(names)
    at = names.index(snapshot.target)
    target = shown[snapshot.target]
    made = class_texts(target) if snapshot.classes else target.cast("double")
    shown = shown.set_column(at, snapshot.target, made)
    for place, name in enumerate(names):
        if name in texts and name != snapshot.target:  # also whole numbers declared as such
            shown = shown.set_column(place, name, class_texts(shown[name]))
    frame: pd.DataFrame = shown.to_pandas(date_as_object=False)
    return frame
