"""What a batch prediction has to say: why rows are held or flagged, and why no key was copied."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from qua3ck.kit.findings import Finding
from qua3ck.operate.batch.fitting import FLAGGED, LACKING, STRANGE, UNREADABLE

if TYPE_CHECKING:
    from qua3ck.operate.batch.inputs import Input
    from qua3ck.understand.section import Understand

_SAYS = {
    UNREADABLE: "a value there that the version cannot read",
    STRANGE: "what no training row had, which the project file refuses",
    LACKING: "no value, or an infinite one, where every training row had one",
    FLAGGED: "what no training row had; answered, and marked",
}


def findings_of(
    reasons: Mapping[str, Sequence[int]], source: str, rows: int
) -> tuple[Finding, ...]:
    """Return one finding per column and code, the most frequent first.

    Parameters
    ----------
    reasons : mapping
        Column and code, a tab between them, to how many rows and the first few of these.
    """
    listed = sorted(reasons.items(), key=lambda one: (-one[1][0], one[0]))
    return tuple(_finding(name, one, source, rows) for name, one in listed)


def key_findings(given: Input, section: Understand, root: Path) -> tuple[Finding, ...]:
    """Return why the declared key is not copied unasked; empty if it may be."""
    found = tuple(_personal(given, section, root))
    if not found:
        return ()
    named = ", ".join(name for name, _ in found)
    flags = " ".join(f"--key {name}" for name in given.key)
    return (
        Finding(
            "O055",
            "inform",
            f"{given.name}, key {', '.join(given.key)}",
            f"The key is not copied: {named} {found[0][1]}. The answers say their source row; "
            f"to copy it all the same: {flags}.",
            {"key": list(given.key), "personal": [name for name, _ in found]},
        ),
    )


def _personal(given: Input, section: Understand, root: Path) -> Iterator[tuple[str, str]]:
    from qua3ck.understand.contract.personal import looks_personal
    from qua3ck.understand.contract.said import said_of

    contracts = said_of(section, root) if given.key else {}
    for name in given.key:
        said = [table.columns[name] for table in contracts.values() if name in table.columns]
        if any(one.private for one in said):
            yield name, "is classified as personal by its contract"
        elif not any(one.shown for one in said) and (what := looks_personal(name)):
            yield name, f"looks like {what}"


def _finding(name: str, one: Sequence[int], source: str, rows: int) -> Finding:
    column, _, code = name.partition("\t")
    count, *first = one
    shown = ", ".join(map(str, first)) + (" ..." if count > len(first) else ".")
    many = f"{count:,} rows have" if count > 1 else "1 row has"
    says = f"{many} {_SAYS.get(code, f'what the reader holds back ({code})')}: rows {shown}"
    return Finding(
        code,
        "inform" if code == FLAGGED else "warn",
        f"{source}{', ' + column if column else ''}, {count} of {rows} rows",
        says,
        {"column": column, "rows": count, "first": first},
    )
