"""Ctrl-C and kill -9 at the worst moments: what is typed again ends as if nothing had happened."""

from __future__ import annotations

import signal
from collections.abc import Iterator

import pytest
from mortal import Death, Mother
from stock_project import Bench

APPEND = "qua3ck.ledger.writing:Ledger.append"
TRIAL = "qua3ck.a3.tuning:TrialLog.append"
SAYS = "qua3ck.cli.terminal:_plain"
RENAME = "pathlib:Path.rename"
CHAIN = "ledger/chain.jsonl"
KILLED = [
    ("understand", Death(SAYS, "splitting and sealing")),
    ("understand", Death(APPEND, "seal.made")),
    ("understand", Death(APPEND, "seal.made", "after")),
    ("loop", Death(TRIAL, "number=0")),
    ("loop", Death(TRIAL, "number=1", "after")),
    ("loop", Death(RENAME, "candidates/.")),
    ("loop", Death(APPEND, "candidate.kept", "after")),
    ("conclude", Death(CHAIN, "seal.opened")),
    ("conclude", Death(APPEND, "verdict.made")),
    ("release", Death(RENAME, "releases/.making-1")),
    ("release", Death(APPEND, "release.made")),
    ("release", Death(APPEND, "release.registered")),
    ("promote", Death(APPEND, "alias.moved", "after")),
]
INTERRUPTED = [
    ("understand", Death(SAYS, "splitting and sealing", by=signal.SIGINT)),
    ("loop", Death(TRIAL, "number=1", by=signal.SIGINT)),
    ("loop", Death(RENAME, "candidates/.", by=signal.SIGINT)),
    ("conclude", Death(CHAIN, "seal.opened", by=signal.SIGINT)),
    ("release", Death(RENAME, "releases/.making-1", by=signal.SIGINT)),
    ("promote", Death(APPEND, "alias.moved", "after", by=signal.SIGINT)),
]
VERBS = ("understand", "loop", "conclude", "release", "promote")


@pytest.fixture(scope="module")
def mother(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mother]:
    process = Mother(tmp_path_factory.mktemp("said"))
    yield process
    process.end()


def words(verb: str, bench: Bench) -> list[str]:
    return [verb, *(["--reason", "it passed"] if verb == "promote" else []), str(bench.root)]


def same_as_undisturbed(bench: Bench, stages: dict[str, Bench]) -> None:
    """Fail if the end differs from that of the line nobody disturbed, or has traces of deaths."""
    calm = stages["promote"]
    for name in ("candidates", "releases/1/model"):
        ours, theirs = ({p.name for p in (b.root / name).iterdir()} for b in (bench, calm))
        assert ours == theirs, name
    for event, facts in {
        "seal.opened": ("seal", "candidate", "k", "m", "rows"),
        "release.made": ("version", "candidate", "snapshot", "question", "opening"),
        "alias.moved": ("alias", "version", "from"),
    }.items():
        ours, theirs = (
            [{fact: entry["body"][fact] for fact in facts} for entry in b.events(event)]
            for b in (bench, calm)
        )
        assert ours == theirs, event
        assert len(ours) == 1
    verdicts = [
        {key: b.events("verdict.made")[-1]["body"][key] for key in ("kpis", "predictions", "rows")}
        for b in (bench, calm)
    ]
    assert verdicts[0] == verdicts[1]
    assert bench.type("audit", "verify").code == 0
    assert list((bench.root / "releases").glob(".making*")) == []
    assert bench.facts("check")["ok"]


@pytest.mark.parametrize("deaths", [KILLED, INTERRUPTED], ids=["kill -9", "Ctrl-C"])
def test_a_line_that_dies_in_every_phase_ends_as_an_undisturbed_one(deaths, at, stages, mother):
    bench = at("begun")
    for verb in VERBS:
        for phase, death in deaths:
            if phase != verb:
                continue
            code, said = mother.start(*words(verb, bench), die=death).end()
            assert "Traceback" not in said, said
            if death.by == signal.SIGKILL:
                assert code == -signal.SIGKILL, f"{death}: {said}"
            else:
                assert code == 2, f"{death}: {said}"
                assert "error: Interrupted; what was finished is kept" in said
                assert "type the same command again" in said
        code, said = mother.start(*words(verb, bench)).end()
        assert code == 0, said
    same_as_undisturbed(bench, stages)


def test_a_run_killed_again_and_again_ends_as_an_undisturbed_one(at, stages, mother):
    bench = at("begun")
    killed, seconds = 0, 0.2
    while True:
        death = Death("seconds", str(seconds))
        code, said = mother.start("run", str(bench.root), die=death).end()
        if code != -signal.SIGKILL:
            break
        killed, seconds = killed + 1, seconds * 2
    assert code == 0, said
    assert killed >= 3
    for verb in ("release", "promote"):
        bench.done(*words(verb, bench)[:-1])
    same_as_undisturbed(bench, stages)


def test_of_two_runs_at_once_one_is_told_and_the_other_ends_well(at, stages, mother):
    bench = at("begun")
    lines = [mother.start("run", str(bench.root)) for _ in range(2)]
    ends = [line.end() for line in lines]
    codes = sorted(code for code, _ in ends)
    assert codes == [0, 2], ends
    refused = next(said for code, said in ends if code == 2)
    assert "Another qua3ck is at work in this folder: qua3ck run" in refused
    for verb in ("release", "promote"):
        bench.done(*words(verb, bench)[:-1])
    same_as_undisturbed(bench, stages)
