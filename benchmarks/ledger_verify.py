"""How many events a second the ledger verifies, against a bare sha256 + json.loads loop.

Budget: at least 100,000 events/s. Both are run in turns, so that a busy machine hits both.
"""

import hashlib
import json
import statistics
import tempfile
import time
from pathlib import Path

from qua3ck.ledger.entries import FIRST_PREV, encode
from qua3ck.ledger.heads import sign_head, write_head
from qua3ck.ledger.verifying import verify_ledger
from qua3ck.store.keys import KeyStore

EVENTS = 100_000
ROUNDS = 5


def main() -> dict[str, float]:
    """Print and return events/s of both, and the median ratio of the pairs."""
    with tempfile.TemporaryDirectory() as folder:
        check = _ledger(Path(folder))
        chain = Path(folder) / "chain.jsonl"
        pairs = [(_seconds(lambda: _floor(chain)), _seconds(check)) for _ in range(ROUNDS)]
    floor, ours = (EVENTS / statistics.median(column) for column in zip(*pairs, strict=True))
    result = {
        "events_per_s": round(ours),
        "floor_events_per_s": round(floor),
        "ratio_to_floor": round(statistics.median(own / bare for bare, own in pairs), 2),
        "budget_events_per_s": 100_000,
    }
    print(json.dumps(result))
    return result


def _ledger(folder: Path):
    me = KeyStore(folder / "keys").identity("bench", create=True)
    prev, lines = FIRST_PREV, []
    body = {"table": "gold/training", "version": 12, "rows": 4098, "digest": "ab" * 32}
    for seq in range(EVENTS):
        entry, line = encode(
            seq=seq,
            at="2026-01-01T00:00:00.000000Z",
            actor="bench",
            event="source.loaded",
            subject="applications",
            body=body,
            prev=prev,
        )
        prev = entry.hash
        lines.append(line)
    (folder / "chain.jsonl").write_bytes(b"".join(lines))
    write_head(sign_head(EVENTS, prev, entry.at, "bench", me.sign), folder / "head.json")

    def check() -> None:
        result = verify_ledger(
            chain=folder / "chain.jsonl",
            head=folder / "head.json",
            following=folder / "head.next.json",
            keys=lambda _: me.public.signing,
        )
        assert result.ok, result.problems
        assert result.events == EVENTS

    return check


def _floor(chain: Path) -> None:
    with chain.open("rb") as lines:
        for line in lines:
            hashlib.sha256(line).hexdigest()
            json.loads(line)


def _seconds(act) -> float:
    start = time.perf_counter()
    act()
    return time.perf_counter() - start


if __name__ == "__main__":
    main()
