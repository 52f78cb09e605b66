"""How delimited texts of many shapes are read: ours beside pandas, DuckDB's sniffer, CleverCSV.

Two sets of files: csvkit's real examples (where they are at hand), read by Python's csv module
with options given by hand; and files written here from tables that are known, in many
encodings, dialects and layouts. Each reader gets the path and nothing else; ours makes a
proposal and reads by it. Measured on cells as text: F1 over (column, cell), and whether the
whole table is equal, header and order included. A record that we hold is missing, but it is
not lost: lost and invented records are counted.

Which files were used for what: the rules were worked out on both sets, so their figures say what
the rules can do, not how often they are right elsewhere. Unseen were the examples of agate and
the CSV files of the folders nutrition, sdmx, names, dirty-tables and dhis2 (some sixty): looked
at once, after the rules were settled, every one with rows was read as it is meant; a file of a
header alone was refused, and is proposed since.
"""

from __future__ import annotations

import csv
import io
import itertools
import json
import os
import sys
import tempfile
import warnings
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

Rows = list[list[str]]
REAL = Path(os.environ.get("QUA3CK_DATA", Path(__file__).parents[2] / "shared" / "data"))


@dataclass
class Case:
    """A file and the table in it; ``header`` is None where the file has none."""

    name: str
    path: Path
    header: list[str] | None
    rows: Rows
    also: dict = field(default_factory=dict)


def main(argv: list[str]) -> dict[str, float]:
    """Print a table of file -> result and return the shares."""
    results: dict[str, list[tuple[float, bool]]] = {}
    with tempfile.TemporaryDirectory() as made:
        cases = [*written(Path(made)), *real()]
        for case in cases:
            line = [f"{case.name:44.44}"]
            for name, read in READERS.items():
                f1, exact, note = score(read, case)
                group = "real" if case.name.startswith("csvkit/") else "written"
                results.setdefault(f"{name}_{group}", []).append((f1, exact))
                line.append(f"{f1:.3f}{' =' if exact else '  '}")
                if name == "ours" and ("-v" in argv or not exact):
                    line.append(note)
            if "-q" not in argv:
                print("  ".join(line))
    figures: dict[str, float] = {}
    short = {"cell_f1": 0.93, "exact_share": 0.72}  # what is asked of real files
    for name, found in results.items():
        figures[f"{name}_cell_f1"] = round(sum(f for f, _ in found) / len(found), 3)
        figures[f"{name}_exact_share"] = round(sum(e for _, e in found) / len(found), 3)
        figures[f"{name}_files"] = len(found)
    for what, least in short.items() if "ours_real_files" in figures else ():
        figures[f"ours_real_{what}_short_of_one"] = round(1 - figures[f"ours_real_{what}"], 3)
        figures[f"budget_ours_real_{what}_short_of_one"] = round(1 - least, 3)
    print(json.dumps(figures))
    return figures


def score(
    read: Callable[[Path], tuple[list[str], Rows, str]], case: Case
) -> tuple[float, bool, str]:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            header, rows, note = read(case.path)
    except Exception as problem:  # noqa: BLE001 - a reader that fails has read nothing
        text = " ".join(str(problem).split())[:90]
        return 0.0, False, f"{type(problem).__name__}: {text}"
    want = ([case.header] if case.header is not None else []) + case.rows
    got = ([header] if case.header is not None else []) + rows
    want, got = ([[cell.strip() for cell in row] for row in table] for table in (want, got))
    true, found = (Counter(p for row in t for p in enumerate(row)) for t in (want, got))
    both = sum((true & found).values())
    f1 = 2 * both / ((true.total() + found.total()) or 1)
    return f1, want == got, note


# -- readers -----------------------------------------------------------------------------------


def by_ours(path: Path) -> tuple[list[str], Rows, str]:
    import pyarrow.parquet as pq

    from qua3ck.understand.section import Source
    from qua3ck.understand.sources.csvfile import stage_csv
    from qua3ck.understand.sources.pieces import Piece
    from qua3ck.understand.sources.propose import _as_source, propose

    proposal = propose([path], place="s")
    declared = {
        key: value
        for key, value in proposal.declared.items()
        if key not in {"decimal", "thousands", "nulls", "dates"}
    }
    source = Source(kind="csv", path=path.name, **_as_source(declared))
    missing = {"encoding", "delimiter", "header", "skip", "decimal"} - set(proposal.evidence)
    assert not missing, f"not stated: {missing}"
    piece = Piece(path.name, "", path, path.stat().st_size)
    with tempfile.TemporaryDirectory() as first, tempfile.TemporaryDirectory() as second:
        staged = stage_csv(piece, source, types=None, into=Path(first), place="s")
        words = dict.fromkeys(staged.how["types"], "string")
        staged = stage_csv(piece, source, types=words, into=Path(second), place="s")
        table = pq.read_table(staged.rows)
    held = len(set(staged.held["_row"].to_pylist()))
    assert staged.came == table.num_rows + held
    names = [name for name in table.column_names if name != "_row"]
    rows = [[cell or "" for cell in row.values()] for row in table.select(names).to_pylist()]
    header = ["" if name.startswith("unnamed_") else name for name in names]
    short = {k: v for k, v in proposal.declared.items() if (k, v) not in USUAL}
    return header, rows, f"held {held} {short}"


USUAL = [("encoding", "utf-8"), ("delimiter", ","), ("header", 1)]


def by_pandas(path: Path) -> tuple[list[str], Rows, str]:
    import pandas as pd

    frame = pd.read_csv(path, dtype=str, keep_default_na=False)
    header = ["" if str(name).startswith("Unnamed: ") else str(name) for name in frame.columns]
    return header, frame.values.tolist(), ""


def by_duckdb(path: Path) -> tuple[list[str], Rows, str]:
    import duckdb

    with duckdb.connect() as connection:
        found = connection.read_csv(str(path), all_varchar=True)
        rows = [["" if cell is None else cell for cell in row] for row in found.fetchall()]
        return list(found.columns), rows, ""


def by_clevercsv(path: Path) -> tuple[list[str], Rows, str]:
    import clevercsv

    rows = clevercsv.read_table(str(path))
    return rows[0], rows[1:], ""


READERS = {"ours": by_ours, "pandas": by_pandas, "duckdb": by_duckdb, "clevercsv": by_clevercsv}


# -- csvkit's files ----------------------------------------------------------------------------

OPTIONS = {  # what Python's csv module must be told
    "sniff_limit.csv": {"delimiter": ";"},
    "dummy.tsv": {"delimiter": "\t"},
    "realdata/event-notification-rpt-lastmonth.txt": {"delimiter": "|"},
    "test_latin1.csv": {"encoding": "latin-1"},
    "test_utf16_big.csv": {"encoding": "utf-16"},
    "test_utf16_little.csv": {"encoding": "utf-16"},
    "test_skip_lines.csv": {"skip": 3},
    "bad_skip_lines.csv": {"skip": 3},
    "no_header_row.csv": {"header": 0},
    "no_header_row2.csv": {"header": 0},
    "no_header_row3.csv": {"header": 0},
    "realdata/Datagov_FY10_EDU_recp_by_State.csv": {"skip": 2, "footer": 2},
    "join_a_short.csv": {"pad": True},
    "test_empty_columns.csv": {"pad": True},
    "test_empty_columns_long_row.csv": {"pad": True},
    "test_empty_columns_short_row.csv": {"pad": True},
    "test_extra_header.csv": {"pad": True},
}
NO_TABLE = {"empty.csv", "null_byte.csv"}  # refused, and tested to be


def real() -> Iterator[Case]:
    folder = REAL / "messy-spreadsheets" / "csvkit"
    files = sorted([*folder.rglob("*.csv"), *folder.rglob("*.tsv"), *folder.rglob("event*.txt")])
    for path in files:
        name = path.relative_to(folder).as_posix()
        if name in NO_TABLE:
            continue
        options = dict(OPTIONS.get(name, {}))
        encoding = options.pop("encoding", "utf-8-sig")
        skip, footer = options.pop("skip", 0), options.pop("footer", 0)
        pad, header = options.pop("pad", False), options.pop("header", 1)
        text = path.read_bytes().decode(encoding)
        lines = text.splitlines(keepends=True)[skip:] if skip else text
        source = lines if skip else io.StringIO(text, newline="")
        rows = [row for row in csv.reader(source, **options) if row]
        rows = rows[: len(rows) - footer]
        head, below = (rows[0], rows[1:]) if header else (None, rows)
        width = len(rows[0])
        if pad:
            below = [(row + [""] * width)[:width] for row in below]
        yield Case(f"csvkit/{name}", path, head, [row for row in below if len(row) == width])


# -- files written from known tables -----------------------------------------------------------

PLACES = (
    ["Łódź", "Gdańsk", "Kraków"],
    ["Zürich", "Genève", "Bâle, Stadt"],
    ["Nairobi", "Kisumu", "Mombasa"],
)


def stock(places: list[str], count: int = 40) -> tuple[list[str], Rows]:
    header = ["id", "facility", "received", "item", "quantity", "price"]
    items = ["ORS sachet", 'RUTF "plumpy"', "zinc, 20 mg", "amoxicillin"]
    rows = []
    for at in range(count):
        day = f"{2023 + at // 30}-{1 + at % 12:02d}-{1 + (7 * at) % 28:02d}"
        missing = "" if at % 11 == 5 else str(at * 13 % 97)
        rows.append(
            [
                f"{at:05d}",
                places[at % 3],
                day,
                items[at % 4],
                missing,
                f"{at * 7 % 50 + at / 8:.2f}",
            ]
        )
    return header, rows


def words() -> tuple[list[str], Rows]:
    header = ["name", "role", "remark"]
    who = ["Amina", "Joseph", "Fatou", "Luis", "Mei"]
    what = ["nurse", "driver", "clerk"]
    rows = [
        [
            f"{who[at % 5]} {'ABCDEFGH'[at % 8]}.",
            what[at % 3],
            f"came back {who[(at + 2) % 5]}'s way",
        ]
        for at in range(25)
    ]
    return header, rows


def wide(columns: int = 30) -> tuple[list[str], Rows]:
    header = ["district", *(f"m{at:02d}" for at in range(1, columns))]
    rows = [
        [f"district {at}", *(str((at * 31 + one * 17) % 1000) for one in range(1, columns))]
        for at in range(20)
    ]
    return header, rows


def prose() -> tuple[list[str], Rows]:
    header = ["ref", "asked_on", "question"]
    text = ["How many\nare there?", 'She said "no", twice.', "Rain; mud, and no road", "plain"]
    return header, [[str(100 + at), f"2024-03-{1 + at:02d}", text[at % 4]] for at in range(24)]


def as_text(rows: Rows, **options) -> str:
    text = io.StringIO(newline="")
    options = {"lineterminator": "\r\n"} | options
    csv.writer(text, **options).writerows(rows)
    return text.getvalue()


def written(folder: Path) -> Iterator[Case]:
    """Yield files of many shapes with the tables they were written from."""
    number = itertools.count()

    def case(name: str, text: str, header, rows, encoding: str = "utf-8") -> Case:
        path = folder / f"{next(number):03d}.csv"
        path.write_bytes(text.encode(encoding))
        return Case(name, path, header, rows)

    yield from _encodings(case)
    yield from _dialects(case)
    yield from _tops(case)
    yield from _headers(case)
    yield from _bottoms(case)
    yield from _cells(case)
    yield from _broken(case)


def _encodings(case) -> Iterator[Case]:
    west, east, plain = PLACES[1], PLACES[0], PLACES[2]
    for encoding in ("utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "cp1252", "cp850"):
        header, rows = stock(west)
        yield case(f"encoding {encoding}", as_text([header, *rows]), header, rows, encoding)
    for encoding in ("cp1250", "iso8859_2", "utf-32"):
        header, rows = stock(east)
        yield case(f"encoding {encoding}", as_text([header, *rows]), header, rows, encoding)
    header, rows = stock(["Москва", "Тула", "Казань"])
    for encoding in ("cp1251", "koi8_r", "utf-8"):
        yield case(
            f"encoding {encoding}, Cyrillic", as_text([header, *rows]), header, rows, encoding
        )
    header, rows = stock(["القاهرة", "دمشق", "عدن"])
    yield case("encoding cp1256, Arabic", as_text([header, *rows]), header, rows, "cp1256")
    header, rows = stock(plain)
    yield case("encoding ascii", as_text([header, *rows]), header, rows)


def _dialects(case) -> Iterator[Case]:
    for mark, name in (
        (",", "comma"),
        (";", "semicolon"),
        ("\t", "tab"),
        ("|", "bar"),
        ("^", "caret"),
        ("~", "tilde"),
        ("\x1f", "unit sign"),
    ):
        for table in (stock(PLACES[2]), words(), wide(), prose()):
            header, rows = table
            text = as_text([header, *rows], delimiter=mark)
            yield case(f"delimiter {name}, {header[0]}", text, header, rows)
    header, rows = stock(PLACES[2])
    whole = [header, *rows]
    for name, options in {
        "all quoted": {"quoting": csv.QUOTE_ALL},
        "single quotes": {"quotechar": "'", "quoting": csv.QUOTE_ALL},
        "backslash": {"doublequote": False, "escapechar": "\\"},
        "no quoting": {"quoting": csv.QUOTE_NONE, "delimiter": "\t", "quotechar": None},
        "lf": {"lineterminator": "\n"},
        "cr": {"lineterminator": "\r"},
    }.items():
        yield case(f"dialect: {name}", as_text(whole, **options), header, rows)
    spaced = "\n".join(", ".join(f'"{cell}"' for cell in row) for row in [words()[0], *words()[1]])
    yield case("dialect: blank behind the comma", spaced + "\n", *words())
    lines = as_text(whole).replace("\r\n", "\n\n")
    yield case("dialect: blank line after each", lines, header, rows)
    ends = "".join(
        line + ("\r\n" if at % 2 else "\n")
        for at, line in enumerate(as_text(whole).split("\r\n")[:-1])
    )
    yield case("dialect: mixed line ends", ends, header, rows)


def _tops(case) -> Iterator[Case]:
    header, rows = stock(PLACES[2])
    for mark in (",", ";"):
        text = as_text([header, *rows], delimiter=mark)
        fill = mark * 5
        for name, top in {
            "1 title": "Stock report 2024\n",
            "title and blank": "Stock report 2024\n\n",
            "3 lines": "Ministry of Health\nStock report\nJanuary to March\n",
            "blank lines": "\n\n\n",
            "key and value": f"Report{mark}Stock\nPeriod{mark}2024Q1\nPrinted{mark}2024-04-02\n\n",
            "as from a sheet": f"Stock report 2024{fill}\n{fill}\n",
            "sentence with commas": "Figures are preliminary, partial, and may change.\n\n",
            "8 lines": "".join(f"note {at}: see the manual\n" for at in range(8)),
            "comments": "# exported by stockapp 2.1\n# user: clerk\n",
        }.items():
            yield case(f"top ({mark}): {name}", top + text, header, rows)
    body = as_text(rows)
    yield case("top: title, no header", "Stock report 2024\n\n" + body, None, rows)


def _headers(case) -> Iterator[Case]:
    header, rows = stock(PLACES[2])
    yield case("header: none", as_text(rows), None, rows)
    yield case("header: none, words", as_text(words()[1]), None, words()[1])
    units = ["", "", "", "", "(boxes)", "(USD)"]
    joined = [" ".join(filter(None, pair)) for pair in zip(header, units, strict=True)]
    yield case("header: units below", as_text([header, units, *rows]), joined, rows)
    top = ["", "", "2023", "", "2024", ""]
    low = ["code", "district", "boys", "girls", "boys", "girls"]
    numbers = [
        [f"D{at}", f"district {at}", *(str(at * k % 90) for k in (3, 5, 7, 11))] for at in range(20)
    ]
    both = ["code", "district", "2023 boys", "2023 girls", "2024 boys", "2024 girls"]
    yield case("header: two lines, spanning", as_text([top, low, *numbers]), both, numbers)
    years = ["country", "2019", "2020", "2021", "2022"]
    series = [[f"country {at}", *(str(at * k) for k in (11, 12, 13, 14))] for at in range(15)]
    yield case("header: years", as_text([years, *series]), years, series)
    quoted = ["id\nnumber", "name, full", "size"]
    table = [[str(at), f"x {at}", str(at * 2)] for at in range(12)]
    yield case("header: line break in a name", as_text([quoted, *table]), quoted, table)
    yield case(
        "header: first cell empty", as_text([["", *header[1:]], *rows]), ["", *header[1:]], rows
    )
    r_style = "\n".join(
        [" ".join(f'"{n}"' for n in ("a", "b")), *(f'"{at}" {at * 2} {at * 3}' for at in range(12))]
    )
    yield case(
        "header: row names without one",
        r_style + "\n",
        ["row_name", "a", "b"],
        [[str(at), str(at * 2), str(at * 3)] for at in range(12)],
    )
    yield case(
        "header: rows end with a delimiter",
        as_text([header]) + "".join(line + ",\n" for line in as_text(rows).split("\r\n")[:-1]),
        header,
        rows,
    )
    trailing = as_text([header, *rows]).replace("\r\n", ",\r\n")
    yield case(
        "header: all lines end with a delimiter",
        trailing,
        [*header, ""],
        [[*row, ""] for row in rows],
    )
    yield case("header: one row", as_text([header, rows[0]]), header, rows[:1])
    yield case(
        "one column of words",
        "name\nAmina\nJoseph\nFatou\n",
        ["name"],
        [["Amina"], ["Joseph"], ["Fatou"]],
    )
    yield case("one column of numbers", "n\n1.5\n2.5\n17\n", ["n"], [["1.5"], ["2.5"], ["17"]])
    yield case(
        "one column of dates",
        "day\n02/01/2014\n31/12/2012\n",
        ["day"],
        [["02/01/2014"], ["31/12/2012"]],
    )


def _bottoms(case) -> Iterator[Case]:
    header, rows = stock(PLACES[2])
    text = as_text([header, *rows])
    for name, end in {
        "total": "Total,,,,1816,1300.25\n",
        "total after a blank line": "\nTOTAL,,,,1816,1300.25\n",
        "note": "Source: Ministry of Health\n",
        "note after a blank line": "\nFigures are preliminary.\n",
        "notes as from a sheet": ",,,,,\nNote: partial data for two districts,,,,,\n",
        "three lines": "\nNotes:\n1. partial data\n2. see annex\n",
        "blank lines": "\n\n\n",
        "end of report": "*** end of report ***\n",
    }.items():
        yield case(f"bottom: {name}", text + end, header, rows)
    numbers = [[f"district {at}", str(at * 3), str(at * 5)] for at in range(15)]
    table = as_text([["district", "boys", "girls"], *numbers])
    yield case(
        "bottom: grand total",
        table + "Grand total,315,525\n",
        ["district", "boys", "girls"],
        numbers,
    )


def _cells(case) -> Iterator[Case]:
    header, rows = stock(PLACES[2])
    comma = [[*row[:5], row[5].replace(".", ",")] for row in rows]
    yield case(
        "cells: decimal comma, semicolon", as_text([header, *comma], delimiter=";"), header, comma
    )
    yield case("cells: decimal comma, quoted", as_text([header, *comma]), header, comma)
    yield case(
        "cells: decimal comma, tab", as_text([header, *comma], delimiter="\t"), header, comma
    )
    money = [[*row[:5], f"{at * 1371:,}.50"] for at, row in enumerate(rows)]
    yield case("cells: thousands", as_text([header, *money]), header, money)
    gaps = [
        ["" if (at + k) % 2 else cell for k, cell in enumerate(row)] for at, row in enumerate(rows)
    ]
    yield case("cells: half are empty", as_text([header, *gaps]), header, gaps)
    marks = [
        ["NA" if k > 3 and (at + k) % 3 == 0 else cell for k, cell in enumerate(row)]
        for at, row in enumerate(rows)
    ]
    yield case("cells: NA", as_text([header, *marks]), header, marks)
    days = [[*row[:2], "/".join(row[2].split("-")[::-1]), *row[3:]] for row in rows]
    yield case("cells: days first", as_text([header, *days], delimiter=";"), header, days)
    times = [[f"{8 + at % 9}:{at:02d}", f"{at}:00:30,5", str(at)] for at in range(30)]
    yield case(
        "cells: times",
        as_text([["from", "to", "n"], *times], delimiter=";"),
        ["from", "to", "n"],
        times,
    )
    urls = [[str(at), f"https://example.org/a,b;c={at}", f"a|b|{at}"] for at in range(20)]
    yield case(
        "cells: addresses", as_text([["n", "url", "tags"], *urls]), ["n", "url", "tags"], urls
    )
    data = [[str(at), json.dumps({"a": at, "b": [1, 2]})] for at in range(20)]
    yield case("cells: JSON", as_text([["n", "json"], *data]), ["n", "json"], data)
    inches = [[str(at), f'{at}" pipe', f"it's {at}"] for at in range(20)]
    plain = "\n".join("\t".join(row) for row in [["n", "item", "remark"], *inches])
    yield case("cells: inches without quoting", plain + "\n", ["n", "item", "remark"], inches)


def _broken(case) -> Iterator[Case]:
    header, rows = stock(PLACES[2])
    lines = as_text([header, *rows], lineterminator="\n").split("\n")
    ragged = [*lines[:10], "99999,too,few", *lines[10:20], "1,2,3,4,5,6,7,8", *lines[20:]]
    yield case("broken: two ragged lines", "\n".join(ragged), header, rows)
    stray = [*lines[:15], '77777,"open,2024-01-01,x,1,2', *lines[15:]]
    yield case("broken: a quote that stays open", "\n".join(stray), header, rows)
    cut = "\n".join(lines[:30])[:-9]
    yield case("broken: cut off in the last line", cut, header, rows[:28])
    short = [row[:5] if at % 3 == 0 else [*row[:5], f"{at}.5"] for at, row in enumerate(rows)]
    full = [[*row[:5], "" if at % 3 == 0 else f"{at}.5"] for at, row in enumerate(rows)]
    yield case("broken: ends left out", as_text([header, *short]), header, full)


if __name__ == "__main__":
    main(sys.argv[1:])
