"""The child process: one job as JSON on stdin, progress and one result as JSON lines on stdout.

What the user's code prints goes to stderr. The parent never receives a row.
"""

from __future__ import annotations

import errno
import json
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

from qua3ck.kit.child import job_given
from qua3ck.kit.errors import Blocked, Qua3ckError
from qua3ck.understand.seal import Steward
from qua3ck.understand.section import Understand
from qua3ck.understand.sending import received
from qua3ck.understand.taking import Job, run_again, take

if TYPE_CHECKING:
    from qua3ck.govern import Workspace
    from qua3ck.understand.child import Tell

_DISK = {errno.ENOSPC, errno.EDQUOT, errno.EACCES, errno.EPERM, errno.EROFS, errno.EFBIG}


def main() -> int:
    """Do the job on stdin; 0 if there is a result or an error the user can fix."""
    out = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    try:
        told = job_given()
        _say(out, {"result": _do(told, out)})
    except Qua3ckError as problem:
        _say(out, {"error": _as_json(problem)})
    except OSError as problem:
        if problem.errno not in _DISK:
            raise
        _say(out, {"error": _as_json(_disk(problem, told["job"]["root"]))})
    except KeyboardInterrupt:
        return 130
    return 0


def _do(told: dict[str, Any], out: TextIO) -> dict[str, Any]:
    from qua3ck.govern import open_workspace

    def tell(text: str, share: float | None = None) -> None:
        _say(out, {"progress": text, "share": share})

    facts = told["job"]
    workspace = open_workspace(Path(facts["root"]), facts["project"], actor=facts["actor"])
    if told["do"] == "load":
        return _load(received(facts["section"]), workspace, told["further"], tell)
    if told["do"] == "tables":
        from qua3ck.understand.gold.making import made_here

        return {"tables": made_here(received(facts["section"]), workspace, tell=tell)}
    job = _job(facts)
    if told["do"] == "take":
        return take(job, workspace, tell)
    return run_again(job, workspace, told["further"], changed=told["do"] == "run changed")


def _load(
    section: Understand, workspace: Workspace, told: dict[str, Any], tell: Tell
) -> dict[str, Any]:
    from qua3ck.understand.loading.sources import as_facts, load_each

    names, accept = told["names"], told["accept"]
    return {"loads": as_facts(load_each(section, workspace, names=names, accept=accept, tell=tell))}


def _job(facts: dict[str, Any]) -> Job:
    steward = facts.pop("steward")
    return Job(
        section=received(facts.pop("section")),
        wanted=tuple(facts.pop("wanted")),
        steward=Steward(steward["name"], bytes.fromhex(steward["sealing"])) if steward else None,
        **facts,
    )


def _say(out: TextIO, fact: dict[str, Any]) -> None:
    out.write(json.dumps(fact) + "\n")
    out.flush()


def _as_json(problem: Qua3ckError) -> dict[str, Any]:
    return {
        "what": problem.what,
        "where": problem.where,
        "fix": problem.fix,
        "code": problem.code,
        "blocked": isinstance(problem, Blocked),
    }


def _disk(problem: OSError, root: str) -> Qua3ckError:
    return Qua3ckError(
        f"A file cannot be written or read: {problem.strerror}",
        where=str(problem.filename or root),
        fix="make room or give yourself the right to use it, then run again",
        code="U101",
    )


if __name__ == "__main__":
    sys.exit(main())
