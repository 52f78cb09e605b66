from __future__ import annotations

from collections.abc import Iterator

import pytest

from qua3ck.kit.errors import Qua3ckError
from qua3ck.understand.section import Source
from qua3ck.understand.sources.layout import header_is_data, open_body


def opened(
    text: str, *, size: int = 1 << 20, **declared: object
) -> tuple[list[str], str, list[str]]:
    """Return names, the text of the records, and the footer."""

    def chunks() -> Iterator[bytes]:
        data = text.encode()
        yield from (data[at : at + size] for at in range(0, len(data), size))

    source = Source(kind="csv", path="f.csv", **declared)
    body = open_body(chunks(), source, file="f.csv", place="s")
    below = b"".join(body.chunks).decode()
    return body.names, below, body.footer


@pytest.mark.parametrize("ends", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("size", [1, 3, 1 << 20])
def test_lines_are_counted_as_an_editor_shows_them(ends, size):
    lines = ["Report", "", "a,b", "1,2", "3,4", "", "note", "source", ""]
    names, below, footer = opened(ends.join(lines), size=size, skip=2, footer=2)
    assert names == ["a", "b"]
    assert below.split() == ["1,2", "3,4"]
    assert footer == ["note", "source"]


def test_a_header_may_go_on_in_the_next_line():
    names, below, _ = opened('"a\nb",c\n1,2\n', delimiter=",")
    assert (names, below) == (["a\nb", "c"], "1,2\n")


def test_lines_of_a_header_are_joined_by_a_blank_and_equal_ones_named_once():
    names, below, _ = opened("x,,y\n\n# no\nn,p,y\n1,2,3\n", header=2, comment="#")
    assert (names, below) == (["x n", "x p", "y"], "1,2,3\n")


def test_a_footer_longer_than_the_file_leaves_nothing():
    assert opened("a,b\n1,2\n", footer=5)[1:] == ("", ["1,2"])


@pytest.mark.parametrize(
    ("text", "declared", "code"),
    [
        (" \n", {}, "U103"),
        ("a,b\n1,2\n", {"skip": 9}, "U122"),
        ("a,a\n1,2\n", {}, "U120"),
        ('"a,b\n1,2\n', {"delimiter": ","}, "U102"),
        ("a,b\n1,2\n", {"names": ("x",)}, "U124"),
        ("a,b\n1,2\n", {"delimiter": ";"}, "U122"),
        ("a;b\n1;2\n", {"delimiter": ";", "quote": ";"}, "U124"),
    ],
)
def test_what_has_no_header_as_declared_is_refused(text, declared, code):
    with pytest.raises(Qua3ckError) as told:
        opened(text, **declared)
    assert told.value.code == code


@pytest.mark.parametrize(
    ("cells", "data"),
    [
        (["2019", "2020", "2021"], False),
        (["place", "2019", "2020"], False),
        (["", "0", "1", "2"], False),
        (["4711", "2023-05-01"], True),
        (["2019", "2019"], True),
        (["1", "2", "3"], True),
        (["7", "1999", "2000", "12", "5"], True),
    ],
)
def test_years_and_a_numbered_index_may_be_names(cells, data):
    assert header_is_data(cells) is data


def test_a_line_of_delimiters_alone_is_a_filled_line_of_a_footer():
    text = "a\tb\n1\t2\n3\t4\n\t\n"
    assert opened(text, delimiter="\t", footer=1)[1:] == ("1\t2\n3\t4\n", ["\t"])


def test_what_is_skipped_may_be_of_any_width_and_hold_open_quotes():
    names, below, _ = opened('the "office\n;;;\na,b\n1,2\n', skip=2, delimiter=",")
    assert (names, below) == (["a", "b"], "1,2\n")


def test_a_header_wider_than_declared_names_is_refused_and_a_longer_list_is_not():
    assert opened("a,b\n1,2,3\n", names=("x", "y", "z"), delimiter=",")[0] == ["x", "y", "z"]
    with pytest.raises(Qua3ckError) as told:
        opened("1,2\n3,4\n", header=0, names=("x", "y", "z"), delimiter=",")
    assert told.value.code == "U124"
