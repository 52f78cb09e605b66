"""How many wrong cells are found without labels, on tables whose truth is known.

Wrong is what differs between the dirty and the clean copy, compared as text. So ``01907``
against ``1907`` and ``0.0`` against ``0`` count as wrong in tax10k, where the clean copy lost
what the dirty one has: its recall says little, and the figure without them stands beside it.
Each clean copy is looked at as well: whatever is suspected there is a false alarm.

The thresholds are not fitted to these tables; docs/decisions/021-contracts.md says how they
came about. ``--page FILE`` also writes the table into its place in a page of the documentation.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np
import pyarrow as pa
from pyarrow import csv

from qua3ck.understand.contract.rules import DIMENSIONS
from qua3ck.understand.contract.suspects import DETECTORS, find_suspects
from qua3ck.understand.sources.cells import is_known_marker

DATA = Path(__file__).parents[2] / "shared" / "data" / "dirty-tables"
TABLES = ("hospital", "beers", "tax10k")
LEAST_F1 = {"beers": 0.9, "hospital": 0.6}
OF_KIND = {each.kind: each.dimension for each in DETECTORS}


def main(argv: list[str]) -> dict[str, float]:
    """Print the tables and return F1, precision, recall and false alarms."""
    if not DATA.is_dir():
        print(json.dumps({}))  # the data are not shipped with the code
        return {}
    lines: list[str] = []
    result: dict[str, float] = {}
    for name in TABLES:
        dirty, clean = cells(name, "dirty"), cells(name, "clean")
        truth = wrong(dirty, clean)
        found, kinds = suspected(dirty)
        precision, recall, f1 = scores(found, truth)
        alarms = suspected(clean)[0].mean()
        print(f"{name}: {found.sum()} suspects, {truth.sum()} wrong cells of {truth.size}")
        for line in by_dimension(dirty, clean, truth, kinds):
            print(line)
            lines.append(f"| {name} | {' | '.join(line.split())} |")
        whole = [found.sum(), f"{precision:.2f}", truth.sum(), f"{recall:.2f}"]
        lines.append(f"| **{name}** | all, F1 {f1:.2f} | {' | '.join(map(str, whole))} |")
        result |= {
            f"{name}_precision": round(precision, 3),
            f"{name}_recall": round(recall, 3),
            f"{name}_f1": round(f1, 3),
            f"{name}_false_alarms_on_clean": round(float(alarms), 4),
            f"budget_{name}_false_alarms_on_clean": 0.01,
        }
        if name in LEAST_F1:
            result[f"{name}_short_of_one"] = round(1 - f1, 3)
            result[f"budget_{name}_short_of_one"] = round(1 - LEAST_F1[name], 3)
    dirty, clean = cells("tax10k", "dirty"), cells("tax10k", "clean")
    result["tax10k_f1_of_other_values"] = round(of_other_values(dirty, clean), 3)
    if argv[:1] == ["--page"]:
        from messy_files import into_page

        shown = [line for line in lines if " dimension " not in line]
        head = "| table | dimension | suspects | precision | wrong cells | recall |"
        into_page(Path(argv[1]), "dirty_tables", "\n".join([head, "| --- " * 6 + "|", *shown]))
    print(json.dumps(result))
    return result


def cells(name: str, which: str) -> pa.Table:
    """Return a copy with every cell as text; columns are named as in the dirty one."""
    suffix = ".csv.gz" if name == "tax10k" else ".csv"
    dirty = read(DATA / name / f"dirty{suffix}")
    table = dirty if which == "dirty" else read(DATA / name / f"{which}{suffix}")
    return table.rename_columns(dirty.column_names)


def read(path: Path) -> pa.Table:
    """Return a CSV file as text."""
    names = csv.open_csv(path).schema.names
    options = csv.ConvertOptions(
        column_types=dict.fromkeys(names, pa.string()), strings_can_be_null=False
    )
    return csv.read_csv(path, convert_options=options)


def wrong(dirty: pa.Table, clean: pa.Table) -> np.ndarray:
    """Return which cells differ, shape (n_rows, n_columns)."""
    pairs = zip(dirty.columns, clean.columns, strict=True)
    return np.column_stack(
        [np.array(one.to_pylist()) != np.array(other.to_pylist()) for one, other in pairs]
    )


def suspected(table: pa.Table) -> tuple[np.ndarray, dict[str, np.ndarray]]:
    """Return the suspect cells, and those of each kind of detector."""
    shape = (table.num_rows, table.num_columns)
    every, kinds = np.zeros(shape, dtype=bool), {}
    for (column, kind), rows in find_suspects(table).cells.items():
        at = table.column_names.index(column)
        every[:, at] |= rows
        kinds.setdefault(kind, np.zeros(shape, dtype=bool))[:, at] |= rows
    return every, kinds


def scores(found: np.ndarray, truth: np.ndarray) -> tuple[float, float, float]:
    """Return precision, recall and F1."""
    right = (found & truth).sum()
    return (
        right / max(found.sum(), 1),
        right / max(truth.sum(), 1),
        2 * right / max(found.sum() + truth.sum(), 1),
    )


def by_dimension(dirty, clean, truth, kinds):
    """Yield per dimension how many suspects are wrong, and how many wrong cells are suspected.

    The dimension of a wrong cell is read off the pair: empty or a marker (completeness), the
    same value written otherwise (validity), another value of the column (consistency), else
    a value that exists nowhere (accuracy).
    """
    nature = natures(dirty, clean, truth)
    every = np.zeros(truth.shape, dtype=bool)
    for mask in kinds.values():
        every |= mask
    yield f"  {'dimension':<13}{'suspects':>9}{'precision':>10}{'wrong':>7}{'recall':>8}"
    for dimension in DIMENSIONS:
        found = np.zeros(truth.shape, dtype=bool)
        for kind, mask in kinds.items():
            if OF_KIND[kind] == dimension:
                found |= mask
        there = nature == dimension
        if not found.any() and not there.any():
            continue
        precision = f"{(found & truth).sum() / found.sum():.2f}" if found.any() else "-"
        recall = f"{(every & there).sum() / there.sum():.2f}" if there.any() else "-"
        yield f"  {dimension:<13}{found.sum():>9}{precision:>10}{there.sum():>7}{recall:>8}"


def natures(dirty: pa.Table, clean: pa.Table, truth: np.ndarray) -> np.ndarray:
    """Return the dimension of each wrong cell, empty for right ones."""
    result = np.full(truth.shape, "", dtype="<U12")
    for at, (one, other) in enumerate(zip(dirty.columns, clean.columns, strict=True)):
        told, meant = one.to_pylist(), other.to_pylist()
        known = set(meant)
        for row in np.flatnonzero(truth[:, at]):
            result[row, at] = nature(told[row], meant[row], known)
    return result


def nature(told: str, meant: str, known: set[str]) -> str:
    """Return the dimension that one wrong cell offends."""
    if not told or is_known_marker(told):
        return "completeness"
    if number(told) == number(meant) or letters(told) == letters(meant):
        return "validity"
    return "consistency" if told in known else "accuracy"


def number(text: str) -> float | str:
    first = text.split(" ", maxsplit=1)[0]
    digits = "".join(each for each in first if each.isdigit() or each in ".-")
    try:
        return float(digits)
    except ValueError:
        return text


def letters(text: str) -> str:
    return "".join(each for each in text if each.isalnum())


def of_other_values(dirty: pa.Table, clean: pa.Table) -> float:
    """Return F1 without the cells whose number is the same in both copies."""
    truth = wrong(dirty, clean)
    same = np.zeros(truth.shape, dtype=bool)
    for at, (one, other) in enumerate(zip(dirty.columns, clean.columns, strict=True)):
        told, meant = one.to_pylist(), other.to_pylist()
        for row in np.flatnonzero(truth[:, at]):
            same[row, at] = number(told[row]) == number(meant[row])
    found, _ = suspected(dirty)
    return scores(found & ~same, truth & ~same)[2]


if __name__ == "__main__":
    main(sys.argv[1:])
