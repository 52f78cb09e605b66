from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from qua3ck.kit.errors import Qua3ckError
from qua3ck.store import tracking as tracking_module
from qua3ck.store.tracking import Tracking, adopt_moved_folder


@pytest.fixture(scope="module")
def template(tmp_path_factory):
    """MLflow needs two seconds for its tables; once is enough."""
    folder = tmp_path_factory.mktemp("tracking")
    Tracking(f"sqlite:///{folder / 'mlflow.db'}", folder, "nobody").aliases("nothing")
    return folder / "mlflow.db"


def open_in(root):
    return Tracking(f"sqlite:///{root / 'mlflow.db'}", root, "stock")


@pytest.fixture
def root(template, tmp_path):
    folder = tmp_path / "here"
    folder.mkdir()
    shutil.copyfile(template, folder / "mlflow.db")
    return folder


def client_of(root):
    import mlflow

    return mlflow.MlflowClient(f"sqlite:///{root / 'mlflow.db'}")


def test_a_prepared_database_is_the_one_that_the_first_call_uses(tmp_path):
    tracking = open_in(tmp_path)
    tracking.prepare()
    made = (tmp_path / "mlflow.db").stat()
    assert tracking.aliases("nothing") == {}
    assert (tmp_path / "mlflow.db").stat().st_ino == made.st_ino


def test_what_cannot_be_prepared_is_told_by_the_first_call(tmp_path):
    (tmp_path / "file").write_text("in the way")
    tracking = Tracking(f"sqlite:///{tmp_path / 'file' / 'mlflow.db'}", tmp_path, "stock")
    tracking.prepare()
    with pytest.raises(Qua3ckError):
        tracking.aliases("nothing")


def test_a_trial_is_a_run_with_everything_in_it(root):
    tracking = open_in(root)
    parent = tracking.begin("loop", key="k", tags={"snapshot": "s"})
    run_id = tracking.log_trial(
        parent,
        3,
        name="003 forest",
        params={"depth": 4, "long": "x" * 9000},
        metrics={"auc": 0.75, "never": float("nan")},
        tags={"algorithm": "forest"},
    )
    run = client_of(root).get_run(run_id)
    assert run.data.params["depth"] == "4"
    assert run.data.metrics == {"auc": 0.75}
    assert run.data.tags["qua3ck.trial"] == "3"
    assert run.data.tags["mlflow.parentRunId"] == parent
    assert run.info.status == "FINISHED"
    assert (run.info.artifact_uri or "").startswith((root / "mlartifacts").as_posix())


def test_a_trial_takes_three_calls_to_the_store_whatever_is_in_it(root, monkeypatch):
    from mlflow.store.tracking.sqlalchemy_store import SqlAlchemyStore

    tracking = open_in(root)
    parent = tracking.begin("loop", key="k", tags={})
    calls = []
    for name in (
        "create_run",
        "log_batch",
        "update_run_info",
        "log_metric",
        "log_param",
        "set_tag",
    ):
        plain = getattr(SqlAlchemyStore, name)

        def counted(*given, _plain=plain, _name=name, **named):
            calls.append(_name)
            return _plain(*given, **named)

        monkeypatch.setattr(SqlAlchemyStore, name, counted)
    tracking.log_trial(
        parent,
        0,
        name="t",
        params={f"p{at}": at for at in range(30)},
        metrics={f"m{at}": 0.1 for at in range(10)},
        tags={"a": "b"},
    )
    assert calls == ["create_run", "log_batch", "update_run_info"]


def test_a_loop_that_goes_on_goes_on_in_its_run_and_orphans_are_dropped(root):
    tracking = open_in(root)
    parent = tracking.begin("loop", key="k", tags={})
    kept, lost = (
        tracking.log_trial(parent, at, name=f"t{at}", params={}, metrics={}, tags={})
        for at in range(2)
    )
    again = open_in(root)
    assert again.begin("loop", key="k", tags={}) == parent
    assert again.begin("loop", key="other", tags={}) != parent
    assert again.drop_orphans(parent, known={0: kept}) == 1
    assert client_of(root).get_run(lost).info.lifecycle_stage == "deleted"
    assert client_of(root).get_run(kept).info.lifecycle_stage == "active"
    again.end(parent, metrics={"auc": 0.8}, tags={"candidate": "c"}, failed=False)
    assert client_of(root).get_run(parent).data.metrics == {"auc": 0.8}


def test_the_constructor_costs_nothing():
    code = (
        "import sys; from pathlib import Path; from qua3ck.store.tracking import Tracking; "
        "Tracking('sqlite:////nowhere/mlflow.db', Path('/nowhere'), 'p'); "
        "print('mlflow' in sys.modules)"
    )
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert said.stdout.strip() == "False"


def test_a_server_that_is_down_is_said_in_seconds(tmp_path):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    tracking = Tracking(f"http://me:secret@127.0.0.1:{port}", tmp_path, "stock")
    began = time.monotonic()
    with pytest.raises(Qua3ckError, match="does not answer") as caught:
        tracking.begin("loop", key="k", tags={})
    assert time.monotonic() - began < 30
    assert caught.value.code == "S040"
    assert "secret" not in str(caught.value)
    assert "secret" not in repr(tracking)


def test_a_server_that_accepts_and_never_answers_is_given_up(tmp_path, monkeypatch):
    monkeypatch.setattr(tracking_module, "_REACH_SECONDS", 0.2)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        tracking = Tracking(f"http://127.0.0.1:{silent.getsockname()[1]}", tmp_path, "stock")
        with pytest.raises(Qua3ckError, match=r"does not answer within 0.2 s") as caught:
            tracking.begin("loop", key="k", tags={})
    assert caught.value.code == "S040"


@pytest.mark.parametrize(("given", "kept"), [(None, "10"), ("77", "77")])
def test_patience_is_the_users_where_the_user_set_one(given, kept):
    code = (
        "import os; from qua3ck.store.tracking import _hushed\n"
        "with _hushed(): print(os.environ['MLFLOW_HTTP_REQUEST_TIMEOUT'])"
    )
    plain = {k: v for k, v in os.environ.items() if k != "MLFLOW_HTTP_REQUEST_TIMEOUT"}
    said = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True,
        env=plain | ({"MLFLOW_HTTP_REQUEST_TIMEOUT": given} if given else {}),
    )  # fmt: skip
    assert said.stdout.strip() == kept


def test_a_database_that_is_none_is_said_and_not_a_traceback(tmp_path):
    (tmp_path / "mlflow.db").write_bytes(b"this is not a database, it is a text" * 100)
    with pytest.raises(Qua3ckError) as caught:
        open_in(tmp_path).aliases("m")
    assert caught.value.code == "S040"


def test_a_new_database_waits_for_the_disk_once_and_later_writes_each_time(tmp_path, monkeypatch):
    from sqlalchemy import Engine, event

    synced, levels = [], {}
    fsync = os.fsync
    monkeypatch.setattr(os, "fsync", lambda number: (synced.append(number), fsync(number)))

    def noted(connection, record):
        del record
        if connection is not None:  # as it is given back to the pool
            file = connection.execute("PRAGMA database_list").fetchone()[2]
            level = connection.execute("PRAGMA synchronous").fetchone()[0]
            levels.setdefault(file.endswith(".part"), set()).add(level)

    event.listen(Engine, "checkin", noted)
    try:
        open_in(tmp_path).prepare()
        assert len(synced) == 1
        open_in(tmp_path).aliases("nothing")
    finally:
        event.remove(Engine, "checkin", noted)
    assert levels == {True: {0}, False: {2}}


def test_a_half_made_database_of_a_killed_run_is_made_anew(tmp_path):
    left = tmp_path / ".mlflow.db.1.part"
    left.write_bytes(b"half")
    assert open_in(tmp_path).aliases("m") == {}
    assert not left.exists()
    assert (tmp_path / "mlflow.db").stat().st_size > 10_000


def test_nothing_is_said_and_nothing_global_is_left(root, capfd, monkeypatch):
    import mlflow

    monkeypatch.chdir(root)
    before = mlflow.get_tracking_uri(), mlflow.get_registry_uri()
    tracking = open_in(root)
    parent = tracking.begin("loop", key="k", tags={})
    tracking.log_trial(parent, 0, name="t", params={}, metrics={}, tags={})
    assert capfd.readouterr() == ("", "")
    assert (mlflow.get_tracking_uri(), mlflow.get_registry_uri()) == before
    assert not (root / "mlruns").exists()


@pytest.fixture(scope="module")
def artefact(tmp_path_factory):
    from qua3ck.a3 import adapt, algorithms
    from qua3ck.a3.package import package
    from qua3ck.store.releases import prelude

    rng = np.random.default_rng(0)
    rows = pd.DataFrame({"x": rng.normal(size=80), "home": rng.choice(["own", "rent"], 80)})
    given = {
        "indicator": False,
        "distinct": 2,
        "values": [],
        "low": None,
        "high": None,
        "words": False,
    }
    spec = {
        "version": 1,
        "task": "binary",
        "classes": ["no", "yes"],
        "positive": "yes",
        "threshold": 0.5,
        "columns": [
            {"name": "x", "kind": "number", "type": "double", "time": False, **given},
            {"name": "home", "kind": "category", "type": "string", "time": False, **given},
        ],
        "ignored": [],
        "outputs": ["label", "p_no", "p_yes"],
    }
    prepared = prelude.prepare(rows, spec)
    plain = algorithms.find("logistic_regression", "binary")
    pipeline = adapt.build_pipeline(spec, plain, plain.defaults[0], 1)
    truth = np.where(rows["x"] > 0, "yes", "no").astype(object)
    adapt.fit(pipeline, prepared, truth)
    folder = tmp_path_factory.mktemp("made") / "artefact"
    package(
        pipeline,
        spec,
        folder=folder,
        held_out=prepared,
        training=rows,
        algorithm="logistic_regression",
        seed=1,
    )
    return folder


LOAD = """
import sys, warnings
warnings.simplefilter("ignore")
import mlflow, pandas as pd
mlflow.set_tracking_uri(sys.argv[1])
model = mlflow.pyfunc.load_model("models:/stock@champion")
said = model.predict(pd.DataFrame({"x": [3, -3], "home": ["own", "elsewhere"]}))
print(said["label"].tolist(), "qua3ck" in sys.modules)
"""


def test_a_version_loads_anywhere_also_after_the_folder_was_moved(root, artefact, tmp_path, capfd):
    tracking = open_in(root)
    tags = {"release": "1", "digest": "d"}
    version = tracking.register(artefact, "stock", tags=tags)
    assert tracking.register(artefact, "stock", tags=tags) == version, "never twice"
    assert tracking.register(artefact, "stock", tags={"release": "2"}) == "2"
    tracking.set_alias("stock", version, "champion")
    assert tracking.aliases("stock") == {"champion": version}
    assert tracking.release_versions("stock", tag="release") == {"1": "1", "2": "2"}
    assert capfd.readouterr() == ("", "")

    moved = tmp_path / "stick" / "copied"
    shutil.copytree(root, moved)
    shutil.rmtree(root)
    before = (moved / "mlflow.db").read_bytes()
    copies = open_in(moved).copies("stock")
    assert sorted(copies) == ["1", "2"]
    assert all((Path(place) / "model.py").is_file() for place in copies.values())
    assert (moved / "mlflow.db").read_bytes() == before, "who asks for the copies changes nothing"
    assert open_in(moved).aliases("stock") == {"champion": version}
    assert open_in(moved).copies("stock") == copies
    assert adopt_moved_folder(moved / "mlflow.db", moved) == 0
    traces = [
        path
        for path in moved.rglob("*")
        if path.is_file() and path.suffix != ".db" and str(root).encode() in path.read_bytes()
    ]
    assert traces == []
    uri = f"sqlite:///{moved / 'mlflow.db'}"
    said = subprocess.run(
        [sys.executable, "-c", LOAD, uri], capture_output=True, text=True, check=False, cwd=tmp_path
    )
    assert said.stdout.splitlines()[-1:] == ["['yes', 'no'] False"], said.stderr


def test_where_copies_lie_is_asked_without_making_a_database(tmp_path):
    assert open_in(tmp_path).copies("stock") == {}
    assert not (tmp_path / "mlflow.db").exists()
    (tmp_path / "mlflow.db").write_bytes(b"no database at all, but long enough to be read as one")
    with pytest.raises(Qua3ckError, match="database could not be used") as told:
        open_in(tmp_path).copies("stock")
    assert told.value.code == "S040"
    assert Tracking("http://nobody:5000", tmp_path, "stock").copies("stock") is None


def test_an_alias_can_be_taken_away(root, artefact):
    tracking = open_in(root)
    version = tracking.register(artefact, "stock", tags={})
    tracking.set_alias("stock", version, "shadow")
    tracking.drop_alias("stock", "shadow")
    assert tracking.aliases("stock") == {}
