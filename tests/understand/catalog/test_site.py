"""A catalogue that opens from a disk, finds what is typed, and cannot be broken by a name."""

from __future__ import annotations

import json
import re

import pytest

from qua3ck.kit.errors import Qua3ckError
from qua3ck.understand.catalog.records import ColumnFacts, TableFacts
from qua3ck.understand.catalog.site import write_site
from qua3ck.understand.contract.history import DimensionScore

NASTY = "</script><script>alert(1)</script>"
TABLES = (
    TableFacts(
        "shipments",
        "source",
        says="Deliveries of medicines, one line each.",
        who={"owner": "supply team", "licence": "public domain", "cadence": "monthly"},
        rows=8498,
        held=12,
        version=3,
        loaded="2026-11-02 08:10",
        fresh="late",
        columns=(
            ColumnFacts("id", "text", "the line's number", "internal"),
            ColumnFacts("weight", "text", NASTY, "internal"),
        ),
        quality=(
            DimensionScore("2026-10-01", "validity", 100, 10),
            DimensionScore("2026-11-02", "validity", 100, 2),
            DimensionScore("2026-11-02", "completeness", 0, 0),
        ),
        sample=({"id": "1", "weight": "5"}, {"id": "2", "weight": None}),
    ),
    TableFacts(
        "clean",
        "gold",
        rows=8486,
        loaded="2026-11-02 08:11",
        columns=(
            ColumnFacts(
                "kg",
                "number",
                made_from=("shipments.weight",),
                rule="TRY_CAST(s.weight AS DOUBLE)",
            ),
        ),
        reads=("shipments",),
        no_sample="No sample: a contract classifies its columns as personal.",
    ),
)


@pytest.fixture
def site(tmp_path):
    write_site(TABLES, title="Supply", made="2026-11-21", folder=tmp_path / "catalog")
    return tmp_path / "catalog"


def test_every_table_has_a_page_and_every_link_leads_somewhere(site):
    pages = list(site.rglob("*.html"))
    assert {page.stem for page in pages} == {"index", "shipments", "clean"}
    for page in pages:
        for link in re.findall(r'href="([^"#]+)', page.read_text()):
            assert (page.parent / link).is_file(), f"{page.name}: {link}"


def test_no_page_asks_the_network_for_anything(site):
    for page in site.rglob("*.html"):
        assert not re.search(r'(src|href)="(https?:)?//', page.read_text())
        assert "@import" not in page.read_text()


def test_a_text_cannot_become_markup_nor_end_the_script(site):
    for page in site.rglob("*.html"):
        assert NASTY not in page.read_text()
    index = (site / "index.html").read_text()
    found = re.search(r"const INDEX=(.*?);\n?//", index, re.S)
    assert found is not None
    entries = json.loads(found[1])
    assert {"shipments", "clean"} == {entry["table"] for entry in entries}
    assert any("alert(1)" in entry["text"] for entry in entries), "it can be searched as text"


def test_what_was_looked_at_in_no_row_is_not_shown_as_good(site):
    page = (site / "table" / "shipments.html").read_text()
    assert "completeness: 0.00% of 0 passed" in page
    assert "validity: 98.00% of 100 passed, 2 did not" in page


def test_quality_is_drawn_load_by_load_and_said_in_words(site):
    page = next(path for path in site.rglob("*.html") if "validity: 9" in path.read_text())
    drawing = re.search(
        r'<svg[^>]*aria-label="validity[^>]*>.*?</svg>', page.read_text(), re.DOTALL
    )
    heights = [float(at) for at in re.findall(r'<circle[^>]* cy="([0-9.]+)"', drawing[0])]
    assert len(heights) == 2
    assert heights[1] < heights[0], "98 % stands above 90 %"
    assert "<polyline" in drawing[0]
    assert "98.0% at the last of 2 loads" in drawing[0]


def test_freshness_is_said_in_words_and_not_by_colour_alone(site):
    index = (site / "index.html").read_text()
    assert "later than its cadence" in index
    assert "made from a source without a cadence" in index


def test_a_file_of_that_name_is_not_replaced_by_the_folder(tmp_path):
    (tmp_path / "thesis").write_text("years")
    with pytest.raises(Qua3ckError, match="is a file"):
        write_site(TABLES, title="Supply", made="now", folder=tmp_path / "thesis")
    assert (tmp_path / "thesis").read_text() == "years"


def test_a_place_that_cannot_be_written_is_named_as_it_was_given(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(Qua3ckError, match="cannot be written") as told:
        write_site(TABLES, title="Supply", made="now", folder=tmp_path / "file" / "catalog")
    assert told.value.where == str(tmp_path / "file" / "catalog")
    assert told.value.code == "U163"


def test_on_a_narrow_screen_each_cell_says_what_it_is(site):
    """There the rows become cards without a head; a cell without its name would say nothing."""
    for name in ("index.html", "table/clean.html"):
        page = (site / name).read_text()
        heads = re.findall(r'<th scope="col">([^<]+)', page)
        for row in re.findall(r"<tr [^>]*>.*?</tr>", page):
            assert re.findall(r'<td[^>]*data-head="([^"]+)"', row) == heads[1:]


def test_a_number_is_shown_without_the_noise_of_its_last_bit(tmp_path):
    table = TableFacts("sums", "gold", sample=({"usd": 83011.20000000001, "n": 12345678901234},))
    write_site([table], title="Supply", made="today", folder=tmp_path / "catalog")
    page = (tmp_path / "catalog" / "table" / "sums.html").read_text()
    assert ">83011.2<" in page
    assert ">12345678901234<" in page


def test_a_table_without_a_sample_says_why(site):
    page = (site / "table" / "clean.html").read_text()
    assert "classifies its columns as personal" in page
    assert "TRY_CAST(s.weight AS DOUBLE)" in page


def test_the_folder_is_replaced_as_a_whole_and_strangers_are_kept(site, tmp_path):
    write_site(TABLES[:1], title="Supply", made="later", folder=site)
    assert not (site / "table" / "clean.html").exists()
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.txt").write_text("years")
    with pytest.raises(Qua3ckError, match="has not written"):
        write_site(TABLES, title="Supply", made="now", folder=tmp_path / "mine")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["catalog", "mine"]
