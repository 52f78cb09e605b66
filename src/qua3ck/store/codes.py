"""The pages behind the store's codes."""

from __future__ import annotations

from qua3ck.kit.findings import CodePage

KEY_PAGES = (
    CodePage(
        "S031",
        "No private key of this person",
        "The action needs a signature or a key of somebody whose private key is not in the key"
        " store of this machine.",
        "The project was copied on a USB stick; the keys stayed at home, as they should.",
        "Copy the key file, set QUA3CK_KEYS to the folder that has it, or set QUA3CK_ACTOR to"
        " somebody whose key is here.",
    ),
    CodePage(
        "S032",
        "No such secret: no key for the seal",
        "A secret such as the key of a seal is not in this key store; without it the sealed"
        " rows can be read by nobody.",
        "A colleague made the seal; you run conclude with your own key store.",
        "Set QUA3CK_KEYS to the store in which the seal was made, or let the person who made"
        " it, or the steward it was wrapped for, go on.",
    ),
    CodePage(
        "S033",
        "Wrong key",
        "The key does not open what was sealed, or a byte of it was changed: the cipher cannot"
        " tell these two apart.",
        "A seal wrapped for the steward is opened as the analyst.",
        "Act as the person it was made for. If it is the right key, restore sealed/ from a copy.",
    ),
    CodePage(
        "S034",
        "The name is taken by another secret",
        "Overwriting a secret would make rows sealed with it unreadable for ever.",
        "A key is imported under the name of a seal that exists.",
        "Check which of the two is in use; keep a copy of the other elsewhere and remove it.",
    ),
    CodePage(
        "S035",
        "Not a name for a key",
        "Names of keys are file names on every system.",
        'The actor is "Ana María"; the file would be spelt differently elsewhere.',
        "Use small letters, digits, dot, dash and underscore: ana-maria.",
    ),
    CodePage(
        "S036",
        "The key store cannot be made",
        "The folder for the keys could not be created.",
        "QUA3CK_KEYS names a folder on a stick that is not plugged in.",
        "Set QUA3CK_KEYS to a folder of yours outside the project.",
    ),
    CodePage(
        "S037",
        "Others may read the keys",
        "Whoever can read a private key can sign as its owner.",
        "The folder was copied without its modes: 0644 instead of 0600.",
        "Type the chmod that the message shows.",
    ),
    CodePage(
        "S038",
        "A key file cannot be read",
        "The file is cut off, or holds something else than the keys expected.",
        "A mail program changed the line ends and lost the last line.",
        "Restore the file, or ask the person to send their .pub file again.",
    ),
    CodePage(
        "S039",
        "Passphrase missing or wrong",
        "The key was made with a passphrase, and it opens with this one only.",
        "A scheduled run has no QUA3CK_PASSPHRASE in its environment.",
        "export QUA3CK_PASSPHRASE=... with the passphrase the key was made with.",
    ),
)

TRACKING_PAGES = (
    CodePage(
        "S040",
        "MLflow cannot be reached or used",
        "Trials and versions are recorded in MLflow: in mlflow.db in the project folder, or on"
        " the server that transfer.tracking names. It did not answer, or refused.",
        "The server at http://mlflow.example:5000 is switched off for the night.",
        "Start the server, correct transfer.tracking, or remove it to keep runs in the folder."
        " Trials that were finished are not lost: the loop goes on where it stopped.",
    ),
)

WAREHOUSE_PAGES = (
    CodePage(
        "S001",
        "Another process keeps writing the table",
        "A table has one writer at a time, and the other did not end.",
        "A scheduled load is still running in the same folder.",
        "Wait until the other run has ended, then run again.",
    ),
    CodePage(
        "S002",
        "A column cannot be stored",
        "Its type is one that no table format below can hold, its texts are larger than 2 GB,"
        " or two columns differ in upper and lower case only.",
        "A column of lists; columns called id and ID.",
        "Turn it into numbers, text, booleans, dates or timestamps; rename one of the two.",
    ),
    CodePage(
        "S003",
        "A table cannot be read",
        "There is no such table or version, or a file of it is gone or damaged.",
        "warehouse/gold was not copied with the folder.",
        "Restore warehouse/ from a copy, or load the sources again.",
    ),
    CodePage(
        "S004",
        "A table cannot be written",
        "The disk is full, or the folder may not be written. What was stored stays as it was.",
        "The project lies on a stick that is write-protected.",
        "Make room, or give yourself the right to write there; then run again.",
    ),
    CodePage(
        "S005",
        "A query cannot be run",
        "The SQL is not correct, or reaches for something else than the sources.",
        "SELECT * FROM 'data/other.csv' reads a file that nobody declared.",
        "Write one SELECT over the tables that the project file names as sources.",
    ),
)

PAGES: tuple[CodePage, ...] = (*WAREHOUSE_PAGES, *KEY_PAGES, *TRACKING_PAGES)
