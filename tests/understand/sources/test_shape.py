from __future__ import annotations

import pytest

from qua3ck.understand.sources.records import Dialect
from qua3ck.understand.sources.shape import Shape, find_shape

ROWS = "".join(f"{n:03d},Ward {n % 5},2024-01-{n:02d},{n * 7}\n" for n in range(1, 21))
HEAD = "id,ward,day,cases\n"


def shape(text: str, mark: str = ",") -> Shape:
    return find_shape(text, None, Dialect(mark))


def test_a_plain_table_has_a_header_and_nothing_around_it():
    found = shape(HEAD + ROWS)
    assert (found.skip, found.header, found.footer, found.loose) == (0, 1, 0, False)
    assert (found.comment, found.names) == (None, ())
    assert len(found.body) == 20
    assert {"skip", "header", "footer"} <= set(found.why)


@pytest.mark.parametrize(
    ("top", "skip"),
    [
        ("Cases\n", 1),
        ("Cases\n\n", 2),
        ("Cases,,,\n,,,\n", 2),
        ("Cases\nMinistry of Health\nJanuary, preliminary\n", 3),
        ("Unit,District 4\nPrinted,2024-02-01\n\n", 3),
        ('"a title\nof two lines"\n', 2),
    ],
)
def test_a_preamble_is_skipped_by_its_lines(top, skip):
    found = shape(top + HEAD + ROWS)
    assert (found.skip, found.header, len(found.body)) == (skip, 1, 20)


@pytest.mark.parametrize(
    ("bottom", "footer"),
    [
        ("Total,,,1470\n", 1),
        ("\nTotal,,,1470\n", 1),
        ("\nFigures are preliminary.\n", 1),
        ("Source: Ministry of Health\n", 1),
        ("====\nNotes\n1 - partial\n2 - see annex of the report for details\n\nPrinted today\n", 5),
        (",,,\nNote: two wards are missing in these figures,,,\n", 2),
        ("\n\n", 0),
        ("021,Ward 1,2024-01-21,9\n", 0),
        ("021,Ward 1\n", 0),
    ],
)
def test_notes_and_totals_at_the_end_are_a_footer_and_records_are_not(bottom, footer):
    assert shape(HEAD + ROWS + bottom).footer == footer


def test_a_last_record_with_few_values_is_no_footer():
    text = "name,born,size\n" + "Ada Byron,1815-12-10,165\n" * 5 + "Alan,,\n"
    assert shape(text).footer == 0


@pytest.mark.parametrize(
    ("head", "lines"),
    [
        ("", 0),
        ("id,ward,day,cases\n,,,(n)\n", 2),
        (",,Report,Report\nid,ward,day,cases\n", 2),
    ],
)
def test_the_header_is_none_one_or_several_lines(head, lines):
    found = shape(head + ROWS)
    assert (found.header, found.skip, len(found.body)) == (lines, 0, 20)
    assert bool(found.names) is (lines == 0)


def test_years_are_a_header():
    found = shape("place,2019,2020\n" + "".join(f"p{n},{n},{n * 2}\n" for n in range(9)))
    assert (found.header, found.names) == (1, ())


def test_words_that_come_again_below_are_no_header():
    rows = "".join(f"{'ABC'[n % 3]},{'xy'[n % 2]},text {n}\n" for n in range(20))
    assert shape(rows).header == 0
    assert shape("kind,sub,text\n" + rows).header == 1


def test_equal_names_are_numbered_and_a_missing_one_is_put_first():
    assert shape("id,n,n,N\n" + "1,2,3,4\n" * 5).names == ("id", "n", "n_2", "N_3")
    assert shape("a b\n" + "".join(f"{n} 1 2\n" for n in range(9)), " ").names == (
        "row_name",
        "a",
        "b",
    )


def test_ends_left_out_are_told_from_lines_that_are_broken():
    short = "".join(f"{n:03d},Ward {n}\n" for n in range(9))
    assert shape(HEAD + ROWS + short).loose
    assert not shape(HEAD + ROWS + "Ward 3,021\n" * 9).loose
    assert not shape(HEAD + ROWS + "021,Ward 3, east,2024-01-21,4\n").loose
    assert not shape(HEAD + ROWS + "021,Wa").loose  # cut off
    ending = "".join(f"{line},\n" for line in (HEAD + ROWS).splitlines()[1:])
    found = shape(HEAD + ending)
    assert (found.loose, found.width, found.names) == (True, 4, ())


def test_comments_are_told_from_records_that_begin_alike():
    assert shape("# by app 2.1\n# user x\n" + HEAD + ROWS).comment == "#"
    tags = "tag,n,day,x\n" + "".join(f"#a{n},{n},2024-01-01,1\n" for n in range(9))
    assert shape(tags).comment is None
    cells = HEAD + '001,"two\n# lines",2024-01-01,5\n' + ROWS
    assert shape(cells).comment is None


def test_a_long_text_is_judged_by_its_ends():
    found = find_shape(HEAD + ROWS, "cut,off\n" + ROWS + "\nTotal,,,5\n", Dialect(","))
    assert (found.header, found.footer, len(found.body)) == (1, 1, 20)


@pytest.mark.parametrize("first", ["000,Ward 9,,\n", "000,Ward 9,,\n000,Ward 8,,\n"])
def test_a_record_without_values_right_below_the_header_is_a_record(first):
    text = "id,ward,day,cases\n" + first + ROWS
    found = shape(text.replace("000,", ",").replace("id,", "n,"))
    assert (found.header, found.skip, len(found.body)) == (1, 0, 20 + first.count("\n"))


def test_a_marker_where_numbers_stand_does_not_make_a_header_of_two_lines():
    found = shape(HEAD + "000,Ward 9,NA,NA\n" + ROWS)
    assert (found.header, len(found.body)) == (1, 21)


@pytest.mark.parametrize("odd", ["0,soon", "x,01.02.2023"])
def test_of_two_columns_a_first_record_with_one_odd_cell_is_a_record(odd):
    days = "".join(f"{n},{n % 28 + 1:02d}.03.2023\n" for n in range(1, 30))
    found = shape(f"n,d\n{odd}\n{days}")
    assert (found.skip, found.header, len(found.body)) == (0, 1, 30)
    assert found.names == () or tuple(found.names) == ("n", "d")
