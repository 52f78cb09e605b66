"""Columns that the project file names are held against what is there, before anything runs."""

from __future__ import annotations

import shutil

import pytest
from stock_project import FILE, as_csv, rows

from qua3ck.project import open_project

OWN = "def make(tables):\n    return tables['rows'].assign(need=1.0)\n"


@pytest.fixture(scope="module")
def taken(tmp_path_factory):
    """Return the folder of a project whose snapshot is taken, and its key store."""
    place = tmp_path_factory.mktemp("taken")
    (place / "project" / "data").mkdir(parents=True)
    (place / "project" / "qua3ck.yaml").write_text(FILE)
    (place / "project" / "data" / "rows.csv").write_text(as_csv(rows()))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("QUA3CK_KEYS", str(place / "keys"))
        patch.setenv("QUA3CK_ACTOR", "ana")
        open_project(place / "project").understand()
    return place


@pytest.fixture
def told(taken, tmp_path, monkeypatch):
    """Return a function that gives the findings P017 of the project file as edited."""

    def checked(old: str, new: str, *, gone: str = "", code: str = ""):
        monkeypatch.setenv("QUA3CK_KEYS", str(taken / "keys"))
        monkeypatch.setenv("QUA3CK_ACTOR", "ana")
        root = tmp_path / "project"
        shutil.copytree(taken / "project", root)
        if gone:
            shutil.rmtree(root / gone)
        if code:
            (root / "features.py").write_text(code)
        assert old in FILE
        (root / "qua3ck.yaml").write_text(FILE.replace(old, new))
        return [found for found in open_project(root).check() if found.code == "P017"]

    return checked


TARGET = "  target: out\n"
KPI = "accuracy, at_least: 0.7"


@pytest.mark.parametrize(("old", "new", "name", "where"), [
    (TARGET, "  target: outt\n", "outt", "line 14, column 3, understand.target"),
    (TARGET, TARGET + "  time: demnad\n", "demnad", "understand.time"),
    (TARGET, TARGET + "  group: regoin\n", "regoin", "understand.group"),
    (TARGET, TARGET + "  entity: clinc\n", "clinc", "understand.entity"),
    (TARGET, TARGET + "  sensitive: [region, regoin]\n", "regoin", "understand.sensitive[1]"),
    (TARGET, TARGET + "  known_at_prediction: {exclude: [stok]}\n", "stok",
     "understand.known_at_prediction.exclude[0]"),
    (TARGET, TARGET + "  columns: {stok: number, gone: ignore}\n", "stok", "columns.stok"),
    (KPI, KPI + ", slice_by: [regoin]", "regoin", "question.kpis[0].slice_by[0]"),
    (KPI, KPI + ", slice: {regoin: north}", "regoin", "question.kpis[0].slice.regoin"),
    ("  risk:", "  fairness: [{id: gap, metric: accuracy_difference, by: regoin, at_most: 0.1}]\n"
     "  risk:", "regoin", "question.fairness[0].by"),
])  # fmt: skip
def test_a_column_that_is_in_no_table_is_told_with_its_place_and_what_was_meant(
    told, old, new, name, where
):
    (found,) = told(old, new)
    assert found.severity == "block"
    assert where in found.where
    assert f'No column "{name}" in the tables loaded so far; did you mean "' in found.says
    assert found.says.endswith('"? There are: clinic, contact, stock, demand, region, out')


def test_what_is_there_is_not_told_and_neither_is_anything_before_a_first_load(told, tmp_path):
    assert told(TARGET, TARGET + "  group: region\n") == []
    for folder in ("state", "warehouse"):
        shutil.rmtree(tmp_path / "project" / folder)
    (tmp_path / "project" / "qua3ck.yaml").write_text(FILE.replace(TARGET, "  target: outt\n"))
    assert "P017" not in {one.code for one in open_project(tmp_path / "project").check()}


@pytest.mark.parametrize("gone", ["state", "warehouse"])
def test_the_snapshot_or_the_loaded_tables_alone_are_enough(told, gone):
    (found,) = told(TARGET, "  target: outt\n", gone=gone)
    assert 'did you mean "out"' in found.says


def test_a_column_that_own_code_may_make_only_warns(told):
    training = "  training: features.make\n"
    (found,) = told(TARGET, f"{training}  target: need\n", code=OWN)
    assert found.severity == "warn"
    assert "if own code does not make it by now" in found.says
