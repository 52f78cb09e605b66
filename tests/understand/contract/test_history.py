from __future__ import annotations

from datetime import UTC, datetime

import pyarrow as pa

from qua3ck.understand.contract.history import scores_by_load

JANUARY, MAY = datetime(2024, 1, 1, tzinfo=UTC), datetime(2024, 5, 1, tzinfo=UTC)


def line(known, dimension, rows, failing, answer="pass"):
    return {
        "_known": known,
        "dimension": dimension,
        "rows": rows,
        "failing": failing,
        "answer": answer,
    }


def test_scores_add_up_per_load_and_dimension_oldest_first():
    quality = pa.Table.from_pylist(
        [
            line(MAY, "validity", 10, 1, "fail"),
            line(MAY, "completeness", 10, 0),
            line(MAY, "validity", 30, 3, "fail"),
            line(JANUARY, "validity", 10, 0),
            line(JANUARY, "validity", 0, 0, "not applicable"),
            line(JANUARY, "timeliness", 0, 0, "not applicable"),
        ]
    )
    scores = scores_by_load(quality)
    assert [(s.at[:7], s.dimension, s.looked_at, s.failing, s.share) for s in scores] == [
        ("2024-01", "validity", 10, 0, 1.0),
        ("2024-05", "completeness", 10, 0, 1.0),
        ("2024-05", "validity", 40, 4, 0.9),
    ]


def test_nothing_of_an_empty_table_passed():
    (score,) = scores_by_load(pa.Table.from_pylist([line(MAY, "validity", 0, 0, "fail")]))
    assert score.share == 0


def test_what_a_check_measures_can_be_kept_so(desk):
    seen = desk.check(
        {"kg": [1.0, None]}, desk.columns("[{name: kg, logicalType: number, required: true}]")
    )
    kept = pa.Table.from_pylist(
        [{"_known": MAY, **vars(measure)} for measure in seen.checked.measures]
    )
    (score,) = scores_by_load(kept)
    assert (score.dimension, score.looked_at, score.failing) == ("completeness", 2, 1)
