"""CI and schedulers: each command in its order, each gate where it belongs.

Airflow and Dagster are stood in for by classes with the names that the files import: neither
is a dependency. GitHub's workflow is judged by its published schema and by actionlint.
"""

from __future__ import annotations

import base64
import importlib.util
import io
import json
import os
import re
import subprocess
import sys
import tarfile
from datetime import timedelta
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest
from ruamel.yaml import YAML

ORDER = ["load", "understand", "loop", "conclude", "audit", "check", "release", "promote"]


def imported(path: Path, modules: dict[str, ModuleType], monkeypatch: Any) -> ModuleType:
    for name, module in modules.items():
        monkeypatch.setitem(sys.modules, name, module)
    spec = importlib.util.spec_from_file_location("exported_recipe", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


# -- GitHub -----------------------------------------------------------------------------------


@pytest.fixture
def workflow(exported) -> Path:
    return exported("github").folder / ".github" / "workflows" / "qua3ck.yml"


def test_the_workflow_fits_githubs_schema(workflow):
    installed = pytest.importorskip("check_jsonschema").__file__
    import jsonschema

    place = Path(installed).parent / "builtin_schemas" / "vendor" / "github-workflows.json"
    said = YAML(typ="safe").load(workflow.read_text())
    jsonschema.validate(said, json.loads(place.read_text()))


def test_actionlint_finds_nothing(workflow, judge):
    command = [judge("actionlint"), str(workflow)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout
    assert "No workflow files" not in done.stdout


def test_actionlint_looks(workflow, judge, tmp_path):
    """The same workflow, where a job waits for one that is not there."""
    wrong = tmp_path / "wrong.yml"
    wrong.write_text(workflow.read_text().replace("needs: train", "needs: nobody"))
    command = [judge("actionlint"), str(wrong)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "nobody" in done.stdout


def test_each_job_waits_for_the_one_before(workflow):
    jobs = YAML(typ="safe").load(workflow.read_text())["jobs"]
    assert list(jobs) == ["lint", "test", "train", "gate", "promote"]
    needs = [job.get("needs") for job in jobs.values()]
    assert needs == [None, "lint", "test", "train", "gate"]
    assert jobs["promote"]["environment"] == "production"


def test_the_verbs_come_in_the_order_of_the_phases(workflow):
    jobs = YAML(typ="safe").load(workflow.read_text())["jobs"]
    runs = [step["run"] for name in ("train", "gate", "promote") for step in jobs[name]["steps"]
            if "run" in step]  # fmt: skip
    verbs = [found[1] for run in runs if (found := re.match(r"qua3ck (\w+)", run))]
    assert [verb for verb in verbs if verb in ORDER] == ORDER
    assert verbs.index("release") < verbs.index("reproduce") < verbs.index("promote")


def test_a_run_that_a_gate_stopped_is_remembered(workflow):
    jobs = YAML(typ="safe").load(workflow.read_text())["jobs"]
    for name in ("train", "promote"):
        last = jobs[name]["steps"][-1]
        assert last["if"] == "always()"
        assert last["run"].endswith("end")


def test_actions_are_pinned_and_nothing_may_be_written(workflow):
    text = workflow.read_text()
    said = YAML(typ="safe").load(text)
    assert said["permissions"] == {"contents": "read"}
    used = re.findall(r"uses: (\S+)", text)
    assert used
    assert all(re.fullmatch(r"[\w/-]+@[0-9a-f]{40}", one) for one in used)
    jobs = said["jobs"].values()
    assert all(job["timeout-minutes"] for job in jobs)
    for job in jobs:
        for step in job["steps"]:
            assert "${{" not in step.get("run", ""), "an expression in a shell can be injected"


def test_the_state_comes_back_and_is_kept(exported, tmp_path):
    """The script runs with a stand-in for qua3ck that writes down what it is asked."""
    script = exported("github").folder / ".github" / "qua3ck-state.sh"
    repo = tmp_path / "repo"
    repo.mkdir()
    (repo / "qua3ck.yaml").write_text("project: new\n")
    git = ["git", "-c", "user.name=a", "-c", "user.email=a@example.org"]
    for words in (["init", "-q"], ["add", "."], ["commit", "-qm", "x"]):
        subprocess.run([*git, *words], cwd=repo, check=True)
    keys = tmp_path / "keys"
    keys.mkdir()
    (keys / "ci.key").write_text("secret")
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as tar:
        tar.add(keys, arcname=".")
    archive = base64.b64encode(packed.getvalue()).decode()
    stand_in = tmp_path / "bin" / "qua3ck"
    stand_in.parent.mkdir()
    stand_in.write_text(
        '#!/bin/sh\necho "$*" >> "$ASKED"\n'
        'if [ "$1" = restore ]; then mkdir "$4"; echo old > "$4/qua3ck.yaml"; fi\n'
    )
    stand_in.chmod(0o755)
    env = {
        **os.environ,
        "PATH": f"{stand_in.parent}:{os.environ['PATH']}",
        "ASKED": str(tmp_path / "asked"),
        "RUNNER_TEMP": str(tmp_path / "temp"),
        "GITHUB_ENV": str(tmp_path / "env"),
        "PROJECT": "project",
        "QUA3CK_BACKUP": "s3://bucket/stock",
        "QUA3CK_KEY_ARCHIVE": archive,
    }
    (tmp_path / "temp").mkdir()
    for word in ("begin", "end"):
        subprocess.run(["sh", str(script), word], cwd=repo, env=env, check=True)
    asked = (tmp_path / "asked").read_text().splitlines()
    assert asked == [
        "restore s3://bucket/stock --to project",
        "backup --to s3://bucket/stock project",
    ]
    assert (repo / "project" / "qua3ck.yaml").read_text() == "project: new\n"
    assert (tmp_path / "temp" / "keys" / "ci.key").read_text() == "secret"
    assert (tmp_path / "env").read_text() == f"QUA3CK_KEYS={tmp_path / 'temp' / 'keys'}\n"
    missing = {**env, "QUA3CK_BACKUP": ""}
    failed = subprocess.run(["sh", str(script), "end"], cwd=repo, env=missing, check=False)
    assert failed.returncode != 0


# -- Airflow ----------------------------------------------------------------------------------


class Task:
    """Stands in for BashOperator: remembers what it is given and what follows it."""

    def __init__(self, *, task_id: str, bash_command: str, **given: Any) -> None:
        self.task_id, self.command, self.given = task_id, bash_command, given
        self.after: list[Task] = []
        Graph.current.tasks.append(self)

    def __rshift__(self, other: Task) -> Task:
        self.after.append(other)
        return other


class Graph:
    """Stands in for DAG."""

    current: Graph

    def __init__(self, **given: Any) -> None:
        self.given, self.tasks = given, []

    def __enter__(self) -> Graph:
        Graph.current = self
        return self

    def __exit__(self, *_: object) -> None:
        return None


def airflow() -> dict[str, ModuleType]:
    parts = ["airflow", "providers", "standard", "operators", "bash"]
    names = [".".join(parts[: at + 1]) for at in range(len(parts))] + ["airflow.sdk"]
    modules = {name: ModuleType(name) for name in names}
    modules["airflow.sdk"].DAG = Graph
    modules["airflow.providers.standard.operators.bash"].BashOperator = Task
    return modules


def test_the_dag_has_its_tasks_in_order(exported, monkeypatch):
    monkeypatch.setenv("QUA3CK_PREDICT", "stock scores")
    path = exported("airflow").folder / "dags" / "qua3ck_dag.py"
    dag = imported(path, airflow(), monkeypatch).dag
    tasks = {task.task_id: task for task in dag.tasks}
    way, at = ["load"], tasks["load"]
    while at.after:
        at = next(one for one in at.after if one.task_id != "predict")
        way.append(at.task_id)
    assert way == ["load", "understand", "loop", "conclude", "audit", "release"]
    assert "predict" in {one.task_id for one in tasks["load"].after}
    assert tasks["predict"].command == '"$QUA3CK" predict stock "$PROJECT" --to scores'
    assert dag.given["catchup"] is False
    assert dag.given["max_active_runs"] == 1


def test_a_gate_is_not_asked_twice(exported, monkeypatch):
    path = exported("airflow").folder / "dags" / "qua3ck_dag.py"
    dag = imported(path, airflow(), monkeypatch).dag
    retries = {task.task_id: task.given["retries"] for task in dag.tasks}
    assert retries["load"] == 3
    assert {retries[name] for name in ("conclude", "audit", "release")} == {0}
    assert "predict" not in retries
    assert dag.tasks[0].given["retry_delay"] == timedelta(minutes=10)


# -- Dagster ----------------------------------------------------------------------------------


class Refused(Exception):
    """Stands in for dagster.Failure."""

    def __init__(self, description: str, *, allow_retries: bool, metadata: Any = None) -> None:
        super().__init__(description)
        self.allow_retries = allow_retries
        del metadata


def dagster() -> ModuleType:
    module: Any = ModuleType("dagster")

    def asset(function: Any = None, *, deps: Any = (), retry_policy: Any = None) -> Any:
        def made(inner: Any) -> Any:
            return SimpleNamespace(
                name=inner.__name__,
                deps=list(deps),
                run=inner,
                retry=retry_policy,
                says=inner.__doc__,
            )

        return made if function is None else made(function)

    module.asset = asset
    module.Failure = Refused
    module.RetryPolicy = SimpleNamespace
    module.AssetExecutionContext = object
    module.MaterializeResult = SimpleNamespace
    module.MetadataValue = SimpleNamespace(text=lambda text: text)
    module.AssetSelection = SimpleNamespace(assets=lambda *assets: assets)
    module.define_asset_job = lambda name, selection: SimpleNamespace(
        name=name, selection=selection
    )
    module.Definitions = SimpleNamespace
    module.ScheduleDefinition = SimpleNamespace
    return module


def test_the_assets_follow_one_another_and_one_schedule_runs_them(exported, monkeypatch):
    path = exported("dagster").folder / "definitions.py"
    found = imported(path, {"dagster": dagster()}, monkeypatch)
    names = [asset.name for asset in found.defs.assets]
    assert names == ["loaded", "understood", "candidate", "verdict", "verified", "released"]
    for before, after in zip(found.defs.assets[:-1], found.defs.assets[1:], strict=True):
        assert after.deps == [before]
    assert all(asset.says for asset in found.defs.assets)
    (schedule,) = found.defs.schedules
    assert [asset.name for asset in schedule.job.selection] == names


@pytest.mark.parametrize(("code", "again"), [(1, False), (2, True)])
def test_what_a_gate_says_ends_the_asset(exported, monkeypatch, tmp_path, code, again):
    stand_in = tmp_path / "qua3ck"
    stand_in.write_text(f'#!/bin/sh\necho "$*"; exit {code}\n')
    stand_in.chmod(0o755)
    monkeypatch.setenv("QUA3CK", str(stand_in))
    path = exported("dagster").folder / "definitions.py"
    found = imported(path, {"dagster": dagster()}, monkeypatch)
    context = SimpleNamespace(log=SimpleNamespace(info=lambda _: None))
    with pytest.raises(Refused, match="audit verify") as caught:
        found.verified.run(context)
    assert caught.value.allow_retries is again


# -- Streamlit --------------------------------------------------------------------------------


def test_the_page_asks_for_its_secret_first(exported):
    testing = pytest.importorskip("streamlit.testing.v1")
    path = exported("streamlit").folder / "streamlit_app.py"
    page = testing.AppTest.from_file(str(path), default_timeout=30)
    page.run()
    assert "Set the secret token" in page.error[0].value


def test_the_requirements_name_the_wheel_that_goes_along(exported):
    made = exported("streamlit")
    lines = (made.folder / "requirements.txt").read_text().splitlines()
    (wheel,) = [line for line in lines if line.endswith(".whl")]
    assert (made.folder / wheel).is_file()
    assert "project/qua3ck.yaml" in made.files
    assert "project/features.py" in made.files
