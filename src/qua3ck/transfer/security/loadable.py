"""Which files run code when they are loaded: told by their bytes, whatever they are called.

A pickle is a program for a small machine that may import and call anything; joblib files,
numpy files with objects and many model formats are pickles inside. ONNX and skops are not:
the one is data, the other asks for types, and those are held against the trusted ones.
"""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import pickletools
import re
import zipfile
import zlib
from collections.abc import Callable, Sequence
from typing import IO, Any

HEAD = 1 << 16
_LARGEST_INSIDE = 1 << 27
_DEEPEST = 3
_MODULE = re.compile(r"[A-Za-z_][\w.]* [A-Za-z_][\w.]*")
_MOST_STEPS = 10_000
_NATIVE = {
    b"\x7fELF": "a native library or program",
    b"MZ": "a Windows library or program",
    b"\xfe\xed\xfa\xce": "a native library or program",
    b"\xfe\xed\xfa\xcf": "a native library or program",
    b"\xce\xfa\xed\xfe": "a native library or program",
    b"\xcf\xfa\xed\xfe": "a native library or program",
    b"\x89HDF\r\n\x1a\n": "an HDF5 file, in which layers can carry code",
}
_PACKED: dict[bytes, Callable[[IO[bytes]], io.BufferedIOBase]] = {
    b"\x1f\x8b": lambda raw: gzip.GzipFile(fileobj=raw),
    b"BZh": bz2.BZ2File,
    b"\xfd7zXZ\x00": lzma.LZMAFile,
    b"]\x00\x00": lzma.LZMAFile,
}
_UNREADABLE = {
    b"\x04\x22\x4d\x18": "LZ4",
    b"\x28\xb5\x2f\xfd": "Zstandard",
    b"7z\xbc\xaf\x27\x1c": "7-Zip",
    b"Rar!": "RAR",
}
_ZLIB = (b"\x78\x01", b"\x78\x5e", b"\x78\x9c", b"\x78\xda")
_BAD_FILE = (OSError, EOFError, ValueError, zlib.error, lzma.LZMAError, zipfile.BadZipFile)


def runs_code(data: bytes, *, own: Sequence[str] = (), depth: int = 0) -> str:
    """Return what is in ``data`` that can run code when it is loaded; empty if nothing is.

    Parameters
    ----------
    data : bytes
        The whole file.
    own : sequence of str
        Modules that the version ships for its model; a skops file may ask for their types.
    depth : int
        How many archives lie around it.

    Returns
    -------
    str
        In a few words, with no value of the file in it. What cannot be looked into counts:
        an archive that nobody can open is not known to be harmless.
    """
    for magic, what in _NATIVE.items():
        if data.startswith(magic) and (magic != b"MZ" or b"PE\0\0" in data[:HEAD]):
            return what
    if _is_bytecode(data):
        return "compiled Python"
    if is_pickle(data):
        return "a pickle"
    if data.startswith(b"\x93NUMPY") and _holds_objects(data):
        return "a numpy file with Python objects, which are pickled"
    if data[257:262] == b"ustar":
        return "a tar archive, which nobody looked into"
    if data.startswith(b"PK\x03\x04") or zipfile.is_zipfile(io.BytesIO(data)):
        return _in_zip(data, own, depth)
    return _in_packed(data, own, depth)


def is_pickle(data: bytes) -> bool:
    """Whether bytes are a pickle, of any protocol, also with raw arrays in it (joblib)."""
    if data[:1] == b"\x80" and data[1:2] in (b"\x02", b"\x03", b"\x04", b"\x05"):
        return True if len(data) <= 2 else _steps(data[: HEAD + 2]) > 1
    return _old_pickle(data)


def _old_pickle(data: bytes) -> bool:
    """Whether bytes are a pickle of protocol 0 or 1 that calls something; those have no mark.

    One that only holds text or numbers cannot run anything, and looks like many a text.
    """
    calls = named = False
    try:
        for count, (code, argument, _) in enumerate(pickletools.genops(data)):
            if code.name in {"GLOBAL", "INST"}:
                if not _MODULE.fullmatch(str(argument)):
                    return False
                named = True
            calls = calls or code.name in {"REDUCE", "OBJ", "INST", "BUILD", "NEWOBJ"}
            if code.name == "STOP" or count > _MOST_STEPS:
                return named and (calls or code.name == "STOP")
    except (ValueError, IndexError, UnicodeDecodeError, KeyError):
        return False
    return False


def _steps(data: bytes) -> int:
    """Return how many steps of a pickle's program can be read."""
    count = 0
    try:
        for count, _ in enumerate(pickletools.genops(data), start=1):
            if count > 2:
                break
    except (ValueError, IndexError, UnicodeDecodeError, KeyError):
        return count
    return count


def _is_bytecode(data: bytes) -> bool:
    return data[2:4] == b"\r\n" and 3000 <= int.from_bytes(data[:2], "little") < 4500


def _holds_objects(data: bytes) -> bool:
    """Whether a numpy file's header names objects; a header that cannot be read counts."""
    import numpy as np

    raw = io.BytesIO(data)
    try:
        version = np.lib.format.read_magic(raw)
        read: Any = np.lib.format.read_array_header_1_0
        if version > (1, 0):
            read = np.lib.format.read_array_header_2_0
        return bool(read(raw)[2].hasobject)
    except ValueError:
        return True


def _in_zip(data: bytes, own: Sequence[str], depth: int) -> str:
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            members = archive.infolist()
            if any(member.filename == "schema.json" for member in members):
                foreign = _foreign_types(data, own)
                if foreign:
                    return foreign
            for member in members:
                found = _in_member(archive, member, own, depth)
                if found:
                    return f"{found}, inside an archive"
    except (*_BAD_FILE, RuntimeError, NotImplementedError):
        return "an archive that cannot be looked into"
    return ""


def _in_member(
    archive: zipfile.ZipFile, member: zipfile.ZipInfo, own: Sequence[str], depth: int
) -> str:
    if depth >= _DEEPEST or member.file_size > _LARGEST_INSIDE:
        return "a part that cannot be looked into"
    with archive.open(member) as part:
        inside = part.read(_LARGEST_INSIDE + 1)  # the size in the index may be a lie
    if len(inside) > _LARGEST_INSIDE:
        return "a part that cannot be looked into"
    return runs_code(inside, own=own, depth=depth + 1)


def _foreign_types(data: bytes, own: Sequence[str]) -> str:
    """Return the first type a skops file asks for that is neither trusted nor the version's own."""
    import skops.io

    from qua3ck.store.releases.runner import foreign_types

    try:
        asked = skops.io.get_untrusted_types(data=data)
    except Exception:  # noqa: BLE001  # a file that skops cannot read may raise anything
        return "a skops file that cannot be read"
    foreign = foreign_types(asked, list(own))
    return f"a skops file that asks for the type {foreign[0][:80]}" if foreign else ""


def _in_packed(data: bytes, own: Sequence[str], depth: int) -> str:
    for magic, name in _UNREADABLE.items():
        if data.startswith(magic):
            return f"packed with {name}, which nobody looked into"
    try:
        for magic, unpack in _PACKED.items():
            if data.startswith(magic):
                return _inside(unpack(io.BytesIO(data)).read(_LARGEST_INSIDE + 1), own, depth)
        if data.startswith(_ZLIB):
            return _inside(zlib.decompressobj().decompress(data, _LARGEST_INSIDE + 1), own, depth)
    except _BAD_FILE:
        return ""  # it only began like a packed file
    return ""


def _inside(unpacked: bytes, own: Sequence[str], depth: int) -> str:
    if depth >= _DEEPEST or len(unpacked) > _LARGEST_INSIDE:
        return "a packed part that cannot be looked into"
    found = runs_code(unpacked, own=own, depth=depth + 1)
    return f"{found}, packed" if found else ""
