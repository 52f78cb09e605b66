"""What the project file names is looked for before anything is done."""

import pytest

from qua3ck.govern import enrol, open_workspace
from qua3ck.govern.people import export_public
from qua3ck.kit import Blocked
from qua3ck.project import open_project
from qua3ck.project.file import ProjectFileErrors
from qua3ck.store.keys import KeyStore

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
  risk: {affects: organisation, domain: supply, automated: false}
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
    assert [finding.code for finding in opened.check()] == ["U055"]
    assert sorted(path.name for path in opened.root.rglob("*")) == before


def test_a_source_for_which_nobody_answers_is_told_with_its_line_and_stops_nothing(project):
    (finding,) = project(("stock.csv}", "stock.csv, owner: supply, licence: internal}")).check()
    assert (finding.severity, finding.evidence["missing"]) == ("inform", ["cadence", "contact"])
    assert "line 13" in finding.where
    answers = "owner: supply, licence: internal, cadence: monthly, contact: stock@example.org}"
    assert project(("stock.csv}", f"stock.csv, {answers}")).check() == ()


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
    assert {finding.code for finding in opened.check()} == {"U055", "P011", "P012"}


def test_a_key_that_was_replaced_is_told_until_another_owner_stands_by_it(project, tmp_path):
    opened = project()
    opened.enrol("rosa", ("risk_manager",))
    assert "G014" not in {finding.code for finding in opened.check()}
    sent = tmp_path / "rosa.pub"
    export_public(KeyStore(tmp_path / "another"), "rosa", sent)
    opened.enrol("rosa", ("risk_manager",), public=sent)
    (finding,) = [one for one in opened.check() if one.code == "G014"]
    by = opened.workspace().actor
    assert (finding.severity, finding.where) == ("warn", "people/rosa.pub")
    assert f"The key of rosa was replaced by {by} (ledger entry" in finding.says
    opened.enrol("boss", ("owner",))
    boss = open_workspace(opened.root, opened.name, actor="boss")
    enrol(boss, "rosa", ("risk_manager",), public=sent)
    assert "G014" not in {finding.code for finding in opened.check()}


def test_a_version_is_asked_for_where_there_is_none(project):
    with pytest.raises(Blocked, match="nothing has been concluded yet") as refused:
        project().newest()
    assert (refused.value.exit_code, refused.value.code) == (1, "P014")


MUSIC = ("affects: organisation, domain: supply", "affects: people, domain: music")
CREDIT = ("affects: organisation, domain: supply", "affects: people, domain: credit")


def scan_findings(opened):
    return [one for one in opened.check() if one.code in {"K026", "K027", "K028"}]


def with_transfer(text):
    return ("a3:", f"transfer: {text}\na3:")


@pytest.mark.parametrize(("risk", "severity"), [(MUSIC, "inform"), (CREDIT, "warn")])
def test_that_nobody_looks_for_vulnerabilities_is_said_before_there_is_a_version(
    project, risk, severity
):
    (found,) = scan_findings(project(risk))
    assert (found.code, found.severity) == ("K026", severity)
    assert "accept: {K026: why}" in found.says
    assert ("stays undecided" in found.says) == (severity == "warn")


def test_it_is_not_said_for_minimal_risk_and_an_answer_is_shown(project):
    assert scan_findings(project()) == []
    (found,) = scan_findings(project(CREDIT, with_transfer("{accept: {K026: a laptop}}")))
    assert (found.severity, found.accepted) == ("inform", "a laptop")


@pytest.mark.parametrize(
    ("path", "says"), [("nowhere.zip", "No such file"), ("stock.csv", "no advisory in it")]
)
def test_advisories_that_are_not_there_are_said_with_their_line(project, path, says):
    given = with_transfer(f"{{advisories: {path}}}")
    (found,) = scan_findings(project(CREDIT, given))
    assert (found.code, found.severity) == ("K027", "block")
    assert says in found.says
    assert "line 16" in found.where
    (found,) = scan_findings(project(given))
    assert (found.code, found.severity) == ("K027", "warn")


def test_advisories_that_can_be_read_need_no_word(project, tmp_path):
    known = tmp_path / "stock" / "known"
    known.mkdir()
    (known / "one.json").write_text('{"id": "GHSA-1", "modified": "2026-01-01T00:00:00Z"}')
    given = with_transfer("{advisories: known, accept: {GHSA-1: not used}}")
    assert scan_findings(project(CREDIT, given)) == []


@pytest.mark.parametrize(
    ("key", "says"),
    [
        ("K26", 'did you mean "K026"'),
        ("K999", '"K999" is no code of the scan'),
        ("k026", 'did you mean "K026"'),
        ("K021", "K021 is accepted by file, such as K021 code/features.py"),
        ("K021 code/nofile.py", "no version would ship code/nofile.py"),
        ("K021 code/featurs.py", 'did you mean "code/features.py"'),
        ("K021 features.py", 'did you mean "code/features.py"'),
        ("K021 code/features.py", "nothing of the kind is found in that file"),
        ("K024", "by the name of its advisory"),
        ("K025", "no advisories are declared"),
        ("K026 code/features.py", "write K026 alone"),
        ("GHSA-1", "no advisories are declared"),
    ],
)
def test_a_reason_that_can_be_for_nothing_is_said_with_its_line(project, key, says):
    given = with_transfer(f'{{accept: {{"{key}": because}}}}')
    (found,) = scan_findings(project(given))
    assert (found.code, found.severity) == ("K028", "warn")
    assert says in found.says
    assert "line 16" in found.where


def test_a_reason_for_what_is_there_is_left_in_peace(project):
    given = with_transfer('{accept: {"K021 code/features.py": a constant}}')
    assert scan_findings(project(given, code=CODE + "\neval('1')\n")) == []
