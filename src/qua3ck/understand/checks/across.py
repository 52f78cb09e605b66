"""What must not be on both sides of the split: rows, groups, moments. Sees both sides."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from qua3ck.kit.findings import Finding
from qua3ck.understand.records import Kind
from qua3ck.understand.rowkeys import row_texts
from qua3ck.understand.section import Understand
from qua3ck.understand.split import times

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa
    from numpy.typing import NDArray


def check_across(
    train: pa.Table,
    test: pa.Table,
    section: Understand,
    features: Sequence[str],
    kinds: Mapping[str, Kind] | None = None,
) -> Iterator[Finding]:
    """Yield duplicates, near duplicates, groups and moments that lie on both sides.

    Parameters
    ----------
    train, test : pyarrow.Table
        The two sides, equal columns.
    section : Understand
        Declares time, group and entity.
    features : sequence of str
        The columns a model is given; rows equal in all of them are duplicates to it.
    kinds : mapping, optional
        What each of them is. Rows whose texts are alike and whose categories are equal are
        near duplicates; numbers and dates may differ.
    """
    if features:
        here = _shared(train, test, features)
        yield from _duplicates(here)
        yield from _near(train, test, here, kinds or {})
    if section.group:
        yield from _both_sides(train, test, section.group, "group", "block")
    if section.entity and section.entity != section.group:
        severity = "inform" if section.time else "warn"
        yield from _both_sides(train, test, section.entity, "entity", severity)
    if section.time:
        yield from _overlap(train, test, section.time)


def _duplicates(here: NDArray[np.bool_]) -> Iterator[Finding]:
    count = int(here.sum())
    if not count:
        return
    share = count / len(here)
    yield Finding(
        "U004",
        "warn" if share > 0.05 else "inform",
        f"{count} of {len(here)} test rows",
        f"{count} test rows are equal to a training row in every column the model is given; "
        "a model that only remembers would be right on them.",
        {"rows": count, "of": len(here)},
    )


def _near(
    train: pa.Table, test: pa.Table, equal: NDArray[np.bool_], kinds: Mapping[str, Kind]
) -> Iterator[Finding]:
    from qua3ck.understand.contract.duplicates import check_near_across

    texts = [name for name, kind in kinds.items() if kind == "text"]
    same = [name for name, kind in kinds.items() if kind in {"category", "bool"}]
    if texts:
        yield from check_near_across(train, test, texts, same=same, equal=equal)


def _both_sides(
    train: pa.Table, test: pa.Table, column: str, part: str, severity: str
) -> Iterator[Finding]:
    here = _shared(train, test, [column])
    count = int(here.sum())
    if not count:
        return
    yield Finding(
        "U005",
        "block" if severity == "block" else "warn" if severity == "warn" else "inform",
        f"column {column}, {count} of {test.num_rows} test rows",
        f"{count} test rows belong to a {part} that has training rows too; the score says "
        f"little about a new {part}."
        + (f" Declare group: {column} if the model meets new ones." if part == "entity" else ""),
        {"rows": count, "of": test.num_rows, "column": column},
    )


def _overlap(train: pa.Table, test: pa.Table, column: str) -> Iterator[Finding]:
    late = times(train, column) >= times(test, column).min()
    count = int(late.sum())
    if not count:
        return
    yield Finding(
        "U006",
        "block",
        f"column {column}, {count} of {train.num_rows} training rows",
        f"{count} training rows are not older than the first test row.",
        {"rows": count, "of": train.num_rows, "column": column},
    )


def _shared(train: pa.Table, test: pa.Table, columns: Sequence[str]) -> NDArray[np.bool_]:
    """Return for each test row whether a training row has the same values, shape (n_test,)."""
    import numpy as np
    import pyarrow.compute as pc

    seen = row_texts(train, columns).unique()
    there = pc.is_in(row_texts(test, columns), value_set=seen)
    return np.asarray(there.to_numpy(zero_copy_only=False), dtype=bool)
