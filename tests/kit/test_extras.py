"""A missing extra says what to install and for what."""

from __future__ import annotations

import pytest

from qua3ck.kit.errors import Qua3ckError
from qua3ck.kit.extras import need


def test_what_is_there_is_imported():
    assert need("json.decoder", extra="excel", what="reading").__name__ == "json.decoder"


def test_what_is_missing_prints_the_line_that_installs_it():
    with pytest.raises(Qua3ckError, match="Reading Excel files needs a package") as caught:
        need("not_there_at_all.part", extra="excel", what="reading Excel files")
    assert caught.value.fix == 'python -m pip install "qua3ck[excel]"'


def test_a_fault_inside_an_installed_package_is_not_called_missing(tmp_path, monkeypatch):
    (tmp_path / "installed_but_broken.py").write_text("import another_that_is_missing\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    with pytest.raises(ModuleNotFoundError, match="another_that_is_missing"):
        need("installed_but_broken", extra="excel", what="reading Excel files")
