"""What a request leaves to its keys, over the server's own path."""

from __future__ import annotations

from typing import Any

import pytest
from asgi import ROW

from qua3ck.operate.features.reading import key_text, row_text
from qua3ck.operate.features.stores import FILE, Sqlite

COLUMNS = ("income", "age")


@pytest.fixture
def store(shop) -> Sqlite:
    return Sqlite(shop.root / FILE)


def write(
    store: Sqlite, values: dict[Any, tuple[Any, ...]], generation: str = "1", columns=COLUMNS
) -> None:
    facts = {
        "form": 1, "generation": generation, "key": ["customer"], "columns": list(columns),
        "table": "silver/customers", "version": 1, "known": "", "as_of": "",
        "written": "2026-01-01T00:00:00+00:00", "rows": len(values),
    }  # fmt: skip
    rows = [(str(key_text([key])), row_text(cells)) for key, cells in values.items()]
    store.write("customers", facts, rows)


def asked(customer: Any, **more: Any) -> dict[str, Any]:
    left = {name: cell for name, cell in ROW.items() if name not in COLUMNS}
    return {**left, "customer": customer, **more}


def test_a_key_is_answered_as_the_values_it_stands_for(client_of, store):
    write(store, {"c7": tuple(ROW[name] for name in COLUMNS)})
    client = client_of(features="")
    whole, short = client.invoke(ROW), client.invoke(asked("c7"))
    assert short.status == 200, short.json()
    assert short.json()["predictions"] == whole.json()["predictions"]
    line = client.logged()[-1]
    assert {name: line["in"][name] for name in COLUMNS} == {n: [ROW[n]] for n in COLUMNS}


def test_what_the_request_brings_itself_is_kept(client_of, store):
    write(store, {"c7": (1.0, 18.0)})
    client = client_of(features="")
    own = {name: ROW[name] for name in COLUMNS}
    said = client.invoke(asked("c7", **own))
    assert said.json()["predictions"] == client.invoke(ROW).json()["predictions"]


def test_values_written_anew_are_read_at_the_next_request(client_of, store):
    write(store, {"c7": tuple(ROW[name] for name in COLUMNS)})
    client = client_of(features="")
    client.invoke(asked("c7"))
    write(store, {"c7": (ROW["income"], 55.0)}, generation="2")
    client.invoke(asked("c7"))
    assert client.logged()[-1]["in"]["age"] == [55.0]


def test_without_feature_tables_a_key_is_an_unknown_column(client_of):
    said = client_of().invoke(asked("c7"))
    assert said.status == 422


def test_a_store_that_does_not_answer_is_no_made_up_value(client_of, monkeypatch):
    monkeypatch.setenv("SOME_REDIS", "redis://127.0.0.1:1/0")
    said = client_of(features="env:SOME_REDIS").invoke(asked("c7"))
    assert said.status == 503
    assert "127.0.0.1" not in said.json()["what"]


def test_an_unknown_key_is_a_null_and_flagged_where_training_had_nulls(client_of, store):
    write(store, {"c7": (33.5,)}, columns=("income",))
    client = client_of(features="")
    said = client.invoke(asked("nobody", age=22))
    assert said.status == 200, said.json()
    assert "no_features:customers" in client.logged()[-1]["flags"]
    empty = client.invoke({**ROW, "income": None})
    assert said.json()["predictions"] == empty.json()["predictions"]


def test_an_unknown_key_is_refused_where_training_had_no_nulls(client_of, store):
    write(store, {"c7": tuple(ROW[name] for name in COLUMNS)})
    said = client_of(features="").invoke(asked("nobody"))
    assert said.status == 422
    assert '"age"' in said.json()["what"]
