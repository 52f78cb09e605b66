from __future__ import annotations

import subprocess
import sys
from importlib import metadata

from packaging.requirements import Requirement

from qua3ck.transfer.environment import (
    all_hashed,
    copy_ourselves,
    differences,
    lock_lines,
    running_environment,
)


def test_every_direct_dependency_is_there_in_the_installed_version():
    found = running_environment().packages
    for line in metadata.requires("qua3ck") or ():
        needed = Requirement(line)
        if needed.marker is not None and not needed.marker.evaluate({"extra": ""}):
            continue  # of an extra: a model does not rest on it
        name = needed.name.replace("_", "-").replace(".", "-").lower()
        assert found[name] == metadata.version(name)
    assert "qua3ck" not in found
    assert "pytest" not in found


def test_what_a_dependency_needs_is_there_too():
    assert {"numpy", "scipy", "joblib", "threadpoolctl"} <= running_environment(
        "scikit-learn"
    ).packages.keys()


def test_hashes_are_taken_from_a_lock_with_the_same_versions(tmp_path):
    environment = running_environment("packaging")
    environment = type(environment)(
        **{**vars(environment), "packages": {"six": "1.2", "zipp": "3"}}
    )
    lock = tmp_path / "run.txt"
    digest = "sha256:" + "a" * 64
    lock.write_text(
        f"six==1.2 \\\n    --hash={digest}\n    # via x\nzipp==3 ; python_version < '4' \\\n"
        f"    --hash={digest}\n"
    )
    lines = lock_lines(environment, locks=[lock, tmp_path / "missing.txt"])
    assert lines[-2:] == [f"six==1.2 \\\n    --hash={digest}", f"zipp==3 \\\n    --hash={digest}"]
    assert all_hashed("\n".join(lines))


def test_one_package_without_a_hash_leaves_all_out_and_says_so(tmp_path):
    environment = running_environment("packaging")
    environment = type(environment)(
        **{**vars(environment), "packages": {"six": "1.2", "zipp": "4"}}
    )
    lock = tmp_path / "run.txt"
    lock.write_text("six==1.2 \\\n    --hash=sha256:" + "a" * 64 + "\n")
    lines = lock_lines(environment, locks=[lock])
    assert lines[-2:] == ["six==1.2", "zipp==4"]
    assert "without hashes: 1 of 2" in lines[-3]
    assert not all_hashed("\n".join(lines))


def test_an_empty_lock_is_not_a_hashed_lock():
    assert not all_hashed("# nothing\n")


def test_what_differs_is_said_by_name():
    then = {"python": "3.11.7", "qua3ck": "0.1.0", "packages": {"six": "1", "numpy": "2.4"}}
    now = {"python": "3.12.1", "qua3ck": "0.1.0", "packages": {"numpy": "2.5", "zipp": "3"}}
    assert differences(then, now) == (
        "python 3.11.7 -> 3.12.1", "numpy 2.4 -> 2.5", "six 1 -> (none)", "zipp (none) -> 3",
    )  # fmt: skip
    assert differences(then, then) == ()


def test_a_new_environment_finds_us_and_nothing_else_of_this_one(tmp_path):
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", tmp_path / "venv"], check=True)
    python = tmp_path / "venv" / "bin" / "python"
    copy_ourselves(python)
    code = (
        "import qua3ck, importlib.metadata as m, importlib.util as u;"
        "print(qua3ck.__file__, m.version('qua3ck'), u.find_spec('numpy'))"
    )
    done = subprocess.run(
        [python, "-P", "-c", code], capture_output=True, text=True, check=True, cwd=tmp_path
    )
    where, version, numpy = done.stdout.split()
    assert where.startswith(str(tmp_path))
    assert (version, numpy) == (metadata.version("qua3ck"), "None")
