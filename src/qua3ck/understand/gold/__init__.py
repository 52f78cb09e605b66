"""Gold tables: what products are made of, in the order they need each other, traced to raw."""

from qua3ck.understand.gold.build import (
    Built,
    Input,
    build_tables,
    built_tables,
    current_inputs,
    made_in_memory,
    read_input,
)
from qua3ck.understand.gold.making import make_tables, record_tables
from qua3ck.understand.gold.openlineage import LoadFact, events
from qua3ck.understand.gold.trace import Record, Trace, TracedRow, trace

__all__ = [
    "Built",
    "Input",
    "LoadFact",
    "Record",
    "Trace",
    "TracedRow",
    "build_tables",
    "built_tables",
    "current_inputs",
    "events",
    "made_in_memory",
    "make_tables",
    "read_input",
    "record_tables",
    "trace",
]
