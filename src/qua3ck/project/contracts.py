"""Contracts of a project's sources: drafted from what is there, and held against the standard."""

from __future__ import annotations

import re
import tempfile
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from qua3ck.kit.errors import Qua3ckError, did_you_mean
from qua3ck.kit.findings import Finding

if TYPE_CHECKING:
    import pyarrow as pa

    from qua3ck.project.file import ProjectFile
    from qua3ck.store.warehouse import Warehouse
    from qua3ck.understand.contract.odcs import Contract
    from qua3ck.understand.contract.rules import Rule
    from qua3ck.understand.section import Source
    from qua3ck.understand.sources.pieces import Piece

_ENOUGH = 200_000  # rows of files that were never loaded; more would not change a draft


@dataclass(frozen=True)
class Drafted:
    """A contract that was drafted.

    Attributes
    ----------
    path : Path
        Where it was written.
    rows, columns : int
        What it was drafted from.
    findings : tuple of Finding
        Suspect cells; nothing was changed.
    unread : mapping
        Other sources in which no references could be looked for, and why.
    """

    path: Path
    rows: int
    columns: int
    findings: tuple[Finding, ...]
    unread: Mapping[str, str]


@dataclass(frozen=True)
class Held:
    """One table of a contract, as it would be checked."""

    path: Path
    table: str
    columns: int
    rules: tuple[Rule, ...]

    @property
    def actions(self) -> Mapping[str, int]:
        """How many rules inform, hold rows, block the load; and how many cannot be executed."""
        return Counter("not applicable" if r.test == "none" else r.action for r in self.rules)


def draft_contract(
    root: Path, file: ProjectFile, warehouse: Warehouse, name: str, *, into: Path | None = None
) -> Drafted:
    """Draft the contract of a source and write it.

    Parameters
    ----------
    warehouse : Warehouse
        Read only; what was loaded is looked at before any file.
    into : Path, optional
        In a folder that is there; default ``contracts/NAME.odcs.yaml`` in the project.

    Raises
    ------
    Qua3ckError
        If there is no such source, nothing of it is there to look at, or the file exists or
        cannot be written.
    """
    from qua3ck.understand.contract.propose import propose_contract

    sources = file.understand.sources
    if name not in sources:
        raise Qua3ckError(
            f'There is no source "{name}"{did_you_mean(name, sources)}',
            where="understand.sources",
            fix=f"name one of: {', '.join(sources)}",
            code="U104",
        )
    path = into or root / "contracts" / f"{name}.odcs.yaml"
    free_place(path, name, make=into is None)  # before minutes are spent on looking
    rows = _rows(root, warehouse, name, sources[name])
    others: dict[str, pa.Table] = {}
    unread: dict[str, str] = {}
    for other, source in sources.items():
        if other != name:
            try:
                others[other] = _rows(root, warehouse, other, source)
            except Qua3ckError as problem:
                unread[other] = problem.what
    source = sources[name]
    about = {"owner": source.owner, "licence": source.licence}
    draft = propose_contract(rows, name=name, project=file.project, others=others, about=about)
    shown = path.relative_to(root).as_posix() if path.is_relative_to(root) else str(path)
    try:
        draft.write(path, shown=shown)
    except OSError as problem:
        raise _unwritable(path, name, problem) from problem
    columns = len([column for column in rows.column_names if column[0] != "_"])
    return Drafted(path, rows.num_rows, columns, draft.findings, unread)


def check_contract(path: Path) -> tuple[Held, ...]:
    """Return the tables of a contract with their rules.

    Raises
    ------
    Qua3ckError
        With every mistake of the contract, or of its rules.
    """
    from qua3ck.understand.contract.odcs import ContractErrors, read_contract
    from qua3ck.understand.contract.rules import rules_of

    contract = read_contract(path)
    held: list[Held] = []
    mistakes: list[Qua3ckError] = []
    for table in contract.tables:
        try:
            held.append(Held(path, table.name, len(table.columns), rules_of(table)))
        except ContractErrors as problem:
            mistakes += problem.all
    if mistakes:
        raise ContractErrors(tuple(mistakes))
    return tuple(held)


def check_contracts(root: Path, file: ProjectFile) -> tuple[Held, ...]:
    """Return what :func:`check_contract` says of every contract that a source names.

    Raises
    ------
    Qua3ckError
        If a contract has mistakes or does not describe its source; or no source names one.
    """
    from qua3ck.understand.contract.odcs import read_contract

    held: list[Held] = []
    named = {
        name: root / source.contract
        for name, source in file.understand.sources.items()
        if source.contract
    }
    if not named:
        raise Qua3ckError(
            "No source names a contract",
            where="understand.sources",
            fix=f"draft one with: qua3ck contract propose {next(iter(file.understand.sources))}",
            code="U151",
        )
    for name, path in named.items():
        contract: Contract = read_contract(path)
        table = contract.table(name).name
        held += [each for each in check_contract(path) if each.table == table]
    return tuple(held)


def free_place(path: Path, name: str, *, make: bool = False) -> None:
    """Refuse a path at which no draft can be written; nothing stays of the attempt.

    Parameters
    ----------
    name : str
        The source, for what to type.
    make : bool, default False
        Whether a folder that is not there will be made.

    Raises
    ------
    Qua3ckError
        If a file of that name exists, or none can be made there.
    """
    try:
        _refuse_no_file(path, name)
        if make and not path.parent.exists():
            return
        _refuse_no_folder(path)
        with path.open("x"):
            pass
        path.unlink()
    except FileExistsError:
        raise _taken(path) from None
    except OSError as problem:
        raise _unwritable(path, name, problem) from problem


def _taken(path: Path) -> Qua3ckError:
    """Return the error about a file that is there already; one with mistakes is a contract too."""
    try:
        text = path.read_text(encoding="utf-8-sig", errors="replace")
    except OSError:
        text = ""
    is_one = re.search(r"^\W*kind\W+DataContract\b", text, re.MULTILINE)
    what = f"a contract {path.name} already" if is_one else f"a file {path.name} already, which is"
    return Qua3ckError(
        f"There is {what}{'' if is_one else ' no contract'}; it is not overwritten",
        where=str(path),
        fix=f"name another file with --into FILE{', and compare the two' if is_one else ''}",
        code="U154",
    )


def _refuse_no_file(path: Path, name: str) -> None:
    if path.is_dir():
        raise Qua3ckError(
            f"{path} is a folder",
            where=str(path),
            fix=f"name a file in it: --into {path / name}.odcs.yaml",
            code="U172",
        )
    if path.suffix not in {".yaml", ".yml"}:
        raise Qua3ckError(
            f'"{path.name}" does not end in .yaml, as contracts do',
            where=str(path),
            fix=f"name one that does: --into {path.with_suffix('.yaml')}",
            code="U172",
        )


def _refuse_no_folder(path: Path) -> None:
    folder = path.parent
    if folder.is_dir():
        return
    what, fix = f'There is no folder "{folder}"', "make it first, or name a file in one that is"
    if folder.exists():
        what, fix = f"{folder} is a file, not a folder", "name a file in a folder"
    raise Qua3ckError(what, where=str(path), fix=fix, code="U172")


def _unwritable(path: Path, name: str, problem: OSError) -> Qua3ckError:
    return Qua3ckError(
        f"The draft cannot be written: {problem.strerror or type(problem).__name__}",
        where=str(path),
        fix=f"name a file that you may write: qua3ck contract propose {name} --into FILE",
        code="U172",
    )


def _rows(root: Path, warehouse: Warehouse, name: str, source: Source) -> pa.Table:
    """Return what was loaded of a source, else the first rows of its files."""
    from qua3ck.understand.loading import read_current, silver
    from qua3ck.understand.sources.read import is_local

    if warehouse.version(silver(name)) is not None:
        return read_current(warehouse, name, source)
    if is_local(source) and source.kind != "delta":
        return _from_files(root, name, source)
    raise Qua3ckError(
        f'Nothing of the source "{name}" was loaded yet',
        where=f"understand.sources.{name}",
        fix=f"qua3ck load . {name}",
        code="U103",
    )


def _from_files(root: Path, name: str, source: Source) -> pa.Table:
    """Return the first rows of the files, typed together as a first load would type them."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    from qua3ck.understand.sources.pieces import local_pieces
    from qua3ck.understand.sources.stage import stage

    place, staged, count = f"understand.sources.{name}", [], 0
    with tempfile.TemporaryDirectory() as made:
        for at, piece in enumerate(local_pieces(source, root, place=place)):
            into = Path(made) / f"{at}"
            into.mkdir()
            staged.append((piece, stage(piece, source, source.types or None, into, place).rows))
            count += pq.ParquetFile(staged[-1][1]).metadata.num_rows
            if count >= _ENOUGH:
                break
        tables = [pq.read_table(one) for one in _together(staged, source, place)]
    rows = pa.concat_tables(tables, promote_options="permissive")
    if not rows.num_rows:
        raise Qua3ckError(
            f'The source "{name}" has no rows to draft a contract from',
            where=place,
            fix="bring a file that has rows",
            code="U103",
        )
    return rows.slice(0, _ENOUGH)


def _together(staged: Sequence[tuple[Piece, Path]], source: Source, place: str) -> list[Path]:
    """Return the staged files with one type per column over all; some are read again."""
    from qua3ck.understand.loading.layout import Layout, columns_of, empty_columns, together
    from qua3ck.understand.sources.stage import stage

    found = [columns_of(rows) for _, rows in staged]
    every = {column: kind for columns in found for column, kind in columns.items()}
    without = [empty_columns(rows) for _, rows in staged]
    settled = together([every, *found], [every.keys(), *without]).columns
    files = []
    for (piece, rows), columns in zip(staged, found, strict=True):
        wanted = Layout({column: settled[column] for column in columns})
        if dict(wanted.columns) == columns:
            files.append(rows)
            continue
        again = rows.parent / "again"
        again.mkdir()
        files.append(stage(piece, source, {**wanted.types(), **source.types}, again, place).rows)
    return files
