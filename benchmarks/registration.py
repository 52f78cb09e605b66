"""What it takes to register a small model, beside MLflow's own way of doing it.

Ours is registered from code, with signature and requirements given. MLflow's `log_model` gets
the same pipeline and guesses both, in turns with ours. The first registration of a project
also makes the store (dozens of migrations); it is shown by itself. Budget: 3 s for any other.
"""

from __future__ import annotations

import json
import logging
import os
import statistics
import sys
import tempfile
import time
import warnings
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "a3"))

from a3_project import credit, make_project

ROUNDS = 3


def main() -> dict[str, float]:
    """Print and return seconds of both, and of the very first registration."""
    os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
    logging.disable(logging.WARNING)
    warnings.simplefilter("ignore")
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        os.environ["QUA3CK_KEYS"] = str(folder / "keys")
        rows = credit(400)
        project = make_project(
            folder / "p", rows, candidates=("logistic_regression",), trials=1, folds=3
        )
        candidate = project.run()
        artefact, tracking = project.root / candidate.artefact, project.tracking()
        first = _seconds(lambda: tracking.register(artefact, "small", tags={"n": "first"}))
        pipeline, example = _fitted(rows)
        pairs = [
            (
                _seconds(lambda at=at: tracking.register(artefact, "small", tags={"n": str(at)})),
                _seconds(lambda: _by_mlflow(folder, pipeline, example)),
            )
            for at in range(ROUNDS)
        ]
    result = {
        "register_s": round(statistics.median(own for own, _ in pairs), 2),
        "budget_register_s": 3.0,
        "mlflow_log_model_s": round(statistics.median(theirs for _, theirs in pairs), 2),
        "ratio_to_log_model": round(statistics.median(own / theirs for own, theirs in pairs), 3),
        "first_of_a_project_s": round(first, 2),
    }
    print(json.dumps(result))
    return result


def _fitted(rows):
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    numbers = rows[["income", "debt"]].fillna(0)
    return make_pipeline(StandardScaler(), LogisticRegression()).fit(numbers, rows["late"]), numbers


def _by_mlflow(folder: Path, pipeline, example) -> None:
    import mlflow

    mlflow.set_tracking_uri(f"sqlite:///{folder / 'theirs.db'}")
    if mlflow.get_experiment_by_name("theirs") is None:
        mlflow.create_experiment("theirs", (folder / "theirs").as_uri())
    mlflow.set_experiment("theirs")
    with mlflow.start_run():
        mlflow.sklearn.log_model(
            pipeline, name="model", input_example=example.head(3), registered_model_name="theirs"
        )


def _seconds(work) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


if __name__ == "__main__":
    main()
