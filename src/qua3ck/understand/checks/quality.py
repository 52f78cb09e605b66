"""Columns and classes that cannot carry a model: identifiers, constants, gaps, rare classes."""

from __future__ import annotations

from collections.abc import Iterator

from qua3ck.kit.findings import Finding
from qua3ck.understand.checks.view import View
from qua3ck.understand.columns import CONSTANT, EMPTY, IDENTIFIER, numbers
from qua3ck.understand.rowkeys import row_texts

RARE = 10  # training rows of a class; five folds leave two for each
_MANY_MISSING, _MOST_MISSING = 0.5, 0.95
_MANY_DUPLICATES = 0.05


def check_quality(view: View) -> Iterator[Finding]:
    """Yield what is wrong with single columns, classes and repeated rows."""
    yield from _left_out(view)
    yield from _gaps(view)
    yield from _infinite(view)
    yield from _rare_classes(view)
    yield from _duplicates(view)


def _left_out(view: View) -> Iterator[Finding]:
    for column in view.columns:
        where = f"column {column.name}, {view.rows} training rows"
        if column.why == IDENTIFIER:
            yield Finding(
                "U003",
                "warn",
                where,
                f"{column.name} has {column.distinct} different values in {view.rows} rows: it "
                "names rows and was left out. Declare it as entity: if it does.",
                {"column": column.name, "distinct": column.distinct, "rows": view.rows},
            )
        elif column.why in {CONSTANT, EMPTY}:
            yield Finding(
                "U009",
                "inform",
                where,
                f"{column.name} is {column.why}; it was left out.",
                {"column": column.name, "distinct": column.distinct},
            )


def _gaps(view: View) -> Iterator[Finding]:
    for column in view.features:
        missing = view.train[column.name].null_count
        share = missing / view.rows
        if share >= _MANY_MISSING:
            yield Finding(
                "U012",
                "warn" if share >= _MOST_MISSING else "inform",
                f"column {column.name}, {missing} of {view.rows} rows",
                f"{column.name} is empty in {share:.0%} of the training rows.",
                {"column": column.name, "missing": missing, "rows": view.rows},
            )


def _infinite(view: View) -> Iterator[Finding]:
    """Report infinite cells, which the prelude makes empty; so are doubles beyond a float32."""
    import numpy as np

    for column in view.features:
        if column.kind != "number":
            continue
        with np.errstate(over="ignore"):
            held = numbers(view.train[column.name]).astype(np.float32)
        count = int(np.isinf(held).sum())
        if count:
            yield Finding(
                "U029",
                "warn",
                f"column {column.name}, {count} of {view.rows} rows",
                f"{column.name} is infinite, or too large for a number of the model, in {count} "
                "of the training rows: the model is given an empty cell instead. In prediction "
                "such a cell counts as empty too, and is flagged.",
                {"column": column.name, "infinite": count, "rows": view.rows},
            )


def _rare_classes(view: View) -> Iterator[Finding]:
    import numpy as np

    if view.target.task == "regression":
        return
    counts = np.bincount(view.truth, minlength=len(view.target.classes))
    for name, count in zip(view.target.classes, counts.tolist(), strict=True):
        if count < RARE:
            yield Finding(
                "U008",
                "block" if count < 2 else "warn",
                f"target {view.target.name}, class {name}",
                f"The class {name} has {count} training rows; nothing can be learned or shown "
                f"about it with fewer than {RARE}.",
                {"class": name, "rows": count, "wanted": RARE},
            )


def _duplicates(view: View) -> Iterator[Finding]:
    """Report repeats where chance does not explain them: few columns of few values repeat."""
    import numpy as np
    import pyarrow.compute as pc

    names = [c.name for c in view.columns if c.role in {"feature", "target", "sensitive"}]
    different = int(pc.count_distinct(row_texts(view.train, names)).as_py())
    copies = view.rows - different
    share = copies / view.rows
    if share < _MANY_DUPLICATES:
        return
    pairs = view.rows * (view.rows - 1) / 2
    alike = np.prod([_chance_of_equal(view, name) for name in names])
    by_chance = pairs * alike >= 0.3 * copies  # as if columns had nothing to do with each other
    if by_chance and share < 0.5:
        return
    yield Finding(
        "U013",
        "inform" if by_chance else "warn",
        f"training table, {copies} of {view.rows} rows",
        f"{copies} training rows repeat another row in every column"
        + ("; with so few different values that may be chance." if by_chance else "."),
        {"copies": copies, "different": different, "rows": view.rows},
    )


def _chance_of_equal(view: View, name: str) -> float:
    """Return how likely two rows have the same value in a column."""
    counts = view.train[name].combine_chunks().value_counts().field("counts")
    return float(sum((count / view.rows) ** 2 for count in counts.to_pylist()))
