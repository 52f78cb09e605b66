from __future__ import annotations

import json
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from qua3ck.govern import Workspace, open_workspace
from qua3ck.kit.errors import Qua3ckError
from qua3ck.ledger import Following


@pytest.fixture
def workspace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Workspace:
    monkeypatch.setenv("QUA3CK_KEYS", str(tmp_path / "keys"))
    monkeypatch.delenv("QUA3CK_WITNESS", raising=False)
    return open_workspace(tmp_path / "shop", "shop", actor="ana")


@pytest.fixture
def follow(workspace: Workspace) -> Callable[..., Following]:
    return lambda **more: Following(workspace.ledger.folder, **more)


def append(workspace: Workspace, number: int = 1) -> None:
    workspace.ledger.append("source.loaded", f"table{number}", {"rows": number})


def test_gives_every_event_the_ledger_has_and_then_only_what_is_new(workspace, follow):
    append(workspace)
    follower = follow()
    assert follower.grown()
    assert follower.entries() == tuple(workspace.ledger.entries())
    assert not follower.grown()
    append(workspace, 2)
    assert follower.grown()
    assert follower.entries() == tuple(workspace.ledger.entries())
    assert [e.subject for e in follower.entries("source.loaded")] == ["table1", "table2"]


def test_keeps_only_the_events_it_was_asked_to_keep(workspace, follow):
    append(workspace)
    follower = follow(keep={"source.loaded"})
    follower.grown()
    assert [e.event for e in follower.entries()] == ["source.loaded"]
    assert follower.n == len(workspace.ledger.entries())


def swap(path: Path, old: str, new: str) -> None:
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


def drop_last_line(folder: Path) -> None:
    chain = folder / "chain.jsonl"
    chain.write_bytes(b"".join(chain.read_bytes().splitlines(keepends=True)[:-1]))


def add_a_line(folder: Path) -> None:
    with (folder / "chain.jsonl").open("ab") as handle:
        handle.write(b'{"actor":"eve"}\n')


def forge_the_head(folder: Path) -> None:
    head = json.loads((folder / "head.json").read_bytes())
    head["signature"] = "00" * 64
    text = json.dumps(head, sort_keys=True, separators=(",", ":"))
    (folder / "head.json").write_text(text)


TAMPERED = {
    "an old event is edited, nothing appended": (
        lambda folder: swap(folder / "chain.jsonl", '"rows":1}', '"rows":7}'),
        "L006",
    ),
    "the last event is cut off": (drop_last_line, "L003"),
    "a line is added with an editor": (add_a_line, "L004"),
    "the head is signed by nobody": (forge_the_head, "L005"),
    "the head is gone": (lambda folder: (folder / "head.json").unlink(), "L005"),
    "the chain is gone": (lambda folder: (folder / "chain.jsonl").unlink(), "L003"),
}


@pytest.mark.parametrize(("tamper", "code"), TAMPERED.values(), ids=TAMPERED)
def test_tampering_is_told_and_what_was_known_stays(workspace, follow, tamper, code):
    append(workspace)
    append(workspace, 2)
    follower = follow()
    follower.grown()
    before = follower.entries()
    saved = {p.name: p.read_bytes() for p in workspace.ledger.folder.glob("*.json*")}
    tamper(workspace.ledger.folder)
    for _ in range(2):  # it does not get used to it
        with pytest.raises(Qua3ckError) as caught:
            follower.grown()
        assert caught.value.code == code
        assert caught.value.fix
        assert follower.entries() == before
    for name, data in saved.items():
        (workspace.ledger.folder / name).write_bytes(data)
    follower.grown()
    append(workspace, 3)
    assert follower.grown()


@pytest.mark.parametrize(("tamper", "code"), TAMPERED.values(), ids=TAMPERED)
def test_who_begins_to_follow_a_changed_ledger_is_told_as_well(workspace, follow, tamper, code):
    append(workspace)
    tamper(workspace.ledger.folder)
    with pytest.raises(Qua3ckError):
        follow().grown()


def test_an_older_copy_of_the_whole_folder_is_set_back_not_believed(workspace, follow):
    append(workspace)
    saved = {p.name: p.read_bytes() for p in workspace.ledger.folder.glob("*.json*")}
    append(workspace, 2)
    follower = follow()
    follower.grown()
    for name, data in saved.items():
        (workspace.ledger.folder / name).write_bytes(data)
    with pytest.raises(Qua3ckError, match="set back") as caught:
        follower.grown()
    assert caught.value.code == "L003"


def test_a_chain_signed_by_somebody_who_was_never_enrolled_is_refused(workspace, follow, tmp_path):
    """Eve has write access and a key of her own, and writes on with it."""
    from qua3ck.kit.clock import utc_now
    from qua3ck.ledger import Ledger
    from qua3ck.store.keys import KeyStore

    follower = follow()
    follower.grown()
    eve = KeyStore(tmp_path / "evil").identity("eve", create=True)
    owner = workspace.ledger.keys
    forged = Ledger(
        workspace.ledger.folder,
        actor="eve",
        sign=eve.sign,
        keys=lambda name: eve.public.signing if name == "eve" else owner(name),
        clock=utc_now,
    )
    forged.append("alias.moved", "champion", {"alias": "champion", "version": 666})
    with pytest.raises(Qua3ckError) as caught:
        follower.grown()
    assert caught.value.code == "L005"
    assert follower.entries("alias.moved") == ()


def test_whatever_moment_of_an_append_it_reads_in_it_is_never_called_tampering(workspace, follow):
    """One thread appends, others read as fast as they can."""
    ended = threading.Event()
    problems: list[Exception] = []
    counts: list[int] = []

    def read() -> None:
        follower = follow()
        while not ended.is_set():
            try:
                follower.grown()
            except Qua3ckError as problem:
                problems.append(problem)
                return
        follower.grown()
        counts.append(follower.n)

    readers = [threading.Thread(target=read) for _ in range(2)]
    for reader in readers:
        reader.start()
    for number in range(60):
        append(workspace, number)
        if number % 5 == 0:
            ended.wait(0.002)
    ended.set()
    for reader in readers:
        reader.join()
    assert problems == []
    assert counts == [len(workspace.ledger.entries())] * 2


def test_a_line_on_its_way_counts_only_once_the_head_covers_it(workspace, follow):
    """A writer that was killed between its line and its head."""
    append(workspace)
    ledger = workspace.ledger
    follower = follow()
    follower.grown()
    ledger._adopt = lambda head: None
    append(workspace, 2)
    assert not follower.grown()
    assert follower.n == len(ledger.chain.read_bytes().splitlines()) - 1
    del ledger._adopt
    append(workspace, 3)  # mends first
    assert follower.grown()
    assert follower.entries() == tuple(ledger.entries())
    assert "ledger.repaired" in {entry.event for entry in follower.entries()}
