from __future__ import annotations

import pyarrow as pa
import pytest

from qua3ck.kit.errors import Qua3ckError
from qua3ck.understand.section import Source
from qua3ck.understand.sources.function import call_source

pytestmark = pytest.mark.usefixtures("own_modules")


def load(folder, code: str, dotted: str):
    (folder / f"{dotted.split('.', maxsplit=1)[0]}.py").write_text(code)
    source = Source(kind="function", function=dotted)
    return call_source("loans", source, folder, place="understand.sources.loans")


@pytest.mark.parametrize(
    "made",
    [
        "pandas.DataFrame({'a': [1, None]})",
        "pyarrow.table({'a': [1.0, None]})",
        "pyarrow.table({'a': [1.0, None]}).to_reader()",
        "Stream()",
    ],
)
def test_anything_with_an_arrow_stream_is_a_table(tmp_path, made):
    code = (
        "import pandas, pyarrow\n"
        "class Stream:\n"
        "    def __arrow_c_stream__(self, requested_schema=None):\n"
        "        return pyarrow.table({'a': [1.0, None]}).__arrow_c_stream__(requested_schema)\n"
        f"def rows():\n    return {made}\n"
    )
    assert load(tmp_path, code, "f1.rows").to_pydict() == {"a": [1.0, None]}


def test_a_function_that_asks_is_given_the_sources_name(tmp_path):
    code = "import pandas\ndef rows(name, n=2):\n    return pandas.DataFrame({'a': [name] * n})\n"
    assert load(tmp_path, code, "f2.rows").to_pydict() == {"a": ["loans", "loans"]}


def test_a_named_index_becomes_a_column_and_an_unnamed_one_goes(tmp_path):
    code = (
        "import pandas\n"
        "def rows():\n    f = pandas.DataFrame({'g': ['x', 'y'], 'n': [1, 2]})\n"
        "    return f.groupby('g').sum()\n"
        "def cut():\n    return pandas.DataFrame({'n': [1, 2, 3]})[1:]\n"
    )
    assert load(tmp_path, code, "f3.rows").column_names == ["g", "n"]
    assert load(tmp_path, code, "f3.cut").column_names == ["n"]


@pytest.mark.parametrize(
    ("code", "says", "error"),
    [
        ("def rows():\n    return [1, 2]\n", "returned an object of type list", "U105"),
        ("def rows():\n    pass\n", "returned nothing", "U105"),
        ("import pandas\ndef rows():\n    return pandas.Series([1])\n", "type Series", "U105"),
        (
            "import pandas\ndef rows():\n    return pandas.DataFrame({'c': [1, 'Ada']})\n",
            'the column "c" with values of several kinds',
            "U105",
        ),
        (
            "import pandas\ndef rows():\n    return pandas.DataFrame([[1, 2]], columns=[*'aa'])\n",
            'two columns called "a"',
            "U105",
        ),
        (
            "def rows():\n    x = {'Ada': 1}\n    return x['Bob']\n",
            "KeyError in MOD.py, line 3",
            "U106",
        ),
        ("def rows():\n    raise SystemExit(3)\n", "SystemExit in MOD.py, line 2", "U106"),
        ("def rows(:\n", "SyntaxError in MOD.py, line 1", "U106"),
        ("1 / 0\n", "ZeroDivisionError in MOD.py, line 1", "U106"),
        ("import nowhere_at_all\n", "imports nowhere_at_all, which is not installed", "U106"),
        ("def row():\n    pass\n", 'no function "rows" in MOD; did you mean "row"', "U104"),
    ],
)
def test_a_users_mistake_is_told_without_traceback_and_values(tmp_path, code, says, error):
    module = f"bad_{abs(hash(code))}"
    with pytest.raises(Qua3ckError) as told:
        load(tmp_path, code, f"{module}.rows")
    assert says.replace("MOD", module) in told.value.what
    assert told.value.code == error
    assert "Ada" not in str(told.value)
    assert "Bob" not in str(told.value)


@pytest.mark.parametrize(
    ("dotted", "says"), [("rows", "names no module"), ("featurs.rows", 'did you mean "features"')]
)
def test_a_function_that_cannot_be_found_says_where_it_was_looked_for(tmp_path, dotted, says):
    (tmp_path / "features.py").write_text("")
    with pytest.raises(Qua3ckError, match=says) as told:
        call_source("s", Source(kind="function", function=dotted), tmp_path, place="here")
    assert told.value.code == "U104"


def test_the_line_named_is_the_users_own_not_the_librarys(tmp_path):
    code = "import pandas\n\ndef rows():\n    f = pandas.DataFrame({'a': [1]})\n    return f['b']\n"
    with pytest.raises(Qua3ckError, match=r"KeyError in lines.py, line 5"):
        load(tmp_path, code, "lines.rows")


def test_pyarrow_is_taken_as_it_is(tmp_path):
    code = "import pyarrow\ndef rows():\n    return pyarrow.table({'a': [1]})\n"
    assert load(tmp_path, code, "asis.rows") == pa.table({"a": [1]})
