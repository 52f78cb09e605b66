"""What the functions that a version ships could do besides computing, read off their syntax.

Two kinds: running what was given to them as text or bytes (``eval``, pickles), and reaching
out of the process (other programs, sockets, C libraries). Reading the syntax is no proof: who
wants to hide a call can. It finds what was written in good faith and forgotten.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import Literal, NamedTuple

Kind = Literal["runs what it is given", "reaches out of the process"]
GIVEN: Kind = "runs what it is given"
OUT: Kind = "reaches out of the process"

_BUILTINS = frozenset({"eval", "exec", "__import__"})
_MODULES: dict[str, Kind] = {
    **dict.fromkeys(("pickle", "_pickle", "cPickle", "marshal", "dill", "cloudpickle"), GIVEN),
    **dict.fromkeys(("joblib", "shelve", "jsonpickle", "runpy"), GIVEN),
    **dict.fromkeys(("subprocess", "ctypes", "cffi", "pty", "socket", "socketserver"), OUT),
    **dict.fromkeys(("requests", "httpx", "aiohttp", "paramiko", "ftplib", "smtplib"), OUT),
    **dict.fromkeys(("urllib.request", "urllib3", "http.client", "telnetlib"), OUT),
}
_ENDS = ("l", "le", "lp", "lpe", "v", "ve", "vp", "vpe")
_CALLS: dict[str, Kind] = {
    **dict.fromkeys((f"os.{name}" for name in ("system", "popen", "startfile", "fork")), OUT),
    **dict.fromkeys((f"os.{start}{end}" for start in ("exec", "spawn") for end in _ENDS), OUT),
    **dict.fromkeys(("os.posix_spawn", "os.posix_spawnp"), OUT),
    **dict.fromkeys((f"asyncio.create_subprocess_{how}" for how in ("exec", "shell")), OUT),
    "importlib.import_module": GIVEN,
    **dict.fromkeys((f"builtins.{name}" for name in ("eval", "exec", "__import__")), GIVEN),
}
#: What loads pickles or objects, unless the call itself says that it must not.
_LOADERS: dict[str, tuple[str, frozenset[str]]] = {
    "torch.load": ("weights_only", frozenset({"True"})),
    **dict.fromkeys(
        (f"yaml.{name}" for name in ("load", "load_all")),
        ("Loader", frozenset({"SafeLoader", "CSafeLoader", "BaseLoader", "CBaseLoader"})),
    ),
    **dict.fromkeys(
        (f"yaml.{how}_load{all_}" for how in ("unsafe", "full") for all_ in ("", "_all")),
        ("", frozenset()),
    ),
}
_METHODS: dict[str, Kind] = {"read_pickle": GIVEN}


class Use(NamedTuple):
    """One use: of what kind, of what, and in which line (from 1)."""

    kind: Kind
    what: str
    line: int


def uses(source: str) -> tuple[Use, ...]:
    """Return what a module uses that runs foreign code or reaches out, in the order of lines.

    Parameters
    ----------
    source : str
        The text of a Python file.

    Raises
    ------
    SyntaxError, ValueError
        If it is not Python.
    """
    tree = ast.parse(source)
    names = _imported(tree)
    found = [use for node in ast.walk(tree) for use in _uses_of(node, names)]
    found += _loaders(tree, names)
    return tuple(sorted(set(found), key=lambda use: (use.line, use.what)))


def _imported(tree: ast.AST) -> dict[str, str]:
    """Return what each imported name stands for: ``sp`` -> ``subprocess``."""
    known: dict[str, str] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                root = alias.name.partition(".")[0]
                known[alias.asname or root] = alias.name if alias.asname else root
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            for alias in node.names:
                known[alias.asname or alias.name] = f"{node.module}.{alias.name}"
    return known


def _uses_of(node: ast.AST, names: dict[str, str]) -> Iterator[Use]:
    if isinstance(node, ast.Import):
        for alias in node.names:
            yield from _module(alias.name, node.lineno)
    elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
        yield from _module(node.module, node.lineno)
        for alias in node.names:
            whole = f"{node.module}.{alias.name}"
            yield from _module(whole, node.lineno)
            if whole in _CALLS:
                yield Use(_CALLS[whole], whole, node.lineno)
    elif isinstance(node, ast.Name) and node.id in _BUILTINS and node.id not in names:
        yield Use(GIVEN, node.id, node.lineno)
    elif isinstance(node, ast.Attribute):
        yield from _attribute(node, names)
    elif isinstance(node, ast.keyword) and _lets_pickles_in(node):
        yield Use(GIVEN, "allow_pickle", node.value.lineno)


def _lets_pickles_in(node: ast.keyword) -> bool:
    """Whether a call says ``allow_pickle`` with anything but a plain False."""
    refused = isinstance(node.value, ast.Constant) and node.value.value is False
    return node.arg == "allow_pickle" and not refused


def _module(name: str, line: int) -> Iterator[Use]:
    """Yield a module that is on the list, or lies in one that is."""
    parts = name.split(".")
    for end in range(1, len(parts) + 1):
        start = ".".join(parts[:end])
        if start in _MODULES:
            yield Use(_MODULES[start], start, line)
            return


def _loaders(tree: ast.AST, names: dict[str, str]) -> Iterator[Use]:
    """Yield what loads objects, also without a call; not a call that refuses them."""
    refused = {
        id(node.func)
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and _refuses_objects(node, _whole(node.func, names))
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute | ast.Name) and id(node) not in refused:
            whole = _whole(node, names)
            if whole in _LOADERS:
                yield Use(GIVEN, whole, node.lineno)


def _refuses_objects(call: ast.Call, whole: str) -> bool:
    word, safe = _LOADERS.get(whole, ("", frozenset[str]()))
    said = [each.value for each in call.keywords if each.arg == word]
    if word == "Loader":
        said += call.args[1:2]
    return any(ast.unparse(value).rpartition(".")[2] in safe for value in said)


def _whole(node: ast.expr, names: dict[str, str]) -> str:
    """Return the dotted name of an expression, imports resolved; empty if it is none."""
    parts: list[str] = []
    while isinstance(node, ast.Attribute):
        parts.append(node.attr)
        node = node.value
    if not isinstance(node, ast.Name):
        return ""
    return ".".join([names.get(node.id, node.id), *reversed(parts)])


def _attribute(node: ast.Attribute, names: dict[str, str]) -> Iterator[Use]:
    if node.attr in _METHODS:
        yield Use(_METHODS[node.attr], node.attr, node.lineno)
    whole = _whole(node, names)
    if whole in _CALLS:
        yield Use(_CALLS[whole], whole, node.lineno)
