"""MLflow's ``/invocations``: its JSON forms and CSV, answered as its own server would.

``dataframe_split``, ``dataframe_records``, ``instances`` and ``inputs``, each with column
names; a matrix without names is refused, because its order would be a guess.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from qua3ck.operate.serve.answers import Answer, Refused
from qua3ck.operate.serve.protocol.v2 import decode

FORMS = ("dataframe_split", "dataframe_records", "instances", "inputs")
_DECODE: msgspec.json.Decoder[Any] = msgspec.json.Decoder()
_ENCODE = msgspec.json.Encoder()
_CELLS = frozenset({str, int, float, bool, type(None)})
_TEXTS = frozenset({str})


def read(body: bytes, kinds: Mapping[str, str], *, csv_text: bool) -> tuple[dict[str, Any], int]:
    """Return the columns of a request and the number of its rows.

    Parameters
    ----------
    body : bytes
        JSON, or CSV with a header line.
    kinds : mapping
        Column name to its kind: what the cells of a CSV, which are all texts, are read as.
    csv_text : bool
        Whether the body is CSV.

    Raises
    ------
    Refused
        400 for what cannot be read as rows with column names.
    """
    if csv_text:
        return _from_csv(body, kinds)
    said = decode(body, _DECODE)
    if type(said) is not dict:
        raise _bad("The body is no object", where="the body", fix=f"send one of: {_forms()}")
    form = _form(said)
    rows = said[form]
    if form == "dataframe_split":
        return _from_split(rows)
    if form == "inputs" and type(rows) is dict:
        return _from_columns(rows)
    return _from_records(rows, form)


def render(answer: Answer) -> bytes:
    """Return the answer's body: ``predictions``, and ``flags`` if there is something to flag.

    Where no model answered, ``arm`` says so: not every caller looks at headers.
    """
    names = list(answer.outputs)
    lines = zip(*answer.outputs.values(), strict=True)
    said: dict[str, Any] = {"predictions": [dict(zip(names, line, strict=True)) for line in lines]}
    if not answer.version:
        said["arm"] = answer.arm
    if answer.flags:
        said["flags"] = [
            {"row": flag.row, "column": flag.column, "kind": flag.kind, "says": flag.says}
            for flag in answer.flags
        ]
    return _ENCODE.encode(said)


def _form(said: dict[str, Any]) -> str:
    given = [form for form in FORMS if form in said]
    if len(given) != 1:
        raise _bad(
            "The body has none of the input formats" if not given else "The body has several",
            where="the body",
            fix=f"send exactly one of: {_forms()}",
        )
    others = [name for name in said if name not in (given[0], "params")]
    if others:
        raise _bad(
            f"The body has a key that is not known beside {given[0]}",
            where="the body",
            fix=f"leave it out; columns go inside {given[0]}",
        )
    params = said.get("params")
    if params is not None and params != {}:
        kind = type(params) is dict
        raise _bad(
            "The model has no parameters" if kind else "params is no object",
            where="params",
            fix="leave params out",
        )
    return given[0]


def _from_split(said: Any) -> tuple[dict[str, Any], int]:
    where = "dataframe_split"
    if type(said) is not dict or not {"columns", "data"} <= said.keys():
        form = '{"columns": [...], "data": [[...]]}'
        raise _bad("It has no columns and data", where=where, fix=f"send {form}")
    unknown = said.keys() - {"columns", "data", "index"}
    if unknown:
        raise _bad("It has a key that is not known", where=where, fix="keep columns, data, index")
    names, lines = said["columns"], said["data"]
    if type(names) is not list or not _TEXTS.issuperset(map(type, names)):
        raise _bad("columns is no list of names", where=f"{where}.columns", fix="send texts")
    if len(set(names)) < len(names):
        raise _bad("A column is there twice", where=f"{where}.columns", fix="keep one of them")
    if type(lines) is not list:
        raise _bad("data is no list of rows", where=f"{where}.data", fix="send a list of lists")
    for at, line in enumerate(lines):
        if type(line) is not list or len(line) != len(names):
            raise _bad(
                f"A row has not as many cells as there are columns ({len(names)})",
                where=f"{where}.data, row {at + 1}",
                fix="send one cell for each column, null for an empty one",
            )
    columns = zip(*lines, strict=True) if lines else ([] for _ in names)
    return _checked(dict(zip(names, map(list, columns), strict=True)), len(lines), where)


def _from_records(said: Any, form: str) -> tuple[dict[str, Any], int]:
    if type(said) is not list or any(type(line) is not dict for line in said):
        raise _bad(
            "It is no list of rows with column names",
            where=form,
            fix='send [{"column": value, ...}, ...]',
        )
    names = dict.fromkeys(name for line in said for name in line)
    return _checked({name: [line.get(name) for line in said] for name in names}, len(said), form)


def _from_columns(said: dict[str, Any]) -> tuple[dict[str, Any], int]:
    table = {}
    rows = -1
    for name, cells in said.items():
        given = cells if type(cells) is list else [cells]
        if rows not in (-1, len(given)):
            raise _bad(
                "The columns have not the same number of rows",
                where="inputs",
                fix="send one cell for each row in every column, null for an empty one",
            )
        rows = len(given)
        table[name] = [c[0] if type(c) is list and len(c) == 1 else c for c in given]
    return _checked(table, max(rows, 0), "inputs")


def _checked(table: dict[str, Any], rows: int, form: str) -> tuple[dict[str, Any], int]:
    if rows == 0:
        raise _bad("There is no row", where=form, fix="send at least one row")
    for cells in table.values():
        if _CELLS.issuperset(map(type, cells)):
            continue
        for at, cell in enumerate(cells):
            if type(cell) not in _CELLS:
                raise _bad(
                    "A cell holds a list or an object",
                    where=f"{form}, row {at + 1}",
                    fix="send a number, a text, true, false or null in every cell",
                )
    return table, rows


def _from_csv(body: bytes, kinds: Mapping[str, str]) -> tuple[dict[str, Any], int]:
    try:
        lines = list(csv.reader(io.StringIO(body.decode("utf-8-sig"), newline=""), strict=True))
    except (UnicodeDecodeError, csv.Error) as problem:
        raise _bad(
            f"The body is no CSV in UTF-8: {type(problem).__name__}",
            where="the body",
            fix="send comma-separated lines in UTF-8, the first with the column names",
        ) from None
    lines = [line for line in lines if line]
    if len(lines) < 2:
        raise _bad("There is no row", where="the body", fix="send a header and at least one row")
    names, cells = lines[0], lines[1:]
    if len(set(names)) < len(names):
        raise _bad("A column is there twice", where="the header", fix="keep one of them")
    for at, line in enumerate(cells):
        if len(line) != len(names):
            raise _bad(
                f"A row has {len(line)} cells, the header {len(names)}",
                where=f"row {at + 1}",
                fix="send as many cells as columns; put cells with commas in quotes",
            )
    columns = dict(zip(names, zip(*cells, strict=True), strict=True))
    read = {
        name: [_cell(c, kinds.get(name, "text")) for c in column]
        for name, column in columns.items()
    }
    return read, len(cells)


def _cell(text: str, kind: str) -> Any:
    """Return a cell as its column's kind; as text where it cannot be, for the check to say so."""
    if not text.strip():
        return None
    if kind != "number":
        return text
    try:
        number = float(text)
    except ValueError:
        return text
    return text if "_" in text else number


def _forms() -> str:
    return ", ".join(FORMS)


def _bad(what: str, *, where: str, fix: str) -> Refused:
    return Refused(400, what, where=where, fix=fix)


def kinds_of(columns: Sequence[Mapping[str, Any]]) -> dict[str, str]:
    """Return name and kind of a release's columns."""
    return {column["name"]: column["kind"] for column in columns}
