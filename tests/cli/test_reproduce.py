from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace

import pytest

from qua3ck.cli import reproduce
from qua3ck.cli.main import Parser
from qua3ck.question.records import Risk
from qua3ck.transfer.records import Certificate, Remade
from qua3ck.transfer.section import Transfer

GOLDEN = Remade("golden", False, False, True, "labels equal", "row 3: another label")


@pytest.fixture
def typed(monkeypatch):
    def run(*compared: Remade, differences: tuple[str, ...] = (), asked: str = "nobody") -> int:
        made = Certificate(
            version=1,
            release="r",
            same=not differences,
            compared=compared,
            differences=differences,
            environment={},
            fresh_env=False,
            actor="ana",
            at="2026-01-01",
        )
        project = SimpleNamespace(
            root=Path(),
            newest=lambda version: version,
            reproduce=lambda *_, **__: made,
            file=SimpleNamespace(
                question=SimpleNamespace(risk=Risk(affects="nobody")),
                transfer=Transfer(approve=asked),
            ),
        )

        @contextmanager
        def opened(_):
            yield project

        monkeypatch.setattr(reproduce, "opened", opened)
        parser = Parser()
        reproduce.add_arguments(parser)
        return reproduce.run(parser.parse_args(["1"]))

    return run


def test_a_version_that_differs_ends_with_1_and_says_what(typed, capsys):
    assert typed(GOLDEN, differences=("predictions differ",)) == 1
    said = capsys.readouterr().out
    assert "version 1 is NOT reproduced" in said
    assert "row 3: another label" in said
    assert said.splitlines()[-1] == "next: qua3ck explain K010"


@pytest.mark.parametrize(
    ("asked", "following"), [("nobody", "promote 1"), ("two_person", "approve 1")]
)
def test_a_version_that_is_the_same_ends_with_0_and_says_what_is_due(
    typed, capsys, asked, following
):
    assert typed(asked=asked) == 0
    said = capsys.readouterr().out
    assert "is reproduced" in said
    assert said.splitlines()[-1].startswith(f"next: qua3ck {following} ")
