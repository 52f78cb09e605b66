"""What a load holds back, and what a person may accept: whole pieces, never silently.

A held record is one row of a piece and goes to quarantine; the piece goes on. A held piece
leaves what was loaded before as it is, and comes again with every load until it is corrected
or its finding is accepted.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from qua3ck.kit.errors import Qua3ckError
from qua3ck.kit.findings import Finding
from qua3ck.understand.loading.keys import TWICE, KeysRepeat
from qua3ck.understand.loading.layout import Difference
from qua3ck.understand.sources.places import place_of

if TYPE_CHECKING:
    import pyarrow as pa

COLUMNS, MISFIT, SHRUNK, VANISHED, SILENT = "U063", "U064", "U065", "U066", "U067"
OLDER, UNREADABLE, RECORDS = "U068", "U069", "U060"
NEVER_ACCEPTED = frozenset({RECORDS, OLDER, UNREADABLE})  # nothing could be loaded by that
Hows = Mapping[str, Mapping[str, Any]]
WHOLE = "the whole extract"  # what lost rows, where no single piece did
_EXAMPLES = 5


@dataclass(frozen=True)
class HeldPiece:
    """A piece that was not loaded, why, and the error that reading it raised, if any."""

    piece: str
    finding: Finding
    error: Qua3ckError | None = None

    def problem(self, accepted: Mapping[str, Sequence[str]] | None = None) -> Qua3ckError:
        """Return why it is held as an error, for whoever cannot go on without it.

        Parameters
        ----------
        accepted : mapping, optional
            Code to what it was accepted for in this load: of this piece these must be accepted
            again, together with what holds it now.
        """
        if self.error is not None:
            return self.error
        source = self.finding.where.partition(",")[0]
        mine = {self.piece, source, WHOLE}
        before = [code for code, what in (accepted or {}).items() if mine & set(what)]
        codes = dict.fromkeys((*before, self.finding.code))
        needed = " ".join(f"--accept {code}" for code in codes)
        return Qua3ckError(
            self.finding.says.rstrip("."),
            where=f"understand.sources.{source}, {self.piece}",
            fix=f"correct it, or accept it: qua3ck load {needed} --reason TEXT",
            code=self.finding.code,
        )


@dataclass
class Waivers:
    """Which findings a person accepts for this load, who, and which of these it met."""

    reasons: Mapping[str, str] = field(default_factory=dict)
    by: str = ""
    used: dict[str, list[str]] = field(default_factory=dict)

    def waive(self, finding: Finding, what: str) -> bool:
        """Return whether the finding is accepted; notes that it was needed."""
        if finding.code not in self.reasons:
            return False
        self.used.setdefault(finding.code, []).append(what)
        return True


def unreadable(source: str, piece: str, problem: Qua3ckError) -> HeldPiece:
    """Return a piece that cannot be read as declared."""
    finding = Finding(
        UNREADABLE,
        "block",
        f"{source}, {piece}",
        f"{problem.what}. The piece is held; rows that were loaded of this piece itself stay.",
        {"piece": piece, "code": problem.code, "where": problem.where, "fix": problem.fix},
    )
    return HeldPiece(piece, finding, problem)


def other_columns(source: str, piece: str, differs: Difference) -> Finding:
    """Return the finding about a piece with other columns than its table."""
    says = f"The columns of {piece} are not those of the table: {differs.says()}."
    if differs.other:
        name, (was, _) = next(iter(differs.other.items()))
        says += f' Declare what they all are, such as types: {{"{name}": {was}}}.'
    return Finding(
        COLUMNS,
        "block",
        f"{source}, {piece}",
        says,
        {
            "piece": piece,
            "vanished": list(differs.gone),
            "new": dict(differs.new),
            "other": {name: list(kinds) for name, kinds in differs.other.items()},
        },
    )


def misfit(source: str, piece: str, came: int, held: pa.Table, how: Mapping[str, Any]) -> Finding:
    """Return the finding about a piece of which most records do not fit."""
    reasons = by_reason(held, {"": how})
    first = "; ".join(
        f'{line["rows"]} in column "{line["column"]}" ({line["code"]}; {line["shown"]})'
        if line["column"]
        else f"{line['rows']} as a whole ({line['code']}; {line['shown']})"
        for line in reasons[:_EXAMPLES]
    )
    rows = distinct_rows(held)
    return Finding(
        MISFIT,
        "block",
        f"{source}, {piece}, {rows} of {counted(came, 'row')}",
        f"{rows} of {counted(came, 'row')} of {piece} {'does' if rows == 1 else 'do'} not fit: "
        f"{first}.",
        {"piece": piece, "came": came, "held": rows, "reasons": reasons[:_EXAMPLES]},
    )


def repeating(source: str, key: Sequence[str], problem: KeysRepeat) -> Finding:
    """Return the finding about a key that does not tell rows apart."""
    named = ", ".join(key)
    return Finding(
        MISFIT,
        "block",
        f"{source}, key {named}",
        f"{problem.repeats} of {problem.rows} rows have the key ({named}) of another row in the "
        "same piece: it does not tell rows apart. Declare the columns that do.",
        {"key": list(key), "repeats": problem.repeats, "rows": problem.rows},
    )


def shrunk(source: str, piece: str, gone: int, before: int, limit: float) -> Finding:
    """Return the finding about a piece that lost more rows than it may."""
    return Finding(
        SHRUNK,
        "block",
        f"{source}, {piece}",
        f"{gone} of {counted(before, 'row')} {'is' if gone == 1 else 'are'} gone "
        f"({gone / before:.0%}, held beyond {limit:.0%}).",
        {"piece": piece, "gone": gone, "before": before, "limit": limit},
    )


def by_reason(held: pa.Table, hows: Hows) -> list[dict[str, Any]]:
    """Return column, code, rows and the first places of held records, most frequent first."""
    import pyarrow.compute as pc

    if held.num_rows == 0:
        return []
    names = [name for name in ("column", "code", "_piece", "_row") if name in held.column_names]
    each = held.select(names).group_by(names).aggregate([])
    order = [(name, "ascending") for name in names[2:]]
    lines = []
    for line in each.group_by(["column", "code"]).aggregate([("code", "count")]).to_pylist():
        column, code = line["column"], line["code"]
        here = pc.is_null(each["column"]) if column is None else pc.equal(each["column"], column)
        first = each.filter(pc.and_(here, pc.equal(each["code"], code))).sort_by(order)
        places = [
            (one.get("_piece") or "", one["_row"] or 0)
            for one in first.slice(0, _EXAMPLES).to_pylist()
        ]
        counted = {"rows": line["code_count"], "shown": _shown(places, line["code_count"], hows)}
        lines.append({"column": column or "", "code": code, **counted})
    return sorted(lines, key=lambda line: (-line["rows"], line["column"], line["code"]))


def _shown(places: Sequence[tuple[str, int]], rows: int, hows: Hows) -> str:
    """Return the first places, such as ``may.csv: line 4, line 17; june.csv: line 3 ...``."""
    first: dict[str, list[str]] = {}
    for piece, row in places:
        first.setdefault(piece, []).append(place_of(row, hows.get(piece, {})))
    parts = [
        f"{piece}: {', '.join(rows)}" if piece else ", ".join(rows) for piece, rows in first.items()
    ]
    return "; ".join(parts) + (" ..." if rows > len(places) else "")


def distinct_rows(held: pa.Table) -> int:
    """Return how many records are held; one record may be held for several reasons."""
    if held.num_rows == 0:
        return 0
    names = [name for name in ("_piece", "_row") if name in held.column_names]
    return int(held.select(names).group_by(names).aggregate([]).num_rows)


def records(source: str, held: pa.Table, rows: int, hows: Hows) -> tuple[Finding, ...]:
    """Return one finding per reason about the records that wait in quarantine.

    Parameters
    ----------
    rows : int
        Records of the source, loaded and waiting.
    hows : mapping
        Piece to the ``how`` that it was read with.
    """
    return tuple(
        Finding(
            RECORDS,
            "warn",
            f"{source}{', ' + line['column'] if line['column'] else ''}, "
            f"{line['rows']} of {counted(rows, 'record')}",
            f"{line['rows']} {'waits' if line['rows'] == 1 else 'wait'} in quarantine: "
            f"{title(line['code'])} ({line['code']}; {line['shown']}){_meanwhile(line['code'])}.",
            line,
        )
        for line in by_reason(held, hows)
    )


def _meanwhile(code: str) -> str:
    return "; what else stands under it stays current" if code == TWICE else ""


def counted(count: int, noun: str) -> str:
    """Return a number of things as people say it: ``1 row``, ``2000 rows``."""
    return f"{count} {noun}{'' if count == 1 else 's'}"


def title(code: str) -> str:
    """Return what a code is about, in a few words that begin small."""
    from qua3ck.understand.codes import PAGES

    said = next((page.title for page in PAGES if page.code == code), code)
    return said[:1].lower() + said[1:]
