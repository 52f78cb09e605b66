"""The stand-alone verifier and the package's say the same of every ledger, whole or changed."""

import ast
import importlib.util
import json
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from qua3ck.govern import approve, enrol, open_workspace
from qua3ck.ledger import Verification
from qua3ck.ledger.heads import sign_head, write_head

TOOL = Path(__file__).parents[2] / "tools" / "verify_ledger.py"


def _tool():
    spec = importlib.util.spec_from_file_location("verify_ledger", TOOL)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@dataclass
class Project:
    """A project with people and approvals, its clean state, and both verifiers."""

    root: Path
    clean: Path
    workspace: object
    tool: object

    @property
    def chain(self):
        return self.root / "ledger/chain.jsonl"

    def restore(self):
        for name in ("ledger", "people"):
            shutil.rmtree(self.root / name)
            shutil.copytree(self.clean / name, self.root / name)

    def both(self) -> tuple[Verification, bool]:
        """Return what the package says, and whether the tool says ok."""
        return self.workspace.ledger.verify(), self.tool.main(self.root) == 0

    def neither(self):
        """Return the package's problems, after seeing that both say no."""
        package, tool = self.both()
        assert not package.ok, "the package took it"
        assert not tool, "the tool took it"
        return "\n".join(package.problems)


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    place = tmp_path_factory.mktemp("verify")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("QUA3CK_KEYS", str(place / "keys"))
        patch.delenv("QUA3CK_WITNESS", raising=False)
        workspace = open_workspace(place / "project", "demo", actor="ana")
        enrol(workspace, "ben", ("risk_manager",))
        enrol(workspace, "cleo", ("domain_expert",))
        workspace.ledger.append("question.set", "demo", {"asks": "Größe?", "kpi": 0.75})
        workspace.ledger.append("release.made", "release 1", {"version": 1, "digest": "ab"})
        approve(workspace, 1, approver="ben", decision="approve", reason="checked")
        approve(workspace, 1, approver="cleo", decision="refuse", reason="too few rows")
        shutil.copytree(workspace.root, place / "clean")
        yield Project(workspace.root, place / "clean", workspace, _tool())


@pytest.fixture(autouse=True)
def _clean(project):
    yield
    project.restore()


def test_both_say_ok_to_an_untouched_ledger(project):
    package, tool = project.both()
    assert package == Verification(True, 8, (), witness=8)
    assert tool


calm = settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@calm
@given(at=st.integers(0, 100_000), change=st.integers(1, 255))
def test_any_changed_byte_of_the_chain_is_seen_by_both(project, at, change):
    data = bytearray((project.clean / "ledger/chain.jsonl").read_bytes())
    data[at % len(data)] ^= change
    project.chain.write_bytes(data)
    project.neither()


@calm
@given(at=st.integers(0, 100_000))
def test_a_chain_cut_anywhere_is_seen_by_both(project, at):
    data = (project.clean / "ledger/chain.jsonl").read_bytes()
    project.chain.write_bytes(data[: at % len(data)])
    project.neither()


@calm
@given(order=st.permutations(range(8)).filter(lambda order: order != list(range(8))))
def test_any_other_order_is_seen_by_both(project, order):
    lines = (project.clean / "ledger/chain.jsonl").read_bytes().splitlines(keepends=True)
    project.chain.write_bytes(b"".join(lines[place] for place in order))
    project.neither()


@calm
@given(
    gone=st.integers(0, 8), added=st.lists(st.integers(0, 7) | st.binary(max_size=30), max_size=2)
)
def test_any_line_left_out_or_put_in_is_seen_by_both(project, gone, added):
    lines = (project.clean / "ledger/chain.jsonl").read_bytes().splitlines(keepends=True)
    put_in = [lines[new] if isinstance(new, int) else new + b"\n" for new in added]
    changed = lines[:gone] + put_in + lines[gone + 1 :]
    project.chain.write_bytes(b"".join(changed))
    if changed == lines or (gone == 8 and not added):
        project.restore()
        return
    project.neither()


@calm
@given(at=st.integers(0, 100_000), change=st.integers(1, 255))
def test_any_changed_byte_of_the_head_is_seen_by_both(project, at, change):
    path = project.root / "ledger/head.json"
    data = bytearray((project.clean / "ledger/head.json").read_bytes())
    data[at % len(data)] ^= change
    path.write_bytes(data)
    project.neither()


def _event(project, at, **changed):
    """Change fields of one event, its hash and all hashes after it made to fit."""
    from qua3ck.ledger.entries import decode, encode

    lines, prev, made = project.chain.read_bytes().splitlines(), None, []
    for number, line in enumerate(lines):
        fields = decode(line)
        fields.pop("hash")
        fields["prev"] = prev or fields["prev"]
        entry, text = encode(**(fields | (changed if number == at else {})))
        prev = entry.hash
        made.append(text)
    project.chain.write_bytes(b"".join(made))
    return prev


@pytest.mark.parametrize(
    ("cut", "says"), [(1, "line 8: seq 7 to 7 missing"), (3, "line 6: seq 5 to 7 missing")]
)
def test_a_cut_end_is_named(project, cut, says):
    lines = project.chain.read_bytes().splitlines(keepends=True)
    project.chain.write_bytes(b"".join(lines[:-cut]))
    assert says in project.neither()


def test_an_edited_line_is_named_alone(project):
    project.chain.write_bytes(project.chain.read_bytes().replace(b"0.75", b"0.65"))
    assert project.neither() == "line 5, seq 4: changed after it was written"


def test_an_edited_line_whose_hash_was_made_to_fit_breaks_the_next(project):
    from qua3ck.ledger.entries import decode, encode

    lines = project.chain.read_bytes().splitlines(keepends=True)
    fields = decode(lines[4][:-1])
    fields.pop("hash")
    lines[4] = encode(**(fields | {"body": {"kpi": "0.65"}}))[1]
    project.chain.write_bytes(b"".join(lines))
    assert "line 6, seq 5: does not follow line 5" in project.neither()


def test_a_chain_written_anew_fails_at_head_approvals_and_witness(project):
    _event(project, 4, body={"kpi": "0.65"})
    said = project.neither()
    assert "head that ben signed is not the one before it" in said
    assert "not the event that the head was signed over" in said
    assert "the witness saw" in said


def test_a_chain_written_anew_by_somebody_enrolled_is_seen_by_approvals_and_witness(project):
    last = _event(project, 4, body={"kpi": "0.65"})
    me = project.workspace.keys.identity("ana", create=False)
    write_head(sign_head(8, last, "t", "ana", me.sign), project.root / "ledger/head.json")
    said = project.neither()
    assert "the signed head" not in said
    assert "line 7, approval.given: the head that ben signed" in said
    assert "the witness saw" in said


def test_a_ledger_set_back_whole_is_seen_by_the_witness(project):
    project.workspace.ledger.append("question.set", "demo", {})
    witness = project.workspace.ledger.witnesses[0]
    project.restore()
    try:
        assert "the witness saw 9 events, the chain has 8" in project.neither()
    finally:
        shutil.copy(project.root / "ledger/head.json", witness)


def test_a_witness_given_by_hand_counts_for_the_tool(project, tmp_path, capsys):
    me = project.workspace.keys.identity("ana", create=False)
    write_head(sign_head(9, "ab" * 32, "t", "ana", me.sign), tmp_path / "copy.json")
    assert project.tool.main(project.root, tmp_path / "copy.json") == 1
    assert "saw 9 events, here are 8" in capsys.readouterr().out


def test_without_a_witness_both_say_so_and_what_it_means(project, tmp_path, monkeypatch, capsys):
    """On an auditor's machine there is no key store that has seen the ledger."""
    lines = project.chain.read_bytes().splitlines(keepends=True)
    last = json.loads(lines[6])["hash"]
    me = project.workspace.keys.identity("ana", create=False)
    project.chain.write_bytes(b"".join(lines[:7]))
    write_head(sign_head(7, last, "t", "ana", me.sign), project.root / "ledger/head.json")
    assert "the witness saw 8 events, the chain has 7" in project.neither()
    monkeypatch.setenv("QUA3CK_KEYS", str(tmp_path / "auditor"))
    capsys.readouterr()
    assert project.tool.main(project.root) == 0, "set back as a whole, it holds in itself"
    told = capsys.readouterr().out
    reader = open_workspace(project.root, "demo", actor="eve", read_only=True)
    assert reader.ledger.verify() == Verification(True, 7, (), witness=None)
    assert "none was looked at; a ledger that was set back as a whole" in told
    old = tmp_path / "old.json"
    shutil.copy(project.root / "ledger/head.json", old)
    monkeypatch.setenv("QUA3CK_WITNESS", str(old))
    reader = open_workspace(project.root, "demo", actor="eve", read_only=True)
    assert reader.ledger.verify().witness == 7
    assert project.tool.main(project.root) == 0
    assert "it saw 7 of 7 events" in capsys.readouterr().out


def test_a_missing_head_is_named(project):
    (project.root / "ledger/head.json").unlink()
    assert "head.json: the signed head is missing" in project.neither()


def test_a_head_signed_by_somebody_not_enrolled_is_named(project):
    from qua3ck.ledger.heads import read_head

    path = project.root / "ledger/head.json"
    head = read_head(path)
    eve = project.workspace.keys.identity("eve", create=True)
    for name in ("eve", "ana"):
        write_head(sign_head(head.n, head.hash, head.at, name, eve.sign), path)
        assert f"head.json: the signature of {name} is wrong" in project.neither()


def test_a_torn_last_line_is_named(project):
    with project.chain.open("ab") as handle:
        handle.write(b'{"actor":"ana"')
    assert "line 9: torn, 14 bytes without an end" in project.neither()


def test_what_a_crash_left_before_the_rename_verifies_for_both(project, monkeypatch):
    from qua3ck.ledger import Ledger

    with monkeypatch.context() as patch:
        patch.setattr(Ledger, "_adopt", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            project.workspace.ledger.append("question.set", "demo", {})
    package, tool = project.both()
    assert (package.ok, package.events, tool) == (True, 9, True)


@pytest.mark.parametrize("field", ["name", "roles", "signing", "sealing"])
def test_an_edited_public_file_is_seen_by_both(project, field):
    path = project.root / "people/ben.pub"
    path.write_text(json.dumps(json.loads(path.read_text()) | {field: "owner"}))
    assert "people/ben.pub" in project.neither()
    path.unlink()
    assert "people/ben.pub: missing" in project.neither()


@pytest.mark.parametrize("event", ["person.enrolled", "approval.given", "anything.signed"])
@pytest.mark.parametrize("signed", [None, {}, {"by": "ben"}, {"by": "x", "statement": {}}])
def test_a_signature_that_is_none_is_seen_by_both(project, event, signed):
    body = {"signed": signed} if signed is not None or event == "anything.signed" else {}
    witness = project.workspace.ledger.witnesses[0]
    kept = witness.read_bytes()
    try:
        project.workspace.ledger.append(event, "ben", body)
        assert f"line 9, {event}" in project.neither()
    finally:
        witness.write_bytes(kept)


@pytest.mark.parametrize("folder", ["ledger", "people"])
def test_a_lost_folder_is_no_ok(project, folder):
    shutil.rmtree(project.root / folder)
    (project.root / folder).mkdir()
    project.neither()


def test_as_a_command_it_says_the_count_or_the_line(project):
    def run(*words):
        command = [sys.executable, str(TOOL), *words]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        return done.returncode, done.stdout + done.stderr

    seen = "witness: looked at, it saw 8 of 8 events"
    assert run(str(project.root)) == (0, f"ok: 8 events, 3 people, signed head\n  {seen}\n")
    project.chain.write_bytes(project.chain.read_bytes().replace(b"0.75", b"0.65"))
    code, said = run(str(project.root))
    assert code == 1
    assert "line 5, seq 4: changed" in said
    assert "Traceback" not in run()[1]
    assert run(str(project.root / "nowhere"))[0] == 1


def test_it_shares_no_code_with_the_package_and_stays_short():
    tree = ast.parse(TOOL.read_text())
    imported = {
        name.split(".")[0]
        for node in ast.walk(tree)
        for name in (
            [alias.name for alias in node.names]
            if isinstance(node, ast.Import)
            else [node.module or ""]
            if isinstance(node, ast.ImportFrom)
            else []
        )
    }
    assert imported <= set(sys.stdlib_module_names) | {"cryptography"}
    code = [line for line in TOOL.read_text().splitlines() if line.strip()]
    assert len(code) < 160
