"""Rows from a web server that answers in JSON pages: one piece per page, its bytes as they came.

After every page the place to go on from is on the disk. What the pages tell about themselves
is checked: that their number of records is what the server counts, that none leads back to an
earlier one, that no row slipped from a page not yet read to one already read.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any

from qua3ck.kit.clock import Clock, utc_now
from qua3ck.kit.errors import Qua3ckError, did_you_mean
from qua3ck.kit.findings import Finding
from qua3ck.kit.hashes import digest
from qua3ck.understand.section import Source
from qua3ck.understand.sources.fetching import (
    Extract,
    Fetch,
    Journal,
    Position,
    Step,
    Tell,
    question,
    started_from,
)
from qua3ck.understand.sources.marks import Marks, back, longer_than
from qua3ck.understand.sources.paging import (
    MISSING,
    Page,
    at,
    cell,
    first_request,
    keys_in,
    next_request,
    numbered,
)
from qua3ck.understand.sources.patience import Patience
from qua3ck.understand.sources.pieces import Piece
from qua3ck.understand.sources.web import Answer, Asked, Web


def fetch_http(
    name: str,
    source: Source,
    root: Path,
    *,
    since: Position | None,
    into: Path,
    place: str,
    tell: Tell = lambda _: None,
    patience: Patience | None = None,
    env: Mapping[str, str] = os.environ,
    clock: Clock = utc_now,
) -> Fetch:
    """Bring in the pages of a source of kind http.

    Parameters
    ----------
    name : str
        The source's name.
    source : Source
        Its declaration.
    root : Path
        The project's folder; not used here.
    since : Position or None
        What the last committed load left; None for the first one.
    into : Path
        Scratch folder of this source. Kept after a kill, the next call goes on in it; to be
        emptied once the load is committed.
    place : str
        The source's place in the project file.
    tell : callable
        Told of every page.
    patience, env, clock
        Bounds for trying again, where secrets come from, and the present moment.

    Returns
    -------
    Fetch
        Pieces are JSON documents, each one page as it came, with at least one record under
        ``records``. Full without a watermark and on the first load.

    Raises
    ------
    Qua3ckError
        While the pieces are taken: if the server refuses or is not to be had, an answer is not
        what was declared, pages go in circles or do not add up, or nothing comes at all.
    """
    del root
    start = started_from(source, since)
    whole = source.extract == "full" or source.watermark is None
    mark = None if whole or start is None else start.mark
    extract: Extract = "full" if mark is None and source.extract != "changes" else "changes"
    settings = _Settings(name, source, place, start, mark, patience or Patience(), env, clock)
    return Fetch(lambda fetch: _pages(fetch, settings, into, tell), extract=extract)


@dataclass(frozen=True)
class _Settings:
    name: str
    source: Source
    place: str
    start: Position | None
    mark: str | None
    patience: Patience
    env: Mapping[str, str]
    clock: Clock


@dataclass
class _Reading:
    """What the pages have told so far."""

    marks: Marks
    so_far: int = 0
    sizes: list[int] = field(default_factory=list)
    counts: list[int] = field(default_factory=list)
    keys: set[int] | None = field(default_factory=set)
    asked: dict[str, int] = field(default_factory=dict)
    last: str = ""
    bare: bool = False

    def see(self, page: Page, source: Source) -> None:
        """Take in one page."""
        self.so_far += len(page.records)
        self.sizes.append(len(page.records))
        if page.counted is not None:
            self.counts.append(page.counted)
        if source.watermark is not None:
            self.marks.see(cell(record, source.watermark) for record in page.records)
        self._see_keys(page, source.row_key)

    def different(self) -> int:
        """Return the number of records with different keys; all of them if keys are not seen."""
        return self.so_far if self.keys is None else len(self.keys)

    def _see_keys(self, page: Page, key: tuple[str, ...]) -> None:
        if not key or self.keys is None:
            self.keys = None
            return
        for record in page.records:
            parts = [cell(record, column) for column in key]
            if MISSING in parts:
                self.keys = None  # the key is made later, in reading
                return
            self.keys.add(hash(json.dumps(parts, default=str)))


def _pages(fetch: Fetch, settings: _Settings, into: Path, tell: Tell) -> Iterator[Piece]:
    source, place = settings.source, settings.place
    with Web(source, place=place, patience=settings.patience, env=settings.env) as web:
        asked_for = {"question": question(source), "mark": settings.mark}
        journal = Journal(into, asked_for, clock=settings.clock)
        reading = _Reading(Marks(settings.mark))
        asked: Asked | None = first_request(web.url, source, settings.mark, place=place)
        for step in journal.steps:
            asked = _replayed(step, asked, reading, source)
            if step.piece:
                yield step.piece
        while asked is not None:
            _refuse_circle(asked, reading, journal, place)
            answer = web.ask(asked)
            page = _read(answer, settings, reading)
            _refuse_twin(page, reading, journal, place)
            reading.see(page, source)
            following = next_request(
                asked, answer, page, so_far=reading.so_far, source=source, web=web, place=place
            )
            piece = _kept(journal, answer, page, following, settings)
            tell(_progress(settings.name, reading))
            if piece:
                yield piece
            asked = following
        _settle(fetch, settings, reading, journal)
        journal.finish()


def _replayed(step: Step, asked: Asked | None, reading: _Reading, source: Source) -> Asked | None:
    """Take in a page of an earlier attempt; return what came after it."""
    if asked is not None:
        reading.asked[digest([asked.url, dict(asked.parameters)])] = len(reading.sizes) + 1
    if step.piece:
        content = _parsed(step.piece.path.read_bytes())
        page = Page(content, _located(content, source) or (), step.state["counted"])
        reading.last = digest(page.records)
        reading.see(page, source)
    else:
        reading.sizes.append(0)
    after = step.state["next"]
    return Asked(after["url"], after["parameters"]) if after else None


def _read(answer: Answer, settings: _Settings, reading: _Reading) -> Page:
    """Return the records of an answer, or say what is there instead."""
    source, place = settings.source, settings.place
    try:
        content = _parsed(answer.body) if answer.body.strip() else {}
    except (ValueError, RecursionError):
        kind = answer.headers.get("content-type", "").split(";")[0].strip()
        page = "an HTML page, such as of a login or a proxy" if "html" in kind else kind
        instead = f" but {page}" if page else ", and the server does not say what it is"
        raise Qua3ckError(
            f"The answer is no JSON{instead} ({len(answer.body):,} bytes)",
            where=f"{place}.url",
            fix="correct the URL (many servers want .json or ?format=json), or log in first",
            code="U140",
        ) from None
    records = _located(content, source)
    if records is None:
        if content == {} and not reading.sizes:
            reading.bare = True
            return Page(content, ())
        raise _not_there(content, source, place)
    return Page(content, records, _counted(content, source, place))


def _parsed(body: bytes) -> Any:
    return json.loads(body, parse_float=Decimal)


def _located(content: Any, source: Source) -> list[Any] | None:
    found = at(content, source.records) if source.records else content
    return found if isinstance(found, list) else None


def _not_there(content: Any, source: Source, place: str) -> Qua3ckError:
    keys = keys_in(content)
    pointer = source.records
    lists = [key for key in keys if isinstance(content[key], list)]
    if pointer is None:
        what = "The answer is no list of records"
    elif at(content, pointer) is MISSING:
        what = f'The answer has no "{pointer}"{did_you_mean(pointer, lists or keys)}'
    else:
        what = f'"{pointer}" of the answer is no list of records'
    return Qua3ckError(
        f"{what}. It is " + (f"an object with: {', '.join(keys)}" if keys else "no object"),
        where=f"{place}.records",
        fix=f"write records: {lists[0]}" if lists else "write where the list of records stands",
        code="U140",
    )


def _counted(content: Any, source: Source, place: str) -> int | None:
    if source.count is None:
        return None
    found = at(content, source.count)
    if isinstance(found, int) and not isinstance(found, bool):
        return found
    raise Qua3ckError(
        f'The answer has no number at "{source.count}"; it has: {", ".join(keys_in(content))}',
        where=f"{place}.count",
        fix="write where the number of all records stands, such as: count: pager.total",
        code="U140",
    )


def _refuse_circle(asked: Asked, reading: _Reading, journal: Journal, place: str) -> None:
    """Raise if this was asked before."""
    known = digest([asked.url, dict(asked.parameters)])
    number = len(reading.sizes) + 1
    earlier = reading.asked.setdefault(known, number)
    if earlier != number:
        journal.forget()
        raise Qua3ckError(
            f"The pages go in circles: page {number - 1} leads back to page {earlier}",
            where=f"{place}.paging",
            fix="look whether paging: names the right place and parameter",
            code="U141",
        )


def _refuse_twin(page: Page, reading: _Reading, journal: Journal, place: str) -> None:
    """Raise if a page holds just what the one before it held."""
    if not page.records:
        return
    known = digest(page.records)
    if known == reading.last:
        journal.forget()
        number = len(reading.sizes) + 1
        raise Qua3ckError(
            f"Page {number} holds the same {len(page.records)} records as page {number - 1}: "
            "the server does not look at the paging parameter",
            where=f"{place}.paging.parameter",
            fix="write the parameter's name as the server's manual has it",
            code="U141",
        )
    reading.last = known


def _kept(
    journal: Journal, answer: Answer, page: Page, following: Asked | None, settings: _Settings
) -> Piece | None:
    after = following and {"url": following.url, "parameters": dict(following.parameters)}
    state = {"next": after, "counted": page.counted}
    if not page.records:
        journal.skip(state)
        return None
    name = f"page {len(journal.steps) + 1:06d}"
    if settings.mark is not None:
        name += f" since {settings.mark}"  # other rows than those of an earlier load's page

    def write(path: Path) -> None:
        path.write_bytes(answer.body)

    return journal.take(name, write, state)


def _progress(name: str, reading: _Reading) -> str:
    of = f" of {reading.counts[-1]:,}" if reading.counts else ""
    return f"{name}: page {len(reading.sizes)}, {reading.so_far:,}{of} records"


def _settle(fetch: Fetch, settings: _Settings, reading: _Reading, journal: Journal) -> None:
    """Check what the pages add up to, and say what is to be remembered."""
    source = settings.source
    if reading.so_far == 0 and (fetch.extract == "full" or settings.start is None):
        journal.forget()
        raise _nothing(settings, reading)
    if reading.bare:
        fetch.findings.append(_was_bare(settings))
    fetch.findings += _sizes_and_marks(settings, reading)
    if _moved(source, reading):
        fetch.findings.append(_slipped(settings, reading))
        fetch.extract = "changes"
        fetch.after = Position(question(source), settings.mark)
        return
    if reading.counts and reading.different() != reading.counts[-1]:
        journal.forget()
        raise Qua3ckError(
            f"The server counts {reading.counts[-1]:,} records, {reading.different():,} "
            "different ones came",
            where=f"{settings.place}.count",
            fix="look at paging: (size, parameter) and key:; or leave count: out if the server "
            "counts what this user may not read",
            code="U141",
        )
    mark = reading.marks.greatest
    took = (settings.clock() - journal.began).total_seconds()
    if mark is not None and longer_than(took, source.overlap):
        mark = back(mark, took)  # rows may have changed behind the reading
    fetch.after = Position(question(source), mark)


def _nothing(settings: _Settings, reading: _Reading) -> Qua3ckError:
    pointer = settings.source.records
    empty = (
        "{}" if reading.bare else f'an empty list at "{pointer}"' if pointer else "an empty list"
    )
    return Qua3ckError(
        f'The source "{settings.name}" answered, but with no record at all: {empty}',
        where=f"{settings.place}.url",
        fix="look at url: and parameters: (some servers answer a wrong date or key like this)",
        code="U103",
    )


def _was_bare(settings: _Settings) -> Finding:
    return Finding(
        "U053",
        "inform",
        settings.place,
        'The answer was {} without a list of records. It was taken as "nothing new", since an '
        "earlier load found the list with the same question.",
        {"records": settings.source.records},
    )


def _sizes_and_marks(settings: _Settings, reading: _Reading) -> Iterator[Finding]:
    source = settings.source
    size = source.paging.size if source.paging else None
    filled = [count for count in reading.sizes if count]
    if size is not None and len(filled) > 1 and filled[0] < size:
        yield Finding(
            "U051",
            "inform",
            f"{settings.place}.paging.size",
            f"Pages of {size:,} records were asked for, the server gave {filled[0]:,}. "
            "The offset went by what came; nothing was skipped.",
            {"asked": size, "given": filled[0]},
        )
    if reading.marks.unreadable:
        yield Finding(
            "U052",
            "warn",
            f"{settings.place}.watermark, {reading.marks.unreadable} of {reading.so_far} records",
            f'{reading.marks.unreadable} records have no readable "{source.watermark}". They were '
            "brought in; later changes of them may not be seen.",
            {"unreadable": reading.marks.unreadable, "records": reading.so_far},
        )


def _moved(source: Source, reading: _Reading) -> bool:
    """Whether rows moved between pages while they were read, so that one may be missing."""
    if len(set(reading.counts)) > 1:
        return True
    if not numbered(source.paging):
        return False
    repeated = reading.keys is not None and len(reading.keys) < reading.so_far
    filled = [count for count in reading.sizes if count]
    uneven = (
        source.paging is not None
        and source.paging.style == "page"
        and any(count != filled[0] for count in filled[:-1])
    )
    return repeated or uneven


def _slipped(settings: _Settings, reading: _Reading) -> Finding:
    return Finding(
        "U050",
        "warn",
        f"{settings.place}, {reading.so_far} records",
        f"Rows moved between pages while they were read ({reading.so_far:,} records, "
        f"{reading.different():,} different). One may have slipped through: nothing is taken "
        "as gone, and the next load asks for the same span again.",
        {
            "records": reading.so_far,
            "different": reading.different(),
            "counted": sorted(set(reading.counts)),
        },
    )
