from __future__ import annotations

import csv
import io
import json

import pytest

from qua3ck.app import asking, batch
from qua3ck.app.fields import fields
from qua3ck.app.reading import Reader
from qua3ck.app.visit import Visit
from qua3ck.kit.errors import Qua3ckError

HEAD = "area,storeys,use,heritage,filed_on,contact_phone"
ROW = "221.5,4,home,true,2024-05-31,500"


@pytest.fixture
def model(reader):
    return reader.model(1)


@pytest.fixture
def listed(reader, model):
    return fields(model.manifest.spec["columns"], reader.profile(1), hidden=reader.hidden())


def table_of(*lines, name="cases.csv"):
    return batch.read_table(name, "\n".join(lines).encode())


@pytest.fixture
def asked(desk, monkeypatch):
    """Return what asks a copy of the project about a table, and what it then has logged."""
    monkeypatch.setattr("qua3ck.operate.serve.compacting.Compactor.step", lambda self: None)
    visit = Visit(Reader(desk.root), "ana", ("owner",), "en", 1, "champion")

    def asks(table):
        model = visit.reader.model(1)
        converted, problems = batch.check(table, model)
        assert problems == ()
        columns = {name: converted[name].tolist() for name in model.columns}
        held = batch.refusals(asking.refused(visit, columns, len(table)), len(table))
        given = asking.ask(visit, model, columns, len(table))
        assert bool(held) == (given.problem is not None)
        return held, given, None if held else batch.answered(converted, given)

    yield asks
    visit.reader.desk().close()


def test_the_template_is_answered_once_what_it_does_not_tell_is_filled_in(asked, listed):
    table = batch.read_table("template.csv", batch.template_csv(listed))
    ((held,), given, _) = asked(table)
    assert held.what == 'Column "contact_phone" is empty, and no training row was'
    assert (held.where, given.problem.what) == ("row 1", held.what)
    _, _, made = asked(table.assign(contact_phone="500"))
    assert (len(made), made["version"].tolist()) == (1, [1])
    assert {"label", "p_no", "p_yes"} <= set(made.columns)


def test_what_is_refused_is_told_of_every_column_and_counted(asked):
    rows = [ROW, ROW.replace("221.5", ""), ROW.replace("221.5,4", ",1e300")]
    held, _, _ = asked(table_of(HEAD, *rows))
    told = {(one.what.split('"')[1], one.where) for one in held}
    assert told == {("area", "2 of 3 rows, first in row 2"), ("storeys", "row 3")}
    assert all(one.fix for one in held)


def test_the_excel_template_says_the_same_as_the_csv_one(model, listed):
    data = batch.template_excel(listed, ["column", "kind", "values"])
    table = batch.read_table("template.xlsx", data)
    _, problems = batch.check(table, model)
    assert problems == ()
    assert list(table.columns) == HEAD.split(",")


def test_a_template_tells_nothing_of_a_hidden_column(listed):
    head, example = csv.reader(io.StringIO(batch.template_csv(listed).decode("utf-8-sig")))
    assert dict(zip(head, example, strict=True))["contact_phone"] == ""


def test_answers_are_those_of_the_model_row_by_row_and_stand_in_the_log(asked, model, desk):
    table = table_of(HEAD, ROW, "40,1,home,false,2024-05-31,200")
    _, given, made = asked(table)
    _, _, alone = asked(table.iloc[[1]])
    converted, _ = batch.check(table, model)
    direct = model.predict(converted[list(model.columns)]).frame(model.manifest)
    assert made["p_yes"].tolist() == pytest.approx(direct["p_yes"].tolist())
    assert made["p_yes"].tolist()[1] == alone["p_yes"].tolist()[0]
    assert made["label"].tolist() == ["yes", "no"]
    assert made["request_id"].tolist() == [given.request_id] * 2
    assert made["row"].tolist() == [0, 1]
    (path,) = (desk.root / "state" / "serve" / "log").glob("*.jsonl")
    line = json.loads(path.read_text(encoding="utf-8").splitlines()[0])
    assert (line["id"], line["v"], line["arm"]) == (given.request_id, 1, "app")
    assert line["out"] == {name: made[name].tolist() for name in ("label", "p_no", "p_yes")}
    assert line["in"]["area"] == [221.5, 40.0]
    assert all(cell.startswith("~") for cell in line["in"]["contact_phone"]), (
        "named like a person's"
    )


@pytest.mark.parametrize(
    ("head", "row", "says"),
    [
        (HEAD.replace("area", "aera"), ROW, 'Column "area" is missing'),
        (HEAD + ",note", ROW + ",x", 'Column "note" is not known'),
        (HEAD + ",area", ROW + ",1", 'Column "area" is there 2 times'),
        (HEAD, ROW.replace("221.5", "large"), 'Column "area" has 1 value that is no number'),
        (HEAD, ROW.replace("2024-05-31", "31 May"), "no date"),
        (HEAD, ROW.replace("true", "perhaps"), "no true or false"),
    ],
)
def test_what_is_wrong_is_told_with_place_and_cure(model, head, row, says):
    _, problems = batch.check(table_of(head, row), model)
    assert any(says in problem.what for problem in problems)
    assert all(problem.where and problem.fix for problem in problems)


def test_every_mistake_is_told_at_once(model):
    bad = ROW.replace("221.5", "large").replace("2024-05-31", "soon")
    _, problems = batch.check(table_of(HEAD, ROW, bad), model)
    assert len(problems) == 2
    assert "first at row 2" in problems[0].where


def test_values_unlike_training_are_noticed_but_answered(model, listed):
    converted, problems = batch.check(table_of(HEAD, ROW, ROW.replace("home", "castle")), model)
    assert problems == ()
    (found,) = batch.notices(converted, listed)
    assert (found.column, found.rows, found.first) == ("use", 1, 2)


def test_semicolons_empty_lines_and_empty_cells_are_read():
    table = batch.read_table("a.csv", b"a;b\n1;\n\n;2\n;\n")
    assert table.to_dict("list") == {"a": ["1", ""], "b": ["", "2"]}


@pytest.mark.parametrize(
    ("name", "data", "says"),
    [
        ("a.csv", b"", "it is empty"),
        ("a.csv", "größe\n1".encode("latin-1"), "not written in UTF-8"),
        ("a.csv", b"a,b\0\n1,2", "bytes that no text has"),
        ("a.xlsx", b"%PDF-1.7", "no Excel workbook"),
        ("a.csv", b"a\n" + b"1\n" * (batch.MOST_ROWS + 1), "at most 50,000"),
    ],
)
def test_a_file_that_is_no_table_is_refused(name, data, says):
    with pytest.raises(Qua3ckError, match=says) as caught:
        batch.read_table(name, data)
    assert (caught.value.code, caught.value.where) == ("V004", name)


def test_a_downloaded_answer_is_never_a_formula():
    import pandas as pd

    table = pd.DataFrame({"a": ["=1+1", "fine", None], "n": [-1.5, 2.0, 3.0]})
    text = batch.as_csv(table).decode("utf-8-sig")
    assert text.splitlines() == ["a,n", "'=1+1,-1.5", "fine,2.0", ",3.0"]
