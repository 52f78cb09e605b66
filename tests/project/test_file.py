from pathlib import Path

import pytest

from qua3ck.kit import Qua3ckError
from qua3ck.project.file import FORMS, ProjectFileErrors, json_schema, read_project_file

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


END = ""  # of the file


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


@pytest.mark.parametrize(
    ("before", "after", "what", "fix"),
    [
        (END, "a3: {seed: -1}", "seed is -1; at least 0 and at most 2000000000", "write seed: "),
        (END, "a3: {seed: 4294967296}", "seed is 4294967296; at least 0 and at most", "seed: "),
        (END, "a3: {folds: 50}", "folds is 50; at least 2 and at most 20 is", "write folds: "),
        (END, "a3: {budget: {trials: 100001}}", "at least 1 and at most 100000 is", "trials: "),
        (END, "a3: {budget: {minutes: 1e300}}", "above 0 and at most 43200 is", "minutes: "),
        (END, "conclude: {openings: 101}", "at least 1 and at most 100 is", "openings: "),
        (END, "conclude: {test_share: 0.9}", "above 0 and below 0.9 is", "test_share: "),
        (END, "conclude: {test_share: 1e400}", "test_share is inf; above 0 and below", "a number"),
        (END, "operate: {canary: [0, 100]}", "canary is 0; at least 1 and at most 100", "canary"),
        ("kind: csv", "kind: csv, header: 101", "at least 0 and at most 100 is", "write header: "),
        ("kind: csv", "kind: csv, skip: 1000001", "at least 0 and at most 1000000 is", "skip: "),
        ("kind: csv", "kind: csv, timeout: 1e9", "above 0 and at most 3600 is", "timeout: "),
        ("at_least: 0.80", "at_least: 1e400", "at_least is inf; at least -1e+18 and", "1e+18"),
        ("at_least: 0.80", "at_most: -1e19", "at_most is -1e+19; at least -1e+18", "1e+18"),
        ("0.80}", "0.80, min_rows: 1000000001}", "at least 1 and at most 1000000000", "min_rows"),
        ("0.80}", "0.80, confidence: 0.9999999}", "above 0.5 and at most 0.9999 is", "confid"),
        (
            "  kpis:",
            "  costs: {false_negative: 1e13}\n  kpis:",
            "at most 1000000000000 is",
            "false",
        ),
    ],
)
def test_a_number_out_of_range_is_told_with_the_range(tmp_path, before, after, what, fix):
    text = GOOD + after if before == END else GOOD.replace(before, after)
    error = _mistakes(tmp_path, text)
    assert what in error.what
    assert "line " in error.where
    assert fix in error.fix
    assert "Input should" not in str(error)


def test_every_number_has_both_ends_of_its_range():
    schema = json_schema()
    for name in schema["$defs"]:
        for key, said in schema["$defs"][name].get("properties", {}).items():
            parts = said.get("anyOf", [said])
            if any(one.get("type") == "string" for one in parts):
                continue  # a value of the data, whatever it is
            for one in parts:
                if one.get("type") in {"integer", "number"}:
                    ends = {"minimum", "exclusiveMinimum"}, {"maximum", "exclusiveMaximum"}
                    assert all(end & set(one) for end in ends), f"{name}.{key}"


@pytest.mark.parametrize(
    ("before", "after", "what", "fix"),
    [
        (
            "kpis:\n    - {id: recall_stockout, metric: recall, at_least: 0.80}",
            "kpis: []",
            "kpis is empty; at least one entry is expected",
            "write kpis: [{id: right, metric: accuracy, at_least: 0.9}]",
        ),
        ("[rows < 6]", "[]", "stop_if is empty; at least one", "write stop_if: [rows < 1000]"),
        (
            'sources:\n    stock: {kind: csv, path: data/stock.csv, null: [NO, "-"]}',
            "sources: {}",
            "sources is empty; at least one entry is expected",
            "write sources: {...}",
        ),
        (END, "a3: {candidates: []}", "candidates is empty", "write candidates: [...]"),
        (
            "id: recall_stockout",
            "id: Recall",
            'id is the text "Recall"; small letters',
            "write id:",
        ),
        ("project: stock", "project: 1a", 'project is the text "1a"; letters', "write project:"),
        ("asks: Which districts run out?", 'asks: ""', "asks is empty; text is expected", "asks: "),
        ("kind: csv", "kind: csv, delimiter: ab", '"ab"; at most 1 character', "delimiter: one"),
        ("kind: csv", "kind: csv, overlap: 3w", '"3w"; a number and s, m, h', "overlap: "),
    ],
)
def test_what_is_wrong_is_told_in_our_words(tmp_path, before, after, what, fix):
    text = GOOD + after if before == END else GOOD.replace(before, after)
    error = _mistakes(tmp_path, text)
    assert what in error.what
    assert fix in error.fix
    assert error.code == "P006"
    for word in ("should", "validation", "Tuple", "pattern", "qua3ck schema"):
        assert word not in str(error)


def test_every_pattern_is_told_in_words():
    def patterns(node):
        if isinstance(node, dict):
            yield from ([node["pattern"]] if isinstance(node.get("pattern"), str) else [])
            for inner in node.values():
                yield from patterns(inner)
        elif isinstance(node, list):
            for inner in node:
                yield from patterns(inner)

    assert set(patterns(json_schema())) <= set(FORMS)


@pytest.mark.parametrize(
    ("before", "after", "what", "where", "fix"),
    [
        (
            "at_least: 0.80",
            "at_least: 0.80, slice_by: [region, stockout]",
            "slice_by names the target",
            "line 9, column 80, question.kpis[0].slice_by[1]",
            "recall",
        ),
        (
            "  kpis:",
            "  fairness: [{id: gap, metric: accuracy_difference, by: stockout, at_most: 0.1}]"
            "\n  kpis:",
            "by names the target",
            "line 8, column 53, question.fairness[0].by",
            "another column",
        ),
        (
            END,
            "  sensitive: [sex, stockout]",
            "sensitive names the target",
            "line 14, column 20, understand.sensitive[1]",
            "take stockout out",
        ),
        (
            "  kpis:",
            "  roles: {approvers: [rosa, malik, rosa]}\n  kpis:",
            'approvers names "rosa" twice',
            "line 8, column 36, question.roles.approvers[2]",
            "each person once",
        ),
        (
            "[rows < 6]",
            "[rows <]",
            "cannot be read",
            "line 7, column 13, question.stop_if[0]",
            "rows",
        ),
        ("[rows < 6]", "[row < 6]", 'did you mean "rows"', "line 7, column 13", "use one of"),
        (END, "a3: {rule: stock >}", "cannot be read", "line 14, column 6, a3.rule", "comparison"),
    ],
)
def test_what_does_not_fit_together_is_refused_in_its_line(
    tmp_path, before, after, what, where, fix
):
    text = GOOD + after + "\n" if before == END else GOOD.replace(before, after)
    error = _mistakes(tmp_path, text)
    assert what in error.what
    assert where in error.where
    assert fix in error.fix
    assert error.code == "P006"
