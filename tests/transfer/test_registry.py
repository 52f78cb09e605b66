from __future__ import annotations

import os
import subprocess
import sys

from qua3ck.store.tracking import Tracking
from qua3ck.transfer import check_registry

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
