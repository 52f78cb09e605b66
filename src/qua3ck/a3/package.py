"""From a fitted pipeline to the artefact that would ship: ONNX where it is earned, else skops.

A conversion can succeed and be wrong without a word, so the graph has to agree with the
pipeline on real rows that the pipeline was not fitted on. The shipped pipeline is fitted
on all training rows; there a twin, fitted without one validation fold, decides before the
sealed rows are opened, and conclude repeats the comparison on the sealed rows.
"""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from qua3ck.kit.errors import Qua3ckError
from qua3ck.store.releases import artefact, golden, prelude
from qua3ck.store.releases.model import Model, answer
from qua3ck.store.releases.parity import Parity, compare

if TYPE_CHECKING:
    import pandas as pd

_ONNX_NEEDS = ("onnxruntime", "numpy", "pandas")
_SKOPS_NEEDS = ("scikit-learn", "skops", "numpy", "scipy", "pandas")


@dataclass(frozen=True)
class Choice:
    """In which form a pipeline may ship, and why, decided by its twin."""

    model_format: Literal["onnx", "skops"]
    why: str
    parity: Parity | None = None


@dataclass(frozen=True)
class Packaged:
    """The artefact as written: digest over all its files, form, reason, model file's size."""

    digest: str
    model_format: Literal["onnx", "skops"]
    why: str
    size_mb: float
    parity: Parity | None
    golden_rows: int


def choose_format(twin: Any, spec: Mapping[str, Any], held_out: pd.DataFrame) -> Choice:
    """Decide whether a pipeline earns ONNX.

    Parameters
    ----------
    twin : sklearn.pipeline.Pipeline
        Same algorithm and parameters, fitted without ``held_out``.
    spec : mapping
        The prelude's declaration.
    held_out : pandas.DataFrame, shape (n_rows, n_inputs)
        Prepared real rows.

    Notes
    -----
    Earned if on every row the decided label is the same and no probability differs by
    more than 1e-5 (regression: 1e-5 of the value or of the values' spread).
    """
    if "adapt" in dict(twin.steps):
        return Choice("skops", "A function of the project adapts features; ONNX cannot hold it.")
    try:
        found = _agree(twin, spec, held_out)
    except Exception as problem:  # noqa: BLE001 - converters raise anything; skops is the answer
        return Choice("skops", f"The conversion to ONNX failed: {_first_line(problem)}")
    if found.holds:
        return Choice("onnx", f"ONNX was earned. {found.says}", found)
    return Choice("skops", f"The ONNX graph disagrees with the pipeline. {found.says}", found)


def package(
    pipeline: Any,
    spec: Mapping[str, Any],
    *,
    folder: Path,
    held_out: pd.DataFrame,
    training: pd.DataFrame,
    algorithm: str,
    seed: int,
    twin: Any = None,
    choice: Choice | None = None,
    user_code: tuple[Path, ...] = (),
) -> Packaged:
    """Write the artefact that would ship.

    Parameters
    ----------
    pipeline : sklearn.pipeline.Pipeline
        Fitted on all training rows.
    spec : mapping
        The prelude's declaration, with the decision threshold.
    folder : pathlib.Path
        Where to; written whole or not at all.
    held_out : pandas.DataFrame
        Prepared rows that ``twin`` was not fitted on.
    training : pandas.DataFrame
        Raw training rows: the golden rows are recombined from them.
    algorithm : str
        The candidate's name in the project file.
    seed : int
        Seed of the golden rows.
    twin : sklearn.pipeline.Pipeline, optional
        Fitted without ``held_out``; without one ``pipeline`` itself must not have seen it.
    choice : Choice, optional
        From :func:`choose_format`, where it was made before (a rebuild must not choose anew).
    user_code : tuple of pathlib.Path
        The project's modules; copied to ``code/`` if the pipeline needs one of them.

    Raises
    ------
    Qua3ckError
        If the pipeline holds types that may not leave the house, or writing fails.
    """
    chosen = choice or choose_format(twin if twin is not None else pipeline, spec, held_out)
    reference = skops_bytes(pipeline)
    code = _code_needed(reference, user_code)
    graph = None
    if chosen.model_format == "onnx":
        chosen, graph = _convert_final(pipeline, spec, held_out, chosen)
    files = dict(code)
    if graph is not None:
        files |= {"model.onnx": graph, artefact.REFERENCE: reference}
    else:
        files["model.skops"] = reference
    manifest = _manifest(pipeline, spec, algorithm, chosen)
    shipped = Model(manifest, _runner(pipeline, spec, graph), digest="")
    rows = golden.make_rows(training, spec, seed=seed)
    files[artefact.GOLDEN] = golden.golden_bytes(rows, shipped.predict(_frame(rows)))
    digest = artefact.write_artefact(folder, files=files, manifest=manifest)
    size = len(files[manifest.model]) / 1e6
    return Packaged(digest, chosen.model_format, chosen.why, size, chosen.parity, len(rows))


def skops_bytes(pipeline: Any) -> bytes:
    """Return a pipeline as a skops file whose bytes depend on the pipeline alone.

    skops names parts by their address in memory and stamps the time; here parts are
    numbered as they appear and the time is fixed, so that the same training gives the
    same artefact digest.
    """
    import skops.io

    try:
        dumped = skops.io.dumps(pipeline)
    except Exception as problem:
        raise Qua3ckError(
            f"The pipeline cannot be written: {_first_line(problem)}",
            where=f"a3, {type(pipeline[-1]).__name__}",
            fix="use scikit-learn or LightGBM estimators, or named functions of your module",
        ) from problem
    return _canonical(dumped)


def _canonical(dumped: bytes) -> bytes:
    with zipfile.ZipFile(io.BytesIO(dumped)) as source:
        parts = {name: source.read(name) for name in source.namelist()}
    schema = json.loads(parts.pop("schema.json"))
    ids: dict[int, int] = {}
    files: dict[str, str] = {}
    numbered = _number_parts(schema, ids, files)
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as target:
        for name, data in sorted((files[old], data) for old, data in parts.items()):
            target.writestr(zipfile.ZipInfo(name), data)
        target.writestr(zipfile.ZipInfo("schema.json"), json.dumps(numbered, indent=1))
    return out.getvalue()


def _number_parts(node: Any, ids: dict[int, int], files: dict[str, str]) -> Any:
    if isinstance(node, list):
        return [_number_parts(inner, ids, files) for inner in node]
    if not isinstance(node, dict):
        return node
    made: dict[str, Any] = {}
    for key, value in node.items():
        if key == "__id__" and isinstance(value, int):
            made[key] = ids.setdefault(value, len(ids) + 1)
        elif key == "file" and isinstance(value, str):
            ending = Path(value).suffix
            made[key] = files.setdefault(value, f"{len(files) + 1:05d}{ending}")
        else:
            made[key] = _number_parts(value, ids, files)
    return made


def _agree(pipeline: Any, spec: Mapping[str, Any], rows: pd.DataFrame) -> Parity:
    from qua3ck.a3 import convert

    graph = convert.to_onnx(pipeline, spec)
    return _compare(pipeline, graph, spec, rows)


def _compare(pipeline: Any, graph: bytes, spec: Mapping[str, Any], rows: pd.DataFrame) -> Parity:
    manifest = _manifest(pipeline, spec, "", Choice("onnx", ""))
    return compare(
        answer(_runner(pipeline, spec, None)(rows), manifest),
        answer(_runner(pipeline, spec, graph)(rows), manifest),
    )


def _convert_final(
    pipeline: Any, spec: Mapping[str, Any], rows: pd.DataFrame, chosen: Choice
) -> tuple[Choice, bytes | None]:
    """Convert the pipeline that ships; rows it has seen can still show that it is wrong."""
    from qua3ck.a3 import convert

    try:
        graph = convert.to_onnx(pipeline, spec)
        found = _compare(pipeline, graph, spec, rows)
    except Exception as problem:  # noqa: BLE001 - converters raise anything; skops is the answer
        why = f"The twin converted, the final pipeline did not: {_first_line(problem)}"
        return Choice("skops", why), None
    if not found.holds:
        why = f"The twin earned ONNX, the final pipeline's graph disagrees. {found.says}"
        return Choice("skops", why, found), None
    return chosen, graph


def _runner(pipeline: Any, spec: Mapping[str, Any], graph: bytes | None) -> Any:
    from qua3ck.store.releases import runner

    if graph is not None:
        return runner.open_graph(graph, prelude.inputs(spec))
    return runner.run_fitted(pipeline, task=spec["task"])


def _manifest(
    pipeline: Any, spec: Mapping[str, Any], algorithm: str, chosen: Choice
) -> artefact.Manifest:
    onnx = chosen.model_format == "onnx"
    needs = list(_ONNX_NEEDS if onnx else _SKOPS_NEEDS)
    if not onnx and hasattr(pipeline[-1], "booster_"):
        needs.append("lightgbm")
    classify = spec["task"] != "regression"
    return artefact.Manifest(
        format=artefact.FORMAT,
        kind=chosen.model_format,
        why=chosen.why,
        model="model.onnx" if onnx else "model.skops",
        algorithm=algorithm,
        task=spec["task"],
        classes=tuple(spec["classes"]),
        trained_classes=tuple(str(c) for c in pipeline.classes_) if classify else (),
        positive=spec["positive"],
        spec=spec,
        outputs=("label", *(f"p_{c}" for c in spec["classes"])) if classify else ("value",),
        files={},
        versions={name: version(name) for name in sorted(needs)},
        parity=asdict(chosen.parity) if chosen.parity else {},
    )


def _code_needed(skops_file: bytes, user_code: tuple[Path, ...]) -> dict[str, bytes]:
    """Return the modules to ship: all if one is needed, as they may import each other."""
    import skops.io

    from qua3ck.store.releases import runner

    wanted = skops.io.get_untrusted_types(data=skops_file)
    foreign = runner.foreign_types(wanted, [path.stem for path in user_code])
    if foreign:
        raise Qua3ckError(
            f"The pipeline holds {foreign[0]}, which may not leave the house",
            where="a3.candidates or a3.adapt",
            fix="use scikit-learn or LightGBM types, and functions defined in the project's module",
        )
    if not runner.foreign_types(wanted, []):
        return {}
    return {f"{artefact.CODE}/{path.name}": path.read_bytes() for path in user_code}


def _frame(rows: list[dict[str, Any]]) -> pd.DataFrame:
    import pandas as pd

    return pd.DataFrame(rows, dtype=object)


def _first_line(problem: Exception) -> str:
    text = " ".join(str(problem).split())
    return f"{type(problem).__name__}: {text[:160]}"
