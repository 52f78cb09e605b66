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
from qua3ck.understand.gold.openlineage import ActFact, LoadFact, events
from qua3ck.understand.gold.received import answers_of, pieces_of
from qua3ck.understand.gold.trace import (
    Record,
    Step,
    Trace,
    TracedRow,
    asked_columns,
    condition,
    record_of,
    trace,
)

__all__ = [
    "ActFact",
    "Built",
    "Input",
    "LoadFact",
    "Record",
    "Step",
    "Trace",
    "TracedRow",
    "answers_of",
    "asked_columns",
    "build_tables",
    "built_tables",
    "condition",
    "current_inputs",
    "events",
    "made_in_memory",
    "make_tables",
    "pieces_of",
    "read_input",
    "record_of",
    "record_tables",
    "trace",
]
