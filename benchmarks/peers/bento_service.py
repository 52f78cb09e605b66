"""A BentoML service for a scikit-learn pipeline; runs in BentoML's own environment."""

from __future__ import annotations

import os

import bentoml
import joblib
import numpy as np
import pandas as pd


@bentoml.service(workers=1)
class Pipeline:
    """``$MODEL`` names the file of the pipeline."""

    def __init__(self) -> None:
        self.model = joblib.load(os.environ["MODEL"])

    @bentoml.api
    def predict(self, table: pd.DataFrame) -> np.ndarray:
        """Return the probabilities of the rows."""
        return self.model.predict_proba(table)
