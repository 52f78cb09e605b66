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
        " out of reach, the process ended between the two, or MLflow's database was lost. The"
        " ledger is what counts.",
        "mlflow.db was deleted: it is made anew, with none of the versions that were in it.",
        "Type the same command again; every release, promote and rollback registers what is"
        " missing from releases/, if the version's folder is as it was released.",
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
    CodePage(
        "K016",
        "Nothing to export under this name",
        "Each place that a project can be handed over to has a name.",
        "qua3ck export k8s",
        "Write one of the names in the message: qua3ck export kubernetes",
    ),
    CodePage(
        "K017",
        "An exported file was changed by somebody",
        "An export replaces what the last export wrote, and nothing else: a change that you made"
        " in the exported folder would be lost.",
        "The port in compose.yaml was changed by hand; a month later the export is typed again.",
        "Export to another folder with --to and compare, or move the changed file away.",
    ),
    CodePage(
        "K018",
        "A base image without a digest",
        "A tag such as python:3.11-slim can be moved to other bytes at any time, so what was"
        " tested is not what is built a month later. A digest names the bytes.",
        "qua3ck export docker --base python:3.11-slim",
        "Ask the registry for the digest, and give both: --base IMAGE@sha256:DIGEST",
    ),
    CodePage(
        "K019",
        "No version to hand over",
        "A container serves a version and is built with the packages it was made with; the"
        " project has none yet.",
        "qua3ck export docker, before the first qua3ck release.",
        "Make one: qua3ck run, then qua3ck release",
    ),
    CodePage(
        "K020",
        "A file that can run code when it is loaded",
        "A file of the version is a pickle, holds one, or is something else that runs what it"
        " brings: told by its bytes, not by its name. An archive that cannot be looked into"
        " counts as one.",
        "A colleague adds model/scaler.bin, made with joblib: whoever loads it runs what is in"
        " it, and nobody can read what that is.",
        "Leave it out; keep figures as JSON, models as ONNX or skops. A version is never"
        " changed: make a new one with qua3ck release.",
    ),
    CodePage(
        "K021",
        "Shipped code runs what it is given, or reaches out",
        "Functions that go with the version use eval, exec or pickles, or start programs, open"
        " sockets or call C libraries. The first kind blocks; the second is warned of in code/"
        " and blocks in model/code/, which runs for every prediction. The syntax is read, the"
        " code is not run: who wants to hide a call can.",
        "eval(row['formula']) in features.py: a cell of a table becomes a program.",
        "Write what is meant (a dictionary of functions, ast.literal_eval for numbers), or give"
        ' the reason: transfer: accept: {"K021 code/features.py": why}',
    ),
    CodePage(
        "K022",
        "A secret in a version",
        "A file of the version holds what looks like a private key, a token or a password. A"
        " version is copied, registered and kept for years, so it is refused before it is made,"
        " in every risk class. The message has file, line and kind, never the value. What only"
        " looks like a password is warned of.",
        "postgresql://ana:PASSWORD@server/data stands in a comment of features.py since the"
        " first try.",
        "Take it out, read it from the environment (env:NAME in qua3ck.yaml), and have a new one"
        " made: what stood in a file is known. If it is no secret, say so: transfer: accept:"
        ' {"K022 code/features.py": why}',
    ),
    CodePage(
        "K023",
        "The environment lock does not hold every package",
        "A package of requirements.txt is not pinned to one version (blocks), or has no hash, so"
        " that other bytes under the same name and version would be taken (warned of; for risk"
        " class high the gate lock stops it).",
        "A package was upgraded by hand after qua3ck was installed: its version is in no lock.",
        "Install from the lock (make test does), or put a hashed lock of what runs beside"
        " qua3ck.yaml: uv pip compile --generate-hashes -o requirements.txt; then qua3ck release",
    ),
    CodePage(
        "K024",
        "A package with a known vulnerability",
        "An advisory names the locked version of a package. It blocks where the vulnerability is"
        " known to be exploitable: the package is malicious, an exploit is shown or in use, or"
        " its CVSS vector says that anybody can over the network without an account; else it is"
        " warned of.",
        "onnx 1.15.0 in the lock, and an advisory that 1.16.0 cures it.",
        "Install the version that cures it and make a new version of the model. If it cannot"
        " hurt here, say why: transfer: accept: {GHSA-...: why}. For a version that is made"
        " already, qua3ck promote puts that on record, and the approvers sign again: a reason"
        " that they did not see does not count.",
    ),
    CodePage(
        "K025",
        "The advisories are old",
        "The newest of them was changed more than 90 days before now, or none has a day that has"
        " come yet. What became known since is"
        " not in it, so that nothing found means less every day.",
        "The export was brought on a USB stick in January and is used in August.",
        "Bring a new export, for PyPI: osv-vulnerabilities.storage.googleapis.com/PyPI/all.zip",
    ),
    CodePage(
        "K026",
        "Known vulnerabilities were not looked for",
        "No advisories are declared. Not applicable never counts as passed: for risk class high"
        " the gate is undecided until there are some or somebody answers for it with a reason;"
        " else the gate says that it was not checked.",
        "A laptop without internet: no tool can ask anybody which packages are vulnerable.",
        "Bring an export in the form of OSV (all.zip of PyPI) and declare it: transfer:"
        " {advisories: advisories/all.zip}. Or give the reason: transfer: accept: {K026: why},"
        " best before qua3ck release: later, the approvers have to sign again.",
    ),
    CodePage(
        "K027",
        "Advisories that cannot be read",
        "What transfer.advisories names is not there, is no OSV, or has entries that cannot be"
        " read or compared; those say nothing, and nothing is not harmless.",
        "advisories: all.zip, while the file lies in another folder.",
        "Name a JSON file, a folder of them, or a zip, from the project's folder on; bring the"
        " export again if it is damaged.",
    ),
    CodePage(
        "K028",
        "A reason that is for nothing",
        "transfer.accept names what nothing is called, or what was not found: a code that does"
        " not exist, a file that no version ships, an advisory about none of its packages. It"
        " waives nothing, and hides that something else may still be open.",
        "accept: {K26: we work offline}: the code is K026, so the gate stays undecided.",
        "Write the name that check or promote shows: K026 by itself, K021 code/features.py for"
        " a file, GHSA-... for an advisory; take out what is no longer found.",
    ),
    CodePage(
        "K029",
        "What MLflow loads is not what was registered",
        "A registered version is a copy with code in it, which every client runs that loads it."
        " A file of that copy was changed, added or is missing, by the hashes in the signed"
        " ledger; one registered before those were kept is held against the version's folder."
        " Copies that an MLflow server keeps cannot be looked at from here.",
        "A line is appended to mlartifacts/.../model.py: load_model('models:/credit@champion')"
        " runs it, and the version under releases/ is untouched.",
        "Load nothing from there, and find out who and why. Then delete that version in MLflow"
        " (client.delete_model_version(NAME, NUMBER)); the next release, promote or rollback"
        " registers it again from releases/. A file below __pycache__ that another Python"
        " compiled can be deleted.",
    ),
)
