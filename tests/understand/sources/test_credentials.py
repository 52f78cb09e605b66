from __future__ import annotations

import logging

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qua3ck.kit.errors import Qua3ckError
from qua3ck.understand.sources.credentials import Hidden, from_environment


def test_only_names_of_variables_are_looked_up():
    assert from_environment("ana", place="p", env={"ana": "x"}) == "ana"
    assert from_environment("env:ANA", place="p", env={"ANA": "geheim\n"}) == "geheim"
    with pytest.raises(Qua3ckError, match="ANA is not set") as told:
        from_environment("env:ANA", place="p", env={})
    assert told.value.code == "U135"
    assert told.value.fix.endswith("export ANA=...")


@given(st.text(st.characters(codec="utf-8", exclude_categories=("C",)), min_size=1))
def test_no_spelling_of_a_secret_stays_in_a_text(secret):
    from urllib.parse import quote, urlencode

    hidden = Hidden({"api_key": secret})
    for spelled in (
        f"api_key={secret}",
        f"api_key={quote(secret)}",
        urlencode({"api_key": secret}),
    ):
        assert hidden.in_text(f"https://x/?a=1&{spelled}").endswith("a=1&api_key=***")
        assert hidden.in_bytes(b"<" + spelled.encode()) == b"<api_key=***"
    assert (
        hidden.in_url(f"https://x/y?a=1&api_key={quote(secret)}&b=2#c") == "https://x/y?a=1&b=2#c"
    )


def test_a_word_of_the_data_that_equals_the_secret_stays():
    hidden = Hidden({"api_key": "district"})
    body = b'{"level": "district", "next": "/x?api_key=district"}'
    assert hidden.in_bytes(body) == b'{"level": "district", "next": "/x?api_key=***"}'


def test_bytes_that_are_no_text_stay_as_they_are():
    body = b"\xff\xfe\x00api_key=geheim\x80"
    assert Hidden({}).in_bytes(body) is body
    assert Hidden({"api_key": "other"}).in_bytes(body) is body
    assert Hidden({"api_key": "geheim"}).in_bytes(body) == b"\xff\xfe\x00api_key=***\x80"


def test_a_log_record_is_cleaned_before_it_is_handled():
    record = logging.LogRecord("x", 20, "f", 1, "GET %s", ("/x?k=geheim",), None)
    assert Hidden({"k": "geheim"}).filter(record)
    assert record.getMessage() == "GET /x?k=***"
