from __future__ import annotations

import csv
import io

import pytest

from qua3ck.kit.errors import Qua3ckError
from qua3ck.understand.sources.dialect import (
    decide_delimiter,
    detectors,
    judge_dialects,
    kind_of_cell,
    other_delimiter,
)
from qua3ck.understand.sources.records import Dialect

ROWS = [
    ["id", "place", "day", "price", "remark"],
    *(
        [f"{n:04d}", f"Ward {n % 4}, east", f"2024-0{1 + n % 9}-11", f"{n},5", f"it's {n}; fine"]
        for n in range(30)
    ),
]


def written(**options: object) -> str:
    text = io.StringIO(newline="")
    csv.writer(text, **options).writerows(ROWS)
    return text.getvalue()


@pytest.mark.parametrize("mark", [",", ";", "\t", "|", "^", "~", "\x1f"])
@pytest.mark.parametrize(
    "options",
    [
        {},
        {"quoting": csv.QUOTE_ALL},
        {"quotechar": "'", "quoting": csv.QUOTE_ALL},
        {"quoting": csv.QUOTE_ALL, "doublequote": False, "escapechar": "\\"},
    ],
)
def test_the_best_dialect_is_the_one_it_was_written_in(mark, options):
    best = judge_dialects(written(delimiter=mark, **options), {})[0]
    assert (best.dialect.delimiter, best.width, best.even) == (mark, 5, 1.0)
    assert best.dialect.quote == options.get("quotechar", '"')


def test_quotes_that_are_part_of_the_text_are_no_quotes():
    text = "n\titem\n" + "".join(f'{n}\t{n}" pipe\n' for n in range(20))
    best = judge_dialects(text, {})[0]
    assert best.dialect.delimiter == "\t"


def test_a_backslash_that_escapes_is_seen():
    text = "a;b\n" + "".join(f'{n};"say \\"{n}\\"; yes"\n' for n in range(10))
    assert judge_dialects(text, {})[0].dialect == Dialect(";", '"', "\\")


@pytest.mark.parametrize(
    "text", ["day\n02/01/2014\n31/12/2012\n", "at\n10:30:00\n11:30:00\n", "name\nAda Byron\nAlan\n"]
)
def test_values_in_one_column_are_not_cut_into_several(text):
    assert judge_dialects(text, {})[0].width == 1


def test_a_vote_does_not_make_a_dialect_that_does_not_fit():
    best = judge_dialects(written(), {"somebody": Dialect(" ")})[0]
    assert best.dialect.delimiter == ","
    assert best.voters == ()


def test_detectors_name_what_they_see():
    assert detectors("a;b\n1;2\n3;4\n")["CleverCSV"].delimiter == ";"


@pytest.mark.parametrize(
    ("cell", "kind"),
    [
        *(
            (text, "number")
            for text in ("1", "-1.5", "1,234.50", "12 %", "€ 5", "(12)", "1e5", "1'000")
        ),
        *((text, "date") for text in ("2024-01-31", "1/2/24", "5-Jan-06", "10:30", "May 5, 2020")),
        *((text, "word") for text in ("Ada", "A1", "12 boxes", "1;2", "May be")),
        *((text, "value") for text in ("NA", "true", "a@b.org", "https://a.b/c")),
        ("  ", "empty"),
    ],
)
def test_a_cell_is_of_a_coarse_kind(cell, kind):
    assert kind_of_cell(cell) == kind


def test_the_strict_delimiter_fits_every_line_and_no_other_does():
    assert decide_delimiter("a;b\n1;2\n", whole=True, file="f", place="s") == ";"
    with pytest.raises(Qua3ckError, match="cannot be decided") as told:
        decide_delimiter("a;b,c\n1;2,3\n", whole=True, file="f", place="s")
    assert told.value.code == "U102"
    assert other_delimiter("a,b\n1,2\n", ";", whole=True) == ","
    assert other_delimiter("a;b\n1;2\n", ";", whole=True) is None


def test_quoted_cells_with_commas_may_be_one_column():
    text = "remark\n" + "".join(f'"came late, on {n}; sorry"\n' for n in range(20))
    assert judge_dialects(text, {})[0].width == 1


def test_blanks_between_the_words_of_sentences_part_nothing():
    text = "a note\n" + "it was late again\nnobody came this week\n" * 10
    assert judge_dialects(text, {})[0].width == 1


def test_one_record_with_an_open_quote_does_not_change_the_dialect():
    lines = written().splitlines(keepends=True)
    lines.insert(9, '77,"open,2024-01-01,1,x\n')
    best = judge_dialects("".join(lines), {})[0]
    assert (best.dialect.delimiter, best.dialect.quote, best.width) == (",", '"', 5)
