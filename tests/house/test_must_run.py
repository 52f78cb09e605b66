"""A bar that has nothing to measure is no bar: where data are promised, a skip is a failure."""

from __future__ import annotations

import importlib.util
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
TESTS = """
import pytest

@pytest.mark.skipif(True, reason="the spreadsheets of ../shared/data are not there")
def test_marked():
    pass

def test_server():
    pytest.skip("no server at 127.0.0.1:3306")

@pytest.mark.skipif(True, reason="modes are a POSIX idea")
def test_elsewhere():
    pass
"""


@pytest.mark.parametrize(
    ("promised", "ends"),
    [("", "3 skipped"), ("data", "2 skipped, 1 error"), ("1", "1 failed, 1 skipped, 1 error")],
)
def test_a_skip_for_want_of_what_is_promised_fails(promised, ends, tmp_path, monkeypatch):
    shutil.copy(ROOT / "tests" / "conftest.py", tmp_path)
    (tmp_path / "test_some.py").write_text(TESTS)
    (tmp_path / "pytest.ini").write_text("[pytest]\n")
    monkeypatch.setenv("QUA3CK_MUST_RUN", promised)
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(tmp_path)]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert ends in done.stdout.splitlines()[-1]
    assert ("QUA3CK_MUST_RUN promises data" in done.stdout) is bool(promised)


@pytest.fixture
def run_all():
    spec = importlib.util.spec_from_file_location("run_all", ROOT / "benchmarks" / "run_all.py")
    made = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(made)
    return made


def test_serving_is_measured_beside_its_peers_unless_told_otherwise(run_all, monkeypatch):
    monkeypatch.delenv("QUA3CK_BENCH_PEERS", raising=False)
    assert run_all.options("serving") == ["--peers"]
    assert run_all.options("csv_load") == []
    monkeypatch.setenv("QUA3CK_BENCH_PEERS", "0")
    assert run_all.options("serving") == []


@pytest.mark.parametrize(("promised", "code"), [("", 0), ("postgres", 0), ("data", 1), ("1", 1)])
def test_a_benchmark_without_data_says_so(promised, code, run_all, monkeypatch, capsys):
    monkeypatch.setattr(run_all, "measured", lambda script: {})
    monkeypatch.setenv("QUA3CK_MUST_RUN", promised)
    assert run_all.main(["dirty_tables"]) == code
    assert "no data" in capsys.readouterr().out
