"""The whole line on two real projects: `make demo`.

Iris must end undecided and must not be promoted. Credit must end promoted, reproduced,
verified, and loaded by MLflow without this package. Anything else fails the demo. The
projects are copied to build/demo/, the keys are throw-away keys under build/demo-keys/.
"""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).parents[1]
WORK = ROOT / "build" / "demo"
KEYS = ROOT / "build" / "demo-keys"
QUA3CK = Path(sys.executable).with_name("qua3ck")
STARTED = time.perf_counter()

# Runs in a process that refuses to import qua3ck, as a user of the model would have it.
LOAD_WITH_MLFLOW = """
import json, sys, warnings

class Refuse:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] == "qua3ck":
            raise ImportError("this process must do without qua3ck")

sys.meta_path.insert(0, Refuse())
import mlflow
import pandas

mlflow.set_tracking_uri("sqlite:///mlflow.db")
model = mlflow.pyfunc.load_model("models:/credit@champion")
golden = json.load(open(sys.argv[1], encoding="utf-8"))
answers = model.predict(pandas.DataFrame(golden["rows"], dtype=object))
print(answers.head(5).to_string(index=False))
same = list(answers["label"]) == golden["expected"]["labels"]
scores = answers[[name for name in answers.columns if name.startswith("p_")]].to_numpy()
gap = abs(scores - golden["expected"]["scores"]).max()
print(f"{len(answers)} golden rows, labels as expected: {same}, probabilities within {gap:.1g}; "
      f"qua3ck imported: {'qua3ck' in sys.modules}")
sys.exit(0 if same and gap <= 1e-6 else 1)
"""


def heading(text: str) -> None:
    """Print what comes next, with the seconds since the start."""
    print(f"\n== {text}  [{time.perf_counter() - STARTED:.0f} s]", flush=True)


def type_in(folder: Path, *words: str, expect: int = 0) -> None:
    """Run one command line in a project's folder; end the demo if its exit code surprises."""
    print(f"$ {shlex.join(words)}", flush=True)
    command = [str(QUA3CK), *words[1:]] if words[0] == "qua3ck" else list(words)
    code = subprocess.run(command, cwd=folder, check=False).returncode
    if code != expect:
        sys.exit(f"demo failed: exit code {code}, expected {expect}")
    if expect:
        print(f"(exit {code}, as it must be)", flush=True)


def prepare() -> None:
    """Copy the examples and make an empty key store, so that every demo starts afresh."""
    for folder in (WORK, KEYS):
        shutil.rmtree(folder, ignore_errors=True)
    for name in ("iris", "credit"):
        sources = [
            *(ROOT / "examples" / name).glob("*.py"),
            ROOT / "examples" / name / "qua3ck.yaml",
        ]
        (WORK / name).mkdir(parents=True)
        for source in sources:
            shutil.copy(source, WORK / name)
    os.environ.update(
        QUA3CK_KEYS=str(KEYS), QUA3CK_ACTOR="ana", PYTHONWARNINGS="ignore", COLUMNS="100"
    )


def iris() -> None:
    """Show that a good-looking result on 30 rows decides nothing."""
    folder = WORK / "iris"
    heading("Iris: the textbook says 'over 95 %'. Do 30 test rows prove it?")
    type_in(folder, "qua3ck", "run", expect=1)
    print(
        "Undecided: so few rows cannot tell 95 % from 90 %. The line above says how many would.\n"
        "An undecided number is not released, whatever it looks like:"
    )
    type_in(folder, "qua3ck", "promote", "--reason", "it looks good", expect=1)


def credit() -> None:
    """Take a score of risk class high from raw rows to a promoted release."""
    folder = WORK / "credit"
    heading("Credit: check the project file; two persons agree to its thresholds")
    type_in(folder, "qua3ck", "check")
    print(
        "This demo plays Rosa (risk) and Malik (credit committee) with two keys it makes here.\n"
        "Two keys made by one person look like two persons: real approvers make their own."
    )
    type_in(folder, "qua3ck", "enrol", "rosa", "--role", "risk_manager")
    type_in(folder, "qua3ck", "enrol", "malik", "--role", "domain_expert")
    for name in ("rosa", "malik"):
        agree = ("approve", "--question", "--as", name, "--reason", "limits of our credit policy")
        type_in(folder, "qua3ck", *agree)

    heading("Credit: from raw rows to the verdict on the sealed rows")
    type_in(folder, "qua3ck", "run")

    heading("Credit: make it a release; promoting it at once is refused")
    type_in(folder, "qua3ck", "release")
    type_in(folder, "qua3ck", "promote", "1", "--reason", "too early", expect=1)

    heading("Credit: rebuild it from the pinned data and compare")
    type_in(folder, "qua3ck", "reproduce", "1")

    heading("Credit: the same two approve the version")
    type_in(
        folder, "qua3ck", "approve", "1", "--as", "rosa", "--reason", "report read, risks known"
    )
    type_in(folder, "qua3ck", "approve", "1", "--as", "malik", "--reason", "fits our risk appetite")

    heading("Credit: promote")
    type_in(folder, "qua3ck", "promote", "1", "--reason", "replaces the double reading")

    heading("Credit: is the record as it was written? Two verifiers that share no code")
    type_in(folder, "qua3ck", "audit", "verify")
    type_in(folder, sys.executable, str(ROOT / "tools" / "verify_ledger.py"), ".")

    heading("Credit: MLflow loads the champion, without qua3ck")
    golden = next((folder / "releases" / "1").rglob("golden.json"))
    script = WORK / "load_with_mlflow.py"  # not in the project: there it would be its code
    script.write_text(LOAD_WITH_MLFLOW, encoding="utf-8")
    type_in(folder, sys.executable, "-I", str(script), str(golden))


def main() -> None:
    """Run the demo and say what to open."""
    prepare()
    iris()
    credit()
    heading("Done")
    print(
        f"Iris ended undecided, credit is promoted.\n"
        f"open:  {WORK / 'credit' / 'releases' / '1' / 'report.html'}\n"
        f"next:  cd {WORK / 'credit'}; QUA3CK_KEYS={KEYS} {QUA3CK} audit"
    )


if __name__ == "__main__":
    main()
