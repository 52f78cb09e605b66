"""Files that other programs read back unchanged, and that no spreadsheet runs as formulas."""

from __future__ import annotations

import datetime as dt

import openpyxl
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from qua3ck.kit.errors import Qua3ckError
from qua3ck.understand.publish.files import write_files
from qua3ck.understand.publish.star import Table

ROWS = pa.table(
    {
        "code": ["007", "=1+1", "@x", "Côte", None],
        "day": [dt.date(2024, 2, 29), None, None, None, None],
        "n": pa.array([1, 2**53 - 1, None, 4, 5], pa.int64()),
        "at": pa.array([dt.datetime(2024, 1, 1, 12, tzinfo=dt.UTC)] * 5, pa.timestamp("us", "UTC")),
    }
)
WORDS = pa.table({"table": ["fact_a"], "column": ["code"], "meaning": ["the code"]})


def write(folder, *kinds):
    return write_files([Table("fact_a", ROWS)], WORDS, folder=folder, kinds=kinds, title="office")


def test_parquet_holds_the_very_table(tmp_path):
    write(tmp_path / "out", "parquet")
    assert pq.read_table(tmp_path / "out" / "fact_a.parquet").equals(ROWS)


def test_a_workbook_has_a_sheet_per_table_and_the_dictionary(tmp_path):
    (path,) = write(tmp_path / "out", "excel")
    book = openpyxl.load_workbook(path)
    assert book.sheetnames == ["fact_a", "data_dictionary"]
    rows = list(book["fact_a"].iter_rows(values_only=True))
    assert rows[0] == ("code", "day", "n", "at")
    assert [str(value) for value in rows[1]] == [
        "007",
        "2024-02-29 00:00:00",
        "1",
        "2024-01-01 12:00:00",
    ]
    assert book["fact_a"]["A3"].value == "=1+1"
    assert book["fact_a"]["A3"].data_type == "s", "a formula would be run by whoever opens it"


def test_csv_is_utf8_for_excel_and_runs_nothing(tmp_path):
    write(tmp_path / "out", "csv")
    raw = (tmp_path / "out" / "fact_a.csv").read_bytes()
    assert raw.startswith(b"\xef\xbb\xbf")
    read = pd.read_csv(tmp_path / "out" / "fact_a.csv", dtype="string")
    assert read["code"].tolist()[:4] == ["007", "'=1+1", "'@x", "Côte"]


def test_what_was_published_before_is_replaced_as_a_whole(tmp_path):
    write(tmp_path / "out", "csv", "parquet")
    write(tmp_path / "out", "csv")
    names = sorted(path.name for path in (tmp_path / "out").glob("[!.]*"))
    assert names == ["data_dictionary.csv", "fact_a.csv"]
    assert [path.name for path in tmp_path.iterdir()] == ["out"], "nothing is left beside it"


def test_a_folder_with_files_of_others_is_not_touched(tmp_path):
    (tmp_path / "thesis.docx").write_text("ten years of work")
    with pytest.raises(Qua3ckError, match="holds files that qua3ck has not written") as caught:
        write(tmp_path, "csv")
    assert caught.value.code == "U163"
    assert (tmp_path / "thesis.docx").read_text() == "ten years of work"


def test_a_failure_in_the_middle_leaves_what_was_there(tmp_path):
    write(tmp_path / "out", "csv")
    long = Table("fact_b", pa.table({"x": pa.nulls(1_048_576, pa.int64())}))
    with pytest.raises(Qua3ckError, match="a sheet holds 1048575"):
        write_files([long], WORDS, folder=tmp_path / "out", kinds=["csv", "excel"], title="t")
    assert (tmp_path / "out" / "fact_a.csv").is_file()
    assert [path.name for path in tmp_path.iterdir()] == ["out"]
