import re

import pytest

from qua3ck.cli.main import main
from qua3ck.project import open_project, start_project
from qua3ck.project.starting import ANSWERS_TO_GIVE


@pytest.fixture
def here(tmp_path, monkeypatch):
    """Return a folder with data/rows.csv, in which somebody types."""
    monkeypatch.setenv("QUA3CK_KEYS", str(tmp_path / "keys"))
    monkeypatch.setenv("QUA3CK_ACTOR", "ana")
    folder = tmp_path / "here"
    (folder / "data").mkdir(parents=True)
    (folder / "data" / "rows.csv").write_text("x,repaid\n1,yes\n2,no\n")
    monkeypatch.chdir(folder)
    return folder


def _answer(path):
    """Answer the template's questions as a person would: over its text, in its lines."""
    text = path.read_text()
    for key in ANSWERS_TO_GIVE:
        text = re.sub(rf"(?m)^(  {key}): .*$", r"\1: The loan officer, in words.", text)
    path.write_text(text)


@pytest.mark.parametrize("task", ["classification", "regression"])
@pytest.mark.parametrize("verb", ["check", "run"])
def test_a_question_nobody_answered_is_refused_line_by_line(here, capsys, task, verb):
    path = start_project(here / "new", target="repaid", task=task)
    if verb == "run":
        assert main(["enrol", "ana", str(here / "new"), "--role", "owner"]) == 0
    assert main([verb, str(here / "new")]) == 2
    said = capsys.readouterr().err
    assert said.count("P015") == 4
    assert "answer it: Who decides what with the answer?" in said
    lines = path.read_text().splitlines()
    for key in ANSWERS_TO_GIVE:
        number = next(at for at, line in enumerate(lines, 1) if line.startswith(f"  {key}:"))
        assert f"line {number}, column 3, question.{key}\n" in said


def test_an_answered_question_passes_the_check(here, capsys):
    _answer(start_project(here / "new", target="repaid"))
    assert main(["check", str(here / "new")]) == 0, capsys.readouterr().err


@pytest.mark.parametrize("left", [ANSWERS_TO_GIVE["risks"][0], " ", "?", "TODO", "- tbd -", "..."])
def test_one_answer_left_out_is_named_alone(here, capsys, left):
    path = start_project(here / "new", target="repaid")
    _answer(path)
    path.write_text(re.sub(r"(?m)^  risks: .*$", f'  risks: "{left}"', path.read_text()))
    assert main(["check", str(here / "new")]) == 2
    said = capsys.readouterr().err
    assert said.count("P015") == 1
    assert "question.risks" in said


def test_data_of_the_current_folder_is_named_from_the_new_one(here, capsys):
    words = ["init", "my-project", "--data", "data/*.csv", "--target", "repaid"]
    assert main(words) == 0
    source = open_project(here / "my-project").file.understand.sources["rows"]
    assert source.path == "../data/*.csv"
    _answer(here / "my-project" / "qua3ck.yaml")
    assert main(["check", "my-project"]) == 0, capsys.readouterr().err


@pytest.mark.parametrize("data", ["data/*.csv", "elsewhere/*.csv", "/data/*.csv", "."])
def test_every_other_pattern_stays_as_it_was_typed(here, data):
    own = here / "new" / "data"
    own.mkdir(parents=True)
    (own / "rows.csv").write_text("x,repaid\n1,yes\n")
    start_project(here / "new", data=data)
    assert open_project(here / "new").file.understand.sources["rows"].path == data


def test_the_new_file_says_where_the_security_scan_is_answered(here):
    path = start_project(here / "new", target="repaid")
    lines = path.read_text().splitlines()
    start = next(at for at, line in enumerate(lines) if line.startswith("# transfer:"))
    own = [re.sub("^# ?", "", line) for line in lines[start : start + 4]]
    path.write_text("\n".join([*lines[:start], *own]))
    said = open_project(here / "new").file.transfer
    assert (said.approve, said.advisories) == ("two_person", "advisories/all.zip")
    assert list(said.accept) == ["K026"]


@pytest.mark.parametrize(
    ("folder", "name"),
    [
        ("t1", "t1"),
        ("credit-2026", "credit-2026"),
        ("2024", "project-2024"),
        ("Über", "Ueber"),
        ("größe_ß", "groesse_ss"),
        ("ÄÖÜ", "AeOeUe"),
        ("Crédit Łódź", "Credit-Lodz"),
        ("Søren æ", "Soeren-ae"),
        ("_x-", "x"),
        ("кредит", "project"),
        ("A_B", "A_B"),
    ],
)
def test_a_project_is_called_as_its_folder_in_letters_that_every_system_takes(here, folder, name):
    path = start_project(here / folder, target="repaid")
    assert open_project(path.parent).name == name


def test_the_next_command_can_be_typed_where_the_path_has_blanks(here, capsys):
    assert main(["init", "my project", "--target", "repaid"]) == 0
    assert capsys.readouterr().out.splitlines()[-1].endswith("qua3ck check 'my project'")
    assert main(["init", "plain", "--target", "repaid"]) == 0
    assert capsys.readouterr().out.splitlines()[-1].endswith("qua3ck check plain")
