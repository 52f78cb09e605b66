from __future__ import annotations

import io

import pytest

from qua3ck.kit.errors import Qua3ckError
from qua3ck.understand.sources.encoding import decide_encoding, packing, utf8_chunks

WEST = "name,place\nJürgen,Genève\nAmélie,São Paulo\nIñés,Århus\n"
EAST = "name,place\nŁukasz,Łódź\nŻaneta,Gdańsk\n"


def decided(text: str | bytes, encoding: str = "utf-8") -> tuple[str, str]:
    raw = text if isinstance(text, bytes) else text.encode(encoding)
    found = decide_encoding(io.BytesIO(raw))
    return found.value, found.why


@pytest.mark.parametrize(
    ("text", "encoding"),
    [
        (WEST, "utf-8"),
        (WEST, "utf-8-sig"),
        (WEST, "utf-16"),
        (WEST, "utf-16-le"),
        (WEST, "utf-16-be"),
        (WEST, "utf-32"),
        (WEST, "cp1252"),
        (WEST, "latin-1"),
        (WEST, "cp850"),
        ("Größe,Jürgen\nÖl,Übung\n", "mac_roman"),
        ("prix\n5 €\nl’œuvre – été\n", "cp1252"),
        ("temp\n20 °C\n50 m²\n£5\n", "cp1252"),
        (EAST, "cp1250"),
        (EAST, "iso8859_2"),
        ("Москва,1\nКиев,2\n", "cp1251"),
        ("Москва,1\nКиев,2\n", "koi8_r"),
        ("Αθήνα,1\nΘεσσαλονίκη,2\n", "cp1253"),
        ("القاهرة,1\nدمشق,2\n", "cp1256"),
        ("İstanbul,Şanlıurfa\nMuğla,Iğdır\n", "cp1254"),
        ("東京都,1\nとうきょう,2\n", "shift_jis"),
        ("a,b\n1,2\n", "ascii"),
    ],
)
def test_text_is_read_back_in_the_encoding_decided(text, encoding):
    value, why = decided(text, encoding)
    assert text.encode(encoding).decode(value).removeprefix("\ufeff") == text
    assert why


def test_a_few_damaged_bytes_do_not_make_another_encoding():
    value, why = decided(("ä" * 500).encode() + b"\xff\n")
    assert value == "utf-8"
    assert "will be held" in why


def test_letters_far_into_a_file_count(monkeypatch):
    assert decided(b"a,b\n" * 2_000_000 + "Jürgen\n".encode("cp1252"))[0] == "cp1252"


@pytest.mark.parametrize("size", [2, 3, 5, 1 << 20])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252", "shift_jis"])
def test_chunks_may_cut_a_character(monkeypatch, encoding, size):
    monkeypatch.setattr("qua3ck.understand.sources.encoding.CHUNK", size)
    text = "a,ü\n" if encoding != "shift_jis" else "a,東\n"
    stream = io.BytesIO((text * 9).encode(encoding))
    declared = encoding.removesuffix("-sig")
    if size == 2 and encoding == "utf-8-sig":
        pytest.skip("a mark is read whole: no file system hands over single bytes")
    made = b"".join(utf8_chunks(stream, declared, file="f", place="s"))
    assert made.decode() == text * 9


@pytest.mark.parametrize(
    ("raw", "encoding", "kept"),
    [
        (b"x\x81y\xfc\n", "cp1252", b"x\x81y\xc3\xbc\n"),
        (b"x\n\x81", "shift_jis", b"x\n\x81"),
        (b"x\xffy\n", "utf-8", b"x\xffy\n"),
    ],
)
def test_bytes_that_an_encoding_lacks_stay_as_they_are(raw, encoding, kept):
    """So that only their record is held."""
    assert b"".join(utf8_chunks(io.BytesIO(raw), encoding, file="f", place="s")) == kept


@pytest.mark.parametrize(
    ("raw", "encoding"),
    [
        ("a".encode("utf-16"), "utf-8"),
        ("ä".encode("utf-8-sig"), "cp1252"),
        ("ab".encode("utf-16") + b"c", "utf-16"),
    ],
)
def test_another_mark_or_half_a_character_is_another_encoding(raw, encoding):
    with pytest.raises(Qua3ckError) as told:
        list(utf8_chunks(io.BytesIO(raw), encoding, file="f.csv", place="s"))
    assert told.value.code == "U102"


def test_what_packs_a_file_is_told_by_its_first_bytes():
    assert packing(b"\x1f\x8b\x08") == "gzip"
    assert packing(b"a,b\n") == ""
