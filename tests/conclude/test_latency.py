from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from qua3ck.conclude.latency import quantiles, single_row_latencies


def test_at_least_500_single_rows_are_predicted_after_a_warm_up():
    seen: list[int] = []
    rows = pd.DataFrame({"x": range(7)})

    def predict(row: pd.DataFrame) -> None:
        assert len(row) == 1
        seen.append(int(row["x"].iloc[0]))

    times = single_row_latencies(predict, rows)
    assert len(times) >= 500
    assert len(seen) > len(times)
    assert set(seen) == set(range(7))
    assert (times >= 0).all()


@pytest.mark.parametrize(("asked", "calls"), [(True, 1000), (False, 300)])
def test_a_promised_latency_is_measured_on_more_requests(asked, calls):
    rows = pd.DataFrame({"x": range(7)})
    assert len(single_row_latencies(lambda row: row, rows, asked=asked)) == calls


def test_quantiles_are_order_statistics():
    found = quantiles(np.arange(1.0, 1001.0))
    assert found == {"p50": 500.0, "p95": 950.0, "p99": 990.0, "requests": 1000.0}
