"""An export is honest about what was tested, takes nothing along that must stay, keeps changes."""

from __future__ import annotations

import json
import re
import shlex
import subprocess
import sys

import pytest

from qua3ck.cli.main import VERBS
from qua3ck.kit.errors import Qua3ckError
from qua3ck.transfer.export import KINDS, export
from qua3ck.transfer.export.wheel import own_wheel


@pytest.mark.parametrize("kind", KINDS)
def test_every_place_held_is_filled_and_every_file_is_listed(exported, kind):
    made = exported(kind)
    listed = json.loads((made.folder / "export.json").read_text())["files"]
    there = {p.relative_to(made.folder).as_posix() for p in made.folder.rglob("*") if p.is_file()}
    assert there - {"export.json"} == set(listed) == set(made.files)
    for name in made.files:
        if not name.endswith(".whl"):
            text = (made.folder / name).read_text()
            assert not re.search(r"@[A-Z][A-Z0-9_]*@", text), name


@pytest.mark.parametrize("kind", KINDS)
def test_the_readme_says_what_was_tested_and_what_was_not(exported, kind):
    made = exported(kind)
    text = (made.folder / "README.md").read_text()
    tested, untested = text.split("## What was tested")[1].split("## What was not")
    assert made.tested
    assert made.untested
    assert all(one in tested for one in made.tested)
    assert all(one in untested for one in made.untested)


@pytest.mark.parametrize("kind", KINDS)
def test_no_data_no_key_and_nothing_sealed_goes_along(exported, kind):
    made = exported(kind)
    for name in made.files:
        if name.endswith(".whl"):
            continue
        assert not name.startswith(("project/warehouse", "project/raw", "project/sealed"))
        assert not name.startswith(("project/state", "project/mlflow"))
        text = (made.folder / name).read_text()
        assert "rows of people" not in text


@pytest.mark.parametrize("kind", KINDS)
def test_every_verb_that_is_typed_exists_with_its_options(exported, kind):
    from importlib import import_module

    from qua3ck.cli.main import Parser

    made = exported(kind)
    found = 0
    for name in made.files:
        if name.endswith((".whl", ".json")) or name.startswith("project/"):
            continue
        text = (made.folder / name).read_text()
        for line in re.findall(r"qua3ck ((?:[a-z]+)(?: [^`\n;|#]*)?)", text):
            verb, *words = line.replace('"', "").split()
            if verb not in VERBS:
                continue
            found += 1
            parser = Parser(prog=verb)
            import_module(f"qua3ck.cli.{verb}").add_arguments(parser)
            known = {one for action in parser._actions for one in action.option_strings}
            options = [word for word in words if word.startswith("--")]
            assert set(options) <= known | {"--dry-run"}, f"{name}: {line}"
    assert found


@pytest.mark.parametrize("kind", KINDS)
def test_what_to_type_next_can_be_typed_where_the_export_was(exported, kind):
    made = exported(kind)
    assert "@" not in made.next
    assert shlex.quote(str(made.folder)) in made.next
    first, _, rest = made.next.partition(" && ")
    if first.startswith("cd "):
        script = re.match(r"\./\S+", rest)
        assert script is None or (made.folder / script[0]).is_file()


def test_a_folder_with_a_space_is_quoted(project, release, tmp_path):
    made = export("docker", root=project, project="x", release=release, to=tmp_path / "my export")
    assert made.next.startswith(f"cd '{tmp_path}/my export' && ./renew-base.sh && ")


def test_an_export_again_changes_nothing_and_keeps_what_somebody_changed(
    project, release, tmp_path
):
    def again(version=release):
        return export(
            "kubernetes", root=project, project="Stock_outs", release=version, to=tmp_path
        )

    made = again()
    before = {name: (tmp_path / name).read_bytes() for name in made.files}
    again()
    assert {name: (tmp_path / name).read_bytes() for name in made.files} == before
    (tmp_path / "mine.yaml").write_text("mine")
    deployment = tmp_path / "deployment.yaml"
    deployment.write_text(deployment.read_text().replace("replicas: 1", "replicas: 3"))
    with pytest.raises(Qua3ckError) as caught:
        again()
    assert caught.value.code == "K017"
    assert "deployment.yaml" in caught.value.what
    assert "replicas: 3" in deployment.read_text()
    deployment.unlink()
    again()
    assert "replicas: 1" in deployment.read_text()
    assert (tmp_path / "mine.yaml").read_text() == "mine"


@pytest.mark.parametrize(
    ("kind", "options", "code"),
    [
        ("dockr", {}, "K016"),
        ("docker", {"base": "python:3.12-slim-bookworm"}, "K018"),
        ("docker", {"base": "python@sha256:abc"}, "K018"),
        ("docker", {"release": None}, "K019"),
    ],
)
def test_what_cannot_be_exported_is_refused(project, release, tmp_path, kind, options, code):
    given = {"release": release, **options}
    with pytest.raises(Qua3ckError) as caught:
        export(kind, root=project, project="Stock_outs", to=tmp_path, **given)
    assert caught.value.code == code
    assert list(tmp_path.iterdir()) == []


def test_a_python_whose_digest_nobody_knows_is_asked_for(project, release, tmp_path, monkeypatch):
    from qua3ck.transfer.export import base

    monkeypatch.setattr(base, "DIGESTS", {})
    with pytest.raises(Qua3ckError, match="has no digest"):
        export("docker", root=project, project="x", release=release, to=tmp_path)
    mine = "registry.example/python:3.12@sha256:" + "1" * 64
    export("docker", root=project, project="x", release=release, to=tmp_path, base=mine)
    assert f"FROM {mine} AS build" in (tmp_path / "Dockerfile").read_text()


def test_the_wheel_installs_and_runs_in_an_empty_place(tmp_path):
    name, data = own_wheel()
    assert own_wheel() == (name, data)
    (tmp_path / name).write_bytes(data)
    place = tmp_path / "place"
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "install", "-q"]
    subprocess.run(
        [*pip, "--no-deps", "--no-index", "--target", str(place), str(tmp_path / name)], check=True
    )
    code = (
        f"import sys; sys.path.insert(0, {str(place)!r}); import qua3ck;"
        "from qua3ck.cli.main import main; print(qua3ck.__file__); main(['--version'])"
    )
    done = subprocess.run(
        [sys.executable, "-I", "-c", code], capture_output=True, text=True, check=True
    )
    where, said = done.stdout.split("\n", maxsplit=1)
    assert where.startswith(str(place))
    assert said.startswith("qua3ck ")
