"""The pages behind the codes of roles, people, risk and approvals."""

from __future__ import annotations

from qua3ck.kit.findings import CodePage

PAGES: tuple[CodePage, ...] = (
    CodePage(
        "G001",
        "Not enrolled",
        "Anybody may read; only people whose name, roles and keys an owner has signed into the"
        " ledger may write.",
        "A colleague copies the project and types qua3ck run on their own machine.",
        "The owner types: qua3ck enrol NAME --role ROLE --public FILE",
    ),
    CodePage(
        "G002",
        "The role does not allow it",
        "Running, opening the seal, approving, promoting and enrolling each need certain roles;"
        " the message names them. The auditor may change nothing, on purpose.",
        "An analyst tries to promote their own model.",
        "Let somebody with the role do it, or have the owner add the role.",
    ),
    CodePage(
        "G003",
        "Unknown role",
        "Roles are a fixed list, because gates count them.",
        "qua3ck enrol ben --role riskmanager",
        "Take one from the list in the message.",
    ),
    CodePage(
        "G004",
        "The file with a person's public keys is wrong",
        "people/NAME.pub cannot be read, or says another key or role than the owner signed into"
        " the ledger. Editing it gives nobody a right.",
        "Somebody adds owner to the roles in their own file.",
        "git checkout people/; change roles with qua3ck enrol NAME --role ROLE",
    ),
    CodePage(
        "G005",
        "Not a person's name",
        "Names are file names and stand in signed statements: small letters, digits, dot, dash,"
        " underscore.",
        'QUA3CK_ACTOR="Ana María"',
        "export QUA3CK_ACTOR=ana-maria",
    ),
    CodePage(
        "G006",
        "The key here is not the enrolled one",
        "The key store has a key under this name, but another one than the project knows.",
        "Two laptops both made a key for the login name user.",
        "Set QUA3CK_KEYS to the store with the enrolled key, or act under another name and have"
        " the owner enrol it.",
    ),
    CodePage(
        "G007",
        "Opened for reading only",
        "A table was to be written through a project opened with read_only.",
        "The web view, which decides nothing, calls a phase.",
        "Open the project without read_only, as an enrolled person.",
    ),
    CodePage(
        "G008",
        "The key store lies inside the project",
        "Who copies the folder would get the private keys and could open the seal and sign.",
        "export QUA3CK_KEYS=./keys",
        "Set QUA3CK_KEYS to a folder outside the project.",
    ),
    CodePage(
        "G009",
        "The ledger is gone, or was only begun",
        "People are enrolled but there is no ledger, or its creator was interrupted before being"
        " enrolled.",
        "ledger/ was left out when the folder was copied.",
        "Restore ledger/, or let the creator open the project once; to begin anew, remove"
        " people/ yourself.",
    ),
    CodePage(
        "G010",
        "The domain is nearly one of high risk",
        "A slip of the pen must not lower the risk class.",
        "domain: credti",
        "Write the domain as the message suggests, or with clearly other words.",
    ),
    CodePage(
        "G011",
        "No such release",
        "An approval is given to a version that was released.",
        "qua3ck approve 2 while version 1 is the last.",
        "Name a version from the message, or type: qua3ck release",
    ),
    CodePage(
        "G012",
        "Decision or reason missing",
        "An approval says approve or refuse, and why; the reason stands in the report.",
        'qua3ck approve 1 --reason ""',
        'Add --reason "..."',
    ),
    CodePage(
        "G013",
        "The signature of an approval does not hold",
        "The event was not signed by the person it names over this version and this history.",
        "An old approval was copied behind a later refusal.",
        "Change nothing; type qua3ck audit verify and restore ledger/ from a backup.",
    ),
    CodePage(
        "G014",
        "Somebody's key was replaced",
        "An owner enrolled another key for a name, and no other owner has enrolled that key since."
        " Nobody can tell a lost key from one that the owner made to sign as somebody else, so"
        " that what it signs for a version does not count if the owner is an author of it.",
        "The owner trains a model, types qua3ck enrol rosa --public FILE with a key of their own,"
        " and approves as rosa.",
        "Ask the person whether the key is theirs. Then another owner enrols it too: qua3ck enrol"
        " NAME --role ROLE --public FILE; approvals that it gave count from then on.",
    ),
)
