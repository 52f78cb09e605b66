"""Whoever makes a version reads at once what its scan found, and what to write before signing."""

from contextlib import contextmanager
from types import SimpleNamespace

import pytest

from qua3ck.cli import release as verb
from qua3ck.cli.main import main
from qua3ck.govern import Release
from qua3ck.kit.findings import Finding
from qua3ck.kit.records import save
from qua3ck.transfer.security import SCANNED, Scan

MISSING = Finding("K026", "inform", "transfer.advisories", "so", {"not_checked": "known"})
KNOWN = Finding("K024", "block", "requirements.txt, numpy 2.1.0", "so", {"ids": ["MAL-1"]})
FILE = Finding("K021", "block", "code/f.py, line 2", "so", {"file": "code/f.py"})


@pytest.fixture
def released(tmp_path, monkeypatch, capsys):
    def type_in(risk, *findings):
        folder = tmp_path / "releases" / "1"
        folder.mkdir(parents=True)
        save(Scan(7, 1, 42, 0, "", findings, "ana"), folder / SCANNED)
        made = Release(
            version=1, path="releases/1", digest="d" * 64, candidate="c", snapshot="s",
            question="q", opening=1, model_format="onnx", registered="", at="t",
        )  # fmt: skip
        project = SimpleNamespace(
            root=tmp_path, release=lambda: made, risk_class=lambda: (risk, "why")
        )

        @contextmanager
        def opened(options):
            yield project

        monkeypatch.setattr(verb, "opened", opened)
        assert main(["release", str(tmp_path)]) == 0
        return capsys.readouterr().out

    return type_in


@pytest.mark.parametrize(
    ("risk", "findings", "wanted"),
    [
        ("high", (MISSING,), ["declare transfer.advisories", '{"K026": why}', "explain K026"]),
        ("limited", (MISSING, KNOWN), ['{"MAL-1": why}', "qua3ck promote 1", "explain K024"]),
        ("high", (MISSING, FILE), ['{"K021 code/f.py": why}', "explain K021"]),
    ],
)
def test_what_would_stop_it_is_said_with_what_to_write(released, risk, findings, wanted):
    said = released(risk, *findings)
    assert "scan: 7 files, 42 packages, 0 advisories" in said
    for finding in findings:
        assert f"{finding.code}  {finding.where}" in said
    for word in wanted:
        assert word in said
    assert said.splitlines()[-1].startswith("next: qua3ck reproduce 1")


@pytest.mark.parametrize(("risk", "finding"), [("limited", MISSING), ("minimal", FILE)])
def test_nothing_is_to_be_written_where_nothing_would_stop_it(released, risk, finding):
    said = released(risk, finding)
    assert finding.code in said
    assert "accept:" not in said
