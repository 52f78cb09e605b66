"""Run every long simulation beside this file, one after the other, and say which failed."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

HERE = Path(__file__).parent


def main(names: list[str]) -> int:
    """Run the named scripts, or all; return 1 if one of them failed."""
    failed = []
    for script in sorted(HERE.glob("*.py")):
        if script.name == Path(__file__).name or (names and script.stem not in names):
            continue
        print(f"== {script.stem}", flush=True)
        started = time.perf_counter()
        done = subprocess.run([sys.executable, str(script)], cwd=HERE.parent, check=False)
        if done.returncode:
            failed.append(script.stem)
        print(f"== {script.stem}: {time.perf_counter() - started:.0f} s\n", flush=True)
    print(f"failed: {', '.join(failed)}" if failed else "all held")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
