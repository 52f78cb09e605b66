"""Makes the judged candidate an immutable version: model, evidence, report, and its digest.

The order is what makes it safe to end at any moment: the folder appears in one step, then
the ledger says that it was made, then the registry is told. Typing the command again does
what is still missing, and nothing twice.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from qua3ck.govern.releases import Release, find_release, list_releases
from qua3ck.kit.clock import stamp
from qua3ck.kit.errors import Blocked, Qua3ckError
from qua3ck.kit.hashes import digest, file_digest
from qua3ck.kit.records import as_json
from qua3ck.transfer import folder as folders

if TYPE_CHECKING:
    from qua3ck.a3.records import Candidate
    from qua3ck.conclude.records import Conclusion
    from qua3ck.govern import Workspace
    from qua3ck.kit.verdicts import Verdict
    from qua3ck.ledger import Entry, Ledger
    from qua3ck.question.records import Question
    from qua3ck.store.tracking import Tracking
    from qua3ck.transfer.report import Facts
    from qua3ck.transfer.section import Transfer
    from qua3ck.transfer.security import Scan
    from qua3ck.understand.records import Snapshot

CODE = "code"
PROJECT_FILE = "qua3ck.yaml"
_MODEL = "model"
_SAID_BY_A_VERDICT = frozenset({"C002", "C003", "C004", "C005"})
_ASKS = ("nobody", "one_person", "two_person")
_OURS = frozenset(
    {
        "warehouse",
        "raw",
        "mlartifacts",
        "releases",
        "candidates",
        "evidence",
        "loop",
        "ledger",
        "sealed",
        "state",
        "people",
        "build",
    }
)


@dataclass(frozen=True)
class _Parts:
    """What a version is made of; one bundle, so that the writers below stay short."""

    question: Question
    snapshot: Snapshot
    candidate: Candidate
    conclusion: Conclusion
    workspace: Workspace
    section: Transfer
    language: str


def make_release(
    question: Question,
    snapshot: Snapshot,
    candidate: Candidate,
    conclusion: Conclusion,
    workspace: Workspace,
    *,
    tracking: Tracking,
    section: Transfer,
    language: str = "en",
) -> Release:
    """Make a version of the judged candidate, or return the one that was made of it already.

    Parameters
    ----------
    question, snapshot, candidate, conclusion : records of the phases before
        They must speak about one another; the verdict must allow the release.
    workspace : Workspace
        Ledger, clock, folder and who acts.
    tracking : Tracking
        Registry the version is entered in. No alias is moved: only :func:`promote` does.
    section : Transfer
        The section ``transfer`` of the project file.
    language : str, default "en"
        Of the report and the card.

    Returns
    -------
    Release
        The same one for the same candidate and question, however often it is called.

    Raises
    ------
    Blocked
        If the verdict does not allow it (K001); every promise that does not hold is named.
    Qua3ckError
        If the records do not belong together (K002), the disk refuses (K003), the
        artefact is not the judged one, or the registry is out of reach: the version then
        exists and the next call registers it.
    """
    from filelock import FileLock

    from qua3ck.transfer import registry

    parts = _Parts(question, snapshot, candidate, conclusion, workspace, section, language)
    _refuse_strangers(parts)
    _refuse_unproven(parts)
    _refuse_unrecorded(parts)
    releases = workspace.root / folders.RELEASES
    releases.mkdir(parents=True, exist_ok=True)
    with FileLock(releases / ".lock"):
        folders.clear_unfinished(releases)
        version = _made_before(parts) or _taken_up(parts) or _made_now(parts)
    registry.catch_up(workspace, tracking)
    return find_release(workspace.ledger, version)


def own_code(root: Path) -> dict[str, Path]:
    """Return the project file and the user's own functions and SQL beside it, by relative name."""
    found = [*root.rglob("*.py"), *root.rglob("*.sql"), *root.glob(PROJECT_FILE)]
    named = {path.relative_to(root): path for path in sorted(found)}
    return {
        name.as_posix(): path
        for name, path in named.items()
        if not any(part in _OURS or part.startswith((".", "__")) for part in name.parts[:-1])
    }


def last_verdict_allows(ledger: Ledger, candidate: str, question: str) -> bool:
    """Return whether the last verdict on a candidate and question allows a release."""
    said = [
        entry.body["release_allowed"] is True
        for entry in ledger.entries("verdict.made")
        if (entry.body["candidate"], entry.body["question"]) == (candidate, question)
    ]
    return bool(said) and said[-1]


def last_budget(ledger: Ledger, candidate: str, question: str) -> int:
    """Return the budget of openings at which a candidate was judged last; 0 if never."""
    said = [
        int(entry.body["openings"])
        for entry in ledger.entries("verdict.made")
        if (entry.body["candidate"], entry.body["question"]) == (candidate, question)
    ]
    return said[-1] if said else 0


def _refuse_strangers(parts: _Parts) -> None:
    question, conclusion = parts.question, parts.conclusion
    pairs = {
        "question": (conclusion.question, question.digest, "qua3ck conclude"),
        "snapshot": (conclusion.snapshot, parts.snapshot.id, "qua3ck run"),
        "candidate": (conclusion.candidate, parts.candidate.digest, "qua3ck run"),
        "candidate's snapshot": (parts.candidate.snapshot, parts.snapshot.id, "qua3ck run"),
    }
    for name, (judged, given, cure) in pairs.items():
        if judged != given:
            raise Qua3ckError(
                f"The verdict is about another {name}: {judged[:12]}, not {given[:12]}",
                where="what was judged, held against what is here now",
                fix=f"judge what is here now: {cure}",
                code="K002",
            )


def _refuse_unproven(parts: _Parts) -> None:
    conclusion = parts.conclusion
    if conclusion.release_allowed:
        return
    verdicts = (*conclusion.kpis, *conclusion.slices, *conclusion.fairness)
    short = [verdict for verdict in verdicts if verdict.verdict != "pass"]
    phases = (parts.snapshot.findings, parts.candidate.findings, conclusion.findings)
    told = [
        f"{finding.says.rstrip('.')} ({finding.code})"
        for phase in phases
        for finding in phase
        if finding.blocks and finding.code not in _SAID_BY_A_VERDICT
    ]
    says = [*map(_falls_short, short), *dict.fromkeys(told)] or list(conclusion.reasons)
    raise Blocked(
        f"This candidate cannot be released: {'; '.join(says)}",
        where=f"the verdict on {conclusion.rows} sealed rows, "
        f"opening {conclusion.opening} of {conclusion.openings}",
        fix=_cure(short),
        code="K001",
    )


def _falls_short(verdict: Verdict) -> str:
    sign = ">=" if verdict.direction == "at_least" else "<="
    value = "-" if verdict.value is None else f"{verdict.value:.4g}"
    bounds = (
        ""
        if verdict.low is None or verdict.high is None
        else f" [{verdict.low:.4g}, {verdict.high:.4g}]"
    )
    return f"{verdict.id} {verdict.verdict}: {value}{bounds}, wanted {sign} {verdict.threshold:g}"


def _cure(short: list[Verdict]) -> str:
    told = [
        f"{verdict.id}: about {verdict.rows_needed} {verdict.unit} at this value would"
        f" {verdict.rows_needed_for or 'decide it'}"
        for verdict in short
        if verdict.verdict == "undecided" and verdict.rows_needed is not None
    ]
    told += [
        f"{verdict.id}: an AUC of exactly 1 cannot be bounded, bring more rows until a pair is"
        " misordered, or look for a column that gives the target away: qua3ck explain U001"
        for verdict in short
        if verdict.verdict == "undecided" and verdict.metric == "roc_auc" and verdict.value == 1
    ]
    if told:
        return "; ".join(told) + ". More: qua3ck explain C003"
    return "bring better features or more rows, or settle for less; see: qua3ck explain K001"


def _refuse_unrecorded(parts: _Parts) -> None:
    """Believe a verdict only if the signed ledger has it: records on the disk can be edited."""
    if last_verdict_allows(parts.workspace.ledger, *_about(parts)):
        return
    raise Blocked(
        "The ledger has no verdict that allows this candidate to be released",
        where=f"candidate {parts.candidate.digest[:12]}",
        fix="judge it: qua3ck conclude",
        code="K002",
    )


def _made_before(parts: _Parts) -> int | None:
    for release in list_releases(parts.workspace.ledger):
        if (release.candidate, release.question) == _about(parts):
            return release.version
    return None


def _taken_up(parts: _Parts) -> int | None:
    """Finish what was cut off between the folder and the ledger; None if nothing was."""
    known = {release.version for release in list_releases(parts.workspace.ledger)}
    for version, path in folders.version_folders(parts.workspace.root).items():
        if version in known or not (path / folders.MANIFEST).is_file():
            continue
        manifest = folders.read_manifest(path)
        own = file_digest(path / folders.MANIFEST)
        if (manifest["candidate"], manifest["question"]) != _about(parts):
            continue
        if not folders.problems(path, own):
            _record(parts.workspace, manifest, own)
            return version
    return None


def _about(parts: _Parts) -> tuple[str, str]:
    return parts.candidate.digest, parts.question.digest


def _made_now(parts: _Parts) -> int:
    workspace = parts.workspace
    taken = {*folders.version_folders(workspace.root)}
    taken |= {release.version for release in list_releases(workspace.ledger)}
    version = max(taken, default=0) + 1
    workspace.progress("K", f"version {version}", 0, 2)
    manifest = _manifest(parts, version)
    with folders.whole_or_nothing(workspace.root / folders.RELEASES / str(version)) as folder:
        _fill(folder, parts, version)
        own = folders.write_manifest(folder, manifest)
    written = folders.read_manifest(workspace.root / folders.RELEASES / str(version))
    _record(workspace, written, own)
    workspace.progress("K", f"version {version}", 1, 2)
    return version


def _manifest(parts: _Parts, version: int) -> dict[str, Any]:
    return {
        "format": 1,
        "project": parts.workspace.project,
        "version": version,
        "candidate": parts.candidate.digest,
        "snapshot": parts.snapshot.id,
        "question": parts.question.digest,
        "opening": parts.conclusion.opening,
        "model_format": parts.candidate.model_format,
        "made_at": stamp(parts.workspace.clock()),
        "made_by": parts.workspace.actor,
        "reproduce": f"qua3ck reproduce {version}",
    }


def _record(workspace: Workspace, manifest: Mapping[str, Any], own: str) -> None:
    keys = ("version", "candidate", "snapshot", "question", "opening", "model_format")
    workspace.ledger.append(
        "release.made",
        f"release {manifest['version']}",
        {
            **{key: manifest[key] for key in keys},
            "path": f"{folders.RELEASES}/{manifest['version']}",
            "digest": own,
            "files": digest(dict(manifest["files"])),
        },
    )


def _fill(folder: Path, parts: _Parts, version: int) -> None:
    """Write everything but the manifest into a version's folder."""
    from qua3ck.transfer import card, datasheet, handover, report, sheet

    _copy_model(folder, parts)
    _copy_code(folder, parts.workspace.root)
    _copy_evidence(folder, parts)
    _write_environment(folder, parts.workspace.root)
    for name in ("question", "snapshot", "candidate", "conclusion"):
        record = getattr(parts, name)
        data = record.model_dump(mode="json") if name == "question" else as_json(record)
        _write_json(folder / "records" / f"{name}.json", data)
    _write_json(folder / "records" / "a3.json", _settings(folder))
    _write_json(folder / "schema.json", _schema(folder))
    _write_json(folder / "data.json", _data(parts.snapshot))
    handover.write(folder)
    facts = replace(_facts(parts, version), security=_scanned(folder, parts))
    on_record = sheet.gather(
        folder / CODE / PROJECT_FILE,
        parts.snapshot,
        root=parts.workspace.root,
        warehouse=parts.workspace.warehouse,
        entries=facts.entries,
    )
    _write_text(folder / "report.html", report.render(facts))
    _write_text(folder / "README.md", card.render(facts))
    _write_text(folder / datasheet.DATASHEET, datasheet.render(facts, on_record))


def _scanned(folder: Path, parts: _Parts) -> Scan:
    """Scan what was written so far, and keep what was found; secrets are not let in at all."""
    from qua3ck.transfer.security import SCANNED, scan

    workspace = parts.workspace
    seen = scan(
        folder,
        section=parts.section,
        root=workspace.root,
        now=workspace.clock(),
        by=workspace.actor,
    )
    _refuse_secrets(seen)
    blocking = sorted({one.code for one in seen.findings if one.blocks})
    if blocking:
        workspace.progress(
            "K", f"the scan found what stops a promotion: {', '.join(blocking)}", 1, 2
        )
    _write_json(folder / SCANNED, as_json(seen))
    return seen


def _refuse_secrets(seen: Scan) -> None:
    """Refuse, in every risk class: what a version holds cannot be taken out of it again."""
    secrets = [one for one in seen.findings if one.code == "K022" and one.blocks]
    if not secrets:
        return
    told = "; ".join(f"{one.where}: {one.evidence['what']}" for one in secrets)
    name = secrets[0].evidence["file"]
    raise Blocked(
        f"The version would hold a secret, and keep it for ever: {told}",
        where=", ".join(dict.fromkeys(str(one.evidence["file"]) for one in secrets)),
        fix="take it out, read it from the environment, and make a new one in its place; if it"
        f' is none, say so under transfer: accept: {{"K022 {name}": why}}',
        code="K022",
    )


def _copy_model(folder: Path, parts: _Parts) -> None:
    from qua3ck.store.releases.artefact import verify

    source = parts.workspace.root / parts.candidate.artefact
    verify(source, digest=parts.candidate.digest)
    shutil.copytree(
        source,
        folder / _MODEL,
        copy_function=shutil.copyfile,
        ignore=shutil.ignore_patterns("__pycache__"),
    )
    verify(folder / _MODEL, digest=parts.candidate.digest)


def _copy_code(folder: Path, root: Path) -> None:
    for name, path in own_code(root).items():
        target = folder / CODE / name
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, target)


def _copy_evidence(folder: Path, parts: _Parts) -> None:
    from qua3ck.conclude import decision_record

    profile = parts.workspace.root / parts.snapshot.profile
    if file_digest(profile) != parts.snapshot.profile_digest:
        raise Qua3ckError(
            "The profile of the data is not the one that was recorded",
            where=str(profile),
            fix="take the snapshot again: qua3ck understand --again",
            code="K002",
        )
    evidence = folder / "evidence"
    evidence.mkdir()
    shutil.copyfile(profile, evidence / "profile.html")
    _write_text(evidence / "decision.md", decision_record(parts.conclusion, parts.candidate))


def _write_environment(folder: Path, root: Path) -> None:
    from qua3ck.transfer.environment import lock_lines, own_locks, running_environment

    environment = running_environment()
    locks = (*own_locks(), root / "requirements.txt")
    _write_json(folder / "environment.json", environment.facts())
    _write_text(folder / "requirements.txt", "\n".join(lock_lines(environment, locks=locks)) + "\n")


def _settings(folder: Path) -> dict[str, Any]:
    """Return the section ``a3`` of the released project file, which a rebuild needs."""
    from ruamel.yaml import YAML

    from qua3ck.a3.section import A3

    path = folder / CODE / PROJECT_FILE
    said = YAML(typ="safe").load(path.read_text(encoding="utf-8")) if path.is_file() else {}
    section = A3.model_validate_json(json.dumps(said.get("a3", {})))
    settings: dict[str, Any] = section.model_dump(mode="json")
    return settings


def _schema(folder: Path) -> dict[str, Any]:
    """Return what goes in and what comes out, for whoever calls the model."""
    from qua3ck.store.releases.artefact import read_manifest

    manifest = read_manifest(folder / _MODEL)
    return {
        "inputs": [dict(column) for column in manifest.spec["columns"]],
        "outputs": list(manifest.outputs),
        "task": manifest.task,
        "classes": list(manifest.classes),
        "positive": manifest.positive,
    }


def _data(snapshot: Snapshot) -> dict[str, Any]:
    record = as_json(snapshot)
    keys = ("id", "sources", "gold", "target", "task", "order", "split", "seal", "code_digest")
    return {key: record[key] for key in keys}


def _facts(parts: _Parts, version: int) -> Facts:
    from qua3ck.govern import needed_approvals, risk_class
    from qua3ck.transfer.report import Facts

    risk = parts.question.risk
    name, why = risk_class(affects=risk.affects, domain=risk.domain, automated=risk.automated)
    return Facts(
        project=parts.workspace.project,
        version=version,
        question=parts.question,
        snapshot=parts.snapshot,
        candidate=parts.candidate,
        conclusion=parts.conclusion,
        entries=_entries(parts.workspace.ledger),
        risk_class=name,
        risk_reason=why,
        approve=_ASKS[needed_approvals(name, parts.section.approve)],
        lang=parts.language,
    )


def _entries(ledger: Ledger) -> tuple[Entry, ...]:
    return tuple(ledger.entries())


def _write_json(path: Path, data: Any) -> None:
    _write_text(path, json.dumps(data, indent=1, ensure_ascii=False, sort_keys=True) + "\n")


def _write_text(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8", newline="\n")
