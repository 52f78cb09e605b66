"""Holds the project file against what exists: files, functions, metrics, algorithms, people."""

from __future__ import annotations

import ast
import string
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from qua3ck.kit.errors import Blocked, Qua3ckError, did_you_mean
from qua3ck.kit.findings import Finding
from qua3ck.kit.yaml12 import Places
from qua3ck.project.columns import unknown_columns
from qua3ck.project.file import ProjectFile, ProjectFileErrors

if TYPE_CHECKING:
    from qua3ck.question.records import Question
    from qua3ck.understand.records import Snapshot

_SERVER_GONE = "S040"
_NO_WORDS = string.punctuation + string.whitespace
_PUT_OFF = frozenset({"", "todo", "tbd", "tba", "fixme", "later", "n/a", "na", "none", "xxx"})


def check(root: Path, file: ProjectFile, places: Places) -> tuple[Finding, ...]:
    """Return what is to be said of a project that could run.

    Raises
    ------
    ProjectFileErrors
        If it could not: every mistake, with its place.
    """
    from qua3ck.question import check_question

    refuse_mistakes(root, file, places)
    asked = check_question(file.question, sensitive=file.understand.sensitive)
    findings = [*asked, *_nobody_answers(file, places)]
    findings += [*_nobody_watches(file), *_people(root, file), *_agreed(root, file)]
    findings += [*unknown_columns(root, file, places), *_scan(root, file, places)]
    return (*findings, *_registry(root, file))


def refuse_mistakes(root: Path, file: ProjectFile, places: Places) -> None:
    """Raise if an answer is still the template's, or a thing named does not exist.

    Things named are metrics, algorithms, files and functions.
    """
    mistakes = (
        *_unanswered(file, places),
        *_metrics(file, places),
        *_stop_rules(file, places),
        *_sources(root, file, places),
        *_functions(root, file, places),
        *_algorithms(file, places),
    )
    if mistakes:
        raise ProjectFileErrors(mistakes)


def refuse_unfit(question: Question, snapshot: Snapshot | None = None) -> None:
    """Stop before the search, and before an opening is spent, if no result could be judged.

    Raises
    ------
    Blocked
        With every blocking finding about the question; with a snapshot also those about
        what its target turned out to be.
    """
    from qua3ck.question import check_question

    findings = (
        check_question(question)
        if snapshot is None
        else check_question(question, task=snapshot.task, classes=snapshot.classes)
    )
    blocking = [finding for finding in findings if finding.blocks]
    if blocking:
        raise Blocked(
            "; ".join(finding.says.rstrip(".") for finding in blocking),
            where=", ".join(dict.fromkeys(finding.where for finding in blocking)),
            fix=f"correct the section question; more: qua3ck explain {blocking[0].code}",
            code=blocking[0].code,
        )


def _unanswered(file: ProjectFile, places: Places) -> Iterator[Qua3ckError]:
    from qua3ck.project.starting import ANSWERS_TO_GIVE

    for key, texts in ANSWERS_TO_GIVE.items():
        text = getattr(file.question, key)
        if text in texts or text.strip(_NO_WORDS).casefold() in _PUT_OFF:
            yield Qua3ckError(
                f"{key} is not answered yet",
                where=places.where("question", key),
                fix=f"answer it: {texts[0]}",
                code="P015",
            )


def _metrics(file: ProjectFile, places: Places) -> Iterator[Qua3ckError]:
    from qua3ck.question import metric

    declared = [
        *(
            (kpi.metric, ("question", "kpis", i, "metric"))
            for i, kpi in enumerate(file.question.kpis)
        ),
        *(
            (gap.metric, ("question", "fairness", i, "metric"))
            for i, gap in enumerate(file.question.fairness)
        ),
    ]
    for name, keys in declared:
        try:
            metric(name, where=places.where(*keys))
        except Qua3ckError as mistake:
            yield mistake


def _stop_rules(file: ProjectFile, places: Places) -> Iterator[Qua3ckError]:
    from qua3ck.question import check_stop_rule

    for i, rule in enumerate(file.question.stop_if):
        try:
            check_stop_rule(file.question, rule, where=places.where("question", "stop_if", i))
        except Qua3ckError as mistake:
            yield mistake


def _sources(root: Path, file: ProjectFile, places: Places) -> Iterator[Qua3ckError]:
    from qua3ck.understand.sources.read import find_files, is_local

    for name, source in file.understand.sources.items():
        if not is_local(source):
            continue
        try:
            find_files(source, root, place=name)
        except Qua3ckError as problem:
            where = places.where("understand", "sources", name, "path")
            yield Qua3ckError(problem.what, where=where, fix=problem.fix, code="P008")


def _functions(root: Path, file: ProjectFile, places: Places) -> Iterator[Qua3ckError]:
    named: list[tuple[str, tuple[str | int, ...]]] = [
        (source.function, ("understand", "sources", name, "function"))
        for name, source in file.understand.sources.items()
        if source.function
    ]
    training = file.understand.training
    if training and not training.endswith(".sql"):
        named.append((training, ("understand", "training")))
    elif training and not (root / training).is_file():
        yield _no_function(
            training, f"{training} does not exist", places, ("understand", "training")
        )
    if file.a3.adapt:
        named.append((file.a3.adapt, ("a3", "adapt")))
    for i, candidate in enumerate(file.a3.candidates):
        if "." in candidate:
            named.append((candidate, ("a3", "candidates", i)))
    for dotted, keys in named:
        problem = _missing_function(root, dotted)
        if problem:
            yield _no_function(dotted, problem, places, keys)


def _missing_function(root: Path, dotted: str) -> str:
    """Return why ``module.function`` cannot be one, reading the file without running it."""
    module, _, function = dotted.rpartition(".")
    if not module:
        return f'"{dotted}" has no module in front of the function'
    path = root.joinpath(*module.split(".")).with_suffix(".py")
    if not path.is_file():
        return f"{path.name} does not exist"
    try:
        tree = ast.parse(path.read_bytes())
    except SyntaxError as problem:
        return f"{path.name}, line {problem.lineno}, is not Python: {problem.msg}"
    defined = [node.name for node in tree.body if isinstance(node, ast.FunctionDef)]
    bound = {
        alias.asname or alias.name
        for node in tree.body
        if isinstance(node, ast.ImportFrom | ast.Import)
        for alias in node.names
    }
    assigned = {
        target.id
        for node in tree.body
        if isinstance(node, ast.Assign)
        for target in node.targets
        if isinstance(target, ast.Name)
    }
    if function in {*defined, *bound, *assigned}:
        return ""
    return f'{path.name} has no function "{function}"{did_you_mean(function, defined)}'


def _no_function(
    dotted: str, problem: str, places: Places, keys: tuple[str | int, ...]
) -> Qua3ckError:
    return Qua3ckError(
        problem,
        where=places.where(*keys),
        fix=f"write the function, or name one as module.function (found: {dotted})",
        code="P009",
    )


def _algorithms(file: ProjectFile, places: Places) -> Iterator[Qua3ckError]:
    from qua3ck.a3.algorithms import _SPELLINGS, ALGORITHMS

    known = [*ALGORITHMS, *_SPELLINGS]
    for i, name in enumerate(file.a3.candidates):
        if "." not in name and name not in known:
            yield Qua3ckError(
                f'Unknown algorithm "{name}"{did_you_mean(name, known)}',
                where=places.where("a3", "candidates", i),
                fix=f"use any of: {', '.join(known)}; or module.function of your own",
                code="P010",
            )


def _nobody_answers(file: ProjectFile, places: Places) -> Iterator[Finding]:
    from qua3ck.understand.sources.answering import unanswered_finding

    for name, source in file.understand.sources.items():
        place = places.where("understand", "sources", name)
        finding = unanswered_finding(source, place=place)
        if finding is not None:
            yield finding


def _nobody_watches(file: ProjectFile) -> Iterator[Finding]:
    said = file.operate
    if said is not None and (said.alarm_budget is not None or said.labels is not None):
        yield Finding(
            code="P011",
            severity="inform",
            where="operate",
            says="alarm_budget and labels are declared, but this version does not watch yet.",
        )


def _people(root: Path, file: ProjectFile) -> Iterator[Finding]:
    from qua3ck.govern import people
    from qua3ck.question.agreement import named_people

    enrolled = {person.name for person in people(root)}
    missing = [name for name in named_people(file.question) if name not in enrolled]
    if missing:
        yield Finding(
            code="P012",
            severity="warn",
            where="question.roles",
            says=f"Not enrolled yet: {', '.join(missing)}. Type: qua3ck enrol NAME --role ROLE",
            evidence={"missing": missing},
        )


def _agreed(root: Path, file: ProjectFile) -> tuple[Finding, ...]:
    """Return who agreed to the question, and whose key was replaced since they were enrolled.

    A project that was never begun has no ledger to ask.
    """
    from qua3ck.govern import open_workspace, risk_class
    from qua3ck.govern.people import replaced_keys
    from qua3ck.question import agreement_findings

    begun = (root / "ledger" / "chain.jsonl").is_file()
    entries = open_workspace(root, file.project, read_only=True).ledger.entries() if begun else ()
    risk = file.question.risk
    name, _ = risk_class(affects=risk.affects, domain=risk.domain, automated=risk.automated)
    return (*agreement_findings(file.question, entries, risk=name), *replaced_keys(entries))


def _scan(root: Path, file: ProjectFile, places: Places) -> Iterator[Finding]:
    """Yield what the security gate would ask of a version, before there is one."""
    from qua3ck.govern import risk_class
    from qua3ck.transfer.release import own_code
    from qua3ck.transfer.security.declared import declared

    risk = file.question.risk
    name, _ = risk_class(affects=risk.affects, domain=risk.domain, automated=risk.automated)
    for found in declared(file.transfer, root=root, risk=name, shipped=own_code(root)):
        keys = ("accept", found.evidence["key"]) if "key" in found.evidence else ("advisories",)
        declared_there = places.holds("transfer", keys[0])
        where = places.where("transfer", *keys) if declared_there else found.where
        yield replace(found, where=where)


def _registry(root: Path, file: ProjectFile) -> Iterator[Finding]:
    """Yield what is wrong in the registry; that nobody answers there hides nothing else."""
    if not (root / "releases").is_dir():
        return
    from qua3ck.govern import open_workspace
    from qua3ck.store.tracking import Tracking
    from qua3ck.transfer import check_registry

    uri = file.transfer.tracking or f"sqlite:///{root / 'mlflow.db'}"
    workspace = open_workspace(root, file.project, read_only=True)
    try:
        yield from check_registry(workspace, Tracking(uri, root, file.project))
    except Qua3ckError as problem:
        if problem.code != _SERVER_GONE:
            raise
        says = f"{problem.what}, so nobody knows whether its aliases are ours; {problem.fix}"
        yield Finding(_SERVER_GONE, "warn", problem.where, says)
