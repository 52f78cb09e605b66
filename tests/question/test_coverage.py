"""A small version of ``prove/coverage.py``: one or two cases of each method, few repeats."""

import importlib.util
import sys
from dataclasses import replace
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def load():
    spec = importlib.util.spec_from_file_location("coverage_proof", ROOT / "prove" / "coverage.py")
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


proof = load()
WANTED = [
    ("roc_auc", "normal, AUC 0.96, 10% positive", 400),
    ("roc_auc", "wide, AUC 0.8, 50% positive", 60),
    ("f1", "10% positive, shift 2.0", 500),
    ("balanced_accuracy", "50% positive, shift 1.5", 60),
    ("brier", "50% positive, shift 1.5", 200),
    ("log_loss", "sure, 0.5% wrong", 60),
    ("mae", "exponential errors", 200),
    ("mae", "laplace errors", 2500),
    ("rmse", "normal errors", 200),
    ("average_precision", "50% positive, shift 1.5", 2500),
    ("ece", "bent 1.5", 400),
    ("equal_opportunity_difference", "4 groups, shifts (1.0, 1.6, 1.0, 1.0)", 600),
    ("accuracy", "ICC 0.33, tens, shift 1.5", 40),
    ("roc_auc", "ICC 0.33, tens, shift 1.5", 100),
    ("accuracy", "memory 0.5, shift 1.5", 1000),
    ("rmse", "memory 0.5", 1000),
]
CASES = {
    (case.metric, case.kind, case.n): case for case in proof.cases() if case.confidence == 0.95
}


@pytest.mark.parametrize("wanted", WANTED, ids=str)
def test_bounds_cover_inside_their_domain(wanted):
    case = CASES[wanted]
    truth = proof.truths([case])[proof.key(case)]
    line = proof.measure(case, repeats=120, truth=truth)
    assert line.used >= 60
    assert line.holds, line


@pytest.mark.parametrize(
    ("wanted", "n"),
    [
        (("roc_auc", "normal, AUC 0.96, 10% positive", 400), 30),
        (("f1", "2% positive, shift 2.5", 200), 60),
        (("mae", "exponential errors", 100), 58),
        (("r2", "normal errors", 200), 120),
        (("rmse", "log-normal errors", 60), 60),
        (("accuracy", "ICC 0.8, tens, shift 1.5", 40), 8),
        (("accuracy", "memory 0.98, shift 1.5", 300), 300),
    ],
    ids=str,
)
def test_outside_of_it_nearly_everything_is_undecided(wanted, n):
    case = replace(CASES[wanted], n=n)
    line = proof.measure(case, repeats=60, truth=0.5)
    assert line.used <= 6


def test_exact_methods_cover_by_sums():
    for method, case, confidence, worst in proof.exact_lines():
        if "10000" not in case and "300" not in case:
            assert worst >= confidence - proof.SLACK - 1e-9, (method, case)


def test_every_method_of_the_proof_has_a_domain_and_back():
    proved = {case.method for case in proof.cases()} | {line[0] for line in proof.exact_lines()}
    assert proved - {"paired"} == set(proof.DOMAINS)


@pytest.mark.parametrize("wanted", [("brier", "sure, equal", 100), ("f1", "rows, different", 100)])
def test_bounds_of_a_difference_cover(wanted):
    line = proof.measure_difference(CASES[wanted], repeats=100)
    assert line.used >= 20
    assert line.holds, line


def test_what_an_interrupted_run_has_measured_is_kept(tmp_path, monkeypatch):
    monkeypatch.setattr(proof, "KEPT", tmp_path / "kept.jsonl")
    case = CASES["roc_auc", "wide, AUC 0.8, 50% positive", 60]
    first = proof._measured([case], 100)
    monkeypatch.setattr(proof, "run", None)
    assert proof._measured([case], 100) == first
    monkeypatch.setattr(proof, "CODE", "other code")
    assert proof._kept() == {}
