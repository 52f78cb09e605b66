"""What whoever takes a version over needs to run and check it without us."""

from __future__ import annotations

from importlib import resources
from pathlib import Path

CHECK = "check_release.py"


def write(folder: Path) -> None:
    """Write the generated model file and the stand-alone check into a version's folder.

    Parameters
    ----------
    folder : Path
        The folder in the making; ``model/`` is in it already.
    """
    from qua3ck.store.releases import pyfunc

    (folder / "model.py").write_text(
        pyfunc.generate(folder / "model"), encoding="utf-8", newline="\n"
    )
    text = resources.files("qua3ck.transfer").joinpath(CHECK).read_bytes()
    (folder / CHECK).write_bytes(text)
