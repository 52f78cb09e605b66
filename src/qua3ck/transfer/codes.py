"""The pages behind the codes that K can raise; ``qua3ck explain CODE`` shows them."""

from __future__ import annotations

from qua3ck.kit.findings import CodePage

PAGES: tuple[CodePage, ...] = (
    CodePage(
        "K001",
        "The verdict does not allow a release",
        "A KPI, slice or fairness gap fails or is undecided, the gain over the naive baseline"
        " is not beyond doubt, or a finding blocks. Nothing was written.",
        "28 of 30 test rows right, accuracy > 0.95 wanted: the interval reaches down to 0.80,"
        " so the promise is undecided and no version is made.",
        "qua3ck conclude says which promise is open and how many rows would decide it. Bring"
        " those rows, better features, or settle with the owner for less.",
    ),
    CodePage(
        "K002",
        "The verdict is about something else",
        "Question, snapshot, candidate and verdict do not belong together: one of them was"
        " changed after the verdict was made.",
        "A threshold is lowered in qua3ck.yaml after the seal was opened; the old verdict does"
        " not speak about the new promise.",
        "Judge what is there now: qua3ck conclude",
    ),
    CodePage(
        "K003",
        "A version could not be written",
        "The disk refused while the version's folder was written: full, read-only, or no right"
        " to write. The folder is made whole or not at all; nothing half is left.",
        "The disk of a laptop is full after 14 of 20 files: releases/ looks as before.",
        "Make room, then type the same command again: qua3ck release",
    ),
    CodePage(
        "K004",
        "A version's files are not the ones that were released",
        "A file below releases/<version>/ was changed, added or is missing, so its hashes do"
        " not give the digest in the signed ledger. Such a version is never promoted or rolled"
        " back to.",
        "Somebody corrects a typing error in README.md of version 3 by hand: good intent, but"
        " nobody can tell it from a changed model.",
        "Restore the folder from a backup. A correction is a new version: qua3ck release",
    ),
    CodePage(
        "K005",
        "Unknown version",
        "There is no such version in the ledger.",
        "qua3ck promote 12, where versions 1 and 2 exist.",
        "List what there is with: qua3ck audit",
    ),
    CodePage(
        "K006",
        "A gate says no",
        "Promotion needs every gate of the risk class to pass: verdicts, findings,"
        " reproduction certificate, approvals, unchanged files, a ledger that verifies. The"
        " refusal and every answer stand in the ledger.",
        "Risk class high, one approval of two: the version stays where it is.",
        "Each gate's line says what is missing and what to type.",
    ),
    CodePage(
        "K007",
        "There is nothing to roll back to",
        "The alias has pointed to one version only, or to none.",
        "The first champion ever is wrong: there is no older one.",
        "Promote another version, or stop using the model until there is one.",
    ),
    CodePage(
        "K008",
        "An alias was moved in the registry behind our back",
        "The alias in MLflow points elsewhere than the ledger says. MLflow keeps no history of"
        " alias moves: whoever may write can set @champion without a trace.",
        "client.set_registered_model_alias('credit', 'champion', 5) in a notebook, past all gates.",
        "Find out who and why; then bring the registry back to what the ledger says with the"
        " promotion or rollback that was meant. Restrict who may write to the registry.",
    ),
    CodePage(
        "K009",
        "The registry does not follow yet",
        "The ledger has an alias move or a version that MLflow does not have, because it was"
        " out of reach or the process ended between the two. The ledger is what counts.",
        "The network breaks after the ledger was written and before MLflow was.",
        "Type the same command again; every release, promote and rollback catches up.",
    ),
    CodePage(
        "K010",
        "A version does not come out the same again",
        "Made again from the pinned snapshot in a fresh process, something lies outside its"
        " stated tolerance. The certificate says what: data, code, environment, artefact,"
        " metrics or predictions.",
        "scikit-learn was updated: same data, same code, other trees, other predictions.",
        "qua3ck reproduce VERSION --fresh-env rebuilds the environment from the version's own"
        " lock. If it still differs, a new version is the honest way: qua3ck release",
    ),
    CodePage(
        "K011",
        "A version cannot be made again",
        "What the version was made from is gone or cannot be used: the pinned table, the"
        " project's functions, the virtual environment, or the process that made it failed.",
        "warehouse/ was deleted to save space; the snapshot it pinned went with it.",
        "Restore what the message names from a backup, then: qua3ck reproduce VERSION",
    ),
    CodePage(
        "K012",
        "The story in the ledger and the things on the disk differ",
        "audit verify holds every released folder against the ledger and found a difference.",
        "releases/2 was deleted: the ledger still says it was made, promoted and used.",
        "Each line says what and where. Restore from a backup; do not edit the ledger.",
    ),
    CodePage(
        "K013",
        "Unknown alias",
        "Aliases are few and fixed, so that a typing error does not make a new one.",
        "qua3ck promote 2 --alias champoin",
        "Write one of: champion, challenger, shadow, staging, production.",
    ),
    CodePage(
        "K014",
        "No reason given",
        "Moving an alias changes what people rely on; whoever asks a year later needs to know why.",
        'qua3ck promote 2 --reason ""',
        'Say it in a sentence: qua3ck promote 2 --reason "first version that meets the KPIs"',
    ),
    CodePage(
        "K015",
        "A date that cannot be read",
        "The audit was asked about a day or moment that is not written as ISO 8601.",
        "qua3ck audit --on 3/4/2025: the third of April or the fourth of March?",
        "Write 2025-04-03, or a moment such as 2025-04-03T14:00:00Z.",
    ),
)
