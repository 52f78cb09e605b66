"""The catalogue as a folder of HTML pages: opened from a disk, a share or a USB stick.

No server and no network: the search runs in the page over an index that is written into it,
and without scripts the whole list is there.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Sequence
from importlib import resources
from pathlib import Path

from qua3ck.kit.errors import Qua3ckError
from qua3ck.kit.markup import Html, join, tag
from qua3ck.understand.catalog.drawings import lineage_graph, trend
from qua3ck.understand.catalog.records import ColumnFacts, TableFacts

_MARK = ".qua3ck-catalog"
_FRESH = {
    "fresh": ("✓", "within its cadence"),
    "late": ("✗", "later than its cadence"),
    "unknown": ("–", "no cadence declared"),
}


def write_site(tables: Sequence[TableFacts], *, title: str, made: str, folder: Path) -> Path:
    """Write the catalogue; return the path of its first page.

    Parameters
    ----------
    tables : sequence of TableFacts
        Sources and gold tables.
    title : str
        The project's name.
    made : str
        When, as it is to be read.
    folder : Path
        Replaced as a whole; refused if it holds files of others.

    Raises
    ------
    Qua3ckError
        If the folder is not ours.
    """
    if folder.is_dir() and not (folder / _MARK).is_file() and any(folder.iterdir()):
        raise Qua3ckError(
            f"The folder {folder.name} holds files that qua3ck has not written",
            where=str(folder),
            fix="name another folder with --to, or move these files away",
            code="U163",
        )
    beside = folder.with_name(f".{folder.name}.{os.getpid()}.part")
    old = folder.with_name(f".{folder.name}.{os.getpid()}.old")
    try:
        (beside / "table").mkdir(parents=True)
        (beside / _MARK).write_text("written by qua3ck catalog\n", encoding="utf-8")
        pages = {"index.html": _index(tables, title, made)}
        pages |= {f"table/{t.name}.html": _table(t, tables, title, made) for t in tables}
        for name, page in pages.items():
            (beside / name).write_text(page, encoding="utf-8")
        if folder.exists():
            folder.rename(old)
        beside.rename(folder)
    finally:
        shutil.rmtree(beside, ignore_errors=True)
        shutil.rmtree(old, ignore_errors=True)
    return folder / "index.html"


def _index(tables: Sequence[TableFacts], title: str, made: str) -> str:
    late = sum(table.fresh == "late" for table in tables)
    held = sum(table.held for table in tables)
    summary = tag(
        "p",
        f"Sources: {_count(tables, 'source')}; tables made of them: {_count(tables, 'gold')}; "
        f"later than declared: {late}; records waiting in quarantine: {held:,}. As of {made}.",
        class_="soft",
    )
    search = join(
        tag("label", "Search tables, columns, owners, meanings", for_="search"),
        tag("input", id="search", type="search", autocomplete="off", placeholder="e.g. weight"),
        tag("p", "", id="hits", class_="soft", role="status"),
    )
    head = ("table", "kind", "about", "owner", "rows", "held", "loaded", "fresh")
    rows = [_line(table) for table in tables]
    listing = tag(
        "div",
        tag(
            "table",
            tag("thead", tag("tr", *[tag("th", word, scope="col") for word in head])),
            tag("tbody", *rows, id="tables"),
        ),
        class_="scroll",
    )
    graph = tag("div", lineage_graph(tables), class_="scroll")
    found = tag("ul", id="columns")
    index = _search_index(tables)
    script = resources.files("qua3ck.understand.catalog").joinpath("search.js").read_text("utf-8")
    # "</" would end the script element early
    data = Html(f"<script>const INDEX={json.dumps(index).replace('</', chr(60) + chr(92) + '/')};")
    body = join(
        tag("p", "Data catalogue", class_="kicker"),
        tag("h1", title),
        summary,
        search,
        found,
        tag("h2", "Tables"),
        listing,
        tag("h2", "Where they come from"),
        graph,
        data,
        Html(f"{script}</script>"),
    )
    return _page(f"{title}: data catalogue", body, made)


def _line(table: TableFacts) -> Html:
    sign, says = _FRESH[table.fresh]
    return tag(
        "tr",
        tag("th", tag("a", table.name, href=f"table/{table.name}.html"), scope="row"),
        tag("td", table.layer),
        tag("td", table.says),
        tag("td", table.who.get("owner", "")),
        tag("td", f"{table.rows:,}", class_="num"),
        tag("td", f"{table.held:,}", class_="num"),
        tag("td", table.loaded),
        tag("td", tag("span", sign, class_=f"sign {table.fresh}"), " ", says),
        data_table=table.name,
    )


def _table(table: TableFacts, tables: Sequence[TableFacts], title: str, made: str) -> str:
    sign, says = _FRESH[table.fresh]
    facts = {
        "kind": table.layer,
        **table.who,
        "rows": f"{table.rows:,}",
        "in quarantine": f"{table.held:,} records",
        "loaded": table.loaded or "never",
        "freshness": f"{sign} {says}",
        "version": str(table.version),
    }
    pairs = [join(tag("dt", name), tag("dd", value)) for name, value in facts.items() if value]
    body = join(
        tag("p", tag("a", f"{title}: data catalogue", href="../index.html"), class_="kicker"),
        tag("h1", table.name),
        tag("p", table.says) if table.says else "",
        tag("dl", *pairs),
        tag("h2", "Columns"),
        _columns(table.columns),
        tag("h2", "Quality"),
        _quality(table),
        tag("h2", "Where it comes from, what it feeds"),
        tag("div", lineage_graph(tables, marked=table.name, up="../"), class_="scroll"),
        tag("h2", "A few rows"),
        _sample(table),
    )
    return _page(f"{table.name}: {title}", body, made)


def _columns(columns: Sequence[ColumnFacts]) -> Html:
    made = any(column.rule or column.made_from for column in columns)
    head = ["column", "type", "classification", "meaning", *(["made from", "by"] if made else [])]
    rows = []
    for one in columns:
        cells = [
            tag("th", one.name, scope="row"),
            tag("td", one.type),
            tag("td", one.classification or "not classified"),
            tag("td", one.meaning),
        ]
        if made:
            cells += [
                tag("td", ", ".join(one.made_from)),
                tag("td", tag("code", one.rule) if one.rule else ""),
            ]
        rows.append(tag("tr", *cells, id=f"c-{one.name}"))
    return tag(
        "div",
        tag(
            "table",
            tag("thead", tag("tr", *[tag("th", word, scope="col") for word in head])),
            tag("tbody", *rows),
        ),
        class_="scroll",
    )


def _quality(table: TableFacts) -> Html:
    if not table.quality:
        return tag("p", "Not measured: no contract says what its rows must hold.", class_="soft")
    dimensions = list(dict.fromkeys(score.dimension for score in table.quality))
    figures = []
    for dimension in dimensions:
        last = [score for score in table.quality if score.dimension == dimension][-1]
        caption = (
            f"{dimension}: {last.share:.2%} of {last.looked_at:,} passed, {last.failing:,} did not"
        )
        drawing = trend(table.quality, dimension=dimension)
        figures.append(tag("figure", drawing, tag("figcaption", caption)))
    return tag("div", *figures, class_="charts")


def _sample(table: TableFacts) -> Html:
    if not table.sample:
        return tag("p", table.no_sample or "It has no rows.", class_="soft")
    names = list(table.sample[0])
    head = tag("tr", *[tag("th", name, scope="col") for name in names])
    rows = [tag("tr", *[tag("td", _shown(line[name])) for name in names]) for line in table.sample]
    shown = tag("table", tag("thead", head), tag("tbody", *rows))
    note = tag("p", table.no_sample, class_="soft") if table.no_sample else ""
    return join(tag("div", shown, class_="scroll"), note)


def _shown(value: object) -> str:
    return "" if value is None else str(value)


def _search_index(tables: Sequence[TableFacts]) -> list[dict[str, str]]:
    found = [
        {
            "table": table.name,
            "column": "",
            "text": " ".join([table.name, table.says, *table.who.values()]).lower(),
        }
        for table in tables
    ]
    for table in tables:
        found += [
            {
                "table": table.name,
                "column": one.name,
                "text": f"{one.name} {one.meaning} {one.classification}".lower(),
            }
            for one in table.columns
        ]
    return found


def _count(tables: Sequence[TableFacts], layer: str) -> int:
    return sum(table.layer == layer for table in tables)


def _page(title: str, body: Html, made: str) -> str:
    style = resources.files("qua3ck.understand.catalog").joinpath("style.css").read_text("utf-8")
    head = join(
        Html('<meta charset="utf-8">'),
        Html('<meta name="viewport" content="width=device-width,initial-scale=1">'),
        tag("title", title),
        tag("style", Html(style)),
    )
    foot = tag("footer", f"Made by qua3ck catalog on {made}. It needs no network.")
    page = tag("html", tag("head", head), tag("body", tag("main", body), foot), lang="en")
    return f"<!doctype html>\n{page}\n"
