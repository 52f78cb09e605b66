"""Looks through a version's folder for what must not be loaded, run, shown or relied on."""

from qua3ck.transfer.security.scan import SCANNED, Scan, accept_key, scan, what_to_write

__all__ = ["SCANNED", "Scan", "accept_key", "scan", "what_to_write"]
