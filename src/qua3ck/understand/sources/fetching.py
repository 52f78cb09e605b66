"""Bringing in pieces from elsewhere: what is remembered, and what survives being killed.

A remote source is asked in steps (pages, slices, objects). Each step ends with a piece that is
whole on the disk and one line in a journal beside it. Whoever is killed in between finds the
pieces again and goes on with the next step; the result is the same as without the kill. The
folder of the journal belongs to the loader: it empties it once the load is committed.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Literal

from qua3ck.kit.clock import Clock, stamp, utc_now
from qua3ck.kit.findings import Finding
from qua3ck.kit.hashes import digest, file_digest
from qua3ck.understand.section import ColumnType, Source
from qua3ck.understand.sources.pieces import Piece

Extract = Literal["full", "changes"]
Tell = Callable[[str], None]

_FRESH = timedelta(hours=24)  # older steps are taken again: cursors expire, rows change
_NAME = "journal.jsonl"
_ASKED = (
    *("kind", "path", "url", "table", "query", "records", "watermark", "parameters", "paging"),
    *("key", "deleted", "hosts"),
)


@dataclass(frozen=True)
class Position:
    """What is remembered of a source's last committed load; the next load starts from it.

    Attributes
    ----------
    asked : str
        Digest of what was asked for (:func:`question`). A position of another question is
        not used: the source is brought in as if for the first time.
    mark : str or None
        The greatest value of the watermark when that load began, as the source writes it.
    objects : mapping
        For files by URL: the name of each piece and the version that its store gave it.

    Notes
    -----
    Plain JSON by :func:`qua3ck.kit.records.as_json`. Kept with each committed load, never
    with one that was held: then the next load asks for the same rows again.
    """

    asked: str
    mark: str | None = None
    objects: Mapping[str, str] = field(default_factory=dict)


class Fetch(Iterator[Piece]):
    """The pieces of one source, as they come.

    All else is settled only when the last piece has come.

    Attributes
    ----------
    after : Position or None
        What to remember once the load is committed.
    extract : {"full", "changes"}
        ``full``: the pieces are all that the source holds, so what did not come is gone.
        ``changes``: what did not come is as it was, except as ``keys`` tells.
    keys : Path or None
        Parquet with the key columns of every row that the source holds now: rows with other
        keys are gone. Databases read it along with changes.
    present : frozenset of str or None
        The names of all pieces the source holds now, also of unchanged ones that did not come
        again; others are gone. None where the pieces that came are all.
    types : mapping
        Types of the columns as the source declares them; to be handed to the reading.
    findings : list of Finding
        What was noticed on the way.
    """

    def __init__(self, steps: Callable[[Fetch], Iterator[Piece]], *, extract: Extract) -> None:
        self.after: Position | None = None
        self.extract: Extract = extract
        self.keys: Path | None = None
        self.present: frozenset[str] | None = None
        self.types: Mapping[str, ColumnType] = {}
        self.findings: list[Finding] = []
        self._pieces = steps(self)

    def __next__(self) -> Piece:
        """Return the next piece; it is whole and on the disk."""
        return next(self._pieces)


def question(source: Source) -> str:
    """Return a digest of all that decides which rows a source gives; without secrets."""
    declared = source.model_dump(mode="json", include=set(_ASKED))
    return digest({name: value for name, value in declared.items() if value})


def started_from(source: Source, since: Position | None) -> Position | None:
    """Return the position to start from: None if there is none, or of another question."""
    return since if since is not None and since.asked == question(source) else None


class Journal:
    """The steps already taken, in a folder of their own.

    Parameters
    ----------
    folder : Path
        Made if missing; emptied if it holds the steps of another question, old or finished ones.
    asked : mapping
        JSON-able: what is asked for, and from which position on.
    clock : callable
        The present moment.

    Attributes
    ----------
    steps : list of Step
        In order.
    """

    def __init__(self, folder: Path, asked: Mapping[str, Any], *, clock: Clock = utc_now) -> None:
        self.folder = folder
        self.steps: list[Step] = []
        self._asked = digest(dict(asked))
        self._clock = clock
        self.began = clock()
        self.notes: dict[str, Any] = {}
        folder.mkdir(parents=True, exist_ok=True)
        if not self._continue():
            self.forget()

    def take(self, name: str, write: Callable[[Path], None], state: Mapping[str, Any]) -> Piece:
        """Keep one more step: write its piece whole, then the line that says so.

        Parameters
        ----------
        name : str
            The piece's name.
        write : callable
            Given a path, writes the piece there.
        state : mapping
            JSON-able: what the next step starts from.
        """
        path = self.folder / f"{len(self.steps) + 1:06d}.piece"
        part = path.with_suffix(".part")
        write(part)
        _flush(part)
        piece = Piece(name, file_digest(part), path, part.stat().st_size)
        part.replace(path)
        self._keep(Step(piece, dict(state)))
        return piece

    def skip(self, state: Mapping[str, Any]) -> None:
        """Keep a step that brought no piece."""
        self._keep(Step(None, dict(state)))

    def note(self, **facts: Any) -> None:
        """Keep facts that all steps share, such as the greatest watermark at the start."""
        self.notes.update(facts)
        self._line({"notes": facts})

    def finish(self) -> None:
        """Note that nothing is left to be asked: whoever calls next asks anew, not these steps."""
        self._line({"finished": True})

    def forget(self) -> None:
        """Begin anew: no step counts any more."""
        for path in self.folder.iterdir():
            if path.suffix in {".piece", ".part", ".parquet"} or path.name == _NAME:
                path.unlink()
        self.steps, self.notes, self.began = [], {}, self._clock()
        self._line({"asked": self._asked, "began": stamp(self.began)})

    def _continue(self) -> bool:
        """Read the steps of an earlier attempt; False if there is none to go on with."""
        lines = _whole_lines(self.folder / _NAME)
        if not lines or lines[0].get("asked") != self._asked:
            return False
        self.began = datetime.fromisoformat(lines[0]["began"])
        if not timedelta(0) <= self._clock() - self.began < _FRESH:
            return False
        if any("finished" in line for line in lines):
            return False
        for line in lines[1:]:
            self.notes.update(line.get("notes", {}))
            if "step" in line:
                step = self._step(line)
                if step is None:
                    return False
                self.steps.append(step)
        return True

    def _step(self, line: Mapping[str, Any]) -> Step | None:
        if "piece" not in line:
            return Step(None, line["step"])
        path = self.folder / f"{len(self.steps) + 1:06d}.piece"
        if not path.is_file() or file_digest(path) != line["digest"]:
            return None
        return Step(Piece(line["piece"], line["digest"], path, path.stat().st_size), line["step"])

    def _keep(self, step: Step) -> None:
        piece = {"piece": step.piece.name, "digest": step.piece.digest} if step.piece else {}
        self._line({**piece, "step": step.state})
        self.steps.append(step)

    def _line(self, content: Mapping[str, Any]) -> None:
        with (self.folder / _NAME).open("a", encoding="utf-8") as handle:
            handle.write(json.dumps(content, ensure_ascii=False) + "\n")
            handle.flush()
            os.fsync(handle.fileno())


@dataclass(frozen=True)
class Step:
    """One step taken: its piece, if it brought one, and what the next step starts from."""

    piece: Piece | None
    state: Mapping[str, Any]


def _whole_lines(path: Path) -> list[dict[str, Any]]:
    """Return the journal's lines; cut off what a crash left of a line."""
    if not path.is_file():
        return []
    written = path.read_bytes()
    whole = written[: written.rfind(b"\n") + 1]
    if len(whole) < len(written):
        with path.open("r+b") as handle:
            handle.truncate(len(whole))
    try:
        return [json.loads(line) for line in whole.splitlines()]
    except ValueError:
        return []  # damaged: all steps are taken again


def _flush(path: Path) -> None:
    with path.open("rb") as handle:
        os.fsync(handle.fileno())
