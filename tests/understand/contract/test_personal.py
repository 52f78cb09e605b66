import pytest

from qua3ck.understand.contract.personal import looks_personal


@pytest.mark.parametrize(
    "name",
    ["first_name", "LastName", "child name", "Name", "nom", "apellidos", "Vorname", "mother",
     "phone", "contact_mobile", "e-mail", "email", "date_of_birth", "DOB", "national_id",
     "gps", "latitude", "ip_address", "street", "religion", "patient_name"],
)  # fmt: skip
def test_columns_of_persons_are_seen_by_name(name):
    assert looks_personal(name)


@pytest.mark.parametrize(
    "name",
    ["facility_name", "district", "item_name", "weight_kg", "month", "product name", "brewery-name",
     "HospitalName", "country_name", "status", "quantity", "measure_name"],
)  # fmt: skip
def test_columns_of_things_are_not(name):
    assert looks_personal(name) is None


@pytest.mark.parametrize(
    ("values", "what"),
    [
        (["ana@x.org", "bo@y.ml"], "e-mail"),
        (["+223 70 11 22 33", "tel:+22370112299"], "telephone"),
        (["10.0.0.1", "192.168.1.7"], "network"),
        (["DE89370400440532013000"], "identity"),
    ],
)
def test_cells_tell_where_the_name_does_not(values, what):
    assert what in looks_personal("field_7", values)


def test_dates_codes_and_amounts_are_no_telephone_numbers():
    for values in (["2024-01-01"], ["ML-2024-0017"], ["1200.50"], ["70112233"]):
        assert looks_personal("field_7", values) is None
