"""The scan of a version's folder: what it looks at, and its findings, each with a code.

The folder is read as bytes and text; nothing of it is loaded or run. Whether a finding stops
a promotion is not decided here: the gate does that, by risk class.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from qua3ck.kit.findings import Finding
from qua3ck.transfer import folder as folders
from qua3ck.transfer.security.pins import Pin, pins

if TYPE_CHECKING:
    from qua3ck.transfer.section import Transfer

SCANNED = "evidence/security.json"
LOCK = "requirements.txt"
#: In the events of a promotion: how many advisories the scan before it read.
ADVISORIES = "advisories"
OLD = timedelta(days=90)
_CODE = "code/"
_MODEL_CODE = "model/code/"
_MOST_LINES = 10


@dataclass(frozen=True)
class Scan:
    """What was looked at, and what was found.

    ``packages`` counts the locked ones. ``advisories`` counts those read and ``newest`` is
    the day the newest was changed; both empty where none are declared, which is then said
    by a finding (K026) and is no pass. ``by`` made the version, and so put the reasons of
    ``accepted`` findings on record; empty where that was not written down.
    """

    files: int
    code_files: int
    packages: int
    advisories: int
    newest: str
    findings: tuple[Finding, ...]
    by: str = ""


def scan(folder: Path, *, section: Transfer, root: Path, now: datetime, by: str = "") -> Scan:
    """Return what a version's folder holds that must not be loaded, run, shown or relied on.

    Parameters
    ----------
    folder : Path
        ``releases/<version>/``, also while it is being made.
    section : Transfer
        Names the advisories and what is accepted, with its reason.
    root : Path
        The project's folder, from which ``advisories`` is meant.
    now : datetime
        The age of the advisories is held against it.
    by : str
        Who makes the version; whoever approves it reads that name beside each reason.

    Returns
    -------
    Scan
        Findings in the order of their codes: K020 runs code when loaded, K021 code that runs
        or reaches what it should not, K022 secrets, K023 the lock, K024 known vulnerabilities,
        K025 old advisories, K026 none declared, K027 some that cannot be read, K028 reasons
        for what was not found.
    """
    names = folders.files_in(folder)
    own = [Path(name).stem for name in names if _is_model_code(name)]
    found: list[Finding] = []
    for name in names:
        found += in_file(folder / name, name, own)
    lock = folder / LOCK
    listed = pins(lock.read_text(encoding="utf-8")) if lock.is_file() else ()
    found += _lock(listed, there=lock.is_file())
    count, newest, said = _vulnerabilities(section, root, listed, now)
    found += said
    judged = [accepted(finding, section.accept) for finding in found]
    judged += _unused(found, section.accept)
    return Scan(
        files=len(names),
        code_files=sum(_is_code(name) for name in names),
        packages=len(listed),
        advisories=count,
        newest=newest,
        by=by,
        findings=tuple(sorted(judged, key=lambda finding: (finding.code, finding.where))),
    )


def in_file(path: Path, name: str, own: list[str]) -> Iterator[Finding]:
    """Yield what one file holds that can be loaded, run or read by whoever gets the version.

    Parameters
    ----------
    path : Path
        Where it lies.
    name : str
        Its name in the version, which says whether it is code (``code/``, ``model/code/``).
    own : list of str
        Modules that the version ships for its model.
    """
    from qua3ck.transfer.security.loadable import runs_code

    if path.is_symlink():
        yield _loadable(name, "a link to something outside")
        return
    data = path.read_bytes()
    what = runs_code(data, own=own)
    if what:
        yield _loadable(name, what)
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError:
        return
    if "\0" not in text:
        yield from _secrets(name, text)
        if _is_code(name):
            yield from _code(name, text)


def _loadable(name: str, what: str) -> Finding:
    return Finding(
        "K020",
        "block",
        name,
        f"It is {what}: loading it can run any code.",
        {"file": name, "what": what},
    )


def _is_code(name: str) -> bool:
    return name.startswith((_CODE, _MODEL_CODE)) and name.endswith((".py", ".pyw"))


def _is_model_code(name: str) -> bool:
    return _is_code(name) and name.startswith(_MODEL_CODE)


def _secrets(name: str, text: str) -> Iterator[Finding]:
    from qua3ck.transfer.security.passwords import passwords

    kinds: dict[tuple[str, bool], list[int]] = {}
    for left in passwords(text):
        kinds.setdefault((left.what, left.sure), []).append(left.line)
    for (what, sure), lines in kinds.items():
        yield Finding(
            "K022",
            "block" if sure else "warn",
            f"{name}, {_lines(lines)}",
            f"Here stands what looks like a secret: {what}.",
            {"file": name, "what": what, "lines": lines[:_MOST_LINES], "count": len(lines)},
        )


def _code(name: str, text: str) -> Iterator[Finding]:
    from qua3ck.transfer.security.usercode import GIVEN, Kind, uses

    try:
        found = uses(text)
    except (SyntaxError, ValueError):
        says = "It is not Python that can be read, so nobody looked into it."
        yield Finding("K021", "warn", name, says, {"file": name})
        return
    kinds: dict[Kind, list[tuple[str, int]]] = {}
    for use in found:
        kinds.setdefault(use.kind, []).append((use.what, use.line))
    for kind, seen in kinds.items():
        # What the model itself is asked with is run for every prediction: there it blocks.
        blocks = kind == GIVEN or name.startswith(_MODEL_CODE)
        lines = sorted({line for _, line in seen})
        what = sorted({each for each, _ in seen})
        yield Finding(
            "K021",
            "block" if blocks else "warn",
            f"{name}, {_lines(lines)}",
            f"The code {kind}: {', '.join(what)}.",
            {"file": name, "what": what, "lines": lines[:_MOST_LINES]},
        )


def _lines(numbers: list[int]) -> str:
    shown = ", ".join(map(str, numbers[:_MOST_LINES]))
    more = f" and {len(numbers) - _MOST_LINES} more" if len(numbers) > _MOST_LINES else ""
    return f"line{'s' if len(numbers) > 1 else ''} {shown}{more}"


def _lock(listed: tuple[Pin, ...], *, there: bool) -> Iterator[Finding]:
    if not listed:
        says = "It pins no package." if there else "The version has no environment lock."
        yield Finding("K023", "block", LOCK, says, {"packages": 0})
        return
    loose = [pin for pin in listed if not pin.version]
    bare = [pin for pin in listed if not pin.hashed]
    place = "{} of {} packages".format
    if loose:
        yield Finding(
            "K023",
            "block",
            f"{LOCK}, {place(len(loose), len(listed))}",
            f"Not pinned to one version: {_some(pin.name for pin in loose)}.",
            {"lines": [pin.line for pin in loose][:_MOST_LINES], "loose": len(loose)},
        )
    if bare:
        yield Finding(
            "K023",
            "warn",
            f"{LOCK}, {place(len(bare), len(listed))}",
            f"Without a hash, so other bytes under that name would do: "
            f"{_some(pin.name for pin in bare)}.",
            {"lines": [pin.line for pin in bare][:_MOST_LINES], "bare": len(bare)},
        )


def _some(names: Iterable[str]) -> str:
    listed = sorted(set(names))
    more = f" and {len(listed) - _MOST_LINES} more" if len(listed) > _MOST_LINES else ""
    return f"{', '.join(listed[:_MOST_LINES])}{more}"


def _vulnerabilities(
    section: Transfer, root: Path, listed: tuple[Pin, ...], now: datetime
) -> tuple[int, str, list[Finding]]:
    """Return how many advisories were read, the day of the newest, and the findings."""
    import zipfile

    from qua3ck.transfer.security.advisories import look_up

    if section.advisories is None:
        return 0, "", [none_declared()]
    try:
        read = look_up(root / section.advisories, listed, today=now.astimezone(UTC).date())
    except (OSError, RuntimeError, NotImplementedError, zipfile.BadZipFile) as problem:
        reason = getattr(problem, "strerror", None) or type(problem).__name__
        return 0, "", [advisories_unreadable(section.advisories, reason)]
    if not read.count:
        return 0, "", [advisories_unreadable(section.advisories, "there is no advisory in it")]
    found = [
        Finding(
            "K024",
            "block" if known.exploitable else "warn",
            f"{LOCK}, {known.package} {known.version}",
            f"{known.ids[0]}: a known vulnerability"
            + (f", and {known.exploitable}" if known.exploitable else "")
            + (f"; cured in {', '.join(known.fixed)}." if known.fixed else "; no cure is known."),
            {"ids": list(known.ids), "package": known.package, "fixed": list(known.fixed)},
        )
        for known in read.known
    ]
    if read.unread:
        found.append(_partly_unreadable(section.advisories, read.unread))
    return read.count, read.newest, [*found, *_old(section.advisories, read.newest, now)]


def none_declared() -> Finding:
    """Return what is to be said where no advisories are declared."""
    return Finding(
        "K026",
        "inform",
        "transfer.advisories",
        "Known vulnerabilities of the packages were not looked for: no advisories are declared.",
        {"not_checked": "known vulnerabilities (no advisories declared)"},
    )


def advisories_unreadable(path: str, reason: str) -> Finding:
    """Return what is to be said of advisories that are declared and cannot be read."""
    return Finding(
        "K027",
        "block",
        f"transfer.advisories, {path}",
        f"The advisories cannot be read, so known vulnerabilities were not looked for: {reason}.",
        {"not_checked": "known vulnerabilities (advisories cannot be read)"},
    )


def _partly_unreadable(path: str, count: int) -> Finding:
    return Finding(
        "K027",
        "warn",
        f"transfer.advisories, {path}",
        f"{count} entries could not be read or compared; what they say is not known.",
        {"unread": count},
    )


def _old(path: str, newest: str, now: datetime) -> Iterator[Finding]:
    if not newest:
        says = "None of the advisories has a day up to today, so nobody knows how old they are."
        yield Finding("K025", "warn", f"transfer.advisories, {path}", says, {"newest": ""})
        return
    age = now - datetime.fromisoformat(newest).replace(tzinfo=UTC)
    if age > OLD:
        yield Finding(
            "K025",
            "warn",
            f"transfer.advisories, {path}",
            f"The newest advisory is of {newest}, {age.days} days ago; what became known since is"
            " not in it.",
            {"newest": newest, "days": age.days},
        )


def accept_key(finding: Finding) -> str:
    """Return the name by which ``transfer.accept`` gives a reason for a finding."""
    return _names(finding)[0]


def what_to_write(findings: Iterable[Finding], *, risk: str, version: int) -> str:
    """Return how to cure, or to live with, what would stop a promotion; empty if nothing would.

    Parameters
    ----------
    findings : iterable of Finding
        Of the scan of a version.
    risk : {"minimal", "limited", "high"}
        What blocks stops limited and high risk; what was not looked for only high.
    version : int
        The version that was scanned, for what is to be typed.
    """
    open_ones = [
        one
        for one in findings
        if one.blocks or (one.evidence.get("not_checked") and not one.accepted and risk == "high")
    ]
    if risk == "minimal" or not open_ones:
        return ""
    first = min(open_ones, key=lambda one: not one.blocks)
    cure = "cure what it names"
    if first.evidence.get("not_checked"):
        cure = "declare transfer.advisories"
    return (
        f'{cure}, or write why you live with it under transfer: accept: {{"{accept_key(first)}":'
        f" why}} and type qua3ck promote {version}, which puts it on record for those who sign:"
        f" qua3ck explain {first.code}"
    )


def _names(finding: Finding) -> list[str]:
    """Return the names of a finding: those of an advisory, code and file, or the code alone.

    The code is enough only where the finding is about no file: accepting one pickle must not
    accept the next.
    """
    about = finding.evidence
    if "file" in about:
        return [*about.get("ids", ()), f"{finding.code} {about['file']}"]
    return [*about.get("ids", ())] or [finding.code]


def accepted(finding: Finding, accept: Mapping[str, str]) -> Finding:
    """Put the project file's reason to a finding that it names; none of them names others."""
    reason = next((accept[name] for name in _names(finding) if name in accept), "")
    return replace(finding, accepted=reason)


def _unused(found: Iterable[Finding], accept: Mapping[str, str]) -> Iterator[Finding]:
    """Yield the reasons that are for nothing that was found."""
    used = {name for finding in found for name in _names(finding)}
    for key in accept:
        if key not in used:
            yield names_nothing(key, "nothing like that was found in this version")


def names_nothing(key: str, why: str) -> Finding:
    """Return what is to be said of a reason in the project file that is for nothing."""
    return Finding(
        "K028",
        "warn",
        f"transfer.accept, {key}",
        f"This reason is for nothing: {why}.",
        {"key": key},
    )
