from __future__ import annotations

import pyarrow as pa
import pytest

from qua3ck.kit.findings import Finding
from qua3ck.understand.sources.cells import Marks, kind_of
from qua3ck.understand.sources.columns import Column, with_kinds
from qua3ck.understand.sources.suspicions import Suspicions, other_marks


def noticed(*blocks: list[str], marks: Marks = Marks()) -> list[Finding]:  # noqa: B008
    first = pa.array(blocks[0], pa.string())
    columns = with_kinds([Column("a")], {"a": "string"})
    found = Suspicions(columns, [first], marks, place="s")
    for block in blocks:
        if "a" in found.tracked:
            found.add({"a": found.count(columns[0], pa.array(block, pa.string()))})
    return found.findings(sum(map(len, blocks)))


@pytest.mark.parametrize(
    ("cells", "codes"),
    [
        (["1", "2", "?", "4"], ["U017"]),
        (["1.2.2024", "31.12.2023"], ["U035"]),
        (["1,5", "2,25"], ["U036"]),
        (["1.234,5", "10"], ["U036"]),
        (["Ada", "Alan"], []),
        (["NO", "NA"], []),
        (["1-2", "3-4"], []),
    ],
)
def test_text_that_may_be_something_else_is_reported(cells, codes):
    assert [finding.code for finding in noticed(cells)] == codes


def test_what_could_be_read_in_two_ways_is_asked():
    assert "No cell tells" in noticed(["1,234", "5,678"])[0].says
    assert "No cell tells" in noticed(["1/2/2024", "3/4/2024"])[0].says
    assert "No cell tells" not in noticed(["1,5"])[0].says


def test_markers_are_counted_over_all_blocks():
    found = noticed(["1", "?"], ["2", "3", "?"], ["4"])
    assert (found[0].code, found[0].evidence["cells"]) == ("U017", 2)
    assert noticed(["1", "?"], [f"word {n}" for n in range(100)]) == []


def test_marks_that_read_alike_are_one_way():
    assert other_marks(pa.array(["1,5"]), Marks()) == [Marks(",")]
    assert set(other_marks(pa.array(["1,234"]), Marks())) == {Marks(","), Marks(".", ",")}
    assert other_marks(pa.array(["x"]), Marks()) == []


def test_a_column_that_is_declared_is_not_suspected():
    columns = [Column("a", "string")]
    cells = pa.array(["1.2.2024"])
    assert Suspicions(columns, [cells], Marks(), place="s").findings(1) == []
    assert kind_of(cells, Marks()) == "string"
