"""The pages behind the codes of operation: serving, its keys, its rollouts, batch predictions."""

from __future__ import annotations

from qua3ck.kit.findings import CodePage
from qua3ck.operate.batch.codes import PAGES as BATCH_PAGES
from qua3ck.operate.features.codes import PAGES as FEATURE_PAGES

PAGES: tuple[CodePage, ...] = (
    CodePage(
        "O001",
        "Nothing can be served there",
        "The port is taken by another program, needs more rights (below 1024), or the host is"
        " no address of this machine.",
        "Two servers are started with the default port 8080.",
        "End the other one, or take another port: qua3ck serve --port 8081",
    ),
    CodePage(
        "O002",
        "This project is being served already",
        "Two supervisors would count into the same files and judge the same rollout twice.",
        "qua3ck serve is typed in a second terminal.",
        "More capacity is more workers: qua3ck serve --workers 4. To serve on a second machine,"
        " copy the folder.",
    ),
    CodePage(
        "O003",
        "This system cannot hand a socket on",
        "The supervisor binds one socket and several workers accept from it; that needs POSIX.",
        "qua3ck serve on Windows itself.",
        "Serve in a Linux container, or in the Windows Subsystem for Linux.",
    ),
    CodePage(
        "O004",
        "The ledger does not verify",
        "Which version may answer is read from the signed ledger alone. One that was changed"
        " serves nobody.",
        "A champion was moved by editing ledger/chain.jsonl.",
        "qua3ck audit verify says what is wrong; restore ledger/ from a backup that verifies.",
    ),
    CodePage(
        "O005",
        "Not the name of an API key",
        "The name says who uses a key; it stands in the ledger and in refusals.",
        'qua3ck key add ""',
        "Give 1 to 64 letters, such as loan-desk.",
    ),
    CodePage(
        "O006",
        "Unknown scope",
        "A key may predict, read (metadata, metrics) or operate.",
        "qua3ck key add loan-desk --scope write",
        "Take one from the message; --scope may be given twice.",
    ),
    CodePage(
        "O007",
        "The prediction could not be logged",
        "Every answer is logged before it goes out; where the log cannot be written, requests"
        " are refused with 503 rather than answered in secret.",
        "The disk filled up with logs that nobody compacted.",
        "Make room or give back write permission; answers go on by themselves.",
    ),
    CodePage(
        "O008",
        "The key of the pseudonyms is missing",
        "Personal columns stand in the log as keyed pseudonyms. The key lies in the key store of"
        " whoever typed qua3ck serve.",
        "QUA3CK_KEYS names another folder than when the plan was written.",
        "Start again with qua3ck serve, as somebody whose key store has the key.",
    ),
    CodePage(
        "O009",
        "The fallback rule names an unknown column",
        "A rule that cannot be evaluated would answer everybody the same, on the day on which"
        " the model is switched off.",
        "fallback: {rule: incom < 30, then: bad, otherwise: good}",
        "Use columns that the champion reads; the message lists them.",
    ),
    CodePage(
        "O010",
        "A file for TLS is missing or cannot be used",
        "operate.serve.tls names a certificate or key that is not there, is no PEM, needs a"
        " passphrase, or does not belong to the other.",
        "tls: {cert: tls.crt, key: tls.key} and the files lie in /etc/ssl.",
        "Write the path from the project's folder, or a whole one from /; name a certificate and"
        " the key it was made with.",
    ),
    CodePage(
        "O011",
        "No reason is given",
        "Switching a model off and on again is a decision that somebody will ask about.",
        "qua3ck off",
        'Say why in a sentence: qua3ck off --reason "..."',
    ),
    CodePage(
        "O012",
        "There is no such API key",
        "It was never made, or is revoked already.",
        "qua3ck key revoke loandesk, and its name is loan-desk.",
        "List them with: qua3ck key list",
    ),
    CodePage(
        "O013",
        "A column to be refused is none of the model's",
        "operate.serve.refuse_outside names a column that the champion does not read, so nothing"
        " would be refused by it.",
        "refuse_outside: [aeg], or a column that is for the judge alone and no input.",
        "Use columns that the champion reads; the message lists them.",
    ),
    *BATCH_PAGES,
    *FEATURE_PAGES,
)
