"""The work of U that sees test rows; it runs in the child process and returns no row.

Sources brought up to date, the training table made once, split at once; test rows sealed,
training rows to gold, everything noticed as findings.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from qua3ck.kit.errors import Qua3ckError
from qua3ck.kit.findings import Finding
from qua3ck.kit.hashes import digest, file_digest
from qua3ck.kit.records import as_json
from qua3ck.understand.behind import columns_behind
from qua3ck.understand.checks import (
    View,
    check_across,
    check_leaks,
    check_quality,
    check_structure,
)
from qua3ck.understand.columns import check_declared, describe_columns
from qua3ck.understand.gold.build import Built, Input, build_tables, made_in_memory
from qua3ck.understand.loading import (
    Load,
    as_facts,
    identity_of,
    in_order,
    load_one,
    read_current,
    silver,
    up_to_date,
)
from qua3ck.understand.membership import read_membership, write_membership
from qua3ck.understand.profiling import profile
from qua3ck.understand.records import Column, Pinned
from qua3ck.understand.rerun import (
    THROUGH,
    enough,
    redraw,
    trace,
    trace_behind,
    training_side,
)
from qua3ck.understand.seal import Sealed, Steward, left_behind, seal_rows
from qua3ck.understand.section import Understand, end_of
from qua3ck.understand.split import Sides, row_digests, split_rows
from qua3ck.understand.target import Target, read_target
from qua3ck.understand.training import is_plain, make_training
from qua3ck.understand.usercode import code_digest

if TYPE_CHECKING:
    import pyarrow as pa

    from qua3ck.govern import Workspace

GOLD = "gold/training"
Tell = Callable[[str], None]


@dataclass(frozen=True)
class Job:
    """What the child is told; JSON-able but for the section.

    ``wanted`` are the columns that the question slices by. ``sources`` and ``traced`` are
    set for the second run only.
    """

    root: str
    project: str
    actor: str
    section: Understand
    positive: Any
    wanted: tuple[str, ...]
    test_share: float
    seed: int
    steward: Steward | None


def take(job: Job, workspace: Workspace, tell: Tell) -> dict[str, Any]:
    """Load, make, split, seal and look; return facts alone, JSON-able.

    Raises
    ------
    Qua3ckError
        For whatever the user can fix in sources, functions, declarations or disk.
    """
    root, section = Path(job.root), job.section
    tables, sources, loads, findings = _load(job, workspace, tell)
    built = _built(sources, job, workspace, tell)
    tell("making the training table")
    all_tables = {**tables, **{one.name: _rows_of(one, workspace) for one in built}}
    made = make_training(section, all_tables, root=root, warehouse=workspace.warehouse)
    known = {name for table in all_tables.values() for name in table.column_names}
    check_declared(made.column_names, section, known=known)
    target = read_target(made, section, job.positive)
    key = workspace.keys.secret(f"project-{workspace.project_id}", create=True)
    tell("splitting and sealing")
    kept = read_membership(root)
    sides = split_rows(
        made, section, target, share=job.test_share, key=key, kept=kept, sources=known
    )
    train, test = made.filter(sides.train), made.filter(sides.test)
    share = sides.split.rows_test / made.num_rows
    columns = describe_columns(train, section, wanted=job.wanted, share=share)
    write_membership(root, sides.membership)
    sealed, opened_before = _seal(made, test, job, workspace, sides, key)
    version, gold = workspace.warehouse.write(GOLD, train)
    tell("looking for leaks and structure")
    view = View(train, columns, target, target.truth(train), section, job.seed)
    findings += [*target.findings, *sides.findings, *_noticed(view, test, columns)]
    findings += [_read_differently(opened_before)] if opened_before else []
    traced, untraced = _traced(tables, all_tables, made, sides, job, key)
    return {
        "sources": sources,
        "loads": as_facts(loads),
        "tables": [as_json(one) for one in built],
        "gold": asdict(Pinned(GOLD, version, train.num_rows, gold)),
        "target": {"task": target.task, "classes": target.classes, "positive": target.positive},
        "columns": [asdict(column) for column in columns],
        "split": asdict(sides.split),
        "seal": asdict(sealed),
        "traced": traced,
        "untraced": untraced,
        "code_digest": _code(section, root),
        "profile": _profile(train, columns, target, view),
        "findings": [asdict(finding) for finding in findings],
    }


def run_again(
    job: Job, workspace: Workspace, traced: Mapping[str, Any], *, changed: bool
) -> dict[str, Any]:
    """Make the training table again, with other test targets or the same; return its digest.

    Where gold tables stand between, ``moved`` says whether any target changed at all.
    """
    from qua3ck.store.warehouse import content_digest
    from qua3ck.understand.rerun import Traced

    root, section = Path(job.root), job.section
    before = tables = {
        name: read_current(
            workspace.warehouse, name, section.sources[name], version=pinned["version"]
        )
        for name, pinned in traced["sources"].items()
    }
    if changed:
        kinds = [
            Traced(one["source"], one["column"], tuple(one["positions"]), one["by"])
            for one in traced["traced"]
        ]
        tables = redraw(tables, kinds, seed=job.seed)
    membership = read_membership(root)
    key = workspace.keys.secret(f"project-{workspace.project_id}", create=False)
    if membership is None:
        raise Qua3ckError(
            "The record of which rows are sealed is gone",
            where=str(root / "sealed"),
            fix="run qua3ck understand again",
            code="U110",
        )

    def again(of: dict[str, pa.Table]) -> pa.Table:
        every = made_in_memory(section, of, root=root, warehouse=workspace.warehouse)
        return make_training(section, every, root=root, warehouse=workspace.warehouse)

    made = again(tables)
    side = training_side(made, section, membership, key=key)
    facts: dict[str, Any] = {"digest": content_digest(side)}
    if changed and any(THROUGH in one["by"] for one in traced["traced"]):
        target = [section.target]
        same = content_digest(made.select(target)) == content_digest(again(before).select(target))
        facts["moved"] = not same
    return facts


def _load(
    job: Job, workspace: Workspace, tell: Tell
) -> tuple[dict[str, pa.Table], dict[str, Any], list[Load], list[Finding]]:
    from qua3ck.store.warehouse import content_digest

    tables: dict[str, pa.Table] = {}
    sources: dict[str, Any] = {}
    loads: list[Load] = []
    for name in in_order(job.section.sources, job.section, Path(job.root)):
        tell(f"loading {name}")
        if not up_to_date(name, job.section, workspace):
            loads.append(_loaded(name, job.section, workspace))
    for name, source in job.section.sources.items():
        version = _version(name, job.section, workspace)
        rows = read_current(workspace.warehouse, name, source, version=version)
        if rows.num_rows == 0:
            raise _empty(name)
        tables[name] = rows
        pinned = Pinned(silver(name), version, rows.num_rows, content_digest(rows))
        sources[name] = asdict(pinned)
    findings = [finding for load in loads for finding in load.findings]
    return tables, sources, loads, findings


def _built(
    sources: Mapping[str, Any], job: Job, workspace: Workspace, tell: Tell
) -> tuple[Built, ...]:
    """Make the gold tables of exactly what the snapshot pins of the sources."""
    section = job.section
    if not section.tables:
        return ()
    house, inputs = workspace.warehouse, {}
    for name, one in sources.items():
        source, version = section.sources[name], one["version"]
        by = identity_of(house, name, source, version=version)
        inputs[name] = Input(name, one["table"], version, one["digest"], by)
    return build_tables(section, inputs, root=Path(job.root), warehouse=house, tell=tell)


def _rows_of(one: Built, workspace: Workspace) -> pa.Table:
    return workspace.warehouse.read(one.table, version=one.version)


def _loaded(name: str, section: Understand, workspace: Workspace) -> Load:
    """Load one source; it is an error if nothing that is there now could be loaded."""
    load = load_one(name, section, workspace)
    if load.held_pieces and len(load.held_pieces) == load.there:
        raise load.held_pieces[0].error()
    return load


def _version(name: str, section: Understand, workspace: Workspace) -> int:
    if section.as_of is None:
        return workspace.warehouse.version(silver(name)) or 0
    return workspace.warehouse.version_as_of(silver(name), end_of(section.as_of))


def _empty(name: str) -> Qua3ckError:
    return Qua3ckError(
        f'The source "{name}" has columns but no rows',
        where=f"understand.sources.{name}",
        fix="bring a file that has rows; an empty table never counts as loaded",
        code="U103",
    )


def _seal(
    made: pa.Table, test: pa.Table, job: Job, workspace: Workspace, sides: Sides, key: bytes
) -> tuple[Sealed, int]:
    """Seal the test rows; also return how many opened rows are not found in the table now."""
    from qua3ck.store.warehouse import content_digest

    root = Path(job.root)
    digests = dict(row_digests(test, job.section, sides.membership, key=key))
    everything = row_digests(made, job.section, sides.membership, key=key)
    before, opened = left_behind(root, workspace.ledger, everything)
    for kind, more in before.items():
        digests[kind] = [*digests.get(kind, []), *more]
    sealed = seal_rows(
        test,
        content_digest(test),
        digests,
        root=root,
        keys=workspace.keys,
        key=key,
        steward=job.steward,
    )
    return sealed, opened


def _read_differently(opened: int) -> Finding:
    return Finding(
        "U026",
        "warn",
        f"sealed rows, {opened} opened before",
        "Rows that were sealed and opened before are not found in the table any more: they are "
        "read in another way, changed, or replaced. Their openings still count.",
        {"rows": opened},
    )


def _noticed(view: View, test: pa.Table, columns: tuple[Column, ...]) -> list[Finding]:
    features = {column.name: column.kind for column in columns if column.role == "feature"}
    if not features:
        raise Qua3ckError(
            "No column is left for the model: all are the target, left out or declared otherwise",
            where="understand",
            fix="look at known_at_prediction, sensitive and columns; the profile says why each "
            "column was left out",
            code="U103",
        )
    return [
        *check_quality(view),
        *check_leaks(view, from_function=not is_plain(view.section)),
        *check_structure(view),
        *check_across(view.train, test, view.section, list(features), features),
    ]


def _traced(
    tables: Mapping[str, pa.Table],
    all_tables: Mapping[str, pa.Table],
    made: pa.Table,
    sides: Sides,
    job: Job,
    key: bytes,
) -> tuple[list[dict[str, Any]], str]:
    """Return where test rows come from; else, if a function is in the way, which."""
    section, tests = job.section, int(sides.test.sum())
    if is_plain(section):
        return [], ""
    found = trace(tables, made, sides.test, section, sides.membership, key=key)
    functions: frozenset[str] = frozenset()
    if not enough(found, tests) and section.tables:
        behind = columns_behind(section, all_tables, made.column_names, root=Path(job.root))
        functions = behind[section.target].functions
        if not functions:
            found = trace_behind(
                tables, made, sides.test, section, sides.membership, behind, key=key
            )
    if not enough(found, tests):
        return [], ", ".join(sorted(functions))
    return [asdict(one) for one in found], ""


def _code(section: Understand, root: Path) -> str:
    parts = {"modules": code_digest(root)}
    if section.training and section.training.endswith(".sql"):
        parts["query"] = file_digest(root / section.training)
    return digest(parts)


def _profile(
    train: pa.Table, columns: tuple[Column, ...], target: Target, view: View
) -> dict[str, Any]:
    classes = target.classes
    return profile(train, columns, truth=view.truth if classes else None, classes=classes)
