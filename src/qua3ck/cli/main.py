"""``qua3ck VERB [PROJECT]``: finds the verb, runs it, turns its end into an exit code.

0 done; 1 a gate blocks; 2 something the user can fix; 3 our bug.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from importlib import import_module
from typing import NoReturn

from qua3ck import __version__
from qua3ck.kit.errors import Qua3ckError, did_you_mean

VERBS = {
    "init": "write a new, commented project",
    "check": "hold the project file against what exists",
    "run": "do every phase that is stale, up to the verdict",
    "load": "bring the sources up to date",
    "quarantine": "show what is held back; export it, take the answers",
    "warehouse": "how large and how fast tables are; fold, give up, go back",
    "contract": "draft a contract from data, or check one",
    "trace": "from which file, record and rule a row came",
    "catalog": "write every table, column and owner as pages",
    "publish": "hand tables to dashboards and spreadsheets",
    "understand": "load, split, seal; list what was found in the data",
    "loop": "search algorithms, features and hyperparameters",
    "conclude": "open the seal for the candidate and judge it",
    "release": "make the judged candidate an immutable version",
    "enrol": "enrol a person with keys and roles",
    "approve": "sign for or against a version",
    "promote": "move an alias to a version, through the gates",
    "rollback": "move an alias back to the version before",
    "serve": "answer requests with the promoted version",
    "off": "have the fallback answer instead of the model, at once",
    "key": "make, list and revoke the API keys of the server",
    "predict": "answer every row of a table by a promoted version",
    "reproduce": "rebuild a version and compare",
    "report": "say where the report of a version is",
    "app": "show the project in a browser",
    "export": "write files for containers, clusters, CI and schedulers",
    "audit": "who, when, why, on what evidence; verify the ledger",
    "backup": "copy the project elsewhere, checked byte by byte",
    "restore": "bring a backup back into a new folder",
    "explain": "show the page behind a code, or list the metrics",
    "schema": "print the JSON Schema of the project file",
}


class Parser(argparse.ArgumentParser):
    """An argument parser whose errors have the three lines of all our errors."""

    def error(self, message: str) -> NoReturn:
        """Raise the mistake instead of printing a usage block."""
        raise Qua3ckError(
            message[:1].upper() + message[1:],
            where=f"the command line: {self.prog}",
            fix=f"{self.prog} --help",
        )


def main(words: Sequence[str] | None = None) -> int:
    """Run one command line and return its exit code."""
    words = list(sys.argv[1:] if words is None else words)
    as_json = "--json" in words
    try:
        return _run(words)
    except Qua3ckError as problem:
        _tell(problem, as_json=as_json)
        return problem.exit_code
    except KeyboardInterrupt:
        _tell(_interrupted(words), as_json=as_json)
        return 2
    except BrokenPipeError:
        sys.stderr.close()
        return 0
    except OSError as problem:
        _tell(_from_system(problem), as_json=as_json)
        return 2
    except Exception as problem:  # noqa: BLE001 - the last net: no traceback reaches a user
        return _our_bug(problem, words, as_json=as_json)


def _run(words: list[str]) -> int:
    if not words or words[0] in {"-h", "--help", "help"}:
        print(_overview())
        return 0
    if words[0] == "--version":
        print(f"qua3ck {__version__}")
        return 0
    verb = words[0]
    if verb not in VERBS:
        raise Qua3ckError(
            f'Unknown verb "{verb}"{did_you_mean(verb, VERBS)}',
            where=f"the command line: qua3ck {' '.join(words)}",
            fix=f"use one of: {', '.join(VERBS)}",
        )
    module = import_module(f"qua3ck.cli.{verb}")
    parser = Parser(prog=f"qua3ck {verb}", description=module.__doc__, allow_abbrev=False)
    module.add_arguments(parser)
    code: int = module.run(parser.parse_intermixed_args(words[1:]))
    return code


def _overview() -> str:
    width = max(map(len, VERBS))
    verbs = "\n".join(f"  {verb:<{width}}  {says}" for verb, says in VERBS.items())
    return (
        "Put a number into use, and be able to prove at any time why it is right"
        " and that it still is.\n\n"
        f"usage: qua3ck VERB [PROJECT] [--json]\n\n{verbs}\n\n"
        "PROJECT is a folder with a qua3ck.yaml; default: this folder.\n"
        "Exit: 0 done, 1 a gate blocks, 2 you can fix it, 3 our bug.\n"
        "next: qua3ck init my-project"
    )


def _tell(problem: Qua3ckError, *, as_json: bool) -> None:
    if as_json:
        import json

        facts = {"what": problem.what, "where": problem.where, "fix": problem.fix}
        print(json.dumps({"error": facts | {"code": problem.code}}))
    else:
        print(problem, file=sys.stderr)


def _interrupted(words: list[str]) -> Qua3ckError:
    return Qua3ckError(
        "Interrupted; what was finished is kept",
        where=f"qua3ck {' '.join(words)}",
        fix="type the same command again: it goes on where it stopped, with the same result",
    )


def _from_system(problem: OSError) -> Qua3ckError:
    import errno

    fixes = {
        errno.ENOSPC: "make room on the disk, then type the same command again",
        errno.EDQUOT: "make room in your quota, then type the same command again",
        errno.EACCES: "get the right to write there, or move the project",
        errno.EROFS: "move the project to a disk that can be written",
    }
    return Qua3ckError(
        problem.strerror or type(problem).__name__,
        where=str(problem.filename or "the system"),
        fix=fixes.get(problem.errno or 0, "look at this path, then type the same command again"),
    )


def _our_bug(problem: Exception, words: list[str], *, as_json: bool) -> int:
    import tempfile
    import traceback

    if os.environ.get("QUA3CK_DEBUG"):
        raise problem
    with tempfile.NamedTemporaryFile(
        "w", prefix="qua3ck-bug-", suffix=".txt", delete=False, encoding="utf-8"
    ) as handle:
        handle.write("".join(traceback.format_exception(problem)))
    bug = Qua3ckError(
        f"this is a bug in qua3ck {__version__}: {type(problem).__name__}",
        where=f"qua3ck {' '.join(words)}",
        fix=f"please report it with the file {handle.name} (read it first: it may name your"
        " columns)",
    )
    _tell(bug, as_json=as_json)
    return 3
