"""Holds staged rows against a contract: good rows go on, failing ones are held, all is counted.

One pass finds the rows that fail, with codes and raw cells, whatever the number of rules; the
others are written as they came. A unique key is a pass of its own over its columns, and all
figures of the table together are one more. A table without rows fails every rule, and a batch
of which too much fails is held as a whole: its few good rows would tell a story of their own.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from qua3ck.kit.findings import Finding
from qua3ck.understand.contract.agreement import compare_columns
from qua3ck.understand.contract.compile import (
    failing_rows,
    failure,
    first_of_equals,
    repeats,
    with_repeats,
)
from qua3ck.understand.contract.measures import (
    Answer,
    Measure,
    finding_of,
    finding_of_those_not_asked,
    measured,
    not_applicable,
)
from qua3ck.understand.contract.odcs import ContractTable, extra
from qua3ck.understand.contract.proven import proven
from qua3ck.understand.contract.references import References, joined, nothing_else
from qua3ck.understand.contract.rules import Rule, rules_of
from qua3ck.understand.contract.sqlrule import NotSaid
from qua3ck.understand.contract.tables import TABLE_TESTS, ask_table
from qua3ck.understand.sources.pieces import ROW, held_schema

if TYPE_CHECKING:
    import ibis
    import pyarrow as pa

    from qua3ck.store.warehouse.engine import Engine

HOLD_AT_MOST = 0.5  # more than half of a batch failing says something about the batch
_EXAMPLES = 5
_BATCH = 1 << 16
_MOST_LINES = 100_000  # of a batch that is held as a whole anyway


@dataclass(frozen=True)
class Judged:
    """What the rules found, before the good rows are written.

    Attributes
    ----------
    good : ibis.Table
        The rows that go on, all columns, as an expression: read when it is used.
    came, out : int
        Rows looked at, and rows held.
    held : pyarrow.Table
        With the schema of ``held_schema``: one line per row and reason, with the raw cell.
    measures : tuple of Measure
        One per rule.
    blocks, findings : tuple of Finding
        What holds the whole load, and everything else that was noticed.
    """

    good: ibis.Table
    came: int
    out: int
    held: pa.Table
    measures: tuple[Measure, ...]
    blocks: tuple[Finding, ...]
    findings: tuple[Finding, ...]


@dataclass(frozen=True)
class Checked:
    """:class:`Judged` with the good rows in a Parquet file; the file given if all are good."""

    rows: Path
    held: pa.Table
    measures: tuple[Measure, ...]
    blocks: tuple[Finding, ...]
    findings: tuple[Finding, ...]


@dataclass
class _Failing:
    """The rows that fail: the small file they were written to, and what was counted in it."""

    path: Path | None = None
    rows: int = 0
    none: Any = None  # true where a row fails nothing, if that can be said without a join
    counts: Counter[str] = field(default_factory=Counter)
    examples: dict[str, list[int]] = field(default_factory=dict)
    lines: list[pa.Table] = field(default_factory=list)

    @property
    def held(self) -> pa.Table:
        """The lines of the work list."""
        import pyarrow as pa

        return pa.concat_tables([held_schema().empty_table(), *self.lines])


def check_rows(
    rows: Path,
    contract_table: ContractTable,
    *,
    engine: Engine,
    references: References = nothing_else,
    into: Path,
    now: datetime,
    whole: bool = True,
) -> Checked:
    """Hold the rows of a staged Parquet file against a table of a contract.

    Parameters
    ----------
    rows : Path
        The user's columns and ``_row``.
    contract_table : ContractTable
        What was agreed.
    engine : Engine
        Where the expressions run.
    references : callable
        Gives another table by its name, or None; a rule that needs it is then not applicable.
    into : Path
        A folder for the good rows.
    now : datetime
        The moment that ages are measured from.
    whole : bool, default True
        Whether the file holds the whole table. If it is one piece of several, rules about the
        table (expected rows, ages, figures) are left out here: ask them of all rows with
        :func:`check_table`.

    Returns
    -------
    Checked
        Good rows, held rows, a measure per rule, blocking and other findings.

    Raises
    ------
    ContractErrors
        If a rule of the contract cannot be right.
    """
    judged = judge_rows(
        rows, contract_table, engine=engine, references=references, into=into, now=now, whole=whole
    )
    good = rows
    if judged.out:
        good = into / f"{rows.stem}.good.parquet"
        engine.write_parquet(judged.good, good)
    return Checked(good, judged.held, judged.measures, judged.blocks, judged.findings)


def judge_rows(
    rows: Path,
    contract_table: ContractTable,
    *,
    engine: Engine,
    references: References = nothing_else,
    into: Path,
    now: datetime,
    whole: bool = True,
) -> Judged:
    """Do all of :func:`check_rows` but writing the good rows; whoever writes them can add columns.

    Only the failing rows are written, to a small file in ``into`` that ``good`` reads again.
    """
    import pyarrow.parquet as pq

    rules = rules_of(contract_table)
    about = pq.read_metadata(rows)
    source, came, name = engine.parquet(rows), about.num_rows, contract_table.name
    noticed = list(compare_columns(pq.read_schema(rows), contract_table))
    here, answers = _that_can_be_asked(rules, source.columns, whole=whole)
    failing = _Failing()
    if came:
        into.mkdir(parents=True, exist_ok=True)
        holding = tuple(rule for rule in here if rule.holds)
        sure = proven(holding, about)
        asked = [rule for rule in holding if rule.id not in sure]
        failing, not_said = _scan(source, asked, engine, references, into, now, came)
        answers += not_said
        answers += _answers_of(holding, failing, came, name, {each.rule.id for each in not_said})
        good = _without(source, failing, engine)
        others = [rule for rule in here if not rule.holds]
        answers += ask_table(
            good,
            others,
            contract_table,
            engine=engine,
            references=references,
            now=now,
            count=came - failing.rows,
        )
    else:
        good = source
        noticed.append(_empty(name))
        answers += [Answer(rule, measured(rule, rows=0, failing=0)) for rule in here]
    noticed += [each.finding for each in answers if each.finding is not None]
    noticed += _too_many(failing.rows, came, contract_table)
    noticed += finding_of_those_not_asked(answers, table=name)
    order = {rule.id: at for at, rule in enumerate(rules)}
    answers.sort(key=lambda each: order[each.rule.id])
    return Judged(
        good=good,
        came=came,
        out=failing.rows,
        held=failing.held,
        measures=tuple(each.measure for each in answers),
        blocks=tuple(each for each in noticed if each.severity == "block"),
        findings=tuple(each for each in noticed if each.severity != "block"),
    )


def check_table(
    rows: ibis.Table,
    contract_table: ContractTable,
    *,
    engine: Engine,
    references: References = nothing_else,
    now: datetime,
    key: Collection[str] = (),
) -> tuple[tuple[Measure, ...], tuple[Finding, ...]]:
    """Ask a whole table what no single piece of it can answer; nothing is held.

    Parameters
    ----------
    rows : ibis.Table
        All current rows, from however many pieces.
    key : collection of str, optional
        Columns that no two of these rows share: they are not looked through for it once more.

    Returns
    -------
    tuple of (tuple of Measure, tuple of Finding)
        A measure per rule about the table, and its findings; those that block among them.
    """
    name = contract_table.name
    rules = about_the_table(contract_table, key=key)
    here, answers = _that_can_be_asked(rules, rows.columns, whole=True)
    count = int(engine.rows(rows.aggregate(n=rows.count()))["n"][0].as_py())
    noticed = [] if count else [_empty(name)]
    answers += ask_table(
        rows, here, contract_table, engine=engine, references=references, now=now, count=count
    )
    noticed += [each.finding for each in answers if each.finding is not None]
    noticed += finding_of_those_not_asked(answers, table=name)
    return tuple(each.measure for each in answers), tuple(noticed)


def about_the_table(table: ContractTable, *, key: Collection[str] = ()) -> list[Rule]:
    """Return the rules that :func:`check_table` asks."""
    sure = {*key}
    return [
        rule
        for rule in rules_of(table)
        if rule.test in TABLE_TESTS
        or (rule.test == "unique" and not (sure and sure <= {*rule.columns}))
    ]


# -- the pass ------------------------------------------------------------------------


def _that_can_be_asked(
    rules: Sequence[Rule], columns: Sequence[str], *, whole: bool
) -> tuple[list[Rule], list[Answer]]:
    """Return the rules that can be asked of these columns, and an answer for each other one."""
    here, answers = [], []
    for rule in rules:
        if rule.test in TABLE_TESTS and not whole:
            continue  # asked when all pieces are there
        missing = [name for name in rule.columns if name not in columns]
        if rule.test == "none":
            why = str(rule.given["why"])
        elif missing:
            why = f"there is no column {', '.join(missing)}"
        else:
            here.append(rule)
            continue
        answers.append(Answer(rule, not_applicable(rule, why)))
    return here, answers


def _scan(
    source: ibis.Table,
    holding: Sequence[Rule],
    engine: Engine,
    references: References,
    into: Path,
    now: datetime,
    came: int,
) -> tuple[_Failing, list[Answer]]:
    """Return the rows that fail what holds rows, in one pass, and the rules that do not fit."""
    import ibis

    rows, reasons = joined(source, holding, references)
    for number, rule in enumerate(holding):
        if rule.test == "unique":
            path, equal = (into / f"{name}_{number}.parquet" for name in ("repeats", "equal"))
            if _repeated(source, rule.columns, engine, path, came):
                first = first_of_equals(source, engine.parquet(path), rule.columns)
                engine.write_parquet(first, equal)
                rows = with_repeats(rows, engine.parquet(equal), rule.columns, number=number)
    failures = []
    for number, rule in enumerate(holding):
        if rule.id in reasons:
            continue
        try:
            failures.append((rule, failure(rule, rows, number, now=now)))
        except NotSaid as problem:
            reasons[rule.id] = str(problem)
    left = [
        Answer(rule, not_applicable(rule, reasons[rule.id]))
        for rule in holding
        if rule.id in reasons
    ]
    if not failures:
        return _Failing(), left
    chosen, flags = failing_rows(rows, failures)
    path = into / "failing.parquet"
    count = engine.write_parquet(chosen, path)
    found = _counted(path, count, [rule for rule, _ in failures], flags, came)
    if rows is source and count:
        hit = [failed for rule, failed in failures if found.counts[rule.id]]
        found.none = ~ibis.or_(*hit).fill_null(False)
    return found, left


def _repeated(
    source: ibis.Table, columns: Sequence[str], engine: Engine, path: Path, came: int
) -> bool:
    """Return whether a key stands in several rows; those keys are then listed in ``path``."""
    from qua3ck.store.warehouse.distinct import surely_differ

    keys = source.filter(*[source[name].notnull() for name in columns]).select(*columns)
    if surely_differ(engine, keys, rows=came):
        return False
    return engine.write_parquet(repeats(source, columns), path) > 0


def _counted(
    path: Path, count: int, rules: Sequence[Rule], flags: Mapping[str, str], came: int
) -> _Failing:
    """Return what the file of failing rows holds, read in pieces: counts, examples, lines.

    Of a batch that is held as a whole the work list has every row, but after its first lines
    one reason for each: its size is then bounded by the rows, not by rows times rules.
    """
    import pyarrow as pa
    import pyarrow.compute as pc
    import pyarrow.parquet as pq

    found = _Failing(path, count)
    if not count:
        return found
    most = _MOST_LINES if count > HOLD_AT_MOST * came else None
    with pq.ParquetFile(path) as file:
        for batch in file.iter_batches(_BATCH):
            brief = most is not None and sum(len(table) for table in found.lines) >= most
            listed = pa.array([False] * len(batch)) if brief else None
            for rule in rules:
                flag = batch[flags[rule.id]].fill_null(False)
                hits = flag.true_count
                if not hits:
                    continue
                found.counts[rule.id] += hits
                failed = batch.filter(flag)
                shown = found.examples.setdefault(rule.id, [])
                shown += failed[ROW].slice(0, _EXAMPLES - len(shown)).to_pylist()
                if listed is not None:
                    failed = batch.filter(pc.and_(flag, pc.invert(listed)))
                    listed = pc.or_(listed, flag)
                found.lines.append(_lines(failed, rule))
    return found


def _lines(failed: pa.RecordBatch, rule: Rule) -> pa.Table:
    """Return one line per row: its number, the column, the code, the raw cell."""
    import pyarrow as pa

    alone = len(rule.columns) == 1
    if alone:
        raw = failed[rule.columns[0]].cast(pa.string())
    else:
        cells = failed.select(list(rule.columns)).to_pylist()
        raw = pa.array([json.dumps(each, ensure_ascii=False, default=str) for each in cells])
    column = pa.scalar(rule.columns[0] if alone else None, pa.string())
    return pa.table(
        [
            failed[ROW].cast(pa.int64()),
            pa.repeat(column, len(failed)),
            pa.repeat(pa.scalar(rule.code), len(failed)),
            raw,
        ],
        schema=held_schema(),
    )


def _without(source: ibis.Table, failing: _Failing, engine: Engine) -> ibis.Table:
    """Return the rows that go on, in their order where no other table had a say."""
    if failing.path is None or not failing.rows:
        return source
    if failing.none is not None:
        return source.filter(failing.none)
    return source.anti_join(engine.parquet(failing.path).select(ROW), ROW)


def _answers_of(
    rules: Sequence[Rule], failing: _Failing, came: int, name: str, left: set[str]
) -> list[Answer]:
    answers = []
    for rule in rules:
        if rule.id in left:
            continue
        measure = measured(rule, rows=came, failing=failing.counts[rule.id])
        finding = None
        if measure.answer == "fail":
            rows = {"example_rows": failing.examples.get(rule.id, [])}
            finding = finding_of(rule, measure, table=name, held=True, evidence=rows)
        answers.append(Answer(rule, measure, finding))
    return answers


def _empty(name: str) -> Finding:
    return Finding(
        "U070",
        "block",
        f"{name}, 0 rows",
        "The table is empty: every rule of its contract fails.",
        {"rows": 0},
    )


def _too_many(out: int, came: int, table: ContractTable) -> list[Finding]:
    """Return a finding that holds the batch if too large a part of it fails."""
    most = extra(table.model, "holdAtMost", HOLD_AT_MOST)
    if not came or out / came <= most:
        return []
    return [
        Finding(
            "U087",
            "block",
            f"{table.name}, {out} of {came} row{'' if came == 1 else 's'}",
            f"{out / came:.0%} of the rows fail, more than the {most:.0%} that are held row by "
            "row: something is wrong with the whole batch.",
            {"rows": came, "failing": out, "share": out / came, "hold_at_most": most},
        )
    ]
