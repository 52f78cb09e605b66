from __future__ import annotations

import hashlib
import json
import subprocess
import sys
from dataclasses import replace

import pytest

from qua3ck.govern import find_release, list_releases
from qua3ck.kit.errors import Blocked, Qua3ckError
from qua3ck.kit.findings import Finding
from qua3ck.kit.verdicts import Verdict
from qua3ck.transfer import release as module


def test_a_version_has_everything_an_auditor_needs_and_its_digest_covers_every_byte(lender):
    made = lender.release()
    folder = lender.root / made.path
    listed = json.loads((folder / "release.json").read_bytes())["files"]
    for name in (
        "README.md", "report.html", "model.py", "check_release.py", "requirements.txt",
        "environment.json", "data.json", "schema.json", "model/manifest.json", "model/golden.json",
        "code/features.py", "code/qua3ck.yaml", "evidence/profile.html", "evidence/decision.md",
        "records/question.json", "records/snapshot.json", "records/candidate.json",
        "records/conclusion.json",
    ):  # fmt: skip
        assert name in listed
    found = {p.relative_to(folder).as_posix(): p for p in folder.rglob("*") if p.is_file()}
    assert set(found) == {*listed, "release.json"}
    for name, sha256 in listed.items():
        assert hashlib.sha256(found[name].read_bytes()).hexdigest() == sha256
    assert hashlib.sha256((folder / "release.json").read_bytes()).hexdigest() == made.digest


def test_the_files_of_a_version_are_read_only(lender):
    folder = lender.root / lender.release().path
    assert {path.stat().st_mode & 0o777 for path in folder.rglob("*") if path.is_file()} == {0o444}


def test_the_ledger_says_what_was_made(lender):
    made = lender.release()
    entry = lender.workspace.ledger.entries("release.made")[-1]
    assert entry.body["digest"] == made.digest
    assert entry.body["candidate"] == lender.candidate.digest
    assert entry.body["snapshot"] == lender.snapshot.id
    assert entry.body["opening"] == 1
    assert lender.workspace.ledger.verify().ok


def test_the_same_candidate_and_question_give_the_same_version(lender):
    first = lender.release()
    assert lender.release() == first
    assert len(lender.workspace.ledger.entries("release.made")) == 1
    assert len(lender.tracking.models) == 1


def test_another_question_gives_another_version_and_no_alias_moves(lender):
    lender.release()
    second = lender.release_another("Who will not repay next year?")
    assert second.version == 2
    assert [one.version for one in list_releases(lender.workspace.ledger)] == [1, 2]
    assert lender.tracking.pointers == {}
    assert lender.workspace.ledger.entries("alias.moved") == []


def test_an_undecided_verdict_is_refused_with_its_rows(lender, undecided_facts):
    said = undecided_facts.conclusion
    lender.conclusion = replace(
        said, candidate=lender.candidate.digest, question=lender.question.digest
    )
    with pytest.raises(Blocked) as refused:
        lender.release()
    assert (refused.value.exit_code, refused.value.code) == (1, "K001")
    assert "accuracy undecided: 0.9333 [0.805, 0.988], wanted >= 0.95" in refused.value.what
    assert "503 rows at this value would fail" in refused.value.fix
    assert not (lender.root / "releases").exists()


def test_of_a_perfect_auc_nothing_better_is_asked_but_rows_or_a_leak(lender, undecided_facts):
    perfect = Verdict("auc", "roc_auc", 1.0, None, None, 0.95, "at_least", "undecided", 30)
    lender.conclusion = replace(
        undecided_facts.conclusion,
        candidate=lender.candidate.digest,
        question=lender.question.digest,
        kpis=(perfect,),
    )
    with pytest.raises(Blocked) as refused:
        lender.release()
    assert "an AUC of exactly 1 cannot be bounded" in refused.value.fix
    assert "more rows" in refused.value.fix
    assert "qua3ck explain U001" in refused.value.fix
    assert "better features" not in refused.value.fix


def test_a_blocking_finding_of_an_earlier_phase_is_the_reason_given(lender):
    leak = Finding("U003", "block", "gold/training, income", "income is made of the target.")
    lender.snapshot = replace(lender.snapshot, findings=(leak,))
    lender.conclusion = replace(lender.conclusion, release_allowed=False)
    with pytest.raises(Blocked, match=r"released: income is made of the target \(U003\)"):
        lender.release()


def test_a_verdict_that_was_only_edited_into_a_record_is_not_believed(lender):
    lender.judge(replace(lender.conclusion, release_allowed=False))
    with pytest.raises(Blocked, match="ledger has no verdict"):
        lender.release()


@pytest.mark.parametrize("field", ["question", "snapshot", "candidate"])
def test_records_that_do_not_belong_together_are_refused(lender, field):
    lender.conclusion = replace(lender.conclusion, **{field: "0" * 64})
    with pytest.raises(Qua3ckError, match=field) as refused:
        lender.release()
    assert refused.value.code == "K002"


def test_a_changed_candidate_is_refused_and_leaves_nothing(lender):
    path = lender.root / lender.candidate.artefact / "model.onnx"
    path.write_bytes(path.read_bytes() + b"\0")
    with pytest.raises(Qua3ckError, match="not the one that was recorded"):
        lender.release()
    assert [one.name for one in (lender.root / "releases").iterdir()] == [".lock"]


def test_a_full_disk_leaves_no_half_version_and_the_next_attempt_succeeds(lender, monkeypatch):
    def full(folder, parts, version):
        (folder / "half").write_text("half")
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(module, "_fill", full)
        with pytest.raises(Qua3ckError, match="No space left") as refused:
            lender.release()
    assert refused.value.code == "K003"
    assert [one.name for one in (lender.root / "releases").iterdir()] == [".lock"]
    assert lender.release().version == 1


def test_an_interrupt_leaves_no_half_version(lender, monkeypatch):
    def interrupted(folder, parts, version):
        (folder / "half").write_text("half")
        raise KeyboardInterrupt

    monkeypatch.setattr(module, "_fill", interrupted)
    with pytest.raises(KeyboardInterrupt):
        lender.release()
    assert [one.name for one in (lender.root / "releases").iterdir()] == [".lock"]


def test_what_a_kill_left_behind_is_cleaned(lender):
    leftover = lender.root / "releases" / ".making-1"
    leftover.mkdir(parents=True)
    (leftover / "half").write_text("half")
    assert lender.release().version == 1
    assert not leftover.exists()


def test_a_kill_between_folder_and_ledger_is_taken_up(lender, monkeypatch):
    with monkeypatch.context() as patched:
        patched.setattr(module, "_record", _killed)
        with pytest.raises(KeyboardInterrupt):
            lender.release()
    assert (lender.root / "releases" / "1").is_dir()
    made = lender.release()
    assert made.version == 1
    assert len(lender.workspace.ledger.entries("release.made")) == 1


def test_a_registry_out_of_reach_does_not_undo_the_version(lender):
    lender.tracking.reachable = False
    with pytest.raises(Qua3ckError, match="does not answer"):
        lender.release()
    assert find_release(lender.workspace.ledger, 1).registered == ""
    lender.tracking.reachable = True
    assert lender.release().registered == "consumer-credit/1"


def test_an_unknown_version_says_which_there_are(lender):
    lender.release()
    with pytest.raises(Qua3ckError, match="Version 12 does not exist") as refused:
        find_release(lender.workspace.ledger, 12)
    assert "versions: 1" in refused.value.where


def test_the_version_checks_itself_without_us(lender, tmp_path):
    made = lender.release()
    check = lender.root / made.path / "check_release.py"
    blocked = "import sys; sys.modules['qua3ck'] = None; sys.argv = sys.argv[1:];"
    blocked += "import runpy; runpy.run_path(sys.argv[0], run_name='__main__')"
    command = [sys.executable, "-c", blocked, str(check), made.digest]
    done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, check=False)
    assert done.returncode == 0, done.stderr
    assert "golden rows agree" in done.stdout

    card = lender.root / made.path / "README.md"
    card.chmod(0o644)
    card.write_text("better than ever")
    done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, check=False)
    assert done.returncode == 1
    assert "README.md was changed" in done.stdout


def _killed(*anything):
    raise KeyboardInterrupt


def test_every_version_has_its_datasheet_and_its_scan_under_its_digest(lender):
    folder = lender.root / lender.release().path
    listed = json.loads((folder / "release.json").read_bytes())["files"]
    assert {"datasheet.md", "evidence/security.json"} <= set(listed)
    assert (folder / "datasheet.md").read_text().startswith("# Datasheet: the data of consumer-")
    assert "datasheet.md" in (folder / "report.html").read_text()


def test_the_scan_of_a_version_stands_in_its_report_and_its_evidence(lender):
    (lender.root / "features.py").write_text("def training_set(tables):\n    return eval(tables)\n")
    folder = lender.root / lender.release().path
    found = json.loads((folder / "evidence" / "security.json").read_bytes())["findings"]
    assert {one["code"]: one["where"] for one in found}["K021"] == "code/features.py, line 2"
    assert "K021" in (folder / "report.html").read_text()
    assert "K021" in (folder / "README.md").read_text()


SECRET = "-----BEGIN " + "PRIVATE KEY-----"


def test_a_secret_is_never_written_into_a_version(small_lender):
    features = small_lender.root / "features.py"
    features.write_text(f"{features.read_text()}KEY = '''{SECRET}'''\n")
    with pytest.raises(Blocked) as refused:
        small_lender.release()
    assert (refused.value.code, refused.value.exit_code) == ("K022", 1)
    assert "code/features.py, line 3: private key" in refused.value.what
    assert SECRET not in str(refused.value)
    assert [one.name for one in (small_lender.root / "releases").iterdir()] == [".lock"]
    accept = {"K022 code/features.py": "it is only a word"}
    small_lender.section = small_lender.section.model_copy(update={"accept": accept})
    assert small_lender.release().version == 1
