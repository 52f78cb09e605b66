from __future__ import annotations

import json
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from qua3ck.kit.errors import Qua3ckError
from qua3ck.kit.hashes import digest
from qua3ck.kit.records import as_json, load
from qua3ck.transfer import reproduce, verify
from qua3ck.transfer import reproduction as module
from qua3ck.transfer.records import Certificate
from qua3ck.transfer.reproduction import Then, compare

ENVIRONMENT = {"python": "3.11.7", "packages": {"scikit-learn": "1.9.1"}}
THEN = Then(
    gold="a" * 64, environment=ENVIRONMENT, artefact="b" * 64, predictions="c" * 64,
    metrics={"auc": 0.8372}, validation={"auc": 0.8312},
)  # fmt: skip
SAME = {
    "gold": "a" * 64, "environment": ENVIRONMENT, "artefact": "b" * 64, "golden": [],
    "golden_rows": 20, "validation": {"auc": 0.8312},
    "sealed": {"rows": 891, "predictions": "c" * 64, "metrics": {"auc": 0.8372}},
}  # fmt: skip


def failed(remade) -> list[str]:
    return [one.what for one in compare(THEN, remade) if one.needed and not one.same]


def test_the_same_to_the_last_bit():
    compared = compare(THEN, SAME)
    assert all(one.same and one.identical for one in compared)
    assert {one.what for one in compared} == {
        "data", "environment", "artefact", "validation", "golden", "metrics", "sealed",
    }  # fmt: skip
    assert all(one.tolerance for one in compared)


def test_other_bytes_and_packages_do_not_count_if_the_answers_are_the_same():
    other = {"python": "3.12.0", "packages": {"scikit-learn": "1.9.2"}}
    remade = {**SAME, "artefact": "d" * 64, "environment": other}
    assert failed(remade) == []
    said = {one.what: one.says for one in compare(THEN, remade)}
    assert "scikit-learn 1.9.1 -> 1.9.2" in said["environment"]
    assert "other bytes" in said["artefact"]


@pytest.mark.parametrize(
    ("change", "what"),
    [
        ({"golden": ["golden row 3: another label"]}, ["golden"]),
        ({"validation": {"auc": 0.84}}, ["validation"]),
        ({"sealed": {**SAME["sealed"], "metrics": {"auc": 0.8373}}}, ["metrics"]),
        ({"sealed": {**SAME["sealed"], "metrics": {"auc": float("nan")}}}, ["metrics"]),
        ({"sealed": {**SAME["sealed"], "predictions": "d" * 64}}, ["sealed"]),
        ({"sealed": {"unavailable": "the key is not here"}}, []),
    ],
)
def test_what_differs_is_named(change, what):
    assert failed({**SAME, **change}) == what


def test_a_metric_within_the_tolerance_is_the_same_but_not_identical():
    sealed = {**SAME["sealed"], "metrics": {"auc": 0.8372 + 5e-7}}
    (found,) = (one for one in compare(THEN, {**SAME, "sealed": sealed}) if one.what == "metrics")
    assert found.same
    assert not found.identical


def test_rows_that_cannot_be_read_are_not_compared_and_say_why():
    compared = compare(THEN, {**SAME, "sealed": {"unavailable": "the key is not here"}})
    assert (compared[-1].answer, compared[-1].compared) == ("not compared", False)
    assert compared[-1].says.endswith("the key is not here")


def test_other_rows_end_the_comparison():
    compared = compare(THEN, {"gold": "d" * 64, "environment": ENVIRONMENT})
    assert [one.what for one in compared] == ["data", "environment"]
    assert not compared[0].same


@pytest.fixture
def remade(lender, monkeypatch):
    """Answer for the fresh process; what it compares with is a real release."""
    release = lender.release()
    folder = lender.root / release.path
    then = module._then(folder)
    made = {
        **SAME, "gold": then.gold, "artefact": then.artefact,
        "environment": dict(then.environment), "validation": dict(then.validation),
        "sealed": {"rows": 891, "predictions": then.predictions, "metrics": {"auc": 0.8372}},
    }  # fmt: skip
    monkeypatch.setattr(module, "_remake", lambda *given, **more: made)
    return made


def test_the_certificate_is_kept_and_the_ledger_vouches_for_it(lender, remade):
    certificate = reproduce(lender.workspace, 1)
    assert certificate.same
    assert repr(certificate).startswith("version 1 came out the same")
    path = lender.root / "evidence" / "reproduction-1.json"
    assert as_json(load(Certificate, path)) == as_json(certificate)
    body = lender.workspace.ledger.entries("reproduction.made")[-1].body
    assert body["same"] is True
    assert body["certificate"] == digest(json.loads(path.read_bytes()))
    assert verify(lender.workspace).ok


def test_a_difference_is_an_answer_with_its_reason(lender, remade):
    remade["golden"] = ["golden row 3: another label"]
    certificate = reproduce(lender.workspace, 1)
    assert not certificate.same
    assert certificate.differences == ("predictions differ: golden row 3: another label",)
    body = lender.workspace.ledger.entries("reproduction.made")[-1].body
    assert body["differences"] == list(certificate.differences)


def test_functions_changed_since_are_said_and_do_not_count(lender, remade):
    (lender.root / "features.py").write_text("def training_set(tables):\n    return None\n")
    certificate = reproduce(lender.workspace, 1)
    said = {one.what: one for one in certificate.compared}["code"]
    assert certificate.same
    assert said.says.endswith("changed in the project since: features.py")


def test_an_edited_certificate_is_found(lender, remade):
    reproduce(lender.workspace, 1)
    path = lender.root / "evidence" / "reproduction-1.json"
    path.write_text(path.read_text().replace('"same": true', '"same": false', 1))
    assert verify(lender.workspace).problems == (
        "evidence/reproduction-1.json: not the certificate in the ledger",
    )


def test_a_changed_version_is_not_reproduced(lender):
    made = lender.release()
    (lender.root / made.path / "added.txt").write_text("added")
    with pytest.raises(Qua3ckError, match=r"added\.txt was added") as refused:
        reproduce(lender.workspace, 1)
    assert refused.value.code == "K004"


def test_an_unknown_version_is_told(lender):
    with pytest.raises(Qua3ckError, match="Version 3 does not exist"):
        reproduce(lender.workspace, 3)


def test_rows_that_are_gone_are_told_by_the_fresh_process(lender):
    lender.release()
    with pytest.raises(Qua3ckError) as told:
        reproduce(lender.workspace, 1)
    assert "gold/training" in f"{told.value.what} {told.value.where}"


@pytest.fixture
def built(lender, remade, monkeypatch):
    """Build environments on paper: note every command, copy and interpreter; run nothing."""
    noted: dict[str, list] = {"commands": [], "copied_to": [], "trained_by": []}
    monkeypatch.setattr(module, "_run_or_say", lambda c, purpose: noted["commands"].append(c))
    monkeypatch.setattr(
        module.environment, "copy_ourselves", lambda python: noted["copied_to"].append(str(python))
    )

    def trained(workspace, release, *, python, into):
        noted["trained_by"].append(python)
        return remade

    monkeypatch.setattr(module, "_remake", trained)
    return noted


@pytest.mark.parametrize("hashed", [True, False])
def test_a_fresh_environment_is_built_from_the_versions_own_lock_and_does_the_training(
    lender, built, monkeypatch, hashed
):
    monkeypatch.setattr(module.environment, "all_hashed", lambda lock: hashed)
    certificate = reproduce(lender.workspace, 1, fresh_env=True)
    make, install = built["commands"]
    (python,) = built["trained_by"]
    place = Path(make[-1])
    assert make[1:3] == ["-m", "venv"]
    assert Path(python).is_relative_to(place)
    assert built["copied_to"] == [python] == [install[0]]
    lock = lender.root / "releases" / "1" / "requirements.txt"
    assert install[install.index("--requirement") + 1] == str(lock)
    assert "--no-deps" in install
    assert ("--require-hashes" in install) is hashed
    assert certificate.fresh_env
    assert certificate.same
    assert lender.workspace.ledger.entries("reproduction.made")[-1].body["fresh_env"] is True
    assert not place.exists()  # nothing is left behind


def test_without_it_the_interpreter_at_hand_does_the_training(lender, built):
    assert not reproduce(lender.workspace, 1).fresh_env
    assert built["commands"] == []
    assert built["trained_by"] == [sys.executable]


def test_a_lock_that_cannot_be_installed_is_told(tmp_path):
    (tmp_path / "requirements.txt").write_text("this is no requirement\n")
    with pytest.raises(Qua3ckError, match="install the version's lock") as told:
        module._new_environment(tmp_path, tmp_path / "venv")
    assert told.value.code == "K011"


def test_the_answer_of_the_sealed_rows_is_compared_with_the_conclusion(lender):
    lender.conclusion = replace(lender.conclusion, predictions_digest="e" * 64)
    release = lender.release()
    assert module._then(lender.root / release.path).predictions == "e" * 64
