from __future__ import annotations

import datetime as dt
import json

import pandas as pd
import pyarrow.compute as pc
import pytest
from openpyxl import Workbook
from ruamel.yaml import YAML
from staging import SHEETS, needs_sheets, refused, staged

from qua3ck.understand.sources.places import place_of

PBS = """\
pbs: {kind: csv, path: PBS_raw.csv, skip: 3, thousands: ",", dates: {Month: ["%b-%y"]}, tidy: [
  {blocks: {title: Measure, lines: {SCRIPTS: Scripts, GOVT COST $: Cost}}},
  {unpivot: {left: [Group, ATC2, ATC2_desc], top: [Month], spread: Measure}},
  {drop: {ATC2: "", Scripts: ""}},
  {split: {column: Group, into: [Concession, Type], pattern: (\\w+) (.+)}},
  {map: {column: Concession, values: {CONCESSIONAL: Concessional, GENERAL: General}}},
  {map: {column: Type, values: {SAFETY NET: Safety net, NON-SAFETY NET: Co-payments}}},
  {split: {column: ATC2, into: [ATC2, ATC1], pattern: ((.).*)}},
  {map: {column: ATC1, into: ATC1_desc, values: {A: Alimentary tract and metabolism, V: Various,
    B: Blood and blood forming organs, C: Cardiovascular system, D: Dermatologicals, Z: null,
    G: Genito urinary system and sex hormones, J: Antiinfectives for systemic use,
    H: "Systemic hormonal preparations, excl. sex hormones and insulins", N: Nervous system,
    L: Antineoplastic and immunomodulating agents, R: Respiratory system, S: Sensory organs,
    P: "Antiparasitic products, insecticides and repellents", M: Musculo-skeletal system}}},
  {gaps: {along: Month, by: [Concession, Type, ATC1, ATC2], fill: {Scripts: 0, Cost: 0}}}]}
"""
TRUTH = "PBS_truth_tidy.csv.gz"


@needs_sheets
def test_the_pbs_sheet_reaches_its_truth_cell_by_cell_in_fifteen_lines():
    """Rows that fill a gap have no descriptions in the truth: ``by`` does not name them."""
    assert len(PBS.splitlines()) <= 15
    declared = YAML(typ="safe").load(PBS)["pbs"]
    del declared["path"]
    rows, made = staged(SHEETS / "pbs" / "PBS_raw.csv", **declared)
    assert rows.num_rows == 67_596
    assert made.held.num_rows == 0
    assert pc.sum(rows["Scripts"]).as_py() == 2_372_360_811
    assert round(pc.sum(rows["Cost"]).as_py()) == 58_719_132_632
    got = rows.drop_columns(["_row"]).to_pandas()
    got["Month"] = pd.to_datetime(got["Month"]).dt.strftime("%Y-%m")
    truth = pd.read_csv(SHEETS / "pbs" / TRUTH, keep_default_na=False)
    key = ["Month", "Concession", "Type", "ATC1", "ATC2"]
    got = got[truth.columns].fillna("").sort_values(key, ignore_index=True)
    truth = truth.sort_values(key, ignore_index=True)
    pd.testing.assert_frame_equal(got, truth, check_dtype=False, rtol=1e-12)


@needs_sheets
def test_every_line_of_the_pbs_sheet_is_accounted_for_and_every_value_found_again():
    declared = YAML(typ="safe").load(PBS)["pbs"]
    path = SHEETS / "pbs" / declared.pop("path")
    rows, made = staged(path, **declared)
    told = made.how["tidy"]
    assert told["lines"] == {
        "all": 692,
        "skipped": 3,
        "blank": 8,
        "titles": 2,
        "heading": 2,
        "heading again": 2,
        "records": 675,
    }
    sheet = pd.read_csv(path, header=None, dtype=str, keep_default_na=False)
    for row in rows.slice(0, 67_596).to_pylist()[::5003]:
        line, column = divmod(row["_row"], 100_000)
        if row["ATC2_desc"] is None:  # a gap: the cell is empty
            assert sheet.iloc[line - 1, column - 1] in {"", "0"}
            continue
        assert sheet.iloc[line - 1, column - 1].replace(",", "") == str(row["Scripts"])
        assert sheet.iloc[line - 1, 1] == row["ATC2"]
        assert place_of(row["_row"], made.how).startswith(f"line {line}, column ")


def series(path):
    """Write a sheet as statistical offices do: facts about each series above its values."""
    sheet = (book := Workbook()).active
    sheet.title = "Data1"
    facts = {
        None: ["Slaughtered ;  Cattle ;  Victoria ;", "Slaughtered ;  Pigs ;  Total (State) ;"],
        "Unit": ["000", "000"],
        "Series Type": ["Original", "Trend"],
        "Series Start": [dt.date(2023, 1, 1)] * 2,
        "Series ID": ["A1", "A2"],
    }
    for name, cells in facts.items():
        sheet.append([name, *cells])
    sheet.append([dt.date(2023, 1, 1), 93, 120.5])
    sheet.append([dt.date(2023, 2, 1), 109.3, None])
    book.create_sheet("Index").append(["Series ID", "x"])
    book["Index"].append(["A1", "y"])
    book.save(path)
    return path


def test_series_with_facts_above_them_become_rows(tmp_path):
    top = ["Item", None, "Series Type", None, "Series ID"]
    steps = [
        {"unpivot": {"left": ["Month"], "top": top, "value": "Count"}},
        {"keep": {"Series Type": "Original"}},
        {"split": {"column": "Item", "into": ["What", "Animal", "State"], "by": ";"}},
        {"scale": {"Count": 1000}},
        {"columns": ["Month", "Animal", "State", "Count"]},
    ]
    rows, made = staged(series(tmp_path / "a.xlsx"), kind="excel", sheet="Data1", tidy=steps)
    assert rows.to_pydict() == {
        "Month": [dt.date(2023, 1, 1), dt.date(2023, 2, 1)],
        "Animal": ["Cattle", "Cattle"],
        "State": ["Victoria", "Victoria"],
        "Count": [93_000, 109_300],
        "_row": [600002, 700002],
    }
    assert place_of(600002, made.how) == "line 6, column B"
    assert made.how["sheet"] == "Data1"


def test_merged_labels_and_headings_of_a_spreadsheet_are_understood(tmp_path):
    sheet = (book := Workbook()).active
    for line in [
        ["Coverage 2023"],
        [None, None, "DTP3", None, "MCV1", None],
        ["Province", "District", "target", "done", "target", "done"],
        ["North", "a", 10, 9, 11, "#DIV/0!"],
        [None, "b", 20, 18, 21, 0],
        ["Total", None, 30, 27, 32, "#DIV/0!"],
    ]:
        sheet.append(line)
    for cells in ("A1:F1", "C2:D2", "E2:F2", "A4:A5"):
        sheet.merge_cells(cells)
    book.save(tmp_path / "a.xlsx")
    labels = ["Province", "District"]
    steps = [
        {"unpivot": {"left": labels, "top": ["Vaccine", "what"], "spread": "what"}},
        {"drop": {"Province": "Total"}},
        {"fill": ["Province"]},
    ]
    rows, made = staged(tmp_path / "a.xlsx", kind="excel", skip=1, tidy=steps)
    assert rows["Province"].to_pylist() == ["North"] * 3
    assert rows["Vaccine"].to_pylist() == ["DTP3", "DTP3", "MCV1"]
    assert rows["done"].to_pylist() == [9, 18, 0]
    assert made.held.to_pylist() == [
        {"_row": 400005, "column": "done", "code": "U040", "raw": "#DIV/0!"}
    ]


@pytest.mark.parametrize(
    ("content", "declared", "code"),
    [
        (b"", {}, "U103"),
        (b"\n\n", {}, "U103"),
        ("a;é\n".encode("cp1252"), {"delimiter": ";"}, "U102"),
        (b'a,"b\n1,2\n', {"delimiter": ","}, "U102"),
        (b"\x1f\x8b\x08\x00 cut off", {}, "U123"),
    ],
)
def test_a_text_that_cannot_be_read_is_told(tmp_path, content, declared, code):
    (tmp_path / "a.csv").write_bytes(content)
    told = refused(tmp_path / "a.csv", kind="csv", tidy=[{"fill": ["a"]}], **declared)
    assert told.code == code


def test_the_delimiter_is_decided_and_a_quoted_line_end_keeps_the_lines_right(tmp_path):
    (tmp_path / "a.csv").write_bytes(b'd;n\n"x\ny";1\n\n;2\n')
    rows, made = staged(tmp_path / "a.csv", kind="csv", tidy=[{"fill": ["d"]}])
    assert rows.to_pydict() == {"d": ["x\ny", "x\ny"], "n": [1, 2], "_row": [2, 5]}
    assert made.how["delimiter"] == ";"
    assert json.loads(json.dumps(dict(made.how)))["tidy"]["lines"]["blank"] == 1
