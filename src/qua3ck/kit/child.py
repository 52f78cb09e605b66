"""A child process and the one job it is given; the child ends when its parent is gone.

A parent that was killed cannot end its child, and an orphan would go on writing into a
project in which somebody has begun again. So the parent keeps the child's standard input
open for as long as it waits, and the child ends at once when that is closed.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from collections.abc import Sequence
from contextlib import suppress
from typing import Any


def begin(command: Sequence[str]) -> subprocess.Popen[bytes]:
    """Start a child that will be given its job later; it waits, and may load what it needs.

    What the child writes to standard error is not kept: it may quote a row.
    """
    return subprocess.Popen(  # noqa: S603 - our own interpreter and module
        list(command),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )


def answer_of(
    command: Sequence[str], job: Any, *, begun: subprocess.Popen[bytes] | None = None
) -> tuple[bytes, int]:
    """Run a child with a job; return all it wrote to standard output, and its exit status.

    Parameters
    ----------
    command : sequence of str
        A module of ours that calls :func:`job_given` before it does anything.
    job : object
        JSON-able.
    begun : subprocess.Popen, optional
        The same command as :func:`begin` started it, waiting for its job.
    """
    with begun or begin(command) as process:
        try:
            hand_over(process, job)
            said = process.stdout.read() if process.stdout else b""
            return said, process.wait()  # only then its input is closed
        except BaseException:
            process.kill()
            raise


def hand_over(process: subprocess.Popen[bytes], job: Any) -> None:
    """Write the job to a child and leave its standard input open."""
    if process.stdin is None:
        raise ValueError("the child must have been started with stdin=PIPE")
    try:
        process.stdin.write(json.dumps(job).encode() + b"\n")
        process.stdin.flush()
    except BrokenPipeError:
        with suppress(BrokenPipeError):  # it ended before reading; its exit status tells
            process.stdin.close()


def job_given() -> Any:
    """Return the job, in the child; from now on the child ends when its parent does."""
    job = json.loads(sys.stdin.buffer.readline())
    parent = os.dup(0)
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)  # a user's function that asks for input is told that there is none
    os.close(nothing)
    threading.Thread(target=_end_with, args=(parent,), daemon=True).start()
    return job


def _end_with(parent: int) -> None:
    while os.read(parent, 4096):
        pass
    os._exit(1)
