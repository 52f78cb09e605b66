from __future__ import annotations

import numpy as np
import pyarrow as pa

from qua3ck.understand.contract.cells import read_cells
from qua3ck.understand.contract.dependencies import contradictions, find_dependencies


def columns(**values):
    return [read_cells(pa.chunked_array([pa.array(v)]), name) for name, v in values.items()]


CODE = [f"c{n % 20}" for n in range(400)]
NAME = [f"name {n % 20}" for n in range(400)]
REGION = [f"r{n % 20 // 5}" for n in range(400)]


def pairs(found):
    return {(each.fixes, each.fixed) for each in found}


def test_columns_that_fix_each_other_are_found_and_noise_is_not():
    random = np.random.default_rng(1)
    noise = random.choice(["a", "b"], 400).tolist()
    rare = ["x"] * 396 + ["y"] * 4  # nearly constant: everything seems to fix it
    found = find_dependencies(columns(code=CODE, name=NAME, region=REGION, noise=noise, rare=rare))
    assert pairs(found) == {
        ("code", "name"), ("name", "code"), ("code", "region"), ("name", "region"),
    }  # fmt: skip
    assert all(each.agreement == 1 for each in found)


def test_one_cell_in_ten_may_be_wrong():
    random = np.random.default_rng(2)
    dirty = [f"r{random.integers(4)}" if random.random() < 0.1 else r for r in REGION]
    assert ("code", "region") in pairs(find_dependencies(columns(code=CODE, region=dirty)))


def test_the_cell_that_contradicts_its_row_is_suspect_and_the_rest_of_the_row_is_not():
    name = NAME.copy()
    name[7] = "name 9"
    cells = columns(code=CODE, name=name, region=REGION, again=CODE)
    found = contradictions(cells, find_dependencies(cells))
    assert found["name"].nonzero()[0].tolist() == [7]
    assert not any(found[other].any() for other in ("code", "again", "region"))


def test_where_two_columns_stand_against_each_other_both_are_suspect():
    name = NAME.copy()
    name[7] = "name 9"
    cells = columns(code=CODE, name=name)
    found = contradictions(cells, find_dependencies(cells))
    assert found["name"].nonzero()[0].tolist() == found["code"].nonzero()[0].tolist() == [7]


def test_an_empty_cell_contradicts_nothing():
    region = [None if n == 3 else r for n, r in enumerate(REGION)]
    cells = columns(code=CODE, region=region)
    assert not contradictions(cells, find_dependencies(cells))["region"].any()


def test_keys_and_measurements_fix_nothing_and_are_fixed_by_nothing():
    ids = [str(n) for n in range(400)]
    price = [f"{n % 20}.5" for n in range(400)]
    assert pairs(find_dependencies(columns(ids=ids, code=CODE, price=price))) == {("price", "code")}
