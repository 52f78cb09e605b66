from __future__ import annotations

import pytest

from qua3ck.transfer.security.pins import Pin, pins

HASH = "--hash=sha256:" + "0a" * 32


def test_a_lock_as_pip_compile_writes_it():
    lock = (
        "# Python 3.11\n--require-hashes\n-f wheels\n"
        f"NumPy==2.1.0 \\\n    {HASH} \\\n    {HASH}\n    # via qua3ck\n"
        f"scikit_learn==1.9.0 ; python_version >= '3.11' \\\n    {HASH}\nbare==1.0\n"
    )
    assert pins(lock) == (
        Pin("numpy", "2.1.0", True, 4),
        Pin("scikit-learn", "1.9.0", True, 8),
        Pin("bare", "1.0", False, 10),
    )


@pytest.mark.parametrize(
    "line",
    ["numpy", "numpy>=2", "numpy==2.*", "numpy==2.0,!=2.0.1", "numpy @ https://x.example/n.whl",
     "-e .", "--editable ./folder", "./folder", "-r other.txt", "git+https://x.example/n.git"],
)  # fmt: skip
def test_what_could_be_more_than_one_version_is_not_pinned(line):
    (pin,) = pins(f"{line} {HASH}\n")
    assert pin.version == ""


@pytest.mark.parametrize("hashed", ["--hash=md5:00", "--hash=sha256:0a", "# " + HASH])
def test_a_weak_short_or_commented_hash_is_none(hashed):
    (pin,) = pins(f"numpy==2.0 {hashed}")
    assert (pin.version, pin.hashed) == ("2.0", False)


def test_an_empty_lock_has_no_pins():
    assert pins("# nothing\n\n") == ()
