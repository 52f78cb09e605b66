from __future__ import annotations

import datetime as dt
import math
import re

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from qua3ck.understand.sources.cells import (
    Marks,
    almost_number,
    column_type,
    kind_of,
    read_all,
    read_cells,
    widened,
)

PLAIN = Marks()
spelled = st.text(st.sampled_from("0123456789+-.,eExn 'aif_"), min_size=1, max_size=7)


def read(texts: list[str | None], kind: str, marks: Marks = PLAIN, **how: bool) -> list[object]:
    values, misfits = read_cells(pa.array(texts, pa.string()), kind, marks, **how)
    wrong = misfits.to_pylist() if misfits is not None else [False] * len(texts)
    return [
        "misfit" if bad else value for value, bad in zip(values.to_pylist(), wrong, strict=True)
    ]


@given(st.lists(spelled, min_size=1, max_size=6))
def test_an_integer_is_what_python_would_write(texts):
    expected = [
        int(text) if re.fullmatch(r"-?(0|[1-9][0-9]*)", text) else "misfit" for text in texts
    ]
    assert read(texts, "integer") == expected


@given(st.lists(spelled, min_size=1, max_size=6))
def test_a_number_is_what_python_reads_but_for_padding_and_names(texts):
    def judge(text: str) -> object:
        if re.search(r"_|[a-df-zA-DF-Z ]", text) or re.match(r"[+-]?0[0-9]", text):
            return "misfit"
        try:
            value = float(text)
        except ValueError:
            return "misfit"
        return value if math.isfinite(value) else "misfit"

    assert read(texts, "number") == [judge(text) for text in texts]


@given(st.lists(st.one_of(st.none(), spelled), min_size=1, max_size=8))
def test_the_quick_way_and_each_by_itself_agree(texts):
    cells = pa.array(texts, pa.string())
    for kind in ("integer", "number", "boolean", "date", "timestamp"):
        quick = read_all(cells, kind, PLAIN)
        values, misfits = read_cells(cells, kind, PLAIN)
        assert (quick is None) == (misfits is not None)
        if quick is not None:
            assert quick.equals(values)


@given(number=st.integers(-(10**12), 10**12), cents=st.integers(0, 99))
def test_numbers_with_marks_come_back(number, cents):
    text = f"{number:,}.{cents:02d}"
    exact = float(f"{number}.{cents:02d}")
    assert read([text], "number", Marks(".", ",")) == [exact]
    turned = text.translate(str.maketrans(",.", ".,"))
    assert read([turned], "number", Marks(",", ".")) == [exact]
    assert read([text.replace(",", "\u202f")], "number", Marks(".", " ")) == [exact]
    assert read([f"{number:,}"], "integer", Marks(".", ",")) == [number]


@pytest.mark.parametrize("text", ["1,23", "12,3456", ",123", "1,234,56", "0,123", "1,,234"])
def test_a_thousands_mark_in_another_place_is_no_number(text):
    assert read([text], "number", Marks(".", ",")) == ["misfit"]


def test_declared_types_are_lenient_about_zeros_and_times():
    assert read(["007", "+7", "0x1F"], "integer", lenient=True) == [7, 7, "misfit"]
    assert read(["2024-01-01"], "timestamp", lenient=True) == [dt.datetime(2024, 1, 1)]  # noqa: DTZ001
    assert read(["2024-01-01"], "timestamp") == ["misfit"]
    assert read(["2024-02-30", "2024-02-29"], "date") == ["misfit", dt.date(2024, 2, 29)]
    assert read(["TRUE", "tRue", "no", None], "boolean") == [True, True, "misfit", None]


@pytest.mark.parametrize(
    ("texts", "kind"),
    [
        ([None, None], ""),
        (["1", None], "integer"),
        (["9" * 20], "digits"),
        (["9" * 20, "1.5"], "number"),
        (["1", "1.5"], "number"),
        (["true"], "boolean"),
        (["2024-01-01T10:00+02:00"], "zoned"),
        (["2024-01-01T10:00+02:00", "2024-01-01T10:00"], "string"),
        (["1"] * 2000 + ["x"], "string"),
        (["1"] * 2000 + ["9" * 20], "digits"),
    ],
)
def test_a_column_is_what_all_its_cells_are(texts, kind):
    assert kind_of(pa.array(texts, pa.string()), PLAIN) == kind


@given(
    st.lists(st.sampled_from(["1", "2.5", "9" * 20, "x", "true", "2024-01-01", None]), max_size=8),
    st.integers(0, 8),
)
def test_two_parts_are_together_what_the_whole_is(texts, cut):
    """Only digits beyond 64 bits beside fractions may be known as numbers by the whole alone."""
    parts = [pa.array(part, pa.string()) for part in (texts[:cut], texts[cut:], texts)]
    first, second, whole = (kind_of(part, PLAIN) for part in parts)
    assert widened(first, second) == whole


def test_a_kind_is_kept_as_one_of_the_few_types():
    assert [column_type(kind) for kind in ("", "digits", "zoned", "date")] == [
        *("string", "string", "timestamp", "date"),
    ]


@pytest.mark.parametrize(
    ("others", "numbers", "shown"),
    [
        ({"?": 1}, 3, ["?"]),
        ({"NA": 1, "unknown": 1}, 2, ["NA", "unknown"]),
        ({"Ada L.": 1}, 30, []),
        ({"a": 1, "b": 1}, 1, None),
        ({"007": 1}, 2, None),
        ({f"{n}-{n}": 1 for n in range(6)}, 30, None),
        ({}, 5, None),
    ],
)
def test_a_column_that_would_be_a_number_but_for_markers_is_reported(others, numbers, shown):
    found = almost_number(others, numbers, numbers + 2, name="a", place="s")
    if shown is None:
        assert found is None
    else:
        assert found.code == "U017"
        assert sorted(found.evidence["shown"]) == sorted(shown)
        assert "Ada" not in found.says
