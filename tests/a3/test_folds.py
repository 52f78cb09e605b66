from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from a3_project import shot
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from qua3ck.a3.folds import Fold, make_folds, moments, random_folds, thin
from qua3ck.kit.errors import Qua3ckError


def table(rows=100, *, rare=0.2):
    late = np.where(np.arange(rows) < rows * rare, "yes", "no")
    return pd.DataFrame({"x": np.arange(rows), "late": late})


def test_every_row_is_checked_once_and_never_trains_its_own_check():
    rows = table(103)
    folds = make_folds(shot(rows), rows, count=5, seed=1)
    assert sorted(np.concatenate([f.check for f in folds])) == list(range(103))
    for fold in folds:
        assert not set(fold.train) & set(fold.check)
        assert len(fold.train) + len(fold.check) == 103


def test_each_fold_has_its_share_of_the_rare_class():
    rows = table(103)
    folds = make_folds(shot(rows), rows, count=5, seed=1)
    counts = [(rows["late"].iloc[f.check] == "yes").sum() for f in folds]
    assert max(counts) - min(counts) <= 1
    sizes = [len(f.check) for f in folds]
    assert max(sizes) - min(sizes) <= 1


def test_the_seed_decides_and_nothing_else():
    rows = table()

    def checks(seed):
        return [f.check.tolist() for f in make_folds(shot(rows), rows, count=5, seed=seed)]

    assert checks(3) == checks(3)
    assert checks(3) != checks(4)


def test_rows_that_say_the_same_never_check_each_other():
    rows = table(60)
    rows["x"] = np.arange(60) // 3
    for fold in make_folds(shot(rows), rows, count=4, seed=0):
        assert not set(rows["x"].iloc[fold.train]) & set(rows["x"].iloc[fold.check])


@settings(max_examples=30, deadline=None)
@given(st.lists(st.integers(0, 12), min_size=30, max_size=90), st.integers(0, 5))
def test_a_group_is_never_on_both_sides(groups, seed):
    rows = pd.DataFrame({"g": groups, "x": range(len(groups))})
    rows["late"] = np.where(rows.index % 2 == 0, "yes", "no")
    snapshot = shot(rows, order="grouped", cluster="g")
    if rows["g"].nunique() < 2:
        with pytest.raises(Qua3ckError) as caught:
            make_folds(snapshot, rows, count=5, seed=seed)
        assert caught.value.code == "A010"
        return
    for fold in make_folds(snapshot, rows, count=5, seed=seed):
        assert not set(rows["g"].iloc[fold.train]) & set(rows["g"].iloc[fold.check])


@settings(max_examples=30, deadline=None)
@given(st.lists(st.integers(0, 20), min_size=40, max_size=120))
def test_checked_rows_are_later_than_all_that_train_and_ties_stay_together(times):
    rows = pd.DataFrame({"t": times, "x": range(len(times))})
    rows["late"] = np.where(rows.index % 3 == 0, "yes", "no")
    snapshot = shot(rows, order="time", time="t")
    assume(len(set(times)) > 5)
    folds = make_folds(snapshot, rows, count=5, seed=0)
    assert folds
    for fold in folds:
        assert rows["t"].iloc[fold.train].max() < rows["t"].iloc[fold.check].min()


def test_forward_folds_expand_and_do_not_depend_on_the_order_of_rows():
    rows = table(120)
    rows["t"] = np.random.default_rng(0).permutation(120)
    rows["late"] = np.where(rows["x"] % 2 == 0, "yes", "no")
    snapshot = shot(rows, order="time", time="t")
    folds = make_folds(snapshot, rows, count=5, seed=0)
    assert len(folds) == 5
    assert [len(f.train) for f in folds] == sorted(len(f.train) for f in folds)
    turned = rows.iloc[::-1].reset_index(drop=True)
    again = make_folds(snapshot, turned, count=5, seed=0)
    for one, other in zip(folds, again, strict=True):
        assert set(rows["t"].iloc[one.check]) == set(turned["t"].iloc[other.check])


def test_a_declared_group_beside_time_does_not_train_where_it_is_checked():
    rows = pd.DataFrame({"t": np.arange(200), "g": np.arange(200) % 40, "x": 0})
    rows["late"] = np.where(rows.index % 3 == 0, "yes", "no")
    rows.loc[:80, "g"] = 100 + rows.loc[:80, "t"]
    snapshot = shot(rows, order="time", time="t", cluster="g")
    folds = make_folds(snapshot, rows, count=3, seed=0)
    assert folds
    for fold in folds:
        assert not set(rows["g"].iloc[fold.train]) & set(rows["g"].iloc[fold.check])


def test_one_moment_only_is_refused_with_the_column():
    rows = table().assign(t=1)
    with pytest.raises(Qua3ckError, match="same moment") as caught:
        make_folds(shot(rows, order="time", time="t"), rows, count=5, seed=0)
    assert caught.value.code == "A010"
    assert "t" in caught.value.where


def test_text_dates_and_timestamps_are_ordered_alike():
    rows = pd.DataFrame({"t": ["2024-03-01", "2023-12-31", "2024-01-15"], "late": "no", "x": 0})
    snapshot = shot(rows, order="time", time="t")
    typed = rows.assign(t=pd.to_datetime(rows["t"]))
    assert moments(snapshot, rows).tolist() == moments(snapshot, typed).tolist() == [2, 0, 1]


def test_random_folds_forget_groups_on_purpose():
    rows = table().assign(g=np.arange(100) // 10)
    snapshot = shot(rows, order="grouped", cluster="g")
    fold = random_folds(snapshot, rows, count=5, seed=0)[0]
    assert set(rows["g"].iloc[fold.train]) & set(rows["g"].iloc[fold.check])


def test_thinning_keeps_sides_and_the_latest_rows():
    folds = (Fold(np.arange(80), np.arange(80, 100)),)
    (cut,) = thin(folds, rows=50, seed=0, forward=True)
    assert (len(cut.train), len(cut.check)) == (40, 10)
    assert cut.train.tolist() == list(range(40, 80))
    assert set(cut.check) <= set(range(80, 100))
    (drawn,) = thin(folds, rows=50, seed=0, forward=False)
    assert set(drawn.train) <= set(range(80))
