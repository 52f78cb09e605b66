"""How one answer leads to the next: cursor, page number, offset, ``Link`` header, next URL.

Nothing here asks a server; given an answer, it says what to ask next, or that it was the last.
A short page is never taken for the last one: servers cut pages as they like.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from qua3ck.kit.errors import Qua3ckError, did_you_mean
from qua3ck.understand.section import Paging, Source
from qua3ck.understand.sources.marks import lowered
from qua3ck.understand.sources.web import Answer, Asked, Web

MISSING: Final = object()
_SINCE = "{since}"


@dataclass(frozen=True)
class Page:
    """What one answer holds.

    Attributes
    ----------
    content : Any
        The answer's JSON.
    records : sequence
        Its records.
    counted : int or None
        What the server says there are in all.
    """

    content: Any
    records: Sequence[Any]
    counted: int | None = None


def at(content: Any, pointer: str) -> Any:
    """Return what stands at a place; ``MISSING`` if nothing does.

    Parameters
    ----------
    content : Any
        An answer.
    pointer : str
        Keys with dots, such as ``pager.total``, or a JSON pointer, ``/pager/total``. Up to a
        ``*`` only: what is behind it stands in each element.
    """
    here = content
    for key in _parts(pointer):
        if key == "*":
            break
        if not isinstance(here, Mapping) or key not in here:
            return MISSING
        here = here[key]
    return here


def cell(record: Any, column: str) -> Any:
    """Return what will be the cell of a column: nested keys are joined by an underscore."""
    if not isinstance(record, Mapping):
        return MISSING
    if column in record:
        return record[column]
    for end, letter in enumerate(column):
        if letter == "_" and isinstance(record.get(column[:end]), Mapping):
            found = cell(record[column[:end]], column[end + 1 :])
            if found is not MISSING:
                return found
    return MISSING


def first_request(url: str, source: Source, mark: str | None, *, place: str) -> Asked:
    """Return the first request; parameters with ``{since}`` are left out if there is no mark.

    Parameters
    ----------
    url : str
        Without secrets.
    mark : str or None
        The watermark that the last load ended with.
    """
    parameters = {n: v for n, v in source.parameters.items() if mark is not None or _SINCE not in v}
    if mark is not None:
        since = lowered(mark, source.overlap, place=place)
        parameters = {name: value.replace(_SINCE, since) for name, value in parameters.items()}
    paging = source.paging
    if paging and paging.size_parameter:
        parameters[paging.size_parameter] = str(paging.size)
    if paging and paging.style == "page":
        parameters[paging.parameter or ""] = str(paging.first)
    if paging and paging.style == "offset":
        parameters[paging.parameter or ""] = "0"
    return Asked(url, parameters)


def next_request(
    asked: Asked, answer: Answer, page: Page, *, so_far: int, source: Source, web: Web, place: str
) -> Asked | None:
    """Return what to ask after an answer, or None if it was the last one.

    Parameters
    ----------
    so_far : int
        Records that have come, with those of this page.

    Raises
    ------
    Qua3ckError
        If the place of the next cursor or URL is not in the answer, or leads elsewhere.
    """
    paging = source.paging
    if paging is None:
        return None
    match paging.style:
        case "link":
            url = answer.next_link
            return Asked(web.within(url, of=answer.url)) if url else None
        case "next":
            url = _leads_to(paging, page, so_far, place=place)
            return Asked(web.within(url, of=answer.url)) if url else None
        case "cursor":
            cursor = _leads_to(paging, page, so_far, place=place)
            return _with(asked, paging, cursor) if cursor else None
        case "page":
            number = int(asked.parameters[paging.parameter or ""])
            done = _was_last(paging, page, number, so_far)
            return None if done else _with(asked, paging, str(number + 1))
        case "offset":
            # By what came, not by what was asked for: the server may give less.
            done = _was_last(paging, page, None, so_far)
            return None if done else _with(asked, paging, str(so_far))


def numbered(paging: Paging | None) -> bool:
    """Whether pages are told by position, so that a row that moves can slip through."""
    return paging is not None and paging.style in {"page", "offset"}


def keys_in(content: Any) -> list[str]:
    """Return the keys that an answer has, for a message; never its values."""
    return sorted(str(key) for key in content)[:12] if isinstance(content, Mapping) else []


def _parts(pointer: str) -> list[str]:
    from qua3ck.understand.sources.jsontext import pointer_parts

    return pointer_parts(pointer) if pointer.startswith("/") else pointer.split(".")


def _leads_to(paging: Paging, page: Page, so_far: int, *, place: str) -> str:
    """Return the next cursor or URL as text, empty if there is none."""
    pointer = paging.next or ""
    found = at(page.content, pointer)
    if found is MISSING:
        if page.content == {} or _may_lack(pointer, paging, page, so_far):
            return ""
        keys = keys_in(page.content)
        raise Qua3ckError(
            f'The answer has no "{pointer}"{did_you_mean(pointer, keys)}. It has: {_list(keys)}',
            where=f"{place}.paging.next",
            fix="write where the cursor or the URL of the next page stands; if it is left out "
            "on the last page, declare size: and size_parameter:, or count:",
            code="U140",
        )
    if found is None or found is False or found == "":
        return ""
    if isinstance(found, str | int) and not isinstance(found, bool):
        return str(found)
    raise Qua3ckError(
        f'"{pointer}" of the answer is neither text nor a number',
        where=f"{place}.paging.next",
        fix="write where the cursor or the URL itself stands, such as: next: links.next",
        code="U140",
    )


def _may_lack(pointer: str, paging: Paging, page: Page, so_far: int) -> bool:
    """Whether an answer without the pointer is believable as the last one, and not misread."""
    parent, _, _ = pointer.rpartition("/" if pointer.startswith("/") else ".")
    if parent and at(page.content, parent) is not MISSING:
        return True  # such as DHIS2's pager, which has no nextPage on the last page
    if page.counted is not None:
        return so_far >= page.counted
    earlier = so_far > len(page.records)  # this pointer has led here
    return earlier or (paging.size is not None and len(page.records) < paging.size)


def _was_last(paging: Paging, page: Page, number: int | None, so_far: int) -> bool:
    if not page.records:
        return True
    if paging.pages is not None and number is not None:
        last = at(page.content, paging.pages)
        if isinstance(last, int) and not isinstance(last, bool):
            return number - paging.first + 1 >= last
    return page.counted is not None and so_far >= page.counted


def _with(asked: Asked, paging: Paging, value: str) -> Asked:
    return Asked(asked.url, {**asked.parameters, paging.parameter or "": value})


def _list(keys: Sequence[str]) -> str:
    return ", ".join(keys) if keys else "no keys"
