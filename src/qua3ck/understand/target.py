"""What is predicted: which task the target makes, its classes, and which one is positive."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from qua3ck.kit.errors import Qua3ckError, did_you_mean
from qua3ck.kit.findings import Finding
from qua3ck.understand.doubtful import FEW, PLACE, settle_words, told_rows
from qua3ck.understand.records import Task
from qua3ck.understand.section import Understand

if TYPE_CHECKING:
    import pyarrow as pa
    from numpy.typing import NDArray

_EXAMPLES = 5
_MARKED = r"^\s*[-+]?\d[\d.,' \x{a0}\x{202f}]*\s*%?\s*$"
_MOSTLY = 0.9  # a few cells may hold words that mean no value


@dataclass(frozen=True)
class Target:
    """The task and, for classification, the classes as text, the positive one last."""

    name: str
    task: Task
    classes: tuple[str, ...]
    positive: str
    findings: tuple[Finding, ...] = ()

    def truth(self, rows: pa.Table) -> NDArray[Any]:
        """Return class numbers (int) for classification, floats for regression."""
        import numpy as np

        if self.task == "regression":
            return np.asarray(rows[self.name].cast("double").to_numpy())
        import pyarrow as pa
        import pyarrow.compute as pc

        codes = pc.index_in(class_texts(rows[self.name]), value_set=pa.array(self.classes))
        return np.asarray(codes.to_numpy(zero_copy_only=False), dtype=np.int64)


def read_target(rows: pa.Table, section: Understand, positive: Any) -> Target:
    """Return the target's task and classes, judged on all rows of the training table.

    Parameters
    ----------
    rows : pyarrow.Table
        The whole training table.
    section : Understand
        Names the target and may declare the task.
    positive : str, int, float, bool or None
        The class that the question declares as positive.

    Raises
    ------
    Qua3ckError
        If the target is not there, has gaps, NaN or infinity (also as words), is constant, has
        one row in a class, spells a class in two ways, or does not suit the declared task.
    """
    name = section.target
    if name not in rows.column_names:
        raise Qua3ckError(
            f'No column "{name}" in the training table{did_you_mean(name, rows.column_names)}',
            where=PLACE,
            fix=f"use one of: {', '.join(rows.column_names[:20])}",
            code="U105",
        )
    column = rows[name].combine_chunks()
    _refuse_gaps(column, name)
    settled = _settled(column, section, positive)
    classified = _is_classified(column, section)
    if not classified:
        return _regression(column, name, section)
    made = _classification(column, name, section, positive)
    return replace(made, findings=(*made.findings, *settled))


def class_texts(column: pa.Array) -> pa.Array:
    """Return class values as text: "0", "1" for whole numbers, "false", "true" for booleans.

    Blanks around a word are cut: ``"yes "`` and ``"yes"`` are one class.
    """
    import pyarrow as pa
    import pyarrow.compute as pc

    one = column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column
    if pa.types.is_floating(one.type) and _is_whole(one):
        one = one.cast(pa.int64())
    return pc.utf8_trim_whitespace(one.cast(pa.string()))


def _refuse_gaps(column: pa.Array, name: str) -> None:
    import numpy as np
    import pyarrow as pa

    bad = column.is_null().to_numpy(zero_copy_only=False)
    kinds = {"empty": int(bad.sum())}
    if pa.types.is_floating(column.type):
        values = column.fill_null(0.0).to_numpy(zero_copy_only=False)
        kinds |= {"NaN": int(np.isnan(values).sum()), "infinite": int(np.isinf(values).sum())}
        bad |= ~np.isfinite(values)
    if not bad.any():
        return
    rows = np.flatnonzero(bad) + 1
    counts = ", ".join(f"{count} {kind}" for kind, count in kinds.items() if count)
    raise Qua3ckError(
        f'The target "{name}" has no value in {len(rows)} of {len(bad)} rows ({counts}): '
        f"{told_rows(rows)}",
        where=PLACE,
        fix="leave these rows out in the training function, and say there why they have none",
        code="U105",
    )


def _settled(column: pa.Array, section: Understand, positive: Any) -> tuple[Finding, ...]:
    import pyarrow as pa

    if not pa.types.is_string(column.type):
        return ()
    return settle_words(class_texts(column), section, _as_class(positive))


def _is_classified(column: pa.Array, section: Understand) -> bool:
    import pyarrow as pa

    text = pa.types.is_string(column.type)
    if section.task == "classification":
        return True
    if section.task == "regression":
        if text:
            _refuse_marked_numbers(column, section.target)
            raise _unsuitable(section.target, "text", "a number, or declare classification")
        return False
    if not (text or pa.types.is_boolean(column.type) or _is_number(column.type)):
        raise _unsuitable(section.target, str(column.type), "a number, a boolean or a class")
    distinct = len(column.unique())
    if text and distinct > FEW:
        _refuse_marked_numbers(column, section.target)
        raise Qua3ckError(
            f'The target "{section.target}" is text with {distinct} different values',
            where=PLACE,
            fix="if these are classes, declare task: classification; else name another column",
            code="U105",
        )
    whole = text or pa.types.is_boolean(column.type) or _is_whole(column)
    return whole and distinct <= FEW


def _refuse_marked_numbers(column: pa.Array, name: str) -> None:
    """Refuse a text of which nearly every value is a number with marks of another country."""
    import pyarrow.compute as pc

    marked = pc.sum(pc.match_substring_regex(column, _MARKED)).as_py() or 0
    if marked < _MOSTLY * len(column):
        return
    raise Qua3ckError(
        f'The target "{name}" is text, and {marked} of {len(column)} values are written as '
        "numbers in another way, such as with a decimal comma",
        where=PLACE,
        fix="type: qua3ck load --propose, which declares how they are written; or decimal: and "
        "thousands: with the source",
        code="U105",
    )


def _regression(column: pa.Array, name: str, section: Understand) -> Target:
    if len(column.unique()) < 2:
        raise _constant(name)
    found = () if section.task == "regression" else (_chosen(name, "regression", "", ()),)
    return Target(name, "regression", (), "", found)


def _classification(column: pa.Array, name: str, section: Understand, positive: Any) -> Target:
    texts = class_texts(column)
    counts = texts.value_counts()
    seen = dict(zip(counts.field(0).to_pylist(), counts.field(1).to_pylist(), strict=True))
    if len(seen) < 2:
        raise _constant(name)
    lonely = [row for row, text in enumerate(texts.to_pylist(), 1) if seen[text] == 1]
    if lonely:
        shown = ", ".join(map(str, lonely[:_EXAMPLES]))
        raise Qua3ckError(
            f'{len(lonely)} of {len(seen)} classes of "{name}" have one row only: '
            f"row {shown}{' ...' if len(lonely) > _EXAMPLES else ''}",
            where=PLACE,
            fix="bring more rows, join it with another class in the training function, "
            "or declare task: regression if these are quantities",
            code="U105",
        )
    declared = _declared_positive(positive, tuple(sorted(seen)), name)
    blanks = tuple(_blanks_cut(column, texts, name))
    if len(seen) > 2:
        found = () if section.task != "auto" else (_chosen(name, "multiclass", "", seen),)
        return Target(name, "multiclass", tuple(sorted(seen)), "", (*found, *blanks))
    last = declared or max(seen, key=_size)
    order = (*(text for text in sorted(seen) if text != last), last)
    found = () if declared else (_chosen(name, "binary", last, seen),)
    return Target(name, "binary", order, last, (*found, *blanks))


def _blanks_cut(column: pa.Array, texts: pa.Array, name: str) -> Iterator[Finding]:
    import pyarrow as pa
    import pyarrow.compute as pc

    if not pa.types.is_string(column.type):
        return
    cut = pc.sum(pc.not_equal(column, texts)).as_py() or 0
    if cut:
        yield Finding(
            "U025",
            "inform",
            f"target {name}, {cut} of {len(column)} rows",
            "Blanks around class names were cut, so that they make no classes of their own.",
            {"rows": cut},
        )


def _declared_positive(positive: Any, classes: Sequence[str], name: str) -> str:
    text = _as_class(positive)
    if text and text not in classes:
        raise Qua3ckError(
            f'The positive class "{text}" does not occur in "{name}"{did_you_mean(text, classes)}',
            where="question.positive",
            fix=f"write one of: {', '.join(classes[:20])}",
            code="U105",
        )
    return text


def _as_class(positive: Any) -> str:
    """Return a declared class as :func:`class_texts` spells it, empty if none is."""
    if positive is None:
        return ""
    if isinstance(positive, float) and positive.is_integer():
        return str(int(positive))
    return str(positive).lower() if isinstance(positive, bool) else str(positive)


def _chosen(name: str, task: str, positive: str, classes: Any) -> Finding:
    words = f"{task}, {len(classes)} classes" if classes else task
    more = ""
    if positive:
        more = (
            f'; the positive class is taken to be "{positive}" (the greater of the two). '
            "Declare question.positive to decide it yourself"
        )
    return Finding(
        "U019",
        "inform",
        f"target {name}",
        f"The task was chosen from the target's values: {words}{more}.",
        {"task": task, "positive": positive, "classes": len(classes)},
    )


def _size(text: str) -> tuple[int, float, str]:
    try:
        return (0, float(text), text)
    except ValueError:
        return (1, 0.0, text)


def _is_number(kind: pa.DataType) -> bool:
    import pyarrow as pa

    return bool(pa.types.is_integer(kind) or pa.types.is_floating(kind))


def _is_whole(column: pa.Array) -> bool:
    import numpy as np
    import pyarrow as pa

    if pa.types.is_integer(column.type):
        return True
    if not pa.types.is_floating(column.type):
        return False
    values = column.drop_null().to_numpy(zero_copy_only=False)
    return bool(np.all(values == np.floor(values)) and np.all(np.abs(values) < 2**53))


def _constant(name: str) -> Qua3ckError:
    return Qua3ckError(
        f'The target "{name}" has the same value in every row',
        where=PLACE,
        fix="name another column, or bring rows with more than one outcome",
        code="U105",
    )


def _unsuitable(name: str, found: str, wanted: str) -> Qua3ckError:
    return Qua3ckError(
        f'The target "{name}" is {found}; it must be {wanted}',
        where=PLACE,
        fix="correct target: or task:, or turn the column into that kind",
        code="U105",
    )
