import json
import shutil
from types import SimpleNamespace

import pytest

from qua3ck.transfer import check_release


@pytest.fixture
def version(lender, tmp_path):
    made = lender.release()
    copy = tmp_path / "copy"
    shutil.copytree(lender.root / made.path, copy)
    for path in copy.rglob("*"):
        path.chmod(0o755)
    return copy


def _edit(path, **changed):
    path.write_text(json.dumps({**json.loads(path.read_bytes()), **changed}))


def test_each_kind_of_wrong_row_is_refused_by_the_released_model(version):
    refused, accepted = check_release.refusals(version, check_release.load(version))
    assert accepted == []
    assert refused >= 4  # a stranger, one too few, a word for a number, no rows


def test_a_model_that_takes_anything_is_told(version):
    lax = SimpleNamespace(predict=lambda _, rows: rows)
    refused, accepted = check_release.refusals(version, lax)
    assert refused == 0
    assert "a column that nobody knows is not refused" in accepted


def test_a_verdict_that_did_not_pass_is_told(version):
    assert check_release.broken_promises(version) == []
    path = version / "records" / "conclusion.json"
    kpis = json.loads(path.read_bytes())["kpis"]
    _edit(path, release_allowed=False, kpis=[{**kpis[0], "verdict": "undecided"}, *kpis[1:]])
    said = check_release.broken_promises(version)
    assert said == [f"{kpis[0]['id']} is undecided", "the verdict allowed no release"]


@pytest.mark.parametrize(
    ("changed", "says"),
    [
        ({"outputs": ["score"]}, "answers have the columns"),
        ({"classes": ["x", "y"]}, "a label is no class"),
    ],
)
def test_answers_outside_the_schema_are_told(version, changed, says):
    _edit(version / "schema.json", **changed)
    rows, said = check_release.replay(version, check_release.load(version))
    assert rows > 0
    assert says in said[0]
