"""Ledgers that fit together line by line, and say what nobody may say: each must be named.

The chains are written by hand with keys made here: every hash follows and every head is
signed, as by somebody who may write the folder and knows the format.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from qua3ck.kit.hashes import canonical_json
from qua3ck.ledger.entries import FIRST_PREV, encode
from qua3ck.ledger.heads import sign_head, write_head
from qua3ck.ledger.verifying import Verification, verify_ledger

KEYS = {name: Ed25519PrivateKey.generate() for name in ("ana", "ben", "eve")}
AT = "2026-01-01T00:00:00.000000Z"


def public(name: str) -> bytes:
    return KEYS[name].public_key().public_bytes_raw()


class Forge:
    """Writes a chain whose hashes follow, with whatever bodies it is told."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.lines: list[bytes] = []
        self.hashes: list[str] = []

    def add(self, event: str, subject: str, body: dict[str, Any], *, actor: str = "ana") -> None:
        entry, line = encode(
            seq=len(self.lines),
            at=AT,
            actor=actor,
            event=event,
            subject=subject,
            body=body,
            prev=self.hashes[-1] if self.hashes else FIRST_PREV,
        )
        self.lines.append(line)
        self.hashes.append(entry.hash)

    def seen(self) -> dict[str, Any]:
        """Return the head as somebody who signs now has to have seen it."""
        return {"n": len(self.lines), "hash": self.hashes[-1] if self.hashes else FIRST_PREV}

    def signed(self, statement: dict[str, Any], *, by: str, key: str = "") -> dict[str, Any]:
        signature = KEYS[key or by].sign(canonical_json(statement)).hex()
        return {"by": by, "statement": statement, "signature": signature}

    def enrol(self, who: str, /, *roles: str, by: str = "ana", key: str = "", **said: Any) -> None:
        statement = {
            "what": "qua3ck enrolment",
            "name": who,
            "roles": list(roles),
            "signing": base64.b64encode(public(who)).decode(),
            "sealing": "",
            "head": self.seen(),
        } | said
        (self.root / "people").mkdir(exist_ok=True)
        (self.root / "people" / f"{who}.pub").write_text(json.dumps(statement))
        body = {"roles": list(roles), "signed": self.signed(statement, by=by, key=key)}
        self.add("person.enrolled", who, body, actor=by)

    def approve(self, by: str, *, key: str = "", shown: Any = None, **said: Any) -> None:
        facts = {"version": 1, "approver": by, "decision": "approve", "reason": "read"}
        statement = {"what": "qua3ck approval", **facts, "head": self.seen()} | said
        body = {**facts, **(shown or {}), "signed": self.signed(statement, by=by, key=key)}
        self.add("approval.given", "1", body, actor=by)

    def verify(self, *, head: str = "ana", people: bool = True, **more: Any) -> Verification:
        chain, place = self.root / "chain.jsonl", self.root / "head.json"
        chain.write_bytes(b"".join(self.lines))
        signed = sign_head(len(self.lines), self.hashes[-1], AT, head, KEYS[head].sign)
        write_head(signed, place)
        return verify_ledger(
            chain=chain,
            head=place,
            following=self.root / "head.next.json",
            keys=lambda name: public(name) if name in KEYS else None,
            people=self.root / "people" if people else None,
            **more,
        )


@pytest.fixture
def forge(tmp_path: Path) -> Forge:
    """Return a chain in which ana, the owner, has enrolled ben."""
    made = Forge(tmp_path)
    made.add("project.created", "stock", {"id": "x"})
    made.enrol("ana", "owner")
    made.enrol("ben", "risk_manager")
    return made


def test_people_and_approvals_that_are_signed_as_they_must_be_verify(forge: Forge):
    forge.approve("ben")
    found = forge.verify()
    assert (found.ok, found.events, found.problems) == (True, 4, ())


def replayed(forge: Forge) -> None:
    seen = forge.seen()
    forge.add("source.loaded", "rows", {"rows": 3})
    forge.approve("ben", head=seen)


def handed_on(forge: Forge) -> None:
    forge.enrol("eve", "owner", by="ben")


def stranger_first(forge: Forge) -> None:
    forge.lines, forge.hashes = [], []
    forge.enrol("ana", "owner", by="eve")


def first_without_right(forge: Forge) -> None:
    forge.lines, forge.hashes = [], []
    forge.enrol("ana", "data_engineer")


LIES: list[tuple[Callable[[Forge], None], str]] = [
    (replayed, "line 5, approval.given: the head that ben signed is not the one before it"),
    (lambda f: f.approve("ben", key="eve"), "line 4, approval.given: the signature of ben is"),
    (lambda f: f.approve("eve"), "line 4, approval.given: the signature of eve is wrong"),
    (lambda f: f.approve("ben", what="qua3ck enrolment"), "ben signed something else"),
    (lambda f: f.approve("ben", version=2), "version is not the one that ben signed"),
    (lambda f: f.approve("ben", decision="refuse"), "decision is not the one that ben signed"),
    (lambda f: f.approve("ben", shown={"reason": "ok"}), "reason is not the one that ben signed"),
    (lambda f: f.add("approval.given", "1", {"version": 1}), "approval.given: nobody signed"),
    (lambda f: f.add("person.enrolled", "eve", {"roles": []}), "person.enrolled: nobody signed"),
    (handed_on, "ben enrols eve without being owner"),
    (lambda f: f.enrol("eve", "owner", key="eve"), "the enrolment of eve is not signed by ana"),
    (lambda f: f.enrol("ben", "owner", by="ben"), "ben enrols ben without being owner"),
    (lambda f: f.enrol("eve", "owner", name="ana"), "ana enrols eve without being enrolled"),
    (stranger_first, "eve enrols ana without being enrolled"),
    (first_without_right, "ana enrols ana without being owner"),
]


@pytest.mark.parametrize(("lie", "says"), LIES)
def test_what_nobody_may_say_is_named_although_every_hash_fits(forge: Forge, lie, says: str):
    lie(forge)
    found = forge.verify()
    assert not found.ok
    assert any(says in problem for problem in found.problems), found.problems


def test_roles_that_were_widened_after_signing_are_named(forge: Forge):
    forge.enrol("eve", "viewer")
    line = json.loads(forge.lines[-1])
    forge.lines.pop(), forge.hashes.pop()
    forge.add("person.enrolled", "eve", {**line["body"], "roles": ["owner"]})
    problems = forge.verify().problems
    assert any("roles is not the one that ana signed" in problem for problem in problems)


def test_a_person_who_is_enrolled_again_speaks_with_the_new_key_only(forge: Forge):
    forge.approve("ben")
    signing = base64.b64encode(public("eve")).decode()  # ben's new key
    forge.enrol("ben", "risk_manager", signing=signing)
    forge.approve("ben", key="eve")
    assert forge.verify().ok
    forge.approve("ben", key="ben")
    assert "line 7, approval.given: the signature of ben is wrong" in forge.verify().problems


@pytest.mark.parametrize("change", ["roles", "signing", "gone", "broken"])
def test_a_public_file_that_is_not_what_was_enrolled_is_named(forge: Forge, change: str):
    path = forge.root / "people" / "ben.pub"
    facts = json.loads(path.read_bytes())
    if change == "gone":
        path.unlink()
    elif change == "broken":
        path.write_text("{")
    else:
        path.write_text(json.dumps({**facts, change: ["owner"] if change == "roles" else "AAAA"}))
    assert forge.verify().problems == ("people/ben.pub: missing, or not what the ledger enrolled",)


def test_a_head_signed_by_somebody_who_was_never_enrolled_is_named(forge: Forge):
    assert forge.verify(head="eve").problems == ("head.json: the signature of eve is wrong",)


def test_before_anybody_is_enrolled_the_key_at_hand_counts(tmp_path: Path):
    forge = Forge(tmp_path)
    forge.add("project.created", "stock", {"id": "x"})
    assert forge.verify(people=False).ok
    assert not forge.verify(people=True).ok  # with people declared, nobody is nobody


def test_a_witness_tells_a_shorter_and_a_rewritten_chain_apart(forge: Forge, tmp_path: Path):
    witness = tmp_path / "witness.json"
    assert forge.verify(witnesses=[witness]).ok  # a new machine has none yet
    n = len(forge.lines)
    write_head(sign_head(n + 2, "f" * 64, AT, "ana", KEYS["ana"].sign), witness)
    (shorter,) = forge.verify(witnesses=[witness]).problems
    assert shorter == f"line {n + 1}: the witness saw {n + 2} events, the chain has {n}"
    write_head(sign_head(2, "f" * 64, AT, "ana", KEYS["ana"].sign), witness)
    (rewritten,) = forge.verify(witnesses=[witness]).problems
    assert rewritten.startswith("line 2: not the event that the witness saw")
    witness.write_text("{}")
    assert forge.verify(witnesses=[witness]).problems == ("witness witness.json: cannot be read",)


def test_no_ledger_at_all_is_a_problem_and_not_an_empty_truth(tmp_path: Path):
    found = verify_ledger(
        chain=tmp_path / "chain.jsonl", head=tmp_path / "h", following=tmp_path / "f",
        keys=lambda name: None,
    )  # fmt: skip
    assert not found.ok
    assert found.problems[0] == "chain.jsonl: there is no ledger"


def test_a_thousand_wrong_lines_are_told_in_twenty(forge: Forge):
    for _ in range(1000):
        forge.approve("ben", key="eve")
    found = forge.verify()
    assert (len(found.problems), found.events) == (20, 1003)
    assert found.problems[0].startswith("line 4,")
