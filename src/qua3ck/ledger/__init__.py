"""The append-only, hash-chained, signed record of every decision, and its verification."""

from qua3ck.ledger.entries import Entry
from qua3ck.ledger.following import Following
from qua3ck.ledger.heads import Head
from qua3ck.ledger.verifying import Verification
from qua3ck.ledger.writing import Ledger

__all__ = ["Entry", "Following", "Head", "Ledger", "Verification"]
