from __future__ import annotations

import gzip
import re
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML
from staging import PLACE, SHEETS, columns, needs_sheets, staged

from qua3ck.kit.errors import Qua3ckError
from qua3ck.understand.sources.propose import Proposal, propose, write_proposal

STATED = {
    *("encoding", "delimiter", "quote", "header", "skip", "footer", "decimal", "thousands"),
    *("null", "dates", "types", "trial"),
}
SHIPMENTS = SHEETS.parent / "supply-chain" / "SCMS_Delivery_History_Dataset.csv"


@pytest.fixture
def made(tmp_path: Path):
    """Return a function that writes a file and returns its proposal."""

    def make(text: str, encoding: str = "utf-8", name: str = "f.csv") -> tuple[Path, Proposal]:
        path = tmp_path / name
        path.write_bytes(text.encode(encoding))
        found = propose([path], place=PLACE)
        assert set(found.evidence) >= STATED
        assert all(found.evidence.values())
        return path, found

    return make


def german() -> str:
    rows = "".join(
        f"{n:03d};{'Müller' if n % 2 else 'Genève'};{1 + n % 28:02d}.{1 + n % 12:02d}.2023;"
        f"{n * 37},{n % 10}5;{'offen' if n % 11 == 0 else n}\n"
        for n in range(60)
    )
    return f"Bestand 2023\n\nnr;ort;tag;preis;ziel\n{rows}Summe;;;1.234,50;\n"


def test_a_report_of_an_office_is_proposed_whole_and_reads_so(made):
    path, found = made(german(), "cp1252")
    assert found.declared == {
        "encoding": "cp1252",
        "delimiter": ";",
        "header": 1,
        "skip": 2,
        "footer": 1,
        "decimal": ",",
        "dates": {"tag": ["%d.%m.%Y"]},
        "types": {"ziel": "integer"},
    }
    got = columns(path, kind="csv", **found.declared)
    assert (got["nr"][0], got["ort"][0], got["preis"][0]) == ("001", "Müller", 37.15)
    assert (str(got["tag"][0]), len(got["nr"])) == ("2023-02-02", 54)
    assert "54 records are loaded and 6 held (U033: 6)" in found.evidence["trial"]
    assert found.questions == (
        "Column ziel: 6 of 60 cells are no numbers (1 kinds). If they stand for no value, "
        "declare nulls: {ziel: [...]}",
    )


def slipped(bad: dict[int, str], rows: int = 40, kind: str = "{}") -> str:
    cells = (bad.get(n, kind.format(n)) for n in range(1, rows + 1))
    return "name,x\n" + "".join(f"n{n},{cell}\n" for n, cell in enumerate(cells, 1))


@pytest.mark.parametrize(
    ("text", "types", "says"),
    [
        (slipped({7: "12 or 13", 30: "5O"}), {"x": "integer"}, "2 of 40 cells"),
        (slipped({7: "x"}, kind="{}.5"), {"x": "number"}, "1 for x (line 8)"),
        (slipped({7: "maybe"}, kind="true"), {"x": "boolean"}, "x: boolean (1 of 40 cells"),
        (slipped({7: "n/a", 8: "5O"}), {"x": "integer"}, "1 stand for no value"),
        (slipped({7: "007"}), None, "none"),  # codes
        (slipped({}), None, "none"),  # the first load sees it
        (slipped({n: f"w{n}" for n in range(4, 40, 5)}), None, "none"),
    ],
)
def test_a_column_with_a_few_bad_cells_is_declared_by_what_most_are(text, types, says, made):
    path, found = made(text)
    assert found.declared.get("types") == types
    assert says in found.evidence["types"]
    got = columns(path, kind="csv", **found.declared)
    if types is None:
        assert len(got["x"]) == 40
    else:
        assert isinstance(got["x"][0], int | float)
        assert "line 8" in found.evidence["types"] or "n/a" in text


def test_what_is_declared_for_other_columns_stays_beside_what_is_proposed(tmp_path):
    file = tmp_path / "qua3ck.yaml"
    file.write_text(
        "understand:\n  sources:\n    s:\n      kind: csv\n      path: a.csv\n"
        "      types: {a: string, b: date}\n      nulls: {c: [x]}\n"
    )
    write_proposal(file, "s", {"types": {"a": "integer", "d": "number"}, "nulls": {"d": ["-"]}})
    there = YAML(typ="safe").load(file.read_text())["understand"]["sources"]["s"]
    assert there["types"] == {"a": "string", "b": "date", "d": "number"}
    assert there["nulls"] == {"c": ["x"], "d": ["-"]}


PLAIN = "".join(f"{n},name {n},{n * 2}\n" for n in range(30))
QUOTED = "".join(f'{n},"name {n}, x",{n * 2}\n' for n in range(30))


@pytest.mark.parametrize("rows", [PLAIN, QUOTED])
@pytest.mark.parametrize("bad", ['30,"nam', '30,"nam,5\n', '30,"nam" x,5\n'])
@pytest.mark.parametrize("further", [False, True])
def test_one_line_with_a_broken_quote_turns_no_quotes_off(rows, bad, further, made):
    text = "id,name,n\n" + rows + (bad.rstrip("\n") + "\n" + rows if further else bad)
    path, found = made(text)
    assert "quote" not in found.declared
    _, record = staged(path, kind="csv", **found.declared)
    assert record.came == rows.count("\n") * (2 if further else 1) + 1
    assert record.held["code"].to_pylist() == ["U031"]


def test_quotes_that_mean_inches_are_no_quotes(made):
    inches = "".join(f'{n},"{n}" pipe,{n * 2}\n' for n in range(30))
    assert made("id,name,n\n" + inches)[1].declared["quote"] == ""


def test_a_proposal_is_valid_and_can_be_pasted(made):
    _, found = made("a,b\n1,?\n2,3\n4,5\n")
    text = found.yaml()
    assert YAML(typ="safe").load(text) == found.declared
    assert 'nulls: {b: ["?"]}' in text
    assert 'delimiter: ","' in text


def test_namibia_is_no_missing_value_but_na_among_numbers_is(made):
    _, found = made("code,n\n" + "".join(f"{code},NA\nKE,3\nUG,5\n" for code in ("NA", "TZ")))
    assert found.declared["nulls"] == {"n": ["NA"]}


@pytest.mark.parametrize(
    ("text", "question"),
    [
        ("day,n\n03/04/2023,1\n05/06/2023,2\n", '"%d/%m/%Y" or "%m/%d/%Y"'),
        ("n;m\n1,234;x\n5,678;y\n", "1,234 written for 1.234 or for 1234"),
    ],
)
def test_what_could_be_two_things_is_asked_and_not_declared(made, text, question):
    _, found = made(text)
    assert question in found.questions[0]
    assert not {"dates", "decimal", "thousands"} & set(found.declared)


def dated(odd: dict[int, str], layout: str = "{0:02d}.{1:02d}.2023", rows: int = 300) -> str:
    days = (odd.get(n, layout.format(n % 28 + 1, n % 12 + 1)) for n in range(rows))
    return "n,d\n" + "".join(f"{n},{day}\n" for n, day in enumerate(days))


@pytest.mark.parametrize("layout", ["{0:02d}.{1:02d}.2023", "2023-{1:02d}-{0:02d}"])
@pytest.mark.parametrize("odd", [{7: "soon"}, {7: "soon", 90: "soon", 91: "later"}])
def test_a_rare_word_among_dates_is_held_and_asked_about(made, layout, odd):
    path, found = made(dated(odd, layout))
    assert "nulls" not in found.declared
    assert found.questions == (
        f"Column d: {len(odd)} of 300 cells are no dates ({len({*odd.values()})} kinds). If they "
        "stand for no value, declare nulls: {d: [...]}",
    )
    _, record = staged(path, kind="csv", **found.declared)
    assert (record.came, record.held["_row"].to_pylist()) == (300, [at + 1 for at in odd])


@pytest.mark.parametrize("odd", [{7: "n/a"}, dict.fromkeys(range(4, 300, 9), "Not captured")])
def test_known_markers_and_words_that_stand_there_often_are_no_dates(made, odd):
    path, found = made(dated(odd))
    assert found.declared["nulls"] == {"d": [*{*odd.values()}]}
    assert found.questions == ()
    assert columns(path, kind="csv", **found.declared)["d"].count(None) == len(odd)


def test_a_proposal_that_its_own_trial_refuses_is_asked_about(tmp_path):
    path = tmp_path / "f.csv"
    rows = "".join(f"{n},place {n}\n" for n in range(40)).encode()
    path.write_bytes(b"\xef\xbb\xbfn,name\n" + rows + b"41,M\xfcnchen\n" * 10)
    found = propose([path], place=PLACE)
    assert found.evidence["trial"].startswith("read so, the file is refused: ")
    (asked,) = found.questions
    assert "f.csv is refused when it is read as proposed" in asked
    with pytest.raises(Qua3ckError) as told:
        staged(path, kind="csv", **found.declared)
    assert told.value.what in asked


def test_commas_in_groups_of_three_are_no_fractions_where_commas_part_cells(made):
    rows = "".join(f'p{n},"{n},{n * 7:03d}",{n}\n' for n in range(1, 9))
    _, found = made("place,n,m\n" + rows)
    assert found.declared["thousands"] == ","
    assert "three digits" in found.evidence["thousands"]


def test_both_marks_are_found_together(made):
    _, found = made('a,b\n"1,7","200.000.000"\n')
    assert (found.declared["decimal"], found.declared["thousands"]) == (",", ".")


def test_names_are_proposed_where_the_header_has_none_or_equal_ones(made):
    assert made("1,2\n3,4\n")[1].declared["names"] == ["column_1", "column_2"]
    assert made("n,n\n3,4\n")[1].declared["names"] == ["n", "n_2"]


def test_several_files_are_compared(tmp_path):
    files = [tmp_path / f"{n}.csv" for n in range(4)]
    for path, text in zip(files, ["a,b\n1,2\n", "a,b\n3,4\n", "a,c\n1,2\n", "x\n"], strict=True):
        path.write_text(text)
    files[3].write_bytes(b"a,b\nJ\xfc,1\n")
    found = propose(files, place=PLACE)
    assert found.evidence["files"] == "1 of 3 other files begin alike; not: 2.csv, 3.csv"


def test_a_packed_file_and_a_large_one_are_looked_into(tmp_path, monkeypatch):
    path = tmp_path / "f.csv.gz"
    rows = "".join(f"{n};{n % 7},5\n" for n in range(30_000))
    path.write_bytes(gzip.compress(f"a;b\n{rows}\nSource: us all\n".encode()))
    monkeypatch.setattr("qua3ck.understand.sources.propose._WHOLE", 1000)
    monkeypatch.setattr("qua3ck.understand.sources.propose._HEAD", 10_000)
    found = propose([path], place=PLACE)
    assert (found.declared["decimal"], found.declared["footer"]) == (",", 1)
    assert columns(path, kind="csv", **found.declared)["a"][-1] == 29_999


@pytest.mark.parametrize(
    ("data", "code"),
    [(b"", "U103"), (b"\n\n", "U103"), (b"only a line", "U125"), (b"\x1f\x8bxx", "U123")],
)
def test_what_is_no_table_gets_no_proposal(tmp_path, data, code):
    path = tmp_path / "f.csv"
    path.write_bytes(data)
    with pytest.raises(Qua3ckError) as told:
        propose([path], place=PLACE)
    assert told.value.code == code


def test_a_header_without_records_is_proposed_and_asked_about(made):
    found = made("district;month;cases\n")[1]
    assert found.declared == {"encoding": "utf-8", "delimiter": ";", "header": 1}
    assert "no record" in found.questions[0]
    assert "no rows" in found.evidence["trial"]


PROJECT = """\
# ours
project: stock   # the name
understand:
  sources:
    # from the office
    stock: {kind: csv, path: data/*.csv}  # monthly
    other:
      kind: csv
      path: "b.csv"
      encoding: latin-1   # as told
  target: x
  sensitive:
    - sex
"""


def written(tmp_path: Path, source: str, declared: dict[str, Any]) -> tuple[bool, str]:
    path = tmp_path / "qua3ck.yaml"
    if not path.exists():
        path.write_text(PROJECT)
    return write_proposal(path, source, declared), path.read_text()


def test_keys_are_put_into_the_project_and_all_else_stays(tmp_path):
    declared = {"encoding": "cp1252", "delimiter": "\t", "skip": 2, "nulls": {"a b": ["NA", "-"]}}
    changed, text = written(tmp_path, "stock", declared)
    assert changed
    loaded = YAML(typ="safe").load(text)
    assert loaded["understand"]["sources"]["stock"] == {
        "kind": "csv",
        "path": "data/*.csv",
        **declared,
    }
    before = YAML(typ="safe").load(PROJECT)
    assert loaded["understand"]["sources"]["other"] == before["understand"]["sources"]["other"]
    for kept in (
        "# ours",
        "# the name",
        "# from the office",
        "# monthly",
        "# as told",
        "    - sex",
    ):
        assert kept in text
    assert written(tmp_path, "stock", declared) == (False, text)


def test_a_declared_key_is_replaced_where_it_stands(tmp_path):
    _, text = written(tmp_path, "other", {"encoding": "utf-8"})
    assert re.search(r"^      encoding: utf-8 +# as told$", text, re.M)


def test_a_source_that_is_not_there_is_named(tmp_path):
    with pytest.raises(Qua3ckError, match='No source "stok"') as told:
        written(tmp_path, "stok", {"skip": 1})
    assert told.value.code == "U124"
    assert (tmp_path / "qua3ck.yaml").read_text() == PROJECT


@pytest.mark.skipif(not SHIPMENTS.is_file(), reason="the shipments of ../shared/data are missing")
def test_the_shipments_dates_and_sentinels_are_found():
    found = propose([SHIPMENTS], place=PLACE)
    assert set(found.declared["dates"]) == {
        *("PQ First Sent to Client Date", "PO Sent to Vendor Date", "Scheduled Delivery Date"),
        *("Delivered to Client Date", "Delivery Recorded Date"),
    }
    rows, read = staged(SHIPMENTS, kind="csv", **found.declared)
    assert (rows.num_rows, read.held.num_rows) == (8498, 0)
    assert found.questions == ()


@needs_sheets
@pytest.mark.parametrize(
    ("name", "declared"),
    [
        ("sniff_limit.csv", {"delimiter": ";"}),
        ("test_latin1.csv", {"encoding": "cp1252"}),
        ("no_header_row.csv", {"header": 0}),
        ("realdata/Datagov_FY10_EDU_recp_by_State.csv", {"skip": 2, "footer": 2}),
        ("test_locale.csv", {"decimal": ",", "thousands": "."}),
    ],
)
def test_csvkits_examples_are_seen_through(name, declared):
    found = propose([SHEETS / "csvkit" / name], place=PLACE)
    assert {key: found.declared.get(key) for key in declared} == declared
