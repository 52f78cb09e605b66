"""Where a ledger may lie: file locks do not hold on network shares."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from qua3ck.kit.errors import Qua3ckError

_NETWORK = frozenset(
    {"nfs", "nfs4", "cifs", "smb", "smb2", "smb3", "smbfs", "ncpfs", "afs", "fuse.sshfs"}
)
_MOUNTS = Path("/proc/mounts")


def refuse_network_share(folder: Path, *, environment: Mapping[str, str] | None = None) -> None:
    """Refuse a folder on a network file system unless ``QUA3CK_NETWORK_SHARE=allow``.

    A platform without ``/proc/mounts`` is not checked.

    Raises
    ------
    Qua3ckError
        If two machines could write at once without seeing each other's lock.
    """
    env = os.environ if environment is None else environment
    if env.get("QUA3CK_NETWORK_SHARE") == "allow" or not _MOUNTS.exists():
        return
    kind = file_system(folder.resolve(), _MOUNTS.read_text(errors="replace"))
    if kind in _NETWORK:
        raise Qua3ckError(
            f"The ledger lies on a network share ({kind}), where a file lock may not hold",
            where=str(folder),
            fix="move the project to a local disk; or, if only one machine ever writes: "
            "export QUA3CK_NETWORK_SHARE=allow",
            code="L001",
        )


def file_system(folder: Path, mounts: str) -> str:
    """Return the type of the file system of an absolute folder, given the text of /proc/mounts."""
    best, kind = -1, ""
    for line in mounts.splitlines():
        fields = line.split(" ")
        if len(fields) < 3:
            continue
        point = Path(fields[1].encode().decode("unicode_escape"))
        if folder.is_relative_to(point) and len(point.parts) >= best:
            best, kind = len(point.parts), fields[2]
    return kind
