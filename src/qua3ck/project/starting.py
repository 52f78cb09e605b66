"""Writes a new, commented project that only needs its answers."""

from __future__ import annotations

import os
import re
import unicodedata
from pathlib import Path

from qua3ck.kit.errors import Qua3ckError
from qua3ck.project.file import NAME

#: What stands in a new file where an answer belongs; ``check`` and ``run`` refuse these texts.
ANSWERS_TO_GIVE = {
    "asks": ("Which ones will it be?", "How much will it be?"),
    "decides": ("Who decides what with the answer?",),
    "why_now": ("Why is it needed now?",),
    "risks": ("What does a wrong answer cost, and whom?",),
}

_ONE = str.maketrans("łŁđĐðÐı", "lLdDdDi")
_SPELT = {"ae": "äæ", "oe": "öøœ", "ue": "ü", "Ae": "ÄÆ", "Oe": "ÖØŒ", "Ue": "Ü", "ss": "ß",
          "SS": "ẞ", "th": "þ", "Th": "Þ"}  # fmt: skip

_TEMPLATE = """\
# A qua3ck project. Answer the six questions, name the data, then type: qua3ck run
project: {project}
product: model

question:
  asks: {asks}
  decides: {decides}
  why_now: {why_now}
  risks: {risks}
  stop_if: [rows < 200]              # when to give up; looked at on every run
  kpis:                              # each is judged on its interval, never on the bare number
    - {{id: {kpi}, metric: {metric}, {threshold}}}
    - {{id: latency, metric: latency_p99_ms, at_most: 100}}
  # fairness:
  #   - {{id: sex_gap, metric: equal_opportunity_difference, by: sex, at_most: 0.10}}
  # costs: {{false_negative: 5, false_positive: 1}}    # the decision threshold follows them
  # risk: {{affects: people, domain: other, automated: false}}   # or: organisation, nobody

understand:
  sources:
    rows: {{kind: csv, path: {path}}}  # kinds: csv, parquet, function
  target: {target}
  # time: applied_on                 # a date column: the newest rows are sealed
  # group: household_id              # never on both sides of the split
  # entity: client_id                # corrections then never move a row across the split
  # known_at_prediction: {{exclude: [call_duration]}}
  # sensitive: [sex]                 # kept out of the model, available to the judge

a3:
  candidates: [{candidates}]
  budget: {{trials: 30}}

conclude: {{test_share: 0.2, openings: 1}}

# transfer:                          # before anybody signs a version; see: qua3ck explain K026
#   approve: two_person              # more than the risk class asks for, never less
#   advisories: advisories/all.zip   # known vulnerabilities of the packages, an OSV export
#   accept: {{K026: why nobody looked for known vulnerabilities}}
"""


def start_project(
    folder: Path, *, data: str = "data/*.csv", target: str = "target", task: str = "classification"
) -> Path:
    """Write a commented project file into ``folder`` and return its path.

    Parameters
    ----------
    folder : Path
        Made if it is missing; other files in it are left alone.
    data : str
        Path or pattern of the CSV files, from ``folder``. One that matches nothing there
        but files from the current folder is written down as seen from ``folder``.
    target : str
        The column to predict.
    task : {"classification", "regression"}
        Decides the first KPI and the algorithms written down.

    Raises
    ------
    Qua3ckError
        If there is a project file already.
    """
    path = folder / NAME
    if path.exists():
        raise Qua3ckError(
            f"There is a {NAME} already",
            where=str(path),
            fix="edit it, or name another folder",
            code="P013",
        )
    folder.mkdir(parents=True, exist_ok=True)
    path.write_text(_TEMPLATE.format(**_words(folder, data, target, task)), encoding="utf-8")
    return path


def _words(folder: Path, data: str, target: str, task: str) -> dict[str, str]:
    quoted = target if re.fullmatch(r"[A-Za-z_][\w ]*", target) else f'"{target}"'
    data = _seen_from(folder, data)
    shared = {
        **{key: texts[0] for key, texts in ANSWERS_TO_GIVE.items()},
        "project": _named(folder.resolve().name),
        "path": data if re.fullmatch(r"[\w./-]+", data) else f'"{data}"',
        "target": quoted,
    }
    if task == "regression":
        return shared | {
            "asks": ANSWERS_TO_GIVE["asks"][1],
            "kpi": "error",
            "metric": "mae",
            "threshold": "at_most: 10",
            "candidates": "linear_regression, random_forest, gradient_boosting",
        }
    return shared | {
        "kpi": "right",
        "metric": "accuracy",
        "threshold": "at_least: 0.90",
        "candidates": "logistic_regression, random_forest, gradient_boosting",
    }


def _named(folder: str) -> str:
    """Return a folder's name as a project may be called: also a model on a shared server.

    Digits stay, because ``credit-2025`` and ``credit-2026`` are two projects. Letters beyond
    A to Z are spelt as one would by hand; what has no such spelling is left out.
    """
    spelt = unicodedata.normalize("NFC", folder).translate(_ONE)
    for two, letters in _SPELT.items():
        spelt = re.sub(f"[{letters}]", two, spelt)
    plain = unicodedata.normalize("NFKD", spelt).encode("ascii", "ignore").decode()
    name = re.sub(r"[^A-Za-z0-9_-]+", "-", plain).strip("-_")
    return name if name[:1].isalpha() else f"project-{name}".rstrip("-")


def _seen_from(folder: Path, data: str) -> str:
    """Return the pattern as it is read later: from the project's folder."""
    if Path(data).is_absolute() or _matches(folder, data) or not _matches(Path.cwd(), data):
        return data
    return Path(os.path.relpath(Path.cwd() / data, folder.resolve())).as_posix()


def _matches(folder: Path, pattern: str) -> bool:
    try:
        return any(path.is_file() for path in folder.glob(pattern))
    except (OSError, ValueError, IndexError, NotImplementedError):
        return False  # no pattern that can name a file; check says so with its place
