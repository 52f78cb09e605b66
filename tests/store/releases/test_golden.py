from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from qua3ck.store.releases import golden
from qua3ck.store.releases.model import load_model


def column(name: str, kind: str, **more: Any) -> dict[str, Any]:
    return {"name": name, "kind": kind, "indicator": False, **more}


def test_no_golden_row_is_a_training_row_and_no_text_is_anybodys(case: Any):
    rows = golden.make_rows(case.table, case.spec, seed=1)
    assert len(rows) == 20
    plain = [{k: golden._plain(v) for k, v in row.items()} for row in case.table.to_dict("records")]
    assert not any(row in plain for row in rows)
    long = {row["note"] for row in rows if len((row["note"] or "").split()) > 3}
    assert len(long) > 5
    assert not long & set(case.table["note"])


def test_one_row_has_nulls_and_one_an_unseen_category(case: Any):
    rows = golden.make_rows(case.table, case.spec, seed=1)
    assert rows[0]["income"] is None
    assert rows[1]["home"] == golden.UNSEEN


def test_the_same_seed_gives_the_same_rows(case: Any):
    made = [golden.make_rows(case.table, case.spec, seed=seed) for seed in (1, 1, 2)]
    assert made[0] == made[1] != made[2]
    json.dumps(made, allow_nan=False)


def test_gives_fewer_rows_where_every_combination_is_a_training_row():
    table = pd.DataFrame({"a": [True, True, False, False], "b": [True, False] * 2})
    spec = {"columns": [column("a", "bool"), column("b", "bool")]}
    rows = golden.make_rows(table, spec, seed=1)
    assert rows == [{"a": None, "b": None}]


def test_a_single_number_is_drawn_between_training_rows():
    table = pd.DataFrame({"a": [1.0, 2.0, 4.0]})
    rows = golden.make_rows(table, {"columns": [column("a", "number")]}, seed=1)
    assert not {row["a"] for row in rows} & {1.0, 2.0, 4.0}
    assert len(rows) > 1


def test_whole_numbers_stay_whole_where_training_had_no_others():
    """A server refuses a fraction there."""
    table = pd.DataFrame({"a": [1, 2, 4, 9]})
    rows = golden.make_rows(table, {"columns": [column("a", "number", type="int64")]}, seed=1)
    drawn = {row["a"] for row in rows if row["a"] is not None}
    assert drawn - {1, 2, 4, 9}
    assert all(float(one).is_integer() for one in drawn)


def test_replays_without_a_difference(artefact: tuple[Path, str]):
    folder, digest = artefact
    assert golden.replay(folder, model=load_model(folder, digest=digest)) == []


def test_tells_every_difference(artefact: tuple[Path, str], tmp_path: Path):
    folder, digest = artefact
    model = load_model(folder, digest=digest)
    other = tmp_path / "golden.json"
    shutil.copy(folder / "golden.json", other)
    said = json.loads(other.read_text())
    said["expected"]["labels"][3] = "maybe"
    said["expected"]["scores"][5][0] += 2e-6
    said["expected"]["scores"][6][0] += 5e-7
    other.write_text(json.dumps(said))
    found = golden.replay(tmp_path, model=model)
    assert [text.split(":")[0] for text in found] == ["golden row 4", "golden row 6"]


def test_a_missing_number_is_a_difference(artefact: tuple[Path, str]):
    folder, digest = artefact
    model = load_model(folder, digest=digest)
    rows, expected = golden.read_golden(folder)
    got = model.predict(rows)
    worse = type(got)(got.labels, np.full_like(got.figures, np.nan), None)
    assert len(golden.differences(worse, expected)) == len(rows)
    assert golden.differences(got, {"values": [1.0]}) != []
