"""Makes the pages that must not go stale: one per code, and the reference of the project file.

MkDocs calls :func:`on_files`; nothing of this is written to disk.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files

from qua3ck.cli.explain import code_pages
from qua3ck.kit.findings import CodePage
from qua3ck.project.file import json_schema

ROOMS = {
    "Q": "Question",
    "U": "Understanding the data",
    "A": "The A³ loop",
    "C": "Conclude and compare",
    "K": "Knowledge transfer",
    "O": "Operation",
    "G": "Governance",
    "L": "Ledger",
    "S": "Store",
    "P": "Project file",
    "V": "The web view",
}


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the generated pages to those that were written by hand."""
    for name, text in generated().items():
        files.append(File.generated(config, name, content=text))
    return files


def generated() -> dict[str, str]:
    """Return every generated page: path below docs/ to Markdown."""
    pages = code_pages()
    made = {f"codes/{code}.md": code_page(page) for code, page in pages.items()}
    return {
        **made,
        "codes/index.md": code_index(list(pages.values())),
        "project-file.md": project_file_page(json_schema()),
        "metrics.md": metrics_page(),
    }


def code_page(page: CodePage) -> str:
    """Return the page that ``qua3ck explain CODE`` shows."""
    return (
        f"# {page.code}: {page.title}\n\n{page.means}\n\n"
        f"## The trap\n\n{page.example}\n\n## The cure\n\n{page.cure}\n"
    )


def code_index(pages: list[CodePage]) -> str:
    """Return the list of all codes by room."""
    parts = [
        "# Codes\n\nA code stands for one observation or one mistake and is never reused."
        " `qua3ck explain CODE` shows the same page without a network."
    ]
    for letter, room in ROOMS.items():
        rows = [f"- [{p.code}]({p.code}.md) {p.title}" for p in pages if p.code[0] == letter]
        if rows:
            parts.append(f"## {room}\n\n" + "\n".join(rows))
    return "\n\n".join(parts) + "\n"


def metrics_page() -> str:
    """Return the table of metrics that a KPI can name."""
    from qua3ck.question import METRICS

    rows = [
        f"| `{m.name}` | {m.direction.replace('_', ' ')} | {', '.join(m.tasks)}"
        f" | {_cell(m.definition)} |"
        for m in METRICS.values()
    ]
    head = "| name | good is | tasks | what it is |\n| --- | --- | --- | --- |\n"
    return (
        "# Metrics\n\nWhat `metric:` of a KPI or a fairness gap can name."
        " `qua3ck explain metrics` prints the same list.\n\n" + head + "\n".join(rows) + "\n"
    )


def project_file_page(schema: dict[str, Any]) -> str:
    """Return the reference of ``qua3ck.yaml`` from its JSON Schema."""
    parts = [
        "# The project file\n\nEverything `qua3ck.yaml` can say. An unknown key is refused with a"
        " guess at what was meant. For your editor: `qua3ck schema > qua3ck.schema.json`.",
        _table("qua3ck.yaml", schema, ""),
    ]
    done = set()
    queue = [schema]
    while queue:
        for key, name in _sections(queue.pop(0)):
            if name not in done:
                done.add(name)
                queue.append(schema["$defs"][name])
                parts.append(_table(f"{key}: {name}", schema["$defs"][name], name))
    return "\n\n".join(parts) + "\n"


def _sections(schema: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield (key, name of the section's type) for each key that holds a section."""
    for key, field in schema.get("properties", {}).items():
        for name in _refs(field):
            yield key, name


def _refs(field: Any) -> Iterator[str]:
    if isinstance(field, dict):
        if "$ref" in field:
            yield field["$ref"].rsplit("/", 1)[1]
        for inner in field.values():
            yield from _refs(inner)
    elif isinstance(field, list):
        for inner in field:
            yield from _refs(inner)


def _table(title: str, schema: dict[str, Any], name: str) -> str:
    said = schema.get("description", "").split("\n\n")
    about = " ".join(" ".join(said).split()) if name else ""
    needed = set(schema.get("required", ()))
    rows = [
        f"| `{key}` | {_cell(_kind(field))} | {_cell(_default(field, key in needed))} |"
        for key, field in schema["properties"].items()
    ]
    head = "| key | value | default |\n| --- | --- | --- |\n"
    anchor = f" {{ #{name.lower()} }}" if name else ""
    return f"## {title}{anchor}\n\n{about}\n\n{head}" + "\n".join(rows)


def _kind(field: dict[str, Any]) -> str:
    if "$ref" in field:
        name = field["$ref"].rsplit("/", 1)[1]
        return f"section [{name}](#{name.lower()})"
    if "enum" in field:
        return " or ".join(f"`{value}`" for value in field["enum"])
    if "const" in field:
        return f"`{field['const']}`"
    if "anyOf" in field:
        kinds = [_kind(part) for part in field["anyOf"] if part.get("type") != "null"]
        return " or ".join(dict.fromkeys(kinds))
    if field.get("type") == "array":
        return f"list of {_kind(field['items'])}" if "items" in field else "list"
    if field.get("type") == "object":
        inner = field.get("additionalProperties")
        return f"name: {_kind(inner)}" if isinstance(inner, dict) else "section"
    return _plain_kind(field)


def _plain_kind(field: dict[str, Any]) -> str:
    names = {"string": "text", "integer": "whole number", "number": "number", "boolean": "yes/no"}
    kind = names.get(field.get("type", ""), "anything")
    limits = {
        "minimum": "at least",
        "exclusiveMinimum": "over",
        "maximum": "at most",
        "exclusiveMaximum": "under",
    }
    said = [f"{word} {field[key]}" for key, word in limits.items() if key in field]
    if "pattern" in field:
        said.append(f"matching `{field['pattern']}`")
    return f"{kind} ({', '.join(said)})" if said else kind


def _default(field: dict[str, Any], needed: bool) -> str:
    if needed:
        return "**needed**"
    value = field.get("default")
    if value in (None, "", [], {}):
        return ""
    return f"`{value}`" if not isinstance(value, dict) else "as in its section"


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")
