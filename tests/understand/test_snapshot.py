"""The whole of U as the other rooms call it, with its child processes."""

from __future__ import annotations

import json
import os
import shutil
import sys

import numpy as np
import pyarrow as pa
import pytest
from sklearn.datasets import load_iris

from qua3ck.govern import open_workspace
from qua3ck.kit.errors import Qua3ckError
from qua3ck.kit.hashes import file_digest
from qua3ck.kit.records import as_json, from_json
from qua3ck.question.records import Roles
from qua3ck.understand import Snapshot, open_seal, reread_seal, take_snapshot, training_rows
from qua3ck.understand.snapshot import snapshot_id


@pytest.fixture
def question(bench):
    from qua3ck.question.records import Kpi, Question

    def make(**further):
        return Question(
            asks="a",
            decides="b",
            why_now="c",
            risks="d",
            stop_if=("rows < 10",),
            kpis=(Kpi(id="acc", metric="accuracy", at_least=0.9, slice_by=("city",)),),
            **further,
        )

    return make


def people(rows: int = 120) -> pa.Table:
    random = np.random.default_rng(0)
    return pa.table(
        {
            "ref": [f"person-{n:04}-secret" for n in range(rows)],
            "x": random.normal(size=rows),
            "day": pa.array(random.integers(0, 5000, rows), pa.int32()).cast(pa.date32()),
            "member": pa.array([None, *random.choice([True, False], rows - 1).tolist()]),
            "city": ["Ulm"] * rows,
            "y": random.integers(0, 2, rows),
        }
    )


def test_a_snapshot_pins_splits_seals_and_tells(bench, question):
    bench.csv(people())
    snapshot = bench.snapshot(bench.section(entity="ref", target="y"), question=question())
    assert (snapshot.task, snapshot.order, snapshot.classes) == (
        "binary",
        "independent",
        ("0", "1"),
    )
    assert (snapshot.split.rows_train, snapshot.split.rows_test) == (96, 24)
    assert snapshot.gold.rows == 96
    parts = {c.name: c.role for c in snapshot.columns}
    assert parts == {
        "ref": "entity",
        "x": "feature",
        "day": "feature",
        "member": "feature",
        "city": "sensitive",
        "y": "target",
    }
    assert from_json(Snapshot, as_json(snapshot)) == snapshot
    assert snapshot.id == snapshot_id(snapshot)
    assert {f.code for f in snapshot.findings} == {"U009", "U010", "U019", "U024"}

    rows = training_rows(snapshot, bench.workspace)
    assert list(rows.columns) == ["x", "day", "member", "city", "y"]
    assert (len(rows), set(rows["y"])) == (96, {"0", "1"})
    assert rows["day"].dtype.kind == "M"

    page = bench.root / snapshot.profile
    assert file_digest(page) == snapshot.profile_digest
    facts = json.loads(page.with_suffix(".json").read_bytes())
    assert facts["rows"] == 96

    ledger = bench.workspace.ledger
    loaded = ledger.entries("source.loaded")[0].body
    pinned = snapshot.sources[0]
    assert {k: loaded[k] for k in ("table", "version", "rows", "held")} == {
        "table": "silver/rows",
        "version": 0,
        "rows": 120,
        "held": 0,
    }
    assert (pinned.table, pinned.version, pinned.rows) == ("silver/rows", 0, 120)
    assert loaded["files"] == {"rows.csv": file_digest(bench.root / "rows.csv")}
    assert ledger.entries("seal.made")[0].body["rows"] == 24

    opened = open_seal(snapshot, bench.workspace, candidate="c", openings=1)
    assert (len(opened.rows), opened.opening) == (24, 1)
    assert list(opened.rows.columns) == list(rows.columns)
    assert opened.rows["y"].dtype == rows["y"].dtype
    assert set(opened.rows["x"]).isdisjoint(rows["x"])
    again = reread_seal(snapshot, bench.workspace, candidate="c")
    assert again.rows.equals(opened.rows)

    # Outside the raw file, its kept bytes and the source's own table no file holds a sealed
    # row in the open.
    sealed = set(people()["ref"].to_pylist()) - kept_refs(bench)
    for path in bench.root.rglob("*"):
        if path.is_file() and not {"raw", "silver"} & set(path.parts) and path.name != "rows.csv":
            data = path.read_bytes()
            assert not any(ref.encode() in data for ref in sealed), path


def kept_refs(bench) -> set[str]:
    return set(bench.workspace.warehouse.read("gold/training")["ref"].to_pylist())


def test_taken_again_it_is_the_same_and_the_ledger_stays_quiet(bench):
    bench.csv(people())
    first = bench.snapshot()
    events = len(bench.workspace.ledger.entries())
    assert bench.snapshot() == first
    assert len(bench.workspace.ledger.entries()) == events
    bench.csv(pa.concat_tables([people(), people(150).slice(120)]))
    later = bench.snapshot()
    assert later.id != first.id
    assert len(bench.workspace.ledger.entries("source.loaded")) == 2
    # the old snapshot can still be read: its version is pinned
    assert len(training_rows(first, bench.workspace)) == first.gold.rows


def test_the_parent_never_imports_the_users_code_nor_receives_a_row(bench, monkeypatch):
    bench.csv(people())
    bench.code(
        "import os\nprint('hello from the user')\n"
        "def training_set(tables):\n"
        "    open('child.pid', 'w').write(str(os.getpid()))\n    return tables['rows']\n"
    )
    monkeypatch.chdir(bench.root)
    monkeypatch.delitem(sys.modules, "features", raising=False)  # of a project tried before
    from qua3ck.understand import child

    heard = []
    listen = child._listen
    monkeypatch.setattr(child, "_listen", lambda *a: heard.append(listen(*a)) or heard[-1])
    snapshot = bench.snapshot(bench.section(training="features.training_set", entity="ref"))
    assert int((bench.root / "child.pid").read_text()) != os.getpid()
    assert "features" not in sys.modules
    assert not any("secret" in json.dumps(result) for result in heard)
    assert [f.code for f in snapshot.findings if f.severity == "block"] == []


def test_a_leaky_function_blocks_until_accepted_with_a_reason(bench):
    bench.csv(people())
    bench.code(
        "def training_set(tables):\n    t = tables['rows']\n"
        "    return t.assign(z=t.x - t.y.mean())\n"
    )
    section = {"training": "features.training_set", "entity": "ref"}
    leak = [f for f in bench.snapshot(bench.section(**section)).findings if f.code == "U014"]
    assert leak[0].blocks
    accepted = bench.section(**section, accept={"U014": "the mean was published in 2019"})
    leak = [f for f in bench.snapshot(accepted).findings if f.code == "U014"]
    assert leak[0].accepted
    assert not leak[0].blocks


def test_an_unknown_code_cannot_be_accepted(bench):
    bench.csv(people())
    with pytest.raises(Qua3ckError, match='no finding "U999"'):
        bench.snapshot(bench.section(accept={"U999": "because"}))


def test_a_users_error_in_the_child_arrives_as_what_where_fix(bench, capfd):
    bench.csv(people())
    bench.code("def training_set(tables):\n    return tables['nothing']\n")
    with pytest.raises(Qua3ckError, match=r"KeyError in features.py, line 2") as told:
        bench.snapshot(bench.section(training="features.training_set"))
    assert told.value.code == "U106"
    assert "Traceback" not in capfd.readouterr().err


def test_a_child_that_dies_is_told_of(bench):
    bench.csv(people())
    bench.code("import os\ndef training_set(tables):\n    os.kill(os.getpid(), 9)\n")
    with pytest.raises(Qua3ckError, match="SIGKILL") as told:
        bench.snapshot(bench.section(training="features.training_set"))
    assert told.value.code == "U106"


def test_a_function_that_only_fails_on_other_targets_is_not_taken_as_passed(bench):
    bench.csv(people())
    bench.code(
        "import hashlib\ndef training_set(tables):\n    t = tables['rows']\n"
        f"    assert t.y.sum() == {int(people()['y'].to_numpy().sum())}\n    return t\n"
    )
    snapshot = bench.snapshot(bench.section(training="features.training_set", entity="ref"))
    assert [(f.code, f.severity) for f in snapshot.findings if f.code == "U023"] == [
        ("U023", "warn")
    ]


def test_a_column_that_vanished_is_an_error_until_declared(bench):
    bench.csv(people())
    bench.snapshot(bench.section(entity="ref"))
    bench.csv(people().drop_columns(["day"]))
    with pytest.raises(Qua3ckError, match='"day"') as told:
        bench.snapshot(bench.section(entity="ref"))
    assert told.value.code == "U063"
    gone = bench.snapshot(bench.section(entity="ref", columns={"day": "ignore"}))
    assert "day" not in [c.name for c in gone.columns]


def test_a_steward_holds_the_only_key(bench, question, place):
    bench.csv(people())
    steward = bench.workspace.actor
    snapshot = bench.snapshot(question=question(roles=Roles(steward=steward)))
    folder = bench.root / "sealed" / snapshot.seal
    assert (folder / "key.wrapped").exists()
    assert not list((place / "keys").rglob(f"*seal-{snapshot.seal}*"))
    assert len(open_seal(snapshot, bench.workspace, candidate="c", openings=1).rows) == 24


def test_a_moved_folder_still_reads_and_opens(bench, place):
    bench.csv(people())
    snapshot = bench.snapshot()
    rows = training_rows(snapshot, bench.workspace)
    shutil.copytree(bench.root, place / "moved")
    shutil.rmtree(bench.root)
    workspace = open_workspace(place / "moved", "demo")
    assert training_rows(snapshot, workspace).equals(rows)
    assert len(open_seal(snapshot, workspace, candidate="c", openings=1).rows) == 24


def test_gold_that_was_changed_is_not_trained_on(bench):
    bench.csv(people())
    snapshot = bench.snapshot()
    files = list((bench.root / "warehouse" / "gold" / "training").glob("*.parquet"))
    import pyarrow.parquet as pq

    rows = pq.read_table(files[0])
    changed = rows.set_column(1, "x", pa.array(np.zeros(rows.num_rows)))
    pq.write_table(changed, files[0])
    with pytest.raises(Qua3ckError) as told:
        training_rows(snapshot, bench.workspace)
    assert told.value.code in {"U111", "S003"}


def test_iris_from_a_function_and_progress(bench, question):
    bench.code(
        "from sklearn.datasets import load_iris\n"
        "def iris():\n    return load_iris(as_frame=True).frame.rename(columns={'target': 'y'})\n"
    )
    seen = []
    workspace = open_workspace(bench.root, "demo", progress=lambda *a: seen.append(a))
    section = bench.section(sources={"iris": {"kind": "function", "function": "features.iris"}})
    snapshot = take_snapshot(section, question(), test_share=0.2, seed=1, workspace=workspace)
    assert (snapshot.split.rows_train, snapshot.split.rows_test) == (120, 30)
    rows = training_rows(snapshot, workspace)
    assert rows["y"].value_counts().to_dict() == {"0": 40, "1": 40, "2": 40}
    assert [f.code for f in snapshot.findings] == ["U019", "U016", "U024"]
    assert seen[-1][2:] == (5, 5)
    assert [done for _, _, done, _ in seen] == sorted(done for _, _, done, _ in seen)
    assert len(load_iris().data) == 150


def test_two_sources_need_a_training_function(bench):
    bench.csv(people())
    two = {name: {"kind": "csv", "path": "rows.csv"} for name in ("a", "b")}
    with pytest.raises(Qua3ckError, match="2 sources") as told:
        bench.take(bench.section(sources=two))
    assert told.value.code == "U104"


def test_a_table_without_features_is_refused(bench):
    bench.csv({"x": np.arange(40.0), "y": [0, 1] * 20})
    with pytest.raises(Qua3ckError, match="No column is left") as told:
        bench.take(bench.section(columns={"x": "ignore"}))
    assert told.value.code == "U103"


def test_order_and_cluster_follow_the_declaration(bench):
    rows = people().append_column("g", pa.array([n % 30 for n in range(120)]))
    bench.csv(rows)
    grouped = bench.snapshot(bench.section(group="g"))
    assert (grouped.order, grouped.cluster) == ("grouped", "g")
    assert "g" in training_rows(grouped, bench.workspace)
    timed = bench.snapshot(bench.section(time="day"))
    assert (timed.order, timed.time, timed.cluster) == ("time", "day", "")
    assert ("U021", "warn") in [(f.code, f.severity) for f in timed.findings]
    assert "day" in training_rows(timed, bench.workspace)
