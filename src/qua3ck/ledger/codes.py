"""The pages behind the ledger's codes."""

from __future__ import annotations

from qua3ck.kit.findings import CodePage

_LOOK = (
    "Change nothing. Type qua3ck audit verify, keep a copy of the folder as evidence, and"
    " restore ledger/ from a backup that verifies."
)

PAGES: tuple[CodePage, ...] = (
    CodePage(
        "L001",
        "The ledger lies on a network share",
        "On NFS and SMB a file lock may not hold, and two machines could write at once.",
        "The project folder is on the department's drive.",
        "Work on a local disk and copy. If only one machine ever writes:"
        " export QUA3CK_NETWORK_SHARE=allow",
    ),
    CodePage(
        "L002",
        "Another run holds the ledger",
        "One writer at a time; an append takes milliseconds, so a long wait means a run that"
        " hangs or was stopped with Ctrl-Z.",
        "A run was suspended in another terminal.",
        "End or continue the other run, then type the same again.",
    ),
    CodePage(
        "L003",
        "Events are missing at the end",
        "The signed head counts more events than the chain has: its end was cut off.",
        "Somebody removed the last line, in which a refusal stood.",
        _LOOK,
    ),
    CodePage(
        "L004",
        "More in the chain than the signed head knows",
        "Lines or bytes follow that were not written through the ledger. What a crash leaves"
        " is announced by head.next.json and mended; this is not.",
        "A line was added with an editor.",
        _LOOK,
    ),
    CodePage(
        "L005",
        "The signed head is missing or wrong",
        "head.json is gone, cannot be read, or its signature was not made by an enrolled person.",
        "head.json was not copied together with chain.jsonl.",
        _LOOK,
    ),
    CodePage(
        "L006",
        "An event was changed",
        "The bytes of a line do not give its hash, or it does not follow the line before.",
        "A threshold in an old event was edited to look as if it had always been so.",
        _LOOK,
    ),
    CodePage(
        "L007",
        "The ledger was set back or written anew",
        "A copy of the head that is kept elsewhere, the witness, saw more events or other ones."
        " A chain and head that agree with each other do not show this.",
        "The project folder was restored from last week's backup.",
        "Find the newer folder. If the old state is meant to go on, that is an owner's decision,"
        " recorded with what the witness saw: qua3ck restore with --set-back and the reason.",
    ),
    CodePage(
        "L008",
        "Opened for reading only",
        "Something tried to write an event through a ledger without a signer.",
        "A notebook opened the project with read_only=True and then called run().",
        "Open the project as an enrolled person without read_only.",
    ),
    CodePage(
        "L009",
        "The event could not be written",
        "The disk is full or the folder is not writable. Nothing was lost: what is half written"
        " is cut off and recorded at the next start.",
        "The disk filled up while a release was made.",
        "Make room, then type the same again.",
    ),
    CodePage(
        "L010",
        "The witness cannot be written",
        "A copy of every signed head goes to a second place; it cannot be reached, so nothing"
        " was written.",
        "QUA3CK_WITNESS names a stick that is not plugged in.",
        "Connect it, or unset QUA3CK_WITNESS; the copy in the key store stays.",
    ),
)
