from __future__ import annotations

import pyarrow as pa
import pytest

from qua3ck.understand.contract import forms
from qua3ck.understand.contract.cells import Cells, read_cells


def column(values) -> Cells:
    return read_cells(pa.chunked_array([pa.array(values)]), "x")


def where(mask) -> list[int]:
    return mask.nonzero()[0].tolist()


@pytest.mark.parametrize(
    ("value", "form"),
    [("3347938701", "9"), ("37 patients", "9 a"), ("12.5", "9"), ("ami-4", "a-9"), ("Zoë", "a")],
)
def test_a_form_is_what_letters_and_digits_leave(value, form):
    assert forms.form_of(value) == form


def test_in_a_column_of_numbers_words_for_nothing_are_suspect():
    assert where(forms.markers(column(["12", "7", "unknown", "N/A", "3"]))) == [2, 3]


def test_in_a_column_of_words_only_signs_are():
    assert where(forms.markers(column(["yes", "no", "unknown", "?", "n/a"]))) == [3, 4]


def test_namibia_is_no_marker_among_words():
    assert where(forms.markers(column(["ZA", "NA", "BW", "NA"]))) == []


def test_gaps_are_suspect_only_where_hardly_any_are():
    assert where(forms.empty(column(["a"] * 19 + [None]))) == [19]
    assert where(forms.empty(column(["a"] * 19 + ["  "]))) == [19]
    assert where(forms.empty(column(["a"] * 8 + [None] * 2))) == []


def test_the_way_most_cells_are_written_is_the_columns_own():
    assert where(forms.units(column(["0.05", "0.06", "0.07", "0.05%"]))) == [3]
    assert where(forms.units(column(["3 kg", "4 kg", "5 kg", "6", "7 lb"]))) == [3, 4]
    assert where(forms.units(column(["12 oz", "12 oz.", "12 ounce", "12"]))) == [0, 1, 2]


def test_a_unit_that_all_have_is_no_mistake_and_addresses_have_none():
    assert where(forms.units(column(["97%", "98%", "100%"]))) == []
    assert where(forms.units(column(["12 Main St", "4 High Rd", "7 Low Rd"]))) == []


def test_a_form_that_hardly_occurs_among_codes_is_odd():
    codes = [f"70{n:04d}" for n in range(199)]
    assert where(forms.odd_forms(column([*codes, "7O0001"]))) == [199]
    assert where(forms.odd_forms(column([*["AL"] * 198, "AL", "A-"]))) == [199]


def test_names_may_have_a_hyphen_and_mixed_columns_have_no_form():
    assert where(forms.odd_forms(column(["Anna Lee"] * 150 + ["Jo Ann"] * 49 + ["Al-Jaber"]))) == []
    mixed = ["-".join("a1"[n >> at & 1] for at in range(5)) for n in range(32)] * 6
    assert where(forms.odd_forms(column([*mixed, "#"]))) == []


def test_what_encodings_and_quotes_leave_is_seen():
    assert where(forms.residues(column(["O''Boyle", "O'Boyle", "Ã©tÃ©", "été", "a &amp; b"]))) == [
        0,
        2,
        4,
    ]
