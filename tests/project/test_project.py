"""What a project object promises: each phase once, in order, by those who may."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

import qua3ck
from qua3ck.cli.main import main
from qua3ck.kit.errors import Qua3ckError
from qua3ck.project.project import open_project


def files_of(root: Path) -> dict[str, bytes]:
    """Return what lies in a project folder, but for its lock."""
    return {
        path.relative_to(root).as_posix(): path.read_bytes()
        for path in root.rglob("*")
        if path.is_file() and path.name not in {"run.lock", "mlflow.db"}
    }


@pytest.mark.parametrize("named", ["folder", "file"])
def test_a_project_opens_by_its_folder_and_by_its_file(at, named):
    root = at("new").root
    project = qua3ck.open(root if named == "folder" else root / "qua3ck.yaml")
    assert (project.name, project.root) == ("stock", root.resolve())


@pytest.mark.parametrize(
    ("name", "says"),
    [("nowhere", "does not exist"), ("empty", "There is no qua3ck.yaml"), ("notes.txt", "is no")],
)
def test_what_is_no_project_is_told_with_what_to_type(tmp_path, name, says):
    (tmp_path / "empty").mkdir()
    (tmp_path / "notes.txt").write_text("x")
    with pytest.raises(Qua3ckError, match=says) as told:
        open_project(tmp_path / name)
    assert (told.value.code, told.value.exit_code) == ("P001", 2)
    assert "qua3ck init" in told.value.fix


def test_opening_and_looking_write_nothing(at):
    bench = at("conclude")
    before = files_of(bench.root)
    project = qua3ck.open(bench.root)
    shown = repr(project)
    project.check(), project.risk_class(), project.audit(), project.verify()
    assert files_of(bench.root) == before
    assert [line[:3].strip() for line in shown.splitlines()[1:5]] == ["Q", "U", "A3", "C"]
    assert "K" not in {line[:1] for line in shown.splitlines()}  # nothing is released yet


def test_a_run_that_has_nothing_to_do_adds_nothing_to_the_ledger_and_starts_nobody(at, monkeypatch):
    bench = at("conclude")
    before = bench.events()
    monkeypatch.setattr("qua3ck.kit.child.begin", lambda command: pytest.fail("a child began"))
    told = []
    first = qua3ck.open(bench.root).run(each=told.append)
    assert [type(record).__name__ for record in told] == ["Snapshot", "Candidate"]
    assert bench.events() == before
    assert first.candidate == told[1].digest


def test_another_budget_makes_the_loop_stale_but_not_what_it_reads(at):
    bench = at("loop")
    snapshot = qua3ck.open(bench.root).understand()
    bench.edit("budget: {trials: 3}", "budget: {trials: 2}")
    project = qua3ck.open(bench.root)
    assert project.understand().id == snapshot.id
    assert len(project.loop().trials) == 2
    assert len(bench.events("seal.made")) == 1


def test_what_no_search_reads_makes_no_trial_stale_and_is_judged_all_the_same(at):
    bench = at("conclude")
    before = qua3ck.open(bench.root).loop()
    bench.edit("domain: other", "domain: health")
    bench.edit("next month?", "next year?")
    project = qua3ck.open(bench.root)
    conclusion = project.run()
    assert project.loop() == before
    assert len(bench.events("candidate.kept")) == 1
    assert len(list((bench.root / "loop").iterdir())) == 1
    judged = [event["body"]["question"] for event in bench.events("verdict.made")]
    assert judged[-1] == conclusion.question == project.file.question.digest
    assert len(set(judged)) == 2
    assert len(bench.events("seal.opened")) == 1
    assert project.release().question == project.file.question.digest


def test_other_rows_make_everything_stale_and_the_old_seal_stays_counted(at):
    bench = at("conclude")
    path = bench.root / "data" / "rows.csv"
    lines = path.read_text().splitlines()
    path.write_text("\n".join([*lines, "9999,Somebody,10.00,90.00,north,yes"]) + "\n")
    project = qua3ck.open(bench.root)
    snapshot = project.understand()
    assert snapshot.split.rows_train + snapshot.split.rows_test == len(lines)
    with pytest.raises(Qua3ckError, match="opened 1 of 1 times") as told:
        project.conclude()  # most of its sealed rows were opened with the seal before
    assert told.value.code == "U107"


def test_phases_before_are_done_when_a_later_one_is_asked_for(at):
    bench = at("begun")
    conclusion = qua3ck.open(bench.root).conclude()
    seen = [event["event"] for event in bench.events()]
    order = ["question.set", "seal.made", "candidate.kept", "seal.opened", "verdict.made"]
    assert [name for name in seen if name in order] == order
    assert conclusion.release_allowed


def test_a_judge_that_was_started_ahead_is_ended_when_the_run_stops(at, monkeypatch):
    from qua3ck.conclude import opening

    bench, begun = at("understand"), []
    begin = opening.begin
    monkeypatch.setattr(opening, "begin", lambda command: begun.append(begin(command)) or begun[-1])
    monkeypatch.setattr("qua3ck.a3.loop._keep", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
    with pytest.raises(KeyboardInterrupt):
        qua3ck.open(bench.root).run()
    (judge,) = begun
    assert judge.returncode is not None
    assert bench.events("seal.opened") == []


def test_who_is_not_enrolled_may_look_but_not_work(at):
    bench = at("promote")
    stranger = qua3ck.open(bench.root, actor="eve")
    assert stranger.audit(on="2999-01-01").move.version == 1
    for verb in (stranger.run, lambda: stranger.promote(1, reason="mine")):
        with pytest.raises(Qua3ckError, match="eve"):
            verb()


def test_the_newest_version_is_the_highest_number_not_the_latest_file(at):
    bench = at("release")
    for name in ("9", "10", "notes"):
        shutil.copytree(bench.root / "releases" / "1", bench.root / "releases" / name)
    project = qua3ck.open(bench.root)
    assert (project.newest(), project.newest(1)) == (10, 1)
    assert project.report(1) == bench.root / "releases" / "1" / "report.html"
    with pytest.raises(Qua3ckError) as told:
        project.report(10)  # on the disk, but no version of the ledger
    assert told.value.code == "K005"


def test_progress_is_told_to_whoever_watches(at):
    bench, told = at("begun"), []
    project = qua3ck.open(bench.root)
    project.watch(lambda phase, text, done, total: told.append((phase, text, done, total)))
    project.understand()
    assert {phase for phase, *_ in told} == {"U"}
    assert all(0 <= done <= total for _, _, done, total in told if total)


def test_an_approver_with_his_own_key_store_sends_a_file_and_signs(at, tmp_path, monkeypatch):
    bench, sent, his = at("release"), tmp_path / "sven.pub", tmp_path / "sven-keys"

    monkeypatch.setenv("QUA3CK_KEYS", str(his))
    monkeypatch.setenv("QUA3CK_ACTOR", "sven")
    monkeypatch.chdir(tmp_path)  # no project here, and none is needed
    assert main(["enrol", "sven", "--export", str(sent)]) == 0

    monkeypatch.setenv("QUA3CK_KEYS", str(bench.keys))
    monkeypatch.setenv("QUA3CK_ACTOR", "ana")
    bench.done("enrol", "sven", "--public", str(sent), "--role", "risk_manager")
    assert not list(bench.keys.rglob("sven*"))
    bench.type("approve", "1", "--as", "sven", "--reason", "forged").refused("S031")

    monkeypatch.setenv("QUA3CK_KEYS", str(his))
    bench.done("approve", "1", "--as", "sven", "--reason", "report read")
    assert [event["actor"] for event in bench.events("approval.given")] == ["sven"]
    bench.done("audit", "verify")


def test_export_gives_no_roles_and_enrolment_needs_one(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("QUA3CK_KEYS", str(tmp_path / "keys"))
    sent = tmp_path / "sven.pub"
    assert main(["enrol", "sven", "--export", str(sent), "--role", "owner"]) == 2
    assert not sent.exists()
    assert main(["enrol", "sven"]) == 2
    assert "--export sven.pub" in capsys.readouterr().err
