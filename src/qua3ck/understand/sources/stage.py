"""One piece in, typed rows and held records out, whatever kind its source is of."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from qua3ck.understand.section import ColumnType, Source
from qua3ck.understand.sources.pieces import Piece, Staged
from qua3ck.understand.sources.written import begins_as


def stage(
    piece: Piece,
    source: Source,
    types: Mapping[str, ColumnType] | None,
    into: Path,
    place: str,
) -> Staged:
    """Read one piece into ``into``.

    Parameters
    ----------
    piece : Piece
        As it came.
    source : Source
        How it is read.
    types : mapping or None
        What columns are held to: a cell that does not fit holds its record. None: the types
        are inferred over the piece.
    into : Path
        An empty folder; the rows are written there.
    place : str
        The source's place in the project file.

    Raises
    ------
    Qua3ckError
        If the piece as a whole cannot be read as declared.
    """
    if source.tidy:
        from qua3ck.understand.sources.report import stage_tidy

        return stage_tidy(piece, source, types=types, into=into, place=place)
    match source.kind:
        case "csv":
            from qua3ck.understand.sources.csvfile import stage_csv

            return stage_csv(piece, source, types=types, into=into, place=place)
        case "excel":
            from qua3ck.understand.sources.excel import stage_excel

            return stage_excel(piece, source, types=types, into=into, place=place)
        case "json":
            from qua3ck.understand.sources.jsonfile import stage_json

            return stage_json(piece, source, types=types, into=into, place=place)
        case "arrow":
            from qua3ck.understand.sources.arrow import stage_arrow

            return stage_arrow(piece, source, types=types, into=into, place=place)
    if begins_as(piece.path) == "parquet" or source.kind in {"parquet", "delta", "function"}:
        from qua3ck.understand.sources.parquet import stage_parquet

        return stage_parquet(piece, source, types=types, into=into, place=place)
    from qua3ck.understand.sources.jsonfile import stage_json

    return stage_json(piece, source, types=types, into=into, place=place)
