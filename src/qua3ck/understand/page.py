"""The profile as one HTML page that needs no network and prints well."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

from qua3ck.kit.findings import Finding

_STYLE = """
body{font:15px/1.45 system-ui,sans-serif;color:#1b1b1b;max-width:62rem;margin:2rem auto;
padding:0 1rem}
h1{font-size:1.5rem;margin:0 0 .3rem}h2{font-size:1.1rem;margin:1.6rem 0 .4rem}
table{border-collapse:collapse;width:100%;font-size:.87rem}
th,td{text-align:left;padding:.3rem .6rem .3rem 0;border-bottom:1px solid #d8d8d8;
vertical-align:top}
td.n,th.n{text-align:right;font-variant-numeric:tabular-nums}
.quiet{color:#595959}svg{display:block}rect{fill:#31688e}text{font-size:9px;fill:#444}
@media print{body{margin:0;max-width:none}tr{break-inside:avoid}}
"""
_WIDTH, _HEIGHT = 180, 40


def profile_page(
    facts: Mapping[str, Any], *, title: str, findings: Sequence[Finding], digest: str
) -> str:
    """Return the page for a profile.

    Parameters
    ----------
    facts : mapping
        What :func:`qua3ck.understand.profiling.profile` returned.
    title : str
        The project's name.
    findings : sequence of Finding
        Shown below the columns' table.
    digest : str
        SHA-256 of the profile as JSON, so that page and figures can be matched.
    """
    rows = "".join(_row(name, about) for name, about in facts["columns"].items())
    classes = "".join(
        f"<tr><td>{escape(name)}</td><td class=n>{count}</td>"
        f"<td class=n>{count / facts['rows']:.1%}</td></tr>"
        for name, count in facts["classes"].items()
    )
    table = (
        f"<h2>Classes</h2><table><tr><th>class<th class=n>rows<th class=n>share</tr>{classes}"
        "</table>"
        if classes
        else ""
    )
    noticed = "".join(
        f"<tr><td>{escape(f.code)}</td><td>{escape(f.severity)}</td><td>{escape(f.where)}</td>"
        f"<td>{escape(f.says)}</td></tr>"
        for f in findings
    )
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        f"<title>{escape(title)}: profile</title><style>{_STYLE}</style></head><body>"
        f"<h1>{escape(title)}: the training rows</h1>"
        f"<p class=quiet>{facts['rows']} rows, {len(facts['columns'])} columns. Sealed test rows "
        f"are not in it. Figures: SHA-256 {escape(digest)}</p>{table}"
        "<h2>Columns</h2><table><tr><th>column<th>kind<th>part<th class=n>empty"
        f"<th class=n>different<th>values</tr>{rows}</table>"
        "<h2>Findings</h2><table><tr><th>code<th>weight<th>where<th>what</tr>"
        f"{noticed or '<tr><td colspan=4>none</td></tr>'}</table></body></html>\n"
    )


def _row(name: str, about: Mapping[str, Any]) -> str:
    part = escape(about["role"].replace("_", " "))
    why = f"<br><span class=quiet>{escape(about['why'])}</span>" if about["why"] else ""
    return (
        f"<tr><td>{escape(name)}</td><td>{escape(about['kind'])}</td><td>{part}{why}</td>"
        f"<td class=n>{about['missing']}</td><td class=n>{about['distinct']}</td>"
        f"<td>{_values(about)}</td></tr>"
    )


def _values(about: Mapping[str, Any]) -> str:
    if "histogram" in about:
        return _histogram(about["histogram"], about["range"], about["quantiles"])
    if "top" in about:
        listed = [f"{escape(name)} ({count})" for name, count in list(about["top"].items())[:6]]
        rest = [f"others ({escape(str(about['other']))})"] if about["other"] else []
        return ", ".join([*listed, *rest])
    return "<span class=quiet>not shown</span>"


def _histogram(
    histogram: Mapping[str, Any], ends: Sequence[float], quantiles: Mapping[str, float]
) -> str:
    counts = histogram["counts"]
    most = max(counts) or 1
    step = _WIDTH / len(counts)
    bars = "".join(
        f'<rect x="{place * step:.1f}" y="{_HEIGHT - _HEIGHT * count / most:.1f}" '
        f'width="{max(step - 1, 1):.1f}" height="{_HEIGHT * count / most:.1f}"/>'
        for place, count in enumerate(counts)
    )
    says = f"{ends[0]:.6g} to {ends[1]:.6g}, middle {quantiles['0.5']:.6g}"
    return (
        f'<svg width="{_WIDTH}" height="{_HEIGHT}" role="img" aria-label="histogram">{bars}</svg>'
        f"<span class=quiet>{says}</span>"
    )
