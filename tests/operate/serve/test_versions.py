"""A version is used only after its bytes and its golden rows were proven."""

from __future__ import annotations

import json

import numpy as np
import pytest
from asgi import ROW, Client, open_client

from qua3ck.operate.serve.versions import load_version


def spoil_golden(folder) -> None:
    path = folder / "golden.json"
    said = json.loads(path.read_text())
    said["expected"]["scores"][0] = said["expected"]["scores"][0][::-1]
    path.write_text(json.dumps(said))


def test_takes_over_after_a_move_and_drops_the_one_before(client: Client, shop):
    assert client.invoke(ROW).headers["x-qua3ck-version"] == "1"
    shop.move(2)
    client.follow()
    assert client.invoke(ROW).headers["x-qua3ck-version"] == "2"
    assert list(client.versions.serving.versions) == [2]
    assert [event for event, _ in client.events] == [
        "version.loaded",
        "version.loaded",
        "version.dropped",
    ]


def test_a_changed_byte_is_never_used_and_the_version_before_goes_on(client: Client, shop):
    model = shop.root / "releases" / "2" / "model" / "model.onnx"
    model.write_bytes(model.read_bytes() + b"\0")
    shop.move(2)
    client.follow()
    assert client.invoke(ROW).headers["x-qua3ck-version"] == "1"
    said = client.ask("/v2/health/ready")
    assert said.status == 503
    assert "model.onnx was changed" in said.json()["what"]
    assert client.events[-1][0] == "version.refused"
    shop.move(3)
    client.follow()
    assert client.invoke(ROW).headers["x-qua3ck-version"] == "3"
    assert client.ask("/v2/health/ready").status == 200


def test_what_was_refused_is_tried_again_and_said_once(shop, plan_of):
    shop.move(1)
    model = shop.root / "releases" / "1" / "model" / "model.onnx"
    whole = model.read_bytes()
    model.write_bytes(whole + b"x")
    client = open_client(plan_of(shop))
    assert client.invoke(ROW).status == 503
    assert "put back" in client.invoke(ROW).json()["fix"]
    client.versions.use_again()
    assert [event for event, _ in client.events] == ["version.refused"]
    model.write_bytes(whole)
    client.versions.use_again()
    assert client.invoke(ROW).status == 200
    assert client.versions.ready
    client.versions.use_again()
    assert [event for event, _ in client.events] == ["version.refused", "version.loaded"]


def test_a_shadow_that_cannot_be_used_leaves_the_champion_alone(client: Client, shop):
    (shop.root / "releases" / "2" / "model" / "model.onnx").unlink()
    shop.move(2, "shadow")
    client.follow()
    assert client.invoke(ROW).status == 200
    assert client.ask("/v2/health/ready").status == 200
    assert client.versions.refused.keys() == {2}


def test_a_canary_that_cannot_be_used_gives_its_share_back(shop, plan_of):
    shop.move(1)
    (shop.root / "releases" / "2" / "model" / "model.onnx").unlink()
    shop.move(2, steps=(50, 100))
    client = open_client(plan_of(shop, actor="ana"))
    assert client.versions.refused.keys() == {2}
    versions = {client.invoke(ROW).headers["x-qua3ck-version"] for _ in range(20)}
    assert versions == {"1"}


def test_golden_rows_that_differ_keep_a_version_out(shop, artefacts, tmp_path):
    import shutil

    from qua3ck.kit.errors import Qua3ckError

    changed = tmp_path / "changed"
    shutil.copytree(artefacts[0], changed)
    spoil_golden(changed)
    manifest = json.loads((changed / "manifest.json").read_text())
    from qua3ck.kit.hashes import file_digest

    manifest["files"]["golden.json"] = file_digest(changed / "golden.json")
    (changed / "manifest.json").write_text(json.dumps(manifest))
    number = shop.release(changed)
    from qua3ck.govern import find_release

    with pytest.raises(Qua3ckError, match="golden rows"):
        load_version(shop.root, find_release(shop.workspace.ledger, number))


def test_a_replay_that_differs_stops_the_version(client: Client, shop):
    spoil_golden(shop.root / "releases" / "1" / "model")
    client.versions.replay()
    said = client.invoke(ROW)
    assert said.status == 503
    assert "golden rows" in said.json()["what"]
    assert client.ask("/v2/health/ready").status == 503


def test_a_champion_taken_away_answers_nobody(client: Client, shop):
    shop.append("alias.moved", "champion", alias="champion", version=None, reason="retired")
    client.follow()
    assert client.invoke(ROW).status == 503
    assert client.versions.serving.versions == {}


def test_the_switch_off_works_even_if_nothing_can_be_loaded(shop, plan_of):
    from qua3ck.operate.records import Fallback

    (shop.root / "releases" / "1" / "model" / "model.onnx").unlink()
    shop.move(1)
    client = open_client(plan_of(shop, fallback=Fallback(otherwise="good")))
    assert client.invoke(ROW).status == 503
    shop.append("serving.off", reason="wrong")
    client.follow()
    assert client.invoke(ROW).json()["predictions"] == [{"label": "good"}]


@pytest.fixture(scope="module", params=["python", "numbers", "classes"])
def other(request, tmp_path_factory):
    """A model kept in Python, a regression, and one of three classes; with what they answer."""
    from small_shop import COLUMNS, SPEC, applications

    from qua3ck.a3.adapt import build_pipeline, fit
    from qua3ck.a3.algorithms import find
    from qua3ck.a3.package import Choice, package
    from qua3ck.store.releases import prelude
    from qua3ck.store.releases.model import load_model

    table = applications()
    target, spec = table["status"].to_numpy(), {**SPEC, "columns": COLUMNS}
    name, choice = "logistic_regression", None
    if request.param == "python":
        choice = Choice("skops", "as the test asks")
    elif request.param == "numbers":
        target, name = table["age"].to_numpy(dtype=float), "decision_tree"
        spec |= {"task": "regression", "classes": [], "positive": ""}
    else:
        target = np.where(table["age"] < 35, "young", np.where(table["age"] < 60, "mid", "old"))
        spec |= {"task": "multiclass", "classes": ["mid", "old", "young"], "positive": ""}
    raw = table.drop(columns=["applicant", "status"])
    prepared = prelude.prepare(raw, spec)
    pipeline = build_pipeline(spec, find(name, spec["task"]), {}, 7)
    fit(
        pipeline,
        prepared.iloc[:120],
        target.astype(object)[:120] if spec["classes"] else target[:120],
    )
    folder = tmp_path_factory.mktemp(request.param) / "artefact"
    made = package(
        pipeline, spec, folder=folder, held_out=prepared.iloc[120:], training=raw.iloc[:120],
        algorithm=name, seed=1, choice=choice,
    )  # fmt: skip
    model = load_model(folder, digest=made.digest)
    wanted = model.predict(raw).frame(model.manifest).to_dict("records")
    return folder, json.loads(raw.to_json(orient="records")), wanted


def test_every_kind_of_model_answers_as_it_was_judged(shop, plan_of, other):
    folder, rows, wanted = other
    shop.move(shop.release(folder))
    client = open_client(plan_of(shop))
    assert client.invoke(*rows).json()["predictions"] == wanted
    assert [client.invoke(row).json()["predictions"][0] for row in rows[:20]] == wanted[:20]
    assert client.invoke(*(rows * 4)).json()["predictions"] == wanted * 4
    names = [one["name"] for one in client.ask("/v2/models/shop").json()["outputs"]]
    assert names == list(wanted[0])
