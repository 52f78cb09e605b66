from __future__ import annotations

import bz2
import gzip
import io
import lzma
import marshal
import os
import pickle
import tarfile
import zipfile
import zlib
from importlib.util import MAGIC_NUMBER

import joblib
import numpy as np
import pytest
import skops.io
from sklearn.linear_model import LinearRegression

from qua3ck.transfer.security.loadable import is_pickle, runs_code


class Harmful:
    """Asks for the working folder when it is unpickled: it runs, and harms nobody."""

    def __reduce__(self):
        return (os.getcwd, ())


def in_zip(data: bytes, name: str = "part.bin") -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("readme.txt", "nothing here")
        archive.writestr(name, data)
    return out.getvalue()


def in_tar(data: bytes) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as archive:
        member = tarfile.TarInfo("part")
        member.size = len(data)
        archive.addfile(member, io.BytesIO(data))
    return out.getvalue()


def by_joblib(value: object, **how: object) -> bytes:
    out = io.BytesIO()
    joblib.dump(value, out, **how)
    return out.getvalue()


def by_numpy(values: np.ndarray) -> bytes:
    out = io.BytesIO()
    np.save(out, values, allow_pickle=True)
    return out.getvalue()


def by_numpy_zip(values: np.ndarray) -> bytes:
    out = io.BytesIO()
    np.savez_compressed(out, values=values)
    return out.getvalue()


HARM = pickle.dumps(Harmful())
ROWS = np.arange(50_000, dtype=float)


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_a_pickle_of_every_protocol_is_known_without_its_name(protocol):
    assert runs_code(pickle.dumps(Harmful(), protocol=protocol)) == "a pickle"
    assert runs_code(pickle.dumps(LinearRegression(), protocol=protocol)) == "a pickle"


@pytest.mark.parametrize(
    "data",
    [by_joblib({"w": ROWS}), by_joblib(ROWS), by_joblib({"w": ROWS}, compress=("zlib", 3)),
     by_joblib({"w": ROWS}, compress=("gzip", 3)), by_joblib({"w": ROWS}, compress=("xz", 3)),
     gzip.compress(HARM), bz2.compress(HARM), lzma.compress(HARM), zlib.compress(HARM),
     in_zip(HARM), in_zip(in_zip(HARM)), in_zip(gzip.compress(HARM)), b"junk" + in_zip(HARM),
     by_numpy(np.array([Harmful()], dtype=object)), by_numpy_zip(np.array([{}], dtype=object))],
    ids=["joblib", "joblib array", "joblib zlib", "joblib gzip", "joblib xz", "gzip", "bzip2",
         "xz", "zlib", "zip", "zip in zip", "gzip in zip", "zip behind junk", "npy of objects",
         "npz of objects"],
)  # fmt: skip
def test_a_pickle_is_found_inside_what_it_is_packed_in(data):
    assert runs_code(data)


@pytest.mark.parametrize(
    ("data", "what"),
    [(MAGIC_NUMBER + bytes(12) + marshal.dumps(compile("1", "x", "exec")), "compiled Python"),
     (b"\x7fELF" + bytes(60), "a native library or program"),
     (b"MZ" + bytes(60) + b"PE\0\0", "a Windows library or program"),
     (b"\x89HDF\r\n\x1a\n" + bytes(60), "HDF5"), (in_tar(HARM), "tar"),
     (in_zip(bytes(100))[:-10], "cannot be looked into"), (b"\x04\x22\x4d\x18aaaa", "LZ4")],
    ids=["pyc", "elf", "exe", "hdf5", "tar", "broken zip", "lz4"],
)  # fmt: skip
def test_what_else_runs_code_or_cannot_be_looked_into_is_named(data, what):
    assert what in runs_code(data)


@pytest.mark.parametrize(
    "data",
    [b"", b"{}", b'{"a": [1, 2]}', b"cat\ndog\nI saw it.\n", b"import os\nprint(1)\n",
     "ümläüte\n".encode(), b"MZ is how this sentence begins", b"PK", b"xylophone",
     b"numpy==2.0 --hash=sha256:00\n", by_numpy(ROWS[:10]), by_numpy_zip(ROWS[:10]),
     in_zip(b"just text"), gzip.compress(b"just text", mtime=0), b"x\x9c is no zlib",
     b"ab\r\ncd\r\n", b"N.", b"0."],
)  # fmt: skip
def test_harmless_bytes_stay_unsuspected(data):
    assert runs_code(data) == ""


def test_an_onnx_model_is_data(lender_artefact):
    folder, _ = lender_artefact
    assert runs_code((folder / "model.onnx").read_bytes()) == ""


def own_step(values):
    return values


def test_a_skops_file_may_ask_for_trusted_types_and_the_versions_own_functions_only():
    from sklearn.preprocessing import FunctionTransformer

    plain = skops.io.dumps(LinearRegression().fit([[0.0], [1.0]], [0.0, 1.0]))
    assert runs_code(plain) == ""
    strange = skops.io.dumps(FunctionTransformer(own_step))
    module = own_step.__module__
    assert f"asks for the type {module}" in runs_code(strange)
    assert runs_code(strange, own=[module]) == ""


@pytest.mark.parametrize("pack", [in_zip, gzip.compress, zlib.compress])
def test_what_is_packed_too_deep_is_not_unpacked_to_the_end(pack):
    layers = b"harmless"
    for _ in range(3):
        layers = pack(layers)
    assert runs_code(layers) == ""
    for _ in range(2):
        layers = pack(layers)
    assert "cannot be looked into" in runs_code(layers)


def test_nothing_is_run_while_looking(monkeypatch):
    ran = []
    monkeypatch.setattr(os, "getcwd", lambda: ran.append(1) or "")
    assert is_pickle(HARM)
    assert runs_code(in_zip(HARM))
    assert ran == []
