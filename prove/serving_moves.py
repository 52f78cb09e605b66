"""Load for minutes while the champion is moved 20 times and a worker is killed 5 times with -9.

No answer may be wrong, only requests on a connection to a killed process may fail, and the log
must have every answer exactly once, with what was answered. Prints what was counted.

    python prove/serving_moves.py [--seconds 600] [--moves 20] [--kills 5]
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from pathlib import Path

TESTS = Path(__file__).parents[1] / "tests" / "operate"
sys.path[:0] = [str(TESTS), str(TESTS / "serve")]


def main() -> int:
    """Run it and say what came of it; 1 if anything is wrong."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--seconds", type=float, default=600.0)
    parser.add_argument("--moves", type=int, default=20)
    parser.add_argument("--kills", type=int, default=5)
    parser.add_argument("--clients", type=int, default=4)
    parser.add_argument("--workers", type=int, default=2)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        return prove(Path(name), options)


def prove(folder: Path, options: argparse.Namespace) -> int:
    from moving import judged, under_load
    from running import serving
    from small_shop import make_artefacts, make_shop

    from qua3ck.operate.records import ServePlan

    os.environ.update(QUA3CK_KEYS=str(folder / "keys"), QUA3CK_ACTOR="ana")
    shop = make_shop(folder / "shop", make_artefacts(folder / "artefacts"))
    shop.move(1)
    plan = ServePlan(
        root=str(shop.root), project="shop", project_id=shop.workspace.project_id, port=0,
        workers=options.workers, actor="ana",
    )  # fmt: skip
    with serving(plan, folder) as server:
        load = under_load(
            shop, server, seconds=options.seconds, moves=options.moves, kills=options.kills,
            clients=options.clients,
        )  # fmt: skip
        ended = server.end()
    found = judged(load, shop, plan)
    by_version = ", ".join(f"{n} by version {v}" for v, n in sorted(found.versions.items()))
    print(f"{found.answers} answers in {options.seconds:g} s: {by_version}")
    print(f"{len(load.moves) - 1} moves, {len(load.kills)} kills with -9")
    print(
        f"{len(found.errors)} requests without an answer, {found.logged_more} logged all the same"
    )
    bad = {
        "wrong answers": found.wrong,
        "answers of a version out of use": found.late,
        "errors away from a kill": found.unexplained,
        "answers that were not logged": found.not_logged,
        "answers logged twice": found.logged_twice,
        "answers logged otherwise": found.logged_otherwise,
    }
    for what, some in bad.items():
        print(f"{len(some)} {what}" + (f", such as {some[0]}" if some else ""))
    held = not any(bad.values()) and ended == 0 and found.logged_more <= len(found.errors)
    print("held" if held else "DID NOT HOLD")
    return 0 if held else 1


if __name__ == "__main__":
    sys.exit(main())
