"""The image that a container is built on, pinned by digest, and where that digest comes from.

A tag can be moved to other bytes, a digest cannot. Nothing here asks a registry: the digests
below were found in public Dockerfiles of several authors, who built on them; this program has
not pulled them. They get older, and so do the packages in them: ``renew-base.sh`` beside the
Dockerfile asks the registry for today's digest and writes it in.
"""

from __future__ import annotations

import re

from qua3ck.kit.errors import Qua3ckError

TAG = "python:{python}-slim-bookworm"
DIGESTS = {
    "3.11": "a36c24f9cbdf4fd0f52d67f0823eeac19c2028c637cecc392d97f980d4fec56b",
    "3.12": "782412e85d0f0984994c290652577d4018aff08145c85b262bb63dc0c7522254",
    "3.13": "01f42367a0a94ad4bc17111776fd66e3500c1d87c15bbd6055b7371d39c124fb",
}
_PINNED = re.compile(r"[a-z0-9][a-z0-9._/:-]*@sha256:[0-9a-f]{64}")


def base_image(python: str, given: str = "") -> str:
    """Return the image to build on.

    Parameters
    ----------
    python : str
        ``major.minor`` that the version was made with.
    given : str
        What the user asks for instead; it must have a digest.

    Raises
    ------
    Qua3ckError
        If it has none (K018), or none is known for this Python.
    """
    if given and _PINNED.fullmatch(given):
        return given
    tag = given or TAG.format(python=python)
    if not given and python in DIGESTS:
        return f"{tag}@sha256:{DIGESTS[python]}"
    raise Qua3ckError(
        f'The base image "{tag}" has no digest: its tag can be moved to other bytes',
        where="--base",
        fix=f"docker buildx imagetools inspect {tag.partition('@')[0]} shows it; then "
        "--base IMAGE@sha256:DIGEST",
        code="K018",
    )
