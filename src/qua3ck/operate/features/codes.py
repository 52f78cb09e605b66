"""The pages behind the codes of online features."""

from __future__ import annotations

from qua3ck.kit.findings import CodePage

PAGES: tuple[CodePage, ...] = (
    CodePage(
        "O060",
        "The address of the feature store is not set",
        "The project file says in which variable of the environment the URL of Redis stands; it"
        " is not set in this process.",
        "feature_store: env:FEATURES, and the service file does not export FEATURES.",
        "export NAME=redis://host:6379/0, or leave feature_store out: then a file in the project"
        " is used.",
    ),
    CodePage(
        "O061",
        "A feature table that was not written yet",
        "Requests look features up in tables that are written from the warehouse; this one was"
        " never written, or by another version of qua3ck.",
        "A table is added under operate.features, and serving is started at once.",
        "Write them: qua3ck publish --online, after each load.",
    ),
    CodePage(
        "O062",
        "The feature store does not answer, or cannot be written",
        "Redis cannot be reached, or takes longer than five seconds; or the file in the project"
        " cannot be written.",
        "The machine with Redis is restarted.",
        "Start it, or correct the URL. Requests that bring the values themselves are answered.",
    ),
    CodePage(
        "O063",
        "A feature table that does not fit the warehouse",
        "operate.features names a table or column that is not there, or that was not loaded yet.",
        "columns: [balanc], where the table says balance.",
        "Use a name from the message; load the source: qua3ck load",
    ),
    CodePage(
        "O064",
        "A key that stands for several rows",
        "Values are looked up by key, so each key must have one row.",
        "key: [customer] of a table with one row per customer and month.",
        "Name all columns that tell rows apart, or make a gold table with the last month of each.",
    ),
    CodePage(
        "O065",
        "What a gold table was on a day is not kept",
        "Sources remember when each row was loaded; a gold table is made of them anew.",
        "qua3ck publish --online --as-of 2026-03-01 with a gold table among the features.",
        "Leave --as-of out, or declare the source itself as the feature table.",
    ),
)
