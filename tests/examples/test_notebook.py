"""The notebook runs from top to bottom, and what it shows can be read."""

from __future__ import annotations

from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

pytestmark = [
    # traitlets and jupyter_client warn about the event loop and paths of their own.
    pytest.mark.filterwarnings("ignore::DeprecationWarning:jupyter_client"),
    pytest.mark.filterwarnings("ignore::DeprecationWarning:zmq"),
    pytest.mark.filterwarnings("ignore::DeprecationWarning:nbclient"),
]
NOTEBOOK = Path(__file__).parents[2] / "examples" / "credit" / "notebook.ipynb"


@pytest.fixture(scope="module")
def shown(copy_of):
    project = copy_of("credit")
    file = project.folder / "qua3ck.yaml"
    whole = file.read_text()
    assert "trials: 24" in whole
    file.write_text(whole.replace("trials: 24", "trials: 3"))  # what is shown is the same
    patch = pytest.MonkeyPatch()
    for name, value in project.environment.items():
        patch.setenv(name, value)
    book = nbformat.read(project.folder / "notebook.ipynb", as_version=4)
    client = NotebookClient(
        book, timeout=600, resources={"metadata": {"path": str(project.folder)}}
    )
    client.execute()
    patch.undo()
    return [
        output["data"]["text/plain"]
        for cell in book.cells
        if cell.cell_type == "code"
        for output in cell.outputs
        if output.output_type == "execute_result"
    ]


def test_the_notebook_is_committed_without_output():
    book = nbformat.read(NOTEBOOK, as_version=4)
    assert [cell.outputs for cell in book.cells if cell.cell_type == "code" and cell.outputs] == []


def test_every_record_shows_itself_in_a_few_lines(shown):
    assert len(shown) >= 4
    for text in shown:
        assert len(text.splitlines()) <= 40
        assert max(map(len, text.splitlines())) <= 200
        assert "object at 0x" not in text


def test_the_verdict_can_be_read(shown):
    said = "\n".join(shown)
    assert "roc_auc" in said or "auc" in said
    assert "pass" in said
