"""The running qua3ck as a wheel: a hand-over then needs no index that has this very version."""

from __future__ import annotations

import base64
import hashlib
import io
import zipfile
from importlib import metadata
from pathlib import Path

from qua3ck.transfer.environment import own_locks

_NAME = "qua3ck"
_WHEN = (1980, 1, 1, 0, 0, 0)  # the same code gives the same bytes
_LEFT = {"__pycache__"}


def own_wheel() -> tuple[str, bytes]:
    """Return the file name and the bytes of a wheel of the package that is running.

    The same code gives the same bytes, whenever and wherever it is made.
    """
    facts = metadata.distribution(_NAME)
    about = f"{_NAME}-{facts.version}.dist-info"
    files = dict(_package())
    files[f"{about}/METADATA"] = (facts.read_text("METADATA") or "").encode()
    files[f"{about}/WHEEL"] = (
        b"Wheel-Version: 1.0\nGenerator: qua3ck export\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
    )
    files[f"{about}/entry_points.txt"] = (facts.read_text("entry_points.txt") or "").encode()
    record = f"{about}/RECORD"
    files[record] = "".join(_line(name, data) for name, data in files.items()).encode()
    files[record] += f"{record},,\n".encode()
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files.items():
            entry = zipfile.ZipInfo(name, _WHEN)
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.external_attr = 0o644 << 16
            archive.writestr(entry, data)
    return f"{_NAME}-{facts.version}-py3-none-any.whl", made.getvalue()


def _package() -> list[tuple[str, bytes]]:
    root = Path(__file__).parents[2]
    found = (path for path in sorted(root.rglob("*")) if path.is_file())
    files = {
        f"{_NAME}/{path.relative_to(root).as_posix()}": path.read_bytes()
        for path in found
        if not _LEFT & set(path.parts) and path.suffix != ".pyc"
    }
    for lock in own_locks():  # beside the sources, where it was installed from these
        if lock.is_file():
            files.setdefault(f"{_NAME}/requirements.txt", lock.read_bytes())
    return sorted(files.items())


def _line(name: str, data: bytes) -> str:
    digest = base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()
    return f"{name},sha256={digest},{len(data)}\n"
