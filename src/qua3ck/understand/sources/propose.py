"""How a delimited text is written, inferred once: each decision with its evidence, to be declared.

Detectors (charset-normalizer, CleverCSV, DuckDB, Python's sniffer) only name candidates. What
decides is how well the text can be read: valid characters, records of one width, columns whose
cells are of one kind. What could be read in two ways is not decided; it is asked.
"""

from __future__ import annotations

import io
import re
import tempfile
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence, Sized
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from qua3ck.kit.errors import Qua3ckError
from qua3ck.kit.hashes import file_digest
from qua3ck.understand.section import ColumnType, Source
from qua3ck.understand.sources.cells import (
    Kind,
    Marks,
    column_type,
    is_known_marker,
    kind_of,
    read_cells,
)
from qua3ck.understand.sources.dates import guess_layouts, read_dates
from qua3ck.understand.sources.dialect import (
    NAMES,
    Judged,
    detectors,
    judge_dialects,
)
from qua3ck.understand.sources.encoding import Decided, decide_encoding, unpacked, utf8_chunks
from qua3ck.understand.sources.pieces import Piece, Staged
from qua3ck.understand.sources.places import place_of
from qua3ck.understand.sources.records import Dialect
from qua3ck.understand.sources.shape import Shape, find_shape
from qua3ck.understand.sources.suspicions import OTHER_MARKS

if TYPE_CHECKING:
    import pyarrow as pa

_HEAD = 1 << 20  # bytes looked at from the start
_TAIL = 1 << 16  # and at the end
_WHOLE = 1 << 23  # a file up to this size is read as a trial
_ROWS = 5000  # records whose cells are looked at
_OTHERS = 20  # further files that are compared with the first
_MARKERS = 5  # different cells in a column that may all be markers
_GROUPED = 5  # different numbers with a comma that say what it is
_ONE_LINE = 5  # keys of a source that stand in one line
_FEW = 0.1  # share of other cells in a column that make one ask, or are held by its type
_SHARED: tuple[Kind, ...] = ("integer", "number", "boolean", "date", "timestamp", "zoned")
_LISTED = 5  # cells that do not fit, by their place
_OFTEN = 3  # times that an unknown word stands among dates before it counts as a marker
_OFTEN_SHARE = 0.01  # and the share of the column's cells that it has
_LEAST = 0.5  # share of values in a column whose other cells may be markers


@dataclass(frozen=True)
class Proposal:
    """What should be declared for a source.

    Attributes
    ----------
    declared : dict
        Keys of a source with their values, as they stand in the project file.
    evidence : dict
        Key to one sentence why; also for what needs no declaration (``decimal``, ``skip`` ...).
    questions : tuple of str
        What the file does not tell: a person must.
    """

    declared: dict[str, Any]
    evidence: dict[str, str]
    questions: tuple[str, ...] = ()

    def yaml(self) -> str:
        """Return the lines to paste under the source, without a trailing line end."""
        from ruamel.yaml import YAML

        yaml = YAML()
        yaml.width = 10_000
        yaml.default_flow_style = None
        text = io.StringIO()
        yaml.dump({key: _plain(value) for key, value in self.declared.items()}, text)
        return text.getvalue().rstrip("\n")


@dataclass
class _Text:
    """A file's head and tail as text."""

    head: str
    tail: str | None
    size: int


@dataclass
class _Column:
    """One column of the sample: its trimmed cells, null where blank."""

    name: str
    cells: pa.Array
    nulls: list[str] = field(default_factory=list)


def propose(files: Sequence[Path], *, place: str) -> Proposal:
    """Return what to declare for a source of delimited text.

    Parameters
    ----------
    files : sequence of Path
        The source's files; the first is looked at closely, the others are compared with it.
    place : str
        The source's place in the project file.

    Raises
    ------
    Qua3ckError
        If the first file is empty, damaged, or falls into no table.
    """
    first = files[0]
    encoding = _encoding(first, place)
    text = _read_text(first, encoding.value, place)
    if not text.head.strip():
        raise Qua3ckError(
            f"{first.name} is empty",
            where=f"{place}.path",
            fix="bring a file with a header line and rows",
            code="U103",
        )
    judged = judge_dialects(text.head, _votes(text.head))
    best = judged[0]
    shape = find_shape(text.head, text.tail, best.dialect)
    if not shape.body and (shape.header == 0 or shape.width == 1):
        raise _no_table(first, place)
    evidence = {"encoding": encoding.why, "delimiter": _why_delimiter(judged), **shape.why}
    evidence |= {"quote": _why_quote(text.head, best.dialect)}
    declared = _declared(encoding, best.dialect, shape)
    columns = _columns(shape, declared, text)
    questions = _values(columns, declared, evidence)
    if not shape.body:
        evidence["footer"] = "0 lines: nothing stands below the header"
        questions.append(
            f"{first.name} has names of {shape.width} columns and no record: types, marks and "
            "dates cannot be told. Is the extract empty? Propose again when there are rows"
        )
    refused = _try(first, text, declared, evidence, place)
    if refused is not None and shape.body:
        questions.append(
            f"{first.name} is refused when it is read as proposed, and no better way was found: "
            f"{refused.what}. Have the file mended, or declare how it is written in truth"
        )
    _compare(files[1:], declared, evidence, place)
    return Proposal(declared, evidence, tuple(questions))


def write_proposal(project: Path, source: str, declared: Mapping[str, Any]) -> bool:
    """Put declared keys into a source of the project file; comments and order stay.

    Parameters
    ----------
    project : Path
        ``qua3ck.yaml``.
    source : str
        The source's name.
    declared : mapping
        Keys to add or replace.

    Returns
    -------
    bool
        Whether anything changed.

    Raises
    ------
    Qua3ckError
        If the file has no such source, or cannot be written.
    """
    from ruamel.yaml import YAML

    yaml = YAML()
    yaml.width = 10_000
    yaml.preserve_quotes = True
    before = project.read_text(encoding="utf-8")
    _keep_indent(yaml, before)
    tree = yaml.load(before)
    try:
        there = tree["understand"]["sources"][source]
    except (KeyError, TypeError):
        raise Qua3ckError(
            f'No source "{source}" in {project.name}',
            where=str(project),
            fix=f"declare it first under understand.sources: {source}: {{kind: csv, path: ...}}",
            code="U124",
        ) from None
    wanted = {key: _beside(there.get(key), key, value) for key, value in declared.items()}
    changed = {key: value for key, value in wanted.items() if _plain(there.get(key)) != value}
    for key, value in changed.items():
        there[key] = _plain(value)
    if changed and there.fa.flow_style() and len(there) > _ONE_LINE:
        there.fa.set_block_style()
    if changed:
        text = io.StringIO()
        yaml.dump(tree, text)
        _replace(project, text.getvalue())
    return bool(changed)


def _beside(there: Any, key: str, value: Any) -> Any:
    """Return what is proposed for some columns beside what is declared for others.

    A type that stands in the file was decided on already.
    """
    if not isinstance(there, Mapping) or not isinstance(value, Mapping):
        return value
    return {**value, **there} if key == "types" else {**there, **value}


# -- the text ----------------------------------------------------------------------------------


def _encoding(file: Path, place: str) -> Decided:
    with unpacked(file, place=place) as stream:
        return decide_encoding(stream)


def _read_text(file: Path, encoding: str, place: str) -> _Text:
    """Return the whole lines at the start and at the end of a file."""
    head, tail, size = b"", b"", 0
    with unpacked(file, place=place) as stream:
        for chunk in utf8_chunks(stream, encoding, file=file.name, place=place):
            if len(head) < _HEAD:
                head += chunk[: _HEAD - len(head)]
            tail = (tail + chunk)[-_TAIL:]
            size += len(chunk)
    text = head.decode("utf-8", "surrogateescape")
    if size <= len(head):
        return _Text(text, None, size)
    cut = max(text.rfind("\n"), text.rfind("\r")) + 1
    return _Text(text[:cut] or text, tail.decode("utf-8", "surrogateescape"), size)


def _votes(head: str) -> dict[str, Dialect]:
    """Return what the detectors think."""
    from qua3ck.store.warehouse.sniffing import sniffed

    votes = detectors(head)
    with tempfile.TemporaryDirectory(prefix="qua3ck-") as folder:
        path = Path(folder) / "head.csv"
        path.write_text(head, encoding="utf-8", errors="replace", newline="")
        seen = sniffed(path)
    if seen is not None and len(seen.delimiter) == 1:
        doubled = seen.escape in {"", seen.quote}
        votes["DuckDB"] = Dialect(seen.delimiter, seen.quote, None if doubled else seen.escape)
    return votes


def _why_delimiter(judged: Sequence[Judged]) -> str:
    best = judged[0]
    if best.width == 1:
        return "none: under no delimiter do the lines fall into equal counts of cells"
    said = f"{best.even:.0%} of {best.records} records have {best.width} cells"
    next_best = next(
        (one for one in judged if one.dialect.delimiter != best.dialect.delimiter), None
    )
    if next_best is not None and next_best.width > 1:
        name = _name(next_best.dialect.delimiter)
        said += f"; next best {name}: {next_best.even:.0%} have {next_best.width}"
    say = "says" if len(best.voters) == 1 else "say"
    voters = f"; {' and '.join(best.voters)} {say} the same" if best.voters else ""
    return f"{_name(best.dialect.delimiter)}: {said}{voters}"


def _name(delimiter: str) -> str:
    return NAMES.get(delimiter, "a blank" if delimiter == " " else repr(delimiter))


def _why_quote(head: str, dialect: Dialect) -> str:
    if dialect.quote and dialect.quote not in head:
        return "no cell looked at is quoted"
    if not dialect.quote:
        return "none: quotes stand inside cells, and cells fall apart evenly without"
    how = f"written {dialect.escape}{dialect.quote}" if dialect.escape else "doubled"
    return f"{head.count(dialect.quote)} quotes open and close cells; inside a cell they are {how}"


def _no_table(file: Path, place: str) -> Qua3ckError:
    return Qua3ckError(
        f"{file.name} does not fall into a table with rows under any delimiter",
        where=f"{place}.path",
        fix="look at the file; if it is a table in another format declare its kind",
        code="U125",
    )


def _declared(encoding: Decided, dialect: Dialect, shape: Shape) -> dict[str, Any]:
    declared: dict[str, Any] = {
        "encoding": encoding.value,
        "delimiter": dialect.delimiter,
        "header": shape.header,
    }
    optional: dict[str, tuple[Any, Any]] = {
        "quote": (dialect.quote, '"'),
        "escape": (dialect.escape, None),
        "comment": (shape.comment, None),
        "skip": (shape.skip, 0),
        "footer": (shape.footer, 0),
        "names": (list(shape.names), []),
        "loose_ends": (shape.loose, False),
    }
    return declared | {key: value for key, (value, usual) in optional.items() if value != usual}


# -- the values --------------------------------------------------------------------------------


def _columns(shape: Shape, declared: Mapping[str, Any], text: _Text) -> list[_Column]:
    """Return the columns of the sample under the names that a load would give them."""
    import pyarrow as pa
    import pyarrow.compute as pc

    from qua3ck.understand.sources.layout import open_body

    source = Source(
        kind="csv", path="-", **_as_source(declared) | {"encoding": "utf-8", "footer": 0}
    )
    head = text.head.encode("utf-8", "surrogateescape")
    names = open_body(iter([head]), source, file="the file", place="").names
    rows = [one[: len(names)] for one in shape.body[:_ROWS]]
    found = []
    for at, name in enumerate(names):
        cells = [one[at] if at < len(one) else "" for one in rows]
        bare = pc.utf8_trim_whitespace(pa.array([_readable(cell) for cell in cells], pa.string()))
        empty = pc.equal(pc.binary_length(bare), 0)
        found.append(_Column(name, pc.if_else(empty, pa.scalar(None, pa.string()), bare)))
    return found


def _readable(cell: str) -> str:
    return cell.encode("utf-8", "replace").decode("utf-8") if not cell.isascii() else cell


def _values(
    columns: Sequence[_Column], declared: dict[str, Any], evidence: dict[str, str]
) -> list[str]:
    """Decide marks, null markers and layouts of dates; return what remains to be asked."""
    questions: list[str] = []
    marks = _marks(columns, declared, evidence, questions)
    dates: dict[str, list[str]] = {}
    types: dict[str, ColumnType] = {}
    told: list[str] = []
    shares: list[str] = []
    for column in columns:
        filled = column.cells.drop_null()
        if kind_of(filled, marks) not in {"string", "digits"} or not len(filled):
            continue
        if _markers(column, filled, marks, questions):
            continue
        layouts = _layouts(column, filled, told, questions)
        kind = None if layouts else _type_by_share(column, filled, marks, shares)
        if layouts:
            dates[column.name] = layouts
        elif kind is not None:
            types[column.name] = kind
    nulls = {column.name: column.nulls for column in columns if column.nulls}
    if nulls:
        declared["nulls"] = nulls
        shown = ", ".join(f"{name}: {len(one)}" for name, one in list(nulls.items())[:5])
        evidence["null"] = (
            f"columns that hold numbers or dates but for a few words (kinds of them per column: "
            f"{shown}); in columns of words NA stays a word"
        )
    else:
        evidence["null"] = "none: no column of values is broken by a marker; blank cells are null"
    if dates:
        declared["dates"] = dates
    evidence["dates"] = "; ".join(told) or "none in another layout than 2024-12-31"
    if types:
        declared["types"] = types
    evidence["types"] = "; ".join(shares) or (
        "none: no column is of a kind but for a few cells; the first load takes each for what all "
        "of its cells are, and later ones hold it to that"
    )
    return questions


def _marks(
    columns: Sequence[_Column],
    declared: dict[str, Any],
    evidence: dict[str, str],
    questions: list[str],
) -> Marks:
    """Return the marks under which most columns are numbers; ask where two read differently."""
    usual = Marks()
    numeric = {marks: _numeric(columns, marks) for marks in (usual, *OTHER_MARKS)}
    best = max(numeric, key=lambda one: (len(numeric[one]), one == usual, one.thousands is None))
    gained = numeric[best] - numeric[usual]
    rivals = [
        one
        for one, found in numeric.items()
        if one != best and len(found) == len(numeric[best]) and _differ(columns, found, one, best)
    ]
    if not gained:
        evidence["decimal"] = f"a point: {len(numeric[usual])} columns are numbers with it"
        evidence["thousands"] = "none: no column needs one to be a number"
        return usual
    shown = ", ".join(sorted(gained)[:5])
    if rivals:
        parted = declared["delimiter"] == "," and Marks(".", ",") in {best, *rivals}
        grouped = _grouped(columns, gained) if parted else 0
        if grouped < _GROUPED:
            questions.append(
                f"Columns {shown}: is 1,234 written for 1.234 or for 1234? No cell tells. Declare "
                'decimal: "," or thousands: ","'
            )
            evidence["decimal"] = evidence["thousands"] = "undecided: see the question"
            return usual
        declared["thousands"] = ","
        evidence["decimal"] = "a point: cells are parted by commas, so a comma is no decimal mark"
        evidence["thousands"] = (
            f"a comma: all {grouped} different numbers with one have three digits behind it "
            f"({shown})"
        )
        return Marks(".", ",")
    name = {".": "a point", ",": "a comma", " ": "a blank", "'": "an apostrophe"}
    evidence["decimal"] = f"{name[best.decimal]}: only so are {shown} numbers"
    evidence["thousands"] = (
        "none: no column needs one to be a number"
        if best.thousands is None
        else f"{name[best.thousands]}: only so are {shown} numbers"
    )
    if best.decimal != ".":
        declared["decimal"] = best.decimal
    if best.thousands is not None:
        declared["thousands"] = best.thousands
    return best


def _numeric(columns: Sequence[_Column], marks: Marks) -> set[str]:
    """Return the columns that are numbers, a few markers apart."""
    found = set()
    for column in columns:
        filled = column.cells.drop_null()
        if not len(filled):
            continue
        _, misfits = read_cells(filled, "number", marks)
        if misfits is None:
            found.add(column.name)
            continue
        others = filled.filter(misfits).unique().to_pylist()
        many = misfits.true_count > (1 - _LEAST) * len(filled)
        if not many and len(others) <= _MARKERS and all(map(is_known_marker, others)):
            found.add(column.name)
    return found


def _grouped(columns: Sequence[_Column], names: set[str]) -> int:
    """Return how many different numbers of some columns have commas where groups of three do.

    0 if one has not, or begins with 0 as fractions do.
    """
    import pyarrow.compute as pc

    found: set[str] = set()
    for column in columns:
        if column.name in names:
            filled = column.cells.drop_null()
            found |= set(filled.filter(pc.match_substring(filled, ",")).unique().to_pylist())
    group = re.compile(r"[+-]?[1-9][0-9]{0,2}(,[0-9]{3})+(\.[0-9]*)?")
    return len(found) if all(map(group.fullmatch, found)) else 0


def _differ(columns: Sequence[_Column], names: set[str], one: Marks, other: Marks) -> bool:
    """Whether two ways to read numbers give different ones."""
    for column in columns:
        if column.name in names:
            first, second = (read_cells(column.cells, "number", marks)[0] for marks in (one, other))
            if not first.equals(second):
                return True
    return False


def _markers(column: _Column, filled: pa.Array, marks: Marks, questions: list[str]) -> bool:
    """Note the markers of a column that would be a number but for them; whether it has any."""
    _, misfits = read_cells(filled, "number", marks)
    if misfits is None or misfits.true_count > (1 - _LEAST) * len(filled):
        return False
    others = Counter(filled.filter(misfits).to_pylist())
    if len(others) > _MARKERS:
        return False
    if all(map(is_known_marker, others)):
        column.nulls = sorted(others)
        return True
    if misfits.true_count <= _FEW * len(filled):
        count = misfits.true_count
        questions.append(_asked_words(column.name, count, filled, others, "numbers"))
    return False


def _asked_words(name: str, count: int, filled: pa.Array, kinds: Sized, what: str) -> str:
    return (
        f"Column {name}: {count} of {len(filled)} cells are no {what} ({len(kinds)} kinds). If "
        f"they stand for no value, declare nulls: {{{name}: [...]}}"
    )


def _type_by_share(
    column: _Column, filled: pa.Array, marks: Marks, told: list[str]
) -> ColumnType | None:
    """Return the type that most cells are of, so that the few others are held one by one.

    None where all are, which the first load sees by itself, and where one begins like 007: then
    they are codes, and text.
    """
    missed = {kind: read_cells(filled, kind, marks)[1] for kind in _SHARED}
    least = min(0 if one is None else one.true_count for one in missed.values())
    kind, misfits = next(
        (kind, one) for kind, one in missed.items() if one is not None and one.true_count == least
    )
    others = filled.filter(misfits).to_pylist()
    rest = [text for text in others if not is_known_marker(text)]
    codes = any(re.match("[+-]?0[0-9]", text) for text in rest)
    if not rest or codes or len(rest) > _FEW * len(filled):
        return None
    column.nulls = sorted({*others} - {*rest})
    word = column_type(kind)
    nulls = f", {len(others) - len(rest)} stand for no value" if column.nulls else ""
    told.append(
        f"{column.name}: {word} ({len(rest)} of {len(filled)} cells looked at are none{nulls})"
    )
    return word


def _layouts(column: _Column, filled: pa.Array, told: list[str], questions: list[str]) -> list[str]:
    """Return the layouts of a column of dates; ask where day and month could be exchanged."""
    texts = filled.unique().to_pylist()
    glance = guess_layouts(texts[:50])
    if glance.dates * 2 < len(texts[:50]):
        return []
    guess = guess_layouts(texts)
    words = [text for text in guess.rest if re.search(r"[0-9]", text) is None]
    if guess.dates == 0 or len(words) > _MARKERS or guess.dates < 0.8 * (len(texts) - len(words)):
        return []
    if guess.open:
        either = " or ".join(f'"{one}"' for one in guess.open[0])
        questions.append(
            f"Column {column.name}: are its dates {either}? No cell tells; ask who wrote them and "
            f"declare dates: {{{column.name}: [...]}}"
        )
        return []
    layouts = list(guess.sure)
    misfits = read_dates(filled, layouts)[1]
    none = Counter([] if misfits is None else filled.filter(misfits).to_pylist())
    often = max(_OFTEN, _OFTEN_SHARE * len(filled))
    column.nulls = sorted(one for one in words if is_known_marker(one) or none[one] >= often)
    rare = {word: none[word] for word in words if word not in column.nulls}
    if rare:
        questions.append(_asked_words(column.name, sum(rare.values()), filled, rare, "dates"))
    missing = sum(times for text, times in none.items() if text not in column.nulls)
    because = f"{guess.proof} days beyond 12 prove the order" if guess.proof else "no other fits"
    rest = f"; {missing} cells fit none" if missing else ""
    told.append(f"{column.name}: {' and '.join(layouts)} ({because}{rest})")
    return layouts


# -- trial ---------------------------------------------------------------------------------------


def _try(
    file: Path, text: _Text, declared: Mapping[str, Any], evidence: dict[str, str], place: str
) -> Qua3ckError | None:
    """Read the file, or its head, as proposed; say what came of it, return why it is refused."""
    from qua3ck.understand.sources.csvfile import stage_csv

    source = Source(kind="csv", path=file.name, **_as_source(declared))
    with tempfile.TemporaryDirectory(prefix="qua3ck-") as made:
        folder = Path(made)
        path, part = file, ""
        if text.size > _WHOLE:
            path, part = folder / file.name, f"of the first {_HEAD >> 20} MB "
            path.write_bytes(text.head.encode("utf-8", "surrogateescape"))
            source = source.model_copy(update={"encoding": "utf-8", "footer": 0})
        piece = Piece(file.name, file_digest(path), path, path.stat().st_size)
        try:
            staged = stage_csv(piece, source, types=None, into=folder, place=place)
        except Qua3ckError as problem:
            evidence["trial"] = f"read so, the file is refused: {problem.what}"
            return problem
    held = len(set(staged.held["_row"].to_pylist()))
    codes = Counter(staged.held["code"].to_pylist())
    why = f" ({', '.join(f'{code}: {n}' for code, n in sorted(codes.items()))})" if codes else ""
    evidence["trial"] = (
        f"read so, {staged.came - held} records {part}are loaded and {held} held{why}, in "
        f"{len(staged.how['types'])} columns"
    )
    misfits = [_misfits(staged, name) for name in declared.get("types", ())]
    if any(misfits):
        said = "; ".join(one for one in misfits if one)
        evidence["types"] += f". Of {staged.came} records {part}are held: {said}"
    return None


def _misfits(staged: Staged, name: str) -> str:
    """Return how many cells of a column do not fit, and where the first of them stand."""
    lines = staged.held.filter([one == name for one in staged.held["column"].to_pylist()])
    rows = lines["_row"].to_pylist()
    shown = ", ".join(place_of(row, staged.how) for row in rows[:_LISTED])
    more = " ..." if len(rows) > _LISTED else ""
    return f"{len(rows)} for {name} ({shown}{more})" if rows else ""


def _compare(
    files: Sequence[Path], declared: Mapping[str, Any], evidence: dict[str, str], place: str
) -> None:
    """Say which of the other files do not look as the first."""
    from qua3ck.understand.sources.layout import open_body

    if not files:
        return
    source = Source(kind="csv", path="-", **_as_source(declared))
    other = []
    names: list[str] | None = None
    for file in files[:_OTHERS]:
        try:
            with unpacked(file, place=place) as stream:
                chunks = utf8_chunks(stream, source.encoding, file=file.name, place=place)
                found = open_body(_decodable(chunks), source, file=file.name, place=place).names
        except (Qua3ckError, UnicodeDecodeError):
            other.append(file.name)
            continue
        names = names or found
        if found != names:
            other.append(file.name)
    looked = min(len(files), _OTHERS)
    evidence["files"] = f"{looked - len(other)} of {looked} other files begin alike" + (
        f"; not: {', '.join(other[:5])}" if other else ""
    )


def _decodable(chunks: Iterator[bytes]) -> Iterator[bytes]:
    """Yield chunks; raise if one is not UTF-8 (a character cut off at its end apart)."""
    for chunk in chunks:
        chunk[:_TAIL].rsplit(b"\n", 1)[0].decode("utf-8")
        yield chunk


# -- the project file ----------------------------------------------------------------------------


def _as_source(declared: Mapping[str, Any]) -> dict[str, Any]:
    """Return declared values as the source's record takes them: lists are tuples there."""
    return {key: _frozen(value) for key, value in declared.items()}


def _frozen(value: Any) -> Any:
    if isinstance(value, list):
        return tuple(value)
    if isinstance(value, Mapping):
        return {key: _frozen(one) for key, one in value.items()}
    return value


def _plain(value: Any) -> Any:
    """Return a value as it is written: small lists and maps in one line, marks quoted."""
    from ruamel.yaml.comments import CommentedMap, CommentedSeq
    from ruamel.yaml.scalarstring import DoubleQuotedScalarString

    if isinstance(value, str):
        simple = re.fullmatch(r"[A-Za-z][\w-]*", value) is not None
        return value if simple else DoubleQuotedScalarString(value)
    if isinstance(value, list | tuple):
        seq = CommentedSeq([_plain(one) for one in value])
        seq.fa.set_flow_style()
        return seq
    if isinstance(value, Mapping):
        mapping = CommentedMap({_plain(key): _plain(one) for key, one in value.items()})
        mapping.fa.set_flow_style()
        return mapping
    return value


def _keep_indent(yaml: Any, text: str) -> None:
    """Have lists indented as they are in the file."""
    found = re.search(r"^( *)\S[^\n]*:[ \t]*\n(?:[ \t]*#[^\n]*\n|[ \t]*\n)*( *)- ", text, re.M)
    offset = len(found[2]) - len(found[1]) if found else 2
    yaml.indent(mapping=2, sequence=max(offset + 2, 2), offset=max(offset, 0))


def _replace(path: Path, text: str) -> None:
    """Write a file so that it is either the old one or the new one, whatever happens."""
    fresh = path.with_name(f".{path.name}.new")
    try:
        fresh.write_text(text, encoding="utf-8", newline="")
        fresh.chmod(path.stat().st_mode)
        fresh.replace(path)
    except OSError as problem:
        fresh.unlink(missing_ok=True)
        raise Qua3ckError(
            f"{path.name} cannot be written ({problem.strerror})",
            where=str(path),
            fix="make it writable, or paste the lines yourself",
            code="U101",
        ) from problem
