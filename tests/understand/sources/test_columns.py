from __future__ import annotations

import pyarrow as pa
import pytest

from qua3ck.kit.errors import Qua3ckError
from qua3ck.understand.section import Source
from qua3ck.understand.sources.cells import Marks
from qua3ck.understand.sources.columns import (
    Column,
    bare,
    columns_of,
    marks_of,
    read_column,
    with_kinds,
)

PLAIN = Marks()


def source(**declared: object) -> Source:
    return Source(kind="csv", path="f.csv", **declared)


def read(texts: list[str], column: Column) -> tuple[list[object], list[bool] | None, str]:
    values, misfits, kind = read_column(pa.array(texts), column, PLAIN)
    return values.to_pylist(), None if misfits is None else misfits.to_pylist(), kind


def test_declared_types_are_lenient_and_known_ones_strict():
    columns = columns_of(
        ["a", "b", "c"], source(types={"a": "integer"}, null=("?",), nulls={"c": ("-",)}),
        {"a": "integer", "b": "integer"}, place="s",
    )  # fmt: skip
    assert [(c.kind, c.lenient, c.markers) for c in columns] == [
        ("integer", True, ("?",)),
        ("integer", False, ("?",)),
        (None, False, ("?", "-")),
    ]
    assert read(["007"], columns[0])[0] == [7]
    assert read(["007"], columns[1])[1] == [True]


@pytest.mark.parametrize("key", ["types", "nulls", "dates"])
def test_a_declared_column_that_is_not_there_is_named_and_data_are_not(key):
    value = {"types": "string", "nulls": ("x",), "dates": ("%Y-%m-%d",)}[key]
    with pytest.raises(Qua3ckError, match='No column "age"') as told:
        columns_of(["Amina", "Joseph"], source(**{key: {"age": value}}), None, place="s")
    assert "Amina" not in str(told.value)
    with pytest.raises(Qua3ckError, match='did you mean "ages"'):
        columns_of(["ages", "n"], source(**{key: {"age": value}}), None, place="s")


@pytest.mark.parametrize("kind", [None, "string", "integer", "number", "boolean", "date"])
def test_blanks_and_markers_are_null_whatever_the_type(kind):
    column = Column("a", kind, markers=("?",), inferred=False)
    values, misfits, _ = read(["", "  ", " ? ", "?"], column)
    assert values == [None] * 4
    assert misfits is None


def test_text_is_kept_as_written_and_compared_trimmed():
    written, trimmed = bare(pa.array([" a ", " ?", ""]), Column("a", markers=("?",)))
    assert written.to_pylist() == [" a ", None, None]
    assert trimmed.to_pylist() == ["a", None, None]


@pytest.mark.parametrize(
    ("texts", "held_to", "kind"),
    [
        (["1", "2.5"], "integer", "number"),
        (["1", "x"], "integer", "string"),
        (["9" * 20], "integer", "digits"),
        (["1"], "", "integer"),
        (["1", "2"], "number", "number"),
        (["x"], "string", "string"),
    ],
)
def test_what_was_inferred_is_told_when_it_turns_out_otherwise(texts, held_to, kind):
    column = with_kinds([Column("a")], {"a": held_to})[0]
    assert read(texts, column)[2] == kind


def test_a_declared_type_is_not_replaced_by_what_is_inferred():
    assert with_kinds([Column("a", "number")], {})[0].kind == "number"


def test_dates_have_layouts_or_a_type_that_agrees():
    columns = columns_of(
        ["d"], source(dates={"d": ("%d.%m.%Y", "%Y-%m-%d %H:%M")}), None, place="s"
    )
    assert columns[0].kind == "timestamp"
    with pytest.raises(Qua3ckError) as told:
        columns_of(
            ["d"], source(dates={"d": ("%d.%m.%Y",)}, types={"d": "number"}), None, place="s"
        )
    assert told.value.code == "U124"


def test_one_mark_has_one_purpose():
    assert marks_of(source(decimal=",", thousands=".")) == Marks(",", ".")
    with pytest.raises(Qua3ckError) as told:
        marks_of(source(thousands="."))
    assert told.value.code == "U124"
