from __future__ import annotations

import json

import pyarrow as pa
import pytest

from qua3ck.govern import enrol
from qua3ck.kit.errors import Qua3ckError
from qua3ck.store.keys import KeyStore
from qua3ck.store.warehouse import content_digest
from qua3ck.understand.seal import (
    Steward,
    count_openings,
    open_rows,
    reread_rows,
    seal_body,
    seal_rows,
)

KEY = bytes(range(32))
ROWS = pa.table({"name": ["Ada Lovelace", "Grace Hopper"], "n": [1, 2]})


@pytest.fixture
def seal(bench):
    def make(rows=ROWS, digests=("d1", "d2"), steward=None):
        made = seal_rows(
            rows,
            content_digest(rows),
            {"content": list(digests)},
            root=bench.root,
            keys=bench.workspace.keys,
            key=KEY,
            steward=steward,
        )
        if not bench.workspace.ledger.entries("seal.made", subject=made.id):
            bench.workspace.ledger.append("seal.made", made.id, seal_body(made, reading="r1"))
        return made

    return make


def test_the_rows_lie_encrypted_and_come_back_whole(bench, seal):
    made = seal()
    for path in bench.root.rglob("*"):
        assert not path.is_file() or b"Lovelace" not in path.read_bytes()
    rows, opening = open_rows(bench.workspace, made.id, candidate="c1", openings=1)
    assert rows == ROWS
    assert opening == 1


def test_the_same_rows_are_the_same_seal_and_other_rows_another(seal):
    first = seal()
    assert seal() == first
    assert seal(ROWS.slice(1), ["d2"]).id != first.id


def test_the_ledger_is_written_before_the_key_is_used(bench, seal, monkeypatch):
    made = seal()
    heard = []
    append = bench.workspace.ledger.append
    monkeypatch.setattr(
        bench.workspace.ledger, "append", lambda *a: heard.append(a[0]) or append(*a)
    )
    from qua3ck.store import keys

    decrypt = keys.decrypt
    monkeypatch.setattr(keys, "decrypt", lambda *a: heard.append("key") or decrypt(*a))
    open_rows(bench.workspace, made.id, candidate="c1", openings=1)
    assert heard == ["seal.opened", "key"]
    body = bench.workspace.ledger.entries("seal.opened")[0].body
    assert {k: body[k] for k in ("seal", "candidate", "k", "m")} == {
        "seal": made.id,
        "candidate": "c1",
        "k": 1,
        "m": 1,
    }


def test_a_second_opening_is_over_the_budget_until_the_budget_is_raised(bench, seal):
    made = seal()
    open_rows(bench.workspace, made.id, candidate="c1", openings=1)
    with pytest.raises(Qua3ckError, match="1 of 1 times") as told:
        open_rows(bench.workspace, made.id, candidate="c2", openings=1)
    assert (told.value.code, told.value.exit_code) == ("U107", 2)
    assert "openings: 2" in told.value.fix
    assert "all 2 rows were opened before" in told.value.what
    assert open_rows(bench.workspace, made.id, candidate="c2", openings=2)[1] == 2
    assert len(bench.workspace.ledger.entries("seal.opened")) == 2


def test_openings_are_counted_per_row_over_all_seals(bench, seal):
    first, second = seal(), seal(ROWS.slice(1), ["d2"])
    other = seal(pa.table({"n": [7]}), ["d7"])
    open_rows(bench.workspace, first.id, candidate="c1", openings=1)
    ledger = bench.workspace.ledger
    assert count_openings(bench.root, ledger, second.id) == 1
    assert count_openings(bench.root, ledger, other.id) == 0
    with pytest.raises(Qua3ckError, match="opened 1 of 1"):
        open_rows(bench.workspace, second.id, candidate="c2", openings=1)
    assert open_rows(bench.workspace, second.id, candidate="c2", openings=2)[1] == 2
    # a row in both was opened twice now
    assert count_openings(bench.root, ledger, first.id) == 2


def test_reading_again_is_for_the_same_candidate_only_and_costs_nothing(bench, seal):
    made = seal()
    with pytest.raises(Qua3ckError, match="never opened for this candidate"):
        reread_rows(bench.workspace, made.id, candidate="c1")
    open_rows(bench.workspace, made.id, candidate="c1", openings=1)
    assert reread_rows(bench.workspace, made.id, candidate="c1") == (ROWS, 1)
    assert count_openings(bench.root, bench.workspace.ledger, made.id) == 1
    assert len(bench.workspace.ledger.entries("seal.reread")) == 1
    with pytest.raises(Qua3ckError) as told:
        reread_rows(bench.workspace, made.id, candidate="c2")
    assert told.value.code == "U107"


def test_without_the_key_nothing_is_opened_and_nothing_counted(bench, seal):
    made = seal()
    bench.workspace.keys.drop_secret(f"seal-{made.id}")
    with pytest.raises(Qua3ckError, match=f"seal-{made.id}") as told:
        open_rows(bench.workspace, made.id, candidate="c1", openings=1)
    assert told.value.code == "U108"
    bench.workspace.keys.put_secret(f"seal-{made.id}", b"x" * 32)
    with pytest.raises(Qua3ckError, match="does not fit") as told:
        open_rows(bench.workspace, made.id, candidate="c1", openings=1)
    assert told.value.code == "U109"
    assert bench.workspace.ledger.entries("seal.opened") == []


def test_with_a_steward_only_the_stewards_key_opens(bench, seal, place, monkeypatch):
    theirs = KeyStore(place / "steward keys")
    identity = theirs.identity("sam", create=True)
    public = place / "sam.pub"
    public.write_text(json.dumps({"name": "sam", **identity.public.as_text()}))
    enrol(bench.workspace, "sam", ("data_steward",), public=public)
    made = seal(steward=Steward("sam", identity.public.sealing))
    assert not list((place / "keys").rglob(f"*{made.id}*"))
    with pytest.raises(Qua3ckError, match='"sam", the steward') as told:
        open_rows(bench.workspace, made.id, candidate="c1", openings=1)
    assert told.value.code == "U108"
    bench.workspace.keys.identity("sam", create=True)  # an impostor of the same name
    with pytest.raises(Qua3ckError, match='"sam", the steward') as told:
        open_rows(bench.workspace, made.id, candidate="c1", openings=1)
    assert told.value.code == "U109"
    assert bench.workspace.ledger.entries("seal.opened") == []
    monkeypatch.setenv("QUA3CK_KEYS", str(theirs.folder))
    assert open_rows(bench.reopened(actor="sam"), made.id, candidate="c1", openings=1)[0] == ROWS


@pytest.mark.parametrize("name", ["rows.bin", "rows.json", "seal.json"])
def test_a_file_that_was_changed_is_noticed_before_anything_is_opened(bench, seal, name):
    made = seal()
    path = bench.root / "sealed" / made.id / name
    path.write_bytes(path.read_bytes()[:-1] + b" ")
    with pytest.raises(Qua3ckError, match=name) as told:
        open_rows(bench.workspace, made.id, candidate="c1", openings=1)
    assert told.value.code == "U110"
    assert bench.workspace.ledger.entries("seal.opened") == []


def test_the_digests_of_another_opened_seal_may_not_be_removed(bench, seal):
    first, second = seal(), seal(ROWS.slice(1), ["d2"])
    open_rows(bench.workspace, first.id, candidate="c1", openings=1)
    (bench.root / "sealed" / first.id / "rows.json").unlink()
    with pytest.raises(Qua3ckError, match=r"rows.json"):
        open_rows(bench.workspace, second.id, candidate="c2", openings=2)


def test_a_seal_the_ledger_does_not_know_is_not_opened(bench):
    with pytest.raises(Qua3ckError, match="knows no seal"):
        open_rows(bench.workspace, "feedfacefeedface", candidate="c1", openings=1)


def _days(n):
    from datetime import date, timedelta

    start = date(2024, 1, 1)
    return {
        "day": [str(start + timedelta(days=i)) for i in range(n)],
        "holiday": [["True", "False"][i % 7 < 6] for i in range(n)],
        "level": [f"{i % 13}.{i % 10}7" for i in range(n)],
        "y": [i * 0.5 for i in range(n)],
    }


TYPED = {"sources": {"rows": {"kind": "csv", "path": "rows.csv", "types": {"holiday": "string"}}}}
ROUNDED = {"training": "features.table"}


@pytest.mark.parametrize("split", [{"time": "day"}, {}])
@pytest.mark.parametrize("change", [TYPED, ROUNDED])
def test_reading_the_same_rows_in_another_way_does_not_reset_the_count(bench, split, change):
    bench.csv(_days(120))
    bench.code("def table(tables):\n    return tables['rows'].round(0)\n")
    before = bench.snapshot(bench.section(**split))
    open_rows(bench.workspace, before.seal, candidate="c1", openings=1)
    again = bench.snapshot(bench.section(**split | change))
    with pytest.raises(Qua3ckError, match="opened 1 of 1 times"):
        open_rows(bench.workspace, again.seal, candidate="c2", openings=1)
    assert again.seal != before.seal
    assert "U026" in {finding.code for finding in again.findings}


def test_rows_that_were_not_opened_and_rows_that_stay_inherit_nothing(bench):
    bench.csv(_days(120))
    first = bench.snapshot(bench.section())
    bench.csv(_days(200))
    grown = bench.snapshot(bench.section())
    assert grown.seal != first.seal
    assert "U026" not in {finding.code for finding in grown.findings}
    open_rows(bench.workspace, first.seal, candidate="c1", openings=1)
    assert count_openings(bench.root, bench.workspace.ledger, grown.seal) == 1
    assert count_openings(bench.root, bench.workspace.ledger, first.seal) == 1


def _others(n):
    """Return as many days of other years, with other levels."""
    rows = _days(n)
    return rows | {
        "day": [day.replace("2024", "2034") for day in rows["day"]],
        "level": [f"1{level}3" for level in rows["level"]],
    }


def test_added_rows_do_not_make_the_opened_ones_new_and_the_message_counts_both(bench):
    bench.csv(_days(120))
    first = bench.snapshot()
    open_rows(bench.workspace, first.seal, candidate="c1", openings=1)
    bench.csv(_days(300))
    grown = bench.snapshot()
    old, now = first.split.rows_test, grown.split.rows_test
    with pytest.raises(Qua3ckError, match="opened 1 of 1 times") as told:
        open_rows(bench.workspace, grown.seal, candidate="c2", openings=1)
    assert f"{old} of {now} rows were opened before, {now - old} were not" in told.value.what
    assert "openings: 2" in told.value.fix
    assert "all new" in told.value.fix
    assert "bring new rows" not in told.value.fix


def test_entities_that_are_all_new_are_counted_afresh(bench):
    bench.csv(_days(120))
    before = bench.snapshot(bench.section(entity="day"))
    open_rows(bench.workspace, before.seal, candidate="c1", openings=1)
    bench.csv(_others(200))
    section = bench.section(entity="day", accept={"U016": "read and understood"})
    other = bench.snapshot(section)
    (noted,) = [one for one in other.findings if one.code == "U026"]
    assert noted.severity == "inform"
    assert "count" in noted.says
    assert "still count" not in noted.says
    assert open_rows(bench.workspace, other.seal, candidate="c2", openings=1)[1] == 1
    ledger = bench.workspace.ledger
    assert count_openings(bench.root, ledger, before.seal) == 1
    with pytest.raises(Qua3ckError, match="opened 1 of 1 times"):
        open_rows(bench.workspace, other.seal, candidate="c3", openings=1)


def test_rows_without_an_entity_are_not_believed_to_be_new(bench):
    bench.csv(_days(120))
    before = bench.snapshot()
    open_rows(bench.workspace, before.seal, candidate="c1", openings=1)
    bench.csv(_days(120) | {"level": [f"{level}0001" for level in _days(120)["level"]]})
    again = bench.snapshot()
    with pytest.raises(Qua3ckError, match="may be the same rows, read in another way"):
        open_rows(bench.workspace, again.seal, candidate="c2", openings=1)


@pytest.mark.parametrize("change", [TYPED])
def test_new_rows_that_are_also_read_in_another_way_are_not_believed(bench, change):
    bench.csv(_days(120))
    before = bench.snapshot()
    open_rows(bench.workspace, before.seal, candidate="c1", openings=1)
    bench.csv(_others(200))
    other = bench.snapshot(bench.section(**change))
    with pytest.raises(Qua3ckError, match="may be the same rows, read in another way"):
        open_rows(bench.workspace, other.seal, candidate="c2", openings=1)


def test_where_an_entity_is_declared_other_values_of_it_are_still_the_same_rows(bench):
    bench.csv(_days(120))
    section = bench.section(entity="day")
    before = bench.snapshot(section)
    open_rows(bench.workspace, before.seal, candidate="c1", openings=1)
    bench.csv(_days(120) | {"level": _others(120)["level"]})
    again = bench.snapshot(section)
    with pytest.raises(Qua3ckError, match="opened 1 of 1 times"):
        open_rows(bench.workspace, again.seal, candidate="c2", openings=1)


def test_a_function_that_was_edited_makes_no_row_new(bench):
    bench.code("def table(tables):\n    return tables['rows']\n")
    section = bench.section(training="features.table")
    bench.csv(_days(120))
    before = bench.snapshot(section)
    open_rows(bench.workspace, before.seal, candidate="c1", openings=1)
    bench.code("def table(tables):\n    return tables['rows'].assign(level=7.5)\n")
    again = bench.snapshot(section)
    with pytest.raises(Qua3ckError, match="may be the same rows, read in another way"):
        open_rows(bench.workspace, again.seal, candidate="c2", openings=1)


def test_a_column_that_goes_or_becomes_text_is_another_reading(bench):
    from qua3ck.understand.snapshot import _reading

    section = bench.section()
    columns = [{"name": "day", "type": "date32[day]"}, {"name": "level", "type": "int64"}]

    def reading(section=section, **types):
        told = [one | {"type": types.get(one["name"], one["type"])} for one in columns]
        return _reading(section, {"code_digest": "c", "columns": [c for c in told if c["type"]]})

    moved = bench.section(sources={"rows": {"kind": "csv", "path": "other.csv"}})
    assert reading(moved) == reading(section.model_copy(update={"accept": {"U016": "why"}}))
    assert reading(level="double") == reading(day="timestamp[us]") == reading()
    others = {reading(level=""), reading(day="string"), reading(bench.section(time="day"))}
    assert len(others - {reading()}) == 3
