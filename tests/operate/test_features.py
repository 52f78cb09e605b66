"""Online features: the values served are those that training joined, also where there are none.

Redis is a real one: ``$QUA3CK_TEST_REDIS``, else on this machine; without it those cases are
skipped.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from small_shop import make_shop

from qua3ck.kit.errors import Qua3ckError
from qua3ck.operate.features import Features, Told, open_store, write_features
from qua3ck.operate.features.reading import key_text, row_text, values_of
from qua3ck.operate.features.stores import FILE, Redis, Sqlite
from qua3ck.operate.section import FeatureTable, Operate
from qua3ck.project import Project, open_project
from qua3ck.store.releases import prelude
from qua3ck.understand.loading import read_current

REDIS = os.environ.get("QUA3CK_TEST_REDIS", "redis://127.0.0.1:6379/0")
SOURCES = """\
  sources:
    balances: {kind: csv, path: data/balances_*.csv, key: [customer, unit]}
    visits: {kind: csv, path: data/visits.csv}
"""
COLUMNS = ("balance", "since", "late", "branch", "count")
DECLARED = FeatureTable(table="balances", key=("customer", "unit"), columns=COLUMNS)
MARCH = """\
customer,unit,balance,since,late,branch,count
7,a,10.1,2024-01-05,true,north,3
8,a,,2023-11-30,false,,4
9,b,0.30000000000000004,,true,Überlingen,
"""
APRIL = """\
customer,unit,balance,since,late,branch,count
7,a,99.9,2024-01-05,false,south,5
10,a,1.5,2024-03-31,false,east,1
"""
ASKED = [(7, "a"), (8, "a"), (9, "b"), (10, "a"), (11, "a"), (7, "b"), (None, "a"), (7.0, " a ")]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, datetime]]:
    """A project whose balances were loaded twice, and the moment in between."""
    folder = tmp_path_factory.mktemp("features")
    with pytest.MonkeyPatch.context() as patch:
        for name in ("QUA3CK_WITNESS", "QUA3CK_PASSPHRASE", "QUA3CK_NETWORK_SHARE"):
            patch.delenv(name, raising=False)
        patch.setenv("QUA3CK_KEYS", str(folder / "keys"))
        patch.setenv("QUA3CK_ACTOR", "ana")
        root = make_shop(folder / "shop").root
        file = root / "qua3ck.yaml"
        text = file.read_text().replace(
            "  sources:\n    rows: {kind: csv, path: rows.csv}\n", SOURCES
        )
        file.write_text(text)
        (root / "data").mkdir()
        (root / "data" / "visits.csv").write_text("customer,unit\n" + "7,a\n" * 3)
        (root / "data" / "balances_2024-03.csv").write_text(MARCH)
        project = open_project(root)
        project.load()
        between = project.read_only().warehouse.known("silver/balances")
        assert between is not None
        (root / "data" / "balances_2024-04.csv").write_text(APRIL)
        project.load()
        yield folder, between


@pytest.fixture
def between(made: tuple[Path, datetime]) -> datetime:
    return made[1]


@pytest.fixture
def project(made: tuple[Path, datetime], tmp_path: Path, keys: Path) -> Project:
    shutil.copytree(made[0] / "keys", keys)
    shutil.copytree(made[0] / "shop", tmp_path / "shop")
    return open_project(tmp_path / "shop")


@pytest.fixture(params=["sqlite", "redis"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Any]:
    if request.param == "sqlite":
        yield Sqlite(tmp_path / "features.db")
        return
    redis = pytest.importorskip("redis")
    client = redis.Redis.from_url(REDIS, socket_connect_timeout=1)
    try:
        client.ping()
    except redis.RedisError:
        pytest.skip(f"no Redis at {REDIS}: set QUA3CK_TEST_REDIS")
    prefix = f"qua3ck-test:{os.getpid()}:{os.urandom(4).hex()}"
    yield Redis(REDIS, prefix)
    for key in client.scan_iter(f"{prefix}:*"):
        client.delete(key)
    client.close()


def written(project: Project, store: Any, declared: Any = None, **more: Any) -> tuple[Told, ...]:
    tables = declared or {"money": DECLARED}
    return write_features(tables, project.file.understand, project.workspace(), store, **more)


def joined(project: Project, **when: Any) -> pd.DataFrame:
    """Return what a training set made then would have for the keys asked: a left join."""
    source = project.file.understand.sources["balances"]
    rows = read_current(project.read_only().warehouse, "balances", source, **when).to_pandas(
        integer_object_nulls=True
    )
    units = [None if unit is None else unit.strip() for _, unit in ASKED]
    asked = pd.DataFrame({"customer": [c for c, _ in ASKED], "unit": units}, dtype=object)
    return asked.merge(rows.astype({"customer": object}), how="left", on=["customer", "unit"])


def spec() -> dict[str, Any]:
    kinds = {"balance": "number", "since": "date", "late": "bool", "branch": "category",
             "count": "number"}  # fmt: skip
    plain = {"indicator": True, "time": False, "words": False}
    return {"columns": [{"name": name, "kind": kind, **plain} for name, kind in kinds.items()]}


def served(store: Any) -> tuple[pd.DataFrame, dict[str, list[int]]]:
    given = {"customer": [c for c, _ in ASKED], "unit": [u for _, u in ASKED]}
    made, missing = Features(store).complete(given, len(ASKED))
    return pd.DataFrame({name: pd.Series(made[name], dtype=object) for name in COLUMNS}), missing


# -- the same values as training -----------------------------------------------------------------


@pytest.mark.parametrize("moment", ["now", "then"])
def test_what_is_served_is_what_training_would_have_joined(project, store, between, moment):
    when = {"as_of": between} if moment == "then" else {}
    written(project, store, **when)
    training = joined(project, **when)
    online, missing = served(store)
    for column in COLUMNS:
        pairs = zip(online[column].tolist(), training[column].tolist(), strict=True)
        for at, (mine, theirs) in enumerate(pairs):
            if pd.isna(theirs):
                assert mine is None, (column, at)
            elif hasattr(theirs, "isoformat"):
                assert mine == theirs.isoformat()[: len(mine)]
            else:
                assert mine == theirs, (column, at)
    offline = prelude.prepare(training[list(COLUMNS)], spec())
    pd.testing.assert_frame_equal(prelude.prepare(online, spec()), offline)
    assert missing == {"money": [4, 5, 6] if moment == "now" else [3, 4, 5, 6]}


def test_a_value_that_became_known_later_is_not_served_as_of_before(project, store, between):
    written(project, store, as_of=between)
    online, _ = served(store)
    assert online["balance"].tolist()[:4] == [10.1, None, 0.30000000000000004, None]
    written(project, store)
    online, _ = served(store)
    assert online["balance"].tolist()[:4] == [99.9, None, 0.30000000000000004, 1.5]


def test_a_request_keeps_what_it_brings_itself(project, store):
    written(project, store)
    given = {"customer": [7], "unit": ["a"], "balance": [1.0], "amount": [5]}
    made, missing = Features(store).complete(given, 1)
    assert made["balance"] == [1.0]
    assert made["branch"] == ["south"]
    assert made["amount"] == [5]
    assert missing == {}


def test_without_the_whole_key_nothing_is_looked_up(project, store):
    written(project, store)
    assert Features(store).complete({"customer": [7]}, 1) == ({"customer": [7]}, {})
    assert Features(store).keys() == {"customer", "unit"}


def test_a_model_released_on_the_join_answers_the_same_from_both(project, store, artefacts):
    """The same, through a released graph: features by key against the training table's."""
    from qua3ck.store.releases.artefact import artefact_digest
    from qua3ck.store.releases.model import load_model

    model = load_model(artefacts[0], digest=artefact_digest(artefacts[0]))
    declared = FeatureTable(table="balances", key=("customer", "unit"), columns=("balance",))
    written(project, store, {"money": declared})
    made, _ = Features(store).complete(
        {"customer": [c for c, _ in ASKED], "unit": [u for _, u in ASKED]}, len(ASKED)
    )
    ages, homes = [30] * len(ASKED), ["own"] * len(ASKED)
    online = pd.DataFrame({"income": made["balance"], "age": ages, "home": homes}, dtype=object)
    training = joined(project)
    offline = pd.DataFrame(
        {"income": training["balance"], "age": ages, "home": homes}, dtype=object
    )
    np.testing.assert_array_equal(model.predict(online).figures, model.predict(offline).figures)


def test_a_gold_table_is_served_as_it_was_made(project, store):
    (project.root / "best.sql").write_text(
        "SELECT customer, max(balance) AS best FROM balances GROUP BY customer"
    )
    file = project.root / "qua3ck.yaml"
    file.write_text(
        file.read_text().replace("  target:", "  tables:\n    best: {sql: best.sql}\n  target:")
    )
    again = open_project(project.root)
    again.make_tables()
    one = FeatureTable(table="best", key=("customer",), columns=("best",))
    written(again, store, {"best": one})
    made, missing = Features(store).complete({"customer": [7, 8, 12]}, 3)
    assert made["best"] == [99.9, None, None]
    assert missing == {"best": [2]}
    with pytest.raises(Qua3ckError) as caught:
        written(again, store, {"best": one}, as_of=datetime.now(UTC))
    assert caught.value.code == "O065"


# -- fresh, whole, again -------------------------------------------------------------------------


def test_how_fresh_it_is_is_said(project, store, between):
    (told,) = written(project, store)
    known = project.read_only().warehouse.known("silver/balances")
    assert datetime.fromisoformat(told.known) == known
    assert told.rows == 4
    assert told.age(known + timedelta(hours=3)) == pytest.approx(3 * 3600)
    (then,) = written(project, store, as_of=between)
    assert datetime.fromisoformat(then.as_of) == between
    assert then.version < told.version
    assert Features(store).told() == (then,)


def test_tables_no_longer_declared_are_forgotten(project, store):
    written(project, store, {"money": DECLARED, "more": DECLARED})
    assert {told.name for told in Features(store).told()} == {"money", "more"}
    written(project, store)
    assert {told.name for told in Features(store).told()} == {"money"}
    with pytest.raises(Qua3ckError) as caught:
        Features(store).read("more", [(7, "a")])
    assert caught.value.code == "O061"


def test_readers_see_one_generation_or_the_other_while_it_is_written(store):
    """Each generation has one number in every row; no answer may mix two."""

    def facts(generation: int) -> dict[str, Any]:
        return {"form": 1, "generation": str(generation), "key": ["k"], "columns": ["n"],
                "table": "silver/x", "version": generation, "known": "", "as_of": "",
                "written": "2026-01-01T00:00:00+00:00", "rows": 50}  # fmt: skip

    def rows(generation: int) -> list[tuple[str, str]]:
        return [(str(key_text([key])), row_text([generation])) for key in range(50)]

    store.write("t", facts(0), rows(0))
    stop, seen, mixed = threading.Event(), set(), []

    def read() -> None:
        features = Features(store)
        while not stop.is_set():
            found = {
                one["n"] if one else None for one in features.read("t", [[k] for k in range(50)])
            }
            seen.update(found)
            if len(found) != 1 or None in found:
                mixed.append(found)

    readers = [threading.Thread(target=read) for _ in range(2)]
    for reader in readers:
        reader.start()
    for generation in range(1, 15):
        store.write("t", facts(generation), rows(generation))
    stop.set()
    for reader in readers:
        reader.join()
    assert mixed == []
    assert len(seen) > 1


def test_what_is_written_half_is_never_served(project, store):
    written(project, store)

    def broken() -> Iterator[tuple[str, str]]:
        yield '["7", "a"]', "[0]"
        raise Qua3ckError("the table broke off", where="here", fix="again")

    facts = {**store.tables()["money"], "generation": "broken"}
    with pytest.raises(Qua3ckError, match="broke off"):
        store.write("money", facts, broken())
    online, _ = served(store)
    assert online["balance"][0] == 99.9


def test_values_keep_every_bit_and_every_kind_of_null():
    values = (0.1 + 0.2, 2**53 + 1, True, "Ü 50%", None, float("nan"), 1e300)
    found = values_of(row_text(values), tuple("abcdefg"))
    assert tuple(found.values())[:5] == values[:5]
    assert np.isnan(found["f"])
    assert found["g"] == 1e300


@pytest.mark.parametrize(
    ("one", "other"),
    [((5,), (5.0,)), ((5,), ("5",)), ((" a  b ",), ("a b",)), ((True,), ("true",))],
)
def test_a_key_is_the_same_however_it_is_typed(one, other):
    assert key_text(one) == key_text(other)


def test_a_key_with_a_null_stands_for_nothing():
    assert key_text((1, None)) is None
    assert key_text((float("nan"),)) is None
    assert key_text(("a", "b")) != key_text(("ab",))


# -- refusals ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"table": "balancs"}, "O063"),
        ({"columns": ("balanc",)}, "O063"),
        ({"key": ("custmer",)}, "O063"),
        ({"table": "visits", "key": ("customer",), "columns": ("unit",)}, "O064"),
    ],
)
def test_a_table_that_cannot_be_served_is_refused(project, store, change, code):
    one = DECLARED.model_copy(update=change)
    with pytest.raises(Qua3ckError) as caught:
        written(project, store, {"money": one})
    assert caught.value.code == code
    assert store.tables() == {}


def test_keys_that_mean_the_same_are_refused(store):
    facts = {"form": 1, "generation": "1", "rows": 2}
    with pytest.raises(Qua3ckError) as caught:
        store.write("t", facts, [("k", "[1]"), ("k", "[2]")])
    assert caught.value.code == "O064"
    assert store.tables() == {}


def test_a_store_whose_address_is_not_set_is_refused(tmp_path, monkeypatch):
    monkeypatch.delenv("FEATURES", raising=False)
    with pytest.raises(Qua3ckError) as caught:
        open_store(tmp_path, "id", "env:FEATURES")
    assert caught.value.code == "O060"


def test_a_store_that_does_not_answer_is_said(tmp_path, monkeypatch):
    pytest.importorskip("redis")
    monkeypatch.setenv("FEATURES", "redis://127.0.0.1:1/0")
    store = open_store(tmp_path, "id", "env:FEATURES")
    facts = {"generation": "1"}
    for act in (
        store.tables,
        lambda: store.read("t", ["k"]),
        lambda: store.write("t", facts, []),
        lambda: store.drop(()),
    ):
        with pytest.raises(Qua3ckError) as caught:
            act()
        assert caught.value.code == "O062"


def test_facts_of_another_form_are_refused(store):
    store.write("t", {"form": 99, "generation": "1"}, [])
    with pytest.raises(Qua3ckError) as caught:
        Features(store)
    assert caught.value.code == "O061"


# -- typed, and in a serving process ---------------------------------------------------------------


def test_the_section_declares_tables_and_never_an_address():
    given = {"money": {"table": "balances", "key": ["customer"], "columns": ["balance"]}}
    said = Operate.model_validate_json(__import__("json").dumps({"features": given}))
    assert said.features["money"].key == ("customer",)
    with pytest.raises(ValueError, match="pattern"):
        Operate(feature_store="redis://:password@host:6379/0")


def test_they_are_written_by_typing_it_and_it_is_on_record(project, capsys):
    from qua3ck.cli.main import main

    file = project.root / "qua3ck.yaml"
    root = str(project.root)
    assert main(["publish", root, "--online"]) == 2
    assert "O063" in capsys.readouterr().err
    line = "features: {money: {table: balances, key: [customer, unit], columns: [balance]}}"
    file.write_text(file.read_text().replace("operate:\n", f"operate:\n  {line}\n"))
    assert main(["publish", root, "--online"]) == 0
    said = capsys.readouterr().out
    assert "money: 4 keys of silver/balances version" in said
    assert "; known up to " in said
    assert (project.root / FILE).stat().st_mode & 0o077 == 0
    event = project.read_only().ledger.entries("features.written")[-1]
    assert event.body["tables"]["money"]["rows"] == 4


def test_reading_needs_nothing_that_a_serving_process_must_not_have(project, tmp_path):
    code = (
        "import sys; from pathlib import Path;"
        "from qua3ck.operate.features.reading import Features;"
        "from qua3ck.operate.features.stores import open_store;"
        f"f = Features(open_store(Path({str(project.root)!r}), 'id'));"
        "print(f.complete({'customer': [7], 'unit': ['a']}, 1)[0]['balance']);"
        "print([m for m in ('pandas', 'duckdb', 'deltalake', 'pyarrow', 'sklearn', 'mlflow',"
        " 'qua3ck.understand', 'qua3ck.transfer', 'qua3ck.a3') if m in sys.modules])"
    )
    written(project, Sqlite(project.root / FILE))
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split("\n")[:2] == ["[99.9]", "[]"]
