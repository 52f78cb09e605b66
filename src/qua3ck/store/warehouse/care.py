"""The acts that keep tables readable and small; the half of a warehouse that loads nothing."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import AbstractContextManager
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from qua3ck.store.warehouse import keeping
from qua3ck.store.warehouse.columns import PIECE
from qua3ck.store.warehouse.keeping import Sizes, Sweep

if TYPE_CHECKING:
    from qua3ck.store.warehouse.folder import Folder

BY_PIECE = (PIECE,)


class Care:
    """Folding, giving up old versions, going back; only used as a part of a warehouse."""

    _root: Path
    if TYPE_CHECKING:  # what the other half brings

        def _watched(self, act: str, table: str) -> AbstractContextManager[Folder]: ...

    def compact(self, table: str, *, by: Sequence[str] = BY_PIECE, beyond: float = 0.0) -> int:
        """Fold the table to its current rows as a new version; older versions stay readable.

        Parameters
        ----------
        by : sequence of str
            The identity that :meth:`current` is asked with.
        beyond : float
            Fold only if the rows that came since the last fold are more than this share of
            the folded ones.

        Returns
        -------
        int
            The last version, new or not.
        """
        with self._watched("write", table) as folder, folder.sole_writer():
            return keeping.fold(folder, by, beyond=beyond)

    def vacuum(self, table: str, *, keep_versions: Iterable[int], dry_run: bool = False) -> Sweep:
        """Remove files that neither the last version nor those to be kept need.

        Parameters
        ----------
        keep_versions : iterable of int
            Versions that must stay readable: what snapshots and releases are pinned to, and
            those of loads that shall still be read ``as_of``. Asked for when no other writer
            is at work on the table, so a generator sees its latest state.
        dry_run : bool
            Only say what would be freed.

        Returns
        -------
        Sweep
            Files, bytes, and the versions that can no longer be read.
        """
        with (
            self._watched("write", table) as folder,
            keeping.unswept(self._root),
            folder.sole_writer(),
        ):
            return keeping.sweep(folder, keep_versions, dry_run=dry_run)

    def restore(self, table: str, version: int, *, known: datetime) -> int:
        """Make an older version the last one, as a new version.

        Parameters
        ----------
        known : datetime
            The moment of this act, later than every load; :meth:`version_as_of` of moments
            before it still gives what was known then.
        """
        with self._watched("write", table) as folder, folder.sole_writer():
            return keeping.restore(folder, version, known=known)

    def sizes(self, table: str) -> Sizes:
        """Return how large a table is."""
        with self._watched("read", table) as folder:
            return keeping.sizes(folder)
