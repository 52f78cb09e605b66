from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import confusion_matrix, precision_recall_fscore_support

from qua3ck.conclude.confusion import confusion, per_class

CLASSES = ("a", "b", "c")


def test_agrees_with_scikit_learn():
    random = np.random.default_rng(0)
    truth, said = random.choice(CLASSES, 200), random.choice(CLASSES, 200)
    counts = confusion(truth, said, CLASSES)
    assert np.array_equal(counts, confusion_matrix(truth, said, labels=CLASSES))
    wanted = np.array(precision_recall_fscore_support(truth, said, labels=CLASSES))
    got = per_class(counts, CLASSES)
    for number, name in enumerate(CLASSES):
        figures = [got[name][key] for key in ("precision", "recall", "f1", "support")]
        assert figures == pytest.approx(wanted[:, number])


def test_a_share_of_nothing_is_left_out_not_zero():
    counts = confusion(np.array(["a", "b"]), np.array(["a", "a"]), CLASSES)
    got = per_class(counts, CLASSES)
    assert got["c"] == {"support": 0.0}
    assert "precision" not in got["b"]
    assert got["b"]["recall"] == 0
