"""Gold tables: what products are made of, in the order they need each other, traced to raw."""

from qua3ck.understand.gold.build import (
    Built,
    Input,
    build_tables,
    built_tables,
    made_in_memory,
    read_input,
)
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
    "events",
    "made_in_memory",
    "read_input",
    "trace",
]
