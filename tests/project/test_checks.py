"""What the project file names is looked for before anything is done."""

import pytest

from qua3ck.kit import Blocked
from qua3ck.project import open_project
from qua3ck.project.file import ProjectFileErrors

FILE = """\
project: stock
question:
  asks: Which districts run out?
  decides: The supply officer, monthly.
  why_now: The season starts.
  risks: Children go without.
  stop_if: [rows < 6]
  kpis:
    - {id: right, metric: accuracy, at_least: 0.80}
understand:
  sources:
    stock: {kind: csv, path: stock.csv}
  training: features.table
  target: stockout
a3:
  candidates: [random_forest, features.forest]
"""
CODE = """\
from features_of_others import forest

def table(tables):
    raise SystemExit("looking must not run anything")
"""


@pytest.fixture
def project(tmp_path, monkeypatch):
    monkeypatch.setenv("QUA3CK_KEYS", str(tmp_path / "keys"))
    folder = tmp_path / "stock"
    folder.mkdir()
    (folder / "stock.csv").write_text("a,stockout\n1,0\n")
    (folder / "features.py").write_text(CODE)

    def make(*changes, code=CODE):
        text = FILE
        for before, after in changes:
            assert before in text
            text = text.replace(before, after)
        (folder / "qua3ck.yaml").write_text(text)
        (folder / "features.py").write_text(code)
        return open_project(folder)

    return make


def test_a_project_that_could_run_is_not_run_and_nothing_is_written(project):
    opened = project()
    before = sorted(path.name for path in opened.root.rglob("*"))
    assert opened.check() == ()
    assert sorted(path.name for path in opened.root.rglob("*")) == before


@pytest.mark.parametrize(
    ("before", "after", "code", "says"),
    [
        ("stock.csv", "stok*.csv", "P008", 'did you mean "stock.csv"'),
        ("features.table", "features.tabel", "P009", 'did you mean "table"'),
        ("features.table", "feature.table", "P009", "feature.py does not exist"),
        ("training: features.table", "training: table.sql", "P009", "table.sql does not exist"),
        ("random_forest", "random_forrest", "P010", 'did you mean "random_forest"'),
    ],
)
def test_what_is_not_there_is_named_with_its_line(project, before, after, code, says):
    with pytest.raises(ProjectFileErrors) as caught:
        project((before, after)).check()
    (mistake,) = [one for one in caught.value.all if one.code == code]
    assert says in mistake.what
    assert "line " in mistake.where


def test_code_that_is_not_python_is_named_with_its_line(project):
    with pytest.raises(ProjectFileErrors, match=r"features.py, line 2, is not Python"):
        project(code="x = 1\ndef table(:\n").check()


def test_what_is_declared_but_not_watched_and_who_is_not_enrolled_is_said(project):
    opened = project(
        ("  stop_if", "  roles: {approvers: [rosa]}\n  stop_if"),
        ("a3:", "operate: {alarm_budget: 1 per quarter}\na3:"),
    )
    assert {finding.code for finding in opened.check()} == {"P011", "P012"}


def test_a_version_is_asked_for_where_there_is_none(project):
    with pytest.raises(Blocked, match="nothing has been concluded yet") as refused:
        project().newest()
    assert (refused.value.exit_code, refused.value.code) == (1, "P014")
