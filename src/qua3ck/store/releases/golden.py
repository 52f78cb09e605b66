"""Golden rows: rows of nobody, with the answer that a release must always give to them.

Each column is drawn from the training rows by itself, so no row is a person's; texts are
made of words of different rows. One row has nulls, one an unseen category. Whoever loads
the release, here or anywhere, can replay them.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

from qua3ck.kit.errors import Qua3ckError
from qua3ck.store.releases import prelude
from qua3ck.store.releases.artefact import GOLDEN

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

    from qua3ck.store.releases.model import Model, Prediction

TOLERANCE = 1e-6
UNSEEN = "(never seen)"
_ATTEMPTS = 50


def make_rows(
    training: pd.DataFrame, spec: Mapping[str, Any], *, seed: int, rows: int = 20
) -> list[dict[str, Any]]:
    """Return up to ``rows`` JSON-able raw rows, none of them equal to a training row.

    Parameters
    ----------
    training : pandas.DataFrame, shape (n_rows, n_columns)
        Raw training rows.
    spec : mapping
        The prelude's declaration; only its columns are drawn.
    seed : int
        Same seed and rows, same golden rows.
    rows : int, default 20
        How many. Fewer come back where every combination is a training row already (a
        table of two yes/no columns); the row of nulls and the unseen category always do.
    """
    import numpy as np

    rng = np.random.default_rng(seed)
    names = [column["name"] for column in spec["columns"]]
    plain = {name: [_plain(value) for value in training[name].tolist()] for name in names}
    taken = set(zip(*(plain[name] for name in names), strict=True))
    made = [_with_nulls(plain, spec, rng)]
    if any(column["kind"] == "category" for column in spec["columns"]):
        made.append(_with_unseen(plain, spec, rng))
    made = [row for row in made if tuple(row.values()) not in taken]
    for _ in range(rows - len(made)):
        row = _unlike_any(plain, spec, taken, rng)
        if row is not None and row not in made:
            made.append(row)
    return made


def golden_bytes(rows: list[dict[str, Any]], prediction: Prediction) -> bytes:
    """Return the golden file: rows and the answers expected."""
    expected: dict[str, Any] = {}
    for name in ("labels", "scores", "values"):
        found = getattr(prediction, name)
        if found is not None:
            expected[name] = found.tolist()
    said = {"rows": rows, "expected": expected, "tolerance": TOLERANCE}
    return json.dumps(said, indent=1, ensure_ascii=False, allow_nan=False).encode()


def stored(folder: Path) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """Return the golden rows as plain values, and the expected answers."""
    try:
        said = json.loads((folder / GOLDEN).read_bytes())
        rows: list[dict[str, Any]] = said["rows"]
        expected: dict[str, Any] = said["expected"]
    except (OSError, ValueError, KeyError) as problem:
        raise Qua3ckError(
            "The golden rows cannot be read",
            where=str(folder / GOLDEN),
            fix="restore the folder from a backup",
        ) from problem
    return rows, expected


def read_golden(folder: Path) -> tuple[pd.DataFrame, dict[str, Any]]:
    """Return the golden rows as a raw table, and the expected answers."""
    import pandas as pd

    rows, expected = stored(folder)
    return pd.DataFrame(rows, dtype=object), expected


def replay(folder: Path, *, model: Model) -> list[str]:
    """Predict the golden rows again and return every difference, an empty list if none.

    Parameters
    ----------
    folder : pathlib.Path
        The artefact that holds ``golden.json``.
    model : Model
        From ``load_model``: the model under test.

    Returns
    -------
    list of str
        Labels must be the same, numbers within 1e-6 (relative above 1).
    """
    rows, expected = read_golden(folder)
    return differences(model.predict(rows), expected)


def differences(prediction: Prediction, expected: Mapping[str, Any]) -> list[str]:
    """Return how a prediction differs from the expected answers, one sentence a row."""
    import numpy as np

    said: list[str] = []
    for name, wanted in expected.items():
        found = getattr(prediction, name)
        if found is None or len(found) != len(wanted):
            said.append(f"golden {name}: expected {len(wanted)} rows")
        elif name == "labels":
            pairs = zip(found, wanted, strict=True)
            differ = [at for at, (a, b) in enumerate(pairs) if a != b]
            said += [f"golden row {at + 1}: another label" for at in differ]
        else:
            want = np.asarray(wanted, dtype=np.float64)
            gap = np.abs(np.asarray(found) - want) / np.maximum(np.abs(want), 1.0)
            worst = gap.reshape(len(want), -1).max(axis=1)
            off = np.flatnonzero(~(worst <= TOLERANCE))
            said += [f"golden row {at + 1}: {name} differ by {worst[at]:.1e}" for at in off]
    return said


def _unlike_any(
    plain: Mapping[str, list[Any]],
    spec: Mapping[str, Any],
    taken: set[tuple[Any, ...]],
    rng: np.random.Generator,
) -> dict[str, Any] | None:
    for attempt in range(_ATTEMPTS):
        between = attempt > _ATTEMPTS // 2
        row = {c["name"]: _draw(plain[c["name"]], c, rng, between=between) for c in spec["columns"]}
        if tuple(row.values()) not in taken:
            return row
    return None


def _draw(
    values: list[Any], column: Mapping[str, Any], rng: np.random.Generator, *, between: bool
) -> Any:
    first = values[int(rng.integers(len(values)))]
    if column["kind"] == "text":
        return _recombined(values, first, rng)
    second = values[int(rng.integers(len(values)))]
    if between and column["kind"] == "number" and first is not None and second is not None:
        middle = (float(first) + float(second)) / 2
        return middle // 1 if prelude.whole(column) else middle
    return first


def _recombined(values: list[Any], first: Any, rng: np.random.Generator) -> str | None:
    """Return as many words as ``first`` has, each from the text of another row."""
    if not first:
        return None
    words = []
    for _ in str(first).split():
        other = str(values[int(rng.integers(len(values)))] or "").split()
        words.append(other[int(rng.integers(len(other)))] if other else "")
    return " ".join(word for word in words if word) or None


def _with_nulls(
    plain: Mapping[str, list[Any]], spec: Mapping[str, Any], rng: np.random.Generator
) -> dict[str, Any]:
    row = {c["name"]: _draw(plain[c["name"]], c, rng, between=False) for c in spec["columns"]}
    nullable = [c["name"] for c in spec["columns"] if c.get("indicator")] or list(row)
    return {name: None if name in nullable else value for name, value in row.items()}


def _with_unseen(
    plain: Mapping[str, list[Any]], spec: Mapping[str, Any], rng: np.random.Generator
) -> dict[str, Any]:
    return {
        c["name"]: UNSEEN
        if c["kind"] == "category"
        else _draw(plain[c["name"]], c, rng, between=False)
        for c in spec["columns"]
    }


def _plain(value: Any) -> Any:
    """Return a JSON-able value; every null as None, whole floats as they are."""
    import pandas as pd

    if pd.isna(value):
        return None
    if isinstance(value, bool | str | int):
        return value
    if isinstance(value, datetime | date):
        return value.isoformat()
    if isinstance(value, float | Decimal):
        number = float(value)
        return number if abs(number) != float("inf") else None
    return value.item() if hasattr(value, "item") else str(value)
