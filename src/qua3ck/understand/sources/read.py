"""One declared source in, one table out, with the files it came from and what was noticed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from qua3ck.kit.errors import Qua3ckError, did_you_mean
from qua3ck.kit.findings import Finding
from qua3ck.understand.section import Source

if TYPE_CHECKING:
    import pyarrow as pa


@dataclass(frozen=True)
class Loaded:
    """A source's rows; ``files`` maps each file's name to the SHA-256 of its bytes."""

    rows: pa.Table
    files: Mapping[str, str] = field(default_factory=dict)
    findings: tuple[Finding, ...] = ()


def read_source(name: str, source: Source, root: Path) -> Loaded:
    """Read all rows of a source.

    Parameters
    ----------
    name : str
        The source's name in the project file.
    source : Source
        Its declaration.
    root : Path
        The project folder; relative paths start there.

    Raises
    ------
    Qua3ckError
        If a file is missing, cannot be read as declared, or has no rows.
    """
    place = f"understand.sources.{name}"
    match source.kind:
        case "csv":
            from qua3ck.understand.sources.csvfile import read_csv_files

            loaded = read_csv_files(find_files(source, root, place=place), source, place=place)
        case "parquet":
            from qua3ck.understand.sources.parquet import read_parquet_files

            loaded = read_parquet_files(find_files(source, root, place=place), place=place)
        case "function":
            from qua3ck.understand.sources.function import call_source

            loaded = call_source(name, source, root, place=place)
    if loaded.rows.num_rows == 0:
        raise Qua3ckError(
            f'The source "{name}" has columns but no rows',
            where=place,
            fix="bring a file that has rows; an empty table never counts as loaded",
            code="U103",
        )
    return loaded


def is_local(source: Source) -> bool:
    """Whether a source is files of this machine, not a server's and not a function's."""
    return source.path is not None and "://" not in source.path


def find_files(source: Source, root: Path, *, place: str) -> list[Path]:
    """Return the files that a source's path or pattern names, in name order."""
    path = source.path or ""
    try:
        found = [root / path] if (root / path).is_file() else []
        found = found or sorted(file for file in _matching(root, path) if file.is_file())
    except (OSError, ValueError, IndexError, NotImplementedError):
        found = []  # no pattern that can name a file, such as "." or "/"
    if not found:
        folder = (root / path).parent
        there = [entry.name for entry in folder.iterdir()] if folder.is_dir() else []
        near = did_you_mean(Path(path).name, there)
        raise Qua3ckError(
            f'No file "{path}" in {root}{near}',
            where=f"{place}.path",
            fix="put the file there, or correct path: (it starts at the project's folder)",
            code="U101",
        )
    return found


def _matching(root: Path, pattern: str) -> Iterable[Path]:
    anchor = Path(pattern).anchor
    if anchor:
        return Path(anchor).glob(pattern[len(anchor) :])
    return root.glob(pattern) if pattern else ()


def joined(tables: Sequence[pa.Table], files: Sequence[Path], *, place: str) -> pa.Table:
    """Return several files' rows as one table, in the columns and order of the first.

    Raises
    ------
    Qua3ckError
        If a file has other columns than the first.
    """
    import pyarrow as pa

    first = tables[0].column_names
    for table, file in zip(tables[1:], files[1:], strict=True):
        other = set(table.column_names) ^ set(first)
        if other:
            raise Qua3ckError(
                f"{file.name} has other columns than {files[0].name}: "
                + ", ".join(f'"{column}"' for column in sorted(other)[:5]),
                where=f"{place}.path",
                fix="give each kind of file its own source, or make their columns equal",
                code="U102",
            )
    aligned = [table.select(first) for table in tables]
    return pa.concat_tables(aligned, promote_options="permissive")
