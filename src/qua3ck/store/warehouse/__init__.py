"""Tables that are kept: every act is a new version, and what was known on a day can be read.

Delta Lake below, in the project folder (``warehouse/<layer>/<name>``); SQL through DuckDB. Only
relative paths are written, so that a copied folder still reads.
"""

from qua3ck.store.warehouse.columns import META, storable, storable_schema
from qua3ck.store.warehouse.commits import Version, next_known
from qua3ck.store.warehouse.digests import content_digest
from qua3ck.store.warehouse.engine import Engine
from qua3ck.store.warehouse.keeping import RESTORED, Sizes, Sweep, lost_versions, unswept
from qua3ck.store.warehouse.tables import Warehouse

__all__ = [
    "META",
    "RESTORED",
    "Engine",
    "Sizes",
    "Sweep",
    "Version",
    "Warehouse",
    "content_digest",
    "lost_versions",
    "next_known",
    "storable",
    "storable_schema",
    "unswept",
]
