from __future__ import annotations

import os
import subprocess
import sys

import pytest

from qua3ck.govern import enrol, find_release, open_workspace
from qua3ck.store.tracking import Tracking
from qua3ck.transfer import audit, check_registry, rollback

LOAD = """
import json, sys

class Nobody:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] == "qua3ck":
            raise ModuleNotFoundError(name)

sys.meta_path.insert(0, Nobody())
import warnings
warnings.simplefilter("ignore")
import mlflow, numpy, pandas
mlflow.set_tracking_uri(sys.argv[1])
model = mlflow.pyfunc.load_model("models:/consumer-credit@champion")
golden = json.load(open(sys.argv[2], encoding="utf-8"))
answer = model.predict(pandas.DataFrame(golden["rows"], dtype=object))
assert answer["label"].tolist() == golden["expected"]["labels"]
scores = answer.drop(columns="label").to_numpy(dtype=float)
assert numpy.abs(scores - numpy.asarray(golden["expected"]["scores"])).max() <= 1e-6
assert not any(name.split(".")[0] == "qua3ck" for name in sys.modules)
print("same", len(answer))
"""


def test_a_registry_that_follows_has_nothing_to_say(small_lender):
    assert check_registry(small_lender.workspace, small_lender.tracking) == ()
    small_lender.release()
    small_lender.promote(1)
    assert check_registry(small_lender.workspace, small_lender.tracking) == ()


def test_an_alias_moved_behind_our_back_is_found(small_lender):
    small_lender.release()
    small_lender.release_another("Who else?")
    small_lender.promote(1)
    small_lender.tracking.set_alias("consumer-credit", "2", "champion")
    (finding,) = check_registry(small_lender.workspace, small_lender.tracking)
    assert (finding.code, finding.blocks) == ("K008", True)
    assert "points to version 2; by the ledger version 1" in finding.says


def test_an_alias_that_the_ledger_never_moved_is_found(small_lender):
    small_lender.release()
    small_lender.tracking.set_alias("consumer-credit", "7", "production")
    (finding,) = check_registry(small_lender.workspace, small_lender.tracking)
    assert finding.code == "K008"
    assert "registry version 7, not ours" in finding.says


def test_a_move_that_the_registry_missed_is_told_and_caught_up(small_lender):
    small_lender.release()
    small_lender.promote(1)
    second = small_lender.release_another("Who else?")
    small_lender.tracking.reachable = False
    moved = small_lender.promote(second.version)
    assert not moved.mirrored
    assert "does not answer" in moved.note
    assert "follows with the next release, promote or rollback after this: start it" in moved.note
    small_lender.tracking.reachable = True
    (finding,) = check_registry(small_lender.workspace, small_lender.tracking)
    assert finding.evidence["ledger"] == 2
    assert finding.code == "K008"
    assert small_lender.promote(2).mirrored
    assert check_registry(small_lender.workspace, small_lender.tracking) == ()


def test_mlflow_loads_the_champion_without_us_and_predicts_the_golden_rows(
    small_lender, tmp_path, monkeypatch
):
    for name in ("MLFLOW_TRACKING_URI", "MLFLOW_REGISTRY_URI"):
        monkeypatch.delenv(name, raising=False)
    uri = f"sqlite:///{small_lender.root / 'mlflow.db'}"
    small_lender.tracking = Tracking(uri, small_lender.root, "consumer-credit")
    made = small_lender.release()
    assert made.registered == "consumer-credit/1"
    assert small_lender.promote(1).mirrored
    assert check_registry(small_lender.workspace, small_lender.tracking) == ()
    golden = small_lender.root / made.path / "model" / "golden.json"
    done = subprocess.run(
        [sys.executable, "-c", LOAD, uri, str(golden)],
        capture_output=True, text=True, check=False, cwd=tmp_path,
        env={key: text for key, text in os.environ.items() if not key.startswith("MLFLOW_")}
        | {"MLFLOW_DISABLE_TELEMETRY": "true"},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-2000:]
    assert done.stdout.startswith("same")


def test_a_first_move_that_the_registry_does_not_have_yet_only_warns(small_lender):
    small_lender.release()
    small_lender.tracking.reachable = False
    small_lender.promote(1)
    small_lender.tracking.reachable = True
    (finding,) = check_registry(small_lender.workspace, small_lender.tracking)
    assert (finding.code, finding.blocks) == ("K009", False)


def lost(lender):
    """Two versions, the second of them champion, and then a registry that knows of neither."""
    lender.release()
    lender.promote(1)
    lender.release_another("Who else?")
    lender.promote(2)
    lender.tracking.lose()
    return lender


def codes(lender) -> list[str]:
    return [one.code for one in check_registry(lender.workspace, lender.tracking)]


def test_what_a_lost_registry_had_is_told_version_by_version(small_lender):
    findings = check_registry(lost(small_lender).workspace, small_lender.tracking)
    assert [one.code for one in findings] == ["K009", "K009", "K009"]
    assert "does not have version 2, which was consumer-credit/2" in findings[1].says
    assert findings[2].where == "registry, consumer-credit@champion"


@pytest.mark.parametrize("call", ["release", "promote", "rollback"])
def test_whoever_writes_next_registers_again_what_a_lost_registry_had(small_lender, call):
    lost(small_lender)
    if call == "release":
        small_lender.release()
    elif call == "promote":
        assert small_lender.promote(2).mirrored
    else:
        workspace, tracking = small_lender.workspace, small_lender.tracking
        assert rollback(workspace, reason="worse", tracking=tracking).mirrored
    assert codes(small_lender) == []
    champion = "1" if call == "rollback" else "2"
    assert small_lender.tracking.pointers == {"champion": champion}
    made = small_lender.workspace.ledger.entries("release.registered")
    assert [entry.body.get("again", False) for entry in made] == [False, False, True, True]
    said = [event.says for event in audit(small_lender.workspace, version=1).events]
    assert (
        "release 1: name consumer-credit, registered 1, version 1, again: the registry had lost it"
        in said
    )


def test_a_version_that_is_not_as_it_was_released_is_not_registered_again(small_lender):
    lost(small_lender)
    card = small_lender.root / "releases" / "1" / "README.md"
    card.chmod(0o644)
    card.write_text("better than ever")
    assert small_lender.promote(2).mirrored
    (finding,) = check_registry(small_lender.workspace, small_lender.tracking)
    assert (finding.code, finding.evidence["version"]) == ("K009", 1)
    assert small_lender.tracking.pointers == {"champion": "1"}, "the first of the new registry"
    assert find_release(small_lender.workspace.ledger, 2).registered == "consumer-credit/1"


def test_a_number_that_is_another_versions_now_is_not_taken_for_the_old_one(small_lender):
    lost(small_lender)
    small_lender.tracking.models["1"] = {"release": "9", "digest": "another's"}
    assert small_lender.promote(2).mirrored
    assert small_lender.tracking.pointers == {"champion": "3"}
    assert codes(small_lender) == []


def test_who_may_promote_and_not_run_registers_again_as_well(small_lender):
    lost(small_lender)
    enrol(small_lender.workspace, "risk", ("risk_manager",))
    small_lender.workspace = open_workspace(small_lender.root, "consumer-credit", actor="risk")
    assert small_lender.promote(2).mirrored
    assert codes(small_lender) == []
