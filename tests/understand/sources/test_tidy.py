from __future__ import annotations

import datetime as dt

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from staging import refused, staged

from qua3ck.understand.sources.places import place_of


def tidy(folder, text, *steps, **declared):
    """Return the columns that steps make of a sheet, and the record of it."""
    (folder / "a.csv").write_text(text, encoding="utf-8")
    options = {"delimiter": ","} | declared
    rows, made = staged(folder / "a.csv", kind="csv", tidy=list(steps), **options)
    return rows.to_pydict(), made


def wrong(folder, text, *steps, **declared):
    (folder / "a.csv").write_text(text, encoding="utf-8")
    told = refused(folder / "a.csv", kind="csv", tidy=list(steps), delimiter=",", **declared)
    assert told.code == "U130"
    return told


CROSS = "District,Jan,Feb\nNorth,1,2\nSouth,,4\n"
CROSSED = {"unpivot": {"left": ["District"], "top": ["Month"], "value": "Cases"}}


# -- unpivot --------------------------------------------------------------------------------


def test_months_side_by_side_become_rows(tmp_path):
    rows, made = tidy(tmp_path, CROSS, CROSSED)
    assert rows == {
        "District": ["North", "North", "South"],
        "Month": ["Jan", "Feb", "Feb"],
        "Cases": [1, 2, 4],
        "_row": [200002, 200003, 300003],
    }
    assert [place_of(row, made.how) for row in rows["_row"]] == [
        "line 2, column B",
        "line 2, column C",
        "line 3, column C",
    ]
    assert made.how["tidy"]["steps"] == [
        {"unpivot": {"cells": 4, "empty": 1}, "rows": 2, "held": 0}
    ]


def test_label_columns_without_a_heading_get_their_names(tmp_path):
    text = ",,Jan,Feb\nA01,x,1,2\n"
    step = {"unpivot": {"left": ["Code", "Name"], "top": ["Month"]}}
    rows, _ = tidy(tmp_path, text, step)
    assert rows["Code"] == ["A01", "A01"]
    assert list(rows) == ["Code", "Name", "Month", "value", "_row"]


def test_a_heading_of_two_lines_becomes_two_columns(tmp_path):
    text = ",2023,,2024\nDistrict,boys,girls,boys\nNorth,1,2,3\n"
    step = {"unpivot": {"left": ["District"], "top": ["Year", "Sex"], "value": "n"}}
    rows, _ = tidy(tmp_path, text, step)
    assert (rows["Year"], rows["Sex"]) == ([2023, 2023, 2024], ["boys", "girls", "boys"])


def test_lines_of_a_heading_may_be_left_out_and_may_name_themselves(tmp_path):
    text = "Item,Cattle; North,Pigs; North\nUnit,000,000\nSeries,A1,A2\n1972-07-01,1,2\n"
    step = {"unpivot": {"left": ["Month"], "top": ["Item", None, "Series"], "value": "n"}}
    split = {"split": {"column": "Item", "into": ["Animal", "State"], "by": ";"}}
    rows, _ = tidy(tmp_path, text, step, split, {"scale": {"n": 1000}})
    assert rows["Month"] == [dt.date(1972, 7, 1)] * 2
    assert rows["Animal"] == ["Cattle", "Pigs"]
    assert rows["State"] == ["North", "North"]
    assert rows["n"] == [1000, 2000]
    assert rows["Series"] == ["A1", "A2"]


def test_measures_beside_each_other_become_columns(tmp_path):
    text = ",boys,boys,girls,girls\nDistrict,cases,deaths,cases,deaths\nN,5,1,6,0\nS,7,2,8,\n"
    step = {"unpivot": {"left": ["District"], "top": ["Sex", "Measure"], "spread": "Measure"}}
    rows, made = tidy(tmp_path, text, step)
    assert rows == {
        "District": ["N", "N", "S", "S"],
        "Sex": ["boys", "girls", "boys", "girls"],
        "cases": [5, 6, 7, 8],
        "deaths": [1, 0, 2, None],
        "_row": [300002, 300004, 400002, 400004],
    }
    assert made.how["tidy"]["steps"][0]["unpivot"]["merged"] == 3


def test_a_second_value_for_one_place_is_held(tmp_path):
    text = "District,cases\nN,1\nN,2\n"
    step = {"unpivot": {"left": ["District"], "top": ["M"], "spread": "M"}}
    rows, made = tidy(tmp_path, text, step)
    assert rows == {"District": ["N"], "cases": [1], "_row": [200002]}
    assert made.held.to_pylist() == [
        {"_row": 300002, "column": "value", "code": "U041", "raw": "2"}
    ]


def test_empty_columns_between_are_no_columns(tmp_path):
    rows, _ = tidy(tmp_path, ",District,,Jan,,Feb\n,N,,1,,2\n", CROSSED)
    assert rows["Month"] == ["Jan", "Feb"]
    assert rows["_row"] == [200004, 200006]


@pytest.mark.parametrize(
    ("text", "step", "says"),
    [
        (
            "Region,Jan\nN,1\n",
            {"left": ["District"], "top": ["Month"]},
            'Column A is headed "Region", not "District"',
        ),
        ("District,Jan,\nN,1,2\n", {"left": ["District"], "top": ["M"]}, "has values and no head"),
        ("District\nN\n", {"left": ["District"], "top": ["M"]}, "there is nothing"),
        ("District,Jan\n", {"left": ["District"], "top": ["M"]}, "no line below it"),
        ("District,Jan\n", {"left": ["District"], "top": ["Y", "M"]}, "fewer than the 2"),
        ("District,Jan\nN,1\n", {"left": ["District"], "top": ["District"]}, "Two columns"),
        ("District,Jan,Jan\nN,1,2\n", {"left": ["District"], "top": ["M"]}, "Two columns"),
    ],
)
def test_a_sheet_that_is_built_otherwise_is_told(tmp_path, text, step, says):
    assert says in wrong(tmp_path, text, {"unpivot": step}).what


words = st.text("abcXYZ", min_size=1, max_size=4)


@settings(deadline=None, max_examples=25)
@given(
    st.lists(words, min_size=1, max_size=4, unique_by=str.lower),
    st.lists(words, min_size=1, max_size=5, unique=True),
    st.data(),
)
def test_unpivot_agrees_with_pandas_and_every_cell_is_accounted_for(
    tmp_path_factory, months, districts, data
):
    cells = st.one_of(st.just(""), st.integers(0, 99).map(str))
    table = [[data.draw(cells) for _ in months] for _ in districts]
    if not any(any(line) for line in table):
        table[0][0] = "7"
    frame = pd.DataFrame(table, columns=months)
    frame.insert(0, "the district", districts)
    folder = tmp_path_factory.mktemp("t")
    step = {"unpivot": {"left": ["the district"], "top": ["the month"]}}
    rows, made = tidy(folder, frame.to_csv(index=False), step)
    long = frame.melt("the district", var_name="the month")
    long = long[long["value"] != ""]
    wanted = set(long.itertuples(index=False, name=None))
    got = set(zip(rows["the district"], rows["the month"], map(str, rows["value"]), strict=True))
    assert got == wanted
    told = made.how["tidy"]["steps"][0]["unpivot"]
    assert told["cells"] == len(months) * len(districts)
    assert told["cells"] - told["empty"] == len(rows["_row"])
    for row, value in zip(rows["_row"], rows["value"], strict=True):
        line, column = divmod(row, 100_000)
        assert frame.iloc[line - 2, column - 1] == str(value)


# -- blocks ---------------------------------------------------------------------------------

STACKED = """Report of 2023,,
CASES,,
District,Jan,Feb
North,1,2
South,3,4
,,
DEATHS,,
District,Jan,Feb
North,0,1
District,Jan,Feb
South,1,0
"""


def test_blocks_below_each_other_get_their_title_as_a_column(tmp_path):
    lines = {"CASES": "cases", "DEATHS": "deaths"}
    blocks = {"blocks": {"title": "what", "lines": lines}}
    rows, made = tidy(tmp_path, STACKED, blocks, skip=1)
    assert rows == {
        "what": ["cases", "cases", "deaths", "deaths"],
        "District": ["North", "South", "North", "South"],
        "Jan": [1, 3, 0, 1],
        "Feb": [2, 4, 1, 0],
        "_row": [4, 5, 9, 11],
    }
    assert made.how["tidy"]["lines"] == {
        "all": 11,
        "skipped": 1,
        "blank": 1,
        "titles": 2,
        "heading": 2,
        "heading again": 1,
        "records": 4,
    }
    assert place_of(9, made.how) == "line 9"


def test_titles_may_name_the_columns_of_values(tmp_path):
    lines = {"CASES": "cases", "DEATHS": "deaths"}
    rows, _ = tidy(
        tmp_path,
        STACKED,
        {"blocks": {"title": "what", "lines": lines}},
        {"unpivot": {"left": ["District"], "top": ["Month"], "spread": "what"}},
        skip=1,
    )
    assert rows["cases"] == [1, 2, 3, 4]
    assert rows["deaths"] == [0, 1, 1, 0]
    assert rows["Month"] == ["Jan", "Feb"] * 2


@pytest.mark.parametrize(
    ("lines", "titles"),
    [
        (None, ["Region: North", "Region: South"]),
        (["Region: North", "Region: South"], ["Region: North", "Region: South"]),
        ("Region: (.*)", ["North", "South"]),
        ("Region.*", ["Region: North", "Region: South"]),
    ],
)
def test_the_heading_may_stand_once_above_the_first_title(tmp_path, lines, titles):
    text = "District,n\nRegion: North,\na,1\nRegion: South,\nb,2\nDistrict,n\nc,3\n"
    blocks = {"title": "Region"} | ({"lines": lines} if lines else {})
    rows, _ = tidy(tmp_path, text, {"blocks": blocks})
    assert rows["Region"] == [titles[0], titles[1], titles[1]]
    assert rows["n"] == [1, 2, 3]


def test_blocks_may_stand_in_blocks(tmp_path):
    text = "R: X,\nD: a,\nc,n\nu,1\nD: b,\nc,n\nv,2\nR: Y,\nD: a,\nc,n\nw,3\n"
    steps = [
        {"blocks": {"title": "R", "lines": "R: (.*)"}},
        {"blocks": {"title": "D", "lines": "D: (.*)"}},
    ]
    rows, _ = tidy(tmp_path, text, *steps)
    assert rows["R"] == ["X", "X", "Y"]
    assert rows["D"] == ["a", "b", "a"]
    assert rows["n"] == [1, 2, 3]


def test_blocks_may_have_other_months(tmp_path):
    text = "A,\nDistrict,Jan,Feb\nN,1,2\nB,\nDistrict,Feb,Mar\nN,3,4\n"
    blocks = {"blocks": {"title": "b", "lines": ["A", "B"]}}
    rows, made = tidy(tmp_path, text, blocks, CROSSED)
    assert rows["Month"] == ["Jan", "Feb", "Feb", "Mar"]
    assert [place_of(row, made.how)[-1] for row in rows["_row"]] == ["B", "C", "B", "C"]
    assert made.how["tidy"]["steps"][1]["unpivot"] == {"cells": 4, "empty": 0}


def test_a_title_that_is_not_listed_is_told_before_rows_get_the_wrong_one(tmp_path):
    blocks = {"blocks": {"title": "what", "lines": ["CASES"]}}
    told = wrong(tmp_path, STACKED, blocks, skip=1)
    assert told.what.startswith("Line 7 has one filled cell where titles stand")
    dropped = {"drop": {"A": "DEATHS"}}
    rows, made = tidy(tmp_path, STACKED, dropped, blocks, skip=1)
    assert set(rows["what"]) == {"CASES"}
    assert made.how["tidy"]["lines"]["drop"] == 1


@pytest.mark.parametrize(
    ("steps", "says"),
    [
        ([{"blocks": {"title": "b", "lines": ["X"]}}], "No line is a title"),
        ([CROSSED, CROSSED], "2 steps are unpivot"),
        ([{"fill": ["A"]}, {"blocks": {"title": "b"}}], "columns have no names yet"),
        ([{"drop": {"District": "x"}}, {"blocks": {"title": "b"}}], "is no column of a sheet"),
        ([{"drop": {"A": "x"}}, {"blocks": {"title": "b"}}], "No line fits"),
    ],
)
def test_what_cannot_be_done_on_the_sheet_is_told(tmp_path, steps, says):
    assert says in wrong(tmp_path, STACKED, *steps, skip=1).what


def test_too_much_above_the_first_title_is_no_heading(tmp_path):
    text = "note,x\nDistrict,n\nNorth,\na,1\n"
    told = wrong(tmp_path, text, {"blocks": {"title": "r"}})
    assert "2 lines from line 1 on stand above the first title" in told.what


# -- rows -----------------------------------------------------------------------------------


def test_labels_hold_for_the_lines_below_and_outer_ones_end_inner_ones(tmp_path):
    text = "Province,District,n\nA,x,1\n,,2\n,y,3\nB,,4\n,z,5\n"
    rows, made = tidy(tmp_path, text, {"fill": ["Province", "District"]})
    assert rows["Province"] == ["A", "A", "A", "B", "B"]
    assert rows["District"] == ["x", "x", "y", None, "z"]
    assert made.how["tidy"]["steps"][0]["fill"] == {"Province": 3, "District": 1}


def test_labels_are_not_carried_from_one_block_into_the_next(tmp_path):
    text = "A,\nd,n\nx,1\n,2\nB,\nd,n\n,3\ny,4\n"
    rows, _ = tidy(tmp_path, text, {"blocks": {"title": "b", "lines": ["A", "B"]}}, {"fill": ["d"]})
    assert rows["d"] == ["x", "x", None, "y"]


def test_rows_are_dropped_if_any_rule_fits_and_kept_if_all_columns_fit(tmp_path):
    text = "d,m,n\nNorth,1,1\nTotal,,2\nSouth,2,3\nSubtotal,,4\n,3,5\n"
    rows, made = tidy(tmp_path, text, {"drop": {"d": ["Total", "/^Sub/"], "m": "3"}})
    assert rows["n"] == [1, 3]
    assert made.how["tidy"]["steps"][0]["drop"] == {
        "left out": 3,
        "fits": {'d: "Total"': 1, 'd: "/^Sub/"': 1, 'm: "3"': 1},
    }
    assert tidy(tmp_path, text, {"keep": {"d": ["North", "South"], "m": "2"}})[0]["n"] == [3]
    assert tidy(tmp_path, text, {"drop": {"m": ""}})[0]["n"] == [1, 3, 5]


def test_a_rule_that_fits_nothing_is_said_and_a_step_that_does_is_an_error(tmp_path):
    text = "d,n\nNorth,1\nTotal,2\n"
    _, made = tidy(tmp_path, text, {"drop": {"d": ["Total", "Sum"]}})
    assert [finding.code for finding in made.findings] == ["U043"]
    assert 'd: "Sum"' in made.findings[0].says
    assert "No row fits" in wrong(tmp_path, text, {"drop": {"d": "Sum"}}).what
    assert "leave no row" in wrong(tmp_path, text, {"drop": {"d": "/./"}}).what
    _, made = tidy(tmp_path, text, {"fill": ["d"]})
    assert [finding.code for finding in made.findings] == ["U043"]


@pytest.mark.parametrize(
    "step",
    [
        {"drop": {"Distrikt": "x"}},
        {"keep": {"Distrikt": "x"}},
        {"fill": ["Distrikt"]},
        {"split": {"column": "Distrikt", "into": ["a", "b"], "by": ";"}},
        {"map": {"column": "Distrikt", "values": {"a": "b"}}},
        {"scale": {"Distrikt": 10}},
        {"columns": ["Distrikt"]},
    ],
)
def test_a_column_that_is_not_there_is_told_with_the_likely_one(tmp_path, step):
    told = wrong(tmp_path, CROSS, step)
    assert told.what == 'No column "Distrikt"; did you mean "District"?'
    assert told.where.startswith("understand.sources.s.tidy[0].")


# -- cells ----------------------------------------------------------------------------------


def test_a_text_of_several_is_split_by_a_mark_or_a_pattern(tmp_path):
    text = "a,n\nx; y ;,1\nz;w,2\n,3\n"
    rows, _ = tidy(tmp_path, text, {"split": {"column": "a", "into": ["b", "c"], "by": ";"}})
    assert rows == {"b": ["x", "z", None], "c": ["y", "w", None], "n": [1, 2, 3], "_row": [2, 3, 4]}
    step = {"split": {"column": "a", "into": ["a", "first"], "pattern": "((.).*)"}}
    assert tidy(tmp_path, "a,n\nA01,1\n", step)[0] == {
        "a": ["A01"],
        "first": ["A"],
        "n": [1],
        "_row": [2],
    }


def test_a_text_that_does_not_split_is_held_as_it_stands(tmp_path):
    step = {"split": {"column": "a", "into": ["b", "c"], "by": ";"}}
    rows, made = tidy(tmp_path, "a,n\nx;y,1\nz,2\n", step)
    assert rows["n"] == [1]
    assert made.held.to_pylist() == [{"_row": 3, "column": "a", "code": "U041", "raw": "z"}]
    assert "No text can be split" in wrong(tmp_path, "a,n\nx,1\n", step).what


def test_words_are_mapped_and_others_are_held(tmp_path):
    text = "a,n\nNet,1\nNon-net,2\n,3\nNets,4\n"
    step = {"map": {"column": "a", "values": {"Net": "safe", "Non-net": None}}}
    rows, made = tidy(tmp_path, text, step)
    assert rows["a"] == ["safe", None, None]
    assert made.held.to_pylist() == [{"_row": 5, "column": "a", "code": "U041", "raw": "Nets"}]
    step["map"]["into"] = "b"
    step["map"]["values"]["Nets"] = "x"
    rows, _ = tidy(tmp_path, text, step)
    assert list(rows) == ["a", "b", "n", "_row"]
    assert rows["b"] == ["safe", None, None, "x"]
    nowhere = {"map": {"column": "a", "values": {"net": "x"}}}
    assert "None of the words" in wrong(tmp_path, text, nowhere).what


def test_numbers_are_scaled_exactly(tmp_path):
    text = 'a,b\n"1,5","1.234,25"\n-,2\nx,3\n'
    rows, made = tidy(
        tmp_path, text, {"scale": {"a": 1000, "b": 0.1}}, decimal=",", thousands=".", null=["-"]
    )
    assert rows["a"] == [1500, None]
    assert rows["b"] == [123.425, 0.2]
    assert made.held.to_pylist() == [{"_row": 4, "column": "a", "code": "U041", "raw": "x"}]
    assert "No cell" in wrong(tmp_path, "a,b\nx,1\n", {"scale": {"a": 2}}).what


def test_columns_are_chosen_and_what_is_left_out_is_told(tmp_path):
    rows, made = tidy(tmp_path, CROSS, {"columns": ["Feb", "District"]})
    assert list(rows) == ["Feb", "District", "_row"]
    assert made.how["tidy"]["steps"][0]["columns"] == {"left out": ["Jan"]}


def test_a_row_that_is_held_before_unpivot_is_found_by_its_line(tmp_path):
    text = "d,Jan\nx;y,1\nz,2\n"
    steps = [
        {"split": {"column": "d", "into": ["a", "b"], "by": ";"}},
        {"unpivot": {"left": ["d"], "top": ["m"]}},
    ]
    rows, made = tidy(tmp_path, text, *steps)
    assert rows == {"a": ["x"], "b": ["y"], "m": ["Jan"], "value": [1], "_row": [200002]}
    (held,) = made.held.to_pylist()
    assert place_of(held["_row"], made.how) == "line 3"


def test_a_label_column_that_is_empty_in_one_block_stays_one(tmp_path):
    text = "A,,\n,,Jan\nx,1,5\nB,,\n,,Jan\ny,,6\n"
    steps = [
        {"blocks": {"title": "t", "lines": ["A", "B"]}},
        {"unpivot": {"left": ["name", "code"], "top": ["m"]}},
    ]
    rows, _ = tidy(tmp_path, text, *steps)
    assert rows["code"] == [1, None]
    assert rows["value"] == [5, 6]


# -- gaps -----------------------------------------------------------------------------------


def test_gaps_inside_a_series_become_rows_and_not_those_around_it(tmp_path):
    text = "d,Jan,Feb,Mar,Apr\nN,1,,,4\nS,,2,,\n"
    gaps = {"gaps": {"along": "Month", "by": ["d"], "fill": {"Cases": 0}}}
    rows, made = tidy(
        tmp_path, text, {"unpivot": {"left": ["d"], "top": ["Month"], "value": "Cases"}}, gaps
    )
    assert rows["d"] == ["N"] * 4 + ["S"]
    assert rows["Month"] == ["Jan", "Feb", "Mar", "Apr", "Feb"]
    assert rows["Cases"] == [1, 0, 0, 4, 2]
    assert place_of(rows["_row"][1], made.how) == "line 2, column C"
    assert made.how["tidy"]["steps"][1]["gaps"] == {"added": 2, "series": 2}


def test_a_new_row_holds_only_what_is_known_of_it(tmp_path):
    text = ",,Jan,Feb,Mar\nA,apple,1,,3\n"
    steps = [
        {"unpivot": {"left": ["code", "name"], "top": ["m"]}},
        {"gaps": {"along": "m", "by": ["code"]}},
    ]
    rows, _ = tidy(tmp_path, text, *steps)
    assert rows["name"] == ["apple", None, "apple"]
    assert rows["value"] == [1, None, 3]
    steps[1]["gaps"]["by"] = ["code", "name"]
    assert tidy(tmp_path, text, *steps)[0]["name"] == ["apple"] * 3


def test_gaps_run_along_several_lines_of_a_heading_and_after_spreading(tmp_path):
    text = ",2023,2023,2024,2024\nd,a,b,a,b\nN,1,1,,\n"
    text = ",Q1,Q1,Q2,Q2,Q3,Q3\nd,a,b,a,b,a,b\nN,1,1,,,3,\n"
    steps = [
        {"unpivot": {"left": ["d"], "top": ["q", "what"], "spread": "what"}},
        {"gaps": {"along": "q", "by": ["d"], "fill": {"a": 0}}},
    ]
    rows, made = tidy(tmp_path, text, *steps)
    assert rows["q"] == ["Q1", "Q2", "Q3"]
    assert (rows["a"], rows["b"]) == ([1, 0, 3], [1, None, None])
    assert place_of(rows["_row"][1], made.how) == "line 3, column D"
    steps[0]["unpivot"]["spread"] = None
    steps[1]["gaps"] = {"along": ["q", "what"], "by": ["d"]}
    assert len(tidy(tmp_path, text, *steps)[0]["q"]) == 5


@pytest.mark.parametrize(
    ("gaps", "says"),
    [
        ({"along": "Mon", "by": ["District"]}, "along names Mon; unpivot made rows of Month"),
        ({"along": "Month", "by": ["Region"]}, 'No column "Region"'),
        ({"along": "Month", "by": ["what"]}, "2 rows have the same what, Month as another row"),
    ],
)
def test_gaps_that_cannot_be_told_are_refused(tmp_path, gaps, says):
    text = "x,\n" + CROSS.replace("South,,4", "South,3,4")
    steps = [{"blocks": {"title": "what", "lines": ["x"]}}, CROSSED, {"gaps": gaps}]
    assert says in wrong(tmp_path, text, *steps).what


def test_no_gap_is_said_and_no_error(tmp_path):
    gaps = {"gaps": {"along": "Month", "by": ["District"]}}
    _, made = tidy(tmp_path, CROSS, CROSSED, gaps)
    assert [finding.code for finding in made.findings] == ["U043"]


# -- all together ---------------------------------------------------------------------------


def test_types_are_those_of_the_table_that_comes_out(tmp_path):
    text = 'd,Jan-23,Feb-23\nN,"1,200",n/a\n'
    rows, made = tidy(
        tmp_path,
        text,
        {"unpivot": {"left": ["d"], "top": ["month"], "value": "n"}},
        thousands=",",
        dates={"month": ["%b-%y"]},
        types={"n": "integer"},
    )
    assert rows["month"] == [dt.date(2023, 1, 1)]
    assert rows["n"] == [1200]
    assert made.held.to_pylist() == [{"_row": 200003, "column": "n", "code": "U033", "raw": "n/a"}]


@settings(deadline=None, max_examples=25)
@given(st.lists(st.sampled_from(["", "T", "x,1", "y,2", "d,n", "Total,9", ",5"]), max_size=15))
def test_every_line_of_a_sheet_is_used_or_left_out_by_a_rule(tmp_path_factory, lines):
    text = "\n".join(["T", "d,n", "x,1", "Total,1", *lines]) + "\n"
    steps = [{"blocks": {"title": "t", "lines": ["T"]}}, {"drop": {"d": "Total"}}]
    folder = tmp_path_factory.mktemp("t")
    (folder / "a.csv").write_text(text)
    blocks = [block.split() for block in text.split("T\n")[1:]]
    if any(block and block[0] != "d,n" for block in blocks):
        assert "has other columns" in wrong(folder, text, *steps).what
        return
    rows, made = tidy(folder, text, *steps)
    told = made.how["tidy"]["lines"]
    assert told["all"] == text.count("\n")
    assert told["all"] == sum(count for rule, count in told.items() if rule != "all")
    left_out = made.how["tidy"]["steps"][1]["drop"]["left out"]
    assert told["records"] == len(rows["_row"]) + left_out
    assert len(set(rows["_row"])) == len(rows["_row"])
    for row, place, number in zip(rows["_row"], rows["d"], rows["n"], strict=True):
        assert text.splitlines()[row - 1] == f"{place or ''},{number}"
