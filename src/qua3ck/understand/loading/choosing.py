"""Which pieces a load reads: new and changed ones, and all of them where they are read anew."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from qua3ck.kit.findings import Finding
from qua3ck.kit.hashes import digest, file_digest
from qua3ck.understand.loading.answers import Answer, answers_file, as_digest, counting
from qua3ck.understand.loading.finding import ASKED, Found
from qua3ck.understand.loading.held import OLDER, VANISHED, HeldPiece, Waivers, counted, shrunk
from qua3ck.understand.loading.past import Past
from qua3ck.understand.section import Source
from qua3ck.understand.sources.pieces import Piece

if TYPE_CHECKING:
    from qua3ck.store.raw import RawStore

_NOT_READING = {
    *("path", "url", "sha256", "owner", "licence", "cadence", "contact", "shrinks", "partition"),
    *("watermark", "overlap"),
}
_READERS = 2  # raised when the readers give other rows for the same bytes


@dataclass(frozen=True)
class Choice:
    """What a load does with each piece.

    Attributes
    ----------
    read : tuple of Piece
        In the order of their names.
    unchanged : tuple of str
        Pieces that are there as before.
    gone : tuple of str
        Pieces that were loaded, are not there any more, and may be taken out.
    anew : bool
        Every piece is read, because how they are read was declared otherwise. What is not
        among them any more is not missed.
    whole : bool
        Whether the rows of the one piece that is read are all rows of the table afterwards.
        Then a single pass answers everything that its contract asks.
    found : Found
        What there is now.
    findings : tuple of Finding
    waiting : tuple of str
        Pieces that are not there any more and stay for as long as another is held.
    """

    read: tuple[Piece, ...]
    unchanged: tuple[str, ...]
    gone: tuple[str, ...]
    anew: bool
    whole: bool
    found: Found
    findings: tuple[Finding, ...] = ()
    waiting: tuple[str, ...] = ()

    @property
    def there(self) -> int:
        """Pieces that there are now."""
        return len(self.read) + len(self.unchanged)

    @property
    def nothing(self) -> bool:
        """Whether there is nothing to do."""
        return not self.read and not self.gone and self.found.keys is None


def reading_of(source: Source, root: Path) -> str:
    """Return the digest of everything that decides which rows given bytes become."""
    declared = source.model_dump(mode="json", exclude=_NOT_READING)
    contract = root / source.contract if source.contract else None
    agreed = file_digest(contract) if contract and contract.is_file() else ""
    return digest({"declared": declared, "contract": agreed, "readers": _READERS})


def beside(source: Source, root: Path, name: str) -> list[Path]:
    """Return the files that decide what a source's rows are: its contract, its answers."""
    contract = [root / source.contract] if source.contract else []
    return [path for path in (*contract, answers_file(root, name)) if path.is_file()]


def choose(
    name: str,
    source: Source,
    found: Found,
    past: Past,
    *,
    reading: str,
    answers: Sequence[Answer],
    waivers: Waivers,
) -> Choice:
    """Return which pieces to read, and which are gone.

    Parameters
    ----------
    found : Found
        What there is now.
    reading : str
        From :func:`reading_of`.
    answers : sequence of Answer
        A piece with new ones is read again.
    """
    findings = list(found.findings)
    pieces = sorted(found.pieces, key=lambda piece: piece.name)
    if found.extract == "full" and source.kind not in ASKED and pieces:
        pieces, more = _newest(name, pieces, past, waivers)
        findings += more
    anew = any(piece.reading != reading for piece in past.pieces.values())
    fresh = [piece for piece in pieces if anew or differs(piece, past, answers)]
    there = {piece.name for piece in pieces} | (found.present or set())
    counted = found.extract != "changes" and (pieces or found.present is not None)
    absent = tuple(sorted(set(past.pieces) - there)) if counted else ()
    elsewhere = anew or past.told.get("path", source.path) != source.path
    waited = set(past.told.get("waiting", ()))  # what was gone while a piece was held
    counts = found.extract == "full" or elsewhere
    gone = absent if counts else tuple(one for one in absent if one in waited)
    missed = tuple(one for one in absent if one not in gone)
    if found.extract == "pieces" and missed:
        vanished = _vanished(name, missed, past)
        if waivers.waive(vanished, named(missed)):
            gone = absent
        else:
            findings.append(vanished)
    if found.extract == "full" and source.kind in ASKED and not pieces and past.pieces:
        rows = int(past.told.get("rows", 0))
        findings.append(shrunk(name, "the whole extract", rows, rows, source.shrinks))
    moved = past.told.get("moved") and _may_lose(fresh, gone, past)
    if (fresh or gone) and (found.extract == "full" or moved):
        fresh = pieces  # only all of them tell which rows are gone
    unchanged = tuple(sorted(there - {piece.name for piece in fresh}))
    whole = len(fresh) == len(there) == 1 and _alone(source, found, set(absent) - set(gone))
    return Choice(tuple(fresh), unchanged, gone, anew, whole, found, tuple(findings))


def _alone(source: Source, found: Found, stay: Collection[str]) -> bool:
    """Return whether no row but those of the piece that is read can be current.

    By key, a record that is held leaves what stood under its key, and is only then seen to
    share it; rows also stay of pieces that are not there and were not let go.
    """
    return found.extract != "changes" and not source.key and not stay


def differs(piece: Piece, past: Past, answers: Sequence[Answer]) -> bool:
    """Return whether a piece is new, has other bytes, or has other answers than before."""
    before = past.pieces.get(piece.name)
    if before is None or before.digest != piece.digest:
        return True
    return before.answers != as_digest(counting(answers, piece.name, piece.digest, before.how))


def while_held(
    name: str, choice: Choice, past: Past, held: Sequence[HeldPiece], *, waivers: Waivers
) -> Choice:
    """Return the choice in which nothing is gone for being absent while a piece is held.

    What is missing may be in the held piece. That whole pieces are gone can be accepted all the
    same; else it is said, and counts once no piece is held.
    """
    if held and choice.found.extract == "full":
        return replace(choice, gone=(), found=replace(choice.found, extract="changes"))
    if not held or not choice.gone:
        return choice
    vanished = _vanished(name, choice.gone, past, held)
    if waivers.waive(vanished, named(choice.gone)):
        return choice
    findings = (*choice.findings, vanished)
    return replace(choice, gone=(), waiting=choice.gone, findings=findings)


def kept_pieces(past: Past, found: Found, raw: RawStore, into: Path) -> tuple[Piece, ...]:
    """Return what came earlier and is not brought again, from the bytes that were kept."""
    here = {piece.name for piece in found.pieces}
    wanted = [
        kept
        for name, kept in past.pieces.items()
        if name not in here and (found.present is None or name in found.present)
    ]
    return tuple(
        Piece(kept.name, kept.digest, raw.copy(kept.digest, into / f"kept-{at}"), kept.size)
        for at, kept in enumerate(wanted)
    )


def _may_lose(fresh: Sequence[Piece], gone: Sequence[str], past: Past) -> bool:
    return bool(gone) or any(piece.name in past.pieces for piece in fresh)


def _newest(
    name: str, pieces: list[Piece], past: Past, waivers: Waivers
) -> tuple[list[Piece], list[Finding]]:
    """Return the last of several whole extracts, and what is to be said of the others."""
    last, others = pieces[-1], pieces[:-1]
    newer = tuple(piece for piece in past.pieces if piece > last.name)
    if newer:  # the table would fall back to an older state
        vanished = _vanished(name, newer, past)
        return ([last], []) if waivers.waive(vanished, last.name) else ([], [vanished])
    seen = {**past.former, **{name: kept.digest for name, kept in past.pieces.items()}}
    unread = [piece.name for piece in others if seen.get(piece.name) != piece.digest]
    if not unread:
        return [last], []
    says = (
        f"Each file is declared to be the whole table (extract: full); {last.name} counts, and "
        f"{len(unread)} before it {'was' if len(unread) == 1 else 'were'} not read. If they are "
        "parts of one table, leave extract out."
    )
    evidence = {"pieces": unread[:20], "read": last.name}
    where = f"{name}, {counted(len(unread), 'piece')}"
    return [last], [Finding(OLDER, "inform", where, says, evidence)]


def named(pieces: Sequence[str]) -> str:
    """Return pieces as one acceptance names them."""
    return ", ".join(pieces[:20])


def _vanished(
    name: str, absent: Sequence[str], past: Past, held: Sequence[HeldPiece] = ()
) -> Finding:
    """Return the finding about pieces that are not there; ``held`` is what they wait for."""
    rows = sum(past.pieces[piece].loaded for piece in absent)
    waits = [one.piece for one in held]
    until = (
        f"while {_few(waits)} {'is' if len(waits) == 1 else 'are'} held, or until that is accepted."
        if waits
        else "until that is accepted; if files are moved away once they are loaded, declare "
        "extract: changes."
    )
    return Finding(
        VANISHED,
        "warn",
        f"{name}, {counted(len(absent), 'piece')}",
        f"Not there any more: {_few(absent)}. {'Its' if len(absent) == 1 else 'Their'} "
        f"{counted(rows, 'row')} {'stays' if rows == 1 else 'stay'} {until}",
        {"pieces": list(absent[:50]), "rows": rows, **({"held": waits[:50]} if waits else {})},
    )


def _few(pieces: Sequence[str]) -> str:
    return ", ".join(pieces[:5]) + (" ..." if len(pieces) > 5 else "")
