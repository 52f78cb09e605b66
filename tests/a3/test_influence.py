from __future__ import annotations

import numpy as np
import pytest
from a3_project import bench_of, credit
from sklearn.inspection import permutation_importance

from qua3ck.a3.algorithms import find
from qua3ck.a3.influence import influences
from qua3ck.a3.validation import check


@pytest.fixture(scope="module")
def looked_at():
    rows = credit(900)
    rows["noise"] = np.random.default_rng(3).normal(size=900)
    bench = bench_of(rows)
    plain = find("logistic_regression", "binary")
    return bench, check(bench, plain, plain.defaults[0], keep=True)


def test_a_column_without_meaning_has_an_interval_around_zero(looked_at):
    found = {one.column: one for one in influences(*looked_at)}
    assert set(found) == {"income", "debt", "home", "noise"}
    assert found["noise"].low < 0 < found["noise"].high
    for name in ("income", "debt"):
        assert found[name].low > 0


def test_the_largest_comes_first_and_twice_is_the_same(looked_at):
    found = influences(*looked_at)
    assert [one.drop for one in found] == sorted((one.drop for one in found), reverse=True)
    assert found == influences(*looked_at)


def test_agrees_with_scikit_learn_on_columns_the_prelude_leaves_alone(looked_at):
    bench, checked = looked_at
    found = {one.column: one.drop for one in influences(bench, checked)}
    judged = []
    for model, fold in zip(checked.models, bench.folds, strict=True):
        table, truth = bench.prepared.iloc[fold.check], bench.truth[fold.check]
        made = permutation_importance(
            model, table, truth, scoring="roc_auc", n_repeats=10, random_state=0
        )
        judged.append(dict(zip(table.columns, made.importances_mean, strict=True)))
    for name in ("debt", "home", "noise"):
        theirs = np.mean([one[name] for one in judged])
        assert found[name] == pytest.approx(theirs, abs=0.03)
