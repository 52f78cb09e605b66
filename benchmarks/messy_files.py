"""Delimited text, workbooks, report sheets and JSON of all sorts: a table of file -> result.

The files of csvkit, python-calamine, JSONTestSuite and the PBS report (where they are at hand).
A result is rows, rows and held records, or an error with its code; anything else is a crash.
Delimited text is read as ``qua3ck load --propose`` proposes.
What came is counted apart: the filled lines that openpyxl sees in a new workbook, the elements
that Python's json sees. Then how long reading takes beside the bare libraries below, in turns.
``--page FILE`` writes the table into its place in a page of the documentation instead.
"""

from __future__ import annotations

import io
import json
import os
import statistics
import sys
import tempfile
import time
import warnings
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

from qua3ck.kit.errors import Qua3ckError
from qua3ck.understand.section import Source, Understand
from qua3ck.understand.sending import received, sent
from qua3ck.understand.sources.pieces import Piece, Staged
from qua3ck.understand.sources.propose import propose
from qua3ck.understand.sources.stage import stage

REAL = Path(os.environ.get("QUA3CK_DATA", Path(__file__).parents[2] / "shared" / "data"))
SHEETS, SUITE = REAL / "messy-spreadsheets", REAL / "json-test-suite"
WORKBOOKS = (".xls", ".xlsx", ".xlsb", ".ods")
ROWS, COLUMNS, ROUNDS = 20_000, 10, 3
USUAL = [("encoding", "utf-8"), ("delimiter", ","), ("header", 1)]
BAR, LONG = "&#124;", 160
# One sheet of each workbook that has several; see the benchmark's table for the others.
CHOSEN = {
    **{f"base.{ending}": {"sheet": 1, "header": 0} for ending in ("ods", "xls", "xlsb")},
    "base.xlsx": {"sheet": "Sheet3", "header": 0},
    "sheets.xls": {"sheet": "data"},
    "sheets.xlsx": {"sheet": "data"},
    "table-multiple.xlsx": {"sheet": 2},
}
PBS = {
    "kind": "csv",
    "skip": 3,
    "thousands": ",",
    "dates": {"Month": ["%b-%y"]},
    "tidy": [
        {"blocks": {"title": "M", "lines": {"SCRIPTS": "Scripts", "GOVT COST $": "Cost"}}},
        {"unpivot": {"left": ["Group", "ATC2", "Name"], "top": ["Month"], "spread": "M"}},
        {"drop": {"ATC2": "", "Scripts": ""}},
        {"gaps": {"along": "Month", "by": ["Group", "ATC2"], "fill": {"Scripts": 0, "Cost": 0}}},
    ],
}


def main(argv: list[str]) -> dict[str, float]:
    """Print the table and return the counts, and the ratios of time."""
    if argv[:1] == ["--page"]:
        into_page(Path(argv[1]), "messy_files", page())
        return {}
    figures: Counter[str] = Counter()
    for group, file, declared in cases():
        outcome, lost = result(file, declared)
        figures[f"{group}_files"] += 1
        figures[f"{group}_read"] += outcome.startswith(("rows", "held"))
        figures["crashes"] += outcome.startswith("CRASH")
        figures["records_lost"] += lost
        wrong = group == "json_must" and outcome.startswith("U131") == (file.name[0] == "y")
        figures["json_judged_wrongly"] += wrong
        if "-q" not in argv and (group != "json_must" or "-v" in argv or wrong):
            print(f"{file.parent.name + '/' + file.name:58.58} {outcome}")
    told: dict[str, float] = dict(figures)
    told |= {"budget_crashes": 0, "budget_records_lost": 0, "budget_json_judged_wrongly": 0}
    told |= timed()
    print(json.dumps(told))
    return told


def cases() -> Iterator[tuple[str, Path, dict]]:
    """Yield group, file and what a person would declare of it."""
    others = (*WORKBOOKS, ".json", ".sql", "SOURCE.md")
    for file in sorted((SHEETS / "csvkit").rglob("*")):
        if file.is_file() and not file.name.endswith(others):
            yield "text", file, {"kind": "csv"}
    for file in sorted(SHEETS.rglob("*")):
        if file.suffix in WORKBOOKS:
            yield "workbook", file, {"kind": "excel"}
            if file.name in CHOSEN:
                yield "workbook", file, {"kind": "excel", **CHOSEN[file.name]}
    for file in sorted((SHEETS / "csvkit").glob("*.json")):
        records = {"records": "/features"} if file.name == "test_geojson.json" else {}
        yield "json", file, {"kind": "json", **records}
    for file in sorted(SUITE.rglob("*.json")):
        either = file.name[:2] not in {"y_", "n_"}
        yield "json_either" if either else "json_must", file, {"kind": "json"}
    for file in SHEETS.glob("pbs/PBS_raw.csv"):
        yield "report", file, PBS


def result(file: Path, declared: dict) -> tuple[str, int]:
    """Return what reading a file came to, in words, and how many records got lost."""
    try:
        if declared == {"kind": "csv"}:
            declared = {"kind": "csv", **propose([file], place="s").declared}
        staged = read(file, declared)
    except Qua3ckError as told:
        return f"{told.code}  {told.what}", 0
    except Exception as problem:  # noqa: BLE001 - that is what is looked for
        return f"CRASH {type(problem).__name__}: {problem}", 0
    held = len(set(staged.held["_row"].to_pylist()))
    expected = counted(file, declared)
    lost = 0 if expected is None else abs(expected - staged.came)
    codes = sorted(set(staged.held["code"].to_pylist()))
    said = [finding.code for finding in staged.findings]
    words = f"rows {staged.came - held}" if staged.came > held else "held"
    words += f", held {held} {' '.join(codes)}" if held else ""
    words += f", said {' '.join(said)}" if said else ""
    return words + (f", LOST {lost}" if lost else ""), lost


def page() -> str:
    """Return the table as Markdown; JSON that every reader must take or refuse is counted."""
    judged: Counter[str] = Counter()
    lines = ["| file | declared | result |", "| --- | --- | --- |"]
    for group, file, declared in cases():
        if group == "json_must":
            must = "accepted" if file.name[0] == "y" else "refused"
            did = "refused" if result(file, declared)[0].startswith("U131") else "accepted"
            judged[f"{must}, {did}"] += 1
            continue
        shown = proposed(file) if declared == {"kind": "csv"} else declared
        shown = {key: value for key, value in shown.items() if key not in {"kind", "tidy"}}
        words = ", ".join(f"{key}: {json.dumps(one)}" for key, one in shown.items())
        words += " and four `tidy` steps" if "tidy" in declared else ""
        outcome = result(file, declared)[0].replace("|", BAR)
        name = f"{file.parent.name}/{file.name}"
        lines.append(f"| {name} | {words.replace('|', BAR)[:LONG]} | {outcome[:LONG]} |")
    told = "; ".join(f"{count} that must be {what}" for what, count in sorted(judged.items()))
    return "\n".join([*lines, "", f"JSONTestSuite, files with one right answer: {told}."])


def proposed(file: Path) -> dict:
    """Return what is proposed beyond the usual."""
    try:
        found = propose([file], place="s").declared
    except Qua3ckError:
        return {}
    return {key: value for key, value in found.items() if (key, value) not in USUAL}


def into_page(path: Path, part: str, text: str) -> None:
    """Put generated text between its two marks in a page."""
    before, begin, rest = path.read_text(encoding="utf-8").partition(f"<!-- begin {part} -->")
    _, end, after = rest.partition(f"<!-- end {part} -->")
    assert begin, f"{path} has no beginning for {part}"
    assert end, f"{path} has no end for {part}"
    path.write_text(f"{before}{begin}\n\n{text}\n\n{end}{after}", encoding="utf-8")


def read(file: Path, declared: dict) -> Staged:
    source = as_loaded({"path": file.name, **declared})
    piece = Piece(file.name, "", file, file.stat().st_size)
    with tempfile.TemporaryDirectory() as into:
        return stage(piece, source, None, Path(into), "s")


def as_loaded(declared: dict) -> Source:
    """Return a source as the process that loads it receives it."""
    facts = {"sources": {"s": declared}, "target": "-"}
    section = Understand.model_validate_json(json.dumps(facts))
    return received(json.loads(json.dumps(sent(section)))).sources["s"]


def counted(file: Path, declared: dict) -> int | None:
    """Return the records that others see in a file; None where nobody can be asked."""
    if file.suffix == ".xlsx":
        return counted_by_openpyxl(file, declared)
    if declared["kind"] == "json" and file.name[:2] != "i_":
        return counted_by_json(file)
    if "tidy" in declared:
        return 67_596  # rows of the published table
    return None


def counted_by_openpyxl(file: Path, declared: dict) -> int:
    from openpyxl import load_workbook

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        book = load_workbook(file, data_only=True)
    wanted = declared.get("sheet")
    sheets = [book.worksheets[wanted - 1]] if isinstance(wanted, int) else book.worksheets
    filled = [
        sum(any(cell is not None for cell in row) for row in sheet.iter_rows(values_only=True))
        for sheet in sheets
        if not isinstance(wanted, str) or sheet.title == wanted
    ]
    return max(filled) - declared.get("header", 1)


def counted_by_json(file: Path) -> int | None:
    text = file.read_text(encoding="utf-8-sig")
    try:
        value = json.loads(text)
    except json.JSONDecodeError:
        return len([line for line in text.splitlines() if line.strip()])
    if isinstance(value, dict):
        return len(value["features"]) if "features" in value else 1
    return len(value) if isinstance(value, list) else None


# -- time ----------------------------------------------------------------------------------------


def timed() -> dict[str, float]:
    """Return how many times as long we take as the bare reader below."""
    import python_calamine

    with tempfile.TemporaryDirectory() as folder:
        book, lines = written(Path(folder))

        def bare_book() -> None:
            with python_calamine.CalamineWorkbook.from_path(book) as opened:
                opened.get_sheet_by_index(0).to_python()

        def bare_lines() -> None:
            with lines.open("rb") as handle:
                for line in handle:
                    json.loads(line)

        return {
            "workbook_ratio_to_calamine": ratio(lambda: read(book, {"kind": "excel"}), bare_book),
            "lines_ratio_to_json": ratio(lambda: read(lines, {"kind": "json"}), bare_lines),
        }


def written(folder: Path) -> tuple[Path, Path]:
    """Write a workbook and a file of JSON lines with the same rows."""
    from openpyxl import Workbook

    book = Workbook(write_only=True)
    sheet = book.create_sheet("Data")
    names = [f"c{at}" for at in range(COLUMNS)]
    sheet.append(names)
    text = io.StringIO()
    for row in range(ROWS):
        cells = [row if at % 2 else f"text {row % 97}" for at in range(COLUMNS)]
        sheet.append(cells)
        text.write(json.dumps(dict(zip(names, cells, strict=True))) + "\n")
    book.save(folder / "rows.xlsx")
    (folder / "rows.ndjson").write_text(text.getvalue())
    return folder / "rows.xlsx", folder / "rows.ndjson"


def ratio(ours: Callable[[], object], bare: Callable[[], object]) -> float:
    pairs = [(seconds(ours), seconds(bare)) for _ in range(ROUNDS)]
    return round(statistics.median(own / floor for own, floor in pairs), 1)


def seconds(act: Callable[[], object]) -> float:
    start = time.perf_counter()
    act()
    return time.perf_counter() - start


if __name__ == "__main__":
    main(sys.argv[1:])
