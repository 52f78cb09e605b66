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
        " A server that is there and does not answer is given up after 5 s, one that falls silent"
        " in the middle of the work after about 20 s; set MLFLOW_HTTP_REQUEST_TIMEOUT and"
        " MLFLOW_HTTP_REQUEST_MAX_RETRIES for more patience."
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
    CodePage(
        "S006",
        "A load comes too late",
        "Loads of a table have an order, so that what was known on a day can be read. This one"
        " says that it came before, or together with, one that is stored.",
        "The clock of the laptop went back a year, and a program took the moment from it.",
        "Load again: the next load gets a moment after the last one, whatever the clock says."
        " If it happens each time, two programs load this table at once: end one.",
    ),
    CodePage(
        "S007",
        "A column does not fit the table",
        "A column has one type for all loads of a table. Whole numbers fit into decimal ones,"
        " and null fits everywhere; nothing else is turned into another type unasked.",
        "clinic is 0412 in the first file and A-0412 in the second: number, then text.",
        "Declare the type (types: {clinic: string}), and load all files again.",
    ),
    CodePage(
        "S008",
        "No such column, or not one to keep a table apart by",
        "A key, a partition or a condition names a column that the table does not have; or the"
        " partition column holds what cannot be the name of a part: decimals, moments, empty"
        " text.",
        "key: [clinic_id], where the table says clinic.",
        "Use one of the columns that the message lists; partition by text, whole numbers,"
        " booleans or dates.",
    ),
    CodePage(
        "S009",
        "Nothing was known yet",
        "The table is asked for as of a moment before its first load.",
        "as_of: 2024-01-01 for a source that was loaded first in March.",
        "Ask for the moment that the message names, or a later one.",
    ),
    CodePage(
        "S010",
        "Not a name for a table",
        "A table is a folder: layer/name. Its name must not lead elsewhere, and must be one that"
        " a USB stick and every system can hold.",
        'silver/../ledger, or silver/stock"2024".',
        "Write letters, digits, dash and underscore: silver/stock_2024.",
    ),
    CodePage(
        "S011",
        "Files of an old version are gone",
        "Every version stays readable until old versions are given up; then only those that a"
        " snapshot or a release is pinned to, and the last one, are kept.",
        "A table is asked for as of last year, after its old versions were removed in January.",
        "Read the last version, or bring the folder back from a backup of that time.",
    ),
    CodePage(
        "S012",
        "No room to finish a query",
        "Sorting and joining go to a scratch folder when memory does not suffice; it is full.",
        "The folder for temporary files is a small disk in memory.",
        "Make room, or point TMPDIR to a folder on a larger disk.",
    ),
)

COPY_PAGES = (
    CodePage(
        "S013",
        "Received bytes are not kept here",
        "What came in is kept under raw/ by its digest; there is nothing under this one.",
        "The folder was copied without raw/ to save room.",
        "Bring raw/ back from a backup, or load the source again.",
    ),
    CodePage(
        "S014",
        "Received bytes are damaged",
        "They do not have the digest that they were kept under: a disk error, or somebody"
        " changed the file.",
        "A USB stick was pulled out while it was written.",
        "Bring the file back from a backup; loading the same source again also mends it.",
    ),
    CodePage(
        "S015",
        "The place for copies cannot be used",
        "The folder or bucket is not there, is a file, is full, may not be written, lies inside the"
        " project, holds no backup of that name, or its URL has a password in it.",
        "qua3ck backup --to /media/stick, and the stick is not plugged in.",
        "Connect it, correct the name, or put the credentials into the environment.",
    ),
    CodePage(
        "S016",
        "A backup is damaged",
        "A file in it is missing or does not have the bytes that were written.",
        "The old disk in the cupboard has a bad sector.",
        "Restore an older backup with --name. If the project still stands, qua3ck backup --whole"
        " reads everything again and mends what is there.",
    ),
    CodePage(
        "S017",
        "A restore never writes over anything",
        "The folder to restore into holds files already, or a file stands in its place or above.",
        "qua3ck restore /media/stick --to my-project, where my-project still exists.",
        "Name a folder that does not exist. Or add --replace: the project that stands there is"
        " renamed beside it, and kept.",
    ),
    CodePage(
        "S018",
        "The copy is not what was written",
        "Each file is read back after writing; this one came back otherwise, three times.",
        "A worn-out USB stick; or a program keeps writing the file while it is copied.",
        "Use another disk or bucket; end the program that writes the file.",
    ),
    CodePage(
        "S019",
        "The rehearsal failed",
        "The backup was restored for a test, and what came out is not a project whose ledger"
        " verifies, whose tables can be read, and whose history is the project's own.",
        "A file of the ledger was changed by hand before it was copied.",
        "Type qua3ck audit verify in the project. If that is in order: qua3ck backup --whole.",
    ),
    CodePage(
        "S020",
        "A restore that would undo history",
        "This machine has seen events that are not in the backup: with it they would be gone, an"
        " opening of the seal or a refusal among them. An older state goes on only if an owner"
        " says why; that is recorded in the restored ledger, with the head that was seen.",
        "The laptop was wiped on Friday, and the backup is of Monday.",
        "Look for the newer folder first. If there is none: qua3ck restore with --set-back and"
        " the reason. Where a witness lies that you cannot write, ask who keeps it.",
    ),
)

PAGES: tuple[CodePage, ...] = (*WAREHOUSE_PAGES, *COPY_PAGES, *KEY_PAGES, *TRACKING_PAGES)
