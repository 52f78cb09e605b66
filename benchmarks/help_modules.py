"""How many modules ``qua3ck --help`` imports, and how long it takes next to a bare Python."""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import time

ROUNDS = 10
HELP = "import sys; from qua3ck.cli.main import main; main(['--help']); print(len(sys.modules))"


def seconds(code: str) -> tuple[float, str]:
    """Return how long a new Python takes to run ``code``, and its last line of output."""
    started = time.perf_counter()
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return time.perf_counter() - started, done.stdout.strip().rpartition("\n")[2]


def main() -> None:
    """Print the figures as JSON."""
    pairs = [(seconds("print(0)")[0], seconds(HELP)) for _ in range(ROUNDS)]
    figures = {
        "modules": int(pairs[0][1][1]),
        "budget_modules": 150,
        "ratio_to_bare_python": round(statistics.median(h[0] / bare for bare, h in pairs), 2),
    }
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
