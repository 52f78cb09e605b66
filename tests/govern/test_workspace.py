import json
import shutil
import subprocess
import sys

import pyarrow as pa
import pytest

from qua3ck.govern import enrol, people
from qua3ck.ledger import Ledger


def test_the_first_opening_makes_the_ledger_and_its_owner(workspace, place):
    created, enrolled = workspace.ledger.entries()
    assert (created.event, enrolled.event) == ("project.created", "person.enrolled")
    assert created.body["id"] == workspace.project_id
    assert len(workspace.project_id) == 16
    assert [(one.name, one.roles) for one in people(workspace.root)] == [("ana", ("owner",))]
    assert workspace.ledger.verify().ok
    assert (place / f"keys/heads/{workspace.project_id}.json").exists()


def test_a_second_opening_changes_nothing(workspace, reopen):
    before = workspace.ledger.chain.read_bytes()
    again = reopen()
    assert again.project_id == workspace.project_id
    assert again.ledger.chain.read_bytes() == before


def test_reading_creates_nothing(reopen, place):
    seen = reopen(read_only=True)
    assert (seen.project_id, seen.ledger.entries()) == ("", [])
    assert list(place.iterdir()) == []


def test_reading_cannot_write(workspace, reopen, refused):
    seen = reopen(read_only=True)
    refused(lambda: seen.ledger.append("question.set", "demo", {}), "L008")
    refused(lambda: seen.warehouse.write("gold/x", pa.table({"a": [1]})), "G007")


def test_who_is_not_enrolled_may_read_but_not_write(workspace, reopen, refused):
    ben = reopen(actor="ben")
    assert ben.ledger.verify().ok
    problem = refused(lambda: ben.ledger.append("question.set", "demo", {}), "G001")
    assert "qua3ck enrol ben --role" in problem.fix
    refused(lambda: ben.warehouse.write("gold/x", pa.table({"a": [1]})), "G001")
    assert len(workspace.ledger.entries()) == 2


def test_a_role_that_may_not_is_refused_with_the_roles_that_may(workspace, reopen, refused):
    enrol(workspace, "ben", ("auditor",))
    enrol(workspace, "cleo", ("data_engineer",))
    ben, cleo = reopen(actor="ben"), reopen(actor="cleo")
    assert "analyst" in refused(lambda: ben.ledger.append("question.set", "d", {}), "G002").what
    assert cleo.ledger.append("question.set", "d", {}).actor == "cleo"
    refused(lambda: cleo.ledger.append("seal.opened", "s", {}), "G002")
    problem = refused(lambda: cleo.ledger.append("alias.moved", "champion", {}), "G002")
    assert "ml_engineer" in problem.what


def test_tables_are_written_and_each_access_is_noted(workspace):
    workspace.warehouse.write("gold/x", pa.table({"a": [1]}))
    workspace.warehouse.read("gold/x")
    noted = [
        json.loads(line)
        for line in (workspace.root / "state/tables.jsonl").read_text().splitlines()
    ]
    assert [(fact["actor"], fact["action"], fact["table"]) for fact in noted] == [
        ("ana", "write", "gold/x"),
        ("ana", "read", "gold/x"),
    ]


def test_a_key_of_the_same_name_that_is_not_the_enrolled_one_is_refused(
    workspace, reopen, refused, monkeypatch, place
):
    from qua3ck.store.keys import KeyStore

    monkeypatch.setenv("QUA3CK_KEYS", str(place / "other"))
    refused(reopen, "S031")
    KeyStore(place / "other").identity("ana", create=True)
    refused(reopen, "G006")


def test_a_key_store_inside_the_project_is_refused(place, reopen, refused, monkeypatch):
    monkeypatch.setenv("QUA3CK_KEYS", str(place / "project" / "keys"))
    refused(reopen, "G008")
    assert not (place / "project").exists()


@pytest.mark.parametrize("cut_at", ["append", "write_person"])
def test_an_interrupted_creation_is_finished_by_its_creator(
    reopen, refused, monkeypatch, place, cut_at
):
    class PowerCut(BaseException):
        pass

    real = Ledger.append

    def cut(self, event, *rest):
        if event == "person.enrolled":
            raise PowerCut
        return real(self, event, *rest)

    def no_file(*_):
        raise PowerCut

    with monkeypatch.context() as patch:
        if cut_at == "append":
            patch.setattr(Ledger, "append", cut)
        else:
            patch.setattr(sys.modules["qua3ck.govern.people"], "write_person", no_file)
        with pytest.raises(PowerCut):
            reopen()
    if cut_at == "append":
        problem = refused(lambda: reopen(actor="ben"), "G009")
        assert "QUA3CK_ACTOR=ana" in problem.fix
    mended = reopen()
    assert [entry.event for entry in mended.ledger.entries()] == [
        "project.created",
        "person.enrolled",
    ]
    assert (place / "project/people/ana.pub").exists()
    assert mended.ledger.verify().ok


def test_two_first_openings_at_once_make_one_project(place):
    code = (
        "import sys; from pathlib import Path; from qua3ck.govern import open_workspace;"
        "print(open_workspace(Path(sys.argv[1]), 'demo').project_id)"
    )
    runs = [
        subprocess.Popen(
            [sys.executable, "-c", code, str(place / "project")], stdout=subprocess.PIPE, text=True
        )
        for _ in range(3)
    ]
    ids = {run.communicate()[0].strip() for run in runs}
    assert len(ids) == 1
    assert len((place / "project/ledger/chain.jsonl").read_bytes().splitlines()) == 2


def test_a_lost_ledger_is_not_begun_anew_in_silence(workspace, reopen, refused):
    shutil.rmtree(workspace.root / "ledger")
    refused(reopen, "G009")


def test_a_changed_first_event_is_an_error(workspace, reopen, refused):
    chain = workspace.ledger.chain
    chain.write_bytes(b"x" + chain.read_bytes())
    refused(reopen, "L006")
    assert not reopen(read_only=True).ledger.verify().ok


def test_a_torn_enrolment_is_cut_like_any_other_line(workspace, reopen, monkeypatch):
    with monkeypatch.context() as patch:
        patch.setattr(Ledger, "_adopt", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            enrol(workspace, "ben", ("analyst",))
    chain = workspace.ledger.chain
    chain.write_bytes(chain.read_bytes()[:-2])
    again = reopen()
    assert [entry.event for entry in again.ledger.entries()][2:] == ["ledger.repaired"]
    assert [one.name for one in people(again.root)] == ["ana"]


def test_a_copied_project_works_and_one_set_back_does_not(workspace, reopen, refused, place):
    shutil.copytree(workspace.root, place / "copy")
    reopen().ledger.append("question.set", "demo", {})
    shutil.rmtree(workspace.root)
    shutil.copytree(place / "copy", workspace.root)
    assert "3 events" in refused(reopen, "L007").what


def test_a_further_witness_is_kept_where_asked(workspace, reopen, place, monkeypatch):
    monkeypatch.setenv("QUA3CK_WITNESS", str(place / "stick"))
    reopen().ledger.append("question.set", "demo", {})
    assert (place / f"stick/{workspace.project_id}.json").exists()
    monkeypatch.setenv("QUA3CK_WITNESS", str(place / "mail/head.json"))
    reopen().ledger.append("question.set", "demo", {})
    assert (place / "mail/head.json").exists()
