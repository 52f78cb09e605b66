"""What a project does with more than one person, each with a key store of their own."""

from qua3ck.cli.main import main


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
