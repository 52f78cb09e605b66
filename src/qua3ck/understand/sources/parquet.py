"""Parquet files: types as they are written."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from qua3ck.kit.errors import Qua3ckError
from qua3ck.kit.hashes import file_digest
from qua3ck.understand.sources.read import Loaded, joined


def read_parquet_files(files: Sequence[Path], *, place: str) -> Loaded:
    """Return the rows of one or several Parquet files.

    Raises
    ------
    Qua3ckError
        If a file is no Parquet file, is damaged, or the files' columns or types differ.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    tables = []
    for file in files:
        try:
            tables.append(pq.ParquetFile(file).read())
        except (pa.ArrowException, OSError) as problem:
            raise Qua3ckError(
                f"{file.name} cannot be read as Parquet ({type(problem).__name__})",
                where=f"{place}.path",
                fix="bring an undamaged file, or declare its kind: csv",
                code="U102",
            ) from problem
    try:
        rows = joined(tables, files, place=place)
    except pa.ArrowException as problem:
        raise Qua3ckError(
            "The files of this pattern hold different types in one column",
            where=f"{place}.path",
            fix="write all of them with the same schema, or make them separate sources",
            code="U102",
        ) from problem
    return Loaded(rows, {file.name: file_digest(file) for file in files})
