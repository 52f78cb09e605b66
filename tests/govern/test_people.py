import base64
import json
from pathlib import Path

import pytest

from qua3ck.govern import enrol, open_workspace, people, person
from qua3ck.govern.people import actor_name, export_public, key_givers
from qua3ck.store.keys import KeyStore


def _edit(path, **changed):
    path.write_text(json.dumps(json.loads(path.read_text()) | changed))


def test_the_owner_enrols_and_changes_roles(workspace):
    first = enrol(workspace, "ben", ("analyst",))
    second = enrol(workspace, "ben", ("analyst", "risk_manager", "analyst"))
    assert second.roles == ("analyst", "risk_manager")
    assert second.public == first.public == workspace.keys.identity("ben", create=False).public
    assert person(workspace.root, "ben") == second
    assert [one.name for one in people(workspace.root)] == ["ana", "ben"]
    assert workspace.ledger.verify().ok


def test_a_person_with_keys_elsewhere_sends_the_public_file(workspace, place):
    theirs = KeyStore(place / "theirs").identity("ben", create=True)
    sent = place / "ben.pub"
    sent.write_text(json.dumps({"name": "ben", "roles": [], **theirs.public.as_text()}))
    assert enrol(workspace, "ben", ("risk_manager",), public=sent).public == theirs.public
    assert not workspace.keys.has_identity("ben")


def test_what_a_person_exports_is_what_the_owner_enrols(workspace, place):
    theirs, sent = KeyStore(place / "theirs"), place / "ben.pub"
    first = export_public(theirs, "ben", sent)
    assert export_public(theirs, "ben", sent) == first
    done = enrol(workspace, "ben", ("risk_manager",), public=sent)
    assert done.public == first.public == theirs.identity("ben", create=False).public
    assert first.roles == ()
    assert set(json.loads(sent.read_text())) == {"name", "roles", "signing", "sealing"}


def test_nobody_exports_under_a_name_that_cannot_be_enrolled(place, refused):
    theirs = KeyStore(place / "theirs")
    refused(lambda: export_public(theirs, "Ben", place / "ben.pub"), "G005")
    assert not (place / "ben.pub").exists()


@pytest.mark.parametrize(
    ("name", "roles", "code"),
    [
        ("ben", ("boss",), "G003"),
        ("ben", (), "G003"),
        ("Ben", ("analyst",), "G005"),
        ("../x", ("analyst",), "G005"),
        ("ana", ("analyst",), "G002"),
    ],
)
def test_what_cannot_be_enrolled_is_refused_and_recorded_nowhere(
    workspace, refused, name, roles, code
):
    refused(lambda: enrol(workspace, name, roles), code)
    assert len(workspace.ledger.entries()) == 2


def test_a_misspelt_role_is_suggested(workspace, refused):
    problem = refused(lambda: enrol(workspace, "ben", ("risk_manger",)), "G003")
    assert 'did you mean "risk_manager"' in problem.what


def test_only_an_owner_enrols(workspace, reopen, refused):
    enrol(workspace, "ben", ("analyst",))
    refused(lambda: enrol(reopen(actor="ben"), "ben", ("owner",)), "G002")
    refused(lambda: enrol(reopen(actor="eve"), "eve", ("owner",)), "G001")


def test_the_file_of_somebody_else_or_none_is_refused(workspace, refused, place):
    enrol(workspace, "ben", ("analyst",))
    file = workspace.root / "people/ben.pub"
    refused(lambda: enrol(workspace, "cleo", ("analyst",), public=file), "G004")
    refused(lambda: enrol(workspace, "cleo", ("analyst",), public=place / "none.pub"), "G004")


@pytest.mark.parametrize("field", ["roles", "signing", "sealing"])
def test_editing_the_public_file_gives_nobody_a_right(workspace, reopen, refused, field):
    enrol(workspace, "ben", ("auditor",))
    value = ["owner"] if field == "roles" else base64.b64encode(b"e" * 32).decode()
    _edit(workspace.root / "people/ben.pub", **{field: value})
    refused(lambda: person(workspace.root, "ben"), "G004")
    refused(lambda: people(workspace.root), "G004")
    refused(reopen, "G004")
    result = workspace.ledger.verify()
    assert result.problems == ("people/ben.pub: missing, or not what the ledger enrolled",)


def test_a_file_beside_enrols_nobody(workspace, refused, place):
    theirs = KeyStore(place / "theirs").identity("eve", create=True).public.as_text()
    (workspace.root / "people/eve.pub").write_text(
        json.dumps({"name": "eve", "roles": ["owner"], **theirs})
    )
    assert "--public people/eve.pub" in refused(lambda: person(workspace.root, "eve"), "G001").fix
    assert [one.name for one in people(workspace.root)] == ["ana"]


def test_an_older_copy_of_a_file_is_passed_over_and_renewed(workspace, reopen):
    enrol(workspace, "ben", ("auditor",))
    file = workspace.root / "people/ben.pub"
    old = file.read_bytes()
    enrol(workspace, "ben", ("analyst",))
    file.write_bytes(old)
    assert person(workspace.root, "ben").roles == ("analyst",)
    reopen()
    assert json.loads(file.read_text())["roles"] == ["analyst"]


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"name": "ben", "roles": 3}', "\x00"])
def test_an_unreadable_file_is_an_error_not_a_traceback(workspace, refused, text):
    enrol(workspace, "ben", ("auditor",))
    (workspace.root / "people/ben.pub").write_text(text)
    refused(lambda: people(workspace.root), "G004")


def test_an_enrolment_signed_by_no_owner_does_not_verify(workspace, reopen):
    ben = enrol(workspace, "ben", ("analyst",))
    ledger = reopen(actor="ben").ledger
    entry = workspace.ledger.entries("person.enrolled")[-1]
    ledger.append("person.enrolled", "ben", entry.body)  # an old statement used again
    assert "replayed" in ledger.verify().problems[0]
    assert ben.name == "ben"


def test_a_near_name_is_suggested(workspace, refused):
    assert 'did you mean "ana"' in refused(lambda: person(workspace.root, "anna"), "G001").what


def test_before_there_is_a_ledger_the_files_are_all_there_is(place, refused):
    keys = KeyStore(place / "k").identity("ben", create=True).public.as_text()
    (place / "people").mkdir()
    (place / "people/ben.pub").write_text(json.dumps({"name": "ben", "roles": ["analyst"], **keys}))
    assert person(place, "ben") == people(place)[0]
    refused(lambda: person(place, "cleo"), "G001")


def test_who_acts_is_the_argument_the_environment_or_the_login_made_plain(monkeypatch, refused):
    assert actor_name("ben", {"QUA3CK_ACTOR": "cleo"}) == "ben"
    assert actor_name(None, {"QUA3CK_ACTOR": "cleo"}) == "cleo"
    monkeypatch.setattr("getpass.getuser", lambda: r"OFFICE\Ana María")
    assert actor_name(None, {}) == "office-ana-mar-a"
    refused(lambda: actor_name("Ana", {}), "G005")

    def nobody():
        raise OSError

    monkeypatch.setattr("getpass.getuser", nobody)
    refused(lambda: actor_name(None, {}), "G005")


def test_who_put_a_key_in_place_of_another_is_known_at_every_moment(workspace, tmp_path):
    """The first key of a name is nobody's replacement; an owner may stand by a later one."""

    def send(name: str, store: str) -> Path:
        file = tmp_path / f"{store}.pub"
        export_public(KeyStore(tmp_path / store), name, file)
        return file

    ledger = workspace.ledger
    enrol(workspace, "rosa", ("risk_manager",))
    first = ledger.head().n
    enrol(workspace, "rosa", ("risk_manager", "domain_expert"))
    assert key_givers(ledger.entries(), "rosa") == ()
    other = send("rosa", "other")
    enrol(workspace, "rosa", ("risk_manager",), public=other)
    assert key_givers(ledger.entries(), "rosa") == ("ana",)
    assert key_givers(ledger.entries(), "rosa", before=first) == ()
    enrol(workspace, "boss", ("owner",))
    boss = open_workspace(workspace.root, workspace.project, actor="boss")
    enrol(boss, "rosa", ("risk_manager",), public=other)
    assert key_givers(boss.ledger.entries(), "rosa") == ("ana", "boss")
    assert key_givers(boss.ledger.entries(), "nobody") == ()
