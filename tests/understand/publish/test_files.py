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
from qua3ck.understand.publish.stored import Stored, store

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


def test_a_file_of_that_name_is_not_replaced_by_the_folder(tmp_path):
    (tmp_path / "out").write_text("years")
    with pytest.raises(Qua3ckError, match="is a file"):
        write(tmp_path / "out", "csv")
    assert (tmp_path / "out").read_text() == "years"


def test_a_place_that_cannot_be_written_is_named_as_it_was_declared(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(Qua3ckError, match="cannot be written") as told:
        write(tmp_path / "file" / "out", "csv")
    assert (told.value.where, told.value.code) == (str(tmp_path / "file" / "out"), "U163")


def test_a_failure_in_the_middle_leaves_what_was_there(tmp_path):
    write(tmp_path / "out", "csv")
    lost = Table("fact_b", Stored(tmp_path / "no.parquet", ROWS.schema, 5))
    with pytest.raises(OSError, match=r"no\.parquet"):
        write_files([lost], WORDS, folder=tmp_path / "out", kinds=["csv"], title="t")
    assert (tmp_path / "out" / "fact_a.csv").is_file()
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


def test_a_table_too_long_for_a_sheet_is_refused_before_anything_is_written(tmp_path):
    long = Table("fact_b", Stored(tmp_path / "no.parquet", ROWS.schema, 1_048_576))
    with pytest.raises(Qua3ckError, match="a sheet of Excel holds 1048575") as caught:
        write_files([long], WORDS, folder=tmp_path / "out", kinds=["csv", "excel"], title="t")
    assert caught.value.code == "U163"
    assert not list(tmp_path.iterdir())


def test_what_lies_in_a_file_is_written_as_what_is_in_memory(tmp_path):
    kept = store(ROWS.to_batches(max_chunksize=2), ROWS.schema, tmp_path / "rows.parquet")
    for name, rows in (("stored", kept), ("held", ROWS)):
        tables = [Table("fact_a", rows)]
        kinds = ["csv", "parquet"]
        write_files(tables, WORDS, folder=tmp_path / name, kinds=kinds, title="t")
    assert pq.read_table(tmp_path / "stored" / "fact_a.parquet").equals(ROWS)
    texts = [(tmp_path / name / "fact_a.csv").read_bytes() for name in ("stored", "held")]
    assert texts[0] == texts[1]
