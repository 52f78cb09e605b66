"""Every table with its owner, columns, quality and lineage, as pages from a folder."""

from qua3ck.understand.catalog.collect import collect
from qua3ck.understand.catalog.records import ColumnFacts, TableFacts
from qua3ck.understand.catalog.site import write_site

__all__ = ["ColumnFacts", "TableFacts", "collect", "write_site"]
