"""The credit score goes the whole line: verdict, release, two approvals, promotion, audit."""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
VERIFIER = ROOT / "tools" / "verify_ledger.py"
PREDICT = """
import json, sys
class Refuse:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] == "qua3ck":
            raise ImportError(name)
sys.meta_path.insert(0, Refuse())
import mlflow, pandas
mlflow.set_tracking_uri("sqlite:///mlflow.db")
model = mlflow.pyfunc.load_model("models:/credit@champion")
golden = json.load(open(sys.argv[1], encoding="utf-8"))
answers = model.predict(pandas.DataFrame(golden["rows"], dtype=object))
print(json.dumps({"labels": [str(v) for v in answers["label"]],
                  "wanted": [str(v) for v in golden["expected"]["labels"]],
                  "scores": answers.filter(regex="^p_").to_numpy().tolist(),
                  "wanted_scores": golden["expected"]["scores"],
                  "modules": sorted(m for m in sys.modules if m in ("qua3ck", "cloudpickle"))}))
"""


def done(result):
    assert result.returncode == 0, result.stdout + result.stderr
    return result


@pytest.fixture(scope="module")
def project(copy_of):
    return copy_of("credit")


@pytest.fixture(scope="module")
def concluded(project):
    done(project.type_in("run"))
    return json.loads(done(project.type_in("conclude", "--json")).stdout)


@pytest.fixture(scope="module")
def early(project, concluded):
    """Promotion typed before anybody has approved."""
    del concluded
    done(project.type_in("release"))
    return project.type_in("promote", "1", "--reason", "too early")


@pytest.fixture(scope="module")
def promoted(project, early):
    del early
    done(project.type_in("reproduce", "1"))
    for name, role in (("rosa", "risk_manager"), ("malik", "domain_expert")):
        done(project.type_in("enrol", name, "--role", role))
        done(project.type_in("approve", "1", "--as", name, "--reason", "report read"))
    done(project.type_in("promote", "1", "--reason", "replaces the double reading"))
    return project


def test_every_promise_passes_on_its_bound(concluded):
    judged = [*concluded["kpis"], *concluded["slices"]]
    assert {row["verdict"] for row in judged} == {"pass"}
    assert concluded["release_allowed"] is True
    assert concluded["opening"] == 1


def test_the_groups_are_judged(concluded):
    said = json.dumps(concluded["slices"])
    for group in ("under_35", "35_and_over", "married", "not_married"):
        assert group in said


def test_too_early_a_promotion_is_refused(early):
    assert early.returncode == 1
    assert "approv" in early.stdout + early.stderr


def test_the_model_earned_onnx(promoted):
    assert list((promoted.folder / "releases" / "1").rglob("model.onnx"))


def test_sensitive_columns_are_no_input(promoted):
    golden = next((promoted.folder / "releases" / "1").rglob("golden.json"))
    row = json.loads(golden.read_text())["rows"][0]
    assert {"age", "marital", "age_group", "household"}.isdisjoint(row)


def test_any_mlflow_client_loads_the_champion_without_the_package(promoted):
    golden = next((promoted.folder / "releases" / "1").rglob("golden.json"))
    script = promoted.folder.parent / "predict.py"
    script.write_text(PREDICT)
    said = json.loads(
        done(promoted.run(sys.executable, "-I", str(script), str(golden))).stdout.splitlines()[-1]
    )
    assert said["labels"] == said["wanted"]
    assert len(said["scores"]) == len(said["labels"])
    for answered, wanted in zip(said["scores"], said["wanted_scores"], strict=True):
        assert answered == pytest.approx(wanted, rel=0, abs=1e-6)
    assert "qua3ck" not in said["modules"]


def test_both_verifiers_agree(promoted):
    done(promoted.type_in("audit", "verify"))
    done(promoted.run(sys.executable, str(VERIFIER), str(promoted.folder)))


@pytest.mark.parametrize("harm", ["change one byte", "cut the last line"])
def test_both_verifiers_say_where_the_ledger_was_harmed(promoted, tmp_path, harm):
    harmed = tmp_path / "credit"
    shutil.copytree(promoted.folder, harmed, ignore=shutil.ignore_patterns("mlartifacts"))
    chain = harmed / "ledger" / "chain.jsonl"
    lines = chain.read_bytes().splitlines(keepends=True)
    if harm == "cut the last line":
        chain.write_bytes(b"".join(lines[:-1]))
        place = f"{len(lines)}"
    else:
        lines[2] = lines[2].replace(b'"event"', b'"evenT"', 1)
        chain.write_bytes(b"".join(lines))
        place = "3"
    ours = promoted.type_in("audit", "verify", str(harmed))
    theirs = promoted.run(sys.executable, str(VERIFIER), str(harmed))
    for found in (ours, theirs):
        assert found.returncode == 1
        assert f"line {place}" in found.stdout + found.stderr
        assert "Traceback" not in found.stderr


def test_the_audit_names_who_and_why(promoted):
    said = done(promoted.type_in("audit")).stdout
    for word in ("rosa", "malik", "ana", "replaces the double reading"):
        assert word in said


def test_the_report_needs_no_network(promoted):
    report = (promoted.folder / "releases" / "1" / "report.html").read_text(encoding="utf-8")
    for outside in ('src="http', 'href="http', "@import", "url(http"):
        assert outside not in report


def test_running_again_does_nothing_twice(promoted):
    before = (promoted.folder / "ledger" / "chain.jsonl").read_bytes()
    done(promoted.type_in("run"))
    assert (promoted.folder / "ledger" / "chain.jsonl").read_bytes() == before
