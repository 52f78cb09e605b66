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
from qua3ck.kit.markup import Content, Html, join, tag
from qua3ck.understand.catalog.drawings import lineage_graph, trend
from qua3ck.understand.catalog.records import ColumnFacts, TableFacts

_MARK = ".qua3ck-catalog"
_FRESH = {
    "fresh": ("✓", "within its cadence"),
    "late": ("✗", "later than its cadence"),
    "once": ("✓", "comes once"),
    "unknown": ("–", "no cadence declared"),
    "absent": ("–", "not loaded yet"),
}
_GOLD_FRESH = {
    "fresh": "made from sources within their cadence",
    "late": "made from a source that is later than its cadence",
    "once": "made from what comes once",
    "unknown": "made from a source without a cadence",
    "absent": "made from a source that is not loaded",
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
        If the folder is not ours, is a file, or cannot be written.
    """
    if folder.exists() and not folder.is_dir():
        raise Qua3ckError(
            f"{folder.name} is a file, and the catalogue is a folder",
            where=str(folder),
            fix="name another folder with --to",
            code="U163",
        )
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
    except OSError as problem:
        raise Qua3ckError(
            f"The folder {folder.name} cannot be written ({problem.strerror or problem})",
            where=str(folder),
            fix="make room or give back write permission, or name another folder with --to",
            code="U163",
        ) from problem
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
    listing = _cards(head, tag("tbody", *rows, id="tables"))
    graph = _wide(lineage_graph(tables), says="Lineage of all tables")
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
    held = f"{table.held:,}" if table.layer == "source" else ""
    return tag(
        "tr",
        tag("th", tag("a", table.name, href=f"table/{table.name}.html"), scope="row"),
        tag("td", table.layer, data_head="kind"),
        tag("td", table.says, data_head="about"),
        tag("td", table.who.get("owner", ""), data_head="owner"),
        tag("td", f"{table.rows:,}", class_="num", data_head="rows"),
        tag("td", held, class_="num", data_head="held"),
        tag("td", table.loaded, data_head="loaded"),
        tag("td", tag("span", *_fresh(table)), data_head="fresh"),
        data_table=table.name,
    )


def _fresh(table: TableFacts) -> tuple[Html | str, ...]:
    """Return how fresh a table is: a sign, and the same in words."""
    sign, says = _FRESH[table.fresh]
    said = says if table.layer == "source" else _GOLD_FRESH[table.fresh]
    return tag("span", sign, class_=f"sign {table.fresh}"), f" {said}"


def _table(table: TableFacts, tables: Sequence[TableFacts], title: str, made: str) -> str:
    facts: dict[str, Content] = {"kind": table.layer, **table.who, "rows": f"{table.rows:,}"}
    if table.layer == "source":
        facts["in quarantine"] = f"{table.held:,} record{'' if table.held == 1 else 's'}"
    facts["loaded" if table.layer == "source" else "made"] = table.loaded or "never"
    facts["freshness"] = join(*_fresh(table))
    facts["version"] = str(table.version) if table.loaded else ""
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
        _wide(lineage_graph(tables, marked=table.name, up="../"), says="Lineage of this table"),
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
            tag("td", one.type, data_head="type"),
            tag("td", one.classification or "not classified", data_head="classification"),
            tag("td", one.meaning, data_head="meaning"),
        ]
        if made:
            cells += [
                tag("td", ", ".join(one.made_from), data_head="made from"),
                tag("td", tag("code", one.rule) if one.rule else "", data_head="by"),
            ]
        rows.append(tag("tr", *cells, id=f"c-{one.name}"))
    return _cards(head, tag("tbody", *rows))


def _cards(head: Sequence[str], body: Html) -> Html:
    """Return a table whose rows become cards where the screen is narrow."""
    heads = tag("tr", *[tag("th", word, scope="col") for word in head])
    return tag("table", tag("thead", heads), body, class_="cards")


def _wide(content: Html, *, says: str) -> Html:
    """Return what may be wider than the screen, also for who scrolls by keys."""
    return tag("div", content, class_="scroll", tabindex=0, role="region", aria_label=says)


def _quality(table: TableFacts) -> Html:
    if not table.quality and table.layer == "gold":
        behind = [tag("a", name, href=f"{name}.html") for name in table.reads]
        links = join(*[part for one in behind for part in (" ", one)])
        return tag("p", "Measured where its rows come in:", links, class_="soft")
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
    return join(tag("div", *figures, class_="charts"), _unmeasured(table))


def _unmeasured(table: TableFacts) -> Html | str:
    """Return what the figures leave out: the records that no rule has looked at."""
    if not table.unread:
        return ""
    records = "1 record" if table.unread == 1 else f"{table.unread:,} records"
    says = (
        f"In no figure: {records} in quarantine, held while being read, before a rule could look."
    )
    return tag("p", says, class_="soft")


def _sample(table: TableFacts) -> Html:
    if not table.sample:
        return tag("p", table.no_sample or "It has no rows.", class_="soft")
    names = list(table.sample[0])
    head = tag("tr", *[tag("th", name, scope="col") for name in names])
    rows = [tag("tr", *[tag("td", _shown(line[name])) for name in names]) for line in table.sample]
    shown = tag("table", tag("thead", head), tag("tbody", *rows))
    note = tag("p", table.no_sample, class_="soft") if table.no_sample else ""
    return join(_wide(shown, says="A few rows"), note)


def _shown(value: object) -> str:
    if isinstance(value, float):
        return f"{value:.15g}"  # the last bit of a sum is noise
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
