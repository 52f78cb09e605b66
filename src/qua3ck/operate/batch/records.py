"""What a batch prediction is asked, and what it came to."""

from __future__ import annotations

from dataclasses import dataclass

from qua3ck.kit.findings import Finding


@dataclass(frozen=True)
class Asked:
    """One order to predict.

    Attributes
    ----------
    table : str
        A source, a gold table, ``layer/name``, or the path of a ``.csv`` or ``.parquet`` file.
    to : str
        A table (kept as ``predictions/<name>``), or the path of a ``.csv`` or ``.parquet`` file.
    alias : str
        Whose version answers.
    version : int or None
        Instead of an alias: a version that was promoted once.
    key : tuple of str
        Columns to copy beside each answer, also personal ones: they are asked for by name.
    like : str
        The source whose declared way of reading holds for a ``.csv`` file; empty for none.
    """

    table: str
    to: str
    alias: str = "champion"
    version: int | None = None
    key: tuple[str, ...] = ()
    like: str = ""


@dataclass(frozen=True)
class Predicted:
    """What a batch prediction came to; ``rows`` is always ``predicted`` + ``held``.

    Attributes
    ----------
    run : str
        Digest of input, version, key and destination: the same order has the same.
    source, source_version, source_digest : str, int or None, str
        What was read; a file has no version.
    to, to_version, to_digest : str, int or None, str
        Where the answers are, and the digest of the files they were written as.
    version, alias, release : int, str, str
        Which version answered, by which alias (empty if it was named), and its digest.
    rows, predicted, held, outside : int
        Rows read, answered, held back; answered though outside the range of training.
    key : tuple of str
        Columns that were copied.
    left_aside : tuple of str
        Columns of the input that the version does not read.
    findings : tuple of Finding
        Why rows are held or flagged, and why a key was not copied.
    fresh : bool
        Whether this call wrote anything.
    taken_up : int
        Rows that a call before, which was cut off, had read already.
    seconds : float
        Of this call.
    """

    run: str
    source: str
    source_version: int | None
    source_digest: str
    to: str
    to_version: int | None
    to_digest: str
    version: int
    alias: str
    release: str
    rows: int
    predicted: int
    held: int
    outside: int
    at: str
    key: tuple[str, ...] = ()
    left_aside: tuple[str, ...] = ()
    findings: tuple[Finding, ...] = ()
    fresh: bool = True
    taken_up: int = 0
    seconds: float = 0.0

    @property
    def rows_per_second(self) -> float:
        """Rows that this call read, per second."""
        return (self.rows - self.taken_up) / self.seconds if self.fresh and self.seconds else 0.0
