"""Every column that is handed out has its type, its key and what it means beside it."""

from __future__ import annotations

import datetime as dt

import pyarrow as pa

from qua3ck.understand.publish.dictionary import dictionary
from qua3ck.understand.publish.star import calendar, split
from qua3ck.understand.section import Star


def test_what_publishing_adds_is_explained_like_what_was_there(tmp_path):
    rows = pa.table(
        {
            "id": ["1"],
            "vendor": ["V"],
            "due": [dt.date(2026, 3, 1)],
            "loaded_at": pa.array([dt.datetime(2026, 3, 2, tzinfo=dt.UTC)]),
            "quality": ["ok"],
        }
    ).to_reader()
    star = Star(key=("id",), dimensions={"vendor": ("vendor",)})
    made = split("orders", rows, star, folder=tmp_path, place="here")
    days = calendar(made)
    assert days is not None
    said = {"id": "the order", "vendor": "who sold it", "due": "when it is due"}
    lines = dictionary((days, *made), said, {"id": "orders.ID"}).to_pylist()
    assert [line for line in lines if not line["meaning"] or not line["type"]] == []
    told = {(line["table"], line["column"]): line for line in lines}
    assert told["fact_orders", "id"]["made from"] == "orders.ID"
    assert told["fact_orders", "id"]["key"] == "key"
    assert told["fact_orders", "vendor_key"]["key"] == "refers to dim_vendor.vendor_key"
    assert told["fact_orders", "due_key"]["key"] == "refers to dim_date.date_key"
    assert told["dim_date", "date_key"]["key"] == "key"
