"""Batch prediction, as its user meets it: every row answered or held, once, with its origin."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from small_shop import COLUMNS, SPEC, Shop, applications, make_shop

from qua3ck.kit.errors import Blocked, Qua3ckError
from qua3ck.operate.batch import Asked, predict
from qua3ck.operate.batch.fitting import LACKING, NEVER, STRANGE, UNREADABLE, fit
from qua3ck.operate.batch.parts import WORK, Work, sole
from qua3ck.operate.serve import predicting
from qua3ck.project import Project, open_project
from qua3ck.store.releases.model import load_model
from qua3ck.store.releases.rows import Rows

KEYED = "rows: {kind: csv, path: rows.csv, key: [applicant]}"
PART = 64  # rows


@pytest.fixture(scope="module")
def loaded(tmp_path_factory: pytest.TempPathFactory, artefacts: list[Path]) -> Iterator[Path]:
    """A folder with a project (three versions, a champion, a loaded source) and its keys."""
    folder = tmp_path_factory.mktemp("loaded")
    with pytest.MonkeyPatch.context() as patch:
        for name in ("QUA3CK_WITNESS", "QUA3CK_PASSPHRASE", "QUA3CK_NETWORK_SHARE"):
            patch.delenv(name, raising=False)
        patch.setenv("QUA3CK_KEYS", str(folder / "keys"))
        patch.setenv("QUA3CK_ACTOR", "ana")
        shop = make_shop(folder / "shop", artefacts)
        shop.move(1)
        file = shop.root / "qua3ck.yaml"
        file.write_text(file.read_text().replace("rows: {kind: csv, path: rows.csv}", KEYED))
        open_project(shop.root).load()
        yield folder


@pytest.fixture
def project(loaded: Path, tmp_path: Path, keys: Path) -> Project:
    """A copy of it."""
    shutil.copytree(loaded / "keys", keys)
    shutil.copytree(loaded / "shop", tmp_path / "shop")
    return open_project(tmp_path / "shop")


@pytest.fixture
def shop(project: Project) -> Shop:
    """The same, to move aliases in."""
    return Shop(project.root, project.workspace())


def answers(project: Project, table: str = "predictions/scores") -> pd.DataFrame:
    """Return the current answers of a table by their number."""
    rows = project.read_only().warehouse.current(table, by=("_piece",), meta=True)
    return rows.to_pandas().sort_values("_row", ignore_index=True)


def events(project: Project) -> list[Any]:
    return project.read_only().ledger.entries("predictions.made")


def by_parts(project: Project, table: str = "rows", to: str = "scores", **more: Any) -> Any:
    """Predict in small parts."""
    asked = Asked(table, to, **more)
    return predict(asked, project.workspace(), project.file.understand, part=PART)


def in_new_rows(project: Project, **columns: Any) -> Path:
    """Write a Parquet file of three applicants with some columns replaced."""
    rows = {"income": [40.0, 50.0, 60.0], "age": [30, 40, 50], "home": ["own", "rent", "own"]}
    path = project.root / "new.parquet"
    pq.write_table(pa.table({**rows, **columns}), path)
    return path


# -- the answers -----------------------------------------------------------------------------


def test_every_row_gets_the_answer_that_the_version_gives_it_alone(project):
    made = by_parts(project)
    assert (made.rows, made.predicted, made.held) == (160, 160, 0)
    table = applications()
    folder = project.root / "releases" / "1" / "model"
    candidate = project.read_only().ledger.entries("release.made")[0].body["candidate"]
    model = load_model(folder, digest=candidate)
    found = answers(project)
    assert list(found["applicant"]) == list(table["applicant"])
    for at in (0, 17, 63, 64, 159):
        alone = model.predict(table.loc[[at], ["income", "age", "home"]])
        assert found["label"][at] == alone.labels[0]
        assert tuple(found.loc[at, ["p_bad", "p_good"]]) == tuple(alone.scores[0])


def test_version_snapshot_and_time_stand_beside_every_answer(project):
    made = by_parts(project)
    found = answers(project).iloc[0]
    release = project.read_only().ledger.entries("release.made")[0].body
    assert found["model_version"] == 1
    assert found["model_alias"] == "champion"
    assert found["model_release"] == release["digest"]
    assert found["source_table"] == "silver/rows"
    warehouse = project.read_only().warehouse
    version, _, content = warehouse.snapshot("silver/rows", by=("applicant",))
    assert (found["source_version"], found["source_digest"]) == (version, content)
    assert found["source_piece"] == "rows.csv"
    assert found["source_row"] == 1
    assert found["predicted_at"].isoformat() == pd.Timestamp(made.at).isoformat()


def test_the_ledger_has_the_digests_and_no_value(project):
    made = by_parts(project)
    (event,) = events(project)
    assert event.subject == "predictions/scores"
    body = event.body
    assert (body["rows"], body["predicted"], body["held"]) == (160, 160, 0)
    assert body["source_digest"] == made.source_digest
    assert body["to_digest"] == made.to_digest
    assert "a0001" not in json.dumps(body)
    assert project.read_only().ledger.verify().ok


def test_a_gold_table_is_predicted_too(project):
    (project.root / "new.sql").write_text("SELECT * FROM rows WHERE age > 40")
    text = (project.root / "qua3ck.yaml").read_text()
    text = text.replace(
        "  target:", "  tables:\n    older: {sql: new.sql, key: [applicant]}\n  target:"
    )
    (project.root / "qua3ck.yaml").write_text(text)
    again = open_project(project.root)
    again.make_tables()
    made = by_parts(again, "older")
    assert made.source == "gold/older"
    assert made.rows == made.predicted == int((applications()["age"] > 40).sum())
    assert made.key == ("applicant",)


@pytest.mark.parametrize("ending", ["csv", "parquet"])
def test_a_file_is_answered_into_a_file(project, ending, tmp_path):
    path = in_new_rows(project)
    to = tmp_path / f"out.{ending}"
    made = by_parts(project, str(path), str(to))
    found = pd.read_csv(to) if ending == "csv" else pd.read_parquet(to)
    assert len(found) == made.predicted == 3
    assert set(found["model_version"]) == {1}
    assert set(found["source_table"]) == {"new.parquet"}
    assert by_parts(project, str(path), str(to)).fresh is False
    to.unlink()
    assert by_parts(project, str(path), str(to)).fresh is True
    assert to.is_file()


def test_a_text_file_may_be_read_as_a_source_is_declared(project):
    text = (project.root / "qua3ck.yaml").read_text()
    kind = 'rows: {kind: csv, path: rows.csv, delimiter: ";", decimal: ","}'
    (project.root / "qua3ck.yaml").write_text(text.replace(KEYED, kind))
    path = project.root / "new.csv"
    path.write_text("income;age;home\n40,5;30;own\n")
    made = by_parts(open_project(project.root), str(path), like="rows")
    assert (made.predicted, made.held) == (1, 0)


# -- once, and again ---------------------------------------------------------------------------


def test_the_same_rows_and_version_are_nothing_new(project):
    first, second = by_parts(project), by_parts(project)
    assert (first.fresh, second.fresh) == (True, False)
    assert second.to_version == first.to_version
    assert (second.rows, second.predicted, second.held) == (160, 160, 0)
    assert len(events(project)) == 1


def test_a_load_that_changes_nothing_is_nothing_new(project):
    by_parts(project)
    rows = project.root / "rows.csv"
    rows.write_text(rows.read_text().replace("\n", "\r\n"))
    project.load()
    assert by_parts(project).fresh is False


def test_another_version_or_other_rows_are_answered_and_the_last_counts(project, shop):
    by_parts(project)
    shop.move(2)
    assert by_parts(project).version == 2
    shop.move(1)
    third = by_parts(project)
    assert (third.version, third.fresh) == (1, True)
    assert set(answers(project)["model_version"]) == {1}
    rows = project.root / "rows.csv"
    rows.write_text(rows.read_text() + "a9999,40.0,30,own,good\n")
    project.load()
    assert by_parts(project).rows == len(answers(project)) == 161


# -- what does not fit --------------------------------------------------------------------------


def test_a_row_that_cannot_be_read_is_held_and_the_others_are_answered(project):
    path = in_new_rows(project, income=["40", "n/a", "60"])
    made = by_parts(project, str(path), "scores", key=("home",))
    assert (made.rows, made.predicted, made.held) == (3, 2, 1)
    (finding,) = made.findings
    assert finding.code == "U033"
    assert finding.where == "new.parquet, income, 1 of 3 rows"
    held = project.read_only().warehouse.current("predictions/scores_held", by=("_piece",))
    assert held.select(["source_row", "column", "code"]).to_pylist() == [
        {"source_row": 2, "column": "income", "code": "U033"}
    ]
    assert list(answers(project)["source_row"]) == [1, 3]


def test_a_table_whose_cells_are_of_another_type_is_held_cell_by_cell(project):
    """O044: the source was declared as text, so the reader lets pass what the version cannot."""
    text = (project.root / "qua3ck.yaml").read_text()
    text = text.replace("path: rows.csv,", "path: rows.csv, types: {age: string},")
    (project.root / "qua3ck.yaml").write_text(text)
    path = project.root / "rows.csv"
    lines = path.read_text().splitlines()
    path.write_text("\n".join(lines[:4]) + "\n")
    again = open_project(project.root)
    with pytest.raises(Qua3ckError):
        by_parts(again, "silver/other")
    again.load(accept={"U063": "test", "U065": "test", "U064": "test"})
    made = by_parts(again)
    assert (made.rows, made.predicted, made.held) == (3, 0, 3)
    assert [finding.code for finding in made.findings] == ["O044"]


def test_an_empty_cell_where_no_training_row_was_is_held(project):
    made = by_parts(project, str(in_new_rows(project, age=[30, None, 50])))
    assert (made.predicted, made.held) == (2, 1)
    assert [finding.code for finding in made.findings] == ["O056"]
    filled = in_new_rows(project, income=[None, 50.0, 60.0])  # training had such rows
    assert by_parts(project, str(filled)).held == 0


@pytest.mark.parametrize(
    ("refuse", "code", "held"), [(False, "O046", 0), (True, "O045", 2), (("home",), "O045", 1)]
)
def test_what_no_training_row_had_is_marked_or_held(project, refuse, code, held):
    path = in_new_rows(project, age=[30, 40, 430], home=["own", "tent", "own"])
    asked = Asked(str(path), "scores")
    section = project.file.understand
    made = predict(asked, project.workspace(), section, refuse=refuse, part=PART)
    assert made.held == held
    assert code in {finding.code for finding in made.findings}
    found = answers(project)
    marked = {
        row: name
        for row, name in zip(found["source_row"], found["strange"], strict=True)
        if isinstance(name, str)
    }
    if not held:
        assert marked == {2: "home", 3: "age"}
    assert made.outside == len(marked)


def test_no_reason_is_made_of_what_training_had(project, monkeypatch):
    said: list[str] = []

    def heard(rows: Any, known: Rows, **more: Any) -> Any:
        table = {"income": [50.0], "age": [430], "home": ["rant"]}
        said.extend(word for one in known.strange(known.prepare(table, 1)) for word in one)
        return fit(rows, known, **more)

    monkeypatch.setattr("qua3ck.operate.batch.answering.fit", heard)
    by_parts(project, str(in_new_rows(project, age=[30, 40, 430], home=["own", "rant", "own"])))
    assert "home" in said
    assert "age" in said
    told = " ".join(map(str, said))
    assert not any(word in told for word in ("own", "rent", "parents", "80"))


def test_held_and_marked_are_those_that_a_request_would_be_told_of():
    """The rows of a table are judged as those of a request; ``Rows`` is the judge."""
    rng = np.random.default_rng(1)
    spec = {**SPEC, "columns": COLUMNS}
    income = rng.choice([float("nan"), 10.0, 110.0, 111.0, 1e39, float("inf"), -1.0], 400)
    ages = rng.choice(["18", "80", "81", "17", "x", ""], 400)
    homes = rng.choice(["own", " rent ", "tent", "", "Parents"], 400).tolist()
    read = [int(a) if a.strip().isdigit() else (a or None) for a in ages.tolist()]
    table = pa.record_batch({"income": income, "age": pa.array(ages), "home": homes})
    numbers = pa.array([one if isinstance(one, int) else None for one in read], pa.int64())
    known = Rows(spec)
    held = [one for one in fit(table, known).held if one[2] == UNREADABLE]
    assert {at for at, _, _ in held} == {at for at, a in enumerate(ages.tolist()) if a}
    assert {(c, code) for _, c, code in held if code == UNREADABLE} == {("age", UNREADABLE)}
    typed = pa.record_batch({"income": income, "age": numbers, "home": homes})
    given = {"income": income.tolist(), "age": numbers.to_pylist(), "home": homes}
    told = {(s.row, s.column, s.kind) for s in known.strange(known.prepare(given, 400))}
    fitted = fit(typed, known)
    never = {(row, column) for row, column, kind in told if kind in NEVER}
    assert {(at, column) for at, column, _ in fitted.held} == never
    assert {code for _, _, code in fitted.held} == {LACKING}
    places = np.flatnonzero(fitted.kept)
    marked = {
        (int(at), column)
        for at, names in zip(places, fitted.strange, strict=True)
        for column in (names or "").split(", ")
        if column
    }
    answered = set(places.tolist())
    assert marked == {(row, column) for row, column, _ in told if row in answered}
    strict = fit(typed, known, refuse=True)
    assert {(at, column) for at, column, _ in strict.held} == {(r, c) for r, c, _ in told}
    assert {code for _, _, code in strict.held} == {LACKING, STRANGE}
    assert predicting._ALWAYS == NEVER, "a table is held to what a request is held to"


@pytest.mark.parametrize(
    ("column", "cells", "held"),
    [("income", [True, None, False], [0, 2]), ("home", [5, None, 7], [0, 2]),
     ("home", [True, False, None], [0, 1]), ("home", [1.5, None, None], [0])],
)  # fmt: skip
def test_cells_of_another_kind_are_held_as_a_request_with_them_is_refused(column, cells, held):
    spec = {**SPEC, "columns": [*COLUMNS[:2], {**COLUMNS[2], "indicator": True}]}
    given = {"income": [1.0, 2.0, 3.0], "age": [30, 40, 50], "home": ["own"] * 3, column: cells}
    known = Rows(spec)
    fitted = fit(pa.record_batch({name: pa.array(cells) for name, cells in given.items()}), known)
    assert [(at, name) for at, name, code in fitted.held if code == UNREADABLE] == [
        (at, column) for at in held
    ]
    assert [at for at in range(3) if known.value_problems({column: [cells[at]]}, 1)] == held


def test_a_fraction_where_training_held_whole_numbers_only_is_held(project):
    path = in_new_rows(project, age=[30.0, 30.5, None])
    made = by_parts(project, str(path))
    assert (made.predicted, made.held) == (1, 2)
    assert {(one.code, one.evidence["first"][0]) for one in made.findings} == {
        ("O044", 2), ("O056", 3)
    }  # fmt: skip


def test_nothing_answered_ends_with_one(project, capsys):
    from qua3ck.cli.main import main

    path = in_new_rows(project, income=["x", "y", "z"])
    code = main(["predict", str(path), str(project.root), "--to", "scores"])
    said = capsys.readouterr().out
    assert code == 1
    assert "3 rows in, 0 answered, 3 held" in said
    assert said.splitlines()[-1] == "next: qua3ck explain U033"
    again = main(["predict", str(path), str(project.root), "--to", "scores"])
    assert again == 1
    assert "nothing new" in capsys.readouterr().out
    assert len(events(project)) == 1


# -- personal columns ----------------------------------------------------------------------------


def test_a_key_that_looks_personal_is_copied_only_when_asked_for(project):
    rows = project.root / "rows.csv"
    rows.write_text(rows.read_text().replace("applicant", "phone"))
    text = (project.root / "qua3ck.yaml").read_text().replace("applicant", "phone")
    (project.root / "qua3ck.yaml").write_text(text)
    again = open_project(project.root)
    again.load(accept={"U063": "test"})
    made = by_parts(again)
    assert made.key == ()
    assert [finding.code for finding in made.findings] == ["O055"]
    assert "phone" not in answers(again).columns
    assert by_parts(again, key=("phone",)).key == ("phone",)
    assert "phone" in answers(again).columns


def test_nothing_but_the_key_is_copied(project):
    made = by_parts(project)
    assert {"income", "age", "home", "status"}.isdisjoint(answers(project).columns)
    assert made.left_aside == ("status",)


# -- deaths --------------------------------------------------------------------------------------

CHILD = """
import os, signal, sys
from qua3ck.operate.batch import Asked, predict, act, parts
from qua3ck.ledger.writing import Ledger
from qua3ck.project import open_project
root, place, count = sys.argv[1], sys.argv[2], int(sys.argv[3])
owner, name = {"part": (parts.Work, "keep"), "ledger": (Ledger, "append")}[place]
plain, calls = getattr(owner, name), []
def deadly(*given, **named):
    calls.append(1)
    if len(calls) > count:
        os.kill(os.getpid(), signal.SIGKILL)
    return plain(*given, **named)
project = open_project(root)
workspace = project.workspace()
setattr(owner, name, deadly)
predict(Asked("rows", "scores"), workspace, project.file.understand, part=64)
"""


def killed(project: Project, place: str, count: int) -> None:
    command = [sys.executable, "-c", CHILD, str(project.root), place, str(count)]
    done = subprocess.run(command, env=os.environ, capture_output=True, check=False)
    assert done.returncode == -signal.SIGKILL, done.stderr.decode()


def test_killed_between_parts_it_goes_on_where_it_was(project):
    killed(project, "part", 2)
    warehouse = project.read_only().warehouse
    assert warehouse.version("predictions/scores") is None
    assert events(project) == []
    made = by_parts(project)
    assert made.taken_up == 2 * PART
    assert (made.rows, made.predicted) == (160, 160)
    whole = answers(project).drop(columns=["_known", "predicted_at"])
    by_parts(project, to="calm")
    calm = answers(project, "predictions/calm").drop(columns=["_known", "predicted_at"])
    pd.testing.assert_frame_equal(whole, calm)
    assert list((project.root / WORK).glob("*/*")) == []


def test_killed_after_the_commit_it_is_put_on_record_and_not_done_twice(project):
    killed(project, "ledger", 0)
    assert project.read_only().warehouse.version("predictions/scores") == 0
    assert events(project) == []
    made = by_parts(project)
    assert made.fresh is False
    assert project.read_only().warehouse.version("predictions/scores") == 0
    assert [event.body["to_version"] for event in events(project)] == [0]
    assert len(answers(project)) == 160


def test_what_a_dead_process_left_of_other_rows_is_not_taken_up(project):
    killed(project, "part", 1)
    rows = project.root / "rows.csv"
    rows.write_text(rows.read_text().replace("a0001,", "a0001,1"))
    project.load()
    made = by_parts(project)
    assert made.taken_up == 0
    assert made.predicted == 160


def test_a_damaged_part_is_made_again(project):
    killed(project, "part", 2)
    (part,) = (project.root / WORK).glob("*/*/000000.parquet")
    part.write_bytes(part.read_bytes()[:-9] + b"123456789")
    made = by_parts(project)
    assert made.taken_up == PART
    assert len(answers(project)) == 160


# -- who is in use -----------------------------------------------------------------------------


def version_at_the_server(project: Project) -> int:
    """Return the version that a server gives to whoever is in no rollout."""
    routing, _ = project.routing()
    return next(arm.version for arm in routing.arms if arm.name == "champion")


def test_while_a_version_is_rolled_out_the_settled_one_answers_and_it_is_said(project, shop):
    move = shop.move(2, steps=(20, 100))
    made = by_parts(project)
    assert (made.version, made.alias) == (1, "champion")
    assert made.version == version_at_the_server(project)
    assert set(answers(project)["model_version"]) == {1}
    (told,) = made.findings
    assert (told.code, told.severity) == ("O058", "inform")
    assert "Version 2 is being rolled out and gets 20 %" in told.says
    assert "version 1" in told.says
    shop.append("canary.stepped", "champion", rollout=move, share=100)
    after = by_parts(project)
    assert (after.version, after.findings) == (2, ())


def test_a_stopped_version_answers_nothing_though_the_alias_stays_with_it(project, shop):
    shop.append("canary.stopped", "champion", rollout=shop.move(2, steps=(20, 100)))
    made = by_parts(project)
    assert made.version == version_at_the_server(project) == 1
    (told,) = made.findings
    assert told.code == "O058"
    assert "champion still points to version 2, whose rollout was stopped" in told.says
    assert "qua3ck rollback" in told.says


def test_another_alias_is_no_rollout(project, shop):
    shop.move(2, steps=(20, 100))
    shop.move(3, "challenger")
    made = by_parts(project, alias="challenger")
    assert (made.version, made.findings) == (3, ())


def test_switched_off_nothing_is_predicted_unless_a_version_is_named(project, shop):
    shop.move(2, "challenger")
    seq = shop.append("serving.off", reason="two limits were swapped")
    (entry,) = project.read_only().ledger.entries("serving.off")
    day, _, _ = entry.at.partition("T")
    for alias in ("champion", "challenger"):
        with pytest.raises(Blocked) as caught:
            by_parts(project, alias=alias)
        assert caught.value.code == "O057"
        assert f"switched off since {day}" in caught.value.what
        assert "two limits were swapped" in caught.value.what
        assert "--version" in caught.value.fix
        assert "qua3ck off --on" in caught.value.fix
    assert events(project) == []
    made = by_parts(project, version=1)
    assert (made.version, made.alias, made.predicted) == (1, "", 160)
    (told,) = made.findings
    assert (told.code, told.severity) == ("O057", "warn")
    (event,) = events(project)
    assert (event.body["alias"], event.body["while_off"]) == ("", seq)


def test_switched_on_again_it_is_predicted_as_before(project, shop):
    shop.append("serving.off", reason="two limits were swapped")
    shop.append("serving.on", reason="mended")
    made = by_parts(project)
    assert (made.version, made.alias, made.findings) == (1, "champion", ())
    assert "while_off" not in events(project)[0].body


# -- refusals ------------------------------------------------------------------------------------


def change_ledger(project: Project) -> dict[str, Any]:
    chain = project.root / "ledger" / "chain.jsonl"
    chain.write_bytes(chain.read_bytes().replace(b"it holds", b"it holdz"))
    return {}


def empty_file(project: Project) -> dict[str, Any]:
    path = project.root / "none.parquet"
    rows = {"income": pa.array([], pa.float64()), "age": pa.array([], pa.int64())}
    pq.write_table(pa.table({**rows, "home": pa.array([], pa.string())}), path)
    return {"table": str(path)}


def lacking_file(project: Project) -> dict[str, Any]:
    path = project.root / "less.parquet"
    pq.write_table(pa.table({"incme": [1.0], "age": [1], "home": ["own"]}), path)
    return {"table": str(path)}


def named_like_an_answer(project: Project) -> dict[str, Any]:
    return {"table": str(in_new_rows(project, label=["a", "b", "c"])), "key": ("label",)}


def never_loaded(project: Project) -> dict[str, Any]:
    shutil.rmtree(project.root / "warehouse" / "silver")
    return {}


REFUSED: list[tuple[str, Callable[[Project], dict[str, Any]]]] = [
    ("O041", lambda _: {"alias": "shadow"}),
    ("O042", lambda _: {"version": 3}),
    ("K005", lambda _: {"version": 9}),
    ("U158", lambda _: {"table": "rowz"}),
    ("O047", never_loaded),
    ("O048", lambda _: {"table": "nowhere.csv"}),
    ("O050", lambda _: {"to": "gold/scores"}),
    ("O050", lambda _: {"to": "scores_held"}),
    ("O051", lacking_file),
    ("O052", empty_file),
    ("O053", lambda _: {"key": ("aplicant",)}),
    ("O053", named_like_an_answer),
]


@pytest.mark.parametrize(("code", "order"), REFUSED, ids=[code for code, _ in REFUSED])
def test_an_order_that_cannot_be_met_is_refused_and_writes_nothing(project, code, order):
    given = order(project)
    with pytest.raises(Qua3ckError) as caught:
        by_parts(project, **{"table": "rows", "to": "scores", **given})
    assert caught.value.code == code
    assert project.read_only().warehouse.version("predictions/scores") is None
    assert events(project) == []


def test_a_ledger_that_does_not_verify_decides_nothing(project):
    """O040, unless reading the line says so before."""
    workspace = project.workspace()
    change_ledger(project)
    with pytest.raises(Qua3ckError) as caught:
        predict(Asked("rows", "scores"), workspace, project.file.understand)
    assert caught.value.code == "O040"
    assert isinstance(caught.value, Blocked)


def test_a_changed_model_file_is_not_loaded(project):
    model = project.root / "releases" / "1" / "model" / "model.onnx"
    model.write_bytes(model.read_bytes() + b" ")
    with pytest.raises(Qua3ckError, match=r"model\.onnx was changed"):
        by_parts(project)


def test_golden_rows_that_come_out_otherwise_stop_it(project, monkeypatch):
    from qua3ck.store.releases import golden

    monkeypatch.setattr(golden, "replay", lambda *_, **__: ["golden row 3: another label"])
    with pytest.raises(Qua3ckError) as caught:
        by_parts(project)
    assert caught.value.code == "O043"


def test_of_two_at_once_one_is_told(project):
    from qua3ck.kit.hashes import digest

    place = project.root / WORK / digest(["rows", "predictions/scores"])[:16]
    with sole(place), pytest.raises(Qua3ckError) as caught:
        by_parts(project)
    assert caught.value.code == "O049"


def test_rows_that_were_lost_are_noticed_before_anything_is_written(project, monkeypatch):
    from qua3ck.operate.batch import act

    cut = act._parts

    def losing(stream: Any, size: int) -> Any:
        yield from list(cut(stream, size))[:-1]

    monkeypatch.setattr(act, "_parts", losing)
    with pytest.raises(Qua3ckError) as caught:
        by_parts(project)
    assert caught.value.code == "O054"
    assert project.read_only().warehouse.version("predictions/scores") is None


def test_who_may_not_run_may_not_predict(project, shop, monkeypatch):
    project.enrol("eva", ("auditor",))
    monkeypatch.setenv("QUA3CK_ACTOR", "eva")
    with pytest.raises(Qua3ckError, match="may not run"):
        open_project(project.root, actor="eva").predict("rows", to="scores")


def test_notes_survive_only_with_their_files(tmp_path):
    work = Work(tmp_path / "place", "r" * 64)
    assert work.note(0) is None


# -- lineage -----------------------------------------------------------------------------------


def test_an_answer_is_traced_to_the_line_of_the_file(project):
    by_parts(project)
    found = project.trace("scores", where="applicant = 'a0007'")
    assert found.matches == 1
    (record,) = found.rows[0].records
    assert (record.source, record.piece, record.place) == ("rows", "rows.csv", "line 9")
    assert len(record.digest) == 64
    assert "version 1 (champion)" in found.steps[0].made_by
    with pytest.raises(Qua3ckError):
        project.trace("scores", where="EXISTS (SELECT 1 FROM read_csv('/etc/hostname'))")


def test_a_trace_says_where_a_person_answered_and_in_which_bytes_a_row_came(project):
    """One cell cannot be read and is answered; then all other lines of the file move."""
    from qua3ck.understand.loading.answers import Answer, write_answers
    from qua3ck.understand.loading.past import listed_pieces, open_records

    rows, warehouse = project.root / "rows.csv", project.read_only().warehouse
    lines = rows.read_text().splitlines()
    first = listed_pieces(warehouse, "rows")[0].digest
    columns, cells = lines[0].split(","), lines[8].split(",")
    cells[columns.index("income")] = "many"
    added = ",".join(["z9999", *lines[1].split(",")[1:]])
    rows.write_text("\n".join([lines[0], added, *lines[1:8], ",".join(cells), *lines[9:]]) + "\n")
    project.load()
    (line,) = open_records(warehouse, "rows").to_pylist()
    content = listed_pieces(warehouse, "rows")[0].digest
    at = (line["_piece"], content, line["_row"], "income", line["code"], "44", "ben", "2026-03-04")
    write_answers(project.root, "rows", [Answer(*at, line["question"])])
    project.load()
    by_parts(project)
    (row,) = project.trace("scores", where="applicant = 'a0007'").rows
    assert [(a.column, a.answer, a.by) for a in row.records[0].answers] == [("income", "44", "ben")]
    assert (row.records[0].place, row.records[0].digest) == ("line 10", content)
    (other,) = project.trace("scores", where="applicant = 'a0002'").rows
    assert (other.records[0].place, other.records[0].digest) == ("line 4", first)
    assert other.records[0].answers == ()


def test_an_answer_on_a_gold_table_is_traced_through_it(project):
    (project.root / "new.sql").write_text("SELECT applicant, income, age, home FROM rows")
    file = project.root / "qua3ck.yaml"
    tables = "  tables:\n    plain: {sql: new.sql, key: [applicant]}\n  target:"
    file.write_text(file.read_text().replace("  target:", tables))
    again = open_project(project.root)
    again.make_tables()
    by_parts(again, "plain")
    (row,) = again.trace("predictions/scores", where="applicant = 'a0011'").rows
    assert [record.place for record in row.records] == ["line 13"]


AGREED = """\
version: 1.0.0
apiVersion: v3.1.0
kind: DataContract
id: rows
status: active
schema:
  - name: rows
    properties:
      - {name: applicant, logicalType: string, classification: restricted}
      - {name: income, logicalType: number}
      - {name: age, logicalType: integer}
      - {name: home, logicalType: string}
      - {name: status, logicalType: string}
"""


@pytest.fixture
def agreed(project: Project) -> Project:
    """The project with a contract that restricts who applied, and a gold table of that."""
    (project.root / "rows.odcs.yaml").write_text(AGREED)
    (project.root / "new.sql").write_text("SELECT applicant AS who, income, age, home FROM rows")
    tables = "  tables:\n    plain: {sql: new.sql, key: [who]}\n  target:"
    file = project.root / "qua3ck.yaml"
    text = file.read_text().replace(
        "path: rows.csv, ", "path: rows.csv, contract: rows.odcs.yaml, "
    )
    file.write_text(text.replace("  target:", tables))
    again = open_project(project.root)
    again.load()
    again.make_tables()
    return again


@pytest.mark.parametrize(
    ("table", "column", "into"),
    [
        ("rows", "applicant", "scores"),
        ("plain", "who", "scores"),
        ("new.csv", "applicant", "scores"),
        ("gaps.csv", "applicant", "scores_held"),
    ],
)
def test_a_trace_of_answers_shows_no_cell_that_a_contract_classifies(table, column, into, agreed):
    rows = pd.read_csv(agreed.root / "rows.csv").drop(columns="status")
    rows.to_csv(agreed.root / "new.csv", index=False)
    gaps = rows.assign(age=rows["age"].where(rows.index % 2 == 0))  # every other row is held
    gaps.to_csv(agreed.root / "gaps.csv", index=False)
    where = str(agreed.root / table) if table.endswith(".csv") else table
    assert agreed.predict(where, to="scores", key=(column,)).rows == 160
    shown = agreed.trace(into, limit=500)
    assert len(shown.rows) == (80 if into == "scores_held" else 160)
    assert shown.hidden == (column,)
    assert "a0007" not in repr(shown)
    assert "a0007" in repr(agreed.trace(into, limit=500, show_personal=True))
    (event,) = agreed.read_only().ledger.entries("personal.shown")
    assert (event.subject, event.body["columns"]) == (into, [column])


def test_a_prediction_is_an_event_for_other_catalogues(project, tmp_path):
    made = by_parts(project)
    path = tmp_path / "events.jsonl"
    project.openlineage(path)
    listed = [json.loads(line) for line in path.read_text().splitlines()]
    (done,) = [
        one
        for one in listed
        if one["job"]["name"] == "predict.predictions/scores" and one["eventType"] == "COMPLETE"
    ]
    assert [one["name"] for one in done["inputs"]] == ["silver/rows", "releases/1"]
    (output,) = done["outputs"]
    assert output["name"] == "predictions/scores"
    assert output["outputFacets"]["outputStatistics"]["rowCount"] == made.predicted
    versions = [one["facets"]["version"]["datasetVersion"] for one in done["inputs"]]
    assert versions == [str(made.source_version), made.release]


# -- typed ---------------------------------------------------------------------------------------


def test_the_command_line_says_counts_speed_and_what_next(project, capsys):
    from qua3ck.cli.main import main

    root = str(project.root)
    assert main(["predict", "rows", root, "--to", "scores"]) == 0
    said = capsys.readouterr().out
    assert "160 rows in, 160 answered, 0 held" in said
    assert "rows/s" in said
    assert said.splitlines()[-1].startswith("next: ")
    assert main(["predict", "rows", root, "--to", "scores"]) == 0
    assert "nothing new" in capsys.readouterr().out
    assert main(["predict", "rows", root, "--to", "scores", "--json"]) == 0
    facts = json.loads(capsys.readouterr().out)
    assert (facts["rows"], facts["fresh"], facts["version"]) == (160, False, 1)


def test_an_export_says_on_the_screen_what_nobody_has_tried(project, tmp_path, capsys):
    from qua3ck.cli.main import main

    to = tmp_path / "out"
    assert main(["export", "kubernetes", str(project.root), "--to", str(to)]) == 0
    said = capsys.readouterr().out
    assert f"7 files in {to}" in said
    assert "not tested  Nothing was applied to a cluster" in said
    assert "image: shop:1" in (to / "deployment.yaml").read_text()
    assert main(["export", "kubernets", str(project.root)]) == 2
    assert 'did you mean "kubernetes"' in capsys.readouterr().err
    assert main(["export", "kubernetes", str(project.root), "--json"]) == 0
    facts = json.loads(capsys.readouterr().out)
    assert facts["folder"] == str(project.root / "build" / "export" / "kubernetes")
    assert facts["untested"]
