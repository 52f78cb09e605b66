"""What a batch prediction has to say: of rows held or flagged, of the key, of who is in use."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from qua3ck.kit.findings import Finding
from qua3ck.operate.batch.fitting import FLAGGED, LACKING, STRANGE, UNREADABLE

if TYPE_CHECKING:
    from qua3ck.ledger import Entry
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


def rollout_findings(entries: Sequence[Entry], settled: int, points_to: int) -> tuple[Finding, ...]:
    """Return why the champion's alias points to another version than the one that answers.

    Parameters
    ----------
    entries : sequence of Entry
        The ledger, oldest first.
    settled, points_to : int
        The version that answers, and the one that the alias has.
    """
    from qua3ck.operate.serve.routing import rollout

    going, evidence = rollout(entries), {"settled": settled, "alias": points_to}
    if going is None:
        says = (
            f"champion still points to version {points_to}, whose rollout was stopped; version "
            f"{settled} answers, as it does in serving. To move the alias back: "
            'qua3ck rollback --reason "why".'
        )
    else:
        evidence["share"] = round(going.share * 100)
        says = (
            f"Version {going.version} is being rolled out and gets {evidence['share']} % of the "
            f"requests; version {settled} gets the others, and answers here."
        )
    return (Finding("O058", "inform", "the ledger, champion", says, evidence),)


def off_finding(off: Entry, version: int) -> Finding:
    """Return the notice that a version was named while serving is switched off."""
    since = off.at[:16].replace("T", " ")
    return Finding(
        "O057",
        "warn",
        f"the ledger, entry {off.seq}",
        f"Serving is switched off since {since} UTC: {off.body.get('reason', '')}. Version "
        f"{version} was named and answers all the same; the ledger keeps that.",
        {"while_off": off.seq, "version": version},
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
