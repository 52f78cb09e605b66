import hashlib
import os
import random
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import pytest

from qua3ck.kit import Qua3ckError
from qua3ck.ledger import Ledger
from qua3ck.ledger.entries import FIRST_PREV


def _refused(act, code):
    with pytest.raises(Qua3ckError) as caught:
        act()
    assert caught.value.code == code, caught.value
    return caught.value


def _lines(ledger):
    return ledger.chain.read_bytes().splitlines(keepends=True)


def _append(ledger):
    return ledger.append("verdict.made", "c", {})


def _whole(ledger):
    result = ledger.verify()
    assert result.ok, result.problems
    return result.events


def test_events_follow_each_other_under_a_signed_head(ledger):
    entries = ledger.entries()
    assert [entry.seq for entry in entries] == list(range(5))
    assert [entry.prev for entry in entries] == [FIRST_PREV, *(e.hash for e in entries[:-1])]
    assert (ledger.head().n, ledger.head().hash, ledger.head().signer) == (
        5,
        entries[-1].hash,
        "ana",
    )
    assert _whole(ledger) == 5


def test_entries_are_found_by_event_and_by_subject(ledger):
    _append(ledger)
    assert [entry.seq for entry in ledger.entries("verdict.made")] == [5]
    assert [entry.seq for entry in ledger.entries(subject="table2")] == [2]
    assert ledger.entries("verdict.made", subject="table2") == []


def test_another_reader_sees_what_is_appended(ledger, make):
    reader = make(sign=None)
    assert len(reader.entries()) == 5
    _append(ledger)
    assert len(reader.entries()) == 6


def test_a_reader_cannot_append(make, ledger):
    _refused(lambda: _append(make(sign=None)), "L008")


def test_the_guard_speaks_before_anything_is_written(make, tmp_path):
    def no(event):
        raise Qua3ckError(event, where="w", fix="f", code="G002")

    _refused(lambda: _append(make(guard=no)), "G002")
    assert not (tmp_path / "ledger").exists()


def test_a_copy_of_the_head_goes_to_every_witness(make, tmp_path):
    places = (tmp_path / "a/h.json", tmp_path / "b/h.json")
    ledger = make(witness=places)
    _append(ledger)
    assert {path.read_bytes() for path in places} == {ledger.head().as_bytes()}


def test_a_witness_out_of_reach_is_said_before_writing(make, tmp_path):
    (tmp_path / "stick").write_text("")
    ledger = make(witness=tmp_path / "stick" / "head.json")
    _refused(lambda: _append(ledger), "L010")
    assert not ledger.chain.exists()


def test_a_ledger_held_for_long_is_a_clear_error(make, ledger):
    with ledger.locked():
        code = f"""
            from pathlib import Path
            from qua3ck.kit import utc_now, Qua3ckError
            from qua3ck.ledger import Ledger
            ledger = Ledger(Path({str(ledger.folder)!r}), actor="ana", sign=lambda m: b"",
                            keys=lambda n: None, clock=utc_now, patience=0.05)
            try:
                ledger.append("a", "b", {{}})
            except Qua3ckError as problem:
                print(problem.code)
        """
        ran = subprocess.run(
            [sys.executable, "-c", textwrap.dedent(code)],
            capture_output=True,
            text=True,
            check=True,
        )
    assert ran.stdout.strip() == "L002"


# -- what a crash leaves is mended and recorded ------------------------------------------


@pytest.fixture
def crashed(ledger, monkeypatch):
    """Return a function that breaks an append off after a step, as a power cut would."""

    class PowerCut(BaseException):
        pass

    def cut(*_args, **_named):
        raise PowerCut

    def run(step):
        with monkeypatch.context() as patch:
            patch.setattr(Ledger, step, cut)
            with pytest.raises(PowerCut):
                ledger.append("verdict.made", "lost?", {"x": 1})
        return ledger

    return run


def test_a_next_head_whose_line_never_came_is_dropped(crashed, make):
    ledger = crashed("_append_line")
    assert (ledger.folder / "head.next.json").exists()
    assert _whole(ledger) == 5
    assert _append(make()).seq == 5
    assert not (ledger.folder / "head.next.json").exists()
    assert ledger.entries("ledger.repaired") == []
    assert _whole(ledger) == 6


def test_a_line_that_came_before_its_head_is_finished_and_recorded(crashed, make):
    ledger = crashed("_adopt")
    assert (len(_lines(ledger)), ledger.head().n) == (6, 5)
    assert _whole(ledger) == 6
    reopened = make()
    with reopened.locked():
        repaired = reopened.settle()
    assert repaired is not None
    assert repaired.body == {"did": "finished", "seq": 5}
    assert [e.event for e in reopened.entries()[5:]] == ["verdict.made", "ledger.repaired"]
    assert _whole(reopened) == 7


@pytest.mark.parametrize("kept", [1, 40, -1])
def test_a_torn_last_line_is_cut_and_its_digest_recorded(crashed, make, kept):
    ledger = crashed("_adopt")
    *whole, last = _lines(ledger)
    torn = last[:kept]
    ledger.chain.write_bytes(b"".join(whole) + torn)
    assert not ledger.verify().ok
    assert "torn" in ledger.verify().problems[0]
    assert _append(make()).seq == 6
    (repaired,) = make().entries("ledger.repaired")
    assert repaired.body == {
        "did": "cut",
        "seq": 5,
        "bytes": len(torn),
        "sha256": hashlib.sha256(torn).hexdigest(),
    }
    assert _whole(ledger) == 7


def test_a_crash_in_the_very_first_append_is_mended(make, monkeypatch):
    ledger = make()
    with monkeypatch.context() as patch:
        patch.setattr(Ledger, "_adopt", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            _append(ledger)
    assert _append(make()).seq == 2
    assert _whole(ledger) == 3


def test_a_full_disk_loses_nothing_and_leaves_nothing_half_written(ledger, monkeypatch):
    before = ledger.chain.read_bytes()
    real = os.fsync

    def full(handle):
        if Path(f"/proc/self/fd/{handle}").resolve().name == "chain.jsonl":
            raise OSError(28, "No space left on device")
        real(handle)

    if not Path("/proc/self/fd").exists():
        pytest.skip("needs /proc to tell the files apart")
    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", full)
        problem = _refused(lambda: _append(ledger), "L009")
    assert "No space left" in problem.what
    assert ledger.chain.read_bytes() == before
    assert _append(ledger).seq == 5
    assert _whole(ledger) == 6


# -- tampering is not mended -------------------------------------------------------------


def _stays_refused(make, code, where=""):
    ledger = make()
    before = {path: path.read_bytes() for path in ledger.folder.glob("*.js*")}
    problem = _refused(lambda: _append(ledger), code)
    assert where in problem.where + problem.what
    assert {path: path.read_bytes() for path in ledger.folder.glob("*.js*")} == before
    assert not ledger.verify().ok


@pytest.mark.parametrize(("cut", "missing"), [(1, "seq 4 is gone"), (3, "seq 2 to 4 is gone")])
def test_cut_last_lines_are_tampering_and_the_missing_ones_named(ledger, make, cut, missing):
    ledger.chain.write_bytes(b"".join(_lines(ledger)[:-cut]))
    _stays_refused(make, "L003", missing)


def test_a_reader_that_has_read_before_sees_a_cut_too(ledger):
    before = len(ledger.entries())
    lines = ledger.chain.read_bytes().splitlines(keepends=True)
    ledger.chain.write_bytes(b"".join(lines[:-1]))
    with pytest.raises(Qua3ckError, match="missing at the end"):
        ledger.entries()
    ledger.chain.write_bytes(b"".join(lines))
    assert len(ledger.entries()) == before


def test_a_reader_holds_the_chain_against_every_witness(ledger, make):
    kept = {path: path.read_bytes() for path in (ledger.chain, ledger.folder / "head.json")}
    ledger.append("question.set", "later", {})
    for path, stored in kept.items():
        path.write_bytes(stored)
    with pytest.raises(Qua3ckError, match="a witness saw") as told:
        make(sign=None).entries()
    assert told.value.code == "L007"


def test_a_removed_chain_is_tampering(ledger, make):
    ledger.chain.unlink()
    _stays_refused(make, "L003", "seq 0 to 4")


def test_a_line_after_the_head_is_tampering(ledger, make, crashed):
    crashed("_adopt")
    (ledger.folder / "head.next.json").unlink()
    _stays_refused(make, "L004", "line 6")


def test_bytes_after_the_head_that_no_crash_explains_are_tampering(ledger, make):
    with ledger.chain.open("ab") as handle:
        handle.write(b'{"actor":')
    _stays_refused(make, "L004", "line 6")


def test_a_next_head_signed_by_nobody_enrolled_finishes_nothing(ledger, make, keys, crashed):
    crashed("_adopt")
    from qua3ck.ledger.heads import read_head, sign_head, write_head

    path = ledger.folder / "head.next.json"
    head = read_head(path)
    eve = keys.identity("eve", create=True)
    write_head(sign_head(head.n, head.hash, head.at, "eve", eve.sign), path)
    _stays_refused(make, "L004")


def test_a_missing_head_is_tampering(ledger, make):
    (ledger.folder / "head.json").unlink()
    _stays_refused(make, "L005")


def test_a_head_with_another_signature_is_tampering(ledger, make, keys):
    from qua3ck.ledger.heads import sign_head, write_head

    eve, head = keys.identity("eve", create=True), ledger.head()
    write_head(sign_head(5, head.hash, head.at, "ana", eve.sign), ledger.folder / "head.json")
    _stays_refused(make, "L005", "signature")


def test_an_unreadable_head_is_tampering(ledger, make):
    (ledger.folder / "head.json").write_text("{}")
    _stays_refused(make, "L005")


def test_a_changed_last_event_is_tampering(ledger, make):
    ledger.chain.write_bytes(ledger.chain.read_bytes().replace(b"table4", b"table9"))
    _stays_refused(make, "L006")


def test_a_changed_older_event_is_used_for_no_decision(ledger, make):
    ledger.chain.write_bytes(ledger.chain.read_bytes().replace(b"table1", b"table9"))
    problem = _refused(lambda: make().entries(), "L006")
    assert "line 2" in problem.where


def test_a_ledger_set_back_is_noticed_by_the_witness(ledger, make):
    kept = {path: path.read_bytes() for path in ledger.folder.glob("*.js*")}
    _append(ledger)
    for path, data in kept.items():
        path.write_bytes(data)
    _stays_refused(make, "L007", "a witness saw 6 events, the chain has 5")


def test_a_ledger_written_anew_is_noticed_by_the_witness(ledger, make):
    for path in ledger.folder.glob("*.js*"):
        path.unlink()
    fresh = make(witness=None)
    for _ in range(5):
        _append(fresh)
    assert fresh.verify().ok
    _stays_refused(make, "L007")


# -- processes ---------------------------------------------------------------------------

_WRITER = """
import os
import sys
import time
from pathlib import Path
from qua3ck.kit import utc_now
from qua3ck.ledger import Ledger
from qua3ck.store.keys import KeyStore

def slow_disk(handle, sync=os.fsync):
    until = time.perf_counter() + float(sys.argv[4])
    while time.perf_counter() < until:
        pass
    sync(handle)

os.fsync = slow_disk
root = Path(sys.argv[1])
me = KeyStore(root / "keys").identity("ana", create=False)
ledger = Ledger(root / "ledger", actor="ana", sign=me.sign, keys=lambda _: me.public.signing,
                clock=utc_now, witness=root / "elsewhere" / "head.json")
for number in range(int(sys.argv[2])):
    print(ledger.append("trial", sys.argv[3], {"number": number}).seq, flush=True)
"""


def _writer(root, events, name, sync_s=0.0):
    return subprocess.Popen(
        [sys.executable, "-c", _WRITER, str(root), str(events), name, str(sync_s)],
        stdout=subprocess.PIPE,
        text=True,
    )


def test_three_writers_at_once_make_one_chain(tmp_path, make, keys):
    keys.identity("ana", create=True)
    writers = [_writer(tmp_path, 50, f"w{number}") for number in range(3)]
    said = [int(line) for writer in writers for line in writer.communicate()[0].split()]
    assert sorted(said) == list(range(150))
    ledger = make()
    assert _whole(ledger) == 150
    for number in range(3):
        mine = [e.body["number"] for e in ledger.entries(subject=f"w{number}")]
        assert mine == list(range(50))


def test_kill_9_at_any_moment_loses_no_acknowledged_event(tmp_path, make, keys):
    keys.identity("ana", create=True)
    chance = random.Random(7)  # noqa: S311 - moments to kill at, no secret
    acknowledged, left_open = set(), 0
    for round_ in range(15):
        # Each of the six syncs of an append takes 1 ms more: the kill lands between steps.
        with _writer(tmp_path, 100_000, f"r{round_}", sync_s=0.001) as writer:
            for _ in range(chance.randint(1, 8)):
                acknowledged.add(int(writer.stdout.readline()))
            moment = time.perf_counter() + chance.uniform(0, 0.012)
            while time.perf_counter() < moment:
                pass
            while round_ % 2 and not (tmp_path / "ledger/head.next.json").exists():
                pass  # every second time in the midst of an append
            writer.kill()
            acknowledged |= {int(line) for line in writer.stdout.read().split()}
        ledger = make()
        assert ledger.verify().ok
        left_open += (ledger.folder / "head.next.json").exists()
        with ledger.locked():
            ledger.settle()
        assert _whole(ledger) >= len(acknowledged)
    assert left_open > 0, "no kill came between two steps"
    found = {entry.seq for entry in make().entries() if entry.event == "trial"}
    assert acknowledged <= found
    assert len(found) + len(make().entries("ledger.repaired")) == _whole(make())
