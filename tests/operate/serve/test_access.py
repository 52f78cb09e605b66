from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from qua3ck.kit.errors import Qua3ckError
from qua3ck.ledger import Entry
from qua3ck.operate.records import ServePlan
from qua3ck.operate.serve.access import Access, api_keys, known_scopes, new_key


class Clock:
    def __init__(self) -> None:
        self.seconds = 1000.0

    def __call__(self) -> float:
        return self.seconds


@pytest.fixture
def plan(tmp_path: Path) -> ServePlan:
    return ServePlan(root=str(tmp_path), project="s", project_id="x", keys_required=True)


def added(seq: int = 0, **more: Any) -> tuple[str, Entry]:
    key, ident, hashed = new_key("desk")
    body = {"id": ident, "name": "desk", "scopes": ["predict"], "hash": hashed, **more}
    return key, Entry(seq, "", "ana", "key.added", "desk", body, "", "")


def bearer(key: str) -> list[tuple[bytes, bytes]]:
    return [(b"host", b"x"), (b"authorization", f"Bearer {key}".encode())]


def test_a_key_is_nowhere_but_with_whoever_was_shown_it():
    key, entry = added()
    assert key.split("_", 2)[2] not in str(entry)  # a secret may hold the sign itself
    assert key not in str(entry)
    assert new_key("desk")[0] != key


def test_who_has_the_key_may_do_what_its_scope_says_and_nothing_else(plan):
    key, entry = added()
    access = Access(plan)
    access.use([entry])
    assert access.allow(bearer(key), "predict") is None
    assert access.allow([(b"x-api-key", key.encode())], "predict") is None
    refused = access.allow(bearer(key), "operate")
    assert (refused.status, refused.where) == (403, "the header authorization")
    assert "--scope operate" in refused.fix


WRONG = {
    "no key": [],
    "another scheme": [(b"authorization", b"Basic abc")],
    "nonsense": bearer("hello"),
    "an id alone": bearer("q3_00000000"),
    "empty": bearer(""),
    "not text": [(b"authorization", b"Bearer \xff\xfe")],
}


@pytest.mark.parametrize("headers", WRONG.values(), ids=WRONG)
def test_nobody_else_is_let_in(plan, headers):
    access = Access(plan)
    access.use([added()[1]])
    refused = access.allow(headers, "predict")
    assert refused.status == 401
    assert all((refused.what, refused.where, refused.fix))


def test_the_id_of_one_key_with_the_secret_of_another_is_refused(plan):
    (one, first), (two, second) = added(0), added(1)
    access = Access(plan)
    access.use([first, second])
    mixed = "_".join([*one.split("_")[:2], two.split("_", 2)[2]])
    assert access.allow(bearer(mixed), "predict").status == 401


def test_a_revoked_key_is_refused(plan):
    key, entry = added()
    gone = Entry(1, "", "ana", "key.revoked", "desk", {"id": entry.body["id"]}, "", "")
    access = Access(plan)
    access.use([entry, gone])
    assert access.allow(bearer(key), "predict").status == 401
    assert api_keys([entry, gone]) == ()


def test_without_keys_asked_for_everybody_is_let_in(plan):
    assert Access(replace(plan, keys_required=False)).allow([], "operate") is None


def test_a_key_is_held_to_its_rate_over_all_workers(plan):
    key, entry = added(per_second="5")
    now = Clock()
    workers = [Access(plan, now=now) for _ in range(2)]
    for access in workers:
        access.use([entry])
    burst = [workers[n % 2].allow(bearer(key), "predict") for n in range(8)]
    assert [one is None for one in burst] == [True] * 5 + [False] * 3
    assert burst[-1].status == 429
    assert burst[-1].retry_after_s == pytest.approx(0.2)
    now.seconds += 0.2
    assert workers[0].allow(bearer(key), "predict") is None
    assert workers[1].allow(bearer(key), "predict").status == 429
    now.seconds += 100
    assert sum(workers[0].allow(bearer(key), "predict") is None for _ in range(20)) == 5


def test_a_rate_below_one_a_second_lets_one_pass_at_a_time(plan):
    key, entry = added(per_second="0.5")
    now = Clock()
    access = Access(plan, now=now)
    access.use([entry])
    assert access.allow(bearer(key), "predict") is None
    assert access.allow(bearer(key), "predict").status == 429
    now.seconds += 2
    assert access.allow(bearer(key), "predict") is None


def test_one_keys_rate_is_not_anothers(plan):
    (one, first), (two, second) = added(0, per_second="1"), added(1, per_second="1")
    access = Access(plan, now=Clock())
    access.use([first, second])
    assert access.allow(bearer(one), "predict") is None
    assert access.allow(bearer(two), "predict") is None
    assert access.allow(bearer(one), "predict").status == 429


@pytest.mark.parametrize("name", ["", "x" * 65, "two\nlines"])
def test_a_name_that_says_nothing_is_refused(name):
    with pytest.raises(Qua3ckError) as caught:
        new_key(name)
    assert caught.value.code == "O005"


def test_an_unknown_scope_is_refused_with_a_guess():
    with pytest.raises(Qua3ckError, match='did you mean "predict"') as caught:
        known_scopes(["predct"])
    assert caught.value.code == "O006"
    assert known_scopes([]) == ("predict",)
