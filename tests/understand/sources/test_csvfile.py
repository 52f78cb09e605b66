from __future__ import annotations

import gzip
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from qua3ck.kit.errors import Qua3ckError
from qua3ck.understand.section import Source
from qua3ck.understand.sources import read_source


def read(folder: Path, data: bytes | str, *, name: str = "f.csv", **declared):
    (folder / name).write_bytes(data.encode() if isinstance(data, str) else data)
    return read_source("s", Source(kind="csv", path=name, **declared), folder)


def columns(folder: Path, data: bytes | str, **declared) -> dict[str, list[object]]:
    return read(folder, data, **declared).rows.to_pydict()


def types(folder: Path, data: str, **declared) -> list[str]:
    return [str(kind) for kind in read(folder, data, **declared).rows.schema.types]


def refused(folder: Path, data: bytes | str, **declared) -> Qua3ckError:
    with pytest.raises(Qua3ckError) as told:
        read(folder, data, **declared)
    return told.value


@pytest.mark.parametrize(
    ("cells", "kind"),
    [
        (["1", "-2", "0"], "int64"),
        (["1", "007", "3"], "string"),
        (["1", "99999999999999999999"], "string"),
        (["1", "2.5", "-1e3"], "double"),
        (["1.5", "007.5"], "string"),
        (["1,5", "2"], "string"),
        (["true", "False"], "bool"),
        (["2024-02-29", "1999-12-31"], "date32[day]"),
        (["2023-02-29", "1999-12-31"], "string"),
        (["2024-01-01 10:00", "2024-01-01T10:00:01.5"], "timestamp[us]"),
        (["2024-01-01T10:00Z", "2024-01-01T10:00:00+02:00"], "timestamp[us, tz=UTC]"),
        (["NO", "NA"], "string"),
        (["1", "NA"], "string"),
        (["nan", "inf"], "string"),
        ([" 1", "2 "], "int64"),
        (["", ""], "string"),
    ],
)
def test_a_type_is_given_only_if_every_cell_has_it(tmp_path, cells, kind):
    lines = "".join(f'"{cell}",x\n' for cell in cells)
    assert types(tmp_path, "a,b\n" + lines)[0] == kind


def test_empty_cells_and_declared_markers_alone_are_null(tmp_path):
    got = columns(tmp_path, "country,n\nNA,1\n,?\n?,3\n", null=("?",))
    assert got == {"country": ["NA", None, None], "n": [1, None, 3]}


def test_text_keeps_its_blanks_and_zeros(tmp_path):
    assert columns(tmp_path, "code,t\n007, x \n012,y\n") == {
        "code": ["007", "012"],
        "t": [" x ", "y"],
    }


def test_a_decimal_comma_is_read_only_where_declared(tmp_path):
    text = "a;b\n1,5;x\n-2,25;y\n"
    assert columns(tmp_path, text)["a"] == ["1,5", "-2,25"]
    assert columns(tmp_path, text, decimal=",")["a"] == [1.5, -2.25]


@pytest.mark.parametrize(("mark", "name"), [(",", "c"), (";", "s"), ("\t", "t"), ("|", "b")])
def test_the_delimiter_is_the_one_with_equal_counts(tmp_path, mark, name):
    text = f'a{mark}b\n"x,;{mark}y"{mark}1\n"two\nlines"{mark}2\n'
    assert columns(tmp_path, text)["b"] == [1, 2]


def test_two_fitting_delimiters_are_not_guessed_between(tmp_path):
    told = refused(tmp_path, "a;b,c\n1;2,3\n")
    assert told.code == "U102"
    assert "comma and a semicolon" in told.what
    assert columns(tmp_path, "a;b,c\n1;2,3\n", delimiter=";") == {"a": [1], "b,c": ["2,3"]}


def test_one_column_needs_no_delimiter_and_keeps_its_empty_cells(tmp_path):
    assert columns(tmp_path, "a\n1\n\n3\n") == {"a": [1, None, 3]}


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("a,b\n1,2\n1,2,3\n", "Row 2 of f.csv has 3 cells, the header has 2"),
        ("a,b\n1\n2,3\n", "Row 1 of f.csv has 1 cells"),
        (
            'a,b\n"x\ny",1\n1,2,3\n4,5,6\n',
            "Row 2 of f.csv has 3 cells, the header has 2, and 1 more",
        ),
    ],
)
def test_a_ragged_row_is_named_and_never_dropped(tmp_path, text, says):
    told = refused(tmp_path, text)
    assert says in told.what
    assert told.code == "U102"


def test_a_ragged_row_is_found_in_a_large_file(tmp_path):
    lines = ["a,b", *(f"{n},{n}" for n in range(200_000)), "1,2,3"]
    assert "Row 200001 " in refused(tmp_path, "\n".join(lines)).what


def test_an_open_quote_does_not_swallow_rows(tmp_path):
    told = refused(tmp_path, 'a,b\n1,x\n2,"y\n3,z\n')
    assert "never closed; it begins at row 2" in told.what
    assert "quotes do not close" in refused(tmp_path, '"a,b\n1,2\n', delimiter=",").what


def test_blank_lines_hold_no_row_and_line_ends_may_be_any(tmp_path):
    assert columns(tmp_path, "\n\na,b\r\n1,2\r\n\r\n3,4\r\n\r\n") == {"a": [1, 3], "b": [2, 4]}


def test_a_header_may_have_a_byte_order_mark_quotes_and_line_breaks(tmp_path):
    text = '\ufeff"a\nb", c \n1,2\n'
    assert columns(tmp_path, text) == {"a\nb": [1], "c": [2]}


def test_a_wrong_encoding_names_the_byte(tmp_path):
    told = refused(tmp_path, "name,n\nJürgen,1\n".encode("cp1252"))
    assert "byte 8" in told.what
    assert "encoding: cp1252" in told.fix
    good = columns(tmp_path, "name,n\nJürgen,1\n".encode("cp1252"), encoding="cp1252")
    assert good["name"] == ["Jürgen"]


def test_utf16_is_recognised_and_unknown_encodings_refused(tmp_path):
    raw = "a,b\n1,2\n".encode("utf-16")
    assert "utf-16" in refused(tmp_path, raw).fix
    assert columns(tmp_path, raw, encoding="utf-16") == {"a": [1], "b": [2]}
    assert 'Unknown encoding "utf-9"' in refused(tmp_path, raw, encoding="utf-9").what


@pytest.mark.parametrize(
    ("data", "says", "code"),
    [
        ("", "is empty", "U103"),
        ("\n \n", "is empty", "U103"),
        ("a,b\n", "a header and no rows", "U103"),
        ("a,b,a\n1,2,3\n", 'two columns called "a"', "U102"),
    ],
)
def test_what_is_no_table_is_refused(tmp_path, data, says, code):
    told = refused(tmp_path, data)
    assert says in told.what
    assert told.code == code


def test_a_missing_file_names_the_nearest_one(tmp_path):
    (tmp_path / "loans.csv").write_text("a\n1\n")
    with pytest.raises(Qua3ckError, match=r'did you mean "loans.csv"') as told:
        read_source("s", Source(kind="csv", path="loan.csv"), tmp_path)
    assert told.value.code == "U101"


def test_columns_without_a_name_get_one_and_it_is_said(tmp_path):
    loaded = read(tmp_path, ",x\n1,5\n2,6\n")
    assert loaded.rows.column_names == ["unnamed_1", "x"]
    assert [f.code for f in loaded.findings] == ["U018"]


def test_gzip_and_patterns_are_read_in_name_order_with_types_over_all(tmp_path):
    (tmp_path / "p2.csv").write_text("b,a\nx,2.5\n")
    (tmp_path / "p1.csv.gz").write_bytes(gzip.compress(b"a,b\n1,y\n"))
    loaded = read_source("s", Source(kind="csv", path="p*.csv*"), tmp_path)
    assert loaded.rows.to_pydict() == {"a": [1.0, 2.5], "b": ["y", "x"]}
    assert list(loaded.files) == ["p1.csv.gz", "p2.csv"]


def test_files_of_one_pattern_need_equal_columns(tmp_path):
    (tmp_path / "p1.csv").write_text("a,b\n1,2\n")
    (tmp_path / "p2.csv").write_text("a,c\n1,2\n")
    with pytest.raises(Qua3ckError, match=r"p2.csv has other columns than p1.csv"):
        read_source("s", Source(kind="csv", path="p*.csv"), tmp_path)


@pytest.mark.parametrize(
    ("wanted", "rows"),
    [("integer", "2, 3"), ("number", "2, 3"), ("boolean", "1, 2, 3, 5"), ("date", "1, 2, 3, 5")],
)
def test_cells_that_do_not_fit_a_declared_type_are_named_by_row_only(tmp_path, wanted, rows):
    told = refused(tmp_path, "a\n007\nsecret\n2024-02-30\n\n5\n", types={"a": wanted})
    assert f"declared type {wanted}: rows {rows}" in told.what
    assert "secret" not in str(told)


def test_declared_types_are_obeyed(tmp_path):
    text = "a,b,c\n007,1,2024-01-01\n8,2,2024-01-02T03:04\n"
    kinds = {"a": "integer", "b": "string", "c": "timestamp"}
    got = columns(tmp_path, text, types=kinds)
    assert (got["a"], got["b"]) == ([7, 8], ["1", "2"])
    assert [str(moment) for moment in got["c"]] == ["2024-01-01 00:00:00", "2024-01-02 03:04:00"]
    told = refused(tmp_path, text, types={"aa": "integer"})
    assert 'No column "aa"; did you mean "a"' in told.what or 'No column "aa"' in told.what


@pytest.mark.parametrize(
    ("cells", "expected"),
    [
        (["1", "2", "?", "4"], ["?"]),
        (["1", "2", "NA", "unknown"], ["NA", "unknown"]),
        ([*map(str, range(30)), "Ada L."], []),
        (["a", "b", "1"], None),
        (["1", "2", "007"], None),
        ([*"0123456789" * 3, "1-2", "3-4", "5-6", "7-8", "9-9", "8-8"], None),
    ],
)
def test_a_column_that_would_be_a_number_but_for_markers_is_reported(tmp_path, cells, expected):
    findings = read(tmp_path, "a,b\n" + "".join(f"{cell},x\n" for cell in cells)).findings
    if expected is None:
        assert findings == ()
    else:
        assert [f.code for f in findings] == ["U017"]
        assert sorted(findings[0].evidence["shown"]) == sorted(expected)
        assert "Ada" not in findings[0].says


cell = st.text(st.characters(codec="utf-8", exclude_categories=["Cs", "Cc"]), max_size=6)


@given(st.lists(st.tuples(cell, cell), min_size=1, max_size=8))
def test_every_row_and_text_cell_that_pandas_writes_comes_back(tmp_path_factory, rows):
    folder = tmp_path_factory.mktemp("csv")
    frame = pd.DataFrame(rows, columns=["a", "b"])
    kinds = {"a": "string", "b": "string"}
    got = columns(folder, frame.to_csv(index=False), delimiter=",", types=kinds)
    for name in ("a", "b"):
        assert [text or "" for text in got[name]] == [
            text if text.strip() else "" for text in frame[name]
        ]
