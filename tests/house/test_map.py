"""The map of rooms in the docs is the folders, and every room has a door."""

from __future__ import annotations

import ast
import importlib
import re
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SOURCE = ROOT / "src" / "qua3ck"
ROOMS = sorted(path.parent.name for path in SOURCE.glob("*/__init__.py"))
MODULES = sorted(SOURCE.rglob("*.py"))
VAGUE = {"utils", "util", "core", "common", "helpers", "helper", "manager", "misc"}
LONG, SHARE = 60, 0.02


def layers() -> list[str]:
    contract = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]
    return contract["contracts"][0]["layers"]


def functions() -> list[tuple[str, int]]:
    found = []
    for path in MODULES:
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                length = (node.end_lineno or node.lineno) - node.lineno + 1
                found.append((f"{path.relative_to(SOURCE)}:{node.name}", length))
    return found


def test_the_import_contract_names_every_room_and_no_other():
    built = {name for name in layers() if not name.startswith("(") and name != "__main__"}
    assert built == set(ROOMS)


def test_the_map_in_the_docs_names_every_room_in_the_contracts_order():
    page = (ROOT / "docs" / "map.md").read_text()
    drawn = re.findall(r"^  (\w+)/", page, re.MULTILINE)
    assert set(drawn) == set(ROOMS)


@pytest.mark.parametrize("room", ROOMS)
def test_a_room_says_in_its_door_what_it_is(room):
    tree = ast.parse((SOURCE / room / "__init__.py").read_text())
    said = ast.get_docstring(tree) or ""
    assert len(said.split()) >= 4, f"{room}/__init__.py has no sentence about the room"


@pytest.mark.parametrize("room", ["", *ROOMS])
def test_every_name_a_door_promises_can_be_imported(room):
    module = importlib.import_module(f"qua3ck.{room}".rstrip("."))
    promised = getattr(module, "__all__", [])
    missing = [name for name in promised if not hasattr(module, name)]
    assert missing == []
    assert len(promised) <= 25


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(SOURCE)))
def test_every_module_opens_with_its_topic(path):
    assert path.stem not in VAGUE
    assert ast.get_docstring(ast.parse(path.read_text())), "no docstring"


def test_long_functions_stay_rare():
    every = functions()
    long = [f"{name} ({length} lines)" for name, length in every if length > LONG]
    assert len(long) < SHARE * len(every), "\n".join(long)


def test_classes_stay_small():
    big = []
    for path in MODULES:
        for node in ast.walk(ast.parse(path.read_text())):
            if not isinstance(node, ast.ClassDef):
                continue
            public = [
                part.name
                for part in node.body
                if isinstance(part, ast.FunctionDef)
                and not part.name.startswith("_")
                and "property" not in [ast.unparse(d) for d in part.decorator_list]
            ]
            lines = (node.end_lineno or node.lineno) - node.lineno
            if len(public) > 20 or lines > 400:
                big.append(f"{path.name}:{node.name}: {len(public)} methods, {lines} lines")
    assert big == []


@pytest.mark.parametrize("room", ROOMS)
def test_every_room_has_a_folder_of_tests(room):
    assert list((ROOT / "tests" / room).rglob("test_*.py"))


def test_every_test_mirrors_a_module():
    """A file under tests/<room>/ is named after a module, or says so in its docstring."""
    strangers = []
    for room in ROOMS:
        modules = {path.stem for path in (SOURCE / room).rglob("*.py")} | {room}
        for path in (ROOT / "tests" / room).rglob("test_*.py"):
            if not any(path.stem.removeprefix("test_").startswith(name) for name in modules):
                strangers += [] if ast.get_docstring(ast.parse(path.read_text())) else [path.name]
    assert strangers == []


def test_only_the_warehouse_knows_which_engine_runs_its_queries():
    """Another engine must be able to take its place: the others hand over Ibis or parsed SQL."""
    users = set()
    for path in MODULES:
        for node in ast.walk(ast.parse(path.read_text())):
            names = [one.name for one in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            if any(name.partition(".")[0] == "duckdb" for name in names):
                users.add(path.relative_to(SOURCE).parent.as_posix())
    assert users == {"store/warehouse"}
