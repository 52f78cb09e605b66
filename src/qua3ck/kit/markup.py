"""HTML that cannot be broken by what is put into it: every text is escaped unless it is Html.

Why not Jinja: it only comes along with MLflow, its templates are seen by no type checker, and
whether it escapes depends on how it was set up. Forty lines of our own escape always.
"""

from __future__ import annotations

from html import escape
from typing import TypeAlias

Content: TypeAlias = "str | Html"

_VOID = frozenset(
    {"meta", "br", "hr", "img", "line", "rect", "circle", "path", "polyline", "col", "input"}
)


class Html(str):
    """Text that is markup already; made only by this module and by constants of the pages."""

    __slots__ = ()


def tag(name: str, /, *content: Content, **attributes: str | float | None) -> Html:
    """Return one element; content that is not :class:`Html` is escaped, attributes always are.

    Parameters
    ----------
    name : str
        Element name.
    *content : str or Html
        What stands inside; none for void elements.
    **attributes : str, number or None
        ``class_`` gives ``class``, ``aria_label`` gives ``aria-label``; None is left out.
    """
    written = "".join(
        f' {key.rstrip("_").replace("_", "-")}="{escape(_plain(value), quote=True)}"'
        for key, value in attributes.items()
        if value is not None
    )
    if name in _VOID and not content:
        return Html(f"<{name}{written}/>")
    return Html(f"<{name}{written}>{join(*content)}</{name}>")


def join(*content: Content) -> Html:
    """Return several pieces after each other, escaped where they are plain text."""
    return Html("".join(piece if isinstance(piece, Html) else escape(piece) for piece in content))


def _plain(value: str | float) -> str:
    return f"{value:.6g}" if isinstance(value, float) else str(value)
