"""Which units are test rows, kept for ever under keyed digests, so that no later load moves one.

``sealed/membership.bin``: one line of JSON, then the digests of the test units, then those of
the training units, 16 bytes each. Nothing in it can be read without the project's key.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from qua3ck.kit.errors import Qua3ckError
from qua3ck.kit.records import write_atomic
from qua3ck.understand.rowkeys import DIGEST_BYTES

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


@dataclass(frozen=True)
class Membership:
    """How rows were told apart the first time, and every unit seen since.

    Attributes
    ----------
    unit : str
        ``group:<column>``, ``entity:<column>``, ``content`` or ``time:<column>``.
    columns : tuple of str
        What a row's content is made of, for ``content``; fixed at the first split, so that a
        new column moves nothing.
    cutoffs : mapping
        Stratum to the greatest fraction (decimal text) that is a test unit.
    cutoff : str
        For a split by time: the first moment of the test rows.
    test, train : frozenset of bytes
        Keyed digests (hex) of the units on each side.
    """

    unit: str
    share: float
    columns: tuple[str, ...] = ()
    cutoffs: Mapping[str, str] = field(default_factory=dict)
    cutoff: str = ""
    test: frozenset[bytes] = frozenset()
    train: frozenset[bytes] = frozenset()

    def sides(self, digests: NDArray[np.bytes_]) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
        """Return for each row whether its unit is known as test, and whether as training."""
        import numpy as np

        listed = digests.tolist()
        test = np.array([digest in self.test for digest in listed], dtype=bool)
        train = np.array([digest in self.train for digest in listed], dtype=bool)
        return test, train


def read_membership(root: Path) -> Membership | None:
    """Return what was kept, or None before the first split.

    Raises
    ------
    Qua3ckError
        If the file was cut or changed.
    """
    path = _path(root)
    if not path.exists():
        return None
    head, _, body = path.read_bytes().partition(b"\n")
    try:
        facts = json.loads(head)
        tests, units = facts.pop("test"), len(body) // DIGEST_BYTES
        facts["columns"] = tuple(facts["columns"])
        if units != tests + facts.pop("train") or len(body) % DIGEST_BYTES:
            raise _damaged(path)
        listed = [
            body[DIGEST_BYTES * at : DIGEST_BYTES * (at + 1)].hex().encode() for at in range(units)
        ]
        return Membership(**facts, test=frozenset(listed[:tests]), train=frozenset(listed[tests:]))
    except (ValueError, KeyError, TypeError) as problem:
        raise _damaged(path) from problem


def _damaged(path: Path) -> Qua3ckError:
    return Qua3ckError(
        "The record of which rows are sealed was damaged",
        where=str(path),
        fix="restore sealed/ from a copy; without it rows could change sides",
        code="U110",
    )


def write_membership(root: Path, kept: Membership) -> None:
    """Write it whole or not at all."""
    head = {
        "unit": kept.unit,
        "share": kept.share,
        "columns": list(kept.columns),
        "cutoffs": dict(sorted(kept.cutoffs.items())),
        "cutoff": kept.cutoff,
        "test": len(kept.test),
        "train": len(kept.train),
    }
    body = b"".join(
        bytes.fromhex(d.decode()) for side in (kept.test, kept.train) for d in sorted(side)
    )
    text = json.dumps(head, ensure_ascii=False, sort_keys=True).encode()
    write_atomic(_path(root), text + b"\n" + body)


def _path(root: Path) -> Path:
    return root / "sealed" / "membership.bin"
