import pytest

from qua3ck.understand.contract.units import unit_expected, unit_in_name, unit_of


@pytest.mark.parametrize(
    ("text", "unit"),
    [
        ("oz.", "oz"),
        (" OZ.", "oz"),
        ("ounce", "oz"),
        ("%", "percent"),
        ("KG", "kg"),
        ("yrs", "years"),
    ],
)
def test_spellings_of_a_unit(text, unit):
    assert unit_of(text) == unit


@pytest.mark.parametrize("text", ["Main St", "patients", "", "-", "blvd"])
def test_other_words_are_none(text):
    assert unit_of(text) is None


@pytest.mark.parametrize(
    ("name", "unit"),
    [("weight_kg", "kg"), ("muac_mm", "mm"), ("WeightKg", "kg"), ("height (cm)", "cm"),
     ("share_pct", "percent"), ("age_months", "months")],
)  # fmt: skip
def test_a_name_may_say_its_unit(name, unit):
    assert unit_in_name(name) == unit


@pytest.mark.parametrize("name", ["kg", "district_t", "item", "group_m", "column_d"])
def test_initials_and_plain_names_say_none(name):
    assert unit_in_name(name) is None


def test_a_measure_has_a_usual_unit():
    assert unit_expected("child_weight") == "kg"
    assert unit_expected("MUAC") == "mm"
    assert unit_expected("district") is None
