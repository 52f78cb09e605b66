"""Where the flowers come from."""

from __future__ import annotations

import pandas as pd


def flowers() -> pd.DataFrame:
    """Return Fisher's irises as scikit-learn ships them: 150 rows, sizes in cm."""
    from sklearn.datasets import load_iris

    data = load_iris(as_frame=True)
    table = data.data.rename(columns=lambda name: name.removesuffix(" (cm)").replace(" ", "_"))
    return table.assign(species=data.target_names[data.target])
