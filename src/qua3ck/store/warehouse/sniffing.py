"""What DuckDB's sniffer takes a delimited text for: one opinion among others, never trusted.

It dropped the header and two rows of a ragged file without a word; so nothing is read with it.
"""

from __future__ import annotations

import glob
from dataclasses import dataclass
from pathlib import Path

from qua3ck.store.warehouse.engine import Setting, connected


@dataclass(frozen=True)
class Sniffed:
    """A dialect as DuckDB sees it; ``quote`` and ``escape`` are empty where there is none."""

    delimiter: str
    quote: str
    escape: str


def sniffed(path: Path) -> Sniffed | None:
    """Return what DuckDB sees in a UTF-8 text; None if it cannot tell."""
    import duckdb

    settings: dict[str, Setting] = {
        "autoinstall_known_extensions": "false",
        "autoload_known_extensions": "false",
        "threads": "1",
    }
    with connected(settings) as connection:
        try:
            found = connection.execute(
                "SELECT Delimiter, Quote, Escape FROM sniff_csv(?)", [glob.escape(str(path))]
            ).fetchone()
        except duckdb.Error:
            return None
    if found is None:
        return None
    return Sniffed(*("" if part in {None, "(empty)", "\0"} else str(part) for part in found))
