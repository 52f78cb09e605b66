from __future__ import annotations

import pytest

from qua3ck.transfer.security.usercode import GIVEN, OUT, uses


@pytest.mark.parametrize(
    ("source", "kind", "what"),
    [
        ("x = eval('1')", GIVEN, "eval"),
        ("f = exec", GIVEN, "exec"),
        ("__import__('os')", GIVEN, "__import__"),
        ("import builtins as b\nb.eval('1')", GIVEN, "builtins.eval"),
        ("import importlib\nimportlib.import_module('x')", GIVEN, "importlib.import_module"),
        ("import pickle", GIVEN, "pickle"),
        ("from joblib import load", GIVEN, "joblib"),
        ("import marshal as m", GIVEN, "marshal"),
        ("import numpy as np\nnp.load('f', allow_pickle=True)", GIVEN, "allow_pickle"),
        ("import pandas as pd\npd.read_pickle('f')", GIVEN, "read_pickle"),
        ("import subprocess as sp", OUT, "subprocess"),
        ("import os\nos.system('ls')", OUT, "os.system"),
        ("import os as o\no.execv('a', [])", OUT, "os.execv"),
        ("from os import system as s", OUT, "os.system"),
        ("import ctypes.util", OUT, "ctypes"),
        ("def f():\n    import socket", OUT, "socket"),
        ("from urllib import request", OUT, "urllib.request"),
        ("import urllib.request", OUT, "urllib.request"),
        ("import urllib3", OUT, "urllib3"),
        ("import runpy", GIVEN, "runpy"),
        ("import torch\ntorch.load('f')", GIVEN, "torch.load"),
        ("import torch as t\nt.load('f', weights_only=False)", GIVEN, "torch.load"),
        ("from torch import load\nload('f')", GIVEN, "torch.load"),
        ("import torch\nread = torch.load", GIVEN, "torch.load"),
        ("import yaml\nyaml.load(f)", GIVEN, "yaml.load"),
        ("import yaml\nyaml.load(f, Loader=yaml.Loader)", GIVEN, "yaml.load"),
        ("import yaml\nyaml.load(f, yaml.FullLoader)", GIVEN, "yaml.load"),
        ("import yaml\nyaml.unsafe_load(f)", GIVEN, "yaml.unsafe_load"),
    ],
)
def test_a_use_is_found_with_its_line(source, kind, what):
    found = uses(f"# first line\n{source}\n")
    assert [(use.kind, use.what) for use in found] == [(kind, what)]
    lines = source.splitlines()
    assert found[0].line == len(lines) + 1


@pytest.mark.parametrize(
    "source",
    [
        "frame.eval('a + b')",
        "model.eval()",
        "import re\nre.compile('x')",
        "import os\nos.path.join('a', 'b')",
        "from urllib.parse import urlsplit",
        "np.load('f', allow_pickle=False)",
        "import torch\ntorch.load('f', weights_only=True)",
        "import yaml\nyaml.load(f, Loader=yaml.SafeLoader)",
        "import yaml\nyaml.load(f, yaml.CSafeLoader)",
        "from yaml import SafeLoader, load\nload(f, Loader=SafeLoader)",
        "import yaml\nyaml.safe_load(f)",
        "# eval(1)\n'import pickle'",
        "from .pickle import mine",
        "evaluate = 1\nsystem = 2",
    ],
)
def test_what_only_looks_alike_is_left_in_peace(source):
    assert uses(source) == ()


def test_a_function_of_the_users_own_called_eval_still_counts_unless_imported():
    assert uses("from mine import eval\neval(1)") == ()
    assert [use.what for use in uses("eval(1)")] == ["eval"]


def test_a_text_that_is_no_python_is_said_by_an_error():
    with pytest.raises(SyntaxError):
        uses("def (:")
