"""Where rows come from: CSV files, Parquet files, and functions that return a table."""

from qua3ck.understand.sources.read import Loaded, read_source

__all__ = ["Loaded", "read_source"]
