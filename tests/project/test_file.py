from pathlib import Path

import pytest

from qua3ck.kit import Qua3ckError
from qua3ck.project.file import ProjectFileErrors, json_schema, read_project_file

GOOD = """\
project: stock
question:
  asks: Which districts run out?
  decides: The supply officer, monthly.
  why_now: The season starts.
  risks: Children go without.
  stop_if: [rows < 6]
  kpis:
    - {id: recall_stockout, metric: recall, at_least: 0.80}
understand:
  sources:
    stock: {kind: csv, path: data/stock.csv, null: [NO, "-"]}
  target: stockout
"""


def _read(tmp_path: Path, text: str):
    path = tmp_path / "qua3ck.yaml"
    path.write_text(text, encoding="utf-8")
    return read_project_file(path)


def _mistakes(tmp_path: Path, text: str):
    with pytest.raises(Qua3ckError) as caught:
        _read(tmp_path, text)
    assert caught.value.exit_code == 2
    return caught.value


def test_reads_a_project_and_keeps_no_as_a_word(tmp_path):
    file, places = _read(tmp_path, GOOD)
    assert file.question.kpis[0].threshold == 0.8
    assert file.understand.sources["stock"].null == ("NO", "-")
    assert places.where("question", "kpis", 0, "metric").endswith(
        "line 9, column 29, question.kpis[0].metric"
    )


@pytest.mark.parametrize(
    ("before", "after", "what", "line", "fix"),
    [
        ("asks:", "ask:", 'Unknown key "ask"; did you mean "asks"', 3, "asks"),
        ("at_least: 0.80", 'at_least: "0.80"', 'at_least is the text "0.80"', 9, "at_least: 0.80"),
        ("at_least: 0.80", "at_least: 80 %", 'the text "80 %"', 9, "at_least: 0.8 "),
        ("at_least: 0.80", "at_least: 35%", 'the text "35%"', 9, "at_least: 0.35 (a number"),
        ("at_least: 0.80", "at_least: 7,5%", "7,5%, with a decimal", 9, "write at_least: 0.075"),
        ("at_least: 0.80", "at_least: 0,35", "0,35, with a decimal", 9, "write at_least: 0.35"),
        ("at_least: 0.80", 'at_least: "0,35"', 'the text "0,35"', 9, "at_least: 0.35 (a number"),
        ("recall, at_least: 0.80", "recall, 35", 'Unknown key "35"', 9, "use one of"),
        (", at_least: 0.80", "", "exactly one of at_least or at_most", 9, "at_least: NUMBER"),
        ("  risks: Children go without.\n", "", '"risks" is missing', 2, "add a line: risks"),
        ("kind: csv", "kind: cvs", 'did you mean "csv"', 12, "csv, excel, json, parquet"),
        ("stop_if: [rows < 6]", "stop_if: rows < 6", "a list is expected", 7, "[rows < 6]"),
        ("path: data", "paht: data", 'Unknown key "paht"; did you mean "path"', 12, "path"),
        ("target: stockout", "target: 012", "would be read as a number with leading", 13, '"012"'),
        ("target: stockout", "target: 1_000", "a number with underscores", 13, '"1_000"'),
        ("target: stockout", "target: 2024-03-01", "as a date", 13, '"2024-03-01"'),
        ("target: stockout", "target:", "target is empty", 13, "text"),
    ],
)
def test_a_mistake_says_what_where_and_fix(tmp_path, before, after, what, line, fix):
    assert before in GOOD
    problem = _mistakes(tmp_path, GOOD.replace(before, after))
    assert what in problem.what
    assert f"line {line}," in problem.where
    assert (problem.code == "P003") == (
        "would be read as" in what or "a number with" in what or "as a date" in what
    )
    assert fix in problem.fix


def test_all_mistakes_are_told_at_once(tmp_path):
    text = GOOD.replace("asks:", "ask:").replace("kind: csv", "kind: cvs")
    problem = _mistakes(tmp_path, text)
    assert isinstance(problem, ProjectFileErrors)
    assert {m.code for m in problem.all} == {"P004", "P005", "P006"}


@pytest.mark.parametrize(
    ("text", "what", "fix"),
    [
        ("project: a\n\tquestion: b", "cannot be read as YAML", "tab"),
        ("project: [a", "cannot be read as YAML", "line"),
        ("", "empty", "qua3ck init"),
        ("# nothing\n", "empty", "qua3ck init"),
        ("project: a\nproject: b", "there twice", "keep one"),
        ("- a\n- b", "a section with keys is expected", "section"),
    ],
)
def test_what_is_not_yaml_is_told_in_three_lines(tmp_path, text, what, fix):
    problem = _mistakes(tmp_path, text)
    assert what in problem.what
    assert fix in problem.fix
    assert problem.code in {"P002", "P006"}


def test_a_file_that_is_not_utf8_is_told(tmp_path):
    path = tmp_path / "qua3ck.yaml"
    path.write_bytes(b"project: caf\xe9")
    with pytest.raises(Qua3ckError, match="not UTF-8"):
        read_project_file(path)


def test_the_schema_lists_the_sections():
    assert {"question", "understand", "a3", "conclude", "transfer"} <= set(
        json_schema()["properties"]
    )


def test_a_folded_text_is_read_as_one_line_without_marks(tmp_path):
    folded = GOOD.replace("Children go without.", ">-\n    Children go\n    without.")
    file, _ = _read(tmp_path, folded)
    assert file.question.risks == "Children go without."
